"""The state of a problem: every event counts once, in any order and however often it arrives."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.findings.codec import problem_item
from pull_responder.findings.problem import (
    MOST_NAMES,
    Names,
    Problem,
    Sighting,
    iso,
    keep_latest,
    seconds_of,
    sighting,
    unite_names,
)
from pull_responder.findings.reach import Reach
from pull_responder.findings.tally import reach_of
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


@pytest.mark.parametrize(
    ("problem", "is_wanted"),
    [
        (Problem("problem/a"), False),
        (Problem("problem/a", look_at=1), True),
        (Problem("problem/a", look_at=NOON), True),
        (Problem("problem/a", look_at=NOON + 1), False),
        (Problem("problem/a", look_at=NOON, leased_until=NOON), True),
        (Problem("problem/a", look_at=NOON, leased_until=NOON + 1), False),
        (Problem("problem/a", look_at=NOON, quiet_until=NOON + 1), True),
    ],
)
def test_when_a_problem_has_to_be_diagnosed_without_an_event(problem: Problem, *, is_wanted: bool) -> None:
    assert problem.is_wanted(NOON) is is_wanted


def test_a_name_is_recognized_by_its_mark() -> None:
    names = Names().add_all([f"web-{number}" for number in range(60)])
    assert "web-59" not in names.shown
    assert names.has("web-59")
    assert Names().add_all(["a", "b"], most=2).more is False
    assert unite_names([]) == Names()
    assert not names.has("web-60")


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
    assert not problem.paged
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


def test_what_is_too_much_for_the_item_leaves_it_small_and_counts_nothing_in_it() -> None:
    some = EMPTY.add_sightings([event(n, NOON, pod="p" * 240 + str(n), node=f"{n}" + "n" * 240) for n in range(150)])
    assert (some.count, some.pods.count, some.nodes.count, some.paged) == (150, 150, 150, False)
    new_pods = [event(n + 1_000, NOON + 5, pod=f"web-{n}") for n in range(60)]
    many_events = [event(n + 1_000, NOON + 5) for n in range(600)]
    for batch in (new_pods, many_events, [*some_of(many_events), *new_pods]):
        paged = some.add_sightings(batch)
        assert paged == replace(some, paged=True, last_seen=NOON + 5)
        assert paged.add_sightings(batch) is paged
    # A write unit is a kilobyte. The pull is not in here.
    assert _size(some) < 14_000
    assert _size(EMPTY.add_sightings(many_events)) < 10_000


def some_of(events: list[Sighting]) -> list[Sighting]:
    return events[:50]


def test_the_item_of_an_earlier_version_becomes_small() -> None:
    events = [event(n, NOON + n) for n in range(12_000)]
    marks = b"".join(each.mark for each in events)
    pods = Names().add_all((f"web-{n}" for n in range(1_000)), most=1_000)
    old = replace(EMPTY, count=12_000, first_seen=NOON, last_seen=NOON + 11_999, marks=marks, pods=pods)
    assert old.add_sightings(events) is old
    paged = old.add_sightings([event(-1, NOON + 12_000)])
    assert (paged.paged, paged.count, paged.forgotten) == (True, 12_000, NOON + 12_000 - 641)
    assert paged.pods.more
    assert not paged.nodes.more
    assert _size(paged) < 15_000


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
        ("1970-01-01T00:00:00Z", NOON),
        ("1969-12-31T00:00:00Z", NOON),
        ("2025-11-30T11:59:00Z", NOON),
        ("2025-12-01T12:01:00Z", NOON - 90 * 86_400 + 60),
        (None, NOON),
        ("yesterday", NOON),
    ],
    ids=[
        "past",
        "offset",
        "no offset",
        "a clock ahead",
        "a century ahead",
        "1970",
        "before",
        "91 days",
        "90 days",
        "no time",
        "no time at all",
    ],
)
def test_when_an_event_was_seen(observed_at: str | None, at: float) -> None:
    assert sighting(PULL, identity="a", observed_at=observed_at, now=NOON).at == at


@pytest.mark.parametrize("observed_at", ["2026-03-01T11:59:00Z", "2126-03-01T12:00:00Z", "1970-01-01T00:00:00Z", None])
def test_the_same_event_is_known_again_whenever_it_comes(observed_at: str | None) -> None:
    def come(identity: str, now: float) -> list[Sighting]:
        return [sighting(PULL, identity=identity, observed_at=observed_at, now=now)]

    problem = EMPTY.add_sightings(come("a", NOON))
    assert problem.add_sightings(come("a", NOON + HOUR)) is problem
    assert problem.add_sightings(come("b", NOON + HOUR)).count == 2


def test_an_event_is_seen_when_it_says_from_ninety_days_ago_until_now() -> None:
    oldest = NOON - 90 * 86_400
    for own, at in ((NOON, NOON), (NOON + 1, NOON), (oldest, oldest), (oldest - 1, NOON)):
        assert sighting(PULL, identity="a", observed_at=iso(own), now=NOON).at == at


def test_the_mark_of_an_event_is_the_same_in_every_version() -> None:
    """Else an event that comes again during an update counts twice."""
    seen = sighting(PULL, identity="event 1", observed_at=iso(NOON), now=NOON + 60)
    assert seen.mark.hex() == "69a42a400dd7597ec866"
    assert sighting(PULL, identity="event \ud800", observed_at=None, now=NOON).mark.hex() == "0000000020ee1b61739d"


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("i-0a1b2c3d4e5f60718.eu-west-1.compute.internal", "i-0a1b2c3d4e5f60718"),
        ("i-0a1b2c3d4e5f60718", "i-0a1b2c3d4e5f60718"),
        ("i-node.ec2.internal", "i-node.ec2.internal"),
        ("fargate-ip-10-0-3-17.ec2.internal", "fargate-ip-10-0-3-17.ec2.internal"),
        (None, None),
    ],
)
def test_a_node_that_is_called_by_its_instance_is_that_instance(name: str | None, node: str | None) -> None:
    pull = replace(PULL, node=name, principal=None)
    assert sighting(pull, identity="a", observed_at=None, now=NOON).node == node


def test_as_many_as_fit_into_the_item_are_kept_in_it() -> None:
    full = [event(n, NOON + n) for n in range(640)]
    assert EMPTY.add_sightings(full).count == 640
    paged = EMPTY.add_sightings([*full, event(640, NOON)])
    assert (paged.paged, paged.count, paged.first_seen, paged.last_seen) == (True, 0, NOON, NOON + 639)
    pods = [event(n, NOON, pod=f"web-{n}", node="one") for n in range(201)]
    nodes = [event(n, NOON, node=f"node-{n}") for n in range(201)]
    for each in (pods, nodes):
        assert not EMPTY.add_sightings(each[:200]).paged
        assert EMPTY.add_sightings(each).paged


def test_what_an_earlier_version_may_have_left_out_of_full_names_is_said() -> None:
    nodes = Names().add_all((f"node-{n}" for n in range(1_000)), most=1_000)
    old = replace(EMPTY, count=1, first_seen=NOON, last_seen=NOON, nodes=nodes)
    paged = old.add_sightings([event(1, NOON - 5)])
    assert (paged.paged, paged.nodes.more, paged.pods.more, paged.first_seen) == (True, True, False, NOON - 5)


def test_of_marks_that_are_left_out_the_latest_time_is_kept() -> None:
    marks = b"".join(event(n, NOON + n).mark for n in range(5))
    assert keep_latest(marks, 5, NOON + 9) == (marks, 0)
    assert keep_latest(marks, 3, NOON + 9) == (marks[20:], NOON + 1)
    # What is as late as the latest event counts; what claims to be later says nothing.
    assert keep_latest(marks, 3, NOON + 1) == (marks[20:], NOON + 1)
    assert keep_latest(marks, 3, NOON) == (marks[20:], NOON)


def test_a_time_without_an_offset_is_utc_wherever_the_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        seconds_of.cache_clear()
        assert seconds_of("2026-03-01T12:00:00") == seconds_of("2026-03-01T14:00:00+02:00") == NOON
    finally:
        monkeypatch.undo()
        time.tzset()


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
    no_account = replace(again, pull=replace(PULL, principal=None, account=None))
    assert reach_of([first, no_account]).cluster_count == reach_of([no_account]).cluster_count == 1
    # The problem in hand is recorded after its findings.
    assert reach_of([first, undiagnosed], found_in="prod") == replace(one, repository_count=1)
    assert reach_of([first, undiagnosed], found_in="test").clusters == ("prod", "test")
    assert reach_of([first, undiagnosed], found_in="test").cluster_count == 2
    assert reach_of([], found_in=None) == Reach()


_names = st.lists(st.integers(0, 300).map(str), max_size=200)


@given(st.lists(_names, max_size=5))
def test_names_of_several_problems_are_counted_once(every: list[list[str]]) -> None:
    together = unite_names(Names().add_all(names) for names in every)
    distinct = {name for names in every for name in names}
    assert (together.count, together.more) == (len(distinct), False)
    assert len(together.shown) == len(set(together.shown)) == min(20, len(distinct))
    assert set(together.shown) <= distinct


def test_ten_thousand_names_are_counted_and_of_one_more_it_is_said_that_there_are_more() -> None:
    web = Names().add_all(f"web-{number}" for number in range(6_000))
    api = Names().add_all(f"api-{number}" for number in range(4_000))
    both = unite_names([web, api, web])
    assert (both.count, both.more) == (MOST_NAMES, False)
    for one_more in (both.add_all(["last"]), unite_names([both, Names().add_all(["last"])])):
        assert (one_more.count, one_more.more) == (MOST_NAMES, True)
        assert reach_of([replace(EMPTY, pods=one_more)]).words("pods") == "more than 10,000"
    assert reach_of([replace(EMPTY, pods=both)]).words("pods") == "10000"


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
