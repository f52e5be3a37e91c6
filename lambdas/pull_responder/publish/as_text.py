"""Alerts as text for people: the subject and the body of an e-mail, and the line of a text message.

Line 1 says what is broken and for whom, line 2 what to do, then come the commands, whole. Who is hit, the proof, and
where to look follow. Lines are short or flow by themselves: many are read on a phone.

Events carry text that anybody may have written. Each such text is put on one line that begins with our own words or is
indented, and its URLs are broken up, so that a mail program does not link them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish import changes, telling
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.steps import do_all, home, in_place, links, steps
from pull_responder.publish.style import Style
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

_IN_PART: Final = "STILL BROKEN"
# Room for the longest word in brackets but that, which is rare. So the rest of the subject is cut alike for the others.
_TAG: Final = max(len(f"[{word}] ") for word in telling.WORDS.values())


def subject(alert: Alert) -> str:
    """Return one line of printable ASCII, at most 99 characters: the change, severity, cause, image and place.

    It is that of the worst finding. Mail programs sort and thread by the base subject, without the word in brackets
    (RFC 5256, section 2.1). The base subject stays the same as long as the severity does; a long one is shorter where
    the finding is resolved in part. The cause comes early: mail readers cut off the end. Names are shortened by whole
    parts. The subject contains no ARN.
    """
    tag = f"[{_IN_PART if alert.is_in_part else telling.WORDS[alert.edge]}] "
    return f"{tag}{_base_subject(alert.worst.finding, SUBJECT - max(_TAG, len(tag)))}"


def body(alert: Alert, *, room: int, style: Style | None = None) -> str:
    """Return the text of an e-mail. Evidence and commands take at most `room` bytes each.

    Reminders have no evidence, and resolved alerts no commands. What is resolved in part has those of what is left.
    """
    style = style or Style()
    hit = [f"  {each}" for each in telling.hit(alert, prose)]
    if alert.is_in_part:
        sections = [
            [telling.headline(alert, prose), *_fix(alert, room)],
            ["What is resolved", *(f"  {each}" for each in (*_ended(alert), *changes.fixed_by(alert, prose)))],
            ["Who is hit", *hit],
            ["Proof", *_proof_of_others(alert, room)],
            ["What was wrong", *_proof(alert, room, evidence=False)],
        ]
    elif alert.edge is Edge.RESOLVED:
        first, *rest = _ended(alert)
        left, whom = telling.what_is_left(alert, prose), telling.whom(alert, prose)
        sections = [
            [f"{telling.opening(alert)} {first}", *rest, *left, whom, *changes.fixed_by(alert, prose)],
            ["Who was hit", *hit],
            ["What was wrong", *_proof(alert, room, evidence=False)],
        ]
    else:
        sections = [
            [telling.headline(alert, prose), *changes.before_fix(alert, prose), *_fix(alert, room)],
            telling.what_is_left(alert, prose),
            _what_changed(alert, room),
            ["Who is hit", *hit],
            ["Proof", *_proof(alert, room, evidence=alert.edge is not Edge.REMINDER)],
        ]
    sections.append(["Where to look", *dict.fromkeys(_places(alert, style))])
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _ended(alert: Alert) -> list[str]:
    first, *rest = telling.ended(alert, prose)
    return [first, *(f"And {each}" for each in rest)]


def _fix(alert: Alert, room: int) -> list[str]:
    """Return what to do: the fix of each cause that is open, with its commands."""
    findings = alert.to_mend
    share = room // len(findings)
    lines = do_all(alert)
    for finding, step in steps(findings, prose, min(_PARAGRAPH, share)):
        lines += [*([""] if len(findings) > 1 else []), step, *_commands(finding, share)]
    return lines


def _commands(finding: Finding, room: int) -> list[str]:
    fix = finding.remediation
    if not fix.commands:
        return []
    commands = (command_line(each) or "(a command with unprintable characters is left out)" for each in fix.commands)
    return [
        f"Run in {in_place(finding, prose)}:",
        *limit_lines((f"  {each}" for each in commands), size=room, what="commands"),
    ]


def _what_changed(alert: Alert, room: int) -> list[str]:
    """Return what has changed, unless it stands above the fix."""
    if alert.edge is Edge.WORSE:
        return []
    lines = [f"  {each}" for each in changes.what_changed(alert, prose, min(_PARAGRAPH, room))]
    return ["What has changed", *lines] if lines else []


def _proof(alert: Alert, room: int, *, evidence: bool) -> list[str]:
    lines, share = [], room // len(alert.notices)
    for each in alert.notices:
        lines += _fault(each.finding, share)
        lines += [f"  {deed}" for deed in changes.changes_unread(each, prose)]
        lines += _evidence(each.finding, share) if evidence else []
    return lines


def _proof_of_others(alert: Alert, room: int) -> list[str]:
    """Return the proof of what else stops the pulls."""
    share = room // len(alert.others)
    return [line for each in alert.others for line in (*_fault(each, share), *_evidence(each, share))]


def _fault(finding: Finding, room: int) -> list[str]:
    return [f"  At fault: {_field(finding.resource.id)}", f"  {prose(finding.explanation, min(_PARAGRAPH, room))}"]


def _evidence(finding: Finding, room: int) -> list[str]:
    shown = (f"  - {text}" for line in finding.evidence if (text := prose(line, _EVIDENCE)))
    return limit_lines(shown, size=room, what="evidence")


def _places(alert: Alert, style: Style) -> Iterable[str]:
    """The only lines with links. Those about what is open come first."""
    for finding in (*(alert.others if alert.is_in_part else ()), *(each.finding for each in alert.notices)):
        yield from (f"  {line}" for line in links(finding, style))
        yield f"  A{home(finding, prose).removeprefix('a')}"
        yield f"  Finding: {_field(finding.id)}"
    for each in alert.notices:
        yield from (f"  {line}" for line in changes.event_ids(each, prose))


def _base_subject(finding: Finding, room: int) -> str:
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
    if telling.is_of_responder(finding):
        return f"{severity}: {why} ({where})"
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
