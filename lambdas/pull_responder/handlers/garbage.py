"""Garbage collection in a function's process: what lives as long as the process is not searched again and again."""

from __future__ import annotations

import gc
from functools import cache


def freeze_imports() -> None:
    """Turn on garbage collection for all but what was imported. Each handler's module does so once all is imported.

    Imports do without the collector, and what they make stays. It would search all of it several times, for a fifth of
    the time that a start takes (bench/cold_start.py).
    """
    gc.freeze()
    gc.enable()


@cache
def freeze_objects() -> None:
    """Exclude all present objects from garbage collection, once per process, after the first invocation.

    The SDK's models are tens of thousands of objects that live as long as the process. To traverse them again and again
    takes longer than reading the events of a batch (bench/storm.py). What is garbage among them stays, some hundred
    objects: to look for these would take a twentieth of the start.
    """
    gc.freeze()
