"""A finding that is resolved and comes back again and again: it waits longer each time, and people hear so once.

Pure functions. A break is the time at which a resolved finding came back, in seconds since 1970
(docs/adr/0099-flapping.md).
"""

from __future__ import annotations

from typing import Final

from pull_responder.findings.clock import minute

IT_FLAPS: Final = "It is flapping:"
"""How the words begin that people are told of a finding that flaps."""

_MINUTE: Final = 60
_HOUR: Final = 3_600
# Breaks count for this long.
_COUNTED_SECONDS: Final = 6 * _HOUR
# So many breaks within that time are flapping.
_FLAPPING: Final = 2
# A finding that came back this soon, before anybody heard that it was over, was not over: AWS shows a change late.
_TOO_SOON_SECONDS: Final = 2 * _MINUTE
# The hold-down after the first break, and of a finding that flaps. The second bounds the messages: see the ADR.
_LONGER_MINUTES: Final = 20
_LONGEST_MINUTES: Final = 240
_MOST_BREAKS: Final = 20


def add_break(breaks: tuple[float, ...], now: float, *, resolved_for: float, was_told: bool) -> tuple[float, ...]:
    """Return the breaks that count at `now`, with this one.

    - `resolved_for`: the seconds for which the finding was resolved.
    - `was_told`: whether people have heard, or may have heard, that it was resolved.
    """
    recent = tuple(each for each in breaks if 0 <= now - each <= _COUNTED_SECONDS)
    if not was_told and resolved_for < _TOO_SOON_SECONDS:
        return recent
    return (*recent, now)[-_MOST_BREAKS:]


def is_flapping(breaks: tuple[float, ...], now: float) -> bool:
    """Return whether the finding flaps: it has come back twice within six hours."""
    return _number(breaks, now) >= _FLAPPING


def hold_down_seconds(breaks: tuple[float, ...], now: float, *, minutes: int) -> float:
    """Return how long a finding that is resolved at `now` must hold before people hear of it, in seconds.

    `minutes` is the setting `holdDownMinutes`, which is for findings that have not come back.
    """
    number = _number(breaks, now)
    if number >= _FLAPPING:
        return max(minutes, _LONGEST_MINUTES) * _MINUTE
    return (max(minutes, _LONGER_MINUTES) if number else minutes) * _MINUTE


def flapping_words(breaks: tuple[float, ...], *, minutes: int) -> str:
    """Return what people are told of a finding that flaps. `minutes` is as in `hold_down_seconds`."""
    hours = max(minutes, _LONGEST_MINUTES) / 60
    return (
        f"{IT_FLAPS} after it was resolved it came back {len(breaks)} times, first at {minute(breaks[0])}. "
        f"You do not hear of each time. "
        f"RESOLVED comes once it has stayed resolved for {hours:g} hours."
    )


def _number(breaks: tuple[float, ...], now: float) -> int:
    return sum(now - each <= _COUNTED_SECONDS for each in breaks)
