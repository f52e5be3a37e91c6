"""What the doctor found, as text for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.cli.rows import show_commands, show_row
from pull_responder.doctor import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pull_responder.doctor import Result

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
    show_row(console, "Stack", f"{stack}, account {account}, region {region}")
    for state in _TITLES:
        for number, each in enumerate(each for each in results if each.state is state):
            # What works is a list. The others have more than one line.
            if not number or state is not State.WORKS:
                console.print()
            _show(console, each, account)
    console.print()
    counts = {state: sum(each.state is state for each in results) for state in _COUNTED}
    show_row(console, "Result", ", ".join(f"{_COUNTED[state]}: {count}" for state, count in counts.items() if count))


def show_stations(console: Console, results: Sequence[Result], *, stack: str, account: str, region: str) -> None:
    """Show the results of a test in their order, and what they come to."""
    show_row(console, "Stack", f"{stack}, account {account}, region {region}")
    for each in results:
        _show(console, each, account, run="Run")
    console.print()
    failed = [each.subject for each in results if each.state not in (State.WORKS, State.OFF)]
    show_row(
        console,
        "Result",
        f"failed at: {', '.join(failed)}" if failed else "each of these worked, or is left out by the settings",
    )


def _show(console: Console, result: Result, account: str, *, run: str = "Mend") -> None:
    title, style = _TITLES[result.state]
    show_row(console, title, f"{result.subject}: {result.found}", label_style=style)
    if result.meaning:
        show_row(console, "Means", result.meaning)
    if result.step:
        show_row(console, "Next", result.step)
    if result.commands:
        show_row(console, run, f"with credentials of account {result.account or account}:")
    show_commands(console, "", result.commands)
