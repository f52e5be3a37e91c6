"""How notices are paced: which are sent by themselves, and which share a digest. Pure functions.

A burst is what people were sent of late. It is forgotten as the minutes pass. After too many notices, and while more
wait, it ends only when none came for ten minutes. There is one for what is broken and one for what is over, because the
one is not to hold up the other (docs/adr/0098-digests-know-of-a-backlog.md).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MINUTE: Final = 60
# What was sent is forgotten at the rate of `digestAbove` in this time. Twice `digestAbove` is remembered at most.
_SECONDS: Final = 5.0 * _MINUTE
_REMEMBERED: Final = 2
# A backlog that drains slowly brings fewer notices than are forgotten. It is a burst all the same until none came for
# this time.
_QUIET_SECONDS: Final = 10.0 * _MINUTE
# Minutes from the first digest to the second, from the second to the third, and so on; then the last one again. So a
# storm of an hour gives seven digests.
_WAITS: Final = (2, 4, 8, 15)
# Within this time after a digest another run does not send one of its own.
_TOGETHER_SECONDS: Final = 45.0
# A notice that was due in a digest this often is sent whatever else was.
_MOST_PUT_OFF: Final = 4
# The first digest of a single notice waits for more until the end of the minute, and for findings that are still being
# recorded.
_AFTER_THE_MINUTE: Final = 5.0
# In a burst, the first notice of a kind is sent by itself, as long as there are not more kinds than this.
_MOST_ALONE: Final = 5
_MOST_KINDS: Final = 50


class Side(StrEnum):
    """What a notice is about: something is broken, or something is over."""

    BROKEN = "broken"
    OVER = "over"


def side_of(edge: Edge) -> Side:
    """Return the side of a notice."""
    return Side.OVER if edge is Edge.RESOLVED else Side.BROKEN


@dataclass(frozen=True, slots=True)
class Burst:
    """What people were sent of late. Times are in seconds since 1970, 0 where they do not apply.

    - `version`: how often its item was written, 0 before the first time.
    - `at`: when a notice was last planned.
    - `level`: how many notices there were of late, at that time.
    - `kinds`: the kinds of these notices.
    - `alone`: how many of them were sent by themselves although there were too many.
    - `digests`, `digest_at`: how many digests were sent, and when the last one was.
    """

    version: int = 0
    at: float = 0
    level: float = 0
    kinds: tuple[str, ...] = ()
    alone: int = 0
    digests: int = 0
    digest_at: float = 0

    def dump(self) -> str:
        """Return it as JSON, without its version."""
        return json.dumps({key: value for key, value in asdict(self).items() if key != "version"})


def read_burst(text: str, *, version: int) -> Burst:
    """Return what `dump` wrote. A new burst if it cannot be read: then people get one message too many."""
    try:
        document = json.loads(text)
        kinds = tuple(str(each) for each in document["kinds"])[:_MOST_KINDS]
        at, level, digest_at = (max(0.0, float(document[key])) for key in ("at", "level", "digest_at"))
        burst = Burst(version, at, level, kinds, int(document["alone"]), int(document["digests"]), digest_at)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return Burst(version)
    is_finite = all(map(math.isfinite, (at, level, digest_at)))
    return burst if is_finite and burst.digests >= 0 else Burst(version)


@dataclass(frozen=True, slots=True)
class Telling:
    """A notice that is to be sent.

    - `id`: the finding's id.
    - `kind`: the edge and the cause.
    - `put_off`: whether it waited for a digest.
    - `tries`: how often a run has claimed it, this time included.
    """

    id: str
    kind: str
    put_off: bool = False
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of each notice, by the finding's id: sent by itself, sent in one digest, or put off until `due`."""

    alone: tuple[str, ...] = ()
    digest: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    due: float = 0


def put_off_until(burst: Burst, kind: str, now: float) -> float | None:
    """Return until when a new notice of `kind` is put off if digests are being sent; None if it has to be planned."""
    if not burst.digests or kind not in burst.kinds:
        return None
    due = _next_digest(burst, now)
    return due if due > now + 1 else None


