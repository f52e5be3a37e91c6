"""The pages of a problem: where the events of a problem are counted that has too many for its own item.

Each event is counted on the page that its mark chooses, and each name of a pod or node stands on the page that the name
chooses. So an event costs a write of one small item, however many came before, and comes to the same page again if it
is delivered again. Pages may be written in any order: to add something twice changes nothing, so what a run leaves when
it dies is added when its messages come again (docs/adr/0102-pages-of-a-problem.md). Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.problem import (
    MARK,
    NAME_MARK,
    PROBLEM,
    Names,
    keep_latest,
    name_mark,
    split_marks,
    unite_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.findings.problem import Problem, Sighting

PAGE: Final = "page/"

# All pages of a problem together know its latest 12,000 events, and 20,000 pods and as many nodes. A page holds 8 KB of
# marks, and 2 KB more for each 5,000 names of the problem.
_PAGES: Final = 16
_MARKS: Final = 768
_NAMES: Final = 1_280
_SHOWN: Final = 2


@dataclass(frozen=True, slots=True)
class Entries:
    """What belongs on one page: `events`, and names of pods and nodes."""

    events: tuple[Sighting, ...] = ()
    pods: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a problem. Times are in seconds since 1970, 0 if it has no event.

    - `version`: how often its item was written, 0 before the first time.
    - `count`, `first_seen`, `last_seen`: of its events.
    - `marks`: the marks of its latest events, in the order of arrival.
    - `pods`, `nodes`: the names that belong here, whichever page counts their events.
    - `forgotten`: events up to this time may have been counted though their marks are gone.
    - `more`: whether an event came that is that old, and so was not counted.
    """

    id: str
    version: int = 0
    count: int = 0
    first_seen: float = 0
    last_seen: float = 0
    marks: bytes = b""
    pods: Names = field(default_factory=Names)
    nodes: Names = field(default_factory=Names)
    forgotten: float = 0
    more: bool = False

    def add(self, entries: Entries, *, forgotten: float) -> Page:
        """Return the page with `entries` added. What was added before changes nothing.

        `forgotten` is that of the problem's own item.
        """
        page = replace(
            self,
            pods=self.pods.add_all(entries.pods, most=_NAMES, shown=_SHOWN),
            nodes=self.nodes.add_all(entries.nodes, most=_NAMES, shown=_SHOWN),
        )
        unknown, new = self._split(entries, forgotten)
        if len(new) < len(unknown):
            page = replace(page, more=True)
        if not new:
            return page
        earliest, latest = min(each.at for each in new), max(each.at for each in new)
        last_seen = max(self.last_seen, latest)
        marks, dropped = keep_latest(self.marks + b"".join(each.mark for each in new), _MARKS, last_seen)
        return replace(
            page,
            count=self.count + len(new),
            first_seen=min(self.first_seen or earliest, earliest),
            last_seen=last_seen,
            marks=marks,
            forgotten=max(self.forgotten, dropped),
        )

    def has_new(self, entries: Entries, *, forgotten: float) -> bool:
        """Return whether `entries` have an event that is not counted yet. `forgotten` is as in `add`."""
        return bool(self._split(entries, forgotten)[1])

    def _split(self, entries: Entries, forgotten: float) -> tuple[list[Sighting], list[Sighting]]:
        """Return the events that are not known, and those of them that cannot have been counted and forgotten."""
        known = split_marks(self.marks, MARK)
        unknown = list({each.mark: each for each in entries.events if each.mark not in known}.values())
        oldest = max(self.forgotten, forgotten)
        return unknown, [each for each in unknown if int(each.at) > oldest]


def page_ids(problem_id: str) -> list[str]:
    """Return the ids of all pages that a problem can have."""
    return [_page_id(problem_id, number) for number in range(_PAGES)]


def entries_by_page(problem: Problem, sightings: Iterable[Sighting]) -> dict[str, Entries]:
    """Return what belongs on which page of a problem, by the page's id. What its own item holds is left out."""
    events: dict[int, dict[bytes, Sighting]] = {}
    pods: dict[int, dict[str, None]] = {}
    nodes: dict[int, dict[str, None]] = {}
    known = split_marks(problem.marks, MARK)
    known_pods, known_nodes = split_marks(problem.pods.marks, NAME_MARK), split_marks(problem.nodes.marks, NAME_MARK)
    for each in sightings:
        if each.mark not in known:
            events.setdefault(each.mark[-1] % _PAGES, {})[each.mark] = each
        for name, names, known_names in ((each.pod, pods, known_pods), (each.node, nodes, known_nodes)):
            if name and (mark := name_mark(name)) not in known_names:
                names.setdefault(mark[-1] % _PAGES, {})[name] = None
    return {
        _page_id(problem.id, number): Entries(
            tuple(events.get(number, {}).values()), tuple(pods.get(number, {})), tuple(nodes.get(number, {}))
        )
        for number in sorted({*events, *pods, *nodes})
    }


def total_of(problem: Problem, pages: Mapping[str, Page]) -> Problem:
    """Return a problem with all its pages counted in, to read and not to write. `pages` are by id."""
    if not problem.paged:
        return problem
    own = [pages[each] for each in page_ids(problem.id) if each in pages]
    every: list[Problem | Page] = [problem, *own]
    with_events = [each for each in every if each.count]
    return replace(
        problem,
        count=sum(each.count for each in with_events),
        first_seen=min((each.first_seen for each in with_events), default=0),
        last_seen=max((problem.last_seen, *(each.last_seen for each in own))),
        pods=unite_names([problem.pods, *(each.pods for each in own)]),
        nodes=unite_names([problem.nodes, *(each.nodes for each in own)]),
        more=problem.more or any(each.more for each in own),
        is_total=True,
    )


def _page_id(problem_id: str, number: int) -> str:
    return f"{PAGE}{problem_id.removeprefix(PROBLEM)}/{number}"
