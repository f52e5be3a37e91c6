"""Alerts as text for people: the subject and the body of an e-mail, and the line of a text message.

Line 1 says what is broken and for whom, line 2 what to do, then come the commands, whole. Who is hit, the proof, and
where to look follow. Lines are short or flow by themselves: many are read on a phone.

Events carry text that anybody may have written. Each such text is put on one line that begins with our own words or is
indented, and its URLs are broken up, so that a mail program does not link them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.console import console_url
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
    reasons,
    what_is_left,
    whom,
    word,
)
from pull_responder.publish.text import break_urls, command_line, cut, last_name, limit_lines, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding

# SNS takes subjects of fewer than 100 printable ASCII characters (SNS API Reference, Publish).
SUBJECT: Final = 99
_FIELD: Final = 600
_PARAGRAPH: Final = 4_000
_EVIDENCE: Final = 2_000
_CAUSE: Final = 38
_SHORTEST_NAME: Final = 12
# What is at fault stops whole accounts. One repository and one cluster would say too little.
_OF_MANY: Final = frozenset({"scp_blocks_pull", "rcp_blocks_pull"})
_DOCS: Final = ("https://docs.aws.amazon.com/", "https://docs.amazonaws.cn/")

# Room for the longest word in brackets. So the rest of the subject is cut alike for every word.
_TAG: Final = max(len(f"[{word}] ") for word in WORDS.values())


def subject(alert: Alert) -> str:
    """Return one line of printable ASCII, at most 99 characters: the change, severity, cause, image and place.

    It is that of the worst finding. Mail programs sort and thread by the base subject, without the word in brackets
    (RFC 5256, section 2.1). The base subject stays the same as long as the severity does. The cause comes early: mail
    readers cut off the end. Names are shortened by whole parts. The subject contains no ARN.
    """
    return f"[{WORDS[alert.edge]}] {_base_subject(alert.worst.finding)}"


def body(alert: Alert, *, room: int, style: Style | None = None) -> str:
    """Return the text of an e-mail. Evidence and commands take at most `room` bytes each.

    Reminders have no evidence, and resolved alerts no commands.
    """
    style = style or Style()
    left = what_is_left(alert, prose)
    if alert.edge is Edge.RESOLVED:
        sections = [
            [*_resolved_head(alert), *left, whom(alert, prose), *fixed_by(alert, prose)],
            ["Who was hit", *(f"  {each}" for each in hit(alert, prose))],
            ["What was wrong", *_proof(alert, room, evidence=False)],
        ]
    else:
        sections = [
            [_head(alert), *_fix(alert, room)],
            left,
            _what_changed(alert, room),
            ["Who is hit", *(f"  {each}" for each in hit(alert, prose))],
            ["Proof", *_proof(alert, room, evidence=alert.edge is not Edge.REMINDER)],
        ]
    sections.append(["Where to look", *dict.fromkeys(_places(alert, style))])
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _head(alert: Alert) -> str:
    return f"{word(alert)} {alert.severity.value}: {broken(alert, prose)}. {whom(alert, prose)}"


def _resolved_head(alert: Alert) -> list[str]:
    first, *rest = ended(alert, prose)
    return [f"{word(alert)}{':' if alert.others else ''} {first}", *(f"And {each}" for each in rest)]


def _fix(alert: Alert, room: int) -> list[str]:
    """Return what to do: the fix of each cause, with its commands."""
    share = room // len(alert.notices)
    if len(alert.notices) == 1:
        finding = alert.worst.finding
        return [f"Do this: {_summary(finding, room)}", *_commands(finding, share)]
    lines = [do_all(len(alert.notices))]
    for number, each in enumerate(alert.notices, 1):
        named = "" if number == 1 else f"{fault(each.finding, prose)}: "
        lines += ["", f"{number}. {named}{_summary(each.finding, share)}", *_commands(each.finding, share)]
    return lines


def _summary(finding: Finding, room: int) -> str:
    return prose(finding.remediation.summary, min(_PARAGRAPH, room)) or "See the proof."


def _commands(finding: Finding, room: int) -> list[str]:
    fix = finding.remediation
    if not fix.commands:
        return []
    commands = (command_line(each) or "(a command with unprintable characters is left out)" for each in fix.commands)
    return [
        f"Run in account {_field(fix.account)}, region {_field(fix.region)}:",
        *limit_lines((f"  {each}" for each in commands), size=room, what="commands"),
    ]


def _what_changed(alert: Alert, room: int) -> list[str]:
    """Return the reasons of the notices, each once: what grew, or when it had been resolved."""
    lines = [f"  {each}" for each in reasons(alert, prose, min(_PARAGRAPH, room))]
    return ["What has changed", *lines] if lines else []


def _proof(alert: Alert, room: int, *, evidence: bool) -> list[str]:
    lines = []
    for each in alert.notices:
        finding, share = each.finding, room // len(alert.notices)
        lines += [
            f"  At fault: {_field(finding.resource.id)}",
            f"  {prose(finding.explanation, min(_PARAGRAPH, share))}",
        ]
        lines += [f"  {deed}" for deed in changed_by(each, prose)]
        if evidence:
            shown = (f"  - {text}" for line in finding.evidence if (text := prose(line, _EVIDENCE)))
            lines += limit_lines(shown, size=share, what="evidence")
    return lines


def _places(alert: Alert, style: Style) -> Iterable[str]:
    """The only lines with links. They are safe: console URLs quote their parts, and the others are AWS's and ours."""
    for each in alert.notices:
        finding = each.finding
        links = [
            ("Console", console_url(finding.resource)),
            ("Runbook", style.runbook(finding.cause)),
            ("AWS docs", docs_url(finding)),
        ]
        yield from (f"  {label}: {url}" for label, url in links if url)
        yield f"  Account {_field(finding.account)}, region {_field(finding.region)}"
        yield f"  Finding: {_field(finding.id)}"
        yield from (f"  {line}" for line in event_ids(each, prose))


