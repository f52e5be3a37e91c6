"""The workflow status of findings in AWS Security Hub CSPM: what people have set it to, and RESOLVED when all is over.

The workflow is the customer's (API Reference, Workflow; User Guide, "Setting the workflow status of findings"):

- A finding begins as NEW. NOTIFIED, SUPPRESSED and RESOLVED are set by people, or by their automation rules.
- Security Hub itself resets NOTIFIED and RESOLVED to NEW when RecordState goes from ARCHIVED to ACTIVE, and when
  Compliance.Status goes from PASSED to FAILED, WARNING or NOT_AVAILABLE: with the import that reopens a finding.
- SUPPRESSED stays in either case.

We change it in one case only: a finding that is over and still NEW becomes RESOLVED. Whoever has set it to anything
else finds it as it was left. Nothing is set back to NEW by us, since the import that reopens a finding does that. And
what has been told is remembered in the findings table, not here, so that a reset to NEW repeats nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.facts.aws import describe_failure
from pull_responder.findings.notice import Edge
from pull_responder.model.unread import Unread
from pull_responder.publish.backoff import Backoff, passes
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


class WorkflowStatus(StrEnum):
    """Security Hub's words for how far people have come with a finding."""

    NEW = "NEW"
    NOTIFIED = "NOTIFIED"
    SUPPRESSED = "SUPPRESSED"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True)
class Workflow:
    """How far people have come with a finding, and whether Security Hub has it as archived, which is over for us."""

    status: WorkflowStatus
    archived: bool = False

    @property
    def is_peoples(self) -> bool:
        """Whether a person, or a rule of theirs, has set the status.

        NEW is how findings begin and what Security Hub resets them to. RESOLVED is ours on an archived finding, where
        it does not matter whose it is; on an active one it is theirs, as reactivating would have reset ours.
        """
        if self.status is WorkflowStatus.RESOLVED:
            return not self.archived
        return self.status is not WorkflowStatus.NEW


# What each status that people have set keeps from them. A finding set to NOTIFIED is in its owner's hands, who need not
# be reminded of it; one set to RESOLVED while it still fails is done with for them, until it is over and comes back.
_SILENCED: Final[Mapping[WorkflowStatus, frozenset[Edge]]] = {
    WorkflowStatus.NEW: frozenset(),
    WorkflowStatus.NOTIFIED: frozenset({Edge.REMINDER}),
    WorkflowStatus.RESOLVED: frozenset({Edge.REMINDER, Edge.WORSE}),
    WorkflowStatus.SUPPRESSED: frozenset(Edge),
}


