"""What a refusal on a node leaves open: the pod may have shown other credentials than those of its node's role.

Sources: Kubernetes documentation, "Pull an Image from a Private Registry" (imagePullSecrets of a pod, or of its service
account); Kubernetes enhancement 4412 (roles by the tokens of service accounts). AWS shows neither.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pull_responder.events.denial import parse_denial
from pull_responder.events.principal import read_principal
from pull_responder.model.pull import Symptom
from pull_responder.model.reason import Reason
from pull_responder.pulls.pod_role import ANNOTATION

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure

# What kubelet's provider calls for a pod with a role of its own, and for no node (kubernetes/cloud-provider-aws).
_OF_POD: Final = "AssumeRoleWithWebIdentity"
# The most characters of a step.
_LONGEST: Final = 300


def where_to_look(pull: PullFailure) -> str:
    """Return the step where a pod may have shown other credentials than its node's: what the cluster has of them."""
    where = f" -n {shlex.quote(pull.namespace)}" if pull.namespace else ""
    pod = f" {shlex.quote(pull.pod)}" if pull.pod and pull.namespace else ""
    both = (
        f"Look at the annotation {ANNOTATION} of the pod's service account (kubectl get serviceaccounts{where} -o "
        f"yaml) and at imagePullSecrets of both (kubectl get pod{where}{pod} -o yaml)."
    )
    if len(both) <= _LONGEST:
        return both
    return (
        f"Look at the annotation {ANNOTATION} and the imagePullSecrets of the pod and of its service account: "
        f"`kubectl get pods,serviceaccounts{where} -o yaml`."
    )


def of_another(pull: PullFailure) -> Reason | None:
    """Return that AWS's words, as kubelet quotes them, are about another principal than the node's role. Else None.

    Whoever they name was refused, so nothing that the role of the node may or may not do explains the failure.
    """
    if pull.symptom is Symptom.NOT_AUTHENTICATED and _OF_POD in (pull.message or ""):
        return _of_pods_role(pull)
    denial, own = pull.denial, pull.principal
    if denial is None or not denial.quoted or own is None:
        return None
    written = parse_denial(denial.message, action=denial.action)[0]
    named = read_principal(written, None, partition=own.partition)
    if (
        named is None
        or named.name is None
        or (named.kind, named.account, named.name) == (own.kind, own.account, own.name)
    ):
        return None
    look = where_to_look(pull)
    return Reason(
        f"kubelet quotes a refusal of {written}, and the role of its node is {own.name} of account {own.account}: the "
        f"pod pulls with credentials of its own: {look[0].lower()}{look[1:-1]}",
        look,
    )


def _of_pods_role(pull: PullFailure) -> Reason:
    """Return that AWS STS gave no credentials of the pod's own role. Its words do not name the role."""
    where = f" -n {shlex.quote(pull.namespace)}" if pull.namespace else ""
    look = (
        f"Look whether the role in the annotation {ANNOTATION} of the pod's service account (kubectl get "
        f"serviceaccounts{where} -o yaml) trusts the cluster's OIDC provider, audience and subject."
    )
    return Reason(
        f"kubelet asked AWS STS for a role of the pod's own ({_OF_POD}) and got none: {look[0].lower()}{look[1:-1]}",
        look,
    )


def is_of_node(pull: PullFailure) -> bool:
    """Return whether the registry refused the role of the node, as the cluster says that the pod has nothing else.

    kubelet tries again after 5 minutes at most (Kubernetes documentation, "Images", "ImagePullBackOff").
    """
    is_refused = pull.symptom is Symptom.ACCESS_DENIED and pull.denial is None and not pull.from_ecr_public
    return is_refused and pull.has_own_credentials is False


def left_open(pull: PullFailure) -> Reason | None:
    """Return what a 403 of the registry leaves open where the node's role may pull. None where it leaves nothing open.

    CloudTrail names the role that AWS refused. Only kubelet's words do not say whose credentials were refused.
    """
    is_refused = pull.symptom is Symptom.ACCESS_DENIED and pull.denial is None and not pull.from_ecr_public
    if not is_refused or is_of_node(pull):
        return None
    look = where_to_look(pull)
    return Reason(
        "the role of its node may pull, as far as it can be read: this has been fixed since, or the pod pulls with a "
        f"role or a secret of its own: {look[0].lower()}{look[1:-1]}",
        look,
    )
