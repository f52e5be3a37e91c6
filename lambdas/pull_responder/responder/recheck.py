"""Recheck open findings that are due or that a change concerns, and diagnose problems that other runs left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS
from pull_responder.diagnosis import diagnose
from pull_responder.facts.existence import is_gone
from pull_responder.facts.reader import Reader
from pull_responder.findings.concern import concerns
from pull_responder.findings.life import mark_rechecked, open_or_update, resolve
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.store import StoreError
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.network import PathCause
from pull_responder.pulls.inspections import questions
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.notifier import Notifier
from pull_responder.responder.respond import Responder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.checks.check import Check
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.model.pull import PullFailure
    from pull_responder.responder.run import Run

# A run rechecks only a few findings. That leaves AWS's API rate limits to the diagnoses.
_MOST_RECHECKS: Final = 30
_MOST_NOTICES: Final = 300
_MOST_PROBLEMS: Final = 10
_MOST_OPEN: Final = 1_000
_SECONDS_TO_NOTIFY: Final = 8.0
_SECONDS_TO_CHECK: Final = 15.0
# Seconds until the second recheck after a change. Changes of IAM take a while to be visible everywhere.
_AFTER_A_CHANGE: Final = 60.0
# Of a finding's pulls, the latest ten are diagnosed again. They share what is read.
_MOST_PULLS: Final = 10

_CHECK_OF: Final = {check.id: check for check in CHECKS}
_OF_PATH: Final = frozenset(PathCause)
_NODES_GONE: Final = "The affected nodes do not exist any more."


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of a recheck. Both fields are empty if it could not be decided.

    - `gone_because`: why the finding is resolved; empty if it is not.
    - `still`: the finding as it is now, if the check reports it again.
    - `is_read`: whether what can be read now shows that, and not the old error message alone.
    """

    gone_because: str = ""
    still: Finding | None = None
    is_read: bool = False