def may_notify(edge: Edge, workflow: Workflow | Unread | None) -> bool:
    """Say whether people are told of `edge`.

    `workflow` may be from before or after the import that goes with it: what that resets silences neither BACK nor
    RESOLVED. None stands for a finding that Security Hub does not have. Where it could not be read people are told: a
    message too many is better than an alert that nobody gets.
    """
    if workflow is None or isinstance(workflow, Unread) or not workflow.is_peoples:
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

    A finding that it does not have is left out: it was never imported, or deleted since, which Security Hub does 90
    days after the last update. What cannot be read for some is not asked for the rest. `remaining` and `wait` are as in
    `import_findings`. Never raises for what AWS answers or for a connection that fails.
    """
    backoff = Backoff(remaining, wait)
    asked = tuple(dict.fromkeys(ids))
    read: dict[str, Workflow | Unread] = {}
    for start in range(0, len(asked), _FILTER_VALUES):
        findings = _read_patiently(client, asked[start : start + _FILTER_VALUES], product_arn, backoff)
        if isinstance(findings, Unread):
            return read | dict.fromkeys(asked[start:], findings)
        read |= {each["Id"]: _workflow(each) for each in findings}
    return read


@dataclass(frozen=True, slots=True)
class ResolveOutcome:
    """What became of findings that were to be RESOLVED, by id.

    `kept` are those that people had set to something else than NEW, or that were RESOLVED already; `missing` those that
    Security Hub does not have. The `rejections` are as for imports.
    """

    resolved: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def resolve(
    client: SecurityHubClient,
    ids: Iterable[str],
    *,
    product_arn: str,
    remaining: Callable[[], float] | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> ResolveOutcome:
    """Set the workflow of findings that are over to RESOLVED, where it is still NEW. Import them as archived before.

    `remaining` and `wait` are as in `import_findings`. Never raises for what AWS answers or a connection that fails.
    Security Hub may take minutes for it (API Reference, BatchUpdateFindings), and a person may come in between the
    reading and the update: the API has no condition to prevent that.
    """
    asked = tuple(dict.fromkeys(ids))
    workflows = read_workflows(client, asked, product_arn=product_arn, remaining=remaining, wait=wait)
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
        rejections += _resolve_patiently(client, new[start : start + _CALL_FINDINGS], product_arn, backoff)
    refused = {each.finding_id for each in rejections}
    return ResolveOutcome(
        resolved=tuple(each for each in new if each not in refused),
        kept=tuple(kept),
        missing=tuple(each for each in asked if each not in workflows),
        rejections=tuple(rejections),
    )


def _workflow(finding: AwsSecurityFindingOutputTypeDef) -> Workflow | Unread:
    word = finding.get("Workflow", {}).get("Status", WorkflowStatus.NEW)
    try:
        status = WorkflowStatus(word)
    except ValueError:
        return Unread(f"securityhub:GetFindings gave a workflow status that is not known: {word!r:.60}")
    return Workflow(status, archived=finding.get("RecordState") == "ARCHIVED")


def _read_patiently(
    client: SecurityHubClient, ids: Sequence[str], product_arn: str, backoff: Backoff
) -> list[AwsSecurityFindingOutputTypeDef] | Unread:
    filters: AwsSecurityFindingFiltersTypeDef = {
        "Id": [{"Value": each, "Comparison": "EQUALS"} for each in ids],
        # With cross-Region aggregation the home Region answers for the others, too (API Reference, GetFindings).
        "ProductArn": [{"Value": product_arn, "Comparison": "EQUALS"}],
    }
    tries = 0
    while not backoff.is_over:
        try:
            pages = client.get_paginator("get_findings").paginate(Filters=filters, PaginationConfig={"PageSize": _PAGE})
            return [finding for page in pages for finding in page["Findings"]]
        except ClientError as error:
            tries += 1
            if not (_passes(error) and backoff.pause(tries)):
                return describe_failure("securityhub:GetFindings", error)
        except BotoCoreError as error:
            return describe_failure("securityhub:GetFindings", error)
    return Unread("securityhub:GetFindings was not called: no time was left for it")


def _resolve_patiently(
    client: SecurityHubClient, ids: Sequence[str], product_arn: str, backoff: Backoff
) -> tuple[Rejection, ...]:
    """Set findings to RESOLVED, and again those that another try can; return those that are not."""
    final: tuple[Rejection, ...] = ()
    tries = 0
    while not backoff.is_over:
        try:
            answer = client.batch_update_findings(
                FindingIdentifiers=[{"Id": each, "ProductArn": product_arn} for each in ids],
                Workflow={"Status": WorkflowStatus.RESOLVED.value},
            )
            refused = tuple(map(_unprocessed, answer["UnprocessedFindings"]))
        except ClientError as error:
            details = error.response["Error"]
            refused = _all_refused(ids, details["Code"], details.get("Message", ""), retryable=_passes(error))
        except BotoCoreError as error:
            # The client has tried more than once by now: others may come back later, but nothing waits for it here.
            return final + _all_refused(ids, type(error).__name__, str(error), retryable=True)
        tries += 1
        ids = [each.finding_id for each in refused if each.retryable]
        if not ids or not backoff.pause(tries):
            return final + refused
        final += tuple(each for each in refused if not each.retryable)
    return final + _all_refused(ids, "OutOfTime", "no time was left for it", retryable=True)


def _unprocessed(finding: BatchUpdateFindingsUnprocessedFindingTypeDef) -> Rejection:
    code = finding["ErrorCode"]
    return rejection(finding["FindingIdentifier"]["Id"], code, finding["ErrorMessage"], retryable=passes(code))


def _all_refused(ids: Sequence[str], code: str, reason: str, *, retryable: bool) -> tuple[Rejection, ...]:
    return tuple(rejection(each, code, reason, retryable=retryable) for each in ids)


def _passes(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return passes(error.response["Error"]["Code"], status)
