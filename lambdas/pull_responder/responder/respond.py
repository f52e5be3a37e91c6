"""What happens with a batch of events: counted by problem, each problem diagnosed once in its quiet period, and told.

An event is done with once its problem is on record. From then on the table, not the queue, sees to it that the problem
is diagnosed and told: a run that dies leaves a lease that runs out.
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
from pull_responder.events.joining import joined
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.recurrence import Recurrence
from pull_responder.facts.reader import Reader
from pull_responder.findings.problem import problem_id, sighting
from pull_responder.findings.store import StoreError
from pull_responder.model.pull import PullFailure
from pull_responder.model.unread import Unread
from pull_responder.pulls.inspections import narrowed, questions
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.settle import Settler
from pull_responder.responder.tell import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.events.recurrence import Occurrence
    from pull_responder.findings.life import Life
    from pull_responder.findings.problem import Problem, Sighting
    from pull_responder.responder.run import Run

# Kept back from reader, for publishing what was found.
_SECONDS_TO_PUBLISH: Final = 8.0
# With less than this a diagnosis would end without answers; the problem is better left to another run.
_SECONDS_TO_DIAGNOSE: Final = 15.0
# A lease outlives the run that holds it by this, so that no two diagnose the same problem.
_SECONDS_OF_GRACE: Final = 5.0
# A problem whose diagnosis comes to no end this often waits for its next failure after the quiet period.
_MOST_TRIES: Final = 5
# How many problems one run takes on; the others are left to the next look.
_MOST_DIAGNOSES: Final = 20
# Kept between invocations, as events go on saying the same.
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
    """The messages of one problem in a batch, and the failure that tells most about it, as it is `newest`."""

    pull: PullFailure
    newest: Occurrence
    messages: list[str]
    sightings: list[Sighting]

    def whole(self) -> PullFailure:
        """Return the failure as if it had been read by itself, with what the others of its batch add to it."""
        return replace(self.pull, observed_at=self.newest.observed_at, event_id=self.newest.event_id)


class Responder:
    """Answers the events of one invocation. What was read for one problem serves the next."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._teller = Teller(run, self._ledger)
        self._settler = Settler(run, self._ledger, self._teller)
        self._reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_PUBLISH)
        self._facts = PullFacts(self._reader, known_principals=run.settings.known_principals)

    def respond(self, messages: Sequence[Message]) -> list[str]:
        """Handle a batch, and return the ids of the messages that the queue has to bring again."""
        failed: list[str] = []
        pulls: list[tuple[Message, Occurrence]] = []
        inspections: list[tuple[Message, Inspection]] = []
        skipped: Counter[str] = Counter()
        origins = self._origins()
        for message in messages:
            try:
                event = _RECURRENCE.read(message.body, origins=origins)
            except UnusableEvent as unusable:
                self._run.logger.warning("a message is no usable event", message_id=message.id, reason=str(unusable))
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
        failed += self._failures(pulls)
        for message, inspection in inspections:
            try:
                done = self._inspect(inspection)
            except Exception:
                # It goes up by its own message, which comes back and ends among the dead letters; the rest is done.
                self._run.count("DiagnosesFailed")
                self._run.logger.exception("nodes could not be inspected", message_id=message.id)
                done = False
            if not done:
                failed.append(message.id)
        return failed

    def diagnose_again(self, problem_ids: Iterable[str]) -> None:
        """Diagnose problems that a run has left behind, if nobody is at them now.

        What a check raises is raised again once the other problems have been diagnosed and told.
        """
        now = self._run.now()
        leased, failed = self._ledger.change_problems({each: partial(self._taken_on, now=now) for each in problem_ids})
        for each, error in failed.items():
            self._table_failed(each, error)
        for problem in leased.values():
            if problem.pull is None:
                # Nobody can tell what failed, so it waits for its next failure.
                self._run.count("ItemsUnusable")
                self._run.logger.warning("the failure of a problem cannot be read", about=problem.id)
        crashed = self._diagnose([each for each in leased.values() if self._is_ours(each, now)])
        for mistake in crashed.values():
            raise mistake

    def _failures(self, pulls: Sequence[tuple[Message, Occurrence]]) -> list[str]:
        groups = self._grouped(pulls)
        now = self._run.now()
        leased, failed = self._ledger.change_problems(
            {
                each: partial(self._recorded, group=group, now=now, is_ours=number < _MOST_DIAGNOSES)
                for number, (each, group) in enumerate(groups.items())
            }
        )
        for each, error in failed.items():
            self._table_failed(each, error)
        crashed = self._diagnose([each for each in leased.values() if self._is_ours(each, now)])
        return [message for each in (*failed, *crashed) for message in groups[each].messages]

    def _grouped(self, pulls: Sequence[tuple[Message, Occurrence]]) -> dict[str, _Group]:
        """Return the messages by their problems, each with what the others of its batch add to it."""
        now = self._run.now()
        alike: dict[int, list[tuple[Message, Occurrence]]] = {}
        for message, occurrence in pulls:
            alike.setdefault(id(occurrence.pull), []).append((message, occurrence))
        newest = [max(each, key=_observed_at)[1] for each in alike.values()]
        groups: dict[str, _Group] = {}
        for together, occurrence, pull in zip(alike.values(), newest, _completed(newest), strict=True):
            # An event belongs to the same problem whatever came beside it.
            problem = _problem_of(occurrence.pull)
            group = groups.get(problem)
            if group is None or _tells(pull, occurrence) > _tells(group.pull, group.newest):
                messages, sightings = (group.messages, group.sightings) if group else ([], [])
                group = groups[problem] = _Group(pull, occurrence, messages, sightings)
            for message, each in together:
                identity = each.event_id or sha256(message.body.encode("utf-8", "replace")).hexdigest()
                group.messages.append(message.id)
                group.sightings.append(sighting(pull, identity=identity, observed_at=each.observed_at, now=now))
        return groups

    def _recorded(self, problem: Problem, *, group: _Group, now: float, is_ours: bool) -> Problem:
        """Return the problem with the batch's events, leased if it is time for a diagnosis."""
        if problem.unexplained_since and now - problem.last_seen > self._run.settings.stopped_minutes * 60:
            # It had stopped: what fails now has not been failing all the time.
            problem = replace(problem, unexplained_since=0, unexplained_count=0)
        before, problem = problem, problem.seen(group.sightings)
        if not problem.is_due(now):
            return problem
        if problem == before and not problem.look_at:
            # All of it had been seen and seen to: what a queue brings twice says nothing about now.
            return problem
        problem = replace(problem, pull=group.whole())
        return self._taken_on(problem, now=now) if is_ours else replace(problem, look_at=now)

    def _taken_on(self, problem: Problem, *, now: float) -> Problem:
        """Return the problem leased to this run. If the run dies, somebody looks when the lease has run out."""
        if problem.pull is None:
            return replace(problem, look_at=0, leased_until=0)
        if not problem.is_due(now):
            return replace(problem, look_at=problem.leased_until if problem.leased_until > now else 0)
        if problem.tries >= _MOST_TRIES:
            return replace(problem, tries=0, look_at=0, quiet_until=now + self._run.settings.quiet_minutes * 60)
        until = now + self._run.remaining() + _SECONDS_OF_GRACE
        return replace(problem, tries=problem.tries + 1, leased_until=until, leased_by=self._run.name, look_at=until)

    def _is_ours(self, problem: Problem, now: float) -> bool:
        return problem.leased_by == self._run.name and problem.leased_until > now

    def _diagnose(self, problems: Sequence[Problem]) -> dict[str, Exception]:
        """Diagnose problems that this run has leased, and return by their ids what those raised that it crashed on."""
        changed: list[Life] = []
        crashed: dict[str, Exception] = {}
        for problem in problems:
            if problem.pull is None:
                continue
            try:
                if self._run.remaining() < _SECONDS_TO_DIAGNOSE:
                    self._ledger.change_problem(problem.id, self._released)
                    continue
                changed += self._settler.settle(problem.id, diagnose(problem.pull, self._facts))
            except StoreError as error:
                # The lease runs out, and whoever looks next diagnoses it again.
                self._table_failed(problem.id, error)
            except Exception as mistake:
                # It goes up once the others are told: by the messages that come back, or raised by `diagnose_again`.
                self._run.count("DiagnosesFailed")
                self._run.logger.exception("a problem could not be diagnosed", about=problem.id)
                crashed[problem.id] = mistake
        self._teller.tell(changed)
        return crashed

    def _released(self, problem: Problem) -> Problem:
        now = self._run.now()
        return replace(problem, tries=problem.tries - 1, leased_until=0, look_at=now)

    def _inspect(self, inspection: Inspection) -> bool:
        """Ask about nodes before a pull has failed, and return whether all of it could be asked and recorded.

        What cannot be read is logged, and asked again the next time.
        """
        checks = (node_group_unhealthy.CHECK,) if inspection.health_only else CHECKS
        changed: list[Life] = []
        done = True
        for question in questions(inspection, self._reader, known_principals=self._run.settings.known_principals):
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
                changed += self._settler.settle_inspection(diagnosis, narrowed(inspection, question))
            except StoreError as error:
                self._table_failed("an inspection", error)
                done = False
        self._teller.tell(changed)
        return done

    def _origins(self) -> Origins:
        identity = self._run.aws.identity()
        account = None if isinstance(identity, Unread) else identity.account
        # Without our own account nothing can be told from a forged event, so then no forwarder is believed.
        return Origins(account, self._run.settings.forwarded_event_source if account else None)

    def _table_failed(self, about: str, error: StoreError) -> None:
        self._run.count("TableFailures")
        self._run.logger.error("the findings table did not answer", about=about, reason=str(error))


def _observed_at(seen: tuple[Message, Occurrence]) -> str:
    return seen[1].observed_at or ""


def _tells(pull: PullFailure, newest: Occurrence) -> tuple[bool, bool, str]:
    """Rank failures of one problem by how much they tell: AWS's words, the pod, and the newest of those."""
    return (pull.denial is not None, pull.pod is not None, newest.observed_at or "")


def _completed(occurrences: Sequence[Occurrence]) -> Sequence[PullFailure]:
    """Return the failures, each with what the others add to it: denials alone add nothing to each other."""
    if all(each.pull.denial for each in occurrences):
        return [each.pull for each in occurrences]
    return joined([each.whole() for each in occurrences])


def _problem_of(pull: PullFailure) -> str:
    """Return the problem that a failure belongs to; failures that say the same are one object."""
    known = _PROBLEMS.get(id(pull))
    if known is None or known[0] is not pull:
        if len(_PROBLEMS) >= _MOST_PROBLEMS:
            _PROBLEMS.clear()
        known = _PROBLEMS[id(pull)] = (pull, problem_id(pull))
    return known[1]
