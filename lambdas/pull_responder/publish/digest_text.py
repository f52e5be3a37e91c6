"""A digest as text for people: the subject and the body of an e-mail, and the line of a text message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.as_text import SUBJECT, ascii_line, prose
from pull_responder.publish.attributes import UNKNOWN, sort_by_severity
from pull_responder.publish.digest import TIMES, OfCause, by_cause, kind
from pull_responder.publish.telling import WORDS
from pull_responder.publish.text import command_line, cut, limit_lines, resource_name, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.findings.notice import Notice

_CLUSTERS: Final = 3
_NAME: Final = 80
_FIELD: Final = 300
# Characters of the commands of one cause. What does not fit is in the finding's own page in Security Hub.
_COMMANDS: Final = 2_000


def digest_subject(notices: Sequence[Notice]) -> str:
    """Return one line of printable ASCII, at most 99 characters: how many findings of which causes, the worst first."""
    causes = by_cause(notices)
    head = f"[DIGEST] {len(notices)} {kind(notices)}: "
    named = [f"{each.count} {ascii_line(each.cause.replace('_', ' '), 38)} ({each.severity.value})" for each in causes]
    for shown in range(len(named), 0, -1):
        left = len(named) - shown
        line = head + ", ".join(named[:shown]) + (f" and {left} more cause{'' if left == 1 else 's'}" if left else "")
        if len(line) <= SUBJECT:
            return line
    return cut(head + named[0], SUBJECT, "...")


def digest_body(notices: Sequence[Notice], *, room: int) -> str:
    """Return the text of an e-mail about many findings: each cause first, then the findings that fit.

    The commands of all causes take at most `room` bytes, and so do the lines of the findings.
    """
    causes = by_cause(notices)
    commands = room // len(causes)
    sections = [
        [_head(notices, causes), _first(causes[0])],
        *([*_cause(each, room=min(commands, _COMMANDS))] for each in causes),
        [
            "Each of them",
            *limit_lines(map(_line, sort_by_severity(notices)), size=room, what="findings"),
            "They share one message. Each gets its own when it gets worse.",
        ],
    ]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _head(notices: Sequence[Notice], causes: Sequence[OfCause]) -> str:
    number = "1 cause" if len(causes) == 1 else f"{len(causes)} causes"
    return f"{len(notices)} {kind(notices)} of {number}{_where(notices)}"


def _first(worst: OfCause) -> str:
    name = prose(resource_name(worst.worst.resource.id), _NAME) or UNKNOWN
    if worst.notices[0].edge is Edge.RESOLVED:
        return f"{name}: {prose(worst.notices[0].because, _FIELD)}"
    return f"Do this first ({name}): {prose(worst.worst.remediation.summary, _FIELD)}"


def _where(notices: Sequence[Notice]) -> str:
    clusters = list(dict.fromkeys(each.finding.cluster for each in sort_by_severity(notices) if each.finding.cluster))
    if not clusters:
        return ""
    more = len(clusters) - _CLUSTERS
    names = prose(", ".join(clusters[:_CLUSTERS]), _FIELD) + (f" and {more} more" if more > 0 else "")
    return f" in cluster{'' if len(clusters) == 1 else 's'} {names}"


def _cause(of: OfCause, *, room: int) -> Iterator[str]:
    edges = f" ({of.edges})" if of.edges else ""
    yield f"{of.severity.value}: {prose(of.cause, _NAME)} {TIMES} {of.count}{edges}"
    yield f"  {prose(of.worst.title, _FIELD) or prose(of.cause, _NAME)}"
    left = of.count - len(of.examples)
    yield f"  {prose(', '.join(of.examples), _FIELD) or UNKNOWN}" + (f" and {left} more" if left > 0 else "")
    if of.notices[0].edge is Edge.RESOLVED:
        if because := prose(of.notices[0].because, _FIELD):
            yield f"  {because}"
        return
    yield f"  Do this{' for the first' if of.count > 1 else ''}: {prose(of.worst.remediation.summary, _FIELD)}"
    fix = of.worst.remediation
    whole = [line for each in fix.commands if (line := command_line(each))]
    if whole and len(whole) == len(fix.commands) and len(take_fitting(whole, size=room)) == len(whole):
        yield f"  Run in account {prose(fix.account, 12) or UNKNOWN}, region {prose(fix.region, 24) or UNKNOWN}:"
        yield from (f"    {each}" for each in whole)


def _line(notice: Notice) -> str:
    finding = notice.finding
    edge = "" if notice.edge is Edge.NEW else f"{WORDS[notice.edge]} "
    parts = (resource_name(finding.resource.id), finding.cluster, finding.account, finding.region)
    where = ", ".join(text for each in parts if each and (text := prose(each, _NAME)))
    return f"  - {edge}{finding.severity.value} {prose(finding.cause, _NAME)}: {where}\n    {prose(finding.id, 200)}"
