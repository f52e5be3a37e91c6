"""What was not decided, as text: what to grant for it, once, and the reasons that are none of a permission."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.headline import COLUMNS
from pull_responder.cli.lines import first_fitting, first_words, shown
from pull_responder.cli.own_words import own_words
from pull_responder.cli.rows import show_line, show_row
from pull_responder.next_steps import is_needs_alone, merge_steps, needs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pull_responder.diagnosis import Undecided
    from pull_responder.next_steps import Needs

_PRINTS: Final = "`pull-responder permissions` prints the policy"
_TITLES: Final = ("Not decided, and may explain it:", "Not decided, but not needed to explain it:")


def next_line(opened: Sequence[Undecided]) -> str:
    """Return what to do first about undecided causes: what to grant, else what to look at, as one line.

    A command in it is whole. Other words that do not fit are cut.
    """
    for each in needs_of(each.reason for each in opened):
        short = replace(each, role=None)
        number = f"{len(each.actions)} permission{'s' if len(each.actions) > 1 else ''}"
        listed = (f"Needs: {number}{_whose(of)}, listed below" for of in (each, short))
        candidates = (_needs(each), *((_needs(short),) if len(each.actions) == 1 else ()), *listed)
        return first_fitting(candidates, COLUMNS) or candidates[-1]
    step = next(iter(_steps(opened)), "")
    if not step:
        return "Next: see the reasons below"
    whole = f"Next: {step}"
    return whole if "`" in step else first_words(whole, COLUMNS)


def show_undecided(console: Console, opened: Sequence[Undecided], unchecked: Sequence[Undecided]) -> None:
    """Show what was not decided: what to grant, in a line for each role, then what to look at, then other reasons.

    - `opened` may explain the failure.
    - `unchecked` cannot, or is not needed to.
    """
    both = (*opened, *unchecked)
    first = next_line(opened) if opened else ""
    refused = [each for each in both if is_needs_alone(each.reason)]
    if refused:
        console.print()
    for needs in needs_of(each.reason for each in refused):
        # What the second line has told is not told again.
        show_line(console, _PRINTS if first == _needs(needs) else f"{_needs(needs)}; {_PRINTS}")
    if refused:
        show_line(console, f"Left open by that: {', '.join(dict.fromkeys(each.cause for each in refused))}")
    steps = [step for step in _steps(opened) if f"Next: {step}" != first]
    for number, step in enumerate(steps):
        if number == 0:
            console.print()
        show_row(console, "" if number else "Next", step)
    for title, causes in zip(_TITLES, (opened, unchecked), strict=True):
        _show_reasons(console, title, [each for each in causes if not is_needs_alone(each.reason)])


def _steps(opened: Sequence[Undecided]) -> tuple[str, ...]:
    steps = merge_steps((each.reason, each.next) for each in opened if not is_needs_alone(each.reason))
    return tuple(filter(None, (shown(own_words(each)) for each in steps)))


def _needs(needs: Needs) -> str:
    return f"Needs: {', '.join(map(shown, needs.actions))}{_whose(needs)}"


def _whose(needs: Needs) -> str:
    account = f"account {shown(needs.account)}" if needs.account else ""
    role = f"role {shown(needs.role)}" if needs.role else ""
    whose = ", ".join(filter(None, (account, role)))
    return f" ({whose})" if whose else ""


def _show_reasons(console: Console, title: str, opened: Sequence[Undecided]) -> None:
    causes_by_reason: dict[str, list[str]] = {}
    for each in opened:
        causes_by_reason.setdefault(each.reason, []).append(each.cause)
    if causes_by_reason:
        console.print()
        show_line(console, title)
    for reason, causes in causes_by_reason.items():
        show_row(console, "", f"{', '.join(causes)}: {reason}")
