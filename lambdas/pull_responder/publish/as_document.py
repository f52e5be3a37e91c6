"""Notices as JSON documents for queues and functions. Their schema is docs/notification.schema.json.

A finding and a pull have the same shape as in `pull-responder diagnose --format json`. Keys may be added. Renaming or
removing a key needs a new major version.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from pull_responder.publish.attributes import DIGEST, digest_values, notice_values, sort_by_severity
from pull_responder.publish.text import one_line, take_fitting
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice
    from pull_responder.findings.reach import Reach
    from pull_responder.model.pull import PullFailure

SCHEMA: Final = "pull-responder/notification"
VERSION: Final = "1.0"

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
            "docs_url": finding.remediation.docs_url,
        },
    }


def pull_object(pull: PullFailure | None, role_arn: str | None, cluster: str | None) -> dict[str, str | None]:
    """Return `pull` as JSON, with texts of any length. `role_arn` and `cluster` are added; unknown values are None."""
    known = {key: getattr(pull, key, None) for key in _PULL_KEYS}
    return known | {"role_arn": role_arn, "cluster": cluster}


def notice_document(notice: Notice, *, room: int) -> dict[str, Any]:
    """Return the document of `notice`. Evidence and commands take at most `room` bytes each.

    A line or command that does not fit is left out whole and counted under "omitted". A cut command would be a
    different command.
    """
    finding = notice.finding
    principal = finding.pull.principal
    shape = _bound(finding_object(finding))
    evidence = (one_line(each, _EVIDENCE) for each in finding.evidence)
    commands = takewhile(_can_be_carried, map(render, finding.remediation.commands))
    paragraph = min(_PARAGRAPH, room)
    shape["explanation"] = one_line(finding.explanation, paragraph)
    shape["evidence"] = take_fitting((each for each in evidence if each), size=room)
    shape["remediation"]["summary"] = one_line(finding.remediation.summary, paragraph)
    shape["remediation"]["commands"] = take_fitting(commands, size=room)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": notice.edge,
        "at": notice.at,
        "opened_at": notice.opened_at,
        "because": one_line(notice.because, paragraph),
        "attributes": notice_values(notice),
        "finding": shape | _place(finding),
        "pull": _bound(pull_object(finding.pull, principal.role_arn if principal else None, finding.cluster)),
        "reach": _reach(notice.reach),
        "omitted": {
            "evidence": len(finding.evidence) - len(shape["evidence"]),
            "commands": len(finding.remediation.commands) - len(shape["remediation"]["commands"]),
        },
    }


def digest_document(notices: Sequence[Notice], *, room: int) -> dict[str, Any]:
    """Return the document of a digest: the most severe of `notices` that fit in `room` bytes, and how many do not."""
    worst = sort_by_severity(notices)
    lines = [json.dumps(_summary(notice), ensure_ascii=False) for notice in worst]
    shown = [_summary(notice) for notice in worst[: len(take_fitting(lines, size=room))]]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": DIGEST,
        "at": max((notice.at for notice in notices), default=""),
        "count": len(notices),
        "attributes": digest_values(notices),
        "findings": shown,
        "omitted": {"findings": len(notices) - len(shown)},
    }


def _summary(notice: Notice) -> dict[str, Any]:
    finding = notice.finding
    short: dict[str, Any] = _bound(
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
    place: dict[str, str | None] = _bound(
        {"account": finding.account, "region": finding.region, "cluster": finding.cluster}
    )
    return place


def _reach(reach: Reach) -> dict[str, Any]:
    return {
        "events": reach.events,
        "first_seen_at": reach.first_seen_at,
        "last_seen_at": reach.last_seen_at,
        "pods": [one_line(each, _FIELD) for each in reach.pods[:_NAMES]],
        "pod_count": reach.pod_count,
        "nodes": [one_line(each, _FIELD) for each in reach.nodes[:_NAMES]],
        "node_count": reach.node_count,
    }


def _bound(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `value` with each text as one printable line of at most `_FIELD` characters, and each list empty."""
    if isinstance(value, dict):
        return {key: _bound(each) for key, each in value.items()}
    if isinstance(value, list):
        return []  # the caller fills in evidence and commands, within their own limits
    return one_line(value, _FIELD) if isinstance(value, str) else value


def _can_be_carried(command: str) -> bool:
    """Say whether SQS delivers `command` unchanged. Line breaks and tabs within an argument are fine."""
    return all(each.isprintable() or each in "\n\t" for each in command)
