"""Ctrl-C ends a command within a second, whatever its threads wait for.

Reads run in threads, and Python ends only after all of them have. Each may wait for AWS for half a minute.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUS: Final = 130
"""The exit status of shells for what SIGINT ended."""

_PATIENCE: Final = 0.7
_saying = threading.Lock()


@contextmanager
def end_at_interrupt() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, and end the process if that has not ended it soon.

    Does nothing where SIGINT is ignored, as in the background of a shell, or handled by somebody else.
    """
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        # While Python waits for threads, nothing catches a KeyboardInterrupt.
        signal.signal(signal.SIGINT, signal.SIG_DFL if _are_threads_left() else signal.default_int_handler)


def leave() -> NoReturn:
    """Say that the command was interrupted, and end the process without waiting for its threads."""
    _say()
    if _are_threads_left():
        os._exit(STATUS)
    sys.exit(STATUS)


def _interrupt(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    timer = threading.Timer(_PATIENCE, _end)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def _end() -> NoReturn:
    _say()
    os._exit(STATUS)


def _say() -> None:
    if _saying.acquire(blocking=False):
        os.write(2, b"pull-responder: interrupted\n")


def _are_threads_left() -> bool:
    return any(not each.daemon and each is not threading.main_thread() for each in threading.enumerate())
