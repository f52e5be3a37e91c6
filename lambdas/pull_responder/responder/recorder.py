"""Record a diagnosis: first its findings with their notices, then that the problem is diagnosed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.leases import release, seize
from pull_responder.findings.life import open_or_update, resolve
from pull_responder.findings.related import add_related
from pull_responder.responder.dimensions import dimensions_of
from pull_responder.responder.reaches import Reaches
from pull_responder.responder.unexplained import finding_of_unexplained, unexplained_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.eks_change import Inspection
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.findings.problem import Problem
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.notifier import Notifier
    from pull_responder.responder.run import Run
    from pull_responder.responder.what_broke_it import WhatBrokeIt

# How many times a problem is diagnosed while the diagnosis runs out of time. Then the result counts as it is.
_MOST_TRIES: Final = 3
# `recheck` runs once a minute. What is due well within the minute is made by its next run, even if this one took long.
_TRY_AGAIN_SECONDS: Final = 15.0
# A new event of the same pull does not bring the diagnosis forward.
_QUIET_SECONDS: Final = 60.0
# How many times in a row a problem is diagnosed again a minute later, while it is undecided and something cannot be
# read. Failures of AWS pass. What can never be read costs these diagnoses once, until the problem is decided.
_MOST_UNREAD_TRIES: Final = 15
# Seconds by which the lease of a finding outlives its run.
_SECONDS_OF_GRACE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records diagnoses. Raises StoreError if that fails; the problem then stays due."""

    run: Run
    ledger: Ledger
    notifier: Notifier
    what_broke_it: WhatBrokeIt
    reaches: Reaches = field(default_factory=Reaches)

    def record(self, problem_id: str, diagnosis: Diagnosis, *, page: str = "") -> list[Life]:
        """Record a diagnosis of a problem. Return the lives that have changed, for the notifier.

        `page` is the key of its page; empty if it has none.
        """
        self._log(diagnosis)
        together = [finding.id for finding in diagnosis.findings]
        changed = [
            self._open_or_update(finding, problem=problem_id, together=together, page=page)
            for finding in diagnosis.findings
        ]
        # Before the problem is diagnosed: if that fails, the problem stays due.
        if diagnosis.findings and (resolved := self._resolve_unexplained(problem_id, diagnosis)):
            changed.append(resolved)
        before: tuple[str, ...] = ()

        def finish(known: Problem) -> Problem:
            nonlocal before
            before = known.findings
            self._relate(before, together)
            return self._finish_diagnosis(known, diagnosis)

        problem = self.ledger.change_problem(problem_id, finish)
        now, settings = self.run.now(), self.run.settings
        # What was not read for lack of time is read in a minute. What was refused may stay so: the pull has failed for
        # long, and its finding says what could not be read.
        will_retry = diagnosis.late and problem.look_at > 0
        seen = self.ledger.total(problem) if problem.unexplained_since else problem
        finding = None if will_retry else finding_of_unexplained(seen, diagnosis, now=now, settings=settings)
        if finding is not None:
            changed.append(self._open_or_update(finding, problem=problem_id))
            self._relate(before, [finding.id])
            self.ledger.change_problem(problem_id, lambda known: replace(known, findings=(finding.id,)))
        return changed

    def _relate(self, before: Sequence[str], found: Sequence[str]) -> None:
        """Let the findings of a problem's last diagnosis and those of this one remember each other, where they differ.

        One that has ended is told as such minutes later. Then it says what stops its pulls now.
        """
        gone = [each for each in before if each not in found]
        for each in gone if found else ():
            self.ledger.change(each, lambda known: known and add_related(known, found))
        for each in found if gone else ():
            self.ledger.change(each, lambda known: known and add_related(known, gone))

    def record_inspection(self, diagnosis: Diagnosis, inspection: Inspection) -> list[Life]:
        """Record a diagnosis made before any pull failed. Return the lives that have changed."""
        self._log(diagnosis)
        return [self._open_or_update(finding, inspection=inspection) for finding in diagnosis.findings]

    def _open_or_update(
        self,
        finding: Finding,
        *,
        problem: str | None = None,
        inspection: Inspection | None = None,
        together: Sequence[str] = (),
        page: str = "",
    ) -> Life:
        """Record a finding with the key of its page, and the ids of all findings that were found `together`."""
        was_open = False

        def step(known: Life | None) -> Life:
            nonlocal was_open
            was_open = known is not None and known.is_open
            reach = self.reaches.reach(self.ledger, finding.id, known, problem=problem, found_in=finding.cluster)
            life = open_or_update(
                known, finding, problem=problem, reach=reach, now=self.run.now(), settings=self.run.settings
            )
            # Once a pull has failed, rechecks ask about that pull and no longer about the inspection.
            before = known.inspection if known and known.is_open else None
            life = replace(life, inspection=None if life.problems else _combine(inspection, before))
            life = replace(life, page=page or life.page)
            life = add_related(life, together)
            life = self.what_broke_it.add_to(life, before=known)
            return self.notifier.claim(life)

        life = self.ledger.change(finding.id, step)
        if life is None:
            raise AssertionError(f"{finding.id} was recorded but is not in the table")
        if not was_open:
            self.run.count_by("FindingsOpened", dimensions_of(life.finding))
        return life

    def _finish_diagnosis(self, problem: Problem, diagnosis: Diagnosis) -> Problem:
        """Return the problem after a diagnosis: in its quiet period, or due again soon if time ran out."""
        now, seen = self.run.now(), self.ledger.total(problem)
        # What is counted on pages keeps the item of the problem only by this.
        problem = replace(problem, first_seen=seen.first_seen, last_seen=seen.last_seen)
        if diagnosis.late and problem.tries < _MOST_TRIES:
            return replace(
                problem,
                leased_until=0,
                leased_by="",
                quiet_until=0,
                look_at=now + _TRY_AGAIN_SECONDS,
            )
        # A principal that is known not to pull for EKS does not leave an unexplained failure.
        in_vain = not diagnosis.findings and diagnosis.puller.for_eks is not False
        # A note says that the fault was fixed since. If pulls still fail, count from now on.
        since = now if diagnosis.note else problem.last_seen
        before = seen.count if diagnosis.note else seen.count - 1
        is_open = bool(diagnosis.inconclusive) and diagnosis.is_incomplete
        soon = is_open and problem.unread_tries < _MOST_UNREAD_TRIES
        return replace(
            problem,
            tries=0,
            unread_tries=problem.unread_tries + soon if is_open else 0,
            leased_until=0,
            leased_by="",
            look_at=now + _TRY_AGAIN_SECONDS if soon else 0,
            quiet_until=now + (_QUIET_SECONDS if soon else self.run.settings.quiet_minutes * 60),
            findings=tuple(finding.id for finding in diagnosis.findings) or problem.findings,
            cluster=diagnosis.puller.cluster or problem.cluster,
            unexplained_since=(problem.unexplained_since or since) if in_vain else 0,
            unexplained_count=(problem.unexplained_count or before) if in_vain else 0,
        )

    def _resolve_unexplained(self, problem_id: str, diagnosis: Diagnosis) -> Life | None:
        """Resolve the problem's `pull_failing_unexplained`, if it is open: a cause is found now.

        It is leased first, as for a recheck. If this run dies while it resolves it, the next recheck puts right what is
        left half done (docs/adr/0101-how-a-change-finds-its-findings.md).
        """
        now, name, life_id = self.run.now(), self.run.name, unexplained_id(problem_id, diagnosis)
        until = now + self.run.lifetime() + _SECONDS_OF_GRACE
        life = self.ledger.change(life_id, lambda known: known and seize(known, name, until=until))
        if life is None or not life.is_open:
            return life
        causes = " and ".join(dict.fromkeys(finding.cause for finding in diagnosis.findings))

        def step(known: Life | None) -> Life | None:
            if known is None or not known.is_open:
                return known
            because = f"A cause has been found: {causes}."
            over = resolve(known, because=because, now=self.run.now(), settings=self.run.settings)
            return self.notifier.claim(release(over, name, now=now))

        return self.ledger.change(life_id, step)

    def _log(self, diagnosis: Diagnosis) -> None:
        self.run.count("PullsDiagnosed")
        self.run.count("FindingsFound", len(diagnosis.findings))
        self.run.count("PullsInconclusive", int(bool(diagnosis.inconclusive) and not diagnosis.findings))
        self.run.logger.info(
            "diagnosed",
            event_id=diagnosis.pull.event_id,
            image=diagnosis.pull.image,
            principal=diagnosis.pull.principal and diagnosis.pull.principal.arn,
            cluster=diagnosis.cluster,
            findings=[finding.id for finding in diagnosis.findings],
            inconclusive={each.cause: each.reason for each in diagnosis.inconclusive},
            next={each.cause: each.next for each in diagnosis.inconclusive},
            unchecked=[each.cause for each in diagnosis.unchecked],
            passed=list(diagnosis.passed),
            note=diagnosis.note,
        )


def _combine(one: Inspection | None, other: Inspection | None) -> Inspection | None:
    """Return an inspection of the nodes of both, so that the finding is resolved only when both are fixed.

    If one is missing, return the other. If account or region differ, return `one`.
    """
    if one is None or other is None or (one.account, one.region) != (other.account, other.region):
        return one or other
    both = replace(
        one,
        health_only=one.health_only and other.health_only,
        addons=tuple(sorted({*one.addons, *other.addons})),
        only_addons=bool(one.addons or other.addons)
        and all(each.only_addons or each.health_only for each in (one, other)),
    )
    if _nodes(one) == _nodes(other):
        return both
    cluster = one.cluster if one.cluster == other.cluster else None
    return replace(both, cluster=cluster, node_group=None, fargate_profile=None, role_arn=None)


def _nodes(inspection: Inspection) -> tuple[str | None, ...]:
    return (inspection.cluster, inspection.node_group, inspection.fargate_profile, inspection.role_arn)
