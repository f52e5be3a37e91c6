"""A digest as text for people: the subject and the body of an e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.as_text import SUBJECT, ascii_line, prose
from pull_responder.publish.attributes import UNKNOWN, sort_by_severity
from pull_responder.publish.digest import (
    OfCause,
    by_cause,
    change,
    first_of,
    headline,
    how_many_fixes,
    how_one_ended,
    kind,
    still_broken,
)
from pull_responder.publish.digest_hit import hit_by, hit_parts
from pull_responder.publish.steps import do_this, in_place, runbook, what_to_do
from pull_responder.publish.style import Style
from pull_responder.publish.text import command_line, cut, limit_lines, resource_name, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

_NAME: Final = 80
_FIELD: Final = 300
# Characters of the commands of one cause. What does not fit is in the finding's own page in Security Hub.
_COMMANDS: Final = 2_000


def digest_subject(notices: Sequence[Notice]) -> str:
    """Return one line of printable ASCII, at most 99 characters: how many findings of which causes, the worst first."""
    causes = by_cause(notices)
    in_part = sum(each.is_in_part for each in notices)
    head = f"[DIGEST] {len(notices)} {kind(notices)}{f' ({in_part} still broken)' if in_part else ''}: "
    named = [f"{each.count} {ascii_line(each.cause.replace('_', ' '), 38)} ({each.severity.value})" for each in causes]
    for shown in range(len(named), 0, -1):
        left = len(named) - shown
        line = head + ", ".join(named[:shown]) + (f" and {left} more cause{'' if left == 1 else 's'}" if left else "")
        if len(line) <= SUBJECT:
            return line
    return cut(head + named[0], SUBJECT, "...")


def digest_body(notices: Sequence[Notice], *, room: int, style: Style | None = None) -> str:
    """Return the text of an e-mail about many findings: each cause first, then the findings that fit.

    Line 1 says how many of what and for whom, line 2 what to do about the worst. The commands of all causes take at
    most `room` bytes, and so do the lines of the findings.
    """
    style = style or Style()
    causes = by_cause(notices)
    commands = min(room // len(causes), _COMMANDS)
    sections = [
        [
            f"{headline(notices, prose)}{_hit(notices)}",
            *how_many_fixes(causes),
            *_first(causes, room=commands, style=style),
        ],
        *([*_cause(each, room=commands, style=style, is_first=each is causes[0])] for each in causes),
        [
            "Each of them",
            *limit_lines(map(_line, sort_by_severity(notices)), size=room, what="findings"),
            f"They share this message. Another one follows for what {_again(notices)}.",
        ],
    ]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _again(notices: Sequence[Notice]) -> str:
    return "breaks again" if all(each.edge is Edge.RESOLVED for each in notices) else "gets worse or is resolved"


def _hit(notices: Sequence[Notice]) -> str:
    parts = hit_parts(notices, prose)
    return f" Hit: {'; '.join(parts)}." if parts else ""


def _first(causes: Sequence[OfCause], *, room: int, style: Style) -> Iterator[str]:
    worst = causes[0]
    open_one = worst.to_mend
    if open_one is None:
        yield from how_one_ended(worst, prose)
        return
    if worst.is_resolved:
        yield still_broken(worst, prose)
    name = prose(resource_name(open_one.resource.id), _NAME) or UNKNOWN
    summary = prose(open_one.remediation.summary, _FIELD) or "see Security Hub."
    yield f"{do_this(open_one, prose, first_of(causes))} ({name}): {summary}"
    yield from _commands(open_one, room=room)
    yield from runbook(open_one, style)


def _cause(of: OfCause, *, room: int, style: Style, is_first: bool) -> Iterator[str]:
    """Yield what is known of a cause. What to do about the first of all stands at the top."""
    edges = f" ({of.edges})" if of.edges else ""
    yield f"{of.severity.value}: {prose(of.cause, _NAME)}{of.times}{edges}"
    left = of.count - len(of.examples)
    names = (prose(", ".join(of.examples), _FIELD) or UNKNOWN) + (f" and {left} more" if left > 0 else "")
    yield f"  {prose(of.worst.title, _FIELD) or prose(of.cause, _NAME)}: {names}"
    if hit := hit_by(of.notices, prose):
        yield f"  {hit}"
    if of.is_resolved and (of.left or not is_first):
        yield from (f"  {each}" for each in how_one_ended(of, prose))
    if (open_one := of.to_mend) is None:
        return
    if is_first:
        yield "  Do this: see the top"
        return
    if of.is_resolved:
        yield f"  {still_broken(of, prose)}"
    ask = do_this(open_one, prose, " for the first" if of.count > 1 else "")
    yield f"  {ask}: {what_to_do(open_one, prose, _FIELD)}"
    yield from (f"  {line}" for line in (*_commands(open_one, room=room), *runbook(open_one, style)))


def _commands(finding: Finding, *, room: int) -> Iterator[str]:
    """Yield the commands of a fix if all of them fit: some of them are no fix."""
    fix = finding.remediation
    whole = [line for each in fix.commands if (line := command_line(each))]
    if whole and len(whole) == len(fix.commands) and len(take_fitting(whole, size=room)) == len(whole):
        yield f"Run in {in_place(finding, prose)}:"
        yield from (f"  {each}" for each in whole)


def _line(notice: Notice) -> str:
    finding = notice.finding
    edge = "" if notice.edge is Edge.NEW else f"{change(notice)} "
    parts = (resource_name(finding.resource.id), finding.cluster, finding.account, finding.region)
    where = ", ".join(text for each in parts if each and (text := prose(each, _NAME)))
    return f"  - {edge}{finding.severity.value} {prose(finding.cause, _NAME)}: {where}\n    {prose(finding.id, 200)}"
