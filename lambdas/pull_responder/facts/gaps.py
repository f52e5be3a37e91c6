"""What could not be read, told apart by who needed it.

Several diagnoses share one `Reader`, and each fact is read once. So each diagnosis notes for itself what was not read,
and a fact that is reused brings along what its first read could not show.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Gaps:
    """What was not read.

    - `out_of_time` says that something was not read for lack of time.
    - `is_incomplete` says that something was not read, for whatever reason: a later diagnosis may find more.
    """

    out_of_time: bool = False
    is_incomplete: bool = False


_NOTED: Final[ContextVar[Gaps | None]] = ContextVar("gaps", default=None)


@contextmanager
def note_gaps() -> Iterator[Gaps]:
    """Return the gaps of the reads that are made in this block. They are gaps of the block around it, too.

    A thread notes them only if it runs in a copy of this context.
    """
    gaps = Gaps()
    around = _NOTED.set(gaps)
    try:
        yield gaps
    finally:
        _NOTED.reset(around)
        add_gaps(gaps)


def gaps_so_far() -> Gaps:
    """Return the gaps of the block that is under way, so far; none outside of a block."""
    return _NOTED.get() or Gaps()


def add_gaps(gaps: Gaps) -> None:
    """Note the gaps of a read, in the block that is under way, if any."""
    noted = _NOTED.get()
    if noted is not None:
        noted.out_of_time = noted.out_of_time or gaps.out_of_time
        noted.is_incomplete = noted.is_incomplete or gaps.is_incomplete
