"""Garbage collection in a function's process: what lives as long as the process is not searched again and again."""

from __future__ import annotations

import gc
from functools import cache


def freeze_imports() -> None:
    """Exclude all that was imported from garbage collection. For the end of a handler's module, once all is imported.

    Else the collector searches it several times while the first event is handled (bench/cold_start.py).
    """
    gc.freeze()


@cache
def freeze_objects() -> None:
    """Exclude all present objects from garbage collection, once per process, after the first invocation.

    The SDK's models are tens of thousands of objects that live as long as the process. To traverse them again and again
    takes longer than reading the events of a batch (bench/storm.py).
    """
    gc.collect()
    gc.freeze()
