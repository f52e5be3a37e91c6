"""Join the signals of one failure, so that each gets what another one knows.

- CloudTrail has AWS's denial, but no pod.
- The audit log and Kubernetes events have the pod, but only "403" as the reason.
- ECR's own event says what its upstream registry refused. A node only sees "not found".

A forwarder's events can be forged. So a signal without principal adds only what people read: pod, namespace, message
and tag. It does not add the host, because the host decides which network path is checked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import PullFailure, Stage, Symptom

if TYPE_CHECKING:
    from collections.abc import Sequence

# The symptoms that a node can report of a pull that AWS denied. Without a token, kubelet pulls unauthenticated.
_DENIAL_SYMPTOMS: Final = frozenset({Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.UNKNOWN})
# The symptoms that a node can report of a pull that the upstream registry did not serve to ECR.
_UPSTREAM_SYMPTOMS: Final = frozenset({Symptom.NOT_FOUND, Symptom.ACCESS_DENIED, Symptom.UNKNOWN})


def join(pulls: Sequence[PullFailure]) -> list[PullFailure]:
    """Return the failures in the same order, each completed from the other signals of the same failure."""
    pulls = _add_upstream(_add_reason(pulls))
    denials: defaultdict[object, list[PullFailure]] = defaultdict(list)
    reports: defaultdict[object, list[PullFailure]] = defaultdict(list)
    for pull in pulls:
        for key in _keys(pull):
            (denials if _is_by_aws(pull) else reports)[key].append(pull)
    return [
        _add_pod(pull, _matches(pull, reports)) if _is_by_aws(pull) else _add_denial(pull, _matches(pull, denials))
        for pull in pulls
    ]


def _is_by_aws(pull: PullFailure) -> bool:
    """Whether AWS itself says that the pull was denied. What a node quotes of AWS is a node's report."""
    return pull.denial is not None and not pull.denial.quoted


def _keys(pull: PullFailure) -> list[object]:
    """The keys that signals of the same failure share: the repository, or for a denied token the role."""
    if pull.repository:
        keys: list[object] = [_repository(pull)]
        return [*keys, _role(pull)] if not _is_by_aws(pull) and pull.principal else keys
    return [_role(pull)] if pull.principal else []


def _role(pull: PullFailure) -> object:
    principal = pull.principal
    return principal and (principal.account, principal.name)


def _matches(pull: PullFailure, by_key: dict[object, list[PullFailure]]) -> list[PullFailure]:
    """The signals in `by_key` that are of the same failure as `pull`."""
    found = [each for key in _keys(pull) for each in by_key.get(key, [])]
    return [each for each in found if _is_same_failure(pull, each)]


def _is_same_failure(one: PullFailure, other: PullFailure) -> bool:
    """Whether a denial and a node's report that share a key can be of the same failure, by symptom and role.

    A report that names no role is of its own account's: a node's role is in its cluster's account. Several accounts may
    pull from one repository.
    """
    denial, report = (one, other) if _is_by_aws(one) else (other, one)
    if report.symptom not in _DENIAL_SYMPTOMS:
        return False
    if denial.stage is not Stage.TOKEN and report.symptom is Symptom.NOT_AUTHENTICATED:
        return False
    if report.principal is None:
        return not (report.account and denial.principal and report.account != denial.principal.account)
    return _role(denial) == _role(report)


def _add_reason(pulls: Sequence[PullFailure]) -> list[PullFailure]:
    """Give each back-off the reason of the failed attempt before it, on the same node of the same cluster."""
    reasons = {_attempt(each): each for each in pulls if each.pod and not each.denial and _has_symptom(each)}
    completed = []
    for pull in pulls:
        is_back_off = pull.pod and not pull.denial and not _has_symptom(pull)
        reason = reasons.get(_attempt(pull)) if is_back_off else None
        if reason:
            pull = replace(pull, symptom=reason.symptom, stage=reason.stage, message=reason.message)  # noqa: PLW2901 -- the same pull, completed
        completed.append(pull)
    return completed


def _attempt(pull: PullFailure) -> object:
    """Return what tells the attempts of one node from those of another. Nodes of two clusters may have one name."""
    return (pull.account, pull.cluster_region, pull.cluster, pull.node, pull.image)


def _add_upstream(pulls: Sequence[PullFailure]) -> list[PullFailure]:
    """Give the nodes' reports the upstream failure from ECR's event, and give that event the pod."""
    by_repository = {_repository(each): each for each in pulls if each.upstream_failure}
    reports: dict[object, list[PullFailure]] = defaultdict(list)
    completed = []
    for pull in pulls:
        event = by_repository.get(_repository(pull))
        if event and _is_about_upstream(pull, event):
            reports[_repository(pull)].append(pull)
            pull = replace(pull, upstream_failure=event.upstream_failure)  # noqa: PLW2901 -- the same pull, completed
        completed.append(pull)
    return [
        _add_pod(pull, reports[_repository(pull)]) if by_repository.get(_repository(pull)) is pull else pull
        for pull in completed
    ]


def _is_about_upstream(report: PullFailure, event: PullFailure) -> bool:
    """Whether a node's report can be of the upstream failure in ECR's event, by symptom and tag."""
    if report.denial or report.upstream_failure or report.symptom not in _UPSTREAM_SYMPTOMS:
        return False
    return not (report.tag and event.tag and report.tag != event.tag)


def _repository(pull: PullFailure) -> object:
    return (pull.registry_account, pull.region, pull.repository)


def _has_symptom(pull: PullFailure) -> bool:
    return pull.symptom is not Symptom.UNKNOWN


def _add_pod(denied: PullFailure, reports: Sequence[PullFailure]) -> PullFailure:
    """Return the denial with the pod of the most detailed report."""
    report = max(
        reports, key=lambda each: (each.principal is not None, bool(each.pod), _has_symptom(each)), default=None
    )
    if report is None:
        return denied
    same_image = report.repository == denied.repository
    # A denial that names a node is of all pods there. Any other may be of a pod's own role, so of one namespace.
    namespaces = {each.namespace for each in reports if each.namespace}
    is_its_pod = denied.node is not None or len(namespaces) == 1
    return replace(
        denied,
        tag=denied.tag or (report.tag if same_image and not denied.digest else None),
        digest=denied.digest or (report.digest if same_image else None),
        cluster=denied.cluster or (report.cluster if report.principal else None),
        namespace=denied.namespace or (report.namespace if is_its_pod else None),
        pod=denied.pod or (report.pod if is_its_pod else None),
        message=denied.message or report.message,
        registry_host=denied.registry_host or (report.registry_host if same_image and report.principal else None),
    )


def _add_denial(report: PullFailure, denials: Sequence[PullFailure]) -> PullFailure:
    """Return the report with AWS's denial. It stays as it is if the denials are of several roles."""
    if not denials or len({_role(each) for each in denials}) > 1:
        return report
    denied = max(denials, key=lambda each: each.observed_at or "")
    if denied.repository:
        return _add_pod(denied, [report])
    # A denied token has no image, so the report stays and gets the denial.
    return replace(report, symptom=denied.symptom, stage=denied.stage, denial=denied.denial)
