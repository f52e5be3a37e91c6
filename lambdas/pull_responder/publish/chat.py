"""Notices for Slack and Microsoft Teams, as custom notifications of Amazon Q Developer in chat applications.

The schema: Amazon Q Developer in chat applications Administrator Guide, "Custom notifications". It documents the keys.
The limits below are ours (inference): they keep a text within Slack's 3,000 characters (Slack API, "Text object").

Slack and Teams show the same text, with different markup and escapes. Text that anybody may have written goes between
back quotes, where neither program formats, links or mentions. Teams does not support back quotes everywhere, so the
text is also made harmless by itself.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish import changes, telling
from pull_responder.publish.attributes import alert_values
from pull_responder.publish.steps import do_all, home, in_place, links, steps
from pull_responder.publish.style import Style
from pull_responder.publish.text import break_urls, command_line, cut, one_line, take_fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding

_TITLE: Final = 200
# Characters of a title: of the fault, and of each name. The first that fits is best.
_FAULT: Final = 80
_NAMES: Final = (100, 60, 40, 30, 20)
_FIELD: Final = 300
_PARAGRAPH: Final = 800
DESCRIPTION: Final = 2_800
_COMMANDS: Final = 2_000
SUMMARY: Final = 400
CONTEXT: Final = 256

_WHERE: Final = "Where: "
IN_FULL: Final = "in full in the e-mail and in the JSON document of this notification."

# Slack's control characters and their escapes (Slack API, "Formatting text for app surfaces").
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LONGEST: Final = max(map(len, _ENTITIES.values()))
# Characters that Markdown takes for formatting, a link or a heading. Each is replaced by a look-alike.
_LOOKALIKES: Final = {
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
    "*": "\N{ASTERISK OPERATOR}",
    "~": "\N{TILDE OPERATOR}",
    "[": "\N{FULLWIDTH LEFT SQUARE BRACKET}",
    "]": "\N{FULLWIDTH RIGHT SQUARE BRACKET}",
    "|": "\N{FULLWIDTH VERTICAL LINE}",
    "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",
}
_HARMLESS: Final = str.maketrans(_ENTITIES | _LOOKALIKES)
# What is linked where code is not supported. A name with dots stays: services and hosts of AWS have such names.
_LINK: Final = re.compile(r"://|\bwww\.", re.IGNORECASE)
_MENTION: Final = re.compile(r"(?<![0-9A-Za-z])@")


def escape(text: str, limit: int) -> str:
    """Return `text` as one line that neither program formats, with at most `limit` characters before it is escaped."""
    bare = break_urls(_MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", one_line(text, limit)))
    return bare.translate(_HARMLESS)


def quote(text: str, limit: int = _FIELD) -> str:
    """Return untrusted `text` as inline code, which is shown as it is."""
    return f"`{escape(text, limit) or '?'}`"


def chat_notification(alert: Alert, style: Style | None = None) -> dict[str, Any]:
    """Return the custom notification of `alert`. All messages about one problem share a thread."""
    finding = alert.to_mend[0] if alert.is_in_part else alert.worst.finding
    change = f"{telling.word(alert)}, still open:" if alert.is_in_part else telling.WORDS[alert.edge]
    return custom_notification(
        title=_title(alert),
        lines=_lines(alert, style or Style()),
        thread=one_line(alert.problem, CONTEXT),
        summary=escape(f"{change} {finding.cause}", CONTEXT),
        resources=list(dict.fromkeys(each.finding.resource.id for each in alert.notices)),
        values=alert_values(alert),
    )


def _title(alert: Alert) -> str:
    """Return the change, severity, cluster, cause and resource. What is too long loses of its names first."""

    def write(most: int) -> str:
        def say(text: str, limit: int) -> str:
            return within(text, min(limit, most if limit < _TITLE else _FAULT))

        was = " It was:" if alert.edge is Edge.RESOLVED and not alert.is_in_part else ""
        said = f"{telling.opening(alert)}{telling.where(alert, say)}"
        return f"{said}{'.' if was else ':'}{was} {telling.broken(alert, say)}"

    return bound_title(write)


def bound_title(write: Callable[[int], str]) -> str:
    """Return the title that `write` makes of names of at most so many characters, the first that is short enough."""
    for most in _NAMES:
        if len(title := write(most)) <= _TITLE:
            break
    return title


def within(text: str, room: int) -> str:
    """Return `text` escaped, in at most `room` characters: an entity is longer than what it stands for."""
    kept = one_line(text, room)
    while (over := len(escaped := escape(kept, room)) - room) > 0:
        kept = cut(kept, len(kept) - max(over // _LONGEST, 1))
    return escaped


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
    whom, ended = telling.whom(alert, quote), list(telling.ended(alert, quote))
    fixed_by, left = changes.fixed_by(alert, quote), telling.what_is_left(alert, quote)
    if alert.is_in_part:
        over = [*(f"Resolved: {each}" for each in ended), *fixed_by]
        first = [whom, *_fixes(alert), *over, *telling.hit(alert, quote, brief=True)]
    elif alert.edge is Edge.RESOLVED:
        first = [*ended, *left, whom, *fixed_by]
    else:
        changed = [] if alert.edge is Edge.WORSE else changes.what_changed(alert, quote, _PARAGRAPH)
        first = [
            whom,
            *changes.before_fix(alert, quote),
            *_fixes(alert),
            *left,
            *changed,
            *telling.hit(alert, quote, brief=True),
        ]
    findings = alert.to_mend or [each.finding for each in alert.notices]
    places = dict.fromkeys(line for each in findings for line in _places(each, style))
    ids = dict.fromkeys(line for each in alert.notices for line in changes.event_ids(each, quote))
    known = (line for line in places if not any(f" in {line.removeprefix(_WHERE)}:" in each for each in first))
    return [*first, *dict.fromkeys(_proof(alert)), *known, *ids]


def _proof(alert: Alert) -> Iterator[str]:
    """Yield what is wrong, and what was: only the label tells the one from the other."""
    for finding in alert.to_mend if alert.is_in_part else ():
        yield from _fault(finding, "Why")
    for each in alert.notices:
        yield from _fault(each.finding, "What was wrong" if each.edge is Edge.RESOLVED else "Why")
        yield from changes.changes_unread(each, quote)


def _fault(finding: Finding, label: str) -> Iterator[str]:
    if finding.resource.id not in finding.explanation:
        yield f"At fault: {quote(finding.resource.id)}"
    yield f"{label}: {quote(finding.explanation, _PARAGRAPH)}"


def _places(finding: Finding, style: Style) -> Iterator[str]:
    yield f"{_WHERE}{home(finding, quote)}"
    yield from links(finding, style)


def _fixes(alert: Alert) -> Iterator[str]:
    """What to do for each cause, then its commands. Each is whole or left out: a cut one would be another command."""
    findings = alert.to_mend
    yield from do_all(alert)
    for finding, step in steps(findings, quote, SUMMARY):
        yield step
        yield from command_lines(finding, _COMMANDS // len(findings))


def command_lines(finding: Finding, room: int) -> Iterator[str]:
    """Yield where to run the commands of a fix, those that fit in `room` bytes, and how many do not."""
    fix = finding.remediation
    commands = [code(command) for command in fix.commands]
    whole = list(takewhile(bool, commands))
    shown = take_fitting(filter(None, whole), size=room)
    if shown:
        yield f"Run in {in_place(finding, quote)}:"
        yield from shown
    if left := len(commands) - len(shown):
        yield f"{left} command{'' if left == 1 else 's'} more: {IN_FULL}"


def code(command: Sequence[str]) -> str | None:
    """Return a command as inline code; None if it would not be shown as it is.

    Between back quotes, neither program formats or links: only a back quote ends the code, and Slack reads `&`, `<` and
    `>` everywhere (Slack API, "Formatting text for app surfaces"). Mentions and links are kept out all the same, as of
    all other text: Teams does not support back quotes everywhere.
    """
    line = command_line(command)
    if line is None or any(each in line for each in "`&<>") or _MENTION.search(line) or _LINK.search(line):
        return None
    return f"`{line}`"


def _fit_lines(lines: Iterable[str]) -> list[str]:
    """Return the first `lines` that fit into a description, and a line saying how many more there are."""
    every = list(lines)
    size = 0
    for number, line in enumerate(every):
        size += len(line) + 1
        if size > DESCRIPTION:
            return [*every[:number], f"… and {len(every) - number} more"]
    return every
