"""The workflow status of findings in AWS Security Hub CSPM: read what people set, and set RESOLVED.

The workflow status is the customer's (API Reference, Workflow; User Guide, "Setting the workflow status of findings"):

- A finding begins as NEW. People, or their automation rules, set NOTIFIED, SUPPRESSED and RESOLVED.
- Security Hub resets NOTIFIED and RESOLVED to NEW when RecordState goes from ARCHIVED to ACTIVE, and when
  Compliance.Status goes from PASSED to FAILED, WARNING or NOT_AVAILABLE. The import that reopens a finding does both.
- SUPPRESSED stays in either case.

Pull Responder makes two changes only: it sets a resolved finding from NEW to RESOLVED, and a finding that people had
suppressed to SUPPRESSED again after Security Hub has deleted it. Any other status stays as people left it. It never
sets NEW, because the import that reopens a finding does that. The findings table records what was notified, so a reset
to NEW repeats no notification.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pull_responder.facts.aws import describe_failure
from pull_responder.findings.notice import Edge
from pull_responder.model.unread import Unread
from pull_responder.publish.backoff import Backoff, is_retryable
from pull_responder.publish.security_hub import Rejection, rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import (
        AwsSecurityFindingFiltersTypeDef,
        AwsSecurityFindingOutputTypeDef,
        BatchUpdateFindingsUnprocessedFindingTypeDef,
    )

PERMISSIONS: Final = ("securityhub:BatchUpdateFindings", "securityhub:GetFindings")

# API Reference, GetFindings: "For each attribute, you can provide up to 20 filter values."
_FILTER_VALUES: Final = 20
_PAGE: Final = 100
# API Reference, BatchUpdateFindings: "up to 100 findings at a time".
_CALL_FINDINGS: Final = 100
# Characters. A time in ISO 8601 has fewer.
_MOST_OF_A_TIME: Final = 60


class WorkflowStatus(StrEnum):
    """The values of Security Hub's Workflow.Status."""

    NEW = "NEW"
    NOTIFIED = "NOTIFIED"
    SUPPRESSED = "SUPPRESSED"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True)
class Workflow:
    """The workflow status of a finding, and whether the finding is archived, as resolved findings are.

    `updated_at` is its UpdatedAt, cut if it is longer than any time. It is not always ours, and not always a time:
    whoever may import findings can have updated it.
    """

    status: WorkflowStatus
    archived: bool = False
    updated_at: str = field(default="", compare=False)

    @property
    def is_set_by_people(self) -> bool:
        """Whether a person, or an automation rule of theirs, has set the status.

        Nobody sets NEW: findings begin with it, and Security Hub resets them to it. RESOLVED on an active finding is
        theirs, because reopening would have reset ours. RESOLVED on an archived finding counts as ours.
        """
        if self.status is WorkflowStatus.RESOLVED:
            return not self.archived
        return self.status is not WorkflowStatus.NEW


# The notices that are not sent, by the status that people have set. Somebody already works on a NOTIFIED finding, so
# there are no reminders. For people, a RESOLVED finding that still fails is done, until it is resolved and comes back.
_SILENCED: Final[Mapping[WorkflowStatus, frozenset[Edge]]] = {
    WorkflowStatus.NEW: frozenset(),
    WorkflowStatus.NOTIFIED: frozenset({Edge.REMINDER}),
    WorkflowStatus.RESOLVED: frozenset({Edge.REMINDER, Edge.WORSE}),
    # Who suppressed it knew its reach of that day. That it grew by a step is news.
    WorkflowStatus.SUPPRESSED: frozenset(Edge) - {Edge.WORSE},
}


def may_notify(edge: Edge, workflow: Workflow | Unread | None) -> bool:
    """Say whether people are notified of `edge`.

    `workflow` is None if Security Hub does not have the finding. If it is Unread, people are notified: a message too
    many is better than a lost alert.

    `workflow` may be read before or after the import of the same change. Both give the same answer: the statuses that
    the import resets silence neither BACK nor RESOLVED.
    """
    if workflow is None or isinstance(workflow, Unread) or not workflow.is_set_by_people:
        return True
    return edge not in _SILENCED[workflow.status]


