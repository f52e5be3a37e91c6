"""The images of EKS add-ons, and the pull of one by given nodes.

Sources: Amazon EKS User Guide, "View Amazon container image registries for Amazon EKS add-ons" and "AWS add-ons"; the
manifests of the add-ons. One image stands for all of an add-on: they are in one registry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.events.eks_registries import DNS_REPOSITORY, NODE_REPOSITORY, registry_of
from pull_responder.facts.compute import Cluster, FargateProfile
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts

_NAMESPACE: Final = "kube-system"


@dataclass(frozen=True, slots=True)
class AddonImage:
    """An image of an add-on. `on_fargate` says whether a pod of it can run there: Fargate runs no DaemonSets."""

    repository: str
    on_fargate: bool = False


IMAGES: Final = {
    "aws-ebs-csi-driver": AddonImage("eks/aws-ebs-csi-driver", on_fargate=True),
    "aws-efs-csi-driver": AddonImage("eks/aws-efs-csi-driver", on_fargate=True),
    "coredns": AddonImage(DNS_REPOSITORY, on_fargate=True),
    "eks-pod-identity-agent": AddonImage("eks/eks-pod-identity-agent"),
    "kube-proxy": AddonImage(NODE_REPOSITORY),
    "vpc-cni": AddonImage("amazon-k8s-cni"),
}
"""Add-ons whose repository is known."""

IN_EVERY_CLUSTER: Final = frozenset({"coredns", "kube-proxy", "vpc-cni"})
"""EKS installs these in new clusters, as self-managed add-ons where it is not asked to manage them."""


def addon_pull(  # noqa: PLR0911 -- each return is another reason
    name: str, pull: PullFailure, nodes: Nodes, facts: PullFacts
) -> PullFailure | Unread | None:
    """Return the pull of an add-on's image by `nodes`; None if no pod of it runs there, or its registry is not known.

    Unread if it could not be read whether a pod of it runs there.

    Of an add-on whose repository is not known only the registry is named. Inference: it runs in kube-system if it runs
    on Fargate. Nodes of EKS Auto Mode bring what they need along, and are not told apart from other nodes of no node
    group: of a cluster that has it on, such nodes are not asked about. Nor is a role that no node has.
    """
    registry, image = registry_of(nodes.region), IMAGES.get(name)
    if registry is None or nodes.is_role_alone:
        return None
    if nodes.fargate:
        if image and not image.on_fargate:
            return None
        profile = facts.fargate_profile(nodes.account, nodes.region, nodes.cluster or "", nodes.fargate_profile or "")
        if isinstance(profile, Unread):
            return profile
        if not isinstance(profile, FargateProfile) or not profile.may_select(_NAMESPACE):
            return None
    elif not nodes.node_group:
        cluster = facts.cluster(nodes.account, nodes.region, nodes.cluster or "")
        if isinstance(cluster, Unread):
            return cluster
        if not isinstance(cluster, Cluster) or cluster.auto_mode_role:
            return None
    return replace(pull, registry_account=registry, repository=image.repository if image else None)
