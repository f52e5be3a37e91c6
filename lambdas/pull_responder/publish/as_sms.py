"""Alerts and digests as text messages (SMS): what is broken, for whom, how many, and what to do.

A part of a message has 140 bytes: 160 characters of the GSM alphabet, or 70 if only one character is not in it (SNS
Developer Guide, "Publishing SMS messages to a mobile phone"). Of several parts each has 153, because seven go into the
header (3GPP TS 23.040). SNS breaks between words. Here a message has two parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.changes import before_fix_in_short, deeds_before_end, how_it_ended, short_deed
from pull_responder.publish.digest import by_cause, each_to_mend, first_of, headline, kind
from pull_responder.publish.digest_hit import in_clusters
from pull_responder.publish.faults import all_faults
from pull_responder.publish.steps import all_of, is_of_organization, names_its_place, what_to_do
from pull_responder.publish.telling import (
    NOT_READ,
    NOTHING_LEFT,
    counted,
    ended,
    how_known,
    is_of_responder,
    opening,
    whom,
)
from pull_responder.publish.text import break_urls, cut, last_name, number_of, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

PARTS: Final = 2
_PART: Final = 153
# Characters of the GSM alphabet. The first is best. The others leave room for what a break between words loses.
_ROOMS: Final = (*range(306, 264, -6), 250, 230)
_TITLE: Final = 90
_NAME: Final = 40
# Characters that are kept for what to do, whatever the names before it are.
_FIX: Final = 120
# What is broken has so many, however many what is over takes.
_HEAD: Final = 70
_OVER: Final = 60
# Fewer characters of a step than these say too little of it.
_STEP: Final = 40
_NOT_SEEN: Final = "No pull was seen to succeed yet."
# These take two characters' room each (3GPP TS 23.038). All other printable ASCII is in the alphabet, but "`" is not.
_EXTENDED: Final = frozenset("^{}\\[~]|")
_PLAIN: Final = str.maketrans({"`": "'", "\N{MULTIPLICATION SIGN}": "x", "\N{HORIZONTAL ELLIPSIS}": "..."})


def alert_text(alert: Alert) -> str:
    """Return the text message about `alert`."""
    return _in_parts(lambda room: _alert(alert, room))


def digest_text(notices: Sequence[Notice]) -> str:
    """Return the text message about `notices`, at least one: how many, where, and the worst with what to do."""
    return _in_parts(lambda room: _digest(notices, room))


def parts(text: str) -> int:
    """Return in how many parts `text` is sent if each break is between words. Inference: SNS fills each part."""
    number, used = 1, 0
    for each in text.replace("\n", "\n ").split(" "):
        needed = size(each) + 1
        if used + needed - 1 > _PART:
            number, used = number + 1, 0
        used += needed
    return number


def _in_parts(write: Callable[[int], str]) -> str:
    texts = [write(room) for room in _ROOMS]
    return next((text for text in texts if parts(text) <= PARTS), texts[-1])


def _alert(alert: Alert, room: int) -> str:
    if not alert.to_mend:
        return _resolved(alert, room)
    over = f"\n{_what_is_over(alert)}" if alert.is_in_part else ""
    room -= size(over)
    findings = [*alert.to_mend, *(() if alert.is_in_part else alert.others)]
    number, first = len(findings) + alert.unnamed, before_fix_in_short(alert, plain)
    if number > 1:
        who = f". {' '.join([whom(alert, _name, brief=True), *first[:1]])}"
        heads = [f"{opening(alert)}{each}{who}" for each in _causes(findings, number)]
        return _with_steps(heads, findings, all_of(number), room) + over
    said = f"{opening(alert)}: {_fault(findings[0])}."
    brief = whom(alert, _name, brief=True)
    heads = [f"{said} {brief} {each}" for each in first] if first else [f"{said} {whom(alert, _name)}"]
    heads.append(f"{said} {brief}")
    heads += [f"{opening(alert)}: {_title(findings[0])}. {brief}"] if over else []
    return _with_fix(heads, findings[0], "Do this", room, least=_FIX - size(over) // 2) + over


def _what_is_over(alert: Alert) -> str:
    """Return the line about what is resolved while something else stops the pulls, in few words."""
    ending = plain(how_it_ended(alert.worst).partition("; ")[0].partition(" since ")[0], _OVER).rstrip(".")
    more = len(alert.notices) - 1
    return f"Resolved: {ending or _name(alert.worst.finding.title, _NAME)}{f', and {more} more' if more else ''}."


def _resolved(alert: Alert, room: int) -> str:
    """Return what is over: for whom, since when, by whose change. What is less needed is told if it fits."""
    worst, more = alert.worst.finding, len(alert.notices) - 1
    said = [f"{opening(alert)} in {_place(worst.account, worst)}: {whom(alert, _name, brief=True)}"]
    tail = [f"And {number_of(more, 'more cause')} of the same pulls."] if more else []
    tail += [] if alert.others_known else [NOT_READ]
    end = next(iter(ended(alert, plain)))
    said.append(fit(end, max(room - size("\n".join([*said, *tail])) - 1, _STEP)))
    known = [_NOT_SEEN] if how_known(alert.notices) else []
    is_last = alert.others_known and not is_of_responder(worst)
    for each in (*_last_deed(alert.notices), *known, *([NOTHING_LEFT] if is_last else [])):
        if size("\n".join([*said, each, *tail])) <= room:
            said.append(each)
    return fit("\n".join([*said, *tail]), room)


def _causes(findings: Sequence[Finding], number: int) -> list[str]:
    """Return what names `findings` after the first words of a message, the best first, and last what only counts them.

    `number` is how many causes there are, with those that are not among `findings`.
    """
    words = [plain(each.cause, _NAME).replace("_", " ") for each in findings]
    more = f" and {number - len(words)} more" if number > len(words) else ""
    faults = all_faults(findings, _words, unnamed=number - len(findings))
    return [f": {faults}", f": {', '.join(words)}{more}", f": {number} causes"]


def _with_steps(heads: Sequence[str], findings: Sequence[Finding], ask: str, room: int) -> str:
    """Return what is broken and what to do about each cause, as far as it fits: who makes one fix needs the others.

    What is broken is the first of `heads` that leaves room for something of each fix, else the last.
    """
    places = [_of_fix(each) for each in findings]
    is_one = len(set(places)) == 1 and bool(places[0])
    is_same = len({each.resource.id for each in findings}) == 1
    lines = [f"{ask} in {places[0]}:" if is_one else f"{ask}:"]
    steps, named = [], []
    for number, (finding, place) in enumerate(zip(findings, places, strict=True), 1):
        todo = plain(finding.remediation.summary, room) if is_same else what_to_do(finding, plain, room)
        ask_in = f"{number}. {f'In {place}: ' if place and not is_one else ''}"
        steps.append(f"{ask_in}{todo or _fault(finding)}")
        name = _name(last_name(resource_name(finding.resource.id)), _NAME)
        named.append("" if is_same or todo.startswith(name) else f"{ask_in}{name}: {todo}")
    # The first step has most of the room, and each of the others enough to say what it is about.
    least = [min(size(step), _STEP if number else _FIX) for number, step in enumerate(steps)]
    needed = [size(lines[0]) + sum(each + 1 for each in taken) + 1 for taken in (map(size, steps), least)]
    head = next((each for number in needed for each in heads[:-1] if size(each) + number <= room), None)
    head = head or fit(heads[-1], max(room - _FIX, _HEAD))
    for number, (step, with_name) in enumerate(zip(steps, named, strict=True)):
        left = room - size("\n".join([head, *lines])) - 1 - sum(each + 1 for each in least[number + 1 :])
        if size(step) <= left:
            lines.append(step)
        elif left >= _STEP:
            # What is cut may be the name of what it is about, which then stands before it.
            lines.append(fit(with_name or step, left))
        else:
            break
    return "\n".join([head, *lines])


def _digest(notices: Sequence[Notice], room: int) -> str:
    head = f"DIGEST: {headline(notices, plain)}"
    of_causes = f" of {number_of(len({each.finding.cause for each in notices}), 'cause')}"
    causes = by_cause(notices)
    worst, named = causes[0], ", ".join(f"{each.count} {plain(each.cause, _NAME).replace('_', ' ')}" for each in causes)
    if (open_one := worst.to_mend) is None:
        return _digest_of_ends(head, named, worst.notices[0], room)
    if (todo := each_to_mend(causes)) and not worst.is_resolved:
        where = f"DIGEST: {len(notices)} {kind(notices)}{in_clusters(notices, plain)}"
        heads = [f"{where}{each}." for each in _causes(todo, len(todo))[:-1]]
        return _with_steps([*heads, f"{where}."], todo, all_of(len(todo)), room)
    reach = worst.notices[0].reach
    units = "pods" if reach.pod_count else "nodes" if reach.node_count else ""
    stops = f", {counted(reach, units)}" if units else ""
    if worst.is_resolved:  # in few words: what is left has to fit in
        number = sum(each.is_in_part for each in notices)
        head = f"DIGEST: {len(notices)} {kind(notices)}{in_clusters(notices, plain)}, {number} only in part."
    said = f"{head} {'Still' if worst.is_resolved else 'Worst,'} {open_one.severity.value}: {_fault(open_one)}"
    more = worst.left_count - 1 if worst.is_resolved else 0
    said += f", and {number_of(more, 'more cause')}" if more else ""
    others = [f"{_title(each.to_mend)}" for each in causes[1:] if each.to_mend]
    also = []
    if others and not more:
        also = [f"{each}. Also: {', '.join(others)}." for each in (said + stops, said.replace(of_causes, "", 1))]
    return _with_fix([*also, f"{said}{stops}.", f"{said}.", head], open_one, f"Do this{first_of(causes)}", room)


def _digest_of_ends(head: str, named: str, first: Notice, room: int) -> str:
    """Return the text of a digest of what is over: which causes, and how the first ended, by whose change."""
    name = _name(last_name(resource_name(first.finding.resource.id)), _NAME)
    ended = f"{name}: {plain(how_it_ended(first), room)}"
    by = _last_deed([first])
    said = [f"{head} {named}.", ended] if size(f"{head} {named}.\n{ended}") <= room else [head, ended]
    return "\n".join([*said, *by]) if size("\n".join([*said, *by])) <= room else fit("\n".join(said), room)


def _last_deed(notices: Sequence[Notice]) -> list[str]:
    """Return who changed a resource last before it was resolved, a line if CloudTrail told of one."""
    finding, last = notices[0].finding, deeds_before_end(notices)[-1:]
    return [f"Changed before the end: {short_deed(each, finding, plain, brief=True)}." for each in last]


def size(text: str) -> int:
    """Return how many characters of the GSM alphabet `text` takes."""
    return sum(2 if each in _EXTENDED else 1 for each in text)


def fit(text: str, room: int) -> str:
    """Return `text`, or as many of its words as take at most `room` characters of the GSM alphabet, and dots."""
    if room < len("..."):
        return ""
    kept, limit = text, len(text)
    while (over := size(kept) - room) > 0:
        # A character takes two at most. With three characters, the dots are all that is left, and they fit.
        limit = max(min(limit, len(kept)) - (over + 1) // 2, len("..."))
        kept = cut(text, limit, "...") if len(text) > limit else "..."
    return kept


def plain(text: str, limit: int) -> str:
    """Return `text` as one line of the GSM alphabet without links, cut at `limit` characters."""
    return one_line(break_urls(one_line(text, limit)).translate(_PLAIN).encode("ascii", "replace").decode(), 2 * limit)


def _with_fix(heads: Sequence[str], finding: Finding, ask: str, room: int, *, least: int = _FIX) -> str:
    """Return the first of `heads` that leaves room for what to do, else the last one cut, and what to do.

    What to do has `least` characters at least, if it is as long.
    """
    place = _of_fix(finding)
    summary = plain(finding.remediation.summary, room) or "see Security Hub."
    todo = f"{ask}{f' in {place}' if place else ''}: {summary}"
    for_head = room - min(size(todo), least) - 1
    head = next((each for each in heads if size(each) <= for_head), None) or fit(heads[-1], for_head)
    return f"{head}\n{fit(todo, room - size(head) - 1)}"


def _of_fix(finding: Finding) -> str:
    """Return where to make the fix; empty if the fix says so itself."""
    return "" if names_its_place(finding) else _place(finding.remediation.account, finding, finding.remediation.region)


def _place(account: str, finding: Finding, region: str = "") -> str:
    if is_of_organization(finding):
        return f"account {plain(account, 12) or UNKNOWN}"
    return f"{plain(account, 12) or UNKNOWN} {plain(region or finding.region, 16) or UNKNOWN}"


def _fault(finding: Finding) -> str:
    return f"{_title(finding)} ({_name(last_name(resource_name(finding.resource.id)), _NAME)})"


def _title(finding: Finding) -> str:
    return plain(finding.title, _TITLE) or plain(finding.cause, _TITLE)


def _name(text: str, limit: int) -> str:
    return plain(text, min(limit, _NAME)) or UNKNOWN


def _words(text: str, limit: int) -> str:
    return plain(text, min(limit, _TITLE))
