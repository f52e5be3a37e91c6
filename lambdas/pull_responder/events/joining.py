"""One failure in several signals: the reason from CloudTrail, the pod from the cluster, each completed by the other.

CloudTrail has the denial in AWS's own words and knows no pod; the audit log and Kubernetes events have the pod, and no
more than "403"; ECR's own event says what its upstream registry refused, and a node no more than "not found". What a
forwarder sends can be forged, so nothing that decides is taken from a signal without principal:
its pod, namespace, message and tag are, which only people read. The host is not: the way to it is examined.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import PullFailure, Stage, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What a node can see of a pull that AWS denied: kubelet takes a token that it could not get for none.
_OF_A_DENIAL: Final = frozenset({Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.UNKNOWN})
# And of one that ECR could not serve, because its upstream registry did not serve it.
_OF_AN_UPSTREAM: Final = frozenset({Symptom.NOT_FOUND, Symptom.ACCESS_DENIED, Symptom.UNKNOWN})


def joined(pulls: Sequence[PullFailure]) -> list[PullFailure]:
    """Return the same failures in the same order, each with what the others of the same failure add to it."""
    pulls = _with_upstream(_explained(pulls))
    denials: defaultdict[object, list[PullFailure]] = defaultdict(list)
    reports: defaultdict[object, list[PullFailure]] = defaultdict(list)
    for pull in pulls:
        for key in _keys(pull):
            (denials if pull.denial else reports)[key].append(pull)
    return [
        _with_pod(pull, _around(pull, reports)) if pull.denial else _with_denial(pull, _around(pull, denials))
        for pull in pulls
    ]


def _keys(pull: PullFailure) -> list[object]:
    """What another signal of the same failure shares: the repository, or for a denied token the role."""
    if pull.repository:
        keys: list[object] = [_repository(pull)]
        return [*keys, _role(pull)] if pull.denial is None and pull.principal else keys
    return [_role(pull)] if pull.principal else []


def _role(pull: PullFailure) -> object:
    principal = pull.principal
    return principal and (principal.account, principal.name)


def _around(pull: PullFailure, by_key: dict[object, list[PullFailure]]) -> list[PullFailure]:
    found = [each for key in _keys(pull) for each in by_key.get(key, [])]
    return [each for each in found if _same(pull, each)]


def _same(one: PullFailure, other: PullFailure) -> bool:
    denial, report = (one, other) if one.denial else (other, one)
    if report.symptom not in _OF_A_DENIAL:
        return False
    if denial.stage is not Stage.TOKEN and report.symptom is Symptom.NOT_AUTHENTICATED:
        return False
    return report.principal is None or _role(denial) == _role(report)


def _explained(pulls: Sequence[PullFailure]) -> list[PullFailure]:
    """Give a back-off the reason of the attempt that it follows, on the same node."""
    reasons = {(each.image, each.node): each for each in pulls if each.pod and not each.denial and _says(each)}
    explained = []
    for pull in pulls:
        reason = reasons.get((pull.image, pull.node)) if pull.pod and not pull.denial and not _says(pull) else None
        if reason:
            pull = replace(pull, symptom=reason.symptom, stage=reason.stage, message=reason.message)  # noqa: PLW2901 -- the same pull, told better
        explained.append(pull)
    return explained


def _with_upstream(pulls: Sequence[PullFailure]) -> list[PullFailure]:
    """Give reports what ECR said of the upstream registry, and ECR's event the pod."""
    said = {_repository(each): each for each in pulls if each.upstream_failure}
    told: dict[object, list[PullFailure]] = defaultdict(list)
    joined_ones = []
    for pull in pulls:
        of_ecr = said.get(_repository(pull))
        if of_ecr and _is_of(pull, of_ecr):
            told[_repository(pull)].append(pull)
            pull = replace(pull, upstream_failure=of_ecr.upstream_failure)  # noqa: PLW2901 -- the same pull, told better
        joined_ones.append(pull)
    return [
        _with_pod(pull, told[_repository(pull)]) if said.get(_repository(pull)) is pull else pull
        for pull in joined_ones
    ]


def _is_of(report: PullFailure, of_ecr: PullFailure) -> bool:
    if report.denial or report.upstream_failure or report.symptom not in _OF_AN_UPSTREAM:
        return False
    return not (report.tag and of_ecr.tag and report.tag != of_ecr.tag)


def _repository(pull: PullFailure) -> object:
    return (pull.registry_account, pull.region, pull.repository)


def _says(pull: PullFailure) -> bool:
    return pull.symptom is not Symptom.UNKNOWN


def _with_pod(denied: PullFailure, reports: Iterable[PullFailure]) -> PullFailure:
    """Return the denial with the pod of the report that tells most."""
    report = max(reports, key=lambda each: (each.principal is not None, bool(each.pod), _says(each)), default=None)
    if report is None:
        return denied
    same_image = report.repository == denied.repository
    return replace(
        denied,
        tag=denied.tag or (report.tag if same_image and not denied.digest else None),
        digest=denied.digest or (report.digest if same_image else None),
        cluster=denied.cluster or (report.cluster if report.principal else None),
        namespace=denied.namespace or report.namespace,
        pod=denied.pod or report.pod,
        message=denied.message or report.message,
        registry_host=denied.registry_host or (report.registry_host if same_image and report.principal else None),
    )


def _with_denial(report: PullFailure, denials: Sequence[PullFailure]) -> PullFailure:
    """Return the report with AWS's words; as it is where those are of several roles, and any may be meant."""
    if not denials or len({_role(each) for each in denials}) > 1:
        return report
    denied = max(denials, key=lambda each: each.observed_at or "")
    if denied.repository:
        return _with_pod(denied, [report])
    # A denied token has no image, and the report that names its role has one.
    return replace(report, symptom=denied.symptom, stage=denied.stage, denial=denied.denial)
