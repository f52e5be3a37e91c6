"""The answers about a rollout as text: one line for an image that is fine, a block for each that is not, and a sum."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from pull_responder.cli import answer
from pull_responder.cli.answered import Answered, NotAsked
from pull_responder.cli.lines import shown
from pull_responder.cli.rows import show_line, show_row
from pull_responder.events.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from pull_responder.cli.answered import Answer, UsedBy

_MOST_WORKLOADS: Final = 10


def show_rollout(console: Console, answers: Iterable[Answer], *, whole_path: bool = False) -> list[Answer]:
    """Show answers as they come, and return them. Those about one image have to come one after the other.

    With `whole_path`, the path of each is shown hop by hop.
    """
    shown: list[Answer] = []
    images = fails = left_open = 0
    for image, group in groupby(answers, key=lambda each: each.asked if isinstance(each, Answered) else None):
        together = list(group)
        shown.extend(together)
        if image is None:
            for each in together:
                _show_other(console, each)
            continue
        by_nodes = [each for each in together if isinstance(each, Answered)]
        has_cause = any(each.diagnosis.findings for each in by_nodes)
        images += 1
        fails += has_cause
        left_open += not has_cause and any(map(_is_open, by_nodes))
        _show_image(console, image, by_nodes, whole_path=whole_path)
    not_asked = sum(isinstance(each, NotAsked) for each in shown)
    skipped = sum(isinstance(each, Skipped) for each in shown)
    console.print(
        f"{images} image{'' if images == 1 else 's'} in Amazon ECR: {fails} cannot be pulled, {left_open} not decided, "
        f"{images - fails - left_open} fine. {skipped} skipped, {not_asked} not asked.",
        soft_wrap=True,
    )
    return shown


def _show_other(console: Console, each: Answer) -> None:
    if isinstance(each, Skipped):
        answer.show_skipped(console, each)
    elif isinstance(each, NotAsked):
        answer.show_not_asked(console, each)


def _is_open(each: Answered) -> bool:
    return bool(each.diagnosis.findings or each.diagnosis.inconclusive)


def _show_image(console: Console, image: str, by_nodes: list[Answered], *, whole_path: bool) -> None:
    alike: dict[object, list[Answered]] = {}
    for each in by_nodes:
        alike.setdefault(_answer(each), []).append(each)
    for group in alike.values():
        first = group[0]
        where = "; ".join(each.nodes or "" for each in group)
        if _is_open(first):
            answer.show_diagnosis(
                console, first.diagnosis, path=first.path, asked=image, nodes=where, whole_path=whole_path
            )
            _show_workloads(console, tuple(dict.fromkeys(user for each in group for user in each.used_by)))
        else:
            show_line(console, f"Fine: {shown(image)} by {shown(where)}")


def _answer(each: Answered) -> object:
    """Return what two kinds of node have in common where the same stops both."""
    found = each.diagnosis
    return (frozenset((one.id, one.explanation) for one in found.findings), frozenset(found.inconclusive))


def _show_workloads(console: Console, used_by: tuple[UsedBy, ...]) -> None:
    """Say which workloads use the image on these nodes, and which of them may run elsewhere."""
    for each in used_by[:_MOST_WORKLOADS]:
        doubt = f", if it runs there: {each.doubt}" if each.doubt else ""
        line = f"{each.use.workload}, {each.use.container} ({each.use.place}){doubt}"
        show_row(console, "Used by", line)
    if len(used_by) > _MOST_WORKLOADS:
        show_row(console, "", f"and {len(used_by) - _MOST_WORKLOADS} more")
    console.print()
