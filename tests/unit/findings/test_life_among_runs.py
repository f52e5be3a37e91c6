"""Runs act at the same time and may die anywhere: in the end, people were notified of the recorded state."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pull_responder.findings.life import (
    Life,
    claim,
    expires_at,
    is_claimed_by,
    magnitude,
    mark_notified,
    notice,
    postpone,
    retry_later,
)
from pull_responder.findings.notice import Edge
from tests.unit.findings.lives import NOON, SETTINGS, close, find, look

_SAYS_BROKEN = frozenset(Edge) - {Edge.RESOLVED}


@dataclass
class Telling:
    """A run that has claimed a notice: the finding as it was then, and whether it has been sent by now."""

    life: Life
    name: str
    sent: bool = False


class FindingAmongRuns(RuleBasedStateMachine):
    """One item of the table, runs that change it in any order, and people who get the notices."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.life = find(None, NOON)
        self.runs: list[Telling] = []
        self.heard_last: Edge | None = None
        self.heard_step = 0
        self.times_heard = 0
        self.started = 0
        self.deaths_after_sending = 0

    @rule(seconds=st.sampled_from([1, 20, 59, 61, 299, 301, 3600, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(nodes=st.sampled_from([1, 9, 10, 100]))
    def is_found(self, nodes: int) -> None:
        was_open, worst = self.life.is_open, max(self.life.reach.node_count, nodes)
        self.life = find(self.life, self.now, nodes=worst)
        if was_open and self.life.pending is None and not self.runs:
            assert magnitude(self.life.reach) <= self.heard_step

    @rule()
    def is_over(self) -> None:
        self.life = close(self.life, self.now)

    @rule()
    def is_looked_at(self) -> None:
        self.life = look(self.life, self.now)

    @rule()
    def a_run_claims(self) -> None:
        self.started += 1
        name = f"run {self.started}"
        before = self.life.pending
        self.life = claim(self.life, self.now, name)
        after = self.life.pending
        assert (before and (before.edge, before.at, before.due)) == (after and (after.edge, after.at, after.due))
        if is_claimed_by(self.life, name, self.now):
            self.runs.append(Telling(self.life, name))

    @precondition(lambda self: any(not run.sent for run in self.runs))
    @rule(data=st.data())
    def a_run_sends(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from([run for run in self.runs if not run.sent]))
        if not is_claimed_by(run.life, run.name, self.now):
            self.runs.remove(run)  # too late: it is another's by now
            return
        run.sent = True
        self.heard_last = notice(run.life).edge
        self.heard_step = magnitude(run.life.reach)
        self.times_heard += 1

    @precondition(lambda self: any(run.sent for run in self.runs))
    @rule(data=st.data())
    def a_run_records_that_it_was_sent(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from([run for run in self.runs if run.sent]))
        self.life = mark_notified(self.life, self.now, sent=run.life)
        self.runs.remove(run)

    @precondition(lambda self: any(not run.sent and self._has(run) for run in self.runs))
    @rule(data=st.data(), refused=st.booleans())
    def a_run_cannot_send(self, data: st.DataObject, *, refused: bool) -> None:
        run = data.draw(st.sampled_from([run for run in self.runs if not run.sent and self._has(run)]))
        self.life = retry_later(self.life, self.now) if refused else postpone(self.life, self.now + 65)
        self.runs.remove(run)

    @precondition(lambda self: bool(self.runs))
    @rule(data=st.data())
    def a_run_dies(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        self.deaths_after_sending += run.sent
        self.runs.remove(run)

    def _has(self, run: Telling) -> bool:
        return self.life.pending is not None and self.life.pending.claimant == run.name

    @invariant()
    def only_what_fits_is_to_be_told(self) -> None:
        pending = self.life.pending
        if pending:
            assert (pending.edge is Edge.RESOLVED) is not self.life.is_open

    @invariant()
    def once_nothing_is_to_be_told_people_know_what_is_on_record(self) -> None:
        if self.life.pending or self.runs:
            return
        if self.life.is_open:
            assert self.heard_last in _SAYS_BROKEN
        else:
            assert self.heard_last in {None, Edge.RESOLVED}

    @invariant()
    def somebody_turns_to_it_as_long_as_it_is_not_over(self) -> None:
        if self.life.is_open or self.life.pending:
            assert self.life.due_at is not None
            assert expires_at(self.life, SETTINGS) is None


TestFindingAmongRuns = FindingAmongRuns.TestCase
TestFindingAmongRuns.settings = settings(max_examples=300, stateful_step_count=30)
