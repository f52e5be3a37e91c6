"""Count events on the pages of problems that have too many for their own items (findings/pages.py)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.findings.pages import entries_by_page
from pull_responder.findings.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.problem import Problem, Sighting
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

_TRIES: Final = 25


def has_new_events(run: Run, ledger: Ledger, problem: Problem, sightings: Sequence[Sighting]) -> bool:
    """Return whether one of `sightings` is not counted yet. Raises StoreError."""
    entries = entries_by_page(problem, sightings)
    pages = ledger.insist(lambda: run.store.pages(entries))
    return any(pages[each].has_new(entries[each], forgotten=problem.forgotten) for each in entries)


def count_on_pages(
    run: Run, ledger: Ledger, seen: Sequence[tuple[Problem, Sequence[Sighting]]]
) -> dict[str, StoreError]:
    """Count events of problems that are `paged`. Return the errors of those that are not counted, by problem.

    What was counted before changes nothing. So after an error, or when the run dies, all of it may be counted again.
    """
    to_add = {
        page: (problem, entries)
        for problem, sightings in seen
        for page, entries in entries_by_page(problem, sightings).items()
    }
    failed: dict[str, StoreError] = {}
    left = list(to_add)
    save = partial(run.store.save_page, now=run.now())
    for attempt in range(_TRIES):
        if not left:
            return failed
        if attempt:
            run.let_others(attempt)
        try:
            known = ledger.insist(partial(run.store.pages, left))
        except StoreError as error:
            return failed | {to_add[each][0].id: error for each in left}
        changed = {each: known[each].add(to_add[each][1], forgotten=to_add[each][0].forgotten) for each in left}
        left = []
        for page, saved in ledger.save_all([page for page in changed.values() if page != known[page.id]], save):
            if isinstance(saved, StoreError):
                failed[to_add[page.id][0].id] = saved
            elif not saved:
                left.append(page.id)
    late = StoreError(f"could not be written: another run wrote it first, {_TRIES} times")
    return failed | {to_add[each][0].id: late for each in left}
