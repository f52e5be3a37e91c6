"""Looking again: at open findings whose time has come or that a change concerns, and at what other runs left undone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS
from pull_responder.diagnosis import diagnose
from pull_responder.facts.existence import is_gone
from pull_responder.facts.reader import Reader
from pull_responder.findings.concern import concerns
from pull_responder.findings.life import found, looked, passed
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.store import StoreError
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.pulls.inspections import questions
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.respond import Responder
from pull_responder.responder.tell import Teller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.checks.check import Check
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.model.pull import PullFailure
    from pull_responder.responder.run import Run

# One run after the other, a few findings each, so that AWS's limits for reading are for those who diagnose.
_MOST_LOOKED_AT: Final = 30
_MOST_NOTICES: Final = 300
_MOST_PROBLEMS: Final = 10
_MOST_OPEN: Final = 1_000
_SECONDS_TO_TELL: Final = 8.0
_SECONDS_TO_LOOK: Final = 15.0
# What a change has fixed may not be readable at once: IAM's changes take a while to be seen everywhere.
_AFTER_A_CHANGE: Final = 60.0
# As many pulls of a finding are asked about, the latest; they share what is read.
_MOST_PULLS: Final = 10

_CHECK_OF: Final = {check.id: check for check in CHECKS}
_NODES_GONE: Final = "The nodes that it was about do not exist any more."


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at an open finding showed: that the cause is gone, and how that is known, or what it is now."""

    gone_because: str = ""
    still: Finding | None = None