class Recheck:
    """Rechecks findings, longest waiting first, for as long as the run has time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._notifier = Notifier(run, self._ledger)
        self._reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_NOTIFY, is_later_look=True)
        self._facts = PullFacts(self._reader, known_principals=run.settings.known_principals)
        self._errors: list[Exception] = []
        # Failures of the table for findings that a change concerns: the queue has to hand out the change again.
        self._lost: list[StoreError] = []

    def recheck(self, changes: Sequence[Change]) -> None:
        """Recheck the findings that `changes` concern and those that are due, and send what is due.

        Raises StoreError if the table fails. An exception of a check, and a failure of the table for a finding that a
        change concerns, are raised after all other findings were handled.
        """
        now = self._run.now()
        concerned = self._ids_concerned_by(changes)
        store, insist = self._run.store, self._ledger.insist
        notices = insist(lambda: store.due_notices(before=now, limit=_MOST_NOTICES))
        due = (*notices, *insist(lambda: store.due_findings(before=now, limit=_MOST_RECHECKS)))
        lives = self._ledger.lives(dict.fromkeys((*concerned, *due)))
        # Findings that only have a notice due go first: that is quick, and people wait for it.
        to_recheck = [life for life in lives if life.is_open and (life.id in concerned or life.look_at <= now)]
        changed = [self._try_recheck(life, by_change=False) for life in lives if life not in to_recheck]
        for number, life in enumerate(to_recheck):
            by_change = life.id in concerned
            if number < _MOST_RECHECKS and self._run.remaining() > _SECONDS_TO_CHECK:
                changed.append(self._try_recheck(life, by_change=by_change))
            elif by_change:
                changed.append(self._try_recheck(life, by_change=True, later=True))
        self._notifier.notify([life for life in changed if life])
        unfinished = insist(lambda: store.due_problems(before=now, limit=_MOST_PROBLEMS))
        if unfinished and self._run.remaining() > _SECONDS_TO_CHECK:
            Responder(self._run).diagnose_again(unfinished)
        for error in (*self._errors, *self._lost):
            raise error

    def _try_recheck(self, life: Life, *, by_change: bool, later: bool = False) -> Life | None:
        """Recheck one finding, or with `later` make it due for the next run. Log and keep any exception."""
        try:
            if later:
                return self._ledger.change(life.id, lambda known: replace(known, look_at=0) if known else None)
            return self._recheck_one(life, by_change=by_change)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about=life.id, reason=str(error))
            if by_change:
                self._lost.append(error)
        except Exception as error:
            # `recheck` raises it at its end, so that the other findings are handled first.
            self._run.count("LooksFailed")
            self._run.logger.exception("a finding could not be rechecked", about=life.id)
            self._errors.append(error)
            self._postpone(life)
        return None

    def _postpone(self, life: Life) -> None:
        """Set the next recheck of a finding that failed, so that it is not the first of every run."""
        now, settings = self._run.now(), self._run.settings
        with suppress(StoreError):
            self._ledger.change(
                life.id, lambda known: mark_rechecked(known, now=now, settings=settings) if known else None
            )

    def _ids_concerned_by(self, changes: Sequence[Change]) -> dict[str, None]:
        """Return the ids of the open findings that one of `changes` can have fixed, longest waiting first."""
        if not changes:
            return {}
        ids = self._ledger.insist(lambda: self._run.store.open_findings(limit=_MOST_OPEN))
        return dict.fromkeys(
            life.id
            for life in self._ledger.lives(ids)
            if life.is_open and any(concerns(change, life.finding) for change in changes)
        )

    def _recheck_one(self, life: Life, *, by_change: bool) -> Life:
        """Recheck one finding if it is due, record the result, and return the recorded life."""
        now = self._run.now()
        settings = self._run.settings
        # A finding that is not due is here only because its notice is.
        outcome = self._check(life) if life.is_open and (by_change or life.look_at <= now) else None

        def step(known: Life | None) -> Life | None:
            if known is None:
                return None
            # If a diagnosis updated the finding since this recheck began, the diagnosis is newer.
            if outcome and known.is_open and known.looked_at <= now:
                if outcome.gone_because:
                    # Include the events of the quiet period: people get the final reach.
                    known = replace(known, reach=self._ledger.reach(known.problems))
                    known = resolve(known, because=outcome.gone_because, now=now, settings=settings)
                elif outcome.still:
                    reach = self._ledger.reach(known.problems)
                    known = open_or_update(known, outcome.still, problem=None, reach=reach, now=now, settings=settings)
                unread = self._reader.is_incomplete and not (outcome.gone_because or outcome.is_read)
                known = mark_rechecked(known, now=now, settings=settings, unread=unread)
                if by_change and known.is_open:
                    known = replace(known, look_at=min(known.look_at, now + _AFTER_A_CHANGE))
            return self._notifier.claim(known)

        after = self._ledger.change(life.id, step)
        if outcome and outcome.gone_because:
            self._run.count("FindingsResolved")
            self._end_quiet_period(life)
        return after or life

    def _end_quiet_period(self, life: Life) -> None:
        """End the quiet period of a resolved finding's problems, so that their next failure is diagnosed at once."""
        if life.problems:
            self._ledger.change_problems(
                dict.fromkeys(life.problems, lambda known: replace(known, quiet_until=0) if known.version else known)
            )

    def _check(self, life: Life) -> _Outcome:
        """Check whether the cause of an open finding still exists."""
        finding = life.finding
        check = _CHECK_OF.get(finding.cause)
        if check is None:
            # Another version of Pull Responder, which may be deployed again, found this cause.
            return self._resolve_if_unseen(life) or _Outcome()
        to_check = self._pulls_to_check(life)
        if to_check is None:
            return _Outcome()
        if not to_check:
            return _Outcome(gone_because=_NODES_GONE)
        if not check.symptoms:  # only repeated events report this cause, so no check can decide it
            return self._resolve_if_unseen(life) or _Outcome()
        return self._run_check(life, check, to_check)

    def _run_check(self, life: Life, check: Check, to_check: Sequence[tuple[PullFailure, PullFacts]]) -> _Outcome:
        finding = life.finding
        diagnoses = [diagnose(pull, facts, checks=(check,)) for pull, facts in to_check]
        still = _find_same(finding, diagnoses)
        if still:
            # Check again without the old error messages. Then only what can be read now decides.
            silent = [diagnose(_without_words(pull), facts, checks=(check,)) for pull, facts in to_check]
            if life.inspection or _find_same(finding, silent):
                still = _in_words_of(finding, still) if check.tells_more_at_first else still
                return _Outcome(still=still, is_read=True)
        elif because := _resolved_because(check.id, diagnoses, to_check):
            return _Outcome(gone_because=because)
        elif check.id in _OF_PATH:
            # The old message contradicts what is configured, as when a name did not resolve. What can be read decides.
            silent = [diagnose(_without_words(pull), facts, checks=(check,)) for pull, facts in to_check]
            if because := _resolved_because(check.id, silent, to_check):
                return _Outcome(gone_because=because)
        if not check.may_name_missing and is_gone(finding.resource, self._reader) is True:
            return _Outcome(gone_because=f"{finding.resource.id} does not exist any more.")
        return self._resolve_if_unseen(life) or _Outcome(still=still)

    def _pulls_to_check(self, life: Life) -> list[tuple[PullFailure, PullFacts]] | None:
        """Return the pulls to check: the failed ones or, for an inspection, those that its nodes make.

        None if they cannot be read. Empty if the inspected nodes do not exist any more.
        """
        if life.inspection is None:
            # A faulty role stops pulls of many repositories. It is fixed when none of these pulls fails.
            read = self._ledger.insist(lambda: self._run.store.problems(life.problems)) if life.problems else {}
            problems = [each for each in read.values() if life.id in each.findings]
            latest = sorted(problems, key=lambda each: -each.last_seen)
            pulls = [each.pull for each in latest if each.pull] or [life.finding.pull]
            return [(pull, self._facts) for pull in dict.fromkeys(pulls[:_MOST_PULLS])]
        known_principals = self._run.settings.known_principals
        to_check = []
        # An event about an add-on asks less. That no pod of it runs on the nodes now shows no fault as fixed.
        inspection = replace(life.inspection, only_addons=False)
        for question in questions(inspection, self._reader, known_principals=known_principals):
            if isinstance(question, Unread):
                return None  # unreadable nodes may still exist
            to_check.append((question.pull, question.facts))
        return to_check

    def _resolve_if_unseen(self, life: Life) -> _Outcome | None:
        """Return a resolved outcome if the failure was not seen for `stopped_minutes`, else None."""
        if life.inspection or self._reader.out_of_time:
            return None
        minutes = self._run.settings.stopped_minutes
        last = seconds_of(self._ledger.reach(life.problems).last_seen_at) or life.opened_at
        if self._run.now() - last < minutes * 60:
            return None
        return _Outcome(
            gone_because=f"It has not been seen for {minutes} minutes, and nothing else shows whether it is fixed."
        )


