"""What an invocation counts."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pull_responder.responder.run import Run

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics


class Slow:
    """A collector as Powertools' is: it reads what it has, and writes it back. Others get their turn in between."""

    def __init__(self, threads: int) -> None:
        self.kept: list[float] = []
        self._all = threading.Barrier(threads)

    def add_metric(self, *, value: float, **_: object) -> None:
        kept = [*self.kept, value]
        # With a lock nobody else gets here, and the wait ends by itself.
        try:
            self._all.wait(timeout=0.05)
        except threading.BrokenBarrierError:
            self._all.reset()
        self.kept = kept


def _run(metrics: Slow | None = None, *, remaining: float = 60) -> Run:
    nothing = cast("Any", None)
    return Run(
        settings=nothing,
        aws=nothing,
        store=nothing,
        remaining=lambda: remaining,
        logger=nothing,
        metrics=cast("Metrics", metrics),
    )


def test_counts_of_several_threads_lose_nothing() -> None:
    metrics = Slow(4)
    run = _run(metrics)
    threads = [threading.Thread(target=run.count, args=("FindingsFound", number)) for number in (1, 2, 3, 4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(metrics.kept) == [1, 2, 3, 4]


def test_a_run_within_less_time_is_over_when_lambda_stops_it() -> None:
    left = 300.0
    run = replace(_run(), remaining=lambda: left).within(120)
    shorter = run.within(20)
    assert (run.remaining(), run.lifetime(), shorter.remaining(), shorter.lifetime()) == (120, 300, 20, 300)
    left = 200.0
    assert (run.remaining(), run.lifetime(), shorter.remaining(), shorter.lifetime()) == (20, 200, -80, 200)


def test_a_run_within_more_time_than_it_has_is_as_it_was() -> None:
    run = _run(remaining=30)
    assert (run.lifetime(), run.within(120).remaining(), run.within(120).lifetime()) == (30, 30, 30)


def test_nothing_is_counted_for_none() -> None:
    metrics = Slow(1)
    _run(metrics).count("FindingsFound", 0)
    assert metrics.kept == []
