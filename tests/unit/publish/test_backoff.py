"""Waits before another try: random, longer each time, and within their bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from pull_responder.publish.backoff import Backoff, jitter, longest_wait
from pull_responder.responder.run import Run

if TYPE_CHECKING:
    import pytest


@given(st.integers(0, 10**9), st.floats(0.001, 10), st.floats(0.001, 100))
def test_the_longest_wait_doubles_up_to_its_bound(retries: int, first: float, most: float) -> None:
    longest = longest_wait(retries, first=first, most=most)
    assert 0 < longest <= most
    assert longest == min(most, first) or retries > 0
    assert longest_wait(retries + 1, first=first, most=most) in (min(most, 2 * longest), longest)


@given(st.floats(0, 100))
def test_a_wait_is_between_none_and_the_longest(longest: float) -> None:
    assert 0 <= jitter(longest) <= longest


def test_all_waits_are_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Security Hub's retries and another run's write wait alike, each within its own bounds."""
    bounds: list[float] = []
    waits: list[float] = []

    def longest(_least: float, most: float) -> float:
        bounds.append(most)
        return most

    monkeypatch.setattr("pull_responder.publish.backoff.random.uniform", longest)
    backoff = Backoff(lambda: 100.0, waits.append)
    assert all(backoff.pause(tries) for tries in range(1, 7))
    run = Run(
        **cast("dict[str, Any]", dict.fromkeys(("settings", "aws", "store", "logger", "metrics"))),
        remaining=lambda: 100.0,
        wait=waits.append,
    )
    for attempt in range(9):
        run.let_others(attempt)
    assert waits == bounds
    assert waits == [0.5, 1, 2, 4, 8, 8, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]


def test_no_wait_goes_past_the_time_left() -> None:
    waits: list[float] = []
    assert not Backoff(lambda: 0.5, waits.append).pause(1)
    assert not Backoff(None, waits.append).pause(1)
    assert waits == []
