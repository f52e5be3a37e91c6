"""Findings as SNS messages: a subject and a text for people, attributes for filter policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.finding import Finding
from pull_responder.publish.console import console_url
from pull_responder.publish.text import command_line, cut, last_name, one_line, resource_name, within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

PERMISSIONS: Final = ("sns:Publish",)
# A topic encrypted with a key of the customer's needs these of its publishers, on that key
# (SNS Developer Guide, "Managing Amazon SNS encryption keys and costs").
KEY_PERMISSIONS: Final = ("kms:GenerateDataKey", "kms:Decrypt")

UNKNOWN: Final = "unknown"

# SNS takes subjects of fewer than 100 characters and, unless the topic says otherwise, messages of 256 KiB with their
# attributes (SNS API Reference, Publish). What the parts below may take adds up to less than 240 KiB.
_SUBJECT: Final = 99
_ATTRIBUTE: Final = 256
_FIELD: Final = 600
_PARAGRAPH: Final = 4_000
_EVIDENCE: Final = 2_000
_EVIDENCE_BYTES: Final = 64 * 1024
_COMMANDS_BYTES: Final = 96 * 1024


def publish_notification(client: SNSClient, topic_arn: str, finding: Finding) -> str:
    """Publish `finding` to the topic and return the message's id.

    Raises what the client raises: a notification that did not go out is the caller's to retry.
    """
    answer = client.publish(
        TopicArn=topic_arn, Subject=subject(finding), Message=body(finding), MessageAttributes=attributes(finding)
    )
    return answer["MessageId"]


def subject(finding: Finding) -> str:
    """Return one line of printable ASCII, at most 99 characters: how bad, why, what and where.

    Why comes before what, as mail readers cut at the end. Names are shortened by whole parts, and no ARN is in it.
    """
    severity = finding.severity.value
    why = _ascii(finding.cause.replace("_", " "), 40) or UNKNOWN
    where = f"{_ascii(finding.account, 12) or UNKNOWN} {_ascii(finding.region, 16) or UNKNOWN}"
    what = _ascii(finding.pull.repository or resource_name(finding.resource.id), _FIELD) or UNKNOWN
    short = last_name(what)
    cluster = f", cluster {name}" if (name := _ascii(finding.cluster or "", _FIELD)) else ""
    candidates = (
        f"{severity} pull failure: {why} ({what}{cluster}, {where})",
        f"{severity}: {why} ({what}{cluster}, {where})",
        f"{severity}: {why} ({short}{cluster}, {where})",
        f"{severity}: {why} ({what}, {where})",
        f"{severity}: {why} ({short}, {where})",
    )
    for candidate in candidates:
        if len(candidate) <= _SUBJECT:
            return candidate
    room = _SUBJECT - len(f"{severity}: {why} (, {where})")
    return f"{severity}: {why} ({cut(short, room, '...')}, {where})"


def attributes(finding: Finding) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the message attributes that subscriptions filter by: severity, cause, cluster, account, region, status.

    All six are always there, "unknown" where nothing is known: every name in a filter policy has to match an attribute
    of the message (SNS Developer Guide, "Amazon SNS subscription filter policies"), so that a subscriber who wants all
    clusters but one would silently miss a finding without a cluster.
    """
    values = {
        "severity": finding.severity.value,
        "cause": finding.cause,
        "cluster": finding.cluster or "",
        "account": finding.account,
        "region": finding.region,
        "status": "new",
    }
    return {
        name: {"DataType": "String", "StringValue": one_line(value, _ATTRIBUTE) or UNKNOWN}
        for name, value in values.items()
    }


def body(finding: Finding) -> str:
    """Return the text of the message: what failed, why, the fix and where to look."""
    sections = (
        [one_line(finding.title, _FIELD) or one_line(finding.cause, _FIELD)],
        ["What failed", *_table(_what_failed(finding))],
        ["Why", *_why(finding)],
        ["How to fix it", *_fix(finding)],
        ["Where to look", *_table(_where_to_look(finding))],
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _what_failed(finding: Finding) -> Iterable[tuple[str, str | None]]:
    pull, principal = finding.pull, finding.pull.principal
    yield "Image", pull.image or pull.repository_arn or pull.repository
    yield "Pulled by", (principal.role_arn or principal.arn or principal.name) if principal else None
    yield "Cluster", finding.cluster
    instance = principal.instance_id if principal else None
    yield "Node", f"{pull.node} ({instance})" if pull.node and instance else pull.node or instance
    yield "Pod", f"{pull.namespace or UNKNOWN}/{pull.pod}" if pull.pod else None
    yield "At fault", f"{finding.resource.id} ({finding.resource.type})"
    yield "Account", finding.account
    yield "Region", finding.region
    yield "Severity", finding.severity.value
    since = finding.first_observed_at or pull.observed_at
    yield "Since", since
    yield "Last seen", finding.last_observed_at if finding.last_observed_at != since else None


def _why(finding: Finding) -> list[str]:
    evidence = (f"  - {text}" for each in finding.evidence if (text := one_line(each, _EVIDENCE)))
    return [
        f"  {one_line(finding.explanation, _PARAGRAPH)}",
        *within(evidence, size=_EVIDENCE_BYTES, what="evidence"),
    ]


def _fix(finding: Finding) -> list[str]:
    fix = finding.remediation
    lines = [f"  {one_line(fix.summary, _PARAGRAPH)}"]
    if fix.commands:
        lines += [f"  Run with credentials of account {_field(fix.account)}, region {_field(fix.region)}:"]
        commands = (
            command_line(each) or "(a command with unprintable characters is left out)" for each in fix.commands
        )
        lines += within((f"    {each}" for each in commands), size=_COMMANDS_BYTES, what="commands")
    return lines


def _where_to_look(finding: Finding) -> Iterable[tuple[str, str | None]]:
    yield "Console", console_url(finding.resource)
    yield "Docs", finding.remediation.docs_url
    yield "Finding", finding.id


def _table(rows: Iterable[tuple[str, str | None]]) -> list[str]:
    cleaned = [(label, _field(value)) for label, value in rows if value]
    width = max((len(label) for label, _ in cleaned), default=0)
    return [f"  {label:{width}}  {value}" for label, value in cleaned]


def _field(value: str) -> str:
    return one_line(value, _FIELD) or UNKNOWN


def _ascii(text: str, limit: int) -> str:
    return cut(one_line(text, 10 * limit).encode("ascii", "replace").decode(), limit, "...")
