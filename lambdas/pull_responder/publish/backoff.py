"""Waiting for an AWS service that is busy, within the time there is for it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds. Security Hub allows ten imports and three reads a second (User Guide, "Quotas"), so that the first waits are
# often enough; longer ones than the last would spend the rest of a function's time on a single wait.
_FIRST: Final = 0.5
_LONGEST: Final = 8.0

# The error codes that another try can end, besides all answers of status 429 or 5xx. LimitExceeded is Security Hub's
# word for throttling; ConcurrentUpdateError and InternalFailure stand in UnprocessedFindings (API Reference,
# BatchUpdateFindingsUnprocessedFinding). Inference: FailedFindings uses the same words; only InvalidInput and
# InvalidAccess are documented there.
_PASSING: Final = (
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


def passes(code: str, status: int = 0) -> bool:
    """Say whether an error of this code and HTTP status can be gone the next time."""
    return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or code.startswith(_PASSING)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), and never past the time left.

    `remaining` gives the seconds there are for all that is done; without it nothing is waited for. `wait` sleeps.
    """

    remaining: Callable[[], float] | None = None
    wait: Callable[[float], None] = time.sleep

    @property
    def is_over(self) -> bool:
        """Whether there is no time left for another call."""
        return self.remaining is not None and self.remaining() <= 0

    def pause(self, tries: int) -> bool:
        """Wait after `tries` calls that failed, and return True; False, at once, if the longest wait would not fit."""
        longest = min(_LONGEST, _FIRST * 2 ** (tries - 1))
        if self.remaining is None or self.remaining() <= longest:
            return False
        self.wait(random.uniform(0, longest))  # noqa: S311 -- spreads calls over time, and guards nothing
        return True