def plan(burst: Burst, notices: Sequence[Telling], *, now: float, waiting: int, above: int) -> tuple[Burst, Plan]:
    """Return what becomes of `notices`, all of one side, and the burst afterwards.

    - `waiting`: how many more notices may come soon: problems that wait for a diagnosis, resolved findings in their
      hold-down.
    - `above`: the setting `digestAbove`. If there are more notices than this, counted with those of the last minutes
      and with `waiting`, they share digests.
    """
    burst = _forget(burst, now, above, waiting=waiting)
    again = [each for each in notices if each.put_off or each.tries > 1]
    fresh = [each for each in notices if not each.put_off and each.tries <= 1]
    in_digest = [each for each in again if each.put_off]
    alone = [each for each in again if not each.put_off]
    if len(again) > above:
        in_digest, alone = again, []
    number_alone = burst.alone
    if burst.digests or burst.level + len(fresh) + waiting > above:
        first = _first_of_kinds(fresh, burst.kinds)[: max(0, _MOST_ALONE - burst.alone)]
        # Of a kind that comes in numbers, a digest that is sent now says more than one of them.
        only = [each for each in first if sum(other.kind == each.kind for other in fresh) == 1]
        if in_digest or not burst.digests:
            first = only
        in_digest += [each for each in fresh if each not in first]
        alone += first
        number_alone += len(first)
    else:
        alone += fresh
    after = replace(
        burst,
        at=now,
        level=min(burst.level + len(fresh), _REMEMBERED * above),
        kinds=tuple(dict.fromkeys((*burst.kinds, *(each.kind for each in fresh))))[:_MOST_KINDS],
        alone=number_alone,
    )
    told = tuple(each.id for each in alone)
    put = tuple(each.id for each in in_digest)
    if not put:
        return after, Plan(told)
    have_waited = [each for each in in_digest if each.put_off or each.tries > 1]
    if _may_send(burst, have_waited, number=len(put), now=now):
        return replace(after, digests=burst.digests + 1, digest_at=now), Plan(told, put)
    return after, Plan(told, later=put, due=_next_digest(burst, now))


def _forget(burst: Burst, now: float, above: int, *, waiting: int) -> Burst:
    """Return the burst at `now`: a new one if few notices came of late, and none are to come or none came for long.

    A clock that runs ahead, or a hand, may have written a time to come. That counts as now: nothing waits for it.
    """
    passed = max(0.0, now - burst.at)
    level = max(0.0, min(burst.level, _REMEMBERED * above) - passed * above / _SECONDS)
    drains = bool(waiting and (burst.digests or burst.alone))
    if not level and not (drains and passed < _QUIET_SECONDS):
        return Burst(version=burst.version)
    return replace(burst, level=level, digest_at=min(burst.digest_at, now))


def _first_of_kinds(notices: Iterable[Telling], known: Iterable[str]) -> list[Telling]:
    first: dict[str, Telling] = {}
    for each in notices:
        first.setdefault(each.kind, each)
    return [each for kind, each in first.items() if kind not in set(known)]


def _may_send(burst: Burst, have_waited: Sequence[Telling], *, number: int, now: float) -> bool:
    """Return whether a digest of `number` notices is sent now, `have_waited` among them.

    The first one is, if it is of more than one. Each other is sent by the run that finds notices that were put off.
    """
    if any(each.tries > _MOST_PUT_OFF for each in have_waited):
        return True
    if burst.digests and now - burst.digest_at < _TOGETHER_SECONDS:
        return False
    return bool(have_waited) or (not burst.digests and number > 1)


def _next_digest(burst: Burst, now: float) -> float:
    """Return when the next digest is due."""
    if not burst.digests:
        return (now // _MINUTE + 1) * _MINUTE + _AFTER_THE_MINUTE
    return max(now + 1, burst.digest_at + _WAITS[min(burst.digests, len(_WAITS)) - 1] * _MINUTE)
