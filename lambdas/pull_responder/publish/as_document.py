"""Alerts as JSON documents for queues and functions, schema 2.0: docs/notification.schema.json.

A finding and a pull have the same shape as in `pull-responder diagnose --format json`. Keys may be added. Renaming or
removing a key needs a new major version.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.attributes import IN_PART, alert_values
from pull_responder.publish.changes import after_fix, flaps
from pull_responder.publish.steps import do_all, is_of_organization, what_to_do
from pull_responder.publish.style import Style
from pull_responder.publish.telling import ended, headline, how_known, opening, whom
from pull_responder.publish.text import one_line, take_fitting
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.deed import Deed
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice
    from pull_responder.findings.reach import Reach
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation

SCHEMA: Final = "pull-responder/notification"
VERSION: Final = "2.0"

_PULL_KEYS: Final = (
    "image",
    "registry_account",
    "region",
    "repository",
    "tag",
    "digest",
    "role_arn",
    "cluster",
    "node",
    "namespace",
    "pod",
    "symptom",
    "stage",
    "observed_at",
)

# Characters. Longer than any ARN of IAM or ECR, or any image reference.
_FIELD: Final = 700
_PARAGRAPH: Final = 4_000
_EVIDENCE: Final = 2_000
_SHORT: Final = 200
# An account or a region, where a message has many of them.
_PLACE: Final = 40
_NAMES: Final = 10


def finding_object(finding: Finding) -> dict[str, Any]:
    """Return `finding` as JSON, with texts of any length."""
    return {
        "id": finding.id,
        "cause": finding.cause,
        "title": finding.title,
        "severity": finding.severity,
        "resource": {"type": finding.resource.type, "id": finding.resource.id},
        "explanation": finding.explanation,
        "evidence": list(finding.evidence),
        "remediation": {
            "summary": finding.remediation.summary,
            "account": finding.remediation.account,
            "region": finding.remediation.region,
            "commands": [render(command) for command in finding.remediation.commands],
            "undo": [render(command) for command in finding.remediation.undo],
            "docs_url": finding.remediation.docs_url,
        },
    }


def pull_object(pull: PullFailure | None, role_arn: str | None, cluster: str | None) -> dict[str, str | None]:
    """Return `pull` as JSON, with texts of any length. `role_arn` and `cluster` are added; unknown values are None."""
    known = {key: getattr(pull, key, None) for key in _PULL_KEYS}
    return known | {"role_arn": role_arn, "cluster": cluster}


def alert_document(alert: Alert, *, room: int, style: Style | None = None) -> dict[str, Any]:
    """Return the document of `alert`. The evidence and the commands of all its findings take at most `room` bytes each.

    A line or command that does not fit is left out whole and counted under "omitted". A cut command would be a
    different command. What is resolved has no fix, as nobody is to make it; what else is open has its own.
    """
    style = style or Style()
    share = room // len(alert.notices)
    findings = [_finding_of(each, room=share, style=style) for each in alert.notices]
    open_ones = (*alert.others, *alert.still_open)
    others = [other_object(each, room=room // max(len(open_ones), 1), style=style) for each in open_ones]
    is_over, told = alert.edge is Edge.RESOLVED, len(alert.others)
    asked = [*open_ones, *(() if is_over else (each.finding for each in alert.notices))]
    changed = [other_object(each.finding, room=share, style=style) for each in alert.notices]
    to_mend = others[:told] if is_over else findings
    worst = alert.worst.finding
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "problem": one_line(alert.problem, _FIELD),
        "edge": IN_PART if alert.is_in_part else alert.edge,
        "resolved_in_part": alert.is_in_part,
        "flapping": flaps(alert),
        "severity": alert.severity,
        "at": alert.at,
        "since": alert.since,
        "headline": _headline(alert),
        "action": one_line(action, min(_PARAGRAPH, room)) if (action := _action(alert)) else None,
        "commands": take_fitting((line for each in to_mend for line in each["remediation"]["commands"]), size=room),
        "attributes": alert_values(alert),
        "findings": findings,
        "others": others[:told] if alert.others_known else None,
        "others_count": len(alert.others) + alert.unnamed if alert.others_known else None,
        "over": take_fitting((one_line(each, _FIELD) for each in alert.over), size=room),
        "still_open": others if is_over else [*_fitting([*changed, *others[:told]], room), *others[told:]],
        "pull": pull_of(worst),
        "reach": reach_object(alert.reach),
        "omitted": {
            "evidence": sum(len(each.finding.evidence) for each in alert.notices) - _number(findings, "evidence"),
            "commands": sum(len(each.remediation.commands) for each in asked)
            - sum(len(each["remediation"]["commands"]) for each in (*findings, *others) if each["remediation"]),
        },
    }


def _fitting(shapes: Sequence[dict[str, Any]], room: int) -> Sequence[dict[str, Any]]:
    """Return the first of `shapes` that take at most `room` bytes as JSON."""
    return shapes[: len(take_fitting((json.dumps(each, ensure_ascii=False) for each in shapes), size=room))]


def _headline(alert: Alert) -> str:
    """Return what is broken and for whom, or how it ended, in the words of line 1 of the e-mail."""
    if alert.edge is not Edge.RESOLVED:
        return one_line(" ".join([headline(alert, one_line), *after_fix(alert, one_line)]), _PARAGRAPH)
    over = list(ended(alert, one_line))
    if alert.is_in_part:
        return one_line(" ".join([headline(alert, one_line), "Already fixed:", *over]), _PARAGRAPH)
    known = how_known(alert.notices, known=alert.others_known)
    return one_line(" ".join([f"{opening(alert)}:", *over, *known, whom(alert, one_line)]), _PARAGRAPH)


def _action(alert: Alert) -> str:
    """Return what to do: of several causes each, of what is resolved what is left. Empty if there is nothing to do."""
    every = [what_to_do(each, one_line, _FIELD) for each in alert.to_mend]
    if len(every) <= 1:
        return "".join(every)
    return " ".join([*do_all(alert), *(f"{number}. {each}" for number, each in enumerate(every, 1))])


def bounded_finding(finding: Finding, *, room: int) -> dict[str, Any]:
    """Return `finding` as JSON with bounded texts. Evidence and commands take at most `room` bytes each."""
    shape: dict[str, Any] = bound(finding_object(finding))
    evidence = (one_line(each, _EVIDENCE) for each in finding.evidence)
    commands = takewhile(_can_be_carried, map(render, finding.remediation.commands))
    paragraph = min(_PARAGRAPH, room)
    shape["explanation"] = one_line(finding.explanation, paragraph)
    shape["evidence"] = take_fitting((each for each in evidence if each), size=room)
    shape["remediation"]["summary"] = one_line(finding.remediation.summary, paragraph)
    shape["remediation"]["commands"] = take_fitting(commands, size=room)
    shape["remediation"]["undo"] = _undo(finding.remediation, room)
    return shape | _place(finding)


def _undo(fix: Remediation, room: int) -> list[str]:
    """Return the commands that take a fix back, all of them or none."""
    commands = [each for each in map(render, fix.undo) if _can_be_carried(each)]
    return commands if len(take_fitting(commands, size=room)) == len(fix.undo) else []


def pull_of(finding: Finding) -> dict[str, Any]:
    """Return the pull of `finding` as JSON with bounded texts."""
    principal = finding.pull.principal
    pull: dict[str, Any] = bound(pull_object(finding.pull, principal.role_arn if principal else None, finding.cluster))
    return pull


def _finding_of(notice: Notice, *, room: int, style: Style) -> dict[str, Any]:
    shape = bounded_finding(notice.finding, room=room)
    if notice.edge is Edge.RESOLVED:
        shape["remediation"] = None
    return without_place(shape, notice.finding) | {
        "state": _state(notice),
        "opened_at": notice.opened_at,
        "because": one_line(notice.because, min(_PARAGRAPH, room)),
        "fixed_by": [_deed(each) for each in notice.fixed_by],
        "broken_by": _deed(notice.broken_by) if notice.broken_by else None,
        "runbook_url": style.runbook(notice.finding.cause),
        "report_url": style.report(notice.page),
    }


def other_object(finding: Finding, *, room: int, style: Style) -> dict[str, Any]:
    """Return what else is open, with its fix. Its commands take at most `room` bytes."""
    fix = finding.remediation
    other: dict[str, Any] = bound(
        {
            "account": one_line(finding.account, _PLACE),
            "region": one_line(finding.region, _PLACE),
            "cluster": one_line(finding.cluster, _SHORT) if finding.cluster is not None else None,
            "id": finding.id,
            "cause": one_line(finding.cause, _SHORT),
            "title": one_line(finding.title, _SHORT),
            "severity": finding.severity,
            "resource": {"type": one_line(finding.resource.type, _SHORT), "id": finding.resource.id},
            "remediation": {
                "summary": fix.summary,
                "account": one_line(fix.account, _PLACE),
                "region": one_line(fix.region, _PLACE),
                "commands": [],
                "undo": [],
                "docs_url": fix.docs_url,
            },
            "runbook_url": style.runbook(finding.cause),
        }
    )
    other = without_place(other, finding)
    commands = takewhile(_can_be_carried, map(render, fix.commands))
    other["remediation"]["commands"] = take_fitting(commands, size=room)
    other["remediation"]["undo"] = _undo(fix, room)
    return other


def without_place(shape: dict[str, Any], finding: Finding) -> dict[str, Any]:
    """Return `shape` without a cluster and a region if it is about a policy of the organization, which is in none."""
    if not is_of_organization(finding):
        return shape
    fix = shape["remediation"]
    fix = fix | {"region": None} if fix and "region" in fix else fix
    return shape | {"cluster": None, "region": None, "remediation": fix}


def _deed(deed: Deed) -> dict[str, str]:
    did: dict[str, str] = bound(
        {"call": deed.call, "policy": deed.policy, "by": deed.by, "at": deed.at, "event_id": deed.event_id}
    )
    return did


def _number(findings: Sequence[dict[str, Any]], key: str) -> int:
    return sum(len(each[key]) for each in findings)


def short_finding(notice: Notice) -> dict[str, Any]:
    """Return the short form of a finding that a digest has. What is resolved has no fix."""
    short = without_place(summary_object(notice), notice.finding)
    if notice.edge is Edge.RESOLVED:
        short |= {"remediation": None}
    short |= {"state": _state(notice)}
    return short | {"edge": IN_PART} if notice.is_in_part else short


def _state(notice: Notice) -> str:
    """Return whether the finding is open after the message, whatever else stops its pulls."""
    return "resolved" if notice.edge is Edge.RESOLVED else "open"


def summary_object(notice: Notice) -> dict[str, Any]:
    """Return the short form of a finding as schema 1.0 has it."""
    finding = notice.finding
    short: dict[str, Any] = bound(
        {
            **_place(finding),
            "edge": notice.edge,
            "id": finding.id,
            "cause": finding.cause,
            "title": finding.title,
            "severity": finding.severity,
            "resource": {"type": finding.resource.type, "id": finding.resource.id},
            "opened_at": notice.opened_at,
            "events": notice.reach.events,
            "remediation": {"summary": finding.remediation.summary, "docs_url": finding.remediation.docs_url},
        }
    )
    return short


def _place(finding: Finding) -> dict[str, str | None]:
    place: dict[str, str | None] = bound(
        {"account": finding.account, "region": finding.region, "cluster": finding.cluster}
    )
    return place


def reach_object(reach: Reach) -> dict[str, Any]:
    """Return `reach` as JSON, with the first few names."""
    return {
        "events": reach.events,
        "first_seen_at": reach.first_seen_at,
        "last_seen_at": reach.last_seen_at,
        "pods": [one_line(each, _FIELD) for each in reach.pods[:_NAMES]],
        "pod_count": known_count(reach.pod_count, reach),
        "nodes": [one_line(each, _FIELD) for each in reach.nodes[:_NAMES]],
        "node_count": known_count(reach.node_count, reach),
        "repository_count": reach.repository_count,
        "principals": [one_line(each, _FIELD) for each in reach.principals[:_NAMES]],
        "principal_count": reach.principal_count,
        "clusters": [one_line(each, _FIELD) for each in reach.clusters[:_NAMES]],
        "cluster_count": reach.cluster_count,
        "account_count": known_count(reach.account_count, reach),
        "more": list(reach.more),
    }


def known_count(count: int, reach: Reach) -> int | None:
    """Return a count; None where pulls have failed and none was named, as that is not known then."""
    return None if reach.events and not count else count


def bound(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `value` with each text as one printable line of at most `_FIELD` characters, and each list empty."""
    if isinstance(value, dict):
        return {key: bound(each) for key, each in value.items()}
    if isinstance(value, list):
        return []  # the caller fills in evidence and commands, within their own limits
    return one_line(value, _FIELD) if isinstance(value, str) else value


def _can_be_carried(command: str) -> bool:
    """Say whether SQS delivers `command` unchanged. Line breaks and tabs within an argument are fine."""
    return all(each.isprintable() or each in "\n\t" for each in command)
