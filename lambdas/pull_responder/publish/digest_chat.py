"""Digests for Slack and Microsoft Teams: see `chat`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.publish.attributes import digest_values
from pull_responder.publish.chat import (
    CONTEXT,
    DESCRIPTION,
    SUMMARY,
    alert_title,
    bound_title,
    command_lines,
    custom_notification,
    fixes,
)
from pull_responder.publish.chat_text import escape, say, within
from pull_responder.publish.digest import (
    EXAMPLES,
    OfCause,
    by_cause,
    first_of,
    headline,
    how_many_fixes,
    how_one_ended,
    still_broken,
    what_is_in_part,
    what_is_left,
)
from pull_responder.publish.digest_hit import hit_by, in_clusters, whom_open
from pull_responder.publish.digest_text import digest_subject
from pull_responder.publish.steps import do_this, runbook, what_to_do, with_runbook
from pull_responder.publish.style import Style
from pull_responder.publish.telling import STILL_BROKEN, whom
from pull_responder.publish.text import resource_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

_SUBJECT: Final = 100
_COMMANDS: Final = 900
_EXAMPLES: Final = 160
_CAUSE: Final = 60
_RESOURCES: Final = 10


def chat_digest(notices: Sequence[Notice], style: Style | None = None) -> dict[str, Any]:
    """Return the custom notification of a digest of `notices`: a line for each cause, the most severe first."""
    subject, left = digest_subject(notices).removeprefix("[DIGEST] "), what_is_left(notices)
    return custom_notification(
        title=alert_title(left) if left else _digest_title(notices, subject),
        lines=_digest_lines(notices, style or Style()),
        thread=None,
        summary=escape(subject.replace(f"[{STILL_BROKEN}]", f"{STILL_BROKEN},"), CONTEXT),
        resources=_resources(notices),
        values=digest_values(notices),
    )


def _resources(notices: Sequence[Notice]) -> list[str]:
    """Return the first few resources: what is at fault, or was, and what still stops the pulls of what is resolved."""
    every = (each for of in by_cause(notices) for each in (*of.left, *(notice.finding for notice in of.notices)))
    return list(dict.fromkeys(each.resource.id for each in every))[:_RESOURCES]


def _digest_title(notices: Sequence[Notice], subject: str) -> str:
    said = within(subject, _SUBJECT)
    return bound_title(lambda most, _: f"DIGEST{in_clusters(notices, lambda text, _: within(text, most))}: {said}")


def _digest_lines(notices: Sequence[Notice], style: Style) -> list[str]:
    """Return what to do first, then a line for each cause, with what else fits.

    Of what does not, first the commands of the least severe causes are left out, then all fixes but the first, then
    whom each cause stops, then the examples.
    """
    causes = by_cause(notices)
    left, told = what_is_left(notices), [causes[0].worst]
    if left:
        told = list(left.others)
        first = [whom(left, say), *with_runbook(fixes(left, style), left.others[0], style), headline(notices, say)]
    else:
        hit = whom_open(notices, say)
        first = [*hit, *what_is_in_part(notices), *how_many_fixes(causes), *_first(causes, style)]
    for commands, asks, hits, examples in (
        *((number, True, True, EXAMPLES) for number in range(len(causes), -1, -1)),
        (0, False, True, EXAMPLES),
        (0, False, False, EXAMPLES),
        (0, False, False, 1),
        (0, False, False, 0),
    ):
        lines = list(first)
        for number, each in enumerate(causes):
            lines.append(_cause_line(each, examples=examples))
            # Of a single finding that is open, the first line has said it.
            if hits and (of_cause := hit_by(each.notices, say)) and of_cause not in first:
                lines.append(of_cause)
            if asks:
                lines += _fix_lines(each, told, style, commands=number < commands)
        if sum(len(line) + 1 for line in lines) <= DESCRIPTION:
            return lines
    return lines[len(first) :]


def _first(causes: Sequence[OfCause], style: Style) -> Iterator[str]:
    """Yield what to do about the worst finding of all, and its commands."""
    of = causes[0]
    open_one = of.to_mend
    if open_one is None:
        over, *by = how_one_ended(of, say)
        yield f"Resolved: {over}"
        yield from by
        return
    name = say(resource_name(open_one.resource.id), _EXAMPLES)
    yield f"{do_this(open_one, say, first_of(causes))} ({name}): {say(open_one.remediation.summary, SUMMARY)}"
    yield from command_lines(open_one, _COMMANDS)
    yield from runbook(open_one, style)


def _cause_line(of: OfCause, *, examples: int) -> str:
    edges = f" ({of.edges})" if of.edges else ""
    shown = of.examples[:examples]
    left = of.count - len(shown)
    named = f": {say(', '.join(shown), _EXAMPLES)}" + (f" and {left} more" if left else "") if shown else ""
    return f"{of.severity.value}: {say(of.cause, _CAUSE)}{of.times}{edges}{named}"


def _fix_lines(of: OfCause, told: Sequence[Finding], style: Style, *, commands: bool) -> Iterator[str]:
    """Yield how a cause ended, and what to do about it or about what is left, unless that is `told` above."""
    if of.worst in told:
        return
    open_one = of.worst
    if of.is_resolved:
        over, *by = how_one_ended(of, say)
        yield f"Resolved: {over}"
        yield from by
        if (left := still_broken(of, told, say)) is None:
            return
        said, open_one = left
        yield said
    ask = do_this(open_one, say, " for the first" if of.count > 1 else "")
    yield f"{ask}: {what_to_do(open_one, say, SUMMARY)}"
    if commands:
        yield from command_lines(open_one, _COMMANDS)
    yield from runbook(open_one, style)
