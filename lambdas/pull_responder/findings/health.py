"""What the table holds of the responder's own health: the canaries that were sent, and what the last examination said.

The function `examine` writes these items, and `diagnose` writes into a canary's that its record has come. None is in a
queue of the index, so no run takes them for work. They expire a month after they were written last.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import dacite

from pull_responder.findings.codec import read_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

EXAMINATION: Final = "health/examination"
"""The id of the item about examinations."""

MISSING_AFTER_SECONDS: Final = 1_800
"""A record that has not come after this time is missing."""

_DAY_HOURS: Final = 24
_HOUR_SECONDS: Final = 3_600
# The schedule wakes a run each hour, some seconds sooner or later. Half an hour less is still one of its hours.
_EARLY_SECONDS: Final = 1_800
_EXPIRES_AFTER: Final = 30 * 86_400
# Calls that are remembered: a record may come after the next call was made.
_MOST_SENT: Final = 3
_SHAPE: Final = dacite.Config(cast=[tuple, float], check_types=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """One call that was made for its record. `at` is in seconds since 1970."""

    id: str
    at: float


@dataclass(frozen=True, slots=True)
class Canary:
    """The canaries of one region. Times are in seconds since 1970, 0 where they do not apply.

    - `sent`: the latest calls, the newest last.
    - `missing`: how many calls before the newest, one after the other, have left no record in time.
    - `arrived`: the id of the call whose record came last, empty if none has.
    - `arrived_at`: when it came.
    - `took`: how many seconds after its call.
    """

    region: str
    sent: tuple[Sent, ...] = ()
    missing: int = 0
    arrived: str = ""
    arrived_at: float = 0.0
    took: float = 0.0
    version: int = 0

    @property
    def newest(self) -> Sent | None:
        """The call that was made last."""
        return self.sent[-1] if self.sent else None

    def is_missing(self, now: float) -> bool:
        """Return whether the record of the newest call should have come and has not."""
        newest = self.newest
        return newest is not None and newest.id != self.arrived and now - newest.at >= MISSING_AFTER_SECONDS

    def missed(self, now: float) -> int:
        """Return how many calls, one after the other up to the newest, have left no record in time."""
        return self.missing + 1 if self.is_missing(now) else self.missing

    def send(self, canary_id: str, now: float) -> Canary:
        """Return the canary after one more call."""
        sent = (*self.sent, Sent(canary_id, now))[-_MOST_SENT:]
        return replace(self, sent=sent, missing=self.missed(now))

    def take_back(self, canary_id: str) -> Canary:
        """Return the canary without a call that was not made, or has left nothing to wait for: as it was before."""
        sent = tuple(each for each in self.sent if each.id != canary_id)
        # The call before it counts as missing by its time, and must not be counted twice.
        counted = bool(sent) and sent[-1].id != self.arrived
        return replace(self, sent=sent, missing=max(0, self.missing - counted))

    def arrive(self, canary_ids: frozenset[str], now: float) -> Canary:
        """Return the canary after the records of some calls came. Ids of other calls count for nothing."""
        places = {each.id: place for place, each in enumerate(self.sent)}
        came = [each for each in self.sent if each.id in canary_ids]
        # Records come in any order, and more than once.
        if not came or places[came[-1].id] <= places.get(self.arrived, -1):
            return self
        took = max(0.0, now - came[-1].at)
        return replace(self, missing=0, arrived=came[-1].id, arrived_at=now, took=took)


@dataclass(frozen=True, slots=True)
class Examination:
    """What the last examination said.

    - `at`: when it was, in seconds since 1970; 0 if there was none.
    - `blind_by`: the keys of what made the responder blind and has not been seen to work since; empty if it sees.
    - `unread`: how many examinations, one after the other, found nothing broken that blinds, and left something unread
      that may.
    - `regions`: the regions, besides our own, in which canaries are sent.
    - `unsure`: those of them in which a record that does not come proves nothing.
    """

    at: float = 0.0
    blind_by: tuple[str, ...] = ()
    unread: int = 0
    regions: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    version: int = 0

    def is_due(self, now: float) -> bool:
        """Return whether it is time for another examination.

        It is a day after the last. It is at once while something that blinds is broken, and after the first examination
        that could not read something that may; after the second it is in 2 hours, then in 4, 8 and 16, and in a day.
        """
        if self.unread <= 1 and (self.unread or self.blind_by):
            return True
        hours = min(2 ** (self.unread - 1), _DAY_HOURS) if 0 < self.unread <= _DAY_HOURS else _DAY_HOURS
        return now - self.at >= hours * _HOUR_SECONDS - _EARLY_SECONDS


def canary_item_id(region: str) -> str:
    """Return the id of the item about the canaries of a region."""
    return f"health/canary/{region}"


def canary_item(canary: Canary, *, now: float) -> dict[str, Value]:
    """Return the item of a region's canaries, as the next version."""
    return _item(canary_item_id(canary.region), canary, now)


def read_canary_item(item: Mapping[str, Value] | None, region: str) -> Canary:
    """Return what an item says of a region's canaries. What cannot be read counts for nothing."""
    version = read_version(item) or 0 if item else 0
    try:
        read = dacite.from_dict(Canary, json.loads(item["state"]["S"]) if item else {"region": region}, config=_SHAPE)
    except (KeyError, TypeError, ValueError, RecursionError, dacite.DaciteError):
        return Canary(region, version=version)
    return replace(read, region=region, sent=read.sent[-_MOST_SENT:], version=version)


def examination_item(examination: Examination, *, now: float) -> dict[str, Value]:
    """Return the item about examinations, as the next version."""
    return _item(EXAMINATION, examination, now)


def read_examination(item: Mapping[str, Value] | None) -> Examination:
    """Return what the last examination said. What cannot be read counts for nothing."""
    version = read_version(item) or 0 if item else 0
    try:
        read = dacite.from_dict(Examination, json.loads(item["state"]["S"]) if item else {}, config=_SHAPE)
    except (KeyError, TypeError, ValueError, RecursionError, dacite.DaciteError):
        return Examination(version=version)
    return replace(read, version=version)


def _item(item_id: str, state: Canary | Examination, now: float) -> dict[str, Value]:
    values: dict[str, Any] = asdict(state)
    del values["version"]
    return {
        "id": {"S": item_id},
        "version": {"N": str(state.version + 1)},
        "state": {"S": json.dumps(values, separators=(",", ":"))},
        "expires_at": {"N": str(int(now) + _EXPIRES_AFTER)},
    }
