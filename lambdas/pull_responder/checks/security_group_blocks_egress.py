"""The node's security groups do not let it out to the registry.

What it checks: whether the egress rules of all the node's groups together allow TCP 443 to the destination: an
endpoint's interfaces, S3's prefix list, or the public internet. A rule for a private range does not count for the
internet. ECR's public addresses are not known here, so a rule for a part of the internet leaves this undecided. A node
pulls images by its primary interface, and the groups of that interface count. The groups that a SecurityGroupPolicy
gives to a node's pods do not. For a Fargate pod the groups of the pod's own interface count. If kubelet dialled a
private address outside the VPC, the rules must allow this address.

What it cannot see: firewalls behind the node's network interface, and which public addresses ECR uses. For a Fargate
pod that is gone, its own security groups are not known.

Why that stops a pull: a security group silently drops all traffic that no rule allows. kubelet says `i/o timeout`.

How to fix it: add an egress rule for TCP 443.

References: Amazon VPC User Guide, "Security group rules"; Amazon EKS User Guide, "View Amazon EKS security group
requirements".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.pulls.path_fix import let_https_through

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.SECURITY_GROUP_BLOCKS_EGRESS, pull, facts, let_https_through)


CHECK = Check(
    id="security_group_blocks_egress",
    title="The node's security groups do not let it out to the registry",
    short="Security groups block egress",
    again="The node's security groups let it out to the registry again",
    severity=Severity.HIGH,
    resource_type="AwsEc2SecurityGroup",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 30),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 30),
        Explains(Symptom.NOT_AUTHENTICATED, 80),
        Explains(Symptom.UNKNOWN, 80, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
