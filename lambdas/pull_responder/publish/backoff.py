"""Retry delays for an AWS service that throttles or fails, within the time left."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds. Security Hub allows ten imports and three reads a second (User Guide, "Quotas"), so a short wait often
# suffices. A longer wait than the longest would spend the rest of a function's time at once.
_FIRST: Final = 0.5
_LONGEST: Final = 8.0
# Ends the retries after about two minutes of waiting: half of the longest waits, on average. A function may have more
# time than that (up to 15 minutes).
_MOST_TRIES: Final = 30

# Prefixes of error codes that are worth a retry, besides all answers of status 429 or 5xx. LimitExceeded is Security
# Hub's code for throttling. UnprocessedFindings has ConcurrentUpdateError and InternalFailure (API Reference,
# BatchUpdateFindingsUnprocessedFinding). Inference: FailedFindings uses the same codes; only InvalidInput and
# InvalidAccess are documented there.
_RETRYABLE: Final = (
    "Throttling",
    "TooManyRequests",
    "RequestLimitExceeded",
    "LimitExceeded",
    "ConcurrentUpdate",
    "Internal",
    "Service",
)
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


def is_retryable(code: str, status: int = 0) -> bool:
    """Say whether a call that failed with this error code and HTTP status may succeed if it is tried again."""
    return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or code.startswith(_RETRYABLE)


def longest_wait(retries: int, *, first: float, most: float) -> float:
    """Return the seconds of the longest wait after `retries` retries: `first`, twice as long each time, `most` at most.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    return min(most, first * 2.0 ** min(retries, _MOST_TRIES))


def jitter(longest: float) -> float:
    """Return a random wait of up to `longest` seconds: the full jitter of the same article."""
    return random.uniform(0, longest)  # noqa: S311 -- spreads calls over time, and guards nothing


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), and never past the time left.

    - `remaining`: returns the seconds left for all calls and waits. With None there are no waits and no retries.
    - `wait`: sleeps for a number of seconds.
    """

    remaining: Callable[[], float] | None = None
    wait: Callable[[float], None] = time.sleep

    @property
    def is_over(self) -> bool:
        """Whether there is no time left for another call."""
        return self.remaining is not None and self.remaining() <= 0

    def pause(self, tries: int) -> bool:
        """Wait after `tries` failed calls, and return True. Return False at once if it would not fit."""
        longest = longest_wait(tries - 1, first=_FIRST, most=_LONGEST)
        if tries > _MOST_TRIES or self.remaining is None or self.remaining() <= longest:
            return False
        self.wait(jitter(longest))
        return True
