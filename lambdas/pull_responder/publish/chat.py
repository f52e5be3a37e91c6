"""Notices for Slack and Microsoft Teams, as custom notifications of Amazon Q Developer in chat applications.

The schema: Amazon Q Developer in chat applications Administrator Guide, "Custom notifications". It documents the keys.
The limits below are ours (inference): they keep a text within Slack's 3,000 characters (Slack API, "Text object").

Slack and Teams show the same text, with different markup and escapes. Text that anybody may have written goes between
back quotes, where neither program formats, links or mentions. Teams does not support back quotes everywhere, so the
text is also made harmless by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.as_text import WORDS, digest_subject, docs_url, names
from pull_responder.publish.attributes import digest_values, notice_values, sort_by_severity
from pull_responder.publish.console import console_url
from pull_responder.publish.text import break_urls, command_line, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pull_responder.findings.notice import Notice

_TITLE: Final = 200
_FIELD: Final = 300
_PARAGRAPH: Final = 800
_DESCRIPTION: Final = 2_800
_STEP: Final = 1_000
_STEPS: Final = 5
_CONTEXT: Final = 256

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
_MENTION: Final = re.compile(r"(?<![0-9A-Za-z])@")


def escape(text: str, limit: int) -> str:
    """Return `text` as one line that neither program formats, with at most `limit` characters before it is escaped."""
    bare = break_urls(_MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", one_line(text, limit)))
    return bare.translate(_HARMLESS)


def quote(text: str, limit: int = _FIELD) -> str:
    """Return untrusted `text` as inline code, which is shown as it is."""
    return f"`{escape(text, limit) or '?'}`"


def chat_notification(notice: Notice) -> dict[str, Any]:
    """Return the custom notification of `notice`. All notices of one finding share a thread."""
    finding = notice.finding
    title = escape(f"{finding.severity.value}: {finding.title or finding.cause}", _TITLE)
    return _notification(
        title=f"{WORDS[notice.edge]} {title}",
        lines=_lines(notice),
        steps=[] if notice.edge is Edge.RESOLVED else _steps(notice),
        thread=finding.id,
        summary=escape(f"{WORDS[notice.edge]} {finding.cause}", _CONTEXT),
        resources=[finding.resource.id],
        values=notice_values(notice),
    )


def chat_digest(notices: Sequence[Notice]) -> dict[str, Any]:
    """Return the custom notification of a digest of `notices`: a line for each finding, the most severe first."""
    worst = sort_by_severity(notices)
    lines = (
        f"{each.finding.severity.value} {escape(each.finding.cause, 60)}:"
        f" {quote(resource_name(each.finding.resource.id), 80)}"
        f" cluster {quote(each.finding.cluster or 'unknown', 60)}, {quote(each.finding.account, 12)}"
        for each in worst
    )
    return _notification(
        title=escape(digest_subject(notices).removeprefix("[DIGEST] "), _TITLE),
        lines=lines,
        steps=[],
        thread=None,
        summary=escape(digest_subject(notices).removeprefix("[DIGEST] "), _CONTEXT),
        resources=[each.finding.resource.id for each in worst[:_STEPS]],
        values=digest_values(notices),
    )


def _notification(  # noqa: PLR0913 -- keyword-only: the parts of the schema
    *,
    title: str,
    lines: Iterable[str],
    steps: Sequence[str],
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
    if steps:
        content["nextSteps"] = list(steps)
    if thread:
        metadata["threadId"] = thread
    return {"version": "1.0", "source": "custom", "content": content, "metadata": metadata}


def _lines(notice: Notice) -> Iterable[str]:
    finding, reach = notice.finding, notice.reach
    if notice.because:
        yield quote(notice.because, _PARAGRAPH)
    yield quote(finding.explanation, _PARAGRAPH)
    yield f"At fault: {quote(finding.resource.id)}"
    if image := finding.pull.image or finding.pull.repository:
        yield f"Image: {quote(image)}"
    cluster = f"Cluster {quote(finding.cluster)}, account" if finding.cluster else "Account"
    yield f"{cluster} {quote(finding.account, 12)}, {quote(finding.region, 24)}"
    until = f", resolved {quote(notice.at, 40)}" if notice.edge is Edge.RESOLVED else ""
    yield f"Open since {quote(notice.opened_at, 40)}{until}"
    if reach.pods:
        yield f"Pods: {reach.pod_count} ({quote(names(reach.pods, reach.pod_count))})"
    if reach.nodes:
        yield f"Nodes: {reach.node_count} ({quote(names(reach.nodes, reach.node_count))})"
    links = [(console_url(finding.resource), "console"), (docs_url(finding), "documentation")]
    yield from (f"{label.capitalize()}: {url}" for url, label in links if url)


def _steps(notice: Notice) -> list[str]:
    """The fix: what to do, then the commands. Each command is whole or left out: a cut one would be another command."""
    fix = notice.finding.remediation
    steps = [quote(fix.summary, _FIELD)]
    for command in fix.commands:
        line = command_line(command)
        if line is None or len(line) > _STEP or line != escape(line, _STEP) or len(steps) == _STEPS:
            return [*steps, "The other commands are in the e-mail and in the JSON document of this notification."]
        steps.append(f"`{line}`")
    return steps


def _fit_lines(lines: Iterable[str]) -> list[str]:
    """Return the first `lines` that fit into a description, and a line saying how many more there are."""
    every = list(lines)
    size = 0
    for number, line in enumerate(every):
        size += len(line) + 1
        if size > _DESCRIPTION:
            return [*every[:number], f"… and {len(every) - number} more"]
    return every
