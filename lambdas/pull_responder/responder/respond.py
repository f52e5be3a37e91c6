"""Respond to a batch of events: count them by problem, have each diagnosed once in its quiet period, and notify.

An event is handled once its problem is in the table. From then on the table, not the queue, makes sure that the problem
is diagnosed. If a run dies, its lease expires and another run takes the problem.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pull_responder.diagnosis import skip_reason
from pull_responder.events.intake import Inspection, Origins
from pull_responder.events.joining import join
from pull_responder.events.outcome import Refused, Skipped, UnusableEvent
from pull_responder.events.recurrence import Recurrence
from pull_responder.findings.problem import problem_id, sighting
from pull_responder.findings.store import StoreError
from pull_responder.model.pull import PullFailure
from pull_responder.model.unread import Unread
from pull_responder.responder.counting import count_on_pages, has_new_events
from pull_responder.responder.diagnoser import MOST_LEASED, Diagnoser, place_of
from pull_responder.responder.inspector import Inspector
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.notifier import Notifier
from pull_responder.responder.order import Waiting, in_order
from pull_responder.responder.refused import log_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.events.recurrence import Occurrence
    from pull_responder.findings.problem import Problem, Sighting
    from pull_responder.responder.run import Run

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
        self._diagnoser = Diagnoser(run, self._ledger, self._notifier)
        self._inspector = Inspector(run, self._notifier, self._diagnoser)
        self._left_waiting = False

    def respond(self, messages: Sequence[Message], *, keep: float = 0.0) -> list[str]:
        """Handle a batch. Return the ids of the messages that SQS has to deliver again.

        `keep` are seconds of the run that diagnoses leave for other messages. The failures of this batch are recorded
        all the same: those that are not diagnosed in time are due at once for the function `recheck`.
        """
        self._diagnoser.keep = keep
        failed: list[str] = []
        pulls: list[tuple[Message, Occurrence]] = []
        inspections: list[tuple[Message, Inspection]] = []
        skipped: list[Skipped] = []
        origins = self._origins()
        for message in messages:
            try:
                event = _RECURRENCE.read(message.body, origins=origins)
            except UnusableEvent as unusable:
                self._run.logger.warning("a message is not a usable event", message_id=message.id, reason=str(unusable))
                failed.append(message.id)
                continue
            if isinstance(event, Skipped):
                skipped.append(event)
            elif isinstance(event, Inspection):
                inspections.append((message, event))
            elif reason := skip_reason(event.pull):
                skipped.append(Skipped(reason))
            else:
                pulls.append((message, event))
        self._log_skipped(skipped)
        failed += self._handle_failures(pulls)
        for message, inspection in inspections:
            try:
                done = self._inspector.inspect(inspection)
            except Exception:
                # Only this message fails: SQS delivers it again, and at last it goes to the dead-letter queue.
                self._run.count("DiagnosesFailed")
                self._run.logger.exception("nodes could not be inspected", message_id=message.id)
                done = False
            if not done:
                failed.append(message.id)
        return failed

    def _log_skipped(self, skipped: Sequence[Skipped]) -> None:
        log_refused(self._run, [each for each in skipped if isinstance(each, Refused)])
        reasons = Counter(each.reason for each in skipped if not isinstance(each, Refused))
        if reasons:
            self._run.count("EventsSkipped", reasons.total())
            self._run.logger.info("skipped", reasons=dict(reasons.most_common(20)))

    def diagnose_waiting(self) -> dict[str, Exception]:
        """Diagnose what this run has left waiting, and what others have, for as long as there is time.

        Returns the exceptions of checks by the problem's id. They are logged and counted.
        """
        self._diagnoser.keep = 0.0
        if not self._left_waiting:
            return {}
        try:
            return self._diagnoser.diagnose_waiting()
        except StoreError as error:
            # They wait on, for the next run.
            self._diagnoser.log_table_failure("what waits", error)
            return {}

    def _handle_failures(self, pulls: Sequence[tuple[Message, Occurrence]]) -> list[str]:
        """Record failed pulls by problem and diagnose the first that are due. Return the ids of failed messages."""
        groups = self._group_by_problem(pulls)
        now = self._run.now()
        line = in_order(
            Waiting(each, min(sighting.at for sighting in group.sightings), group.pull)
            for each, group in groups.items()
        )
        changed, failed = self._ledger.change_problems(
            {
                each.id: partial(self._add_group, group=groups[each.id], now=now, may_lease=number < MOST_LEASED)
                for number, each in enumerate(line)
            }
        )
        waiting = {each.id: number for number, each in enumerate(line)}
        paged = [each for each in changed.values() if each.paged]
        leased, not_leased = self._ledger.change_problems(
            {
                each.id: partial(
                    self._take_on_paged, group=groups[each.id], now=now, may_lease=waiting[each.id] < MOST_LEASED
                )
                for each in paged
                if each.is_due(now) or self._may_have_stopped(each, now)
            }
        )
        changed |= leased
        # After the lease: a run that dies in between leaves a problem that is diagnosed, and messages that come again.
        sightings = {each.id: groups[each.id].sightings for each in paged}
        not_counted = count_on_pages(self._run, self._ledger, [(each, sightings[each.id]) for each in paged])
        failed |= not_leased | not_counted
        for each, error in failed.items():
            self._diagnoser.log_table_failure(each, error)
        self._left_waiting = self._left_waiting or len(line) > MOST_LEASED
        crashed = self._diagnoser.diagnose_leased(changed[each.id] for each in line if each.id in changed)
        return [message for each in dict.fromkeys((*failed, *crashed)) for message in groups[each].messages]

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

        Without `may_lease` a due problem waits in the table, at its place.
        """
        if problem.paged:
            return problem
        if self._may_have_stopped(problem, now):
            # The failures had stopped. The new one starts a new count.
            problem = replace(problem, unexplained_since=0, unexplained_count=0)
        before, problem = problem, problem.add_sightings(group.sightings)
        return self._take_on(problem, group=group, now=now, may_lease=may_lease, is_new=problem != before)

    def _take_on_paged(self, problem: Problem, *, group: _Group, now: float, may_lease: bool) -> Problem:
        """Return the same for a problem whose events are counted on pages, which is done afterwards."""
        if self._may_have_stopped(problem, now) and self._may_have_stopped(self._ledger.total(problem), now):
            problem = replace(problem, unexplained_since=0, unexplained_count=0)
        if not problem.is_due(now):
            return problem
        is_new = has_new_events(self._run, self._ledger, problem, group.sightings)
        if is_new:
            latest = max(each.at for each in group.sightings)
            problem = replace(problem, last_seen=max(problem.last_seen, latest))
        return self._take_on(problem, group=group, now=now, may_lease=may_lease, is_new=is_new)

    def _take_on(self, problem: Problem, *, group: _Group, now: float, may_lease: bool, is_new: bool) -> Problem:
        if not problem.is_due(now):
            return problem
        if not is_new and not problem.look_at:
            # Every event was counted and diagnosed before. A redelivered message is no new failure.
            return problem
        problem = replace(problem, pull=group.failure())
        if not may_lease:
            return replace(problem, look_at=place_of(problem, now))
        return self._diagnoser.lease(problem, now=now)

    def _may_have_stopped(self, problem: Problem, now: float) -> bool:
        """Whether the unexplained failures of a problem had stopped before now, as far as `problem` tells."""
        stopped = now - problem.last_seen > self._run.settings.stopped_minutes * 60
        return bool(problem.unexplained_since) and stopped

    def _origins(self) -> Origins:
        identity = self._run.aws.identity()
        account = None if isinstance(identity, Unread) else identity.account
        settings = self._run.settings
        # Without our own account id, forged events cannot be recognized. So no forwarded event is accepted.
        forwarded_source = settings.forwarded_event_source if account else None
        return Origins(
            account,
            forwarded_source,
            organization=settings.organization_id is not None,
            region=self._run.aws.region,
        )


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
