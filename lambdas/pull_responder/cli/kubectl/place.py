"""Where the cluster is whose pods were read: its name, account and region, as far as something tells them.

Sources: Amazon EKS User Guide, "Create a kubeconfig file" (a context's name is the cluster's ARN); Service
Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic Kubernetes Service" (the ARN's
form); Amazon VPC User Guide, "DNS attributes for your VPC" (private DNS names: ec2.internal in us-east-1,
REGION.compute.internal elsewhere).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import kubernetes_names, names

if TYPE_CHECKING:
    from pull_responder.cli.kubectl.seen import Seen

_CLUSTER: Final = "cluster/"
_OF_NODE: Final = re.compile(r"(?:fargate-)?(?:ip|i)-[0-9a-f-]{7,40}\.(?:(ec2)|([a-z0-9-]{5,40})\.compute)\.internal")


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster's name, account and region. None where nothing tells it."""

    cluster: str | None = None
    account: str | None = None
    region: str | None = None

    def completed_by(self, other: Place) -> Place:
        """Return this cluster, with what another source tells where nothing was said."""
        if self.cluster not in (None, other.cluster):  # by another name than there, as an option may have it
            return Place(self.cluster, self.account, self.region or other.region)
        return Place(other.cluster, self.account or other.account, self.region or other.region)


def of_arn(text: str) -> Place | None:
    """Return the cluster of an ARN of Amazon EKS, None if the text is none."""
    arn = names.arn(text)
    if arn is None or arn.service != "eks" or not arn.resource.startswith(_CLUSTER):
        return None
    name = kubernetes_names.cluster(arn.resource.removeprefix(_CLUSTER))
    account, region = names.account(arn.account), names.region(arn.region)
    return Place(name, account, region) if name and account and region else None


def region_of_node(name: str | None) -> str | None:
    """Return the region that a node's name tells: that of its private DNS name. None for other names."""
    told = _OF_NODE.fullmatch(name or "")
    return told and ("us-east-1" if told[1] else names.region(told[2]))


def region_of(seen: Seen) -> str | None:
    """Return the region that nodes tell, by their Node objects or names. None where none does."""
    by_object = Counter(each.region for each in seen.nodes.values() if each.region)
    by_name = Counter(region for each in seen.pulls if (region := region_of_node(each.pull.node)))
    return next((counted.most_common(1)[0][0] for counted in (by_object, by_name) if counted), None)


def region_of_images(seen: Seen) -> str | None:
    """Return the region that most images are in, for where nothing tells the cluster's."""
    counted = Counter(each.pull.region for each in seen.pulls if not each.pull.from_ecr_public)
    return counted.most_common(1)[0][0] if counted else None
