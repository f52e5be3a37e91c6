"""Findings in the AWS Security Finding Format (ASFF), as Security Hub CSPM takes them.

Limits and required fields: Security Hub API Reference, AwsSecurityFinding and the objects in it. Text that is too long
is cut, never refused: a cut finding is worth more than a missing one.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pull_responder.findings.finding import Finding
from pull_responder.publish.asff_resources import asff_resources
from pull_responder.publish.console import console_url
from pull_responder.publish.text import command_line, one_line, resource_name

if TYPE_CHECKING:
    from mypy_boto3_securityhub.literals import ComplianceStatusType
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef, RecommendationTypeDef

_TITLE: Final = 256
_DESCRIPTION: Final = 1024
_RECOMMENDATION: Final = 512
_FIELD: Final = 2048
# ProductFields holds 50 entries; `_product_fields` names 24 and numbers these.
_EVIDENCE: Final = 12
_COMMANDS: Final = 12
_FINDING_BYTES: Final = 240 * 1000

# Namespaces and categories: Security Hub User Guide, "Types taxonomy for ASFF".
_CONFIGURATION: Final = "Software and Configuration Checks/AWS Security Best Practices"
_BEHAVIOR: Final = "Unusual Behaviors/User"


def to_asff(finding: Finding, *, account: str, region: str, partition: str, now: datetime) -> AwsSecurityFindingTypeDef:
    """Return `finding` for the Security Hub of `account` in `region`: the caller's own, whatever account is at fault.

    With the default product ARN, used here, Security Hub takes only findings of the caller's account (User Guide,
    "Integrating Security Hub CSPM with custom products"). The account at fault stands in Resources and ProductFields.

    `now` is the time of the update, with its zone. Security Hub takes an update only if UpdatedAt is newer. Workflow,
    Note, VerificationState and UserDefinedFields are left to the customer from the start, and Region and
    AwsAccountName to Security Hub, which sets them.
    """
    first = _time(finding.first_observed_at) or _time(finding.pull.observed_at) or now
    last = max(first, _time(finding.last_observed_at) or first)
    types = [_BEHAVIOR if _is_unexpected_principal(finding) else _CONFIGURATION]
    asff: AwsSecurityFindingTypeDef = {
        "SchemaVersion": "2018-10-08",
        "Id": finding.id,
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "ProductName": "Pull Responder",
        "CompanyName": "Pull Responder",
        "GeneratorId": f"pull-responder/{finding.cause}",
        "AwsAccountId": account,
        "Types": types,
        "CreatedAt": _iso(first),
        "UpdatedAt": _iso(max(now, last)),
        "FirstObservedAt": _iso(first),
        "LastObservedAt": _iso(last),
        "Severity": {"Label": finding.severity.value, "Original": finding.severity.value},
        "FindingProviderFields": {
            "Severity": {"Label": finding.severity.value, "Original": finding.severity.value},
            "Types": types,
        },
        "Title": _title(finding),
        "Description": _description(finding),
        "Remediation": {"Recommendation": _recommendation(finding)},
        "Compliance": {"Status": _compliance(finding)},
        "RecordState": "ACTIVE",
        "ProductFields": _product_fields(finding),
        "Resources": asff_resources(finding, region=region, partition=partition),
    }
    return _fitted(asff)


def _is_unexpected_principal(finding: Finding) -> bool:
    return finding.cause == "unexpected_principal_denied"


def _compliance(finding: Finding) -> ComplianceStatusType:
    """FAILED: a check of this configuration failed.

    Of an unexpected principal no configuration was checked. The denial may be right, so neither PASSED nor FAILED
    would be true; NOT_AVAILABLE says that there is no result.
    """
    return "NOT_AVAILABLE" if _is_unexpected_principal(finding) else "FAILED"


def _title(finding: Finding) -> str:
    """The title names the resource (Partner Integration Guide, "Guidelines for mapping findings into ASFF")."""
    name = one_line(resource_name(finding.resource.id), _TITLE // 2)
    room = _TITLE - len(f": {name}")
    title = one_line(finding.title, room) or one_line(finding.cause, room)
    return title if not name or name in title else f"{title}: {name}"


def _description(finding: Finding) -> str:
    evidence = [f"({number}) {each}" for number, each in enumerate(finding.evidence[:_EVIDENCE], 1)]
    parts = [finding.explanation, *(["Evidence:", *evidence] if evidence else [])]
    return one_line(" ".join(parts), _DESCRIPTION) or _title(finding)


def _recommendation(finding: Finding) -> RecommendationTypeDef:
    """The summary, and the commands if all of them fit in whole; they are among the product fields in any case."""
    fix = finding.remediation
    summary = one_line(fix.summary, _RECOMMENDATION) or "See the finding's description."
    commands = [command_line(each) for each in fix.commands]
    whole = [each for each in commands if each]
    steps = f"{summary} Run in account {fix.account}: {' && '.join(whole)}"
    shown = whole and len(whole) == len(commands) and len(steps) <= _RECOMMENDATION
    recommendation: RecommendationTypeDef = {"Text": one_line(steps, _RECOMMENDATION) if shown else summary}
    if url := one_line(fix.docs_url, _FIELD):
        recommendation["Url"] = url
    return recommendation


def _product_fields(finding: Finding) -> dict[str, str]:
    """What has no place in ASFF, under keys of our own; what is not known is left out."""
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
        "principal-account": principal.account if principal else None,
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
        "remediation/account": fix.account,
        "remediation/region": fix.region,
    }
    fields |= {f"evidence/{number}": each for number, each in enumerate(finding.evidence[:_EVIDENCE], 1)}
    cleaned = {key: one_line(value, _FIELD) for key, value in fields.items() if value}
    lines = {number: command_line(each) for number, each in enumerate(fix.commands[:_COMMANDS], 1)}
    cleaned |= {f"remediation/command/{number}": each for number, each in lines.items() if each and len(each) <= _FIELD}
    return {f"pull-responder/{key}": value for key, value in cleaned.items() if value}


def _fitted(asff: AwsSecurityFindingTypeDef) -> AwsSecurityFindingTypeDef:
    """Return the finding within 240 KB: without its last resources or product fields, whichever take more."""
    resources, fields = list(asff["Resources"]), dict(asff["ProductFields"])
    while size_of(asff) > _FINDING_BYTES and (len(resources) > 1 or fields):
        if len(resources) > 1 and len(json.dumps(resources)) > len(json.dumps(fields)):
            resources.pop()
        else:
            fields.popitem()
        asff = {**asff, "Resources": resources, "ProductFields": fields}
    return asff


def size_of(asff: AwsSecurityFindingTypeDef) -> int:
    """Return the bytes that the finding takes in a request, as the AWS SDK writes it."""
    return len(json.dumps(asff).encode())


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
