"""What failed a moment ago is not asked again, so that a failure costs its time once and not once a read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pull_responder.model.unread import Unread

_KEPT_FOR: Final = timedelta(seconds=30)
# Events can name any account.
_MOST: Final = 1000


class Failures:
    """Failures by what was asked, each for thirty seconds. `now` returns the time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Unread, datetime]] = OrderedDict()

    def get(self, asked: str) -> Unread | None:
        """Return how it failed, None if it did not fail in the last thirty seconds."""
        kept = self._kept.get(asked)
        return kept[0] if kept and self._now() - kept[1] < _KEPT_FOR else None

    def keep(self, asked: str, failed: Unread) -> Unread:
        """Remember the failure, and return it."""
        with self._lock:
            self._kept[asked] = (failed, self._now())
            self._kept.move_to_end(asked)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return failed
