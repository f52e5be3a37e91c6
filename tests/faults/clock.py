"""The emulated clock: nobody sleeps, and a hanging call takes its time-out of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Clock:
    """The time in seconds since 1970. Safe to use from several threads."""

    now: float
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> float:
        return self.now

    def datetime(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def wait(self, seconds: float) -> None:
        self.pass_until(self.now + seconds)

    def pass_until(self, then: float) -> float:
        """Let the time pass until `then`, if it has not passed yet. Return the seconds that passed.

        Threads that wait side by side wait as long as the longest of them, not as long as all of them together.
        """
        with self._lock:
            passed = max(0.0, then - self.now)
            self.now += passed
        return passed