class Recheck:
    """Looks again, oldest first, for as long as there is time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._teller = Teller(run, self._ledger)
        self._reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_TELL)
        self._facts = PullFacts(self._reader, known_principals=run.settings.known_principals)
        self._mistakes: list[Exception] = []

    def look(self, changes: Sequence[Change]) -> None:
        """Look at the findings that `changes` can concern and at those whose time has come, and tell what is due.

        Raises StoreError when the table does not answer, and what a check raises once all others have had their turn.
        """
        now = self._run.now()
        concerned = self._concerned(changes)
        notices = self._run.store.due_notices(before=now, limit=_MOST_NOTICES)
        due = (*notices, *self._run.store.due_findings(before=now, limit=_MOST_LOOKED_AT))
        lives = self._ledger.lives(dict.fromkeys((*concerned, *due)))
        # Those that only wait to be told first: that is quick, and somebody waits for it.
        to_look_at = [life for life in lives if life.is_open and (life.id in concerned or life.look_at <= now)]
        changed = [self._safely(life, by_change=False) for life in lives if life not in to_look_at]
        for number, life in enumerate(to_look_at):
            by_change = life.id in concerned
            if number < _MOST_LOOKED_AT and self._run.remaining() > _SECONDS_TO_LOOK:
                changed.append(self._safely(life, by_change=by_change))
            elif by_change:
                changed.append(self._safely(life, by_change=True, later=True))
        self._teller.tell([life for life in changed if life])
        left_behind = self._run.store.due_problems(before=now, limit=_MOST_PROBLEMS)
        if left_behind and self._run.remaining() > _SECONDS_TO_LOOK:
            Responder(self._run).diagnose_again(left_behind)
        for mistake in self._mistakes:
            raise mistake

    def _safely(self, life: Life, *, by_change: bool, later: bool = False) -> Life | None:
        """Look at one finding, or have the next run do it; whatever happens there, the others have their turn."""
        try:
            if later:
                return self._ledger.change(life.id, lambda known: replace(known, look_at=0) if known else None)
            return self._looked_at(life, by_change=by_change)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about=life.id, reason=str(error))
        except Exception as mistake:
            # It goes up, at the end of `look`: the others must not wait for it.
            self._run.count("LooksFailed")
            self._run.logger.exception("a finding could not be looked at", about=life.id)
            self._mistakes.append(mistake)
            self._passed_over(life)
        return None

    def _passed_over(self, life: Life) -> None:
        """Have a finding wait for its next turn, so that it is not the first of every run."""
        now, settings = self._run.now(), self._run.settings
        with suppress(StoreError):
            self._ledger.change(life.id, lambda known: looked(known, now=now, settings=settings) if known else None)

    def _concerned(self, changes: Sequence[Change]) -> dict[str, None]:
        """Return the ids of the open findings that one of `changes` can have fixed, those that wait longest first."""
        if not changes:
            return {}
        ids = self._run.store.open_findings(limit=_MOST_OPEN)
        return dict.fromkeys(
            life.id
            for life in self._ledger.lives(ids)
            if life.is_open and any(concerns(change, life.finding) for change in changes)
        )

    def _looked_at(self, life: Life, *, by_change: bool) -> Life:
        """Look at one finding, if it is time, and return what is on record of it then."""
        now = self._run.now()
        settings = self._run.settings
        # Before its time it is here only because something is to be told.
        look = self._look(life) if life.is_open and (by_change or life.look_at <= now) else None

        def step(known: Life | None) -> Life | None:
            if known is None:
                return None
            # A diagnosis may have found it since this look began: then that is newer.
            if look and known.is_open and known.looked_at <= now:
                if look.gone_because:
                    # With what came while it was quiet: people hear how far it had reached in the end.
                    known = replace(known, reach=self._ledger.reach(known.problems))
                    known = passed(known, because=look.gone_because, now=now, settings=settings)
                elif look.still:
                    reach = self._ledger.reach(known.problems)
                    known = found(known, look.still, problem=None, reach=reach, now=now, settings=settings)
                known = looked(known, now=now, settings=settings)
                if by_change and known.is_open:
                    known = replace(known, look_at=min(known.look_at, now + _AFTER_A_CHANGE))
            return self._teller.claimed(known)

        after = self._ledger.change(life.id, step)
        if look and look.gone_because:
            self._run.count("FindingsResolved")
            self._wake(life)
        return after or life

    def _wake(self, life: Life) -> None:
        """Let the next failure of what is now resolved be diagnosed at once."""
        if life.problems:
            self._ledger.change_problems(
                dict.fromkeys(life.problems, lambda known: replace(known, quiet_until=0) if known.version else known)
            )

    def _look(self, life: Life) -> _Look:
        """Ask whether the cause of an open finding is still there."""
        finding = life.finding
        check = _CHECK_OF.get(finding.cause)
        if check is None:
            # Another version found it, and may be back tomorrow.
            return self._stopped(life) or _Look()
        asked = self._asked(life)
        if asked is None:
            return _Look()
        if not asked:
            return _Look(gone_because=_NODES_GONE)
        if not check.symptoms:  # what is told by its repeating, and not by a look
            return self._stopped(life) or _Look()
        return self._ask(life, check, asked)

    def _ask(self, life: Life, check: Check, asked: Sequence[tuple[PullFailure, PullFacts]]) -> _Look:
        finding = life.finding
        diagnoses = [diagnose(pull, facts, checks=(check,)) for pull, facts in asked]
        still = _same(finding, diagnoses)
        if still:
            # What is left of it without AWS's and kubelet's words of then is what can be read now.
            silent = [diagnose(_without_words(pull), facts, checks=(check,)) for pull, facts in asked]
            if life.inspection or _same(finding, silent):
                return _Look(still=still)
        elif because := _over(check.id, diagnoses, asked):
            return _Look(gone_because=because)
        if not check.may_name_missing and is_gone(finding.resource, self._reader) is True:
            return _Look(gone_because=f"{finding.resource.id} does not exist any more.")
        return self._stopped(life) or _Look(still=still)

    def _asked(self, life: Life) -> list[tuple[PullFailure, PullFacts]] | None:
        """Return the questions that the finding answers: the pulls that it fails, or those of the inspection that
        found it; None where they cannot be read.
        """
        if life.inspection is None:
            # One role fails the pulls of many repositories, and is mended when none of them fails any more.
            problems = self._run.store.problems(life.problems).values() if life.problems else ()
            latest = sorted((each for each in problems if life.id in each.findings), key=lambda each: -each.last_seen)
            pulls = [each.pull for each in latest if each.pull] or [life.finding.pull]
            return [(pull, self._facts) for pull in dict.fromkeys(pulls[:_MOST_PULLS])]
        known_principals = self._run.settings.known_principals
        asked = []
        for question in questions(life.inspection, self._reader, known_principals=known_principals):
            if isinstance(question, Unread):
                return None  # what cannot be read is not gone
            asked.append((question.pull, question.facts))
        return asked

    def _stopped(self, life: Life) -> _Look | None:
        """Return that it is over where nothing that can be read says so, but it has not been seen for long."""
        if life.inspection or self._reader.out_of_time:
            return None
        minutes = self._run.settings.stopped_minutes
        last = seconds_of(self._ledger.reach(life.problems).last_seen_at) or life.opened_at
        if self._run.now() - last < minutes * 60:
            return None
        return _Look(
            gone_because=f"It has not been seen for {minutes} minutes, and nothing else tells whether it is over."
        )


def _same(finding: Finding, diagnoses: Sequence[Diagnosis]) -> Finding | None:
    return next((each for diagnosis in diagnoses for each in diagnosis.findings if each.id == finding.id), None)


def _over(cause: str, diagnoses: Sequence[Diagnosis], asked: Sequence[tuple[PullFailure, PullFacts]]) -> str:
    """Return how it is known that the cause is gone, empty where it is not known."""
    shown = [each for each, (_, facts) in zip(diagnoses, asked, strict=True) if not _has_no_node(cause, each, facts)]
    if not shown:
        return _NODES_GONE
    return _how_it_is_known(cause, shown) if all(_is_decided(cause, each) for each in shown) else ""


def _is_decided(cause: str, diagnosis: Diagnosis) -> bool:
    # A finding of the same cause about another thing does not tell that this thing is mended.
    return not (diagnosis.late or diagnosis.findings) and all(
        each.cause != cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)
    )


def _has_no_node(cause: str, diagnosis: Diagnosis, facts: PullFacts) -> bool:
    """Whether the cause hangs on nodes of which none runs, or none where AWS shows it, and on nothing else.

    A fault of their way was found by others, or by nodes that are gone. What hangs on their role is decided by it.
    """
    nodes = facts.asked
    if nodes is None or not nodes.is_role_alone or not isinstance(nodes.vpc_id, Unread):
        return False
    reasons = {each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked) if each.cause == cause}
    return not diagnosis.late and reasons == {nodes.vpc_id.reason}


def _how_it_is_known(cause: str, diagnoses: Sequence[Diagnosis]) -> str:
    if any(cause in diagnosis.passed for diagnosis in diagnoses):
        return f"What can be read now passes the check {cause}."
    return f"The check {cause} does not apply any more to what can be read now."


def _without_words(pull: PullFailure) -> PullFailure:
    """Return the pull without what was said when it failed, so that only what can be read decides."""
    return replace(pull, symptom=Symptom.UNKNOWN, denial=None, message=None, upstream_failure=None)
