"""Lease problems that are due, diagnose them side by side, and record what was found.

A problem that is due waits in the table until a run leases it. Each run takes on as many as it has time for, in the
order of responder/order.py (docs/adr/0097-all-that-is-due.md).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.diagnosis import diagnose
from pull_responder.facts.reader import Reader
from pull_responder.findings.store import StoreError
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.responder.order import Waiting, in_order
from pull_responder.responder.recorder import Recorder
from pull_responder.responder.report_pages import write_page
from pull_responder.responder.what_broke_it import WhatBrokeIt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.life import Life
    from pull_responder.findings.problem import Problem
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.notifier import Notifier
    from pull_responder.responder.run import Run

# How many problems a run leases at a time. Between two such groups people are notified, so that no notice waits for all
# diagnoses of a run.
MOST_LEASED: Final = 20
# Seconds of the run's time that reads from AWS must leave for publishing.
_SECONDS_TO_PUBLISH: Final = 8.0
# With fewer seconds left, a diagnosis would run out of time. The problem is left to another run.
SECONDS_TO_DIAGNOSE: Final = 15.0
# Seconds by which a lease outlives its run, so that no two runs diagnose the same problem.
_SECONDS_OF_GRACE: Final = 5.0
# After this many unfinished diagnoses, a problem waits for its next failure after the quiet period.
_MOST_TRIES: Final = 5
# A diagnosis waits for AWS most of its time. More at once would meet AWS's limits of calls a second: see the ADR.
_AT_ONCE: Final = 4
# How many of the problems that wait are put in order: the oldest, and where there are more, the newest.
_MOST_IN_LINE: Final = 1_000
_MOST_NEWEST: Final = 200
# After so many groups the line is read again: what came meanwhile may be more urgent.
_GROUPS_A_LINE: Final = 5
# Where other runs lease the same problems, a run chooses from this many times as many.
_WIDER: Final = 8


class Diagnoser:
    """Diagnoses for one run. What was read for one problem is reused for the next.

    `keep` are seconds of the run's time that diagnoses leave for something else.
    """

    def __init__(self, run: Run, ledger: Ledger, notifier: Notifier) -> None:
        self._run = run
        self._ledger = ledger
        self._notifier = notifier
        self.recorder = Recorder(run, ledger, notifier, WhatBrokeIt(run))
        self.reader = Reader(run.aws, remaining=lambda: self.seconds_left() - _SECONDS_TO_PUBLISH)
        self._facts = PullFacts(self.reader, known_principals=run.settings.known_principals)
        self.keep = 0.0
        # Since when each leased problem has waited.
        self._places: dict[str, float] = {}
        # The keys of the pages of problems that were diagnosed and are not recorded yet.
        self._pages: dict[str, str] = {}

    def seconds_left(self) -> float:
        """Return the seconds that diagnoses have."""
        return self._run.remaining() - self.keep

    def lease(self, problem: Problem, *, now: float) -> Problem:
        """Return the problem leased to this run. If the run dies, `recheck` takes it when the lease expires."""
        if problem.pull is None:
            return replace(problem, look_at=0, leased_until=0)
        if not problem.is_due(now) and not problem.is_wanted(now):
            return replace(problem, look_at=problem.leased_until if problem.leased_until > now else 0)
        if problem.tries >= _MOST_TRIES:
            return replace(problem, tries=0, look_at=0, quiet_until=now + self._run.settings.quiet_minutes * 60)
        self._places[problem.id] = place_of(problem, now)
        until = now + self._run.lifetime() + _SECONDS_OF_GRACE
        return replace(problem, tries=problem.tries + 1, leased_until=until, leased_by=self._run.name, look_at=until)

    def diagnose_leased(self, problems: Iterable[Problem]) -> dict[str, Exception]:
        """Diagnose those of `problems` that this run has leased, and notify people.

        Returns the exceptions of those that crashed, by id.
        """
        now = self._run.now()
        held = [each for each in problems if each.leased_by == self._run.name and each.leased_until > now]
        changed: list[Life] = []
        crashed: dict[str, Exception] = {}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="diagnose") as pool:
            # One diagnosis needs no thread of its own.
            answers = [pool.submit(self._diagnose, each) if len(held) > 1 else None for each in held]
            for problem, answer in zip(held, answers, strict=True):
                with self._run.about(problem.id):
                    try:
                        diagnosis = answer.result() if answer else self._diagnose(problem)
                        if diagnosis is None:
                            self._ledger.change_problem(problem.id, self._release)
                        else:
                            page = self._pages.pop(problem.id, "")
                            changed += self.recorder.record(problem.id, diagnosis, page=page)
                    except StoreError as error:
                        # When the lease expires, `recheck` diagnoses the problem again.
                        self.log_table_failure(problem.id, error)
                    except Exception as exception:
                        # The caller reports it once the others are notified.
                        self._run.count("DiagnosesFailed")
                        self._run.logger.exception("a problem could not be diagnosed", about=problem.id)
                        crashed[problem.id] = exception
        self._notifier.notify(changed)
        return crashed

    def diagnose_waiting(self) -> dict[str, Exception]:
        """Diagnose the problems that wait, in their order, for as long as the run has time.

        Returns the exceptions of those that crashed, by id.
        """
        crashed: dict[str, Exception] = {}
        seen: set[str] = set()
        choice = MOST_LEASED
        while line := [each for each in self._line() if each.id not in seen]:
            for _ in range(_GROUPS_A_LINE):
                if not line or self.seconds_left() < SECONDS_TO_DIAGNOSE:
                    break
                group = self._choose(line, choice)
                line = [each for each in line if each not in group]
                seen |= {each.id for each in group}
                leased = self._lease_all(group)
                crashed |= self.diagnose_leased(leased)
                # Another run has begun at the same end of the line. To meet it at each group would cost both.
                if sum(each.leased_by == self._run.name for each in leased) * 2 < len(group):
                    choice = MOST_LEASED * _WIDER
            if self.seconds_left() < SECONDS_TO_DIAGNOSE:
                break
        return crashed

    def log_table_failure(self, about: str, error: StoreError) -> None:
        """Log and count that the table did not answer about an item."""
        self._run.count("TableFailures")
        with self._run.about(about):
            self._run.logger.error("the findings table did not answer", about=about, reason=str(error))

    def _line(self) -> list[Waiting]:
        """Return the problems that are due now, in the order in which they are to be diagnosed."""
        now, store = self._run.now(), self._run.store
        ids = store.due_problems(before=now, limit=_MOST_IN_LINE)
        if len(ids) >= _MOST_IN_LINE:
            # What has just come is not to wait until thousands of others are diagnosed.
            ids += store.due_problems(before=now, limit=_MOST_NEWEST, newest_first=True)
        pulls = store.pulls(dict.fromkeys(ids))
        # The index lists the oldest first.
        return in_order(Waiting(each, number, pulls.get(each)) for number, each in enumerate(dict.fromkeys(ids)))

    def _choose(self, line: Sequence[Waiting], choice: int) -> Sequence[Waiting]:
        """Return whom to lease next: the first of the line, or of the first `choice` some that differ by run."""
        if choice <= MOST_LEASED:
            return line[:MOST_LEASED]
        head = MOST_LEASED // 4
        rest = sorted(line[head:choice], key=lambda each: hash((self._run.name, each.id)))
        return [*line[:head], *rest[: MOST_LEASED - head]]

    def _lease_all(self, group: Sequence[Waiting]) -> list[Problem]:
        now = self._run.now()
        leased, failed = self._ledger.change_problems({each.id: partial(self.lease, now=now) for each in group})
        for each, error in failed.items():
            self.log_table_failure(each, error)
        for problem in leased.values():
            if problem.pull is None:
                # The failed pull is not known, so the problem waits for its next failure.
                self._run.count("ItemsUnusable")
                with self._run.about(problem.id):
                    self._run.logger.warning("the failure of a problem cannot be read", about=problem.id)
        # `leased` is in the order of writing.
        return [leased[each.id] for each in group if each.id in leased]

    def _diagnose(self, problem: Problem) -> Diagnosis | None:
        """Return the diagnosis of a problem, None if no time is left for it."""
        if problem.pull is None or self.seconds_left() < SECONDS_TO_DIAGNOSE:
            return None
        with self._run.about(problem.id):
            diagnosis = diagnose(problem.pull, self._facts)
            # Late, it would take the time in which people are notified.
            if not diagnosis.late and self.seconds_left() > _SECONDS_TO_PUBLISH:
                self._pages[problem.id] = write_page(self._run, problem.id, diagnosis, self._facts)
            return diagnosis

    def _release(self, problem: Problem) -> Problem:
        """Return the problem without its lease, at its place in the line."""
        place = self._places.get(problem.id, self._run.now())
        return replace(problem, tries=problem.tries - 1, leased_until=0, look_at=place)


def place_of(problem: Problem, now: float) -> float:
    """Return since when a due problem has waited, in seconds since 1970: it keeps its place when it fails again."""
    return problem.look_at if 0 < problem.look_at <= now else now
