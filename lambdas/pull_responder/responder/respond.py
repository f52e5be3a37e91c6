"""Respond to a batch of events: count them by problem, diagnose each problem once in its quiet period, and notify.

An event is handled once its problem is in the table. From then on the table, not the queue, makes sure that the problem
is diagnosed. If a run dies, its lease expires and another run takes the problem.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS, node_group_unhealthy
from pull_responder.diagnosis import diagnose, skip_reason
from pull_responder.events.intake import Inspection, Origins
from pull_responder.events.joining import join
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.recurrence import Recurrence
from pull_responder.facts.reader import Reader
from pull_responder.findings.problem import problem_id, sighting
from pull_responder.findings.store import StoreError
from pull_responder.model.pull import PullFailure
from pull_responder.model.unread import Unread
from pull_responder.pulls.addons import event_questions
from pull_responder.pulls.inspections import narrow_inspection
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.notifier import Notifier
from pull_responder.responder.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.events.recurrence import Occurrence
    from pull_responder.findings.life import Life
    from pull_responder.findings.problem import Problem, Sighting
    from pull_responder.responder.run import Run

# Seconds of the run's time that reads from AWS must leave for publishing.
_SECONDS_TO_PUBLISH: Final = 8.0
# With fewer seconds left, a diagnosis would run out of time. The problem is left to another run.
_SECONDS_TO_DIAGNOSE: Final = 15.0
# Seconds by which a lease outlives its run, so that no two runs diagnose the same problem.
_SECONDS_OF_GRACE: Final = 5.0
# After this many unfinished diagnoses, a problem waits for its next failure after the quiet period.
_MOST_TRIES: Final = 5
# How many problems one run diagnoses. The function `recheck` takes the others.
_MOST_DIAGNOSES: Final = 20
# Caches, kept between invocations: most events repeat earlier ones.
_RECURRENCE: Final = Recurrence()
_PROBLEMS: Final[dict[int, tuple[PullFailure, str]]] = {}
_MOST_PROBLEMS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the queue: its id and its body."""

    id: str
    body: str


@dataclass(slots=True)
class _Group:
    """The messages of one problem in a batch.

    - `pull`: the most detailed failure of the problem, completed from others of the batch.
    - `newest`: the newest event with that failure.
    - `messages`: the ids of the messages.
    - `sightings`: one for each message.
    """

    pull: PullFailure
    newest: Occurrence
    messages: list[str]
    sightings: list[Sighting]

    def failure(self) -> PullFailure:
        """Return `pull` with the time and the event id of `newest`."""
        return replace(self.pull, observed_at=self.newest.observed_at, event_id=self.newest.event_id)


