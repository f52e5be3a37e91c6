"""Whose turn it is: of all that have a clock, the one that is furthest behind."""

from __future__ import annotations

from threading import Condition, Lock


class Timeline:
    """Clocks in seconds, by name. One thread of each name takes turns; its other threads let its time pass."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clocks: dict[str, float] = {}
        self._waiting: dict[str, Condition] = {}
        self._acting: str | None = None

    def enter(self, name: str, at: float) -> None:
        """Give `name` a clock that says `at`."""
        with self._lock:
            self._clocks[name] = at

    def leave(self, name: str) -> None:
        """Take away the clock of `name`, which acts no more."""
        with self._lock:
            del self._clocks[name]
            self._acting = None if self._acting == name else self._acting
            self._wake_next()

    def now(self, name: str) -> float:
        """Return what the clock of `name` says."""
        return self._clocks[name]

    def pass_time(self, name: str, seconds: float) -> None:
        """Let `seconds` pass for `name`. Another may be the furthest behind afterwards."""
        with self._lock:
            self._clocks[name] += seconds
            self._wake_next()

    def take_turn(self, name: str) -> None:
        """Wait until nobody is further behind and nobody else acts. From then on, `name` acts."""
        with self._lock:
            if self._acting == name:
                self._acting = None
            if not self._is_next(name):
                self._wake_next()
                self._waiting[name] = Condition(self._lock)
                self._waiting[name].wait_for(lambda: self._is_next(name))
                del self._waiting[name]
            self._acting = name

    def _is_next(self, name: str) -> bool:
        return self._acting is None and name == self._furthest_behind()

    def _furthest_behind(self) -> str | None:
        return min(self._clocks, key=lambda each: (self._clocks[each], each), default=None)

    def _wake_next(self) -> None:
        """Wake whoever is next, if it waits. All that changes who is next ends with this."""
        waiting = self._waiting.get(self._furthest_behind() or "") if self._acting is None else None
        if waiting:
            waiting.notify()
