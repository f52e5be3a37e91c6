"""A digest as text for people: the subject and the body of an e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.as_text import SUBJECT, ascii_line, fixes, prose
from pull_responder.publish.attributes import UNKNOWN, sort_by_severity
from pull_responder.publish.digest import (
    OfCause,
    by_cause,
    change,
    first_of,
    headline,
    how_many_ended,
    how_many_fixes,
    how_one_ended,
    kind,
    still_broken,
    what_is_left,
)
from pull_responder.publish.digest_hit import hit_by, hit_parts
from pull_responder.publish.steps import do_this, in_place, runbook, what_to_do, with_runbook
from pull_responder.publish.style import Style
from pull_responder.publish.telling import STILL_BROKEN
from pull_responder.publish.telling import headline as headline_of
from pull_responder.publish.text import (
    command_line,
    cut,
    last_name,
    limit_lines,
    resource_name,
    take_fitting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

_NAME: Final = 80
_FIELD: Final = 300
# Characters of the commands of one cause. What does not fit is in the finding's own page in Security Hub.
_COMMANDS: Final = 2_000


def digest_subject(notices: Sequence[Notice]) -> str:
    """Return one line of printable ASCII, at most 99 characters: how many findings of which causes, the worst first.

    Where all are resolved, and something still stops pulls, it is about that.
    """
    if alert := what_is_left(notices):
        return _subject_of_left(alert.others[0], how_many_ended(notices))
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


def _subject_of_left(finding: Finding, ended: str) -> str:
    what = f"[{STILL_BROKEN}] {finding.severity.value}: {ascii_line(finding.cause.replace('_', ' '), 38)}"
    name = ascii_line(last_name(resource_name(finding.resource.id)), _NAME) or UNKNOWN
    cluster = ascii_line(finding.cluster or "", _NAME)
    places = ([f"{name}, cluster {cluster}", f"{name}, {cluster}"] if cluster else []) + [name]
    over = f"; {ended}"
    lines = [*(f"{what} ({each}){over}" for each in places), f"{what}{over}"]
    return next((each for each in lines if len(each) <= SUBJECT), lines[-1])


def digest_body(notices: Sequence[Notice], *, room: int, style: Style | None = None) -> str:
    """Return the text of an e-mail about many findings: each cause first, then the findings that fit.

    Line 1 says how many of what and for whom, line 2 what to do about the worst. The commands of all causes take at
    most `room` bytes, and so do the lines of the findings.
    """
    style = style or Style()
    causes = by_cause(notices)
    commands = min(room // len(causes), _COMMANDS)
    first = [*how_many_fixes(causes), *_first(causes, room=commands, style=style)]
    said = [f"{headline(notices, prose)}{_hit(notices)}", *first]
    left, told = what_is_left(notices), [causes[0].worst]
    if left:
        said, told = [headline(notices, prose)], list(left.others)
    sections = [
        *(
            [[headline_of(left, prose), *with_runbook(fixes(left, commands, style), left.others[0], style)]]
            if left
            else []
        ),
        said,
        *([*_cause(each, told, room=commands, style=style)] for each in causes),
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
    name = prose(resource_name(open_one.resource.id), _NAME) or UNKNOWN
    summary = prose(open_one.remediation.summary, _FIELD) or "see Security Hub."
    yield f"{do_this(open_one, prose, first_of(causes))} ({name}): {summary}"
    yield from _commands(open_one, room=room)
    yield from runbook(open_one, style)


def _cause(of: OfCause, told: Sequence[Finding], *, room: int, style: Style) -> Iterator[str]:
    """Yield what is known of a cause. What to do about what is `told` stands at the top, and how the first ended."""
    edges = f" ({of.edges})" if of.edges else ""
    yield f"{of.severity.value}: {prose(of.cause, _NAME)}{of.times}{edges}"
    left = of.count - len(of.examples)
    names = (prose(", ".join(of.examples), _FIELD) or UNKNOWN) + (f" and {left} more" if left > 0 else "")
    was = "It was: " if of.is_resolved else ""
    yield f"  {was}{prose(of.worst.title, _FIELD) or prose(of.cause, _NAME)}: {names}"
    if hit := hit_by(of.notices, prose):
        yield f"  {hit}"
    is_told = of.worst in told
    if of.is_resolved and not is_told:
        yield from (f"  {each}" for each in how_one_ended(of, prose))
    still = still_broken(of, told, prose) if of.is_resolved else None
    open_one = still[1] if still else None if of.is_resolved else of.worst
    if open_one is None:
        return
    if is_told:
        yield "  Do this: see the top"
        return
    if still:
        yield f"  {still[0]}"
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
