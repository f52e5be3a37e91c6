"""Findings in the AWS Security Finding Format (ASFF), as Security Hub CSPM takes them.

Limits and required fields: Security Hub API Reference, AwsSecurityFinding and the objects in it. Text that is too long
is cut and not refused: a cut finding is better than a missing one.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.reach import Reach
from pull_responder.publish.asff_resources import asff_resources
from pull_responder.publish.asff_types import is_of_configuration, types_of
from pull_responder.publish.console import console_url
from pull_responder.publish.text import command_line, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_securityhub.literals import ComplianceStatusType
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef, RecommendationTypeDef, RelatedFindingTypeDef

_TITLE: Final = 256
_DESCRIPTION: Final = 1024
_RECOMMENDATION: Final = 512
_FIELD: Final = 2048
# API Reference, AwsSecurityFinding: ProductFields "can contain up to 50 key-value pairs".
_FIELDS: Final = 50
_EVIDENCE: Final = 12
_COMMANDS: Final = 12
_FINDING_BYTES: Final = 240 * 1000

MOST_RELATED: Final = 10
"""User Guide, "Optional top-level ASFF attributes": up to ten related findings."""

# The same page: their ids have at most 512 characters.
_OUR_ID: Final = re.compile(r"pull-responder/[a-z0-9_]{1,80}/[0-9a-z-]{1,32}/[a-z0-9-]{0,40}/[0-9a-f]{20}")


def product_arn(*, account: str, region: str, partition: str) -> str:
    """Return the default product ARN of `account` in `region`, under which Security Hub keeps our findings."""
    return f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"


def to_asff(  # noqa: PLR0913 -- what is known besides the finding, each by its name
    finding: Finding,
    *,
    account: str,
    region: str,
    partition: str,
    now: datetime,
    reach: Reach | None = None,
    created_at: str | None = None,
    broken_by: Deed | None = None,
    related: Mapping[str, str] = MappingProxyType({}),
    page: str | None = None,
    updated_after: str | None = None,
    resolved_because: str | None = None,
    here_because: str | None = None,
) -> AwsSecurityFindingTypeDef:
    """Return `finding` for the Security Hub of `account` in `region`.

    - `account`, `region`, `partition`: those of whoever imports it. With the default product ARN, Security Hub accepts
      only findings of the caller's account (User Guide, "Integrating Security Hub CSPM with custom products"). The
      account at fault is in Resources and ProductFields.
    - `now`: the time of the update, with its zone.
    - `reach`: what was seen so far.
    - `broken_by`: the change of its resource that came before the first failure, where it is known.
    - `related`: the ids of the other findings of the same problems, each with its product ARN.
    - `page`: the URL of the cause's page. With None, the recommendation links AWS's page about the fix.
    - `created_at`: the CreatedAt of the first import, as this function returned it.
    - `updated_after`: the UpdatedAt of the last import, as this function returned it. The new UpdatedAt is later, on
      whichever clock: Security Hub ignores an update that is not newer than the last (User Guide, "BatchImportFindings
      for finding providers"). What is not a time, or has none after it, counts for nothing.
    - `resolved_because`: why the finding is resolved; the finding is then archived. With None it is open, or reopened.
    - `here_because`: why it is in this account and not in the account at fault, where that has to be said.

    Some fields are never sent. Workflow, Note, VerificationState and UserDefinedFields are the customer's. Security Hub
    sets Region and AwsAccountName. Severity, Types and RelatedFindings are sent in FindingProviderFields only: Security
    Hub copies them to the top level unless the customer has changed them there (same page, "Using
    FindingProviderFields"). How a finding ended is in the Description and in a product field, not in Note
    (docs/adr/0106-what-security-hub-is-told.md).
    """
    reach = reach or Reach()
    updated = max(filter(None, (now, _after(updated_after), _time(created_at))))
    # An event from a clock that runs ahead must not give a time in the future.
    seen = (reach.first_seen_at, finding.first_observed_at, finding.pull.observed_at)
    first = min(next(filter(None, map(_time, seen)), now), updated)
    last = _time(reach.last_seen_at) or _time(finding.last_observed_at) or first
    asff: AwsSecurityFindingTypeDef = {
        "SchemaVersion": "2018-10-08",
        "Id": finding.id,
        "ProductArn": product_arn(account=account, region=region, partition=partition),
        "ProductName": "Pull Responder",
        "CompanyName": "Pull Responder",
        "GeneratorId": f"pull-responder/{finding.cause}",
        "AwsAccountId": account,
        "CreatedAt": _iso(_time(created_at) or first),
        "UpdatedAt": _iso(updated),
        "FirstObservedAt": _iso(first),
        "LastObservedAt": _iso(min(max(first, last), updated)),
        "FindingProviderFields": {
            "Severity": {"Label": finding.severity.value, "Original": finding.severity.value},
            "Types": types_of(finding.cause),
        },
        "Title": _title(finding),
        "Description": _description(finding, resolved_because, here_because),
        "Remediation": {"Recommendation": _recommendation(finding, page)},
        "Compliance": {"Status": _compliance(finding, resolved=resolved_because is not None)},
        "RecordState": "ACTIVE" if resolved_because is None else "ARCHIVED",
        "ProductFields": _product_fields(finding, reach, broken_by, page, (resolved_because, here_because)),
        "Resources": asff_resources(finding, region=region, partition=partition, nodes=reach.nodes),
    }
    others = [each for each in dict.fromkeys(related) if each != finding.id and _OUR_ID.fullmatch(each)]
    if others:
        of: list[RelatedFindingTypeDef] = [{"ProductArn": related[each], "Id": each} for each in others[:MOST_RELATED]]
        asff["FindingProviderFields"]["RelatedFindings"] = of
    if page:
        asff["SourceUrl"] = page
    return _fit(asff)


def _compliance(finding: Finding, *, resolved: bool) -> ComplianceStatusType:
    if not is_of_configuration(finding.cause):
        # No configuration was found wrong, so neither FAILED nor PASSED would be true.
        return "NOT_AVAILABLE"
    return "PASSED" if resolved else "FAILED"


def _title(finding: Finding) -> str:
    """The title names the resource (Partner Integration Guide, "Guidelines for mapping findings into ASFF")."""
    name = one_line(resource_name(finding.resource.id), _TITLE // 2)
    room = _TITLE - len(f": {name}")
    title = one_line(finding.title, room) or one_line(finding.cause, room)
    return title if not name or name in title else f"{title}: {name}"


def _description(finding: Finding, resolved_because: str | None, here_because: str | None) -> str:
    if resolved_because is not None:
        # At least half of the room is left for the explanation.
        because = one_line(resolved_because, _DESCRIPTION // 2) or "the cause is gone."
        return one_line(f"Resolved: {because} It was: {finding.explanation}", _DESCRIPTION)
    evidence = [f"({number}) {each}" for number, each in enumerate(finding.evidence[:_EVIDENCE], 1)]
    here = [one_line(here_because, _DESCRIPTION // 3)] if here_because else []
    parts = [finding.explanation, *here, *(["Evidence:", *evidence] if evidence else [])]
    return one_line(" ".join(parts), _DESCRIPTION) or _title(finding)


def _recommendation(finding: Finding, page: str | None) -> RecommendationTypeDef:
    """The summary, and the commands if all of them fit. The product fields always have the commands."""
    fix = finding.remediation
    summary = one_line(fix.summary, _RECOMMENDATION) or "See the finding's description."
    commands = [command_line(each) for each in fix.commands]
    whole = [each for each in commands if each]
    steps = f"{summary} Run in account {fix.account}: {' && '.join(whole)}"
    shown = whole and len(whole) == len(commands) and len(steps) <= _RECOMMENDATION
    by_hand = f"{summary} In account {fix.account}." if finding.is_mended_elsewhere and not whole else summary
    text = steps if shown else by_hand if len(by_hand) <= _RECOMMENDATION else summary
    recommendation: RecommendationTypeDef = {"Text": one_line(text, _RECOMMENDATION)}
    if url := one_line(page or fix.docs_url, _FIELD):
        recommendation["Url"] = url
    return recommendation


def _product_fields(
    finding: Finding,
    reach: Reach,
    broken_by: Deed | None,
    page: str | None,
    because: tuple[str | None, str | None],
) -> dict[str, str]:
    """The facts that have no field in ASFF, under our own keys. Unknown ones are left out, and all after the 50th.

    `because` says why it is resolved, and why it is in this account.
    """
    pull, fix = finding.pull, finding.remediation
    principal, denial = pull.principal, pull.denial
    fields: dict[str, str | None] = {
        "cause": finding.cause,
        "account": finding.account,
        "region": finding.region,
        "cluster": finding.cluster or pull.cluster,
        "console": console_url(finding.resource),
        "image": pull.image,
        "registry-account": pull.registry_account,
        "repository": pull.repository,
        "role": principal.role_arn if principal else None,
        "principal": principal.arn if principal else None,
        "principal-account": finding.pull.principal_account,
        "node": pull.node,
        "namespace": pull.namespace,
        "pod": pull.pod,
        "symptom": pull.symptom.value,
        "stage": pull.stage.value if pull.stage else None,
        "event-id": pull.event_id,
        "denied-action": denial.action if denial else None,
        "denied-resource": denial.resource if denial else None,
        "denying-policy-type": denial.policy_type.value if denial and denial.policy_type else None,
        "denying-policy": denial.policy_arn if denial else None,
        "error-message": denial.message if denial else None,
        "changed-by": f"{broken_by.words} at {broken_by.at}" if broken_by else None,
        "resolution": because[0],
        "here-because": because[1],
        "events": reach.words("events") if reach.events else None,
        "pod-count": reach.words("pods") if reach.pod_count else None,
        "pods": ", ".join(reach.pods),
        "node-count": reach.words("nodes") if reach.node_count else None,
        "nodes": ", ".join(reach.nodes),
        "remediation/account": fix.account,
        "remediation/region": fix.region,
        "remediation/docs": fix.docs_url if page else None,
    }
    cleaned = {key: one_line(value, _FIELD) for key, value in fields.items() if value}
    lines = {number: command_line(each) for number, each in enumerate(fix.commands[:_COMMANDS], 1)}
    cleaned |= {f"remediation/command/{number}": each for number, each in lines.items() if each and len(each) <= _FIELD}
    # Evidence comes last, where fields may be dropped: the description has the beginning of it, too.
    cleaned |= {
        f"evidence/{number}": one_line(each, _FIELD) for number, each in enumerate(finding.evidence[:_EVIDENCE], 1)
    }
    return dict(islice(((f"pull-responder/{key}", value) for key, value in cleaned.items() if value), _FIELDS))


def _fit(asff: AwsSecurityFindingTypeDef) -> AwsSecurityFindingTypeDef:
    """Return the finding within 240 KB. Its last resources or product fields, whichever take more, are dropped."""
    resources, fields = list(asff["Resources"]), dict(asff["ProductFields"])
    while size_of(asff) > _FINDING_BYTES and (len(resources) > 1 or fields):
        if len(resources) > 1 and len(json.dumps(resources)) > len(json.dumps(fields)):
            resources.pop()
        else:
            fields.popitem()
        asff = {**asff, "Resources": resources, "ProductFields": fields}
    return asff


def size_of(asff: AwsSecurityFindingTypeDef) -> int:
    """Return the size of the finding in a request of the AWS SDK, in bytes."""
    return len(json.dumps(asff).encode())


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _after(text: str | None) -> datetime | None:
    """The first moment after `text` in Security Hub's resolution, which is a millisecond; None if there is none."""
    try:
        return (moment := _time(text)) and moment + timedelta(milliseconds=1)
    except OverflowError:
        return None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
