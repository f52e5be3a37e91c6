"""A finding that comes back again and again: how long it is held, and how many messages people get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.findings.flapping import add_break, flapping_words, hold_down_seconds, is_flapping
from pull_responder.findings.life import Life, notice, open_or_update, resolve
from pull_responder.findings.notice import Edge
from tests.unit.findings.lives import NOON, SETTINGS, close, find, seen_on, tell
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = 60.0
HOUR = 3_600.0
# The finding opens, and then comes back eleven times.
BREAKS = 12
FOUR_HOURS = 240


def messages(changes: Sequence[float], *, until: float) -> list[tuple[float, Edge, str]]:
    """Return what people get, in minutes since noon: the finding opens at noon, and closes or opens at each change.

    A run looks every minute, as `recheck` does.
    """
    life = find(None, NOON)
    heard: list[tuple[float, Edge, str]] = []
    waiting = sorted(changes)
    minute = 0
    while minute <= until:
        now = NOON + minute * MINUTE
        while waiting and waiting[0] <= minute:
            at = NOON + waiting.pop(0) * MINUTE
            life = close(life, at) if life.is_open else find(life, at)
        before = life
        life = tell(life, now)
        if life is not before and before.pending:
            told = notice(before)
            heard.append((minute, told.edge, told.because))
        minute += 1
    return heard


@settings(max_examples=200)
@given(st.lists(st.floats(0.1, FOUR_HOURS), min_size=2 * BREAKS - 1, max_size=2 * BREAKS - 1, unique=True))
def test_twelve_breaks_in_four_hours_are_at_most_six_messages(changes: list[float]) -> None:
    heard = [edge for _, edge, _ in messages(changes, until=24 * 60)]
    assert len(heard) <= 6
    assert heard[0] is Edge.NEW
    assert heard[-1] is Edge.RESOLVED


@pytest.mark.parametrize("down", [1, 5, 10, 14, 17])
def test_every_twenty_minutes_for_four_hours(down: int) -> None:
    changes = [at for start in range(0, FOUR_HOURS, 20) for at in (start, start + down)][1:]
    heard = messages(changes, until=24 * 60)
    assert len(heard) <= 6
    flapping = [because for _, _, because in heard if "flapping" in because]
    assert len(flapping) == 1
    assert "came back 2 times" in flapping[0]
    at, edge, _ = heard[-1]
    assert (at - changes[-1], edge) == (240, Edge.RESOLVED)


def test_the_worst_pattern_gets_no_more() -> None:
    # It stays resolved just until people hear so, as long as that takes less than four hours.
    heard = messages([1, 7, 8, 29, 30, 100, 101, 150, 151], until=24 * 60)
    assert [edge for _, edge, _ in heard] == [
        Edge.NEW,
        Edge.RESOLVED,
        Edge.BACK,
        Edge.RESOLVED,
        Edge.BACK,
        Edge.RESOLVED,
    ]


def test_once_it_held_a_finding_is_told_as_before() -> None:
    changes = [1.0, 10, 11, 20, 21, 30, 31]
    heard = messages([*changes, 31 + 600, 31 + 610], until=24 * 60)
    assert [edge for _, edge, _ in heard][-2:] == [Edge.BACK, Edge.RESOLVED]
    back, resolved = heard[-2:]
    assert "flapping" not in back[2]
    assert resolved[0] - back[0] == 10 + 20


def test_after_one_break_it_is_held_longer() -> None:
    heard = messages([10, 30, 40], until=24 * 60)
    assert [(at, edge) for at, edge, _ in heard] == [
        (0, Edge.NEW),
        (15, Edge.RESOLVED),
        (30, Edge.BACK),
        (60, Edge.RESOLVED),
    ]


def test_three_breaks_that_are_far_apart_are_no_flapping() -> None:
    heard = messages([10, 400, 410, 800, 810], until=24 * 60)
    assert not any("flapping" in because for _, _, because in heard)
    assert [edge for _, edge, _ in heard] == [Edge.NEW, *[Edge.RESOLVED, Edge.BACK] * 2, Edge.RESOLVED]


def test_a_moment_of_an_old_answer_is_no_break() -> None:
    # After a change AWS may answer with the old state once more.
    heard = messages([10, 10.5, 11, 11.5, 12, 12.5, 13], until=60)
    assert [(at, edge) for at, edge, _ in heard] == [(0, Edge.NEW), (18, Edge.RESOLVED)]


def test_it_is_told_as_flapping_later_if_the_notice_was_not_sent() -> None:
    life = tell(find(None, NOON), NOON)
    at = NOON
    for _ in range(2):
        at += 10 * MINUTE
        life = close(life, at)
        at += 3 * MINUTE
        life = find(life, at)
    assert life.flapping
    assert life.pending is not None
    life = find(close(life, at + 1), at + 10 * MINUTE)
    assert life.pending is not None
    assert "came back 3 times" in life.pending.because
    life = find(close(tell(life, at + 10 * MINUTE), at + 20 * MINUTE), at + 30 * MINUTE)
    assert life.pending is None


def test_without_a_hold_down_the_first_end_is_told_at_once_and_no_flapping() -> None:
    at_once = replace(SETTINGS, hold_down_minutes=0)

    def found(life: Life | None, now: float) -> Life:
        return open_or_update(life, FINDING, problem="problem/a", reach=seen_on(), now=now, settings=at_once)

    life = tell(found(None, NOON), NOON)
    ends = []
    for minute in range(1, 7, 2):
        life = resolve(life, because="It passes now.", now=NOON + minute * MINUTE, settings=at_once)
        assert life.pending is not None
        ends.append(life.pending.due - NOON - minute * MINUTE)
        life = tell(life, NOON + minute * MINUTE)
        life = tell(found(life, NOON + (minute + 1) * MINUTE), NOON + (minute + 1) * MINUTE)
    assert ends == [0, 20 * MINUTE, 20 * MINUTE]


def test_breaks_of_the_future_and_of_long_ago_do_not_count() -> None:
    breaks = add_break((NOON - 7 * HOUR, NOON + HOUR), NOON, resolved_for=HOUR, was_told=True)
    assert breaks == (NOON,)
    assert not is_flapping(breaks, NOON)
    assert hold_down_seconds((), NOON, minutes=5) == 300
    assert hold_down_seconds(breaks, NOON + 7 * HOUR, minutes=5) == 300
    assert hold_down_seconds((NOON, NOON), NOON, minutes=600) == 36_000


def test_breaks_count_for_six_hours() -> None:
    breaks = (NOON - 6 * HOUR - 1, NOON - 6 * HOUR, NOON - 1, NOON, NOON + 1)
    assert add_break(breaks, NOON, resolved_for=600, was_told=True) == (NOON - 6 * HOUR, NOON - 1, NOON, NOON)


@pytest.mark.parametrize(
    ("resolved_for", "was_told", "counts"),
    [(119, False, False), (120, False, True), (0, True, True), (119, True, True)],
)
def test_what_was_over_for_less_than_two_minutes_was_not_over_unless_people_heard_so(
    resolved_for: float, *, was_told: bool, counts: bool
) -> None:
    assert add_break((), NOON, resolved_for=resolved_for, was_told=was_told) == ((NOON,) if counts else ())


def test_what_people_are_told_of_a_finding_that_flaps() -> None:
    breaks = (NOON - HOUR, NOON)
    assert flapping_words(breaks, minutes=5) == (
        "It is flapping: after it was resolved it came back 2 times, first at 2026-03-01 11:00 UTC. "
        "You do not hear of each time. "
        "RESOLVED comes once it has stayed resolved for 4 hours."
    )
    assert "stayed resolved for 4.5 hours" in flapping_words(breaks, minutes=270)
