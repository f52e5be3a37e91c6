"""What is kept by a key that events choose, such as an account: so many and no more."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by key, at most `most`: the one that was not used for the longest time goes first.

    Safe to use from several threads.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._values: OrderedDict[str, T] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._values)

    def get(self, key: str) -> T | None:
        """Return the value of `key`, None if there is none or it went."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: str, value: T) -> T:
        """Keep the value, and return it."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            return value

    def get_or_make(self, key: str, make: Callable[[], T]) -> T:
        """Return the value of `key`, made if there is none. Who asks at the same time gets the same one."""
        with self._making:
            value = self.get(key)
            return self.put(key, make()) if value is None else value
