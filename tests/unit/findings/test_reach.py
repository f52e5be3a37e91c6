"""How far something reaches, in words, and that it never shrinks while it goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pull_responder.findings.reach import Reach, count_words, step, times_failed, without_times

_names = st.lists(st.sampled_from(["a", "b", "c"]), unique=True).map(tuple)
_times = st.none() | st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"])
_reaches = st.builds(
    Reach,
    events=st.integers(0, 5),
    first_seen_at=_times,
    last_seen_at=_times,
    pods=_names,
    pod_count=st.integers(0, 5),
    nodes=_names,
    node_count=st.integers(0, 5),
    repository_count=st.integers(0, 5),
    principal_count=st.integers(0, 5),
    cluster_count=st.integers(0, 5),
    more=st.lists(st.sampled_from(["events", "pods", "clusters"]), unique=True).map(tuple),
)


@given(_reaches, _reaches)
def test_no_count_falls(before: Reach, now: Reach) -> None:
    reach = now.at_least(before)
    assert reach.events == max(before.events, now.events)
    assert reach.pod_count == max(before.pod_count, now.pod_count)
    assert reach.cluster_count == max(before.cluster_count, now.cluster_count)
    assert len(reach.nodes) == max(len(before.nodes), len(now.nodes))
    assert reach.last_seen_at == max(filter(None, [before.last_seen_at, now.last_seen_at]), default=None)
    assert reach.at_least(before).at_least(now) == reach
    assert reach.at_least(reach) == reach


def test_what_was_seen_before_is_kept_where_it_is_more() -> None:
    before = Reach(
        5,
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00Z",
        pods=("a", "b"),
        pod_count=2,
        nodes=("a", "b"),
        node_count=2,
        repository_count=2,
        principal_count=2,
        principals=("a", "b"),
        clusters=("a", "b"),
        cluster_count=2,
        cluster_events=(3, 2),
        account_count=2,
        more=("events", "clusters"),
    )
    now = Reach(
        1,
        "2026-03-01T12:30:00Z",
        "2026-03-01T12:30:00Z",
        pods=("z",),
        pod_count=1,
        nodes=("z",),
        node_count=1,
        repository_count=1,
        principal_count=1,
        principals=("z",),
        clusters=("z",),
        cluster_count=1,
        cluster_events=(1,),
        account_count=1,
    )
    assert now.at_least(before) == before
    assert before.at_least(now) == before
    assert Reach().at_least(before) == before
    assert Reach().at_least(Reach()) == Reach()


def test_that_there_are_more_is_said_of_the_count_that_stands() -> None:
    many = Reach(events=20, pod_count=10_000, more=("events", "pods"))
    assert Reach(events=30, pod_count=9_000).at_least(many) == Reach(events=30, pod_count=10_000, more=("pods",))
    assert Reach(pod_count=10_000).at_least(many).words("pods") == "more than 10,000"


def test_a_count_in_words() -> None:
    assert [count_words(312, more=False), count_words(0, more=False)] == ["312", "0"]
    assert count_words(10_000, more=True) == "more than 10,000"
    assert Reach(events=12_500, more=("events",)).words("events") == "at least 12,500"
    assert Reach(principal_count=3, more=("pods",)).words("principals") == "3"
    # Security Hub gets no update for a sentence that changes with each failure.
    for more in (False, True):
        said = times_failed(12_500, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z", more=more)
        assert ("at least" in said) is more
        assert without_times(f"{said} Look.") == " Look."


def test_the_steps_of_a_count() -> None:
    firsts = [count for count in range(1, 1_200) if step(count) > step(count - 1)]
    assert (step(0), step(1), firsts) == (0, 0, [2, 6, 21, 101, 501, 1001])
