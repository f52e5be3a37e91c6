"""Notices for Slack and Microsoft Teams, as custom notifications of Amazon Q Developer in chat applications.

The schema: Amazon Q Developer in chat applications Administrator Guide, "Custom notifications". It documents the keys.
The limits below are ours (inference): they keep a text within Slack's 3,000 characters (Slack API, "Text object").

`chat_text` makes text harmless that anybody may have written.
"""

from __future__ import annotations

from itertools import product, takewhile
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish import changes, telling
from pull_responder.publish.attributes import alert_values
from pull_responder.publish.chat_text import code, escape, say, within
from pull_responder.publish.faults import NAMED
from pull_responder.publish.steps import do_all, home, in_place, links, runbook, steps
from pull_responder.publish.style import Style
from pull_responder.publish.text import one_line, take_fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding

_TITLE: Final = 200
# Characters of a title: of the fault, and of each name. The first that fits is best.
_FAULT: Final = 80
_NAMES: Final = (100, 60, 40, 30, 20)
_SHORT: Final = 40
_PARAGRAPH: Final = 800
DESCRIPTION: Final = 2_800
_COMMANDS: Final = 2_000
SUMMARY: Final = 400
CONTEXT: Final = 256

_WAS_WRONG: Final = "What was wrong, as found then"
_WHERE: Final = "Where: "
IN_FULL: Final = "in full in the e-mail and in the JSON document of this notification."


def chat_notification(alert: Alert, style: Style | None = None) -> dict[str, Any]:
    """Return the custom notification of `alert`. All messages about one problem share a thread."""
    findings = alert.to_mend or [each.finding for each in alert.notices]
    change = f"{telling.word(alert)}:" if alert.is_in_part else telling.word(alert)
    return custom_notification(
        title=alert_title(alert),
        lines=_lines(alert, style or Style()),
        thread=one_line(alert.problem, CONTEXT),
        summary=escape(f"{change} {', '.join(dict.fromkeys(each.cause for each in findings))}", CONTEXT),
        resources=list(dict.fromkeys(each.finding.resource.id for each in alert.notices)),
        values=alert_values(alert),
    )


def alert_title(alert: Alert) -> str:
    """Return the change, severity, cluster, cause and resource. What is too long loses of its names first."""

    def write(most: int, causes: int) -> str:
        def brief(text: str, limit: int) -> str:
            return within(text, min(limit, most if limit < _TITLE else _FAULT))

        was = " It was:" if alert.edge is Edge.RESOLVED and not alert.is_in_part else ""
        said = f"{telling.opening(alert)}{telling.where(alert, brief)}"
        return f"{said}{'.' if was else ':'}{was} {telling.broken(alert, brief, most=causes)}"

    return bound_title(write)


def bound_title(write: Callable[[int, int], str]) -> str:
    """Return the first title that is short enough, of those that `write` makes.

    It is given how many characters each name may have, and how many causes are named. Names are shortened first, to
    `_SHORT` characters if several causes are named.
    """
    several = [each for each in product(_NAMES, range(NAMED, 1, -1)) if each[0] >= _SHORT]
    for most, causes in (*sorted(several, key=lambda each: -each[1]), *product(_NAMES, [1])):
        if len(title := write(most, causes)) <= _TITLE:
            break
    return title


