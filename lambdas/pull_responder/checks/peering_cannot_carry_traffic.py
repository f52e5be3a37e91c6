"""The route to the registry leads over a VPC peering connection that does not carry the traffic.

What it checks: the peering connection to which the route of the nodes' subnet leads. It must be active, and the traffic
must be for addresses of the VPC on its other side.

What it cannot see: what lies behind the peering connection, where the account of the other VPC cannot be read. That
leaves what lies there undecided.

Why that stops a pull: a peering connection ends in the VPC on its other side. It does not lead on to that VPC's
internet gateway, NAT gateway or gateway endpoints, so a default route over it drops all that is for the internet.
kubelet says `i/o timeout`.

How to fix it: route to a NAT gateway of the nodes' own VPC, or to a transit gateway. Interface endpoints in the other
VPC can be reached over the peering connection, if their names resolve to their private addresses.

References: Amazon VPC Peering Guide, "VPC peering limitations" and "Unsupported VPC peering configurations".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.gateway_fix import lead_elsewhere
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.PEERING_CANNOT_CARRY, pull, facts, lead_elsewhere)


CHECK = Check(
    id="peering_cannot_carry_traffic",
    title="The route to the registry leads over a peering connection that does not carry the traffic",
    short="A peering cannot carry it",
    again="The route to the registry leads over nothing that stops the traffic any more",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 26),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 26),
        Explains(Symptom.NOT_AUTHENTICATED, 76),
        Explains(Symptom.UNKNOWN, 76, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
