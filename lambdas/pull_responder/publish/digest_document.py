"""Digests as JSON documents for queues and functions, schema 2.0: docs/notification.schema.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.alert import MOST_CAUSES
from pull_responder.findings.notice import Edge
from pull_responder.publish.as_document import (
    SCHEMA,
    VERSION,
    bounded_finding,
    known_count,
    other_object,
    short_finding,
    without_place,
)
from pull_responder.publish.attributes import DIGEST, IN_PART, digest_values, sort_by_severity
from pull_responder.publish.digest import EXAMPLES, OfCause, by_cause, headline, how_many_fixes, what_is_left
from pull_responder.publish.digest_hit import clusters, hit_parts, namespaces, roles, whom_open
from pull_responder.publish.steps import what_to_do
from pull_responder.publish.style import Style
from pull_responder.publish.telling import headline as headline_of
from pull_responder.publish.text import one_line, resource_name, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

# Characters, as in `as_document`.
_FIELD: Final = 700
_EXAMPLE: Final = 160
_NAMES: Final = 10
# The ids of problems that are over take more room than findings do: at best that of 2,000 ids.
_OVER_ROOMS: Final = 3
# Bytes of the commands of each cause.
_COMMANDS: Final = 2_000


def digest_document(notices: Sequence[Notice], *, room: int, style: Style | None = None) -> dict[str, Any]:
    """Return the document of a digest: all causes, and the most severe of `notices` that fit in `room` bytes.

    The ids of the problems that are over take up to `_OVER_ROOMS` times as much: whoever opened incidents closes them.
    """
    style = style or Style()
    worst = sort_by_severity(notices)
    short = [_short(each) for each in worst]
    shown = short[: len(take_fitting((json.dumps(each, ensure_ascii=False) for each in short), size=room))]
    ended = dict.fromkeys(one_line(problem, _FIELD) for each in worst for problem in each.over)
    over = take_fitting(ended, size=room * _OVER_ROOMS)
    causes = by_cause(notices)
    todo = list({each.id: each for of in causes if (each := of.to_mend)}.values())
    left = {each.id: each for notice in worst if notice.is_in_part for each in notice.others}
    every = [other_object(each, room=min(room // len(left), _COMMANDS), style=style) for each in left.values()]
    others = every[: len(take_fitting((json.dumps(each, ensure_ascii=False) for each in every), size=room))]
    share = min(room // (len(causes) + len(left)), _COMMANDS)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": DIGEST,
        "severity": worst[0].finding.severity,
        "still_broken": sum(each.edge is not Edge.RESOLVED or each.is_in_part for each in worst),
        "at": max(notice.at for notice in notices),
        "count": len(notices),
        "headline": _headline(notices, causes),
        "action": _action(todo),
        "commands": take_fitting(
            (line for each in todo[:MOST_CAUSES] for line in _fix(each, room=share)["commands"]), size=room
        ),
        "attributes": digest_values(notices),
        "causes": [
            {
                "cause": one_line(each.cause, _FIELD),
                "title": one_line(each.worst.title, _FIELD),
                "severity": each.severity,
                "count": each.count,
                "edges": sorted({IN_PART if notice.is_in_part else str(notice.edge) for notice in each.notices}),
                "examples": [one_line(name, _EXAMPLE) for name in each.examples],
                "clusters": _names(clusters(each.notices)),
                "namespaces": _names(namespaces(each.notices)),
                "roles": _names(roles(each.notices)),
                "remediation": None if each.is_resolved else _fix(each.worst, room=share),
                "runbook_url": style.runbook(each.cause),
            }
            for each in causes
        ]
        + _causes_left(left.values(), worst, room=share, style=style),
        "findings": shown,
        "others": others,
        "over": over,
        "omitted": {
            "findings": len(notices) - len(shown),
            "others": len(every) - len(others),
            "over": len(ended) - len(over),
        },
    }


def _action(todo: Sequence[Finding]) -> str | None:
    """Return what to do about the first few of `todo`, the worst of each cause; None if there is nothing to do."""
    said = [what_to_do(each, one_line, _FIELD) for each in todo[:MOST_CAUSES]]
    if len(todo) <= 1:
        return "".join(said) or None
    left = len(todo) - len(said)
    more = [f"And {left} more: see `causes`."] if left else []
    return " ".join([*(f"{number}. {each}" for number, each in enumerate(said, 1)), *more])


def _headline(notices: Sequence[Notice], causes: Sequence[OfCause]) -> str:
    """Return for whom it is and what it tells; where all is resolved, and something still stops pulls, that first."""
    if left := what_is_left(notices):
        return f"{headline_of(left, one_line)} {headline(notices, one_line)}"
    whom = whom_open(notices, one_line)
    hit = "" if whom else _hit(notices)
    return " ".join([*whom, f"{headline(notices, one_line)}{hit}", *how_many_fixes(causes)])


def _causes_left(
    left: Iterable[Finding], notices: Sequence[Notice], *, room: int, style: Style
) -> list[dict[str, Any]]:
    """Return the causes that still stop pulls of what is resolved, in the form of the others. They have no edges."""
    found: dict[str, list[Finding]] = {}
    for each in sorted(left, key=lambda each: (-each.severity.rank, each.cause, each.id)):
        found.setdefault(each.cause, []).append(each)
    causes = []
    for cause, every in found.items():
        ids = {each.id for each in every}
        stopped = [each for each in notices if each.is_in_part and not ids.isdisjoint(one.id for one in each.others)]
        causes.append(
            {
                "cause": one_line(cause, _FIELD),
                "title": one_line(every[0].title, _FIELD),
                "severity": every[0].severity,
                "count": len(every),
                "edges": [],
                "examples": list(dict.fromkeys(one_line(resource_name(each.resource.id), _EXAMPLE) for each in every))[
                    :EXAMPLES
                ],
                "clusters": _names(clusters(stopped)),
                "namespaces": _names(namespaces(stopped)),
                "roles": _names(roles(stopped)),
                "remediation": _fix(every[0], room=room),
                "runbook_url": style.runbook(cause),
            }
        )
    return causes


def _hit(notices: Sequence[Notice]) -> str:
    parts = hit_parts(notices, one_line)
    return f" Hit: {'; '.join(parts)}." if parts else ""


def _names(names: Sequence[str]) -> list[str]:
    return [one_line(each, _FIELD) for each in names[:_NAMES]]


def _fix(finding: Finding, *, room: int) -> dict[str, Any]:
    """Return the fix of `finding`, with all of its commands if they fit in `room` bytes, else with none."""
    fix: dict[str, Any] = without_place(bounded_finding(finding, room=room), finding)["remediation"]
    is_whole = len(fix["commands"]) == len(finding.remediation.commands)
    return fix if is_whole else fix | {"commands": [], "undo": []}


def _short(notice: Notice) -> dict[str, Any]:
    reach = notice.reach
    return short_finding(notice) | {
        "pod_count": known_count(reach.pod_count, reach),
        "node_count": known_count(reach.node_count, reach),
        "more": list(reach.more),
        "problem": _problem(notice),
        "resolved_in_part": notice.is_in_part,
        "others": [one_line(each.id, _FIELD) for each in notice.others],
    }


def _problem(notice: Notice) -> str:
    return one_line(notice.problem or notice.finding.id, _FIELD)
