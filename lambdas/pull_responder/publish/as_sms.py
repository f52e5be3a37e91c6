"""Alerts and digests as text messages (SMS): what is broken, for whom, how many, and what to do.

A part of a message has 140 bytes: 160 characters of the GSM alphabet, or 70 if only one character is not in it (SNS
Developer Guide, "Publishing SMS messages to a mobile phone"). Of several parts each has 153, because seven go into the
header (3GPP TS 23.040). SNS breaks between words. Here a message has two parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.changes import (
    after_fix_in_short,
    deeds_before_end,
    grown_in_short,
    how_it_ended,
    short_deed,
)
from pull_responder.publish.digest import by_cause, each_to_mend, first_of, headline, how_many_ended, kind, what_is_left
from pull_responder.publish.digest_hit import whom_together
from pull_responder.publish.faults import all_faults
from pull_responder.publish.steps import all_of, in_short, is_of_organization, names_its_place
from pull_responder.publish.telling import (
    NOT_READ,
    NOT_SEEN,
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
_CLUSTERS: Final = 3
# Fewer characters of a step than these say too little of it.
_STEP: Final = 40
_SHORTER: Final = {NOT_SEEN: "Nothing to run: pods try again within 5 minutes. No pull was seen to succeed yet."}
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
    findings = [*alert.to_mend, *(() if alert.is_in_part else alert.others)]
    over = [_what_is_over(alert)] if alert.is_in_part else []
    return _asking(alert, findings, [*over, *after_fix_in_short(alert, plain)], room)


def _asking(alert: Alert, findings: Sequence[Finding], ends: Sequence[Sequence[str]], room: int) -> str:
    """Return what is broken, for whom, and what to do about `findings`; behind it `ends`, as in `_with_ends`."""
    number, grown = len(findings) + alert.unnamed, grown_in_short(alert, plain)
    brief = whom(alert, _name, brief=True)
    who = " ".join(filter(None, [brief, grown]))
    if number > 1:
        heads = [*(f"{opening(alert)}: {each}. {who}" for each in _causes(findings, number))]
        heads.append(f"{opening(alert)}, {number} causes: {who}")
        return _with_ends(_with_steps(heads, findings, all_of(number), ends, room), ends, room)
    said = f"{opening(alert)}: {_fault(findings[0])}."
    named = [] if grown or ends else [f"{said} {whom(alert, _name)}"]
    heads = [*named, f"{said} {who}", f"{said} {brief}", f"{opening(alert)}: {_title(findings[0])}. {brief}"]
    text = _with_fix(list(dict.fromkeys(heads)), findings[0], "Do this", room, ends)
    return _with_ends(text, [*ends, *_worst_clusters(alert)], room)


def _worst_clusters(alert: Alert) -> list[list[str]]:
    """Return the line that names the clusters with the most failures, where there are several, and shorter ones."""
    reach = alert.reach
    if reach.cluster_count <= 1 or len(reach.cluster_events) != len(reach.clusters):
        return []
    names = [_name(each, _NAME) for each in reach.clusters[:_CLUSTERS]]
    return [[f"Worst hit: {', '.join(names[:number])}." for number in range(len(names), 0, -1)]]


def _with_ends(text: str, ends: Sequence[Sequence[str]], room: int) -> str:
    """Return `text` with those of `ends` that fit behind it, a line each; of each the first form that does."""
    for forms in ends:
        lines = (f"{text}\n{each}" for each in forms)
        text = next((each for each in lines if size(each) <= room), text)
    return text


def _what_is_over(alert: Alert) -> list[str]:
    """Return the line about what is resolved while something else stops the pulls, and the same in fewer words."""
    ending = plain(how_it_ended(alert.worst).partition("; ")[0].partition(" since ")[0], _OVER).rstrip(".")
    number = len(alert.notices)
    more = f", and {number - 1} more" if number > 1 else ""
    said = f"Already fixed: {ending or _name(alert.worst.finding.title, _NAME)}{more}."
    return [said, f"Already fixed: {number_of(number, 'other cause')}."]


def _resolved(alert: Alert, room: int) -> str:
    """Return what is over: for whom, since when, by whose change. What is less needed is told if it fits."""
    worst, more = alert.worst.finding, len(alert.notices) - 1
    said = [f"{opening(alert)} in {_place(worst.account, worst)}: {whom(alert, _name, brief=True)}"]
    tail = [f"And {number_of(more, 'more cause')} of the same pulls."] if more else []
    tail += [] if alert.others_known else [NOT_READ]
    end, *_ = ended(alert, plain)
    known = [_SHORTER.get(each, each) for each in how_known(alert.notices, known=alert.others_known)]
    said.append(fit(end, max(room - size("\n".join([*said, *known, *tail])) - 1, _STEP)))
    is_last = alert.others_known and not is_of_responder(worst)
    for each in (*known, *_last_deed(alert.notices), *([NOTHING_LEFT] if is_last else [])):
        if size("\n".join([*said, each, *tail])) <= room:
            said.append(each)
    return fit("\n".join([*said, *tail]), room)


def _causes(findings: Sequence[Finding], number: int) -> list[str]:
    """Return what names `findings`, the best first.

    `number` is how many causes there are, with those that are not among `findings`.
    """
    words = [plain(each.cause, _NAME).replace("_", " ") for each in findings]
    more = f" and {number - len(words)} more" if number > len(words) else ""
    return [all_faults(findings, _words, unnamed=number - len(findings)), f"{', '.join(words)}{more}"]


def _with_steps(
    heads: Sequence[str], findings: Sequence[Finding], ask: str, ends: Sequence[Sequence[str]], room: int
) -> str:
    """Return what is broken and what to do about each cause, as far as it fits: who makes one fix needs the others.

    What is broken is the first of `heads` that leaves room for each fix, whole, and for the first of `ends`, or at
    least for each fix; else that which leaves room for something of each, else the last.
    """
    places = [_of_fix(each) for each in findings]
    is_one = len(set(places)) == 1 and bool(places[0])
    is_same = len({each.resource.id for each in findings}) == 1
    lines = [f"{ask} in {places[0]}:" if is_one else f"{ask}:"]
    steps, named = [], []
    for number, (finding, place) in enumerate(zip(findings, places, strict=True), 1):
        fix = finding.remediation
        todo = plain(fix.short or fix.summary, room) if is_same else in_short(finding, plain, room)
        ask_in = f"{number}. {f'In {place}: ' if place and not is_one else ''}"
        steps.append(f"{ask_in}{todo or _fault(finding)}")
        name = _name(last_name(resource_name(finding.resource.id)), _NAME)
        named.append("" if is_same or fix.short or todo.startswith(name) else f"{ask_in}{name}: {todo}")
    # The first step has most of the room, and each of the others enough to say what it is about.
    least = [min(size(step), _STEP if number else _FIX) for number, step in enumerate(steps)]
    whole, some = (size(lines[0]) + sum(each + 1 for each in taken) + 1 for taken in (map(size, steps), least))
    head = _first_fitting(heads, (whole + _first_end(ends), whole), room)
    head = head or _first_fitting(heads[:-1], (some,), room) or fit(heads[-1], max(room - _FIX, _HEAD))
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


def _first_fitting(heads: Sequence[str], needed: Sequence[int], room: int) -> str:
    """Return the first of `heads` that leaves as much of `room` as is `needed`, or as the next; empty if none does."""
    return next((each for number in needed for each in heads if size(each) + number <= room), "")


def _first_end(ends: Sequence[Sequence[str]]) -> int:
    """Return the room that the first of `ends` takes in its shortest form."""
    return size(ends[0][-1]) + 1 if ends else 0


def _digest(notices: Sequence[Notice], room: int) -> str:
    if left := what_is_left(notices):
        return _asking(left, left.others, [[_how_many_ended(notices, left)]], room)
    head = f"DIGEST: {headline(notices, plain)}"
    causes = by_cause(notices)
    worst, named = causes[0], ", ".join(f"{each.count} {plain(each.cause, _NAME).replace('_', ' ')}" for each in causes)
    if (open_one := worst.to_mend) is None:
        return _digest_of_ends(head, named, worst.notices[0], room)
    if todo := each_to_mend(causes):
        number, who = len(notices), whom_together(notices, plain)
        where = f"DIGEST: {number} {kind(notices)}, {worst.severity.value}: "
        heads = [f"{where}{each}. {who[:1].upper()}{who[1:]}" for each in _causes(todo, len(todo))]
        heads += [f"{where}{who}", f"DIGEST of {number}, {worst.severity.value}: {who}"]
        return _with_steps(heads, todo, all_of(len(todo)), (), room)
    reach = worst.notices[0].reach
    units = "pods" if reach.pod_count else "nodes" if reach.node_count else ""
    stops = f", {counted(reach, units)}" if units else ""
    said = f"{head} Worst, {open_one.severity.value}: {_fault(open_one)}"
    of_causes = f" of {number_of(len({each.finding.cause for each in notices}), 'cause')}"
    others = [f"{_title(each.to_mend)}" for each in causes[1:] if each.to_mend]
    also = []
    if others:
        also = [f"{each}. Also: {', '.join(others)}." for each in (said + stops, said.replace(of_causes, "", 1))]
    return _with_fix([*also, f"{said}{stops}.", f"{said}.", head], open_one, f"Do this{first_of(causes)}", room)


def _how_many_ended(notices: Sequence[Notice], left: Alert) -> str:
    """Return the line of a digest that says how many are resolved, and what is left beside `left`."""
    more = len({each.id for notice in notices for each in notice.others} - {each.id for each in left.others})
    also = f"{number_of(more, 'more cause')} still {'stops' if more == 1 else 'stop'} pulls. " if more else ""
    return f"{also}Findings: {how_many_ended(notices)}."


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


def _with_fix(heads: Sequence[str], finding: Finding, ask: str, room: int, ends: Sequence[Sequence[str]] = ()) -> str:
    """Return the first of `heads` that leaves room for what to do, else the last one cut, and what to do.

    Room for the first of `ends` is left if it can be. What to do has `_FIX` characters at least, if it is as long.
    """
    place = _of_fix(finding)
    summary = plain(finding.remediation.short or finding.remediation.summary, room) or "see Security Hub."
    todo = f"{ask}{f' in {place}' if place else ''}: {summary}"
    needed, least = size(todo) + 1, min(size(todo), _FIX) + 1
    head = _first_fitting(heads, (needed + _first_end(ends), needed, least), room) or fit(heads[-1], room - least)
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
