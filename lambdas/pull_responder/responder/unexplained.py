"""The finding for a pull that keeps failing while no check explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks import pull_failing_unexplained
from pull_responder.findings.finding import Finding, finding_id
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import times_failed
from pull_responder.model.reason import reword, steps_of
from pull_responder.model.verdict import Resource
from pull_responder.next_steps import merge_steps

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.problem import Problem
    from pull_responder.settings import Settings

_CHECK: Final = pull_failing_unexplained.CHECK
# Security Hub takes 512 characters of a recommendation, of which the sentence around the steps needs some.
_MOST_CHARACTERS: Final = 460


def finding_of_unexplained(problem: Problem, diagnosis: Diagnosis, *, now: float, settings: Settings) -> Finding | None:
    """Return the finding for a pull that no check explains, None if it has not failed long or often enough.

    "Long" and "often" are `unexplained_minutes` and `unexplained_repeats` of the settings. None, too, if the pull
    stopped failing or nothing tells which resource it affects. `problem` has its pages counted in. `now` is in seconds
    since 1970.
    """
    if not problem.unexplained_since:
        return None
    if now - problem.last_seen > settings.stopped_minutes * 60:
        return None
    repeats = problem.count - problem.unexplained_count
    long = problem.last_seen - problem.unexplained_since >= settings.unexplained_minutes * 60
    if not long and repeats < settings.unexplained_repeats:
        return None
    pull = diagnosis.pull
    resource = _resource(diagnosis)
    if resource is None:
        return None
    left = [diagnosis.look_next, *(each.reason for each in diagnosis.inconclusive if each.cause == _CHECK.id)]
    verdict = pull_failing_unexplained.unexplained_verdict(
        pull,
        resource=resource,
        times=times_failed(problem.count, iso(problem.first_seen), iso(problem.last_seen), more=problem.more),
        ruled_out=diagnosis.passed,
        unread=[(each.cause, each.reason) for each in diagnosis.inconclusive if each.cause != _CHECK.id],
        steps=_steps(diagnosis),
        note=diagnosis.note or " ".join(f"{each}." for each in left if each),
    )
    if verdict.remediation is None:
        raise AssertionError("a failed verdict has a remediation")
    return Finding(
        id=unexplained_id(problem.id, diagnosis),
        cause=_CHECK.id,
        title=_CHECK.title,
        severity=_CHECK.severity,
        account=resource.account,
        region=pull.region,
        resource=resource,
        explanation=verdict.explanation,
        evidence=verdict.evidence,
        remediation=verdict.remediation,
        pull=pull,
        cluster=diagnosis.cluster,
        first_observed_at=iso(problem.first_seen),
        last_observed_at=iso(problem.last_seen),
    )


def unexplained_id(problem_id: str, diagnosis: Diagnosis) -> str:
    """Return the id of the finding that reports a problem as unexplained: each problem has its own."""
    pull = diagnosis.pull
    return finding_id(
        cause=_CHECK.id,
        # The registry's account is the same for all failures of a problem. Not all of them tell the role's account.
        account=pull.registry_account or pull.known_account or "",
        region=pull.region,
        resource=problem_id,
    )


def _steps(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the next steps of the undecided causes, as the terminal shows them, as far as Security Hub takes them."""
    opened = [(reword(each.reason, ""), each.next) for each in diagnosis.inconclusive if each.next]
    kept: list[str] = []
    for step in merge_steps(opened) or [each for each in steps_of(diagnosis.look_next) if isinstance(each, str)]:
        if not kept or sum(map(len, kept)) + len(step) <= _MOST_CHARACTERS:
            kept.append(step)
    return tuple(kept)


def _resource(diagnosis: Diagnosis) -> Resource | None:
    """Return the affected resource: the pulling role, else the cluster, else the account. None if none is known."""
    pull = diagnosis.pull
    account = pull.known_account
    if account is None:
        return None
    if diagnosis.role_arn:
        return Resource("AwsIamRole", diagnosis.role_arn, account)
    if diagnosis.cluster:
        arn = f"arn:{pull.partition}:eks:{pull.region}:{account}:cluster/{diagnosis.cluster}"
        return Resource("AwsEksCluster", arn, account)
    return Resource("AwsAccount", f"AWS::::Account:{account}", account)
