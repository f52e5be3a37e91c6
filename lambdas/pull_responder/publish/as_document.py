"""Notices as JSON documents for queues and functions: docs/notification.schema.json says what stands in them.

The shapes of a finding and a pull are those that `pull-responder diagnose --format json` prints. Keys may be added;
what is renamed or removed takes a new major version.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from pull_responder.publish.attributes import DIGEST, digest_values, notice_values, worst_first
from pull_responder.publish.text import fitting, one_line
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

# More than an ARN of IAM or ECR, or an image, has.
_FIELD: Final = 700
_PARAGRAPH: Final = 4_000
_EVIDENCE: Final = 2_000
_NAMES: Final = 10


def finding_object(finding: Finding) -> dict[str, Any]:
    """Return the shape of `finding`, unbounded."""
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
    """Return the shape of `pull`, unbounded, by the role and in the cluster that are known; None for the rest."""
    known = {key: getattr(pull, key, None) for key in _PULL_KEYS}
    return known | {"role_arn": role_arn, "cluster": cluster}


def notice_document(notice: Notice, *, room: int) -> dict[str, Any]:
    """Return the document of `notice`, in which evidence and commands take `room` bytes each.

    What does not fit in is left out whole and counted under "omitted": half a command is another command.
    """
    finding = notice.finding
    principal = finding.pull.principal
    shape = _bounded(finding_object(finding))
    evidence = (one_line(each, _EVIDENCE) for each in finding.evidence)
    commands = takewhile(_can_be_carried, map(render, finding.remediation.commands))
    paragraph = min(_PARAGRAPH, room)
    shape["explanation"] = one_line(finding.explanation, paragraph)
    shape["evidence"] = fitting((each for each in evidence if each), size=room)
    shape["remediation"]["summary"] = one_line(finding.remediation.summary, paragraph)
    shape["remediation"]["commands"] = fitting(commands, size=room)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": notice.edge,
        "at": notice.at,
        "opened_at": notice.opened_at,
        "because": one_line(notice.because, paragraph),
        "attributes": notice_values(notice),
        "finding": shape | _place(finding),
        "pull": _bounded(pull_object(finding.pull, principal.role_arn if principal else None, finding.cluster)),
        "reach": _reach(notice.reach),
        "omitted": {
            "evidence": len(finding.evidence) - len(shape["evidence"]),
            "commands": len(finding.remediation.commands) - len(shape["remediation"]["commands"]),
        },
    }


def digest_document(notices: Sequence[Notice], *, room: int) -> dict[str, Any]:
    """Return the document of a digest: the worst of `notices` that fit in `room` bytes, and how many do not."""
    worst = worst_first(notices)
    lines = [json.dumps(_short(notice), ensure_ascii=False) for notice in worst]
    shown = [_short(notice) for notice in worst[: len(fitting(lines, size=room))]]
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


def _short(notice: Notice) -> dict[str, Any]:
    finding = notice.finding
    short: dict[str, Any] = _bounded(
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
    place: dict[str, str | None] = _bounded(
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


def _bounded(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `value` with each text in it as one printable line of a length that a reader can bear."""
    if isinstance(value, dict):
        return {key: _bounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return []  # the long parts, which are measured by themselves
    return one_line(value, _FIELD) if isinstance(value, str) else value


def _can_be_carried(command: str) -> bool:
    """Say whether SQS delivers `command` as it is; a line break within an argument is fine."""
    return all(each.isprintable() or each in "\n\t" for each in command)
