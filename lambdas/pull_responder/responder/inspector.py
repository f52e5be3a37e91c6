"""Inspect nodes before a pull fails. What a run has no time for waits in the table for `recheck`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS, node_group_unhealthy
from pull_responder.diagnosis import diagnose
from pull_responder.events.outcome import Skipped
from pull_responder.facts.gaps import note_gaps
from pull_responder.findings.left_inspection import LeftInspection
from pull_responder.findings.store import StoreError
from pull_responder.model.unread import Unread
from pull_responder.pulls.addons import event_questions
from pull_responder.pulls.inspections import NodesQuestion, narrow_inspection
from pull_responder.responder.diagnoser import SECONDS_TO_DIAGNOSE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.events.eks_change import Inspection
    from pull_responder.findings.life import Life
    from pull_responder.responder.diagnoser import Diagnoser
    from pull_responder.responder.notifier import Notifier
    from pull_responder.responder.run import Run

# An inspection that so many runs in a row could not bring forward is dropped, and logged: as often as SQS hands out a
# message by default. One that is older is dropped, too: it was inspected on schedule since.
_MOST_TRIES: Final = 5
_LONGEST_SECONDS: Final = 86_400.0
_SECONDS_OF_GRACE: Final = 5.0


@dataclass(slots=True)
class _Answered:
    """How far an inspection came: `asked` questions. `late` if time ran out, `failed` if not all were recorded."""

    asked: int
    late: bool = False
    failed: bool = False


class Inspector:
    """Inspects nodes for one run."""

    def __init__(self, run: Run, notifier: Notifier, diagnoser: Diagnoser) -> None:
        self._run = run
        self._notifier = notifier
        self._diagnoser = diagnoser

    def inspect(self, inspection: Inspection) -> bool:
        """Check nodes before a pull fails. Return whether that is done, or left in the table for `recheck`.

        Nodes that cannot be read are logged and skipped until the next inspection.
        """
        answered = self._answer(inspection, first=0)
        if answered.failed:
            return False
        if not answered.late:
            return True
        now = self._run.now()
        store, left = self._run.store, LeftInspection(inspection, since=now, asked=answered.asked, look_at=now)
        try:
            # If it is there, another delivery of the same event has left it, unless it was set aside since.
            return store.save_left(left) or store.is_left(left)
        except StoreError as error:
            self._diagnoser.log_table_failure("an inspection", error)
            return False

    def inspect_left(self, every: Sequence[LeftInspection]) -> list[Exception]:
        """Go on with inspections that other runs had no time for, while there is time. Return what they raised."""
        raised: list[Exception] = []
        for left in every:
            if self._diagnoser.seconds_left() < SECONDS_TO_DIAGNOSE:
                break
            try:
                self._go_on(left)
            except StoreError as error:
                self._diagnoser.log_table_failure(left.id, error)
            except Exception as error:
                # The caller raises it at its end. When the lease expires, another run tries again.
                self._run.count("DiagnosesFailed")
                self._run.logger.exception("nodes could not be inspected", about=left.id)
                raised.append(error)
        return raised

    def _go_on(self, left: LeftInspection) -> None:
        store, now = self._run.store, self._run.now()
        if left.tries >= _MOST_TRIES or now - left.since > _LONGEST_SECONDS:
            self._run.count("DiagnosesFailed")
            self._run.logger.error("nodes could not be inspected in time", cluster=left.inspection.cluster)
            store.delete_left(left)
            return
        leased = replace(left, tries=left.tries + 1, look_at=now + self._run.lifetime() + _SECONDS_OF_GRACE)
        if not store.save_left(leased):
            return  # another run has it
        answered = self._answer(left.inspection, first=left.asked)
        if not (answered.late or answered.failed):
            store.delete_left(left)
            return
        leased = replace(leased, version=leased.version + 1, look_at=self._run.now())
        if not answered.failed and answered.asked > left.asked:
            leased = replace(leased, asked=answered.asked, tries=0)
        store.save_left(leased)

    def _answer(self, inspection: Inspection, *, first: int) -> _Answered:
        """Answer the questions of an inspection from the `first` on, record what is found, and notify."""
        changed: list[Life] = []
        answered = _Answered(0)
        with note_gaps() as gaps:
            for question in self._questions(inspection):
                if isinstance(question, Unread):
                    self._run.logger.warning("nodes cannot be inspected", reason=question.reason)
                elif answered.asked >= first:
                    if self._diagnoser.seconds_left() < SECONDS_TO_DIAGNOSE:
                        answered.late = True
                        break
                    changed += self._ask(inspection, question, answered)
                if gaps.out_of_time:
                    answered.late = True
                    break
                answered.asked += isinstance(question, NodesQuestion)
        self._notifier.notify(changed)
        return answered

    def _questions(self, inspection: Inspection) -> Iterator[NodesQuestion | Unread]:
        known_principals = self._run.settings.known_principals
        for question in event_questions(inspection, self._diagnoser.reader, known_principals=known_principals):
            if isinstance(question, Skipped):
                self._run.count("EventsSkipped")
                self._run.logger.info("skipped", reasons={question.reason: 1})
            else:
                yield question

    def _ask(self, inspection: Inspection, question: NodesQuestion, answered: _Answered) -> list[Life]:
        """Diagnose what a question is about, and record what is found. Return the lives that have changed."""
        if question.not_asked:
            nodes = question.facts.asked and question.facts.asked.name
            self._run.logger.info("not asked", nodes=nodes, reason=question.not_asked)
        checks = (node_group_unhealthy.CHECK,) if inspection.health_only else CHECKS
        diagnosis = diagnose(question.pull, question.facts, checks=checks)
        try:
            inspected = narrow_inspection(inspection, question)
            return self._diagnoser.recorder.record_inspection(diagnosis, inspected)
        except StoreError as error:
            self._diagnoser.log_table_failure("an inspection", error)
            answered.failed = True
            return []