def _in_words_of(first: Finding, still: Finding) -> Finding:
    return replace(still, explanation=first.explanation, evidence=first.evidence, remediation=first.remediation)


def _find_same(finding: Finding, diagnoses: Sequence[Diagnosis]) -> Finding | None:
    return next((each for diagnosis in diagnoses for each in diagnosis.findings if each.id == finding.id), None)


def _resolved_because(
    cause: str, diagnoses: Sequence[Diagnosis], checked: Sequence[tuple[PullFailure, PullFacts]]
) -> str:
    """Return the reason why the cause is gone; empty if it is not known to be gone."""
    shown = [each for each, (_, facts) in zip(diagnoses, checked, strict=True) if not _has_no_node(cause, each, facts)]
    if not shown:
        return _NODES_GONE
    return _passing_reason(cause, shown) if all(_is_decided(cause, each) for each in shown) else ""


def _is_decided(cause: str, diagnosis: Diagnosis) -> bool:
    # A finding of the same cause on another resource does not show that this resource is fixed.
    return not (diagnosis.late or diagnosis.findings) and all(
        each.cause != cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)
    )


def _has_no_node(cause: str, diagnosis: Diagnosis, facts: PullFacts) -> bool:
    """Whether the cause is undecided for one reason alone: no node runs with the inspected role, or AWS shows none.

    Such a cause is about the path of nodes that are gone since. A cause about the role is decided without nodes.
    """
    nodes = facts.asked
    if nodes is None or not nodes.is_role_alone or not isinstance(nodes.vpc_id, Unread):
        return False
    reasons = {each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked) if each.cause == cause}
    return not diagnosis.late and reasons == {nodes.vpc_id.reason}


def _passing_reason(cause: str, diagnoses: Sequence[Diagnosis]) -> str:
    if any(cause in diagnosis.passed for diagnosis in diagnoses):
        return f"The check {cause} passes now."
    return f"The check {cause} does not apply any more."


def _without_words(pull: PullFailure) -> PullFailure:
    """Return the pull without its error messages, so that only what can be read decides."""
    return replace(pull, symptom=Symptom.UNKNOWN, denial=None, message=None, upstream_failure=None)
