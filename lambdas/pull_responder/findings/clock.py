"""Times and spans for people, to the minute, in UTC; and when the failures of a finding began."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pull_responder.findings.problem import seconds_of

if TYPE_CHECKING:
    from pull_responder.findings.reach import Reach

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def began_at(reach: Reach, opened_at: float) -> float:
    """Return when the failures of a finding began that opened at `opened_at`, both in seconds since 1970.

    That is the first failure seen, if it is at most an hour older than the finding. The failures of a problem are
    counted for as long as it is kept: an older one may have had another cause, or be of the time before it came back.
    """
    first = seconds_of(reach.first_seen_at)
    return first if first is not None and 0 <= opened_at - first <= _HOUR else opened_at


def minute(seconds: float) -> str:
    """Return a time in seconds since 1970 as "2026-11-23 01:03 UTC"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def span(seconds: float) -> str:
    """Return a span as people say it: "19 minutes", "3 hours 5 minutes", "2 days 4 hours". A negative one is short."""
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return _count(seconds // _MINUTE, "minute")
    if seconds < _DAY:
        return _two(seconds // _HOUR, "hour", seconds % _HOUR // _MINUTE, "minute")
    return _two(seconds // _DAY, "day", seconds % _DAY // _HOUR, "hour")


def _two(large: float, one: str, small: float, other: str) -> str:
    return _count(large, one) + (f" {_count(small, other)}" if small else "")


def _count(number: float, unit: str) -> str:
    return f"{int(number)} {unit}{'' if number == 1 else 's'}"
