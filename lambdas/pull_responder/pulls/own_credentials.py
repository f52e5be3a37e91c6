"""What a refusal on a node leaves open: the pod may have shown other credentials than those of its node's role.

Sources: Kubernetes documentation, "Pull an Image from a Private Registry" (imagePullSecrets of a pod, or of its service
account); Kubernetes enhancement 4412 (roles by the tokens of service accounts). AWS shows neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.pull import Symptom
from pull_responder.pulls.kubelet_words import refused_by_storage
from pull_responder.pulls.pod_role import ANNOTATION

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure


def left_open(pull: PullFailure) -> str | None:
    """Return what a 403 of the registry leaves open where the node's role may pull. None where it leaves nothing open.

    CloudTrail names the role that AWS refused. Only kubelet's words do not say whose credentials were refused.
    """
    if pull.symptom is not Symptom.ACCESS_DENIED or pull.denial is not None or pull.from_ecr_public:
        return None
    if refused_by_storage(pull):
        return None  # the storage asks for no credentials
    where = f" -n {pull.namespace}" if pull.namespace else ""
    pod = f" {pull.pod}" if pull.pod else ""
    return (
        "the role of its node may pull, as far as it can be read: this has been fixed since, or the pod pulls with a "
        f"role or a secret of its own. Look at the annotation {ANNOTATION} of its service account (kubectl get "
        f"serviceaccounts{where} -o yaml) and at imagePullSecrets of both (kubectl get pod{where}{pod} -o yaml)"
    )