def read_workflows(
    client: SecurityHubClient,
    ids: Iterable[str],
    *,
    product_arn: str,
    remaining: Callable[[], float] | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Mapping[str, Workflow | Unread]:
    """Return the workflow of each finding that Security Hub has under `product_arn`, or why it could not be read.

    A finding that Security Hub does not have is left out. It was never imported, or was deleted: Security Hub does that
    90 days after the last update, or 30 days if it is archived. After the first read that fails, the remaining findings
    are not read. `remaining` and `wait` are as in `import_findings`. Never raises for errors of AWS
    or of the connection.
    """
    backoff = Backoff(remaining, wait)
    wanted = tuple(dict.fromkeys(ids))
    read: dict[str, Workflow | Unread] = {}
    for start in range(0, len(wanted), _FILTER_VALUES):
        findings = _read_with_retries(client, wanted[start : start + _FILTER_VALUES], product_arn, backoff)
        if isinstance(findings, Unread):
            return read | dict.fromkeys(wanted[start:], findings)
        read |= {each["Id"]: _workflow(each) for each in findings if each and isinstance(each.get("Id"), str)}
    return read


@dataclass(frozen=True, slots=True)
class ResolveOutcome:
    """The result of `resolve`, by finding id.

    - `resolved`: set to RESOLVED now.
    - `kept`: left alone, because the status was no longer NEW.
    - `missing`: not in Security Hub.
    - `rejections`: refused, as for imports.
    """

    resolved: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def resolve(  # noqa: PLR0913 -- each is one keyword
    client: SecurityHubClient,
    ids: Iterable[str],
    *,
    product_arn: str,
    reader: SecurityHubClient | None = None,
    remaining: Callable[[], float] | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> ResolveOutcome:
    """Set the workflow status of resolved findings from NEW to RESOLVED. Import them as archived before.

    `reader` is the client that reads the status, if not `client`. `remaining` and `wait` are as in `import_findings`.
    Never raises for errors of AWS or of the connection.

    Security Hub may take minutes for the update (API Reference, BatchUpdateFindings). A person may change the status
    between the read and the update. The API has no condition to prevent that.
    """
    wanted = tuple(dict.fromkeys(ids))
    workflows = read_workflows(reader or client, wanted, product_arn=product_arn, remaining=remaining, wait=wait)
    new: list[str] = []
    kept: list[str] = []
    rejections: list[Rejection] = []
    for finding_id, workflow in workflows.items():
        if isinstance(workflow, Unread):
            rejections.append(rejection(finding_id, "Unread", workflow.reason, retryable=True))
        else:
            (new if workflow.status is WorkflowStatus.NEW else kept).append(finding_id)
    backoff = Backoff(remaining, wait)
    for start in range(0, len(new), _CALL_FINDINGS):
        part = new[start : start + _CALL_FINDINGS]
        rejections += _set_with_retries(client, part, WorkflowStatus.RESOLVED, product_arn, backoff)
    refused = {each.finding_id for each in rejections}
    return ResolveOutcome(
        resolved=tuple(each for each in new if each not in refused),
        kept=tuple(kept),
        missing=tuple(each for each in wanted if each not in workflows),
        rejections=tuple(rejections),
    )


def suppress(
    client: SecurityHubClient,
    ids: Sequence[str],
    *,
    product_arn: str,
    remaining: Callable[[], float] | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> tuple[Rejection, ...]:
    """Set findings to SUPPRESSED again that Security Hub had deleted. Import them before. Return what was refused.

    `remaining` and `wait` are as in `import_findings`. Never raises for errors of AWS or of the connection.
    """
    backoff = Backoff(remaining, wait)
    rejections: list[Rejection] = []
    for start in range(0, len(ids), _CALL_FINDINGS):
        part = ids[start : start + _CALL_FINDINGS]
        rejections += _set_with_retries(client, part, WorkflowStatus.SUPPRESSED, product_arn, backoff)
    return tuple(rejections)


def _workflow(finding: AwsSecurityFindingOutputTypeDef) -> Workflow | Unread:
    word = finding.get("Workflow", {}).get("Status", WorkflowStatus.NEW)
    try:
        status = WorkflowStatus(word)
    except ValueError:
        return Unread(f"securityhub:GetFindings gave a workflow status that is not known: {word!r:.60}")
    # The SDK hands on whatever stands in the answer.
    updated_at = str(finding.get("UpdatedAt", ""))[:_MOST_OF_A_TIME]
    return Workflow(status, archived=finding.get("RecordState") == "ARCHIVED", updated_at=updated_at)


def _read_with_retries(
    client: SecurityHubClient, ids: Sequence[str], product_arn: str, backoff: Backoff
) -> list[AwsSecurityFindingOutputTypeDef] | Unread:
    filters: AwsSecurityFindingFiltersTypeDef = {
        "Id": [{"Value": each, "Comparison": "EQUALS"} for each in ids],
        # With cross-Region aggregation, the home Region returns findings of other Regions (API Reference, GetFindings).
        "ProductArn": [{"Value": product_arn, "Comparison": "EQUALS"}],
    }
    tries = 0
    while not backoff.is_over:
        try:
            pages = client.get_paginator("get_findings").paginate(Filters=filters, PaginationConfig={"PageSize": _PAGE})
            return [finding for page in pages for finding in page["Findings"]]
        except ClientError as error:
            tries += 1
            if not (_is_retryable(error) and backoff.pause(tries)):
                return describe_failure("securityhub:GetFindings", error)
        except BotoCoreError as error:
            return describe_failure("securityhub:GetFindings", error)
        except (ResponseParserError, AttributeError, KeyError, TypeError):
            # A page without its list does not say that Security Hub lacks the findings.
            return Unread("securityhub:GetFindings gave an answer that cannot be read")
    return Unread("securityhub:GetFindings was not called: no time was left for it")


def _set_with_retries(
    client: SecurityHubClient, ids: Sequence[str], status: WorkflowStatus, product_arn: str, backoff: Backoff
) -> tuple[Rejection, ...]:
    """Set the workflow status of findings, with retries. Return the rejections that are left."""
    final: tuple[Rejection, ...] = ()
    tries = 0
    while not backoff.is_over:
        try:
            answer = client.batch_update_findings(
                FindingIdentifiers=[{"Id": each, "ProductArn": product_arn} for each in ids],
                Workflow={"Status": status.value},
            )
            refused = tuple(map(_rejection_of, answer["UnprocessedFindings"]))
        except ClientError as error:
            details = error.response["Error"]
            refused = _reject_all(ids, details["Code"], details.get("Message", ""), retryable=_is_retryable(error))
        except BotoCoreError as error:
            # The client has made its own retries. Another run may try again later; this one does not wait.
            return final + _reject_all(ids, type(error).__name__, str(error), retryable=True)
        except (ResponseParserError, AttributeError, KeyError, TypeError) as error:
            refused = _reject_all(ids, "Unreadable", f"the answer cannot be read: {error}", retryable=True)
        tries += 1
        ids = [each.finding_id for each in refused if each.retryable]
        if not ids or not backoff.pause(tries):
            return final + refused
        final += tuple(each for each in refused if not each.retryable)
    return final + _reject_all(ids, "OutOfTime", "no time was left", retryable=True)


def _rejection_of(finding: BatchUpdateFindingsUnprocessedFindingTypeDef) -> Rejection:
    code = finding["ErrorCode"]
    return rejection(finding["FindingIdentifier"]["Id"], code, finding["ErrorMessage"], retryable=is_retryable(code))


def _reject_all(ids: Sequence[str], code: str, reason: str, *, retryable: bool) -> tuple[Rejection, ...]:
    return tuple(rejection(each, code, reason, retryable=retryable) for each in ids)


def _is_retryable(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return is_retryable(error.response["Error"]["Code"], status)
