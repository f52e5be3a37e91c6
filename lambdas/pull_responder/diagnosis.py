"""From a failed pull to its causes: chooses the checks, runs them in parallel, and sorts their verdicts."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pull_responder.checks import (
    CHECKS,
    image_not_found,
    image_platform_mismatch,
    pull_failing_unexplained,
    repository_not_found,
    role_lacks_pull_permissions,
)
from pull_responder.checks.check import UNREACHED
from pull_responder.checks.pull_failing_unexplained import what_is_left
from pull_responder.facts.gaps import Gaps, add_gaps, note_gaps
from pull_responder.findings.finding import Finding, finding_id
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PrincipalKind, PullFailure, Stage, Symptom, registry_answered
from pull_responder.model.reason import IN_TERMINAL, Reason
from pull_responder.model.verdict import DecidingPolicy, Resource, Status, Verdict
from pull_responder.next_steps import next_step
from pull_responder.pulls.actions import CACHE_ACTIONS, PULL_ACTIONS
from pull_responder.pulls.fargate_ahead import read_fargate_ahead
from pull_responder.pulls.image import has_come_since, read_image_ahead
from pull_responder.pulls.kubelet_words import read_words
from pull_responder.pulls.node_role import add_node_role
from pull_responder.pulls.outsider import outsider_of, withhold_commands
from pull_responder.pulls.own_credentials import is_of_node, left_open, of_another
from pull_responder.pulls.puller import Puller, puller_of
from pull_responder.pulls.reasons import NAMES_OF_AWS, not_known_for_eks
from pull_responder.pulls.session import role_arn_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pull_responder.checks.check import Check
    from pull_responder.pulls.pull_facts import PullFacts

_FIXED_SINCE = "Everything that can be read allows this pull now: the configuration has changed since AWS refused it."
_ALLOWED_NOW = (
    "Everything that can be read allows this pull now: the configuration has changed since, or the pod tries again "
    "within 5 minutes."
)
_THERE_NOW = {
    Symptom.NOT_FOUND: "The image is there now: it was pushed after this pull failed.",
    Symptom.PLATFORM_MISMATCH: "The image has a manifest for the node's platform now: it was pushed after this pull.",
}
_OF_IMAGE = frozenset({image_not_found.CHECK.id, image_platform_mismatch.CHECK.id})
_NO_TIME = Reason("time ran out before everything it needs was read", IN_TERMINAL)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A cause that could not be decided, the reason, and a sentence that says what to look at or to grant next."""

    cause: str
    reason: str
    next: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Examined:
    """What one check said of the pull.

    - `lines`: the evidence of what failed or passed, the reason of what does not apply.
    - `policies`: those that decide, of what failed.
    """

    cause: str
    status: Status
    lines: tuple[str, ...]
    policies: tuple[DecidingPolicy, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known about one failed pull.

    - `findings` are the causes.
    - `inconclusive` are undecided causes that may explain the failure.
    - `unchecked` are undecided causes that cannot explain it, or that are not needed because another finding does.
    - `passed` are the causes that were ruled out.
    - `note` says what has changed since the failure, or is empty.
    - `look_next` says where to look next if all was decided and nothing explains the failure, or is empty.
    - `late` says that time ran out, so a later diagnosis may find more.
    - `is_incomplete` says that something could not be read that this diagnosis needed.
    - `role_arn` is the pulling role's own ARN, None where it is not known.
    - `examined` is what the checks of causes that are not undecided said, with their proof.
    """

    pull: PullFailure
    puller: Puller
    findings: tuple[Finding, ...] = ()
    inconclusive: tuple[Undecided, ...] = ()
    unchecked: tuple[Undecided, ...] = ()
    passed: tuple[str, ...] = ()
    note: str = ""
    look_next: str = ""
    late: bool = False
    is_incomplete: bool = False
    role_arn: str | None = None
    examined: tuple[Examined, ...] = field(default=(), compare=False)

    @property
    def cluster(self) -> str | None:
        """The cluster the pull was for, None where it is not known."""
        return self.puller.cluster or self.pull.cluster


def diagnose(pull: PullFailure, facts: PullFacts, *, checks: Sequence[Check] = CHECKS) -> Diagnosis:
    """Return the causes of a failed pull. It never raises for what AWS refuses to show: that is inconclusive."""
    with note_gaps() as gaps:
        found = _diagnose(pull, facts, checks)
        if found.late:
            # A check that did not end has read nothing, for whoever asked for the diagnosis, too.
            add_gaps(Gaps(out_of_time=True, is_incomplete=True))
    return replace(found, late=gaps.out_of_time, is_incomplete=gaps.is_incomplete)


def _diagnose(pull: PullFailure, facts: PullFacts, checks: Sequence[Check]) -> Diagnosis:
    """Return the diagnosis, `late` if not all checks ended in time."""
    read_fargate_ahead(pull, facts)
    pull = _with_node_role(pull, facts)
    is_role = pull.principal is None or pull.principal.kind in (PrincipalKind.ROLE, PrincipalKind.UNKNOWN)
    selected = [
        check
        for check in checks
        if _concerns(check, pull, is_question=facts.asked is not None) and (is_role or not check.for_nodes)
    ]
    pool = ThreadPoolExecutor(len(selected) + 2, thread_name_prefix="check")
    try:
        # The puller is read in parallel to the checks, not before them. Nearly always it is a node, so this saves a
        # round of reads.
        asked = pool.submit(copy_context().run, puller_of, pull, facts)
        named = pool.submit(copy_context().run, role_arn_of, pull, facts)
        running = {check: pool.submit(copy_context().run, check.examine, pull, facts) for check in selected}
        futures: list[Future[Any]] = [asked, named, *running.values()]
        _, late = wait(futures, timeout=facts.seconds_left())
        puller = Puller(None, _NO_TIME) if asked in late else asked.result()
        of_event = pull.principal.role_arn if pull.principal else None
        role_arn = of_event if named in late else named.result()
        verdicts = {
            check: Verdict.inconclusive(_NO_TIME) if future in late else future.result()
            for check, future in running.items()
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    of_aws = facts.belongs_to_aws(pull.registry_account)
    found = _sort_verdicts(pull, puller, verdicts, of_aws=of_aws, is_question=facts.asked is not None)
    if found.findings and found.puller.for_eks and outsider_of(pull, facts):
        account = pull.principal_account or ""
        safe = [replace(each, remediation=withhold_commands(each.remediation, account)) for each in found.findings]
        found = replace(found, findings=tuple(safe))
    if found.note in _THERE_NOW.values() and not has_come_since(pull, facts):
        found = replace(found, note="")
    if found.note and _is_gone(pull, facts):
        found = replace(found, note=f"Repository {pull.repository} does not exist in {pull.region}.")
    if facts.asked is None:
        found = _leave_unexplained(found, of_aws=of_aws)
    return replace(found, late=bool(late), role_arn=role_arn)


def skip_reason(pull: PullFailure) -> str | None:
    """Return why nothing in AWS can explain this failure, None where a check may explain it."""
    if not pull.from_ecr_public or any(check.is_examined(pull.symptom, from_ecr_public=True) for check in CHECKS):
        return None
    where = f"{pull.image} is in Amazon ECR Public, which needs no role"
    if registry_answered(pull.symptom):
        return f"{where}, and its registry answered"
    return f"{where}, and no check can explain a failure of kind {pull.symptom} there"


def _concerns(check: Check, pull: PullFailure, *, is_question: bool) -> bool:
    if is_question and pull.from_ecr_public:
        # Nothing has failed yet, so the question has no symptom: whatever can stop pulls from ECR Public is examined.
        return bool(check.ecr_public)
    if check.is_of_way and not is_question and read_words(pull).answer is not None:
        return False
    if not is_question and pull.symptom is Symptom.UNKNOWN and check.is_past(pull.symptom, pull.stage):
        # The stage alone tells what can have failed.
        return False
    return check.is_examined(pull.symptom, from_ecr_public=pull.from_ecr_public)


def _with_node_role(pull: PullFailure, facts: PullFacts) -> PullFailure:
    """Return the pull with the role of its node. The image is read in parallel where a check will need it."""
    if pull.principal is None and pull.symptom in image_platform_mismatch.CHECK.symptoms:
        facts.start([lambda: read_image_ahead(pull, facts)])
    return add_node_role(pull, facts)


def _is_gone(pull: PullFailure, facts: PullFacts) -> bool:
    registry, repository = pull.registry_account, pull.repository
    return (
        bool(registry and repository) and facts.repository_policy(registry or "", pull.region, repository or "") is None
    )


def _sort_verdicts(
    pull: PullFailure, puller: Puller, verdicts: Mapping[Check, Verdict], *, of_aws: bool, is_question: bool
) -> Diagnosis:
    if puller.for_eks is None:
        verdicts = {check: _leave_open(puller, verdict) for check, verdict in verdicts.items()}
    else:
        verdicts = {check: verdict for check, verdict in verdicts.items() if _decides(check, puller)}
    if other := of_another(pull):
        verdicts = {check: _leave_to(other, check, verdict) for check, verdict in verdicts.items()}
    failed = {check: verdict for check, verdict in verdicts.items() if verdict.status is Status.FAILED}
    # Before a failure there is nothing to explain: what is undecided may be one more cause of the next failure.
    explained = not is_question and any(_explains(check, pull, puller) for check in failed)
    inconclusive: list[Undecided] = []
    unchecked: list[Undecided] = []
    for check, verdict in verdicts.items():
        says_what_is_left = check.knows_aws_registries and verdict.status is Status.INCONCLUSIVE
        if of_aws and _is_of_repository(check) and verdict.status is not Status.FAILED and not says_what_is_left:
            reason = Reason(f"registry {pull.registry_account} belongs to AWS, and cannot be read", NAMES_OF_AWS)
            unchecked.append(_undecided(check, reason, pull))
        elif verdict.status is Status.INCONCLUSIVE:
            needed = _fits(check, pull, puller) and not explained
            (inconclusive if needed else unchecked).append(_undecided(check, verdict.reason, pull))
    of_role = verdicts.get(role_lacks_pull_permissions.CHECK)
    may_pull = of_role is not None and of_role.status is Status.PASSED
    is_open = not (failed or inconclusive or is_question or read_words(pull).answer is not None)
    if may_pull and is_open and (left := left_open(pull)):
        inconclusive.append(_undecided(pull_failing_unexplained.CHECK, left, pull))
    passed = tuple(
        check.id
        for check, verdict in verdicts.items()
        if verdict.status is Status.PASSED and not (of_aws and _is_of_repository(check))
    )
    why = [
        each.reason for check, each in verdicts.items() if each.status is Status.PASSED and _fits(check, pull, puller)
    ]
    note = " ".join(filter(None, dict.fromkeys(why))) or _describe_change(pull, passed, unchecked)
    if not note and may_pull and is_open and not of_aws and is_of_node(pull):
        note = _ALLOWED_NOW
    return Diagnosis(
        pull=pull,
        puller=puller,
        findings=tuple(_finding(pull, puller, check, verdict) for check, verdict in failed.items()),
        inconclusive=tuple(inconclusive),
        unchecked=tuple(unchecked),
        passed=passed,
        examined=_examined(verdicts, left={each.cause for each in (*inconclusive, *unchecked)}),
        note=note if puller.for_eks and not failed and not inconclusive else "",
    )


def _examined(verdicts: Mapping[Check, Verdict], *, left: Collection[str]) -> tuple[Examined, ...]:
    """Return what the checks said, but for the causes that are left undecided."""
    return tuple(
        Examined(check.id, each.status, tuple(filter(None, (*each.evidence, each.reason))), each.policies)
        for check, each in verdicts.items()
        if check.id not in left
    )


def _undecided(check: Check, reason: str, pull: PullFailure) -> Undecided:
    return Undecided(check.id, reason, next_step(check, reason, pull))


def _decides(check: Check, puller: Puller) -> bool:
    """Return whether a cause is decided about this principal. For ECR's own role that is only why it cannot fetch."""
    return check.for_nodes is puller.for_eks and (check.for_cache_role or puller.cache_role is None)


def _fits(check: Check, pull: PullFailure, puller: Puller) -> bool:
    if (answer := read_words(pull).answer) is not None:
        return check.explains_answer(answer, pull.symptom)
    return check.fits(pull) or (check.for_cache_role and puller.cache_role is not None)


def _explains(check: Check, pull: PullFailure, puller: Puller) -> bool:
    """Return whether this cause, once found, explains the failure, so that undecided causes are not needed.

    A cause that only stops the next pull explains nothing. Within one account ECR answers 404 for a missing repository
    to all who may pull. Whatever refused is still open.
    """
    if pull.denial is None and pull.symptom in check.also_at:
        return False
    is_own = pull.principal_account is not None and pull.principal_account == pull.registry_account
    is_missing = check is repository_not_found.CHECK and pull.symptom is Symptom.ACCESS_DENIED
    return _fits(check, pull, puller) and not (is_own and is_missing)


def _leave_unexplained(found: Diagnosis, *, of_aws: bool) -> Diagnosis:
    """Return the diagnosis with where to look next, where nothing explains a failure and nothing has changed since.

    AWS does not show everything that a pull depends on. A way that lets the pull through now may have been repaired:
    nothing was found then. Other failures contradict what was read, which makes the diagnosis inconclusive.
    """
    answer = read_words(found.pull).answer
    explaining = {check.id for check in CHECKS if answer and check.explains_answer(answer, found.pull.symptom)}
    is_explained = any(answer is None or finding.cause in explaining for finding in found.findings)
    is_decided = is_explained or found.inconclusive or found.note
    left = (
        ""
        if is_decided or found.puller.for_eks is False
        else what_is_left(found.pull, of_aws=of_aws, is_there=not _OF_IMAGE.isdisjoint(found.passed))
    )
    if found.pull.symptom in UNREACHED and answer is None:
        return replace(found, look_next=left)
    return (
        replace(found, inconclusive=(_undecided(pull_failing_unexplained.CHECK, left, found.pull),)) if left else found
    )


def _describe_change(pull: PullFailure, passed: Sequence[str], unchecked: Sequence[Undecided]) -> str:
    """Say what has changed since the pull failed. Empty where the error blamed nothing that can be read."""
    if pull.denial is not None:
        # Whether other actions are allowed is not evaluated.
        return _FIXED_SINCE if pull.denial.action in PULL_ACTIONS | CACHE_ACTIONS else ""
    if pull.stage in (Stage.LAYER, Stage.UNPACK):
        # The image was there all along: the registry gave out its manifest before.
        return ""
    all_read = bool(pull.tag or pull.digest) and bool(passed) and not unchecked
    return _THERE_NOW.get(pull.symptom, "") if all_read else ""


def _is_of_repository(check: Check) -> bool:
    """Return whether the check reads a repository. AWS's own repositories cannot be read, and that is no fault."""
    reads_registry = any(each.startswith("ecr:") for each in check.permissions)
    return check.resource_type == "AwsEcrRepository" and reads_registry


def _leave_open(puller: Puller, verdict: Verdict) -> Verdict:
    if verdict.status is Status.NOT_APPLICABLE:
        return verdict
    return Verdict.inconclusive(not_known_for_eks(puller.because))


def _leave_to(other: Reason, check: Check, verdict: Verdict) -> Verdict:
    """Leave a verdict on the role of the node open, where another principal was refused."""
    is_of_role = "iam:GetRole" in check.permissions and verdict.status is not Status.NOT_APPLICABLE
    return Verdict.inconclusive(other) if is_of_role else verdict


def _finding(pull: PullFailure, puller: Puller, check: Check, verdict: Verdict) -> Finding:
    if verdict.resource is None or verdict.remediation is None:
        raise ValueError(f"check {check.id} failed without a resource or a remediation")
    return Finding(
        id=finding_id(
            cause=check.id,
            account=verdict.resource.account,
            region=_region(verdict.resource, pull),
            resource=verdict.resource.id,
            role_account=pull.principal_account if check.by_role_account else None,
        ),
        cause=check.id,
        title=check.title,
        severity=check.severity_for(verdict.resource),
        account=verdict.resource.account,
        region=_region(verdict.resource, pull),
        resource=verdict.resource,
        explanation=verdict.explanation,
        evidence=verdict.evidence,
        remediation=verdict.remediation,
        pull=pull,
        related=_related_resources(pull, puller),
        cluster=puller.cluster,
        first_observed_at=pull.observed_at,
        last_observed_at=pull.observed_at,
    )


def _region(resource: Resource, pull: PullFailure) -> str:
    """Return the region of the broken resource. Nodes may be in another region than the registry. IAM has no region."""
    arn = Arn.parse(resource.id)
    return (arn.region if arn else "") or pull.region


def _related_resources(pull: PullFailure, puller: Puller) -> tuple[Resource, ...]:
    """Return the other resources of the pull: the node and its cluster."""
    account, instance = pull.principal_account, puller.instance
    if account is None:
        return ()
    related = []
    if instance is not None:
        related.append(Resource("AwsEc2Instance", instance.arn, account))
    if puller.cluster:
        # Without an instance, the cluster comes from its listings in the pull's region, or from its issuer's host.
        of_pod = puller.pod_role.region if puller.pod_role else None
        region = instance.region if instance else of_pod or pull.cluster_region or pull.region
        arn = f"arn:{pull.partition}:eks:{region}:{account}:cluster/{puller.cluster}"
        related.append(Resource("AwsEksCluster", arn, account))
    return tuple(related)
