"""Recheck open findings that are due or that a change concerns, and diagnose problems that other runs left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Kind
from pull_responder.diagnosis import diagnose
from pull_responder.facts.existence import is_gone
from pull_responder.facts.gaps import gaps_so_far, note_gaps
from pull_responder.facts.reader import Reader
from pull_responder.findings.concern import concerns
from pull_responder.findings.concern_keys import keys_of_change
from pull_responder.findings.deed import deeds_of
from pull_responder.findings.ending import end, remember
from pull_responder.findings.leases import has_lease, lease, make_due, release
from pull_responder.findings.life import mark_rechecked, open_or_update
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.store import StoreError
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.network import PathCause
from pull_responder.pulls.inspections import questions
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.responder.diagnoser import Diagnoser
from pull_responder.responder.inspector import Inspector
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.lives import change_lives
from pull_responder.responder.notifier import Notifier
from pull_responder.responder.what_broke_it import WhatBrokeIt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pull_responder.checks.check import Check
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.model.pull import PullFailure
    from pull_responder.responder.run import Run

# One digest says all that is due. To claim so many takes a few seconds.
_MOST_NOTICES: Final = 3_000
# How many ids of open findings are read, and how many findings at a time.
_MOST_IDS: Final = 20_000
_AT_A_TIME: Final = 200
# A recheck waits for AWS most of its time, as a diagnosis does. So many side by side share what they read.
_AT_ONCE: Final = 4
# So many are done soon, and one after the other.
_FEW: Final = 8
# People are notified after so many rechecks, so that the end of a fault is not told after thousands of others.
_RECHECKS_A_NOTICE: Final = 25
_SECONDS_TO_NOTIFY: Final = 8.0
_SECONDS_TO_CHECK: Final = 15.0
# Seconds of the run's time that rechecks leave to problems that wait for a diagnosis.
_SECONDS_FOR_PROBLEMS: Final = 50.0
# The same for inspections that other runs had no time for, and how many of these a run takes on.
_SECONDS_FOR_INSPECTIONS: Final = 20.0
_MOST_INSPECTIONS: Final = 10
# Seconds by which the lease of a recheck outlives its run.
_SECONDS_OF_GRACE: Final = 5.0
# Seconds until the second recheck after a change. Changes of IAM take a while to be visible everywhere.
_AFTER_A_CHANGE: Final = 60.0

_CHECK_OF: Final = {check.id: check for check in CHECKS}
_OF_PATH: Final = frozenset(PathCause)
_NODES_GONE: Final = "The affected nodes do not exist any more."
_NOT_CONCERNED: Final = "What was found does not concern these pulls any more."


@dataclass(frozen=True, slots=True)
class _Outcome:
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


class Recheck:
    """Rechecks findings, longest waiting first, for as long as the run has time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._notifier = Notifier(run, self._ledger)
        self._reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_NOTIFY, is_later_look=True)
        self._facts = PullFacts(self._reader, known_principals=run.settings.known_principals)
        self._what_broke_it = WhatBrokeIt(run)
        self._errors: list[Exception] = []
        self._changes: Sequence[Change] = ()
        self._least = _SECONDS_TO_CHECK
        # Failures of the table for findings that a change concerns: the queue has to hand out the change again.
        self._lost: list[StoreError] = []

    def recheck(self, changes: Sequence[Change], *, asked: Sequence[str] = (), on_schedule: bool = True) -> None:
        """Recheck the findings that `changes` concern, those `asked` for by id, and those due; send what is due.

        What is due is left to the runs `on_schedule`. One begins each minute, so however much is due, other runs are
        free for the changes that come (docs/adr/0115-changes-do-not-wait-for-the-schedule.md).

        Raises StoreError if the table fails. An exception of a check, and a failure of the table for a finding that a
        change concerns, are raised after all other findings were handled.
        """
        now = self._run.now()
        self._changes = changes
        store, insist = self._run.store, self._ledger.insist
        concerned = self._open_among(asked) | self._concerned_by(changes)
        notices = [
            each for each in insist(lambda: store.due_notices(before=now, limit=_MOST_NOTICES)) if each not in concerned
        ]
        lives = self._ledger.lives(notices)
        # Findings that only have a notice due go first: that is quick, and people wait for it.
        self._send_due([life.id for life in lives if not _is_due(life, now)])
        waiting = insist(lambda: store.due_problems(before=now, limit=1)) if on_schedule else []
        left = self._ledger.left_inspections(limit=_MOST_INSPECTIONS) if on_schedule else []
        for_problems = _SECONDS_FOR_PROBLEMS if waiting else 0
        self._least = _SECONDS_TO_CHECK + for_problems + (_SECONDS_FOR_INSPECTIONS if left else 0)
        self._recheck_in_order(concerned.values(), by_change=True)
        if on_schedule:
            self._recheck_in_order((life for life in lives if _is_due(life, now)), by_change=False)
        done = {*concerned, *notices}
        found = insist(lambda: store.due_findings(before=now, limit=_MOST_IDS)) if on_schedule else []
        due = [each for each in found if each not in done]
        for at in range(0, len(due), _AT_A_TIME):
            if self._run.remaining() > self._least:
                self._recheck_in_order(self._ledger.lives(due[at : at + _AT_A_TIME]), by_change=False)
        diagnoser = Diagnoser(self._run, self._ledger, self._notifier)
        diagnoser.keep = for_problems
        self._errors += Inspector(self._run, self._notifier, diagnoser).inspect_left(left)
        diagnoser.keep = 0
        crashed = diagnoser.diagnose_waiting() if waiting else {}
        for error in (*self._errors, *crashed.values(), *self._lost):
            raise error

    def _recheck_in_order(self, lives: Iterable[Life], *, by_change: bool) -> None:
        """Recheck findings while time is left, those of strangers last, and notify people now and then.

        Of those that a change concerns, the ones that are left are due for the next run.
        """
        changed: list[Life] = []
        to_tell: list[Life] = []
        left: list[str] = []
        in_order = sorted(lives, key=_is_of_stranger)
        places = {life.id: place for place, life in enumerate(in_order)}
        for place, (life, had_time, after) in enumerate(self._side_by_side(in_order, by_change=by_change)):
            if after:
                changed.append(after)
                to_tell.append(after)
            if by_change and not had_time:
                left.append(life.id)
            if (place + 1) % _RECHECKS_A_NOTICE == 0:
                # What one message is to say of a problem is told when all of its findings were rechecked.
                held = [each for each in to_tell if any(places.get(one, 0) > place for one in each.related)]
                kept = {each.id for each in held}
                self._notifier.tell([each for each in to_tell if each.id not in kept])
                to_tell = held
        # One write after the other would take more time than is left.
        _, failed = change_lives(self._run, self._ledger, dict.fromkeys(left, partial(make_due, now=self._run.now())))
        self._log_failures(failed)
        self._lost += failed.values()
        self._notifier.tell(to_tell)
        self._notifier.finish(changed)

    def _side_by_side(self, in_order: Sequence[Life], *, by_change: bool) -> Iterator[tuple[Life, bool, Life | None]]:
        """Recheck findings, several at a time, those of strangers when all others are done.

        Yields in order each finding, whether there was time for it, and what became of it.
        """

        def recheck(life: Life) -> tuple[Life, bool, Life | None]:
            had_time = self._run.remaining() > self._least
            return life, had_time, self._try_recheck(life, by_change=by_change) if had_time else None

        for _, group in groupby(in_order, key=_is_of_stranger):
            each = list(group)
            if len(each) <= _FEW:
                yield from map(recheck, each)
                continue
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="recheck") as pool:
                yield from pool.map(recheck, each)

    def _send_due(self, ids: Sequence[str]) -> None:
        """Send the due notices of findings that are not rechecked now, and update Security Hub with them."""
        claimed, failed = change_lives(self._run, self._ledger, dict.fromkeys(ids, self._notifier.claim))
        self._log_failures(failed)
        self._notifier.notify(list(claimed.values()))

    def _log_failures(self, failed: Mapping[str, StoreError]) -> None:
        for each, error in failed.items():
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about=each, reason=str(error))

    def _try_recheck(self, life: Life, *, by_change: bool) -> Life | None:
        """Recheck one finding. Log and keep any exception."""
        try:
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
        """Set the next recheck of a finding that failed, so that it is not the first of every run.

        A change that came meanwhile asked for another recheck: that is due at once.
        """
        now, name, settings = self._run.now(), self._run.name, self._run.settings

        def step(known: Life | None) -> Life | None:
            return known and release(mark_rechecked(known, now=now, settings=settings), name, now=now)

        with suppress(StoreError):
            self._ledger.change(life.id, step)

    def _open_among(self, ids: Sequence[str]) -> dict[str, Life]:
        """Return the open findings among `ids`, by id. People have asked for these."""
        lives = (
            life for at in range(0, len(ids), _AT_A_TIME) for life in self._ledger.lives(ids[at : at + _AT_A_TIME])
        )
        return {life.id: life for life in lives if life.is_open}

    def _concerned_by(self, changes: Sequence[Change]) -> dict[str, Life]:
        """Return the open findings that one of `changes` can have fixed, by id.

        Those on a resource of a service that was changed come first, and the oldest first among them.
        """
        keys = {key for change in changes for key in keys_of_change(change)}
        ids = self._ledger.insist(lambda: self._run.store.listed_under(sorted(keys), limit=_MOST_IDS))
        lives = (
            life for at in range(0, len(ids), _AT_A_TIME) for life in self._ledger.lives(ids[at : at + _AT_A_TIME])
        )
        found = [life for life in lives if life.is_open and any(concerns(each, life.finding) for each in changes)]
        services = {change.service for change in changes}
        return {life.id: life for life in sorted(found, key=lambda life: (not _is_of(services, life), life.created_at))}

    def _recheck_one(self, life: Life, *, by_change: bool) -> Life:
        """Recheck one finding if it is due, record the result, and return the recorded life."""
        now = self._run.now()
        settings = self._run.settings
        # A finding that is not due is here only because its notice is. Another run may be rechecking it.
        is_due = life.is_open and (by_change or life.look_at <= now)
        life = self._lease(life, by_change=by_change) if is_due else life
        outcome = self._check(life) if is_due and has_lease(life, self._run.name, now) else None
        deeds = deeds_of(self._changes, life.finding) if by_change else ()

        def step(known: Life | None) -> Life | None:
            if known is None:
                return None
            known = remember(known, deeds) if known.is_open else known
            # If a diagnosis updated the finding since this recheck began, or took the lease, the diagnosis is newer.
            # Clocks of two runs may differ, so any other time than before says so.
            if outcome and has_lease(known, self._run.name, now) and known.looked_at == life.looked_at:
                if outcome.gone_because:
                    # Include the events of the quiet period: people get the final reach.
                    known = replace(known, reach=self._ledger.reach(known))
                    words, again = outcome.gone_because, outcome.works_again
                    known = end(known, because=words, works_again=again, now=now, settings=settings)
                elif outcome.still:
                    reach = self._ledger.reach(known)
                    still = open_or_update(known, outcome.still, problem=None, reach=reach, now=now, settings=settings)
                    known = self._what_broke_it.add_to(still, before=known)
                unread = outcome.unread and not (outcome.gone_because or outcome.is_read)
                known = mark_rechecked(known, now=now, settings=settings, unread=unread)
            if by_change and known.is_open:
                # Also if a diagnosis is newer: it may have read AWS before the change.
                known = replace(known, look_at=min(known.look_at, now + _AFTER_A_CHANGE))
            return self._notifier.claim(release(known, self._run.name, now=now))

        after = self._ledger.change(life.id, step)
        if outcome and outcome.gone_because:
            self._run.count("FindingsResolved")
            self._end_quiet_period(life)
        return after or life

    def _lease(self, life: Life, *, by_change: bool) -> Life:
        """Return the finding as it is now, leased to this run unless another run has it."""
        now, name = self._run.now(), self._run.name
        until = now + self._run.remaining() + _SECONDS_OF_GRACE

        def step(known: Life | None) -> Life | None:
            return known and lease(known, name, now=now, until=until, by_change=by_change)

        return self._ledger.change(life.id, step) or life

    def _end_quiet_period(self, life: Life) -> None:
        """End the quiet period of a resolved finding's problems, so that their next failure is diagnosed at once."""
        now = self._run.now()
        if life.problems:
            ids, _ = self._ledger.problems_of(life)
            self._ledger.change_problems(
                dict.fromkeys(ids, lambda known: replace(known, quiet_until=0) if known.quiet_until > now else known)
            )

    def _check(self, life: Life) -> _Outcome:
        """Check whether the cause of an open finding still exists."""
        with note_gaps() as gaps:
            outcome = self._look(life)
        return replace(outcome, unread=gaps.is_incomplete)

    def _look(self, life: Life) -> _Outcome:
        finding = life.finding
        check = _CHECK_OF.get(finding.cause)
        if check is None:
            # Another version of Pull Responder, which may be deployed again, found this cause.
            return self._resolve_if_unseen(life) or _Outcome()
        to_check = self._pulls_to_check(life)
        if to_check is None:
            return self._resolve_if_unseen(life) or _Outcome()
        if not to_check:
            return _Outcome(gone_because=_NODES_GONE)
        if check.ends_with_failures and (over := self._resolve_if_unseen(life)):
            return over
        if not check.symptoms:  # only repeated events report this cause, so no check can decide it
            return self._resolve_if_unseen(life) or _Outcome()
        return self._run_check(life, check, to_check)

    def _run_check(self, life: Life, check: Check, to_check: Sequence[tuple[PullFailure, PullFacts]]) -> _Outcome:
        finding = life.finding
        diagnoses = self._diagnose_until_same(finding, check, to_check)
        still = _find_same(finding, diagnoses)
        if still:
            # Check again without the old error messages. Then only what can be read now decides.
            silent = [(_without_words(pull), facts) for pull, facts in to_check]
            if life.inspection or _find_same(finding, self._diagnose_until_same(finding, check, silent)):
                still = _in_words_of(finding, still) if check.tells_more_at_first else still
                return _Outcome(still=still, is_read=True)
        elif gone := _outcome_if_gone(check, diagnoses, to_check):
            return self._resource_gone(check, finding) or gone if check.by_words else gone
        elif check.id in _OF_PATH:
            # The old message contradicts what is configured, as when a name did not resolve. What can be read decides.
            silent = [(_without_words(pull), facts) for pull, facts in to_check]
            if gone := _outcome_if_gone(check, self._diagnose_until_same(finding, check, silent), silent):
                return gone
        return self._resource_gone(check, finding) or self._resolve_if_unseen(life) or _Outcome(still=still)

    def _resource_gone(self, check: Check, finding: Finding) -> _Outcome | None:
        if check.may_name_missing or is_gone(finding.resource, self._reader) is not True:
            return None
        return _Outcome(gone_because=f"{finding.resource.id} does not exist any more.")

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

    def _resolve_if_unseen(self, life: Life) -> _Outcome | None:
        """Return a resolved outcome if the failure was not seen for `stopped_minutes`, else None."""
        if life.inspection or gaps_so_far().out_of_time:
            return None
        minutes = self._run.settings.stopped_minutes
        last = seconds_of(self._ledger.reach(life).last_seen_at) or life.opened_at
        if self._run.now() - last < minutes * 60:
            return None
        return _Outcome(
            gone_because=f"It has not been seen for {minutes} minutes, and nothing else shows whether it is fixed."
        )


