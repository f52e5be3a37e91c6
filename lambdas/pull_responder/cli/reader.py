"""Standard output whose reader may go away, as `head` does once it has seen enough.

A diagnosis goes on without being shown, so that its exit status is what it would have been. Programs that look at
the status of each command of a pipe (`set -o pipefail`) then learn it.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutlivingOutput(io.RawIOBase):
    """A file that takes what is written when nobody reads it any more. The descriptor stays open."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.is_read = True
        """Whether there was somebody to read what was written last."""

    def writable(self) -> bool:
        """Return that this is an output."""
        return True

    def isatty(self) -> bool:
        """Return whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def write(self, data: ReadableBuffer, /) -> int:
        """Write as many of the bytes as the system takes, all of them where nobody reads them."""
        size = memoryview(data).nbytes
        if self.is_read:
            try:
                return os.write(self._descriptor, data)
            except BrokenPipeError:
                self.is_read = False
        return size


def outlive_reader() -> None:
    """Let standard output outlive its reader. Does nothing where it is no file of the system.

    Characters that its encoding lacks are escaped.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):
        return
    stream.reconfigure(errors="backslashreplace")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    stream.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(OutlivingOutput(descriptor)),
        encoding=stream.encoding,
        errors=stream.errors,
        newline=None,
        line_buffering=stream.line_buffering,
    )


def is_read() -> bool:
    """Return whether somebody still reads standard output, as far as the last write has shown."""
    buffer = getattr(sys.stdout, "buffer", None)
    raw = getattr(buffer, "raw", None)
    return raw.is_read if isinstance(raw, OutlivingOutput) else True
