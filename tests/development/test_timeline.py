"""The clocks of bench/lambda_time.py: the one that is furthest behind acts, and none sleeps for ever."""

from __future__ import annotations

from threading import Condition, Event, Thread
from typing import TYPE_CHECKING

import pytest

from bench import timeline as bench_timeline
from bench.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

# Only a thread that was not woken takes so long.
_PATIENCE = 20


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set by a thread that holds the lock and is about to sleep: whoever gets the lock next finds it asleep."""
    asleep = Event()

    class Noted(Condition):
        def wait(self, timeout: float | None = None) -> bool:
            asleep.set()
            return super().wait(timeout)

    monkeypatch.setattr(bench_timeline, "Condition", Noted)
    return asleep


def _start(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def _ends(thread: Thread) -> bool:
    thread.join(_PATIENCE)
    return not thread.is_alive()


def _two(first: float, second: float) -> Timeline:
    timeline = Timeline()
    timeline.enter("first", first)
    timeline.enter("second", second)
    return timeline


def test_whoever_is_further_behind_since_time_passed_elsewhere_is_woken(sleeps: Event) -> None:
    timeline = _two(1, 2)
    second = _start(lambda: timeline.take_turn("second"))
    assert sleeps.wait(_PATIENCE)
    # As a thread does that works for an invocation whose own thread takes no turn meanwhile.
    timeline.pass_time("first", 5)
    assert _ends(second)


def test_while_one_acts_its_time_wakes_nobody(sleeps: Event) -> None:
    timeline = _two(1, 2)
    timeline.take_turn("first")
    second = _start(lambda: timeline.take_turn("second"))
    assert sleeps.wait(_PATIENCE)
    timeline.pass_time("first", 5)
    sleeps.clear()
    assert second.is_alive()
    assert not sleeps.is_set()
    # Its turn ends as it asks for the next.
    first = _start(lambda: timeline.take_turn("first"))
    assert _ends(second)
    timeline.leave("second")
    assert _ends(first)


def test_whoever_leaves_wakes_the_next(sleeps: Event) -> None:
    timeline = _two(1, 2)
    second = _start(lambda: timeline.take_turn("second"))
    assert sleeps.wait(_PATIENCE)
    timeline.leave("first")
    assert _ends(second)


def test_turns_are_in_the_order_of_the_clocks() -> None:
    timeline = Timeline()
    steps = {"a": 3.0, "b": 2.0, "c": 7.0}
    acted: list[tuple[float, str]] = []

    def play(name: str) -> None:
        for _ in range(20):
            timeline.take_turn(name)
            acted.append((timeline.now(name), name))
            timeline.pass_time(name, steps[name])
        timeline.leave(name)

    for each in steps:
        timeline.enter(each, 0)
    assert all(map(_ends, [_start(lambda each=each: play(each)) for each in steps]))  # type: ignore[misc]
    assert acted == sorted((step * number, name) for name, step in steps.items() for number in range(20))