def _is_due(life: Life, now: float) -> bool:
    return life.is_open and life.look_at <= now


def _is_of(services: set[str], life: Life) -> bool:
    arn = Arn.parse(life.finding.resource.id)
    return arn is not None and arn.service in services


def _is_of_stranger(life: Life) -> bool:
    check = _CHECK_OF.get(life.finding.cause)
    return check is not None and check.kind is Kind.BEHAVIOR


def _in_words_of(first: Finding, still: Finding) -> Finding:
    return replace(still, explanation=first.explanation, evidence=first.evidence, remediation=first.remediation)


def _find_same(finding: Finding, diagnoses: Sequence[Diagnosis]) -> Finding | None:
    return next((each for diagnosis in diagnoses for each in diagnosis.findings if each.id == finding.id), None)


def _outcome_if_gone(
    check: Check, diagnoses: Sequence[Diagnosis], checked: Sequence[tuple[PullFailure, PullFacts]]
) -> _Outcome | None:
    """Return the outcome if the cause is gone; None if it is not known to be gone."""
    cause = check.id
    if len(diagnoses) < len(checked):
        return None
    shown = [each for each, (_, facts) in zip(diagnoses, checked, strict=True) if not _has_no_node(cause, each, facts)]
    if not shown:
        return _Outcome(gone_because=_NODES_GONE)
    if not all(_is_decided(cause, each) for each in shown):
        return None
    if any(cause in each.passed for each in shown):
        return _Outcome(gone_because=check.again, works_again=check.kind is Kind.CONFIGURATION)
    return _Outcome(gone_because=_NOT_CONCERNED)


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
