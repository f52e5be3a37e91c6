"""A transit gateway on the way to the registry drops the traffic, or its answers.

What it checks: the attachment of the nodes' VPC (its state, and a subnet in the nodes' zone), the route table of the
gateway that the attachment is associated with, and the route that it has for the registry. Then the same on the way
back: the table of the other VPC's attachment, and its route to the nodes. A way over an inspection VPC meets the
gateway several times; gateways that are peered each have their own association and routes. Each gateway is read in the
account and region that it belongs to.

What it cannot see: what lies behind attachments of a VPN, of Direct Connect, of Transit Gateway Connect and of Cloud
WAN. A gateway of an account that cannot be read leaves this cause undecided.

Why that stops a pull: a transit gateway routes each packet by the table of the attachment that it comes from. Without a
route there, or with a blackhole, the packet is dropped, and kubelet says `i/o timeout`.

How to fix it: add the route, propagate the attachment to the table, or associate the attachment with the right table.
Over an inspection VPC or a peering, only a static route leads to the addresses of the VPC behind it.

References: AWS Transit Gateway guide, "How AWS Transit Gateway works", "Amazon VPC attachments in AWS Transit Gateway",
"Peering attachments" and "Transit gateway route tables".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.gateway_fix import let_gateway_carry
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.TRANSIT_GATEWAY_BLOCKS, pull, facts, let_gateway_carry)


CHECK = Check(
    id="transit_gateway_blocks_traffic",
    title="A transit gateway drops the traffic to the registry",
    short="A transit gateway drops it",
    again="The transit gateway carries the traffic to the registry again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 25),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 25),
        Explains(Symptom.NOT_AUTHENTICATED, 75),
        Explains(Symptom.UNKNOWN, 75, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
