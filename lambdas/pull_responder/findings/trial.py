"""What the table holds of test events: when the last ones were answered, and what came of each.

A function writes these items and the terminal reads them. None is in a queue of the index, so no run takes them for
work. They expire within the hour.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import dacite

from pull_responder.findings.codec import read_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

PACE: Final = "test/pace"
"""The id of the item with the times of the last answers, and which tests those were."""

SECONDS_BETWEEN: Final = 60
MOST_AN_HOUR: Final = 10

_HOUR: Final = 3_600
# Clocks differ by less. A time that lies further ahead was written by somebody else, and holds up nothing.
_AHEAD: Final = 60
_MOST_STATIONS: Final = 10
_SHAPE: Final = dacite.Config(cast=[tuple, StrEnum], check_types=True)


class Place(StrEnum):
    """A station behind the function."""

    TABLE = "table"
    TOPIC = "topic"
    FILTERED_TOPIC = "filtered_topic"
    SECURITY_HUB = "security_hub"


class Outcome(StrEnum):
    """What a station did with the test."""

    WORKED = "worked"
    REFUSED = "refused"  # or gave no answer
    NOT_TRIED = "not_tried"  # the function had no time left
    OFF = "off"  # the settings leave it out


@dataclass(frozen=True, slots=True)
class Station:
    """One station. Of what was refused, `action` is the IAM action and `reason` is AWS's, one line."""

    place: Place
    outcome: Outcome
    action: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What came of a test event.

    - `began`: when a function took it, in seconds since 1970.
    - `is_done`: whether the function has come to the end. What it has not reached is not among the stations.
    - `version`: how often the item was written.
    """

    id: str
    began: float
    stations: tuple[Station, ...] = ()
    is_done: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """When a test event was taken, in seconds since 1970, and its id; empty if that is not known."""

    at: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """Which test events were taken, and when. At most one a minute is, and ten an hour."""

    answers: tuple[Answer, ...] = ()
    version: int = 0

    def has(self, trial_id: str) -> bool:
        """Return whether a test event is among those that were taken."""
        return any(each.id == trial_id for each in self.answers)

    def wait(self, now: float) -> float:
        """Return in how many seconds the next one is answered. 0: now."""
        latest = [each.at for each in self._of_the_hour(now)]
        waits = [latest[-1] + SECONDS_BETWEEN - now] if latest else []
        if len(latest) >= MOST_AN_HOUR:
            waits.append(latest[-MOST_AN_HOUR] + _HOUR - now)
        return max(0.0, *waits) if waits else 0.0

    def add(self, answer: Answer) -> Pace:
        """Return the pace after one more answer."""
        return replace(self, answers=(*self._of_the_hour(answer.at), answer)[-MOST_AN_HOUR:])

    def _of_the_hour(self, now: float) -> list[Answer]:
        counted = [each for each in self.answers if now - _HOUR < each.at <= now + _AHEAD]
        return sorted(counted, key=lambda each: each.at)


def item_id(trial_id: str) -> str:
    """Return the id of the item of a test event."""
    return f"test/{trial_id}"


def pace_item(pace: Pace, *, now: float) -> dict[str, Value]:
    """Return the item of a pace, as the next version."""
    return {
        "id": {"S": PACE},
        "version": {"N": str(pace.version + 1)},
        "times": {"S": json.dumps([round(each.at, 3) for each in pace.answers])},
        "ids": {"S": json.dumps([each.id for each in pace.answers])},
        "expires_at": {"N": str(int(now) + _HOUR)},
    }


def read_pace(item: Mapping[str, Value]) -> Pace:
    """Return the pace in an item. What cannot be read counts for nothing."""
    version = read_version(item) or 0
    try:
        times = [float(each) for each in json.loads(item["times"]["S"])[-MOST_AN_HOUR:]]
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return Pace(version=version)
    ids = _ids_of(item)
    # A time counts whether or not it is known whose it is.
    ids = ids if len(ids) == len(times) else [""] * len(times)
    return Pace(tuple(map(Answer, times, ids)), version)


def _ids_of(item: Mapping[str, Value]) -> list[str]:
    try:
        return [each if isinstance(each, str) else "" for each in json.loads(item["ids"]["S"])[-MOST_AN_HOUR:]]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []


def record_item(record: Record) -> dict[str, Value]:
    """Return the item of a test event, as the next version."""
    return {
        "id": {"S": item_id(record.id)},
        "version": {"N": str(record.version + 1)},
        "began": {"N": f"{record.began:.3f}"},
        "done": {"BOOL": record.is_done},
        "stations": {"S": json.dumps([asdict(each) for each in record.stations], separators=(",", ":"))},
        "expires_at": {"N": str(int(record.began) + _HOUR)},
    }


def read_record(item: Mapping[str, Value]) -> Record | None:
    """Return what an item says of a test event; None if it cannot be read."""
    try:
        stations = json.loads(item["stations"]["S"])
        return Record(
            id=str(item["id"]["S"]).removeprefix("test/"),
            began=float(item["began"]["N"]),
            stations=tuple(dacite.from_dict(Station, each, config=_SHAPE) for each in stations[:_MOST_STATIONS]),
            is_done=item["done"]["BOOL"] is True,
            version=read_version(item) or 0,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, dacite.DaciteError):
        return None
