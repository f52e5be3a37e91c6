"""The pages of a problem: what is counted on them is what a plain set has, in any order and however often it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.findings.codec import page_item, problem_item, read_page, read_problem
from pull_responder.findings.pages import Entries, Page, entries_by_page, page_ids, total_of
from pull_responder.findings.problem import Problem, Sighting, iso, sighting
from pull_responder.findings.tally import reach_of
from tests.unit.findings.lives import NOON
from tests.unit.publish.examples import PULL

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY: Final = 86_400.0
# Which events, pods and nodes come to which page, by its number.
PAGES: Final = {
    "0": (["shop/web-2"], (), ("node-0",)),
    "6": (["shop/web-1"], (), ()),
    "7": ([], (), ("node-2",)),
    "8": ([], ("shop/web-1",), ()),
    "10": ([], ("shop/web-2",), ()),
    "11": (["shop/web-0"], (), ()),
    "12": ([], ("shop/web-0",), ("node-1",)),
}


class Counted:
    """A problem and its pages, as the table holds them."""

    def __init__(self) -> None:
        self.problem = Problem("problem/a")
        self.pages: dict[str, Page] = {}
        self.written = 0

    def add(self, sightings: Sequence[Sighting]) -> bool:
        """Add a batch; return whether it changed anything."""
        before = (self.problem, dict(self.pages))
        added = replace(self.problem.add_sightings(sightings), version=0)
        self.problem = read_problem(problem_item(added, expires_at=0))
        self.problem = replace(self.problem, version=0)
        if self.problem.paged:
            for each, entries in entries_by_page(self.problem, sightings).items():
                page = self.pages.get(each, Page(each)).add(entries, forgotten=self.problem.forgotten)
                self.written = max(self.written, size(page))
                self.pages[each] = replace(read_page(page_item(page, expires_at=0)), version=0)
        return before != (self.problem, self.pages)

    def has_new(self, sightings: Sequence[Sighting]) -> bool:
        entries = entries_by_page(self.problem, sightings)
        return any(
            self.pages.get(each, Page(each)).has_new(entries[each], forgotten=self.problem.forgotten)
            for each in entries
        )

    @property
    def total(self) -> Problem:
        return total_of(self.problem, self.pages)


def size(page: Page) -> int:
    return sum(
        len(name) + sum(len(data) if isinstance(data, bytes) else len(str(data)) for data in value.values())
        for name, value in page_item(page, expires_at=0).items()
    )


def event(number: int, at: float, *, pod: int | None = None, node: int = 0, now: float = NOON + DAY) -> Sighting:
    pull = replace(
        PULL, pod=None if pod is None else f"web-{pod}", namespace="shop", node=f"node-{node}", principal=None
    )
    return sighting(pull, identity=f"event {number}", observed_at=iso(at), now=now)


_events = st.builds(
    lambda seed, number: [
        event(n, NOON + (n * seed) % 3_600, pod=(n * seed) % 700 or None, node=n % 300) for n in range(number)
    ],
    st.integers(1, 10**6),
    st.integers(1, 1_500),
)


@settings(max_examples=25)
@given(_events, st.randoms(use_true_random=False), st.integers(0, 500))
def test_neither_order_nor_batches_nor_redelivery_matter(events: list[Sighting], chance, again: int) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 -- hypothesis gives a random.Random of its own
    arriving = [*events, *chance.choices(events, k=again)]
    chance.shuffle(arriving)
    counted = Counted()
    while arriving:
        number = chance.randrange(1, 400)
        batch, arriving = arriving[:number], arriving[number:]
        counted.add(batch)

    total = counted.total
    pods, nodes = {each.pod for each in events if each.pod}, {each.node for each in events}
    assert (total.count, total.more) == (len(events), False)
    assert (total.first_seen, total.last_seen) == (min(each.at for each in events), max(each.at for each in events))
    assert (total.pods.count, total.nodes.count) == (len(pods), len(nodes))
    assert set(total.pods.shown) <= pods
    assert set(total.nodes.shown) <= nodes
    assert min(20, len(pods)) <= len(total.pods.shown) + 20 * (not counted.problem.pods.shown)
    assert not counted.add(events)
    assert not counted.has_new(events)


def test_ten_thousand_pods_on_ten_thousand_nodes_are_counted_exactly() -> None:
    events = [event(n, NOON + n % 7_200, pod=n, node=n) for n in range(10_000)]
    counted = Counted()
    for at in range(0, 10_000, 1_000):
        counted.add(events[at : at + 1_000])
    reach = reach_of([counted.total])
    assert (reach.events, reach.pod_count, reach.node_count, reach.more) == (10_000, 10_000, 10_000, ())
    assert len(counted.pages) == len(page_ids("problem/a"))
    assert not counted.add(events)
    counted.add([event(10_000, NOON, pod=10_000, node=10_000)])
    reach = reach_of([counted.total])
    assert [reach.words(each) for each in ("events", "pods", "nodes")] == [
        "10001",
        "more than 10,000",
        "more than 10,000",
    ]
    assert counted.written < 16_000


def test_an_event_of_days_ago_is_not_counted_twice_however_many_came_since() -> None:
    counted = Counted()
    old = [event(n, NOON + n) for n in range(2_000)]
    counted.add(old)
    for hour in range(1, 11):
        counted.add([event(n, NOON + hour * 3_600 + n % 3_600) for n in range(hour * 10**6, hour * 10**6 + 3_000)])
    assert (counted.total.count, counted.total.more) == (32_000, False)

    assert not counted.has_new(old)
    counted.add(old)
    # Some of them may never have been counted: that is said.
    assert (counted.total.count, counted.total.more) == (32_000, True)
    assert reach_of([counted.total]).words("events") == "at least 32,000"
    late = event(-1, NOON + 11 * 3_600)
    assert counted.has_new([late])
    counted.add([late])
    assert counted.total.count == 32_001
    assert counted.written < 9_000


def test_a_pod_of_an_event_that_is_too_old_to_be_counted_is_counted() -> None:
    counted = Counted()
    counted.add([event(n, NOON + n) for n in range(15_000)])
    counted.add([event(-1, NOON, pod=7, node=9)])
    total = counted.total
    assert (total.count, total.more, total.pods.shown, total.nodes.count) == (15_000, True, ("shop/web-7",), 2)


def test_events_of_the_year_2100_leave_the_memory_of_others_as_it_is() -> None:
    counted = Counted()
    events = [event(n, NOON + n % 3_600) for n in range(3_000)]
    counted.add(events)
    for hour in range(4):
        ahead = [event(n, 4_102_444_800, now=NOON + 3_600 * hour) for n in range(hour * 10**6, hour * 10**6 + 4_000)]
        counted.add(ahead)
        assert not counted.has_new(ahead)
    assert counted.total.last_seen == NOON + 3 * 3_600
    since = [event(-n, NOON + 4 * 3_600 + n) for n in range(1, 1_000)]
    assert counted.has_new(since[:1])
    counted.add(since)
    assert counted.total.count == 3_000 + 16_000 + 999
    assert not counted.add(since)


def test_the_cost_of_an_event_is_flat() -> None:
    counted = Counted()
    counted.add([event(n, NOON + n % 3_600, pod=n % 5_000, node=n % 5_000) for n in range(40_000)])
    before = dict(counted.pages)
    counted.add([event(-1, NOON + 3_600, pod=3, node=3)])
    changed = [each for each in counted.pages if counted.pages[each] != before[each]]
    # Its names are known, so only its own page changes. A write unit is a kilobyte.
    assert len(changed) == 1
    assert size(counted.pages[changed[0]]) < 13_000
    assert len(problem_item(counted.problem, expires_at=0).get("marks", {}).get("B", b"")) <= 6_400


def test_an_event_and_a_name_come_to_the_same_page_in_every_version() -> None:
    """Else what comes again during an update counts twice."""
    problem = Problem("problem/0011223344556677", paged=True)
    events = [event(n, NOON + n, pod=n, node=n) for n in range(3)]
    pages = entries_by_page(problem, events)
    assert {
        page.removeprefix("page/0011223344556677/"): (
            [each.pod for each in entries.events],
            entries.pods,
            entries.nodes,
        )
        for page, entries in pages.items()
    } == PAGES


def test_a_page_counts_as_many_names_as_it_holds_and_shows_two() -> None:
    names = tuple(f"web-{n}" for n in range(1_300))
    page = Page("page/a/3").add(Entries(pods=names, nodes=names), forgotten=0)
    for each in (page.pods, page.nodes):
        assert (each.count, each.more, len(each.shown)) == (1_280, True, 2)


def test_an_event_of_the_second_that_may_be_forgotten_is_not_counted() -> None:
    page = Page("page/a/3", count=4, first_seen=NOON, last_seen=NOON + 9, forgotten=NOON)
    at, after = (Entries(events=(event(1, NOON + seconds),)) for seconds in (0, 1))
    assert (page.has_new(at, forgotten=0), page.has_new(after, forgotten=0)) == (False, True)
    assert page.add(at, forgotten=0) == replace(page, more=True)
    assert not page.has_new(after, forgotten=NOON + 1)
    added = page.add(after, forgotten=0)
    assert (added.count, added.first_seen, added.last_seen, added.more) == (5, NOON, NOON + 9, False)
    first = Page("page/a/3").add(after, forgotten=0)
    assert (first.count, first.first_seen, first.last_seen) == (1, NOON + 1, NOON + 1)


def test_when_a_problem_was_seen_is_said_by_what_has_events() -> None:
    paged = Problem("problem/a", paged=True, last_seen=NOON)
    assert (total_of(paged, {}).first_seen, total_of(paged, {}).count) == (0, 0)
    page = Page("page/a/3", count=2, first_seen=NOON - 60, last_seen=NOON - 30)
    total = total_of(paged, {"page/a/3": page, "page/a/99": replace(page, count=9)})
    assert (total.count, total.first_seen, total.last_seen) == (2, NOON - 60, NOON)


def test_a_problem_with_its_pages_counted_in_says_so() -> None:
    assert not total_of(Problem("problem/a", count=3), {}).is_total
    paged = Problem("problem/a", count=3, first_seen=NOON, last_seen=NOON, paged=True)
    assert total_of(paged, {}) == replace(paged, is_total=True)
