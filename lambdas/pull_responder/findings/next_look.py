"""When an open finding is due for its next look, so that it is looked at every `recheck_minutes`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.settings import Settings

# What is due waits for the next run of the schedule, and there for its turn: thousands of findings that opened together
# are due together.
_TURN_SECONDS: Final = 60.0
# Where the schedule runs about as seldom as findings are to be looked at, each of its runs looks at them, and no more.
_MOST_OF_THE_TIME: Final = 0.5


def next_look_at(now: float, settings: Settings) -> float:
    """Return when a finding that was looked at `now` is due again. Times are in seconds since 1970.

    It is due before `recheck_minutes` are over, by the time that it may have to wait, but by no more than half of them
    (docs/adr/0128-due-before-it-is-late.md).
    """
    between = settings.recheck_minutes * 60
    waits = settings.recheck_rate_minutes * 60 + _TURN_SECONDS
    return now + between - min(waits, between * _MOST_OF_THE_TIME)
