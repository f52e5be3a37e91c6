"""What the doctor found, as text for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from pull_responder.doctor import State
from pull_responder.model.printable import clean_line
from pull_responder.publish.text import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pull_responder.doctor import Result

_INDENT: Final = 11
# By the label of a result. What needs somebody comes first.
_TITLES: Final = {
    State.BROKEN: ("Broken", "bold red"),
    State.UNREAD: ("Unread", "yellow"),
    State.OFF: ("Off", "blue"),
    State.WORKS: ("Works", "green"),
}
_COUNTED: Final = {
    State.WORKS: "works",
    State.BROKEN: "broken",
    State.UNREAD: "could not be read",
    State.OFF: "left out by the settings",
}


def show_results(console: Console, results: Sequence[Result], *, stack: str, account: str, region: str) -> None:
    """Show the results by their state, and how many there are of each."""
    _row(console, "Stack", f"{stack}, account {account}, region {region}")
    for state in _TITLES:
        for number, each in enumerate(each for each in results if each.state is state):
            # What works is a list. The others have more than one line.
            if not number or state is not State.WORKS:
                console.print()
            _show(console, each, account)
    console.print()
    counts = {state: sum(each.state is state for each in results) for state in _COUNTED}
    _row(console, "Result", ", ".join(f"{_COUNTED[state]}: {count}" for state, count in counts.items() if count))


def show_stations(console: Console, results: Sequence[Result], *, stack: str, account: str, region: str) -> None:
    """Show the results of a test in their order, and what they come to."""
    _row(console, "Stack", f"{stack}, account {account}, region {region}")
    for each in results:
        _show(console, each, account, run="Run")
    console.print()
    failed = [each.subject for each in results if each.state not in (State.WORKS, State.OFF)]
    _row(
        console,
        "Result",
        f"failed at: {', '.join(failed)}" if failed else "each of these worked, or is left out by the settings",
    )


def _show(console: Console, result: Result, account: str, *, run: str = "Mend") -> None:
    title, style = _TITLES[result.state]
    _row(console, title, f"{result.subject}: {result.found}", style=style)
    if result.meaning:
        _row(console, "Means", result.meaning)
    if result.step:
        _row(console, "Next", result.step)
    if result.commands:
        _row(console, run, f"with credentials of account {result.account or account}:")
    for command in result.commands:
        # Not wrapped, so that it can be copied.
        typed = command_line(command)
        what = f"$ {typed}" if typed else "(a command with unprintable characters is left out; --format json has it)"
        console.print(" " * _INDENT + what, style="green", soft_wrap=True)


def _row(console: Console, label: str, text: str, *, style: str = "dim") -> None:
    width = max(console.width - _INDENT, 20) if console.is_terminal else 1_000_000
    for number, part in enumerate(Text(clean_line(text)).wrap(console, width)):
        head = Text(f"{label:<{_INDENT}}" if number == 0 else " " * _INDENT, style=style)
        console.print(head, part, sep="", soft_wrap=True)
