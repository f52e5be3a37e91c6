"""The line on standard error that says how far a command is, while it waits for AWS."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from pull_responder.facts.patience import Patience

# ECMA-48, EL: erase to the end of the line.
_ERASE: Final = "\r\x1b[K"


class StatusLine:
    """A line of `stream` that is written anew, and gone once something else is shown.

    It shows nothing unless `is_shown`, as for a stream that is no terminal. `is_new` says that it was never shown.
    """

    def __init__(self, stream: TextIO, *, is_shown: bool) -> None:
        self._stream = stream
        self._is_shown = is_shown
        self._written = ""
        self.is_new = True

    @classmethod
    def of_terminal(cls, *, as_json: bool) -> StatusLine:
        """Return the line of standard error. None is shown where programs read: JSON that goes to no terminal."""
        is_shown = (
            sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not (as_json and not sys.stdout.isatty())
        )
        return cls(sys.stderr, is_shown=is_shown)

    def show(self, patience: Patience) -> None:
        """Show how many reads have ended."""
        text = f"reading from AWS: {patience.ended} of {patience.started}"
        if self._is_shown and text != self._written:
            self._written = text  # before it is: Ctrl-C may come as soon as it is seen
            self.is_new = False
            self._stream.write(f"{_ERASE}{text}")
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._written:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._written = ""
