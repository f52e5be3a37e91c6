"""Alerts and digests as text messages (SMS): what is broken, for whom, how many, and the first thing to do.

A part of a message has 140 bytes: 160 characters of the GSM alphabet, or 70 if only one character is not in it (SNS
Developer Guide, "Publishing SMS messages to a mobile phone"). Of several parts each has 153, because seven go into the
header (3GPP TS 23.040). SNS breaks between words. Here a message has two parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.digest import by_cause, headline, kind
from pull_responder.publish.digest_hit import in_clusters
from pull_responder.publish.telling import NOT_READ, counted, ended, how_it_ended, number_of, opening, whom
from pull_responder.publish.text import break_urls, cut, last_name, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

PARTS: Final = 2
_PART: Final = 153
# Characters of the GSM alphabet. The first is best. The others leave room for what a break between words loses.
_ROOMS: Final = (306, 290, 270, 230)
_TITLE: Final = 90
_NAME: Final = 40
# Characters that are kept for what to do, whatever the names before it are.
_FIX: Final = 120
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
        *said, stopped = _resolved(alert)
        whole = "\n".join([*said, stopped])
        return whole if size(whole) <= room else fit("\n".join(said), room)
    worst, *told = alert.to_mend
    more = [*told, *(() if alert.is_in_part else alert.others)]
    broken = f"{opening(alert)}: {_fault(worst)}"
    heads = [f"{broken}, and {number_of(len(more) + alert.unnamed, 'more cause')}."] if more else [f"{broken}."]
    if len(more) == 1:
        heads = [f"{broken}. Also: {_title(more[0])}.", *heads]
    heads = [f"{head} {whom(alert, _name, brief=brief)}" for head in heads for brief in (False, True)]
    text = _with_fix(heads, worst, "Do this first" if more else "Do this", room)
    if alert.is_in_part:
        first = next(iter(ended(alert, plain)))
        over = f"{text}\nResolved: {first.partition('; ')[0].rstrip('.')}."
        return over if size(over) <= room else text
    return text


def _resolved(alert: Alert) -> Iterator[str]:
    """Yield the lines about what is resolved, the one that can be left out last."""
    more = len(alert.notices) - 1
    yield f"{opening(alert)} {next(iter(ended(alert, plain)))}"
    if more:
        yield f"And {number_of(more, 'more cause')} of the same pulls."
    if not alert.others_known:
        yield NOT_READ
    yield whom(alert, _name, brief=True)


def _digest(notices: Sequence[Notice], room: int) -> str:
    worst = by_cause(notices)[0]
    head = f"DIGEST: {headline(notices, plain)}"
    if (open_one := worst.to_mend) is None:
        name = _name(last_name(resource_name(worst.worst.resource.id)), _NAME)
        return fit(f"{head}\n{name}: {plain(how_it_ended(worst.notices[0]), room)}", room)
    reach = worst.notices[0].reach
    units = "pods" if reach.pod_count else "nodes" if reach.node_count else ""
    stops = f", {counted(reach, units)}" if units else ""
    if worst.is_resolved:  # in few words: what is left has to fit in
        number = sum(each.edge is Edge.RESOLVED and bool(each.others) for each in notices)
        head = f"DIGEST: {len(notices)} {kind(notices)}{in_clusters(notices, plain)}, {number} only in part."
    said = f"{head} {'Still' if worst.is_resolved else 'Worst,'} {open_one.severity.value}: {_fault(open_one)}"
    return _with_fix([f"{said}{stops}.", f"{said}.", head], open_one, "Do this first", room)


def size(text: str) -> int:
    """Return how many characters of the GSM alphabet `text` takes."""
    return sum(2 if each in _EXTENDED else 1 for each in text)


def fit(text: str, room: int) -> str:
    """Return `text`, or as many of its words as take at most `room` characters of the GSM alphabet, and dots."""
    kept = text
    while (over := size(kept) - room) > 0:
        kept = cut(text, len(kept) - (over + 1) // 2, "...")
    return kept


def plain(text: str, limit: int) -> str:
    """Return `text` as one line of the GSM alphabet without links, cut at `limit` characters."""
    return one_line(break_urls(one_line(text, limit)).translate(_PLAIN).encode("ascii", "replace").decode(), 2 * limit)


def _with_fix(heads: Sequence[str], finding: Finding, ask: str, room: int) -> str:
    """Return the first of `heads` that leaves room for what to do, else the last one cut, and what to do."""
    fix = finding.remediation
    place = f"{plain(fix.account, 12) or UNKNOWN} {plain(fix.region, 16) or UNKNOWN}"
    todo = f"{ask} in {place}: {plain(fix.summary, room) or 'see Security Hub.'}"
    for_head = room - min(size(todo), _FIX) - 1
    head = next((each for each in heads if size(each) <= for_head), None) or fit(heads[-1], for_head)
    return f"{head}\n{fit(todo, room - size(head) - 1)}"


def _fault(finding: Finding) -> str:
    return f"{_title(finding)} ({_name(last_name(resource_name(finding.resource.id)), _NAME)})"


def _title(finding: Finding) -> str:
    return plain(finding.title, _TITLE) or plain(finding.cause, _TITLE)


def _name(text: str, limit: int) -> str:
    return plain(text, min(limit, _NAME)) or UNKNOWN
