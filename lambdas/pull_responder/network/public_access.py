"""VPC Block Public Access: an account's setting, by region, that stops traffic to and from internet gateways.

Source: Amazon VPC User Guide, "VPC BPA basics" and "Advanced example": the mode block-bidirectional stops internet
gateways, egress-only internet gateways and NAT gateways; block-ingress stops what internet gateways carry for
instances in both directions, and lets NAT gateways and egress-only internet gateways work.

The mode that EC2 shows for a subnet leaves the way undecided, and is no fault: no page says whether that value takes
account of exclusions (docs/adr/0127-vpc-block-public-access.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.quoting import quote
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import read

if TYPE_CHECKING:
    from pull_responder.network.model import Network

_OFF: Final = "off"
_INGRESS: Final = "block-ingress"


def public_access_doubt(subnet_id: str, network: Network, *, outbound_only: bool) -> str:
    """Return why traffic of a subnet may not pass the VPC's internet gateway; empty if nothing speaks against it.

    `outbound_only` says whether it takes a NAT gateway or an egress-only internet gateway, which only let connections
    out.
    """
    subnet = read(network.subnets, subnet_id, subnet_id)
    if isinstance(subnet, Unread):
        return subnet.reason
    mode = subnet.public_access
    if mode == _OFF or (mode == _INGRESS and outbound_only):
        return ""
    return Reason(
        f"VPC Block Public Access is in mode {quote(mode)} for {subnet_id}, which stops this traffic at the internet"
        " gateway unless an exclusion lets it pass",
        f"Run `aws ec2 describe-vpc-block-public-access-exclusions --region {network.region}` in the account that owns"
        f" the VPC, and see whether an exclusion covers {subnet_id} or its VPC.",
    )
