"""Everything that was checked of a pull, by what came out, with the proof or the reason of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks import BY_ID, CHECKS
from pull_responder.model.verdict import Status
from pull_responder.page.markup import prose, said, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.diagnosis import Diagnosis, Undecided

    # A cause, and what was said of it.
    Row = tuple[str, Sequence[str]]


def checked(diagnosis: Diagnosis) -> list[Element]:
    """Return a group for each outcome that some check has, the worst first. What asks nothing of a reader is folded."""
    of_status: dict[Status, list[Row]] = {}
    for each in diagnosis.examined:
        of_status.setdefault(each.status, []).append((each.cause, each.lines))
    passed = [row for row in of_status.get(Status.PASSED, []) if row[0] in diagnosis.passed]
    said_of = {each.cause for each in diagnosis.examined}
    bare = [(cause, ()) for cause in diagnosis.passed if cause not in said_of]
    failed = [(each.cause, [each.explanation]) for each in diagnosis.findings]
    left = [*diagnosis.inconclusive, *diagnosis.unchecked]
    named = said_of | {each.cause for each in left} | {row[0] for row in (*failed, *bare)}
    others = [(each.id, ()) for each in CHECKS if each.id not in named and not each.of_responder]
    groups = (
        _group("Failed", failed, is_open=True),
        _group("Not decided, and may explain it", _undecided(diagnosis.inconclusive), is_open=True),
        _group("Not decided, but not needed to explain it", _undecided(diagnosis.unchecked)),
        _group("Passed", [*passed, *bare]),
        _group("Does not apply", of_status.get(Status.NOT_APPLICABLE, [])),
        _group("Not examined, as this failure cannot come from it", others),
    )
    return [each for each in groups if each is not None]


def _undecided(left: Iterable[Undecided]) -> list[Row]:
    return [(each.cause, [each.reason, *([f"Next: {each.next}"] if each.next else [])]) for each in left]


def _group(words: str, rows: Sequence[Row], *, is_open: bool = False) -> Element | None:
    if not rows:
        return None
    return tag(
        "details",
        tag("summary", f"{words}: {len(rows)}"),
        tag("ul", (_item(cause, lines) for cause, lines in rows), class_="checks"),
        open="" if is_open else None,
    )


def _item(cause: str, lines: Sequence[str]) -> Element:
    title = BY_ID[cause].title if cause in BY_ID else cause
    return tag("li", said(title), " ", tag("code", said(cause)), (tag("p", prose(line)) for line in lines if line))
