"""What a diagnosis changes: findings are recorded with what is to be told of them, then the problem is put to rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.life import found, passed
from pull_responder.responder.unexplained import unexplained, unexplained_id

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.eks_change import Inspection
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.findings.problem import Problem
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run
    from pull_responder.responder.tell import Teller

# A diagnosis that ran out of time is made again this many times before what it could not read is left unread.
_MOST_TRIES: Final = 3
_TRY_AGAIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Settler:
    """Records what diagnoses find. Raises StoreError when it cannot be recorded; the problem then stays due."""

    run: Run
    ledger: Ledger
    teller: Teller

    def settle(self, problem_id: str, diagnosis: Diagnosis) -> list[Life]:
        """Record a diagnosis of a problem, and return the findings that have changed, to be told."""
        self._log(diagnosis)
        changed = [self._found(finding, problem=problem_id) for finding in diagnosis.findings]
        problem = self.ledger.change_problem(problem_id, lambda known: self._rested(known, diagnosis))
        # What will be diagnosed again in a minute is not unexplained yet.
        again = problem.look_at > 0
        about = None if again else unexplained(problem, diagnosis, now=self.run.now(), settings=self.run.settings)
        if about is not None:
            changed.append(self._found(about, problem=problem_id))
            self.ledger.change_problem(problem_id, lambda known: replace(known, findings=(about.id,)))
        elif closed := self._explained(problem, diagnosis):
            changed.append(closed)
        return changed

    def settle_inspection(self, diagnosis: Diagnosis, inspection: Inspection) -> list[Life]:
        """Record what was found before any pull has failed, and return the findings that have changed."""
        self._log(diagnosis)
        return [self._found(finding, inspection=inspection) for finding in diagnosis.findings]

    def _found(self, finding: Finding, *, problem: str | None = None, inspection: Inspection | None = None) -> Life:
        def step(known: Life | None) -> Life:
            problems = known.problems if known else ()
            reach = self.ledger.reach(dict.fromkeys((*problems, *([problem] if problem else []))))
            life = found(known, finding, problem=problem, reach=reach, now=self.run.now(), settings=self.run.settings)
            # Once a pull has failed, it is over when that pull would not fail any more.
            before = known.inspection if known and known.is_open else None
            life = replace(life, inspection=None if life.problems else _both(inspection, before))
            return self.teller.claimed(life)

        life = self.ledger.change(finding.id, step)
        if life is None:
            raise AssertionError(f"{finding.id} was recorded, and is not there")
        return life

    def _rested(self, problem: Problem, diagnosis: Diagnosis) -> Problem:
        """Return the problem after a diagnosis: quiet for a while, or to be diagnosed again if time ran out."""
        now = self.run.now()
        if diagnosis.late and problem.tries < _MOST_TRIES:
            return replace(
                problem,
                leased_until=0,
                leased_by="",
                quiet_until=0,
                look_at=now + _TRY_AGAIN_SECONDS,
            )
        # Who does not pull for EKS and is known to pull for something else is nobody's concern here.
        in_vain = not diagnosis.findings and diagnosis.puller.for_eks is not False
        # What has been fixed since has failed for the last time; if it goes on, it counts from now on.
        since = now if diagnosis.note else problem.last_seen
        before = problem.count if diagnosis.note else problem.count - 1
        return replace(
            problem,
            tries=0,
            leased_until=0,
            leased_by="",
            look_at=0,
            quiet_until=now + self.run.settings.quiet_minutes * 60,
            findings=tuple(finding.id for finding in diagnosis.findings) or problem.findings,
            unexplained_since=(problem.unexplained_since or since) if in_vain else 0,
            unexplained_count=(problem.unexplained_count or before) if in_vain else 0,
        )

    def _explained(self, problem: Problem, diagnosis: Diagnosis) -> Life | None:
        """Close what was reported as unexplained, now that a cause is found."""
        if not diagnosis.findings:
            return None
        causes = " and ".join(dict.fromkeys(finding.cause for finding in diagnosis.findings))

        def step(known: Life | None) -> Life | None:
            if known is None or not known.is_open:
                return known
            because = f"A cause has been found: {causes}."
            return self.teller.claimed(passed(known, because=because, now=self.run.now(), settings=self.run.settings))

        return self.ledger.change(unexplained_id(problem, diagnosis), step)

    def _log(self, diagnosis: Diagnosis) -> None:
        self.run.count("PullsDiagnosed")
        self.run.count("FindingsFound", len(diagnosis.findings))
        self.run.count("PullsInconclusive", int(bool(diagnosis.inconclusive) and not diagnosis.findings))
        self.run.logger.info(
            "diagnosed",
            image=diagnosis.pull.image,
            principal=diagnosis.pull.principal and diagnosis.pull.principal.arn,
            cluster=diagnosis.cluster,
            findings=[finding.id for finding in diagnosis.findings],
            inconclusive={each.cause: each.reason for each in diagnosis.inconclusive},
            unchecked=[each.cause for each in diagnosis.unchecked],
            passed=list(diagnosis.passed),
            note=diagnosis.note,
        )


def _both(one: Inspection | None, other: Inspection | None) -> Inspection | None:
    """Return an inspection of the nodes of both: what is found of two is not over when one of them is mended."""
    if one is None or other is None or (one.account, one.region) != (other.account, other.region):
        return one or other
    health_only = one.health_only and other.health_only
    if _nodes(one) == _nodes(other):
        return replace(one, health_only=health_only)
    cluster = one.cluster if one.cluster == other.cluster else None
    return replace(one, cluster=cluster, node_group=None, fargate_profile=None, role_arn=None, health_only=health_only)


def _nodes(inspection: Inspection) -> tuple[str | None, ...]:
    return (inspection.cluster, inspection.node_group, inspection.fargate_profile, inspection.role_arn)
