"""The state of a problem: every event counts once, in any order and however often it arrives."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.findings.codec import problem_item
from pull_responder.findings.problem import Names, Problem, Sighting, iso, reach_of, seconds_of, sighting
from pull_responder.findings.reach import Reach
from tests.unit.findings.lives import NOON
from tests.unit.publish.examples import PULL

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR: Final = 3600.0
EMPTY: Final = Problem("problem/a")


def event(number: int, at: float, *, pod: str | None = None, node: str | None = None) -> Sighting:
    """The sighting of event `number`, which kubelet or AWS says was at `at`."""
    node = node or "ip-10-0-0-1.ec2.internal"
    pull = replace(PULL, pod=pod, namespace="shop" if pod else None, node=node, principal=None)
    return sighting(pull, identity=f"event {number}", observed_at=iso(at), now=NOON + 24 * HOUR)


_events = st.lists(
    st.builds(
        event,
        st.integers(0, 10**9),
        st.integers(0, 6 * 3600 - 1).map(lambda seconds: NOON + seconds),
        pod=st.none() | st.integers(0, 60).map(lambda number: f"web-{number}"),
        node=st.integers(0, 40).map(lambda number: f"ip-10-0-0-{number}.ec2.internal"),
    ),
    min_size=1,
    max_size=120,
    unique_by=lambda each: each.mark,
)


def remembered(batches: Sequence[Sequence[Sighting]], problem: Problem = EMPTY) -> Problem:
    for batch in batches:
        problem = problem.add_sightings(batch)
    return problem


@given(_events, st.data())
def test_neither_order_nor_batches_nor_repetition_matter(events: list[Sighting], data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=60))
    shuffled = data.draw(st.permutations([*events, *repeated]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=12)))
    batches = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

    problem = remembered(batches)

    pods = {each.pod for each in events if each.pod}
    nodes = {each.node for each in events}
    assert problem.count == len(events)
    assert problem.first_seen == min(each.at for each in events)
    assert problem.last_seen == max(each.at for each in events)
    assert (problem.pods.count, problem.nodes.count) == (len(pods), len(nodes))
    assert set(problem.pods.shown) <= pods
    assert set(problem.nodes.shown) <= nodes
    assert len(set(problem.pods.shown)) == len(problem.pods.shown) == min(len(pods), 20)
    assert len(set(problem.nodes.shown)) == len(problem.nodes.shown) == min(len(nodes), 20)


@given(_events)
def test_known_events_change_nothing(events: list[Sighting]) -> None:
    problem = EMPTY.add_sightings(events)
    assert problem.add_sightings(events) is problem


def test_ten_thousand_events_in_two_hours_are_counted_exactly_and_so_are_their_repetitions() -> None:
    events = [event(n, NOON + n % 7200, pod=f"web-{n % 900}", node=f"node-{n % 300}") for n in range(10_000)]
    # Every other event comes late, and then all of them once more.
    batches = [*_cut(events[::2], 100), *_cut(events[1::2], 250), *_cut(events, 1_000)]
    problem = remembered(batches)
    assert (problem.count, problem.pods.count, problem.nodes.count) == (10_000, 900, 300)
    assert (problem.first_seen, problem.last_seen) == (NOON, NOON + 7199)


def test_more_events_than_marks_leave_the_item_writable() -> None:
    problem = EMPTY
    for hour in range(3):
        events = [
            event(n + hour * 10**6, NOON + hour * HOUR + n % 3600, pod="p" * 240 + str(n), node="n" * 240 + str(n))
            for n in range(10_000)
        ]
        problem = remembered(_cut(events, 2_000), problem)
    assert problem.count == 30_000
    assert (problem.pods.count, len(problem.pods.shown)) == (1_000, 20)
    assert (problem.nodes.count, len(problem.nodes.shown)) == (1_000, 20)
    # DynamoDB: an item holds 400 KB, names of attributes included. An event can be 256 KB, but none of it gets here.
    assert _size(problem) < 200_000


def test_the_latest_events_are_known_again_however_many_there_were() -> None:
    events = [event(n, NOON + n) for n in range(20_000)]
    problem = remembered(_cut(events, 1_000))
    assert problem.count == 20_000
    assert problem.add_sightings(events[-12_000:]) is problem


def test_marks_are_dropped_once_sqs_cannot_redeliver_their_events() -> None:
    old = [event(n, NOON + n % 60) for n in range(2_000)]
    problem = EMPTY.add_sightings(old)
    within = problem.add_sightings([event(-n, NOON + 6 * HOUR - 1) for n in range(1, 1_100)])
    assert within.add_sightings(old) is within
    much_later = [event(-n, NOON + 6 * HOUR + 60 + n) for n in range(1_000)]
    later = problem.add_sightings(much_later)
    assert later.count == 3_000
    assert later.add_sightings(much_later) is later
    assert len(later.marks) == len(EMPTY.add_sightings(much_later).marks)


def test_an_earlier_event_moves_first_seen_only() -> None:
    problem = EMPTY.add_sightings([event(1, NOON + 600)]).add_sightings([event(2, NOON)])
    assert (problem.count, problem.first_seen, problem.last_seen) == (2, NOON, NOON + 600)


@pytest.mark.parametrize(
    ("observed_at", "at"),
    [
        ("2026-03-01T11:59:00Z", NOON - 60),
        ("2026-03-01T13:59:00+02:00", NOON - 60),
        ("2026-03-01T11:59:00", NOON - 60),
        ("2026-03-01T12:00:01Z", NOON),
        ("2126-03-01T12:00:00Z", NOON),
        (None, NOON),
        ("yesterday", NOON),
    ],
    ids=["past", "offset", "no offset", "a clock ahead", "a century ahead", "no time", "no time at all"],
)
def test_when_an_event_was_seen(observed_at: str | None, at: float) -> None:
    assert sighting(PULL, identity="a", observed_at=observed_at, now=NOON).at == at


@pytest.mark.parametrize("observed_at", ["2026-03-01T11:59:00Z", "2126-03-01T12:00:00Z", None])
def test_the_same_event_is_known_again_whenever_it_comes(observed_at: str | None) -> None:
    def come(identity: str, now: float) -> list[Sighting]:
        return [sighting(PULL, identity=identity, observed_at=observed_at, now=now)]

    problem = EMPTY.add_sightings(come("a", NOON))
    assert problem.add_sightings(come("a", NOON + HOUR)) is problem
    assert problem.add_sightings(come("b", NOON + HOUR)).count == 2


def test_a_clock_far_ahead_drops_no_other_marks() -> None:
    events = [event(n, NOON + n % 60) for n in range(3_000)]
    ahead = sighting(PULL, identity="ahead", observed_at="2126-03-01T12:00:00Z", now=NOON + 60)
    problem = EMPTY.add_sightings(events).add_sightings([ahead])
    assert problem.last_seen == NOON + 60
    assert problem.add_sightings([*events, ahead]) is problem


def test_where_a_pod_and_a_node_are_named() -> None:
    seen_in = partial(sighting, identity="a", observed_at=None, now=NOON)
    seen = seen_in(PULL)
    # The session names the instance, which other signals of the same node name, too.
    assert (seen.pod, seen.node) == ("payments/api-7d4b9c5f6-x2x7q", "i-0a1b2c3d4e5f60718")
    by_name = seen_in(replace(PULL, pod=None, principal=None))
    assert (by_name.pod, by_name.node) == (None, "ip-10-0-3-17.eu-west-1.compute.internal")
    nowhere = seen_in(replace(PULL, namespace=None, node=None, principal=None))
    assert (nowhere.pod, nowhere.node) == ("?/api-7d4b9c5f6-x2x7q", None)


def test_problems_that_have_pods_in_common_reach_them_once() -> None:
    one = replace(EMPTY.add_sightings([event(1, NOON, pod="web-1"), event(2, NOON + 5, pod="web-2")]), id="problem/one")
    other = replace(
        EMPTY.add_sightings([event(3, NOON - 5, pod="web-2"), event(4, NOON, pod="web-3")]), id="problem/other"
    )
    never = Problem("problem/never")
    assert reach_of([one, never, other]) == Reach(
        events=4,
        first_seen_at=iso(NOON - 5),
        last_seen_at=iso(NOON + 5),
        pods=("shop/web-1", "shop/web-2", "shop/web-3"),
        pod_count=3,
        nodes=("ip-10-0-0-1.ec2.internal",),
        node_count=1,
    )
    assert reach_of([never]) == Reach()


def test_clusters_and_principals_are_those_that_diagnoses_found() -> None:
    first = Problem("problem/one", pull=replace(PULL, cluster="the forwarder's name"), cluster="prod")
    again = Problem("problem/two", pull=replace(PULL, repository="payments/web"), cluster="prod")
    other = replace(first, id="problem/three", cluster="test")
    undiagnosed = Problem("problem/four", pull=replace(PULL, cluster="the forwarder's name"))
    assert PULL.principal is not None
    role = f"{PULL.principal.account}/{PULL.principal.name}"

    assert reach_of([undiagnosed]).cluster_count == 0
    one = reach_of([first, again, undiagnosed])
    assert (one.clusters, one.cluster_count, one.principals, one.principal_count) == (("prod",), 1, (role,), 1)
    two = reach_of([first, again, other])
    assert (two.clusters, two.cluster_count) == (("prod", "test"), 2)
    # The problem in hand is recorded after its findings.
    assert reach_of([first, undiagnosed], found_in="prod") == replace(one, repository_count=1)
    assert reach_of([first, undiagnosed], found_in="test").clusters == ("prod", "test")
    assert reach_of([first, undiagnosed], found_in="test").cluster_count == 2
    assert reach_of([], found_in=None) == Reach()


_names = st.lists(st.integers(0, 1_500).map(str), max_size=1_200)


@given(_names, _names)
def test_names_of_two_problems_are_counted_once(one: list[str], other: list[str]) -> None:
    together = Names().add_all(one).merge(Names().add_all(other))
    assert together.count == min(1_000, len({*one, *other}))
    assert len(together.shown) == len(set(together.shown)) == min(20, len({*one, *other}))


def test_at_most_a_thousand_names_are_counted() -> None:
    many = Names().add_all(f"web-{number}" for number in range(700))
    others = Names().add_all(f"api-{number}" for number in range(700))
    assert many.merge(others).count == 1_000
    assert many.add_all(f"api-{number}" for number in range(700)).count == 1_000


@pytest.mark.parametrize(
    ("problem", "due"),
    [
        (Problem("problem/a"), True),
        (Problem("problem/a", quiet_until=NOON), True),
        (Problem("problem/a", quiet_until=NOON + 1), False),
        (Problem("problem/a", leased_until=NOON + 1), False),
        (Problem("problem/a", leased_until=NOON), True),
    ],
)
def test_when_a_problem_is_due(problem: Problem, *, due: bool) -> None:
    assert problem.is_due(NOON) is due


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "T", None])
def test_text_that_is_not_a_time(text: str | None) -> None:
    assert seconds_of(text) is None


@given(st.integers(0, 253_402_214_400))
def test_times_are_written_and_read_alike(seconds: int) -> None:
    assert seconds_of(iso(seconds)) == seconds


def _cut(events: Sequence[Sighting], size: int) -> list[Sequence[Sighting]]:
    return [events[start : start + size] for start in range(0, len(events), size)]


def _size(problem: Problem) -> int:
    return sum(
        len(name) + sum(len(data) if isinstance(data, bytes) else len(str(data)) for data in value.values())
        for name, value in problem_item(problem, expires_at=0).items()
    )
