"""The node has no public address, and its subnet routes to an internet gateway.

What it checks: where the route to the registry is an internet gateway, whether the node has a public IPv4 address. For
a node that is not started yet, the launch template or the subnet must assign one.

What it cannot see: the addresses that a node had when the pull failed, if it is gone or was given another address
since.

Why that stops a pull: an internet gateway translates public addresses only, so no answer reaches a private one. kubelet
says `i/o timeout`.

How to fix it: let the subnet assign public addresses and replace its nodes, or move the nodes to a private subnet that
routes to a NAT gateway.

References: Amazon VPC User Guide, "Enable internet access for a VPC using an internet gateway"; Amazon EKS User Guide,
"Amazon EKS networking requirements for VPC and subnets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.remediation import docs
from pull_responder.remediation.ec2 import assign_public_addresses

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.PUBLIC_IP_MISSING, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    where = path.where(fault.resource_id)
    template = path.nodes.template
    if path.nodes.fargate or isinstance(template, Unread) or (template and template.public_address is False):
        return where.remedy(
            f"Move the nodes from {fault.resource_id} to private subnets that route to a NAT gateway.",
            docs.VPC_INTERNET_GATEWAYS,
        )
    return assign_public_addresses(where, subnet_id=fault.resource_id)


CHECK = Check(
    id="public_ip_missing",
    title="The node has no public address, and its route is an internet gateway",
    short="Node has no public address",
    again="The way through the internet gateway can be used again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Subnet",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 40),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 40),
        Explains(Symptom.NOT_AUTHENTICATED, 90),
        Explains(Symptom.UNKNOWN, 90, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
