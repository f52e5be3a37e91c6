"""Rows of a terminal: a label and what belongs to it, and commands that can be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from pull_responder.cli.lines import NARROW, labelled, shown, wrap
from pull_responder.publish.text import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_INDENT: Final = 11
_NARROW_INDENT: Final = 2
_LEFT_OUT: Final = "(a command with unprintable characters is left out; --format json has it)"


def show_row(console: Console, label: str, text: str, *, style: str = "", label_style: str = "dim") -> None:
    """Show untrusted text behind a label, on as many lines as it takes. In a narrow terminal it stands below."""
    for head, part in labelled(label, shown(text), console.width, indent=_INDENT):
        _print(console, Text(head, label_style), Text(part, style))


def show_line(console: Console, text: str, *, style: str = "") -> None:
    """Show text without a label, on as many lines as it takes."""
    for part in wrap(text, console.width):
        _print(console, Text(part, style))


def show_whole(console: Console, *parts: tuple[str, str]) -> None:
    """Show one line, whatever its length. Each part has a style."""
    _print(console, Text.assemble(*parts))


def show_commands(console: Console, label: str, commands: Sequence[Sequence[str]]) -> None:
    """Show commands, each on a line of its own, whatever its length, so that it can be copied."""
    indent = _INDENT if console.width >= NARROW else _NARROW_INDENT
    if label and indent == _NARROW_INDENT:
        show_line(console, label, style="dim")
        label = ""
    for number, command in enumerate(commands):
        typed = command_line(command)
        head = f"{'' if number else label:<{indent}}"
        _print(console, Text(head, "dim"), Text(f"$ {typed}" if typed else _LEFT_OUT, "green"))


def _print(console: Console, *parts: Text) -> None:
    # rich would break a line inside a long word.
    console.print(*parts, sep="", soft_wrap=True)
