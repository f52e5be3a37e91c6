"""Says on standard error what the demo is doing: on a terminal in one changing line, elsewhere in plain lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(subject: str = "") -> Iterator[Callable[[str], None]]:
    """Yield a function that says what comes next, after `subject`. The changing line is erased at the end."""
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    prefix = f"{subject}: " if subject else ""
    if not console.is_terminal:
        yield lambda what: console.print(f"{prefix}{what}", soft_wrap=True)
        return
    with console.status(prefix) as status:
        yield lambda what: status.update(f"{prefix}{what}")