def custom_notification(  # noqa: PLR0913 -- keyword-only: the parts of the schema
    *,
    title: str,
    lines: Iterable[str],
    thread: str | None,
    summary: str,
    resources: Sequence[str],
    values: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Return a custom notification. `lines` are its description, as many as fit; `values` are its attributes."""
    context = {name: escape(", ".join(each), CONTEXT) for name, each in values.items()}
    metadata: dict[str, Any] = {
        "summary": summary,
        "eventType": f"pull-responder-{values['status'][0]}",
        "relatedResources": [escape(each, CONTEXT) for each in resources],
        "additionalContext": context,
    }
    content: dict[str, Any] = {
        "textType": "client-markdown",
        "title": title,
        "description": "\n".join(_fit_lines(lines)),
        "keywords": [each for name in ("severity", "status") for each in values[name]],
    }
    if thread:
        metadata["threadId"] = thread
    return {"version": "1.0", "source": "custom", "content": content, "metadata": metadata}


def _lines(alert: Alert, style: Style) -> list[str]:
    """Return the lines of an alert. What one line says, no later line says again: a phone shows few of them."""
    whom, ended = telling.whom(alert, say), list(telling.ended(alert, say))
    known = telling.how_known(alert.notices, known=alert.others_known)
    whom = " ".join([whom, *changes.grown(alert, say)])
    fixed_by, left = changes.fixed_by(alert, say), telling.what_is_left(alert, say)
    if alert.is_in_part:
        over = [*(f"Resolved: {each}" for each in ended), *fixed_by]
        first = [whom, *fixes(alert, style), *over, *telling.hit(alert, say, brief=True)]
    elif alert.edge is Edge.RESOLVED:
        first = [*(f"Resolved: {each}" for each in ended), *known, *left, whom, *fixed_by]
    else:
        changed = [*changes.that_it_flaps(alert, say, _PARAGRAPH), *changes.broke(alert, say)]
        first = [
            whom,
            *fixes(alert, style),
            *changes.after_fix(alert, say),
            *left,
            *changed,
            *telling.hit(alert, say, brief=True),
        ]
    findings = alert.to_mend or [each.finding for each in alert.notices]
    places = dict.fromkeys(line for each in findings for line in _places(each, style))
    ids = dict.fromkeys(line for each in alert.notices for line in changes.event_ids(each, say))
    pages = dict.fromkeys(f"Report: {url}" for each in alert.notices if (url := style.report(each.page)))
    new = (line for line in places if line not in first and not _says(first, line.removeprefix(_WHERE)))
    return [*first, *pages, *dict.fromkeys(_proof(alert)), *new, *ids]


def _says(lines: Sequence[str], place: str) -> bool:
    """Whether one of `lines` says where to run commands, and that is `place`."""
    return any(f" in {place}:" in line for line in lines)


def _proof(alert: Alert) -> Iterator[str]:
    """Yield what is wrong, and what was: only the label tells the one from the other."""
    for finding in alert.to_mend if alert.is_in_part else ():
        yield from _fault(finding, "Why")
    for each in alert.notices:
        yield from _fault(each.finding, _WAS_WRONG if each.edge is Edge.RESOLVED else "Why")
        yield from changes.changes_unread(each, say)


def _fault(finding: Finding, label: str) -> Iterator[str]:
    if finding.resource.id not in finding.explanation:
        yield f"At fault: {say(finding.resource.id)}"
    yield f"{label}: {say(finding.explanation, _PARAGRAPH)}"


def _places(finding: Finding, style: Style) -> Iterator[str]:
    yield f"{_WHERE}{home(finding, say)}"
    yield from links(finding, style)


def fixes(alert: Alert, style: Style) -> Iterator[str]:
    """What to do for each cause, then its commands. Each is whole or left out: a cut one would be another command.

    Without one, the page about the cause.
    """
    findings = alert.to_mend
    yield from do_all(alert)
    for finding, step in steps(findings, say, SUMMARY):
        yield step
        yield from command_lines(finding, _COMMANDS // len(findings))
        yield from () if finding.remediation.commands else runbook(finding, style)


def command_lines(finding: Finding, room: int) -> Iterator[str]:
    """Yield where to run the commands of a fix, those that fit in `room` bytes, and how many do not."""
    fix = finding.remediation
    commands = [code(command) for command in fix.commands]
    whole = list(takewhile(bool, commands))
    shown = take_fitting(filter(None, whole), size=room)
    if shown:
        yield f"Run in {in_place(finding, say)}:"
        yield from shown
    if left := len(commands) - len(shown):
        yield f"{left} command{'' if left == 1 else 's'} more: {IN_FULL}"
    elif (back := [line for each in fix.undo if (line := code(each))]) and len(back) == len(fix.undo):
        yield from ("To undo it:", *back)


def _fit_lines(lines: Iterable[str]) -> list[str]:
    """Return the first `lines` that fit into a description, and a line saying how many more there are."""
    every = list(lines)
    size = 0
    for number, line in enumerate(every):
        size += len(line) + 1
        if size > DESCRIPTION:
            return [*every[:number], f"… and {len(every) - number} more"]
    return every
