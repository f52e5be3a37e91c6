"""The endpoint's security groups do not let the node in.

What it checks: whether an ingress rule of the interface endpoint's security groups allows TCP 443 from the node. The
rule can name the node's addresses or one of its security groups.

What it cannot see: the rules on an endpoint of a VPC whose account cannot be read, and firewalls between the node and
the endpoint. A rule that names a group of the node may let it in from another VPC: then the cause is undecided.

Why that stops a pull: a security group silently drops all traffic that no rule allows. kubelet says `i/o timeout`, or
`no basic auth credentials` where this is the `ecr.api` endpoint.

How to fix it: add an ingress rule for TCP 443 from the nodes' security group.

References: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)", considerations; Amazon VPC
User Guide, "Security group rules".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.pulls.path_fix import let_https_through

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.ENDPOINT_BLOCKS_INGRESS, pull, facts, let_https_through)


CHECK = Check(
    id="endpoint_security_group_blocks_ingress",
    title="The endpoint's security groups do not let the node in",
    short="Endpoint's groups block the node",
    again="The endpoint lets the node in again",
    severity=Severity.HIGH,
    resource_type="AwsEc2SecurityGroup",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 70),
        Explains(Symptom.NOT_AUTHENTICATED, 110),
        Explains(Symptom.UNKNOWN, 110, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.NAME_RESOLUTION_FAILED}),
    refused_by_ecr=False,
)
