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
from pull_responder.publish.as_text import docs_url
from pull_responder.publish.attributes import alert_values, digest_values
from pull_responder.publish.console import console_url
from pull_responder.publish.digest import EXAMPLES, OfCause, by_cause
from pull_responder.publish.digest_hit import hit_by, in_clusters
from pull_responder.publish.digest_text import digest_subject
from pull_responder.publish.style import Style
from pull_responder.publish.telling import (
    WORDS,
    broken,
    changed_by,
    do_all,
    ended,
    event_ids,
    fault,
    fixed_by,
    hit,
    how_it_ended,
    reasons,
    what_is_left,
    where,
    whom,
    word,
)
from pull_responder.publish.text import break_urls, command_line, one_line, resource_name, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

_TITLE: Final = 200
_FIELD: Final = 300
_PARAGRAPH: Final = 800
_DESCRIPTION: Final = 2_800
_COMMANDS: Final = 2_000
_FIRST_COMMANDS: Final = 900
_SUMMARY: Final = 400
_EXAMPLES: Final = 160
_CAUSE: Final = 60
_RESOURCES: Final = 5
_CONTEXT: Final = 256

_WHERE: Final = "Where: "
IN_FULL: Final = "in full in the e-mail and in the JSON document of this notification."

# Slack's control characters and their escapes (Slack API, "Formatting text for app surfaces").
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
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
    finding = alert.worst.finding
    severity = "" if alert.edge is Edge.RESOLVED else f" {alert.severity.value}"
    return _notification(
        title=f"{word(alert)}{severity}{where(alert, escape)}: {broken(alert, escape)}",
        lines=_lines(alert, style or Style()),
        thread=one_line(alert.problem, _CONTEXT),
        summary=escape(f"{WORDS[alert.edge]} {finding.cause}", _CONTEXT),
        resources=list(dict.fromkeys(each.finding.resource.id for each in alert.notices)),
        values=alert_values(alert),
    )


def chat_digest(notices: Sequence[Notice], style: Style | None = None) -> dict[str, Any]:
    """Return the custom notification of a digest of `notices`: a line for each cause, the most severe first."""
    causes = by_cause(notices)
    subject = digest_subject(notices).removeprefix("[DIGEST] ")
    return _notification(
        title=f"DIGEST{in_clusters(notices, escape)}: {escape(subject, _TITLE)}",
        lines=_digest_lines(causes, style or Style()),
        thread=None,
        summary=escape(subject, _CONTEXT),
        resources=[each.worst.resource.id for each in causes[:_RESOURCES]],
        values=digest_values(notices),
    )


