"""Notices for Slack and Microsoft Teams, as Amazon Q Developer in chat applications takes them.

Its schema of custom notifications: Amazon Q Developer in chat applications Administrator Guide, "Custom notifications".
It documents the keys; the bounds below are ours (inference), so that a text stays within the 3,000 characters that
Slack takes in one (Slack API, "Text object").

The same text is shown in Slack's markup and in that of Teams, which escape differently. So what is anybody's text is
put between back quotes, where neither makes formatting, links or mentions of it, and is made harmless by itself, too,
as Teams does not know back quotes everywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.as_text import WORDS, digest_subject, docs_url, names
from pull_responder.publish.attributes import digest_values, notice_values, worst_first
from pull_responder.publish.console import console_url
from pull_responder.publish.text import command_line, one_line, resource_name, unlinked

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

# What Slack takes for its own unless it is written so (Slack API, "Formatting text for app surfaces").
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What Markdown takes for formatting, a link or a heading; each replaced by what looks like it.
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


def harmless(text: str, limit: int) -> str:
    """Return `text` as one line of at most `limit` characters before it is escaped, which neither program marks up."""
    bare = unlinked(_MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", one_line(text, limit)))
    return bare.translate(_HARMLESS)


def quoted(text: str, limit: int = _FIELD) -> str:
    """Return anybody's `text` as code, which shows it as it is."""
    return f"`{harmless(text, limit) or '?'}`"


def chat_notification(notice: Notice) -> dict[str, Any]:
    """Return the custom notification of `notice`. All notices of one finding go into one thread."""
    finding = notice.finding
    title = harmless(f"{finding.severity.value}: {finding.title or finding.cause}", _TITLE)
    return _notification(
        title=f"{WORDS[notice.edge]} {title}",
        lines=_lines(notice),
        steps=[] if notice.edge is Edge.RESOLVED else _steps(notice),
        thread=finding.id,
        summary=harmless(f"{WORDS[notice.edge]} {finding.cause}", _CONTEXT),
        resources=[finding.resource.id],
        values=notice_values(notice),
    )


def chat_digest(notices: Sequence[Notice]) -> dict[str, Any]:
    """Return the custom notification of a digest of `notices`, a line for each finding, the worst first."""
    worst = worst_first(notices)
    lines = (
        f"{each.finding.severity.value} {harmless(each.finding.cause, 60)}:"
        f" {quoted(resource_name(each.finding.resource.id), 80)}"
        f" cluster {quoted(each.finding.cluster or 'unknown', 60)}, {quoted(each.finding.account, 12)}"
        for each in worst
    )
    return _notification(
        title=harmless(digest_subject(notices).removeprefix("[DIGEST] "), _TITLE),
        lines=lines,
        steps=[],
        thread=None,
        summary=harmless(digest_subject(notices).removeprefix("[DIGEST] "), _CONTEXT),
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
    context = {name: harmless(", ".join(each), _CONTEXT) for name, each in values.items()}
    metadata: dict[str, Any] = {
        "summary": summary,
        "eventType": f"pull-responder-{values['status'][0]}",
        "relatedResources": [harmless(each, _CONTEXT) for each in resources],
        "additionalContext": context,
    }
    content: dict[str, Any] = {
        "textType": "client-markdown",
        "title": title,
        "description": "\n".join(_that_fit(lines)),
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
        yield quoted(notice.because, _PARAGRAPH)
    yield quoted(finding.explanation, _PARAGRAPH)
    yield f"At fault: {quoted(finding.resource.id)}"
    if image := finding.pull.image or finding.pull.repository:
        yield f"Image: {quoted(image)}"
    cluster = f"Cluster {quoted(finding.cluster)}, account" if finding.cluster else "Account"
    yield f"{cluster} {quoted(finding.account, 12)}, {quoted(finding.region, 24)}"
    until = f", resolved {quoted(notice.at, 40)}" if notice.edge is Edge.RESOLVED else ""
    yield f"Open since {quoted(notice.opened_at, 40)}{until}"
    if reach.pods:
        yield f"Pods: {reach.pod_count} ({quoted(names(reach.pods, reach.pod_count))})"
    if reach.nodes:
        yield f"Nodes: {reach.node_count} ({quoted(names(reach.nodes, reach.node_count))})"
    links = [(console_url(finding.resource), "console"), (docs_url(finding), "documentation")]
    yield from (f"{label.capitalize()}: {url}" for url, label in links if url)


def _steps(notice: Notice) -> list[str]:
    """The fix: what to do, then the commands, each whole or not at all, as half a command is another one."""
    fix = notice.finding.remediation
    steps = [quoted(fix.summary, _FIELD)]
    for command in fix.commands:
        line = command_line(command)
        if line is None or len(line) > _STEP or line != harmless(line, _STEP) or len(steps) == _STEPS:
            return [*steps, "The other commands are in the e-mail and in the JSON document of this notification."]
        steps.append(f"`{line}`")
    return steps


def _that_fit(lines: Iterable[str]) -> list[str]:
    """Return the first of `lines` that make up a description, and say how many more there are."""
    every = list(lines)
    size = 0
    for number, line in enumerate(every):
        size += len(line) + 1
        if size > _DESCRIPTION:
            return [*every[:number], f"… and {len(every) - number} more"]
    return every