class Responder:
    """Responds to the events of one invocation. What was read for one problem is reused for the next."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._notifier = Notifier(run, self._ledger)
        self._recorder = Recorder(run, self._ledger, self._notifier)
        self._reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_PUBLISH)
        self._facts = PullFacts(self._reader, known_principals=run.settings.known_principals)

    def respond(self, messages: Sequence[Message]) -> list[str]:
        """Handle a batch. Return the ids of the messages that SQS has to deliver again."""
        failed: list[str] = []
        pulls: list[tuple[Message, Occurrence]] = []
        inspections: list[tuple[Message, Inspection]] = []
        skipped: Counter[str] = Counter()
        origins = self._origins()
        for message in messages:
            try:
                event = _RECURRENCE.read(message.body, origins=origins)
            except UnusableEvent as unusable:
                self._run.logger.warning("a message is not a usable event", message_id=message.id, reason=str(unusable))
                failed.append(message.id)
                continue
            if isinstance(event, Skipped):
                skipped[event.reason] += 1
            elif isinstance(event, Inspection):
                inspections.append((message, event))
            elif reason := skip_reason(event.pull):
                skipped[reason] += 1
            else:
                pulls.append((message, event))
        if skipped:
            self._run.count("EventsSkipped", skipped.total())
            self._run.logger.info("skipped", reasons=dict(skipped.most_common(20)))
        failed += self._handle_failures(pulls)
        for message, inspection in inspections:
            try:
                done = self._inspect(inspection)
            except Exception:
                # Only this message fails: SQS delivers it again, and at last it goes to the dead-letter queue.
                self._run.count("DiagnosesFailed")
                self._run.logger.exception("nodes could not be inspected", message_id=message.id)
                done = False
            if not done:
                failed.append(message.id)
        return failed

    def diagnose_again(self, problem_ids: Iterable[str]) -> None:
        """Diagnose problems that another run left unfinished, unless a run holds their lease.

        An exception of a check is raised after all other problems were handled.
        """
        now = self._run.now()
        leased, failed = self._ledger.change_problems({each: partial(self._lease, now=now) for each in problem_ids})
        for each, error in failed.items():
            self._table_failed(each, error)
        for problem in leased.values():
            if problem.pull is None:
                # The failed pull is not known, so the problem waits for its next failure.
                self._run.count("ItemsUnusable")
                self._run.logger.warning("the failure of a problem cannot be read", about=problem.id)
        crashed = self._diagnose([each for each in leased.values() if self._holds_lease(each, now)])
        for exception in crashed.values():
            raise exception

    def _handle_failures(self, pulls: Sequence[tuple[Message, Occurrence]]) -> list[str]:
        """Record failed pulls by problem and diagnose those that are due. Return the ids of failed messages."""
        groups = self._group_by_problem(pulls)
        now = self._run.now()
        leased, failed = self._ledger.change_problems(
            {
                each: partial(self._add_group, group=group, now=now, may_lease=number < _MOST_DIAGNOSES)
                for number, (each, group) in enumerate(groups.items())
            }
        )
        for each, error in failed.items():
            self._table_failed(each, error)
        crashed = self._diagnose([each for each in leased.values() if self._holds_lease(each, now)])
        return [message for each in (*failed, *crashed) for message in groups[each].messages]

    def _group_by_problem(self, pulls: Sequence[tuple[Message, Occurrence]]) -> dict[str, _Group]:
        """Return the groups by problem id. Each failure is completed from other signals of the batch."""
        now = self._run.now()
        by_pull: dict[int, list[tuple[Message, Occurrence]]] = {}
        for message, occurrence in pulls:
            by_pull.setdefault(id(occurrence.pull), []).append((message, occurrence))
        newest = [max(each, key=_observed_at)[1] for each in by_pull.values()]
        groups: dict[str, _Group] = {}
        for same_pull, occurrence, pull in zip(by_pull.values(), newest, _join(newest), strict=True):
            # The problem follows from the event alone, not from what the batch adds to it.
            problem = _problem_of(occurrence.pull)
            group = groups.get(problem)
            if group is None or _detail(pull, occurrence) > _detail(group.pull, group.newest):
                messages, sightings = (group.messages, group.sightings) if group else ([], [])
                group = groups[problem] = _Group(pull, occurrence, messages, sightings)
            for message, each in same_pull:
                identity = each.event_id or sha256(message.body.encode("utf-8", "replace")).hexdigest()
                group.messages.append(message.id)
                group.sightings.append(sighting(pull, identity=identity, observed_at=each.observed_at, now=now))
        return groups

    def _add_group(self, problem: Problem, *, group: _Group, now: float, may_lease: bool) -> Problem:
        """Return the problem with the group's events added, and leased to this run if a diagnosis is due.

        Without `may_lease` a due problem is left to the function `recheck`.
        """
        if problem.unexplained_since and now - problem.last_seen > self._run.settings.stopped_minutes * 60:
            # The failures had stopped. The new one starts a new count.
            problem = replace(problem, unexplained_since=0, unexplained_count=0)
        before, problem = problem, problem.add_sightings(group.sightings)
        if not problem.is_due(now):
            return problem
        if problem == before and not problem.look_at:
            # Every event was counted and diagnosed before. A redelivered message is no new failure.
            return problem
        problem = replace(problem, pull=group.failure())
        return self._lease(problem, now=now) if may_lease else replace(problem, look_at=now)

    def _lease(self, problem: Problem, *, now: float) -> Problem:
        """Return the problem leased to this run. If the run dies, `recheck` takes it when the lease expires."""
        if problem.pull is None:
            return replace(problem, look_at=0, leased_until=0)
        if not problem.is_due(now) and not problem.is_wanted(now):
            return replace(problem, look_at=problem.leased_until if problem.leased_until > now else 0)
        if problem.tries >= _MOST_TRIES:
            return replace(problem, tries=0, look_at=0, quiet_until=now + self._run.settings.quiet_minutes * 60)
        until = now + self._run.remaining() + _SECONDS_OF_GRACE
        return replace(problem, tries=problem.tries + 1, leased_until=until, leased_by=self._run.name, look_at=until)

    def _holds_lease(self, problem: Problem, now: float) -> bool:
        return problem.leased_by == self._run.name and problem.leased_until > now

    def _diagnose(self, problems: Sequence[Problem]) -> dict[str, Exception]:
        """Diagnose the problems that this run has leased. Return the exceptions of those that crashed, by id."""
        changed: list[Life] = []
        crashed: dict[str, Exception] = {}
        for problem in problems:
            if problem.pull is None:
                continue
            try:
                if self._run.remaining() < _SECONDS_TO_DIAGNOSE:
                    self._ledger.change_problem(problem.id, self._release)
                    continue
                changed += self._recorder.record(problem.id, diagnose(problem.pull, self._facts))
            except StoreError as error:
                # When the lease expires, `recheck` diagnoses the problem again.
                self._table_failed(problem.id, error)
            except Exception as exception:
                # The caller reports it once the others are notified: failed messages, or raised by `diagnose_again`.
                self._run.count("DiagnosesFailed")
                self._run.logger.exception("a problem could not be diagnosed", about=problem.id)
                crashed[problem.id] = exception
        self._notifier.notify(changed)
        return crashed

    def _release(self, problem: Problem) -> Problem:
        """Return the problem without its lease, due at once for the function `recheck`."""
        now = self._run.now()
        return replace(problem, tries=problem.tries - 1, leased_until=0, look_at=now)

    def _inspect(self, inspection: Inspection) -> bool:
        """Check nodes before a pull fails. Return whether all of them were checked and recorded.

        Nodes that cannot be read are logged and skipped until the next inspection.
        """
        checks = (node_group_unhealthy.CHECK,) if inspection.health_only else CHECKS
        changed: list[Life] = []
        done = True
        known_principals = self._run.settings.known_principals
        for question in event_questions(inspection, self._reader, known_principals=known_principals):
            if isinstance(question, Skipped):
                self._run.count("EventsSkipped")
                self._run.logger.info("skipped", reasons={question.reason: 1})
                continue
            if isinstance(question, Unread):
                self._run.logger.warning("nodes cannot be inspected", reason=question.reason)
                continue
            if self._run.remaining() < _SECONDS_TO_DIAGNOSE:
                done = False
                break
            if question.not_asked:
                self._run.logger.info(
                    "not asked", nodes=question.facts.asked and question.facts.asked.name, reason=question.not_asked
                )
            diagnosis = diagnose(question.pull, question.facts, checks=checks)
            try:
                changed += self._recorder.record_inspection(diagnosis, narrow_inspection(inspection, question))
            except StoreError as error:
                self._table_failed("an inspection", error)
                done = False
        self._notifier.notify(changed)
        return done

    def _origins(self) -> Origins:
        identity = self._run.aws.identity()
        account = None if isinstance(identity, Unread) else identity.account
        # Without our own account id, forged events cannot be recognized. So no forwarded event is accepted.
        return Origins(account, self._run.settings.forwarded_event_source if account else None)

    def _table_failed(self, about: str, error: StoreError) -> None:
        self._run.count("TableFailures")
        self._run.logger.error("the findings table did not answer", about=about, reason=str(error))


def _observed_at(seen: tuple[Message, Occurrence]) -> str:
    return seen[1].observed_at or ""


def _detail(pull: PullFailure, newest: Occurrence) -> tuple[bool, bool, str]:
    """Return the rank of a failure by its detail: one with AWS's error first, then one with a pod, then the newest."""
    return (pull.denial is not None, pull.pod is not None, newest.observed_at or "")


def _join(occurrences: Sequence[Occurrence]) -> Sequence[PullFailure]:
    """Return the failures, each completed from the others. Denials alone add nothing to each other."""
    if all(each.pull.denial for each in occurrences):
        return [each.pull for each in occurrences]
    return join([each.failure() for each in occurrences])


def _problem_of(pull: PullFailure) -> str:
    """Return the id of a failure's problem, cached: equal failures are one object (see events/recurrence.py)."""
    known = _PROBLEMS.get(id(pull))
    if known is None or known[0] is not pull:
        if len(_PROBLEMS) >= _MOST_PROBLEMS:
            _PROBLEMS.clear()
        known = _PROBLEMS[id(pull)] = (pull, problem_id(pull))
    return known[1]