def _notification(  # noqa: PLR0913 -- keyword-only: the parts of the schema
    *,
    title: str,
    lines: Iterable[str],
    thread: str | None,
    summary: str,
    resources: Sequence[str],
    values: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    context = {name: escape(", ".join(each), _CONTEXT) for name, each in values.items()}
    metadata: dict[str, Any] = {
        "summary": summary,
        "eventType": f"pull-responder-{values['status'][0]}",
        "relatedResources": [escape(each, _CONTEXT) for each in resources],
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
    left = what_is_left(alert, quote)
    if alert.edge is Edge.RESOLVED:
        first = [*ended(alert, quote), *left, whom(alert, quote), *fixed_by(alert, quote)]
    else:
        because = reasons(alert, quote, _PARAGRAPH)
        first = [whom(alert, quote), *_fixes(alert), *left, *because, *hit(alert, quote, brief=True)]
    proof = dict.fromkeys(line for each in alert.notices for line in _proof(each))
    links = dict.fromkeys(line for each in alert.notices for line in _places(each, style))
    return [*first, *proof, *(line for line in links if f"Run in {line.removeprefix(_WHERE)}:" not in first)]


def _proof(notice: Notice) -> Iterator[str]:
    finding = notice.finding
    if finding.resource.id not in finding.explanation:
        yield f"At fault: {quote(finding.resource.id)}"
    yield quote(finding.explanation, _PARAGRAPH)
    yield from changed_by(notice, quote)


def _places(notice: Notice, style: Style) -> Iterator[str]:
    finding = notice.finding
    yield f"{_WHERE}{_place(finding.account, finding.region)}"
    links = [
        ("Runbook", style.runbook(finding.cause)),
        ("Console", console_url(finding.resource)),
        ("AWS docs", docs_url(finding)),
    ]
    yield from (f"{label}: {url}" for label, url in links if url)
    yield from event_ids(notice, quote)


def _place(account: str, region: str) -> str:
    return f"account {quote(account, 12)}, region {quote(region, 24)}"


def _fixes(alert: Alert) -> Iterator[str]:
    """What to do for each cause, then its commands. Each is whole or left out: a cut one would be another command."""
    room = _COMMANDS // len(alert.notices)
    if len(alert.notices) > 1:
        yield do_all(len(alert.notices))
    for number, each in enumerate(alert.notices, 1):
        summary = quote(each.finding.remediation.summary, _SUMMARY)
        named = "" if number == 1 else f"{fault(each.finding, quote)}: "
        yield f"Do this: {summary}" if len(alert.notices) == 1 else f"{number}. {named}{summary}"
        yield from _commands(each.finding, room)


def _commands(finding: Finding, room: int) -> Iterator[str]:
    fix = finding.remediation
    commands = [code(command) for command in fix.commands]
    whole = list(takewhile(bool, commands))
    shown = take_fitting(filter(None, whole), size=room)
    if shown:
        yield f"Run in {_place(fix.account, fix.region)}:"
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


def _digest_lines(causes: Sequence[OfCause], style: Style) -> list[str]:
    """Return what to do first, then a line for each cause, with what else fits.

    Of what does not, first the other fixes are left out, then whom each cause stops, then the examples.
    """
    first = list(_first(causes[0], style))
    for fixes, hits, examples in (
        (True, True, EXAMPLES),
        (False, True, EXAMPLES),
        (False, False, EXAMPLES),
        (False, False, 1),
        (False, False, 0),
    ):
        lines = list(first)
        for each in causes:
            lines.append(_cause_line(each, examples=examples))
            if hits and (hit := hit_by(each.notices, quote)):
                lines.append(hit)
            if fixes and each is not causes[0]:
                lines += _fix_lines(each, style)
        if sum(len(line) + 1 for line in lines) <= _DESCRIPTION:
            return lines
    return lines[len(first) :]


def _first(of: OfCause, style: Style) -> Iterator[str]:
    """Yield what to do about the worst finding of all, and its commands."""
    name = quote(resource_name(of.worst.resource.id), _EXAMPLES)
    if of.is_over:
        yield f"{name}: {quote(how_it_ended(of.notices[0]), _SUMMARY)}"
        return
    yield f"Do this first ({name}): {quote(of.worst.remediation.summary, _SUMMARY)}"
    yield from _commands(of.worst, _FIRST_COMMANDS)
    if url := style.runbook(of.cause):
        yield f"Runbook: {url}"


def _cause_line(of: OfCause, *, examples: int) -> str:
    edges = f" ({of.edges})" if of.edges else ""
    shown = of.examples[:examples]
    left = of.count - len(shown)
    named = f": {quote(', '.join(shown), _EXAMPLES)}" + (f" and {left} more" if left else "") if shown else ""
    return f"{of.severity.value}: {quote(of.cause, _CAUSE)}{of.times}{edges}{named}"


def _fix_lines(of: OfCause, style: Style) -> Iterator[str]:
    if of.is_over:
        yield quote(how_it_ended(of.notices[0]), _SUMMARY)
        return
    yield f"Do this: {quote(of.worst.remediation.summary, _SUMMARY)}"
    if url := style.runbook(of.cause):
        yield f"Runbook: {url}"


def _fit_lines(lines: Iterable[str]) -> list[str]:
    """Return the first `lines` that fit into a description, and a line saying how many more there are."""
    every = list(lines)
    size = 0
    for number, line in enumerate(every):
        size += len(line) + 1
        if size > _DESCRIPTION:
            return [*every[:number], f"… and {len(every) - number} more"]
    return every
