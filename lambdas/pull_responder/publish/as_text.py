"""Alerts as text for people: the subject and the body of an e-mail, and the line of a text message.

Line 1 says what is broken and for whom, line 2 what to do, then come the commands, whole. Who is hit, the proof, and
where to look follow. Lines are short or flow by themselves: many are read on a phone.

Events carry text that anybody may have written. Each such text is put on one line that begins with our own words or is
indented, and its URLs are broken up, so that a mail program does not link them.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish import changes, telling
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.steps import do_all, home, in_place, links, runbook, steps
from pull_responder.publish.style import Style
from pull_responder.publish.text import (
    break_urls,
    command_line,
    cut,
    last_name,
    limit_lines,
    one_line,
    resource_name,
    take_fitting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding
    from pull_responder.model.verdict import Remediation

# SNS takes subjects of fewer than 100 printable ASCII characters (SNS API Reference, Publish).
SUBJECT: Final = 99
_FIELD: Final = 600
_PARAGRAPH: Final = 4_000
_EVIDENCE: Final = 2_000
_CAUSE: Final = 38
_SHORTEST_NAME: Final = 12
# What is at fault stops whole accounts. One repository and one cluster would say too little.
_OF_THE_ORGANIZATION: Final = frozenset({"scp_blocks_pull", "rcp_blocks_pull"})

_WAS_WRONG: Final = "What was wrong, as found then"
# Room for the longest word in brackets but `STILL_BROKEN`, and without what flaps, which are rare. So the rest of the
# subject is cut alike for the others.
_TAG: Final = max(len(f"[{word}] ") for word in telling.WORDS.values())


def subject(alert: Alert) -> str:
    """Return one line of printable ASCII, at most 99 characters: the change, severity, cause, image and place.

    Of several causes, it names as many as fit. Mail programs sort and thread by the base subject, without the word in
    brackets (RFC 5256, section 2.1). The base subject stays the same as long as the causes and the severity do; of what
    is resolved in part it is that of what is left. The cause comes early: mail readers cut off the end. Names are
    shortened by whole parts. The subject contains no ARN.
    """
    tag = f"[{telling.word(alert)}] "
    findings = alert.to_mend if alert.is_in_part else [each.finding for each in alert.notices]
    return f"{tag}{_base_subject(findings, SUBJECT - max(_TAG, len(tag)))}"


def body(alert: Alert, *, room: int, style: Style | None = None) -> str:
    """Return the text of an e-mail. Evidence and commands take at most `room` bytes each.

    Reminders have no evidence, and resolved alerts no commands. What is resolved in part has those of what is left.
    """
    style = style or Style()
    hit = [f"  {each}" for each in telling.hit(alert, prose)]
    if alert.is_in_part:
        sections = [
            [telling.headline(alert, prose), *fixes(alert, room, style)],
            ["What is resolved", *(f"  {each}" for each in (*_ended(alert), *changes.fixed_by(alert, prose)))],
            ["Who is hit", *hit],
            ["Proof", *_proof_of_others(alert, room)],
            [_WAS_WRONG, *_proof(alert, room, evidence=False)],
        ]
    elif alert.edge is Edge.RESOLVED:
        first, *rest = _ended(alert)
        known = telling.how_known(alert.notices, known=alert.others_known)
        ended = [f"{telling.opening(alert)} {first}", *rest, *known]
        left, whom = telling.what_is_left(alert, prose), telling.whom(alert, prose)
        sections = [
            [*ended, *left, whom, *changes.fixed_by(alert, prose)],
            ["Who was hit", *hit],
            [_WAS_WRONG, *_proof(alert, room, evidence=False)],
        ]
    else:
        sections = [
            [telling.headline(alert, prose), *fixes(alert, room, style)],
            changes.after_fix(alert, prose),
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


def fixes(alert: Alert, room: int, style: Style) -> list[str]:
    """Return what to do: the fix of each cause that is open, with its commands; without one, with the page about it."""
    findings = alert.to_mend
    share = room // len(findings)
    lines = do_all(alert)
    for finding, step in steps(findings, prose, min(_PARAGRAPH, share)):
        how = _commands(finding, share) or runbook(finding, style)
        lines += [*([""] if len(findings) > 1 else []), step, *how]
    return lines


def _commands(finding: Finding, room: int) -> list[str]:
    fix = finding.remediation
    if not fix.commands:
        return []
    commands = (command_line(each) or "(a command with unprintable characters is left out)" for each in fix.commands)
    return [
        f"Run in {in_place(finding, prose)}:",
        *limit_lines((f"  {each}" for each in commands), size=room, what="commands"),
        *_undo(fix, room),
    ]


def _undo(fix: Remediation, room: int) -> list[str]:
    """Return what takes the commands back, whole or not at all."""
    lines = [line for each in fix.undo if (line := command_line(each))]
    fit = len(lines) == len(fix.undo) == len(take_fitting(lines, size=room))
    return ["To undo it:", *(f"  {each}" for each in lines)] if lines and fit else []


def _what_changed(alert: Alert, room: int) -> list[str]:
    """Return what has changed, behind what to do."""
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
    pages = dict.fromkeys(style.report(each.page) for each in alert.notices)
    yield from (f"  Report: {url}" for url in pages if url)
    for finding in (*(alert.others if alert.is_in_part else ()), *(each.finding for each in alert.notices)):
        yield from (f"  {line}" for line in links(finding, style))
        yield f"  A{home(finding, prose).removeprefix('a')}"
        yield f"  Finding: {_field(finding.id)}"
    for each in alert.notices:
        yield from (f"  {line}" for line in changes.event_ids(each, prose))


def _base_subject(findings: Sequence[Finding], room: int) -> str:
    finding, severity = findings[0], findings[0].severity.value
    names, places = _subject_names(finding), _subject_places(finding)
    first, *others = _subject_causes(findings)
    if others:
        # The causes are worth more than the account: each of them has to go.
        cluster = ascii_line(finding.cluster or "", _FIELD)
        whys = [" + ".join([first, *named]) for named in _cuts(others)]
        wheres = [*places, *([cluster] if cluster and finding.cause not in _OF_THE_ORGANIZATION else [])]
        for why, name, place in product(whys, names, wheres):
            if len(candidate := f"{severity}: {why} ({name}, {place})") <= room:
                return candidate
    if telling.is_of_responder(finding):
        return f"{severity}: {first} ({_subject_home(finding)})"
    if len(full := f"{severity} pull failure: {first} ({names[0]}, {places[0]})") <= room:
        return full
    for name, place in product(names, places):
        if len(candidate := f"{severity}: {first} ({name}, {place})") <= room:
            return candidate
    place = _subject_home(finding)
    named = room - len(f"{severity}: {first} (, {place})")
    if named >= _SHORTEST_NAME:
        return f"{severity}: {first} ({cut(names[-1], named, '...')}, {place})"
    return f"{severity}: {first} ({place})"


def _cuts(others: Sequence[str]) -> list[list[str]]:
    """Return `others`, then fewer and fewer of them with how many are left."""
    shorter = ([*others[:number], f"{len(others) - number} more"] for number in range(len(others) - 1, -1, -1))
    return [list(others), *shorter]


def _subject_causes(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(ascii_line(each.cause.replace("_", " "), _CAUSE) or UNKNOWN for each in findings))


def _subject_names(finding: Finding) -> list[str]:
    """Return what fails, whole and by its last parts: without the team's part, many images have the same name."""
    name = finding.pull.repository or resource_name(finding.resource.id)
    if finding.cause in _OF_THE_ORGANIZATION:
        name = last_name(resource_name(finding.resource.id))
    what = ascii_line(name, _FIELD) or UNKNOWN
    return list(dict.fromkeys((what, last_name(what, parts=2), last_name(what))))


