"""Runs faults and counts what was wrong."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults.clock import Clock
from tests.faults.estate import running_estate
from tests.faults.fault import Fault, Kind, Span, faults_of
from tests.faults.run import Deployment, Outcome
from tests.faults.verdict import Verdict, judge
from tests.kept_clients import keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# The run begins after everything in the estate was made.
_AFTER: Final = 60
RIGHT: Final = "right"
HEARD: Final = "perhaps heard, told again"
HELD: Final = "told after a lease or a redelivery"
HARMLESS: Final = (HEARD, HELD)


@dataclass(slots=True)
class Totals:
    """The number of runs, and how many of them were wrong in which way, by the kind of fault."""

    runs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def add(self, kind: str, verdict: Verdict) -> None:
        """Count one run."""
        self.runs[kind] += 1
        for name in Verdict.COLUMNS:
            self.wrong[kind][name] += bool(getattr(verdict, name))
        self.wrong[kind][RIGHT] += not verdict.problems
        self.wrong[kind][HEARD] += bool(verdict.heard_again)
        self.wrong[kind][HELD] += bool(verdict.held)

    def table(self) -> str:
        """Return the totals as a table in Markdown."""
        columns = (RIGHT, *Verdict.COLUMNS, *HARMLESS)
        lines = ["| fault | runs | " + " | ".join(_TITLES.get(each, each) for each in columns) + " |"]
        lines.append("|---" * (len(columns) + 2) + "|")
        for kind in [each for each in Kind if self.runs.get(each)]:
            counts = [str(self.wrong[kind][each]) for each in columns]
            lines.append(f"| {kind} | {self.runs[kind]} | {' | '.join(counts)} |")
        sums = [str(sum(each[name] for each in self.wrong.values())) for name in columns]
        lines.append(f"| all | {sum(self.runs.values())} | {' | '.join(sums)} |")
        return "\n".join(lines)


_TITLES: Final = {
    "slow": "reads over 60 s",
    "wrong": "wrong blame",
    "twice": "told twice",
    "hub": "Security Hub wrong",
}


class Campaign:
    """The faults of one deployment. `good` is the run without a fault."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        deployment.run()  # fills what the wire keeps
        self.good: Outcome = deployment.run()
        if problems := judge(None, self.good, self.good).problems:
            raise AssertionError(f"without a fault: {problems}")

    def faults(self) -> list[Fault]:
        """Return all faults of all calls, in an order that does not depend on threads."""
        return sorted(fault for call in self.good.calls for fault in faults_of(call))

    def run(self, faults: Iterable[Fault], report: Callable[[Fault, Verdict], None]) -> Totals:
        """Make a run with each fault."""
        totals = Totals()
        for fault in faults:
            verdict = judge(fault, self._deployment.run(fault), self.good)
            totals.add(fault.kind, verdict)
            report(fault, verdict)
        return totals


def sample(faults: list[Fault], number: int, seed: int) -> list[Fault]:
    """Return `number` of the faults: each kind and span in turn, and of each the operations with the same chance."""
    chance = random.Random(seed)  # noqa: S311 -- the same sample each time
    groups: dict[tuple[Kind, Span], dict[tuple[str, str], list[Fault]]] = defaultdict(lambda: defaultdict(list))
    for fault in faults:
        groups[fault.kind, fault.span][fault.call.service, fault.call.operation].append(fault)
    chosen: list[Fault] = []
    queues = [groups[kind, span] for kind in Kind for span in Span if (kind, span) in groups]
    while len(chosen) < min(number, len(faults)):
        for by_operation in queues:
            left = [each for each in sorted(by_operation) if by_operation[each]]
            if left and len(chosen) < number:
                among = by_operation[chance.choice(left)]
                chosen.append(among.pop(chance.randrange(len(among))))
    return chosen


def prepared() -> Iterator[Campaign]:
    """Yield a campaign on an emulated AWS of its own."""
    with pytest.MonkeyPatch.context() as patches:
        keep(patches)
        with running_estate() as estate:
            deployment = Deployment(estate, Clock(float(int(time.time()) + _AFTER)))
            with deployment.deployed():
                yield Campaign(deployment)
