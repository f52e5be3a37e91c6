"""What a refusal on a node leaves open: the pod may have shown other credentials than those of its node's role.

Sources: Kubernetes documentation, "Pull an Image from a Private Registry" (imagePullSecrets of a pod, or of its service
account); Kubernetes enhancement 4412 (roles by the tokens of service accounts). AWS shows neither.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import Symptom
from pull_responder.model.reason import Reason
from pull_responder.pulls.kubelet_words import refused_by_storage
from pull_responder.pulls.pod_role import ANNOTATION

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure

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


def left_open(pull: PullFailure) -> Reason | None:
    """Return what a 403 of the registry leaves open where the node's role may pull. None where it leaves nothing open.

    CloudTrail names the role that AWS refused. Only kubelet's words do not say whose credentials were refused.
    """
    if pull.symptom is not Symptom.ACCESS_DENIED or pull.denial is not None or pull.from_ecr_public:
        return None
    if refused_by_storage(pull):
        return None  # the storage asks for no credentials
    look = where_to_look(pull)
    return Reason(
        "the role of its node may pull, as far as it can be read: this has been fixed since, or the pod pulls with a "
        f"role or a secret of its own: {look[0].lower()}{look[1:-1]}",
        look,
    )
