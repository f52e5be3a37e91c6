"""A network ACL on the path stops the request or its answer.

What it checks: the ordered entries of the network ACL of each subnet on the path: the node's, the NAT gateway's, and
that of the endpoint's interfaces. They must allow TCP 443 out, and the answers in on ephemeral ports. A gap of less
than one percent of these ports is no fault, because a retry uses another port.

What it cannot see: network ACLs behind a VPN or a firewall, or in a VPC whose account cannot be read. Where the pages
of AWS differ about a subnet that also holds a transit gateway's interface, the cause is undecided.

Why that stops a pull: network ACLs are stateless, so an answer needs an entry of its own. The first entry that matches
decides. kubelet says `i/o timeout`.

How to fix it: add an entry that allows the traffic, ahead of the one that denies it.

References: Amazon VPC User Guide, "Control traffic to subnets using network ACLs", "Ephemeral ports".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.pulls.path_fix import let_through_acl

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.NETWORK_ACL_BLOCKS_TRAFFIC, pull, facts, let_through_acl)


CHECK = Check(
    id="network_acl_blocks_traffic",
    title="A network ACL stops the traffic to the registry",
    short="Network ACL stops the traffic",
    again="The network ACL lets the traffic to the registry through again",
    severity=Severity.HIGH,
    resource_type="AwsEc2NetworkAcl",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 50),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 50),
        Explains(Symptom.NOT_AUTHENTICATED, 100),
        Explains(Symptom.UNKNOWN, 100, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
