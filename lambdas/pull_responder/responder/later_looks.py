"""Look again at an open finding: whether what can be read now shows that its cause is gone. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Kind
from pull_responder.diagnosis import diagnose
from pull_responder.facts.existence import is_gone
from pull_responder.facts.gaps import gaps_so_far, note_gaps
from pull_responder.facts.reader import Reader
from pull_responder.findings.problem import seconds_of
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.network import PathCause
from pull_responder.pulls.inspections import questions
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.checks.check import Check
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.model.pull import PullFailure
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

# Seconds of the run's time that looks leave for notifying people.
_SECONDS_TO_NOTIFY: Final = 8.0
_CHECK_OF: Final = {check.id: check for check in CHECKS}
_OF_PATH: Final = frozenset(PathCause)
_NODES_GONE: Final = "The affected nodes do not exist any more."
_NOT_CONCERNED: Final = "What was found does not concern these pulls any more."


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a recheck. Both fields are empty if it could not be decided.

    - `gone_because`: why the finding is resolved; empty if it is not. With `works_again`, what works again.
    - `still`: the finding as it is now, if the check reports it again.
    - `is_read`: whether what can be read now shows that, and not the old error message alone.
    - `unread`: whether something could not be read that this recheck needed.
    """

    gone_because: str = ""
    still: Finding | None = None
    is_read: bool = False
    works_again: bool = False
    unread: bool = False