def docs_url(finding: Finding) -> str | None:
    """Return the URL of the fix's documentation, None if it is not on an AWS documentation host."""
    url = one_line(finding.remediation.docs_url, _FIELD)
    return url if url.startswith(_DOCS) and " " not in url else None


def _base_subject(finding: Finding) -> str:
    severity = finding.severity.value
    why = ascii_line(finding.cause.replace("_", " "), _CAUSE) or UNKNOWN
    where = f"{ascii_line(finding.account, 12) or UNKNOWN} {ascii_line(finding.region, 16) or UNKNOWN}"
    what = finding.pull.repository or resource_name(finding.resource.id)
    cluster = ascii_line(finding.cluster or "", _FIELD)
    if finding.cause in _OF_MANY:
        what, cluster = last_name(resource_name(finding.resource.id)), ""
    what = ascii_line(what, _FIELD) or UNKNOWN
    account = where.partition(" ")[0]
    places = [f"cluster {cluster}, {where}", f"{cluster}, {where}", f"cluster {cluster}, {account}"] if cluster else []
    places += [f"{cluster}, {account}", where] if cluster else [where, account]
    room = SUBJECT - _TAG
    if len(full := f"{severity} pull failure: {why} ({what}, {places[0]})") <= room:
        return full
    short = last_name(what)
    # Without the team's part, many images have the same name. So that is kept rather than the region.
    names = dict.fromkeys((what, last_name(what, parts=2), short))
    for name, place in ((name, place) for name in names for place in places):
        if len(candidate := f"{severity}: {why} ({name}, {place})") <= room:
            return candidate
    named = room - len(f"{severity}: {why} (, {where})")
    if named >= _SHORTEST_NAME:
        return f"{severity}: {why} ({cut(short, named, '...')}, {where})"
    return f"{severity}: {why} ({where})"


def prose(text: str, limit: int) -> str:
    """Return `text` as one line of at most `limit` characters without links; empty if nothing of it is printable."""
    return break_urls(one_line(text, limit))


def ascii_line(text: str, limit: int) -> str:
    """Return `text` as one line of printable ASCII, at most `limit` characters."""
    return cut(one_line(text, 10 * limit).encode("ascii", "replace").decode(), limit, "...")


def _field(value: str, limit: int = _FIELD) -> str:
    return prose(value, limit) or UNKNOWN