def _subject_places(finding: Finding) -> list[str]:
    """Return where it fails, the longest first."""
    home, cluster = _subject_home(finding), ascii_line(finding.cluster or "", _FIELD)
    if finding.cause in _OF_THE_ORGANIZATION:
        return [home, home.removeprefix("account ")]
    account = home.partition(" ")[0]
    if not cluster:
        return [home, account]
    long = f"cluster {cluster}"
    return [f"{long}, {home}", f"{cluster}, {home}", f"{long}, {account}", f"{cluster}, {account}", home]


def _subject_home(finding: Finding) -> str:
    """Return the account and the region. A policy of the organization is in no region."""
    account = ascii_line(finding.account, 12) or UNKNOWN
    if finding.cause in _OF_THE_ORGANIZATION:
        return f"account {account}"
    return f"{account} {ascii_line(finding.region, 16) or UNKNOWN}"


def prose(text: str, limit: int) -> str:
    """Return `text` as one line of at most `limit` characters without links; empty if nothing of it is printable."""
    return break_urls(one_line(text, limit))


def ascii_line(text: str, limit: int) -> str:
    """Return `text` as one line of printable ASCII, at most `limit` characters."""
    return cut(one_line(text, 10 * limit).encode("ascii", "replace").decode(), limit, "...")


def _field(value: str, limit: int = _FIELD) -> str:
    return prose(value, limit) or UNKNOWN