class LaterLooks:
    """Looks again at findings for one run. What was read for one is reused for the next."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self._run = run
        self._ledger = ledger
        self._reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_NOTIFY, is_later_look=True)
        self._facts = PullFacts(self._reader, known_principals=run.settings.known_principals)

    def look(self, life: Life) -> Outcome:
        """Check whether the cause of an open finding still exists."""
        check = _CHECK_OF.get(life.finding.cause)
        if check and check.of_responder:
            return Outcome()  # that no pull fails does not show that they are seen
        with note_gaps() as gaps:
            outcome = self._decide(life)
        return replace(outcome, unread=gaps.is_incomplete)

    def _decide(self, life: Life) -> Outcome:
        finding = life.finding
        check = _CHECK_OF.get(finding.cause)
        if check is None:
            # Another version of Pull Responder, which may be deployed again, found this cause.
            return self._resolve_if_unseen(life) or Outcome()
        to_check = self._pulls_to_check(life)
        if to_check is None:
            return self._resolve_if_unseen(life) or Outcome()
        if not to_check:
            return Outcome(gone_because=_NODES_GONE)
        if check.ends_with_failures and (over := self._resolve_if_unseen(life)):
            return over
        if not check.symptoms:  # only repeated events report this cause, so no check can decide it
            return self._resolve_if_unseen(life) or Outcome()
        return self._run_check(life, check, to_check)

    def _run_check(self, life: Life, check: Check, to_check: Sequence[tuple[PullFailure, PullFacts]]) -> Outcome:
        finding = life.finding
        diagnoses = self._diagnose_until_same(finding, check, to_check)
        still = _find_same(finding, diagnoses)
        if still:
            # Check again without the old error messages. Then only what can be read now decides.
            silent = [(_without_words(pull), facts) for pull, facts in to_check]
            if life.inspection or _find_same(finding, self._diagnose_until_same(finding, check, silent)):
                still = _in_words_of(finding, still) if check.tells_more_at_first else still
                return Outcome(still=still, is_read=True)
        elif gone := _outcome_if_gone(check, diagnoses, to_check):
            return self._resource_gone(check, finding) or gone if check.by_words else gone
        elif check.id in _OF_PATH:
            # The old message contradicts what is configured, as when a name did not resolve. What can be read decides.
            silent = [(_without_words(pull), facts) for pull, facts in to_check]
            if gone := _outcome_if_gone(check, self._diagnose_until_same(finding, check, silent), silent):
                return gone
        return self._resource_gone(check, finding) or self._resolve_if_unseen(life) or Outcome(still=still)

    def _resource_gone(self, check: Check, finding: Finding) -> Outcome | None:
        if check.may_name_missing or is_gone(finding.resource, self._reader) is not True:
            return None
        return Outcome(gone_because=f"{finding.resource.id} does not exist any more.")

    def _diagnose_until_same(
        self, finding: Finding, check: Check, to_check: Sequence[tuple[PullFailure, PullFacts]]
    ) -> list[Diagnosis]:
        """Diagnose pulls one by one, up to the first that the finding still stops. They share what is read.

        The first for which no time was left is the last: there may be thousands, and it leaves the finding open.
        """
        diagnoses: list[Diagnosis] = []
        for pull, facts in to_check:
            diagnoses.append(diagnose(pull, facts, checks=(check,)))
            if diagnoses[-1].late or _find_same(finding, diagnoses[-1:]):
                break
        return diagnoses

    def _pulls_to_check(self, life: Life) -> list[tuple[PullFailure, PullFacts]] | None:
        """Return the pulls to check: the failed ones or, for an inspection, those that its nodes make.

        None if they cannot be read, or are too many to be asked. Empty if the inspected nodes do not exist any more.
        """
        if life.inspection is None:
            # A faulty role stops pulls of many repositories. It is fixed when none of these pulls fails.
            ids, more = self._ledger.problems_of(life)
            if more:
                return None  # what cannot be asked may still fail
            read = self._ledger.insist(lambda: self._run.store.problems(ids)) if ids else {}
            problems = [each for each in read.values() if life.id in each.findings]
            latest = sorted(problems, key=lambda each: -each.last_seen)
            pulls = [each.pull for each in latest if each.pull] or [life.finding.pull]
            return [(pull, self._facts) for pull in dict.fromkeys(pulls)]
        known_principals = self._run.settings.known_principals
        to_check = []
        # An event about an add-on asks less. That no pod of it runs on the nodes now shows no fault as fixed.
        inspection = replace(life.inspection, only_addons=False)
        for question in questions(inspection, self._reader, known_principals=known_principals):
            if isinstance(question, Unread):
                return None  # unreadable nodes may still exist
            to_check.append((question.pull, question.facts))
        return to_check

    def _resolve_if_unseen(self, life: Life) -> Outcome | None:
        """Return a resolved outcome if the failure was not seen for `stopped_minutes`, else None."""
        if life.inspection or gaps_so_far().out_of_time:
            return None
        minutes = self._run.settings.stopped_minutes
        last = seconds_of(self._ledger.reach(life).last_seen_at) or life.opened_at
        if self._run.now() - last < minutes * 60:
            return None
        return Outcome(
            gone_because=f"It has not been seen for {minutes} minutes, and nothing else shows whether it is fixed."
        )


def _in_words_of(first: Finding, still: Finding) -> Finding:
    return replace(still, explanation=first.explanation, evidence=first.evidence, remediation=first.remediation)


def _find_same(finding: Finding, diagnoses: Sequence[Diagnosis]) -> Finding | None:
    return next((each for diagnosis in diagnoses for each in diagnosis.findings if each.id == finding.id), None)


def _outcome_if_gone(
    check: Check, diagnoses: Sequence[Diagnosis], checked: Sequence[tuple[PullFailure, PullFacts]]
) -> Outcome | None:
    """Return the outcome if the cause is gone; None if it is not known to be gone."""
    cause = check.id
    if len(diagnoses) < len(checked):
        return None
    shown = [each for each, (_, facts) in zip(diagnoses, checked, strict=True) if not _has_no_node(cause, each, facts)]
    if not shown:
        return Outcome(gone_because=_NODES_GONE)
    if not all(_is_decided(cause, each) for each in shown):
        return None
    if any(cause in each.passed for each in shown):
        return Outcome(gone_because=check.again, works_again=check.kind is Kind.CONFIGURATION)
    return Outcome(gone_because=_NOT_CONCERNED)


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


def _without_words(pull: PullFailure) -> PullFailure:
    """Return the pull without its error messages, so that only what can be read decides."""
    return replace(pull, symptom=Symptom.UNKNOWN, denial=None, message=None, upstream_failure=None)
