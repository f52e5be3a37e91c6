"""What joins a VPC to other VPCs, as EC2 shows it: peering connections, transit gateways, and the VPCs behind them.

What lies behind a VPC is read step by step: a trace names what it lacks (`Wanted`), and is made again once that was
read. What is not among the `Surroundings` of the node's VPC was not asked for yet, what could not be read is Unread.

Sources: VPC Peering Guide, "VPC peering connection lifecycle"; AWS Transit Gateway guide, "How AWS Transit Gateway
works" and "Amazon VPC attachments in AWS Transit Gateway"; Amazon EC2 API Reference, TransitGatewayAttachment and
TransitGatewayRoute.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.model.unread import Unread

VPC_ATTACHMENT: Final = "vpc"
PEERING_ATTACHMENT: Final = "peering"
# The target of a gateway's route to more than one attachment.
SEVERAL: Final = "several attachments"
# An attachment that is modified carries traffic (AWS Transit Gateway guide, "VPC attachment lifecycle").
_ATTACHED: Final = {"available", "modifying"}
_DETACHED: Final = {"deleted", "rejected"}
# States in which an attachment or a peering connection carries nothing until somebody acts (Amazon EC2 API Reference,
# TransitGatewayAttachment and VpcPeeringConnectionStateReason). The others pass by themselves, or are not known here.
STOPPED: Final = {
    "deleted",
    "deleting",
    "expired",
    "failed",
    "failing",
    "pending-acceptance",
    "pendingAcceptance",
    "rejected",
    "rejecting",
}


@dataclass(frozen=True, slots=True)
class PeeringSide:
    """One VPC of a peering connection, with its account, its region and its CIDR blocks. Empty where not shown."""

    vpc_id: str
    account: str = ""
    region: str = ""
    cidrs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peering:
    """A VPC peering connection. `state` is the code of its status, such as active."""

    id: str
    state: str
    sides: tuple[PeeringSide, PeeringSide]

    def other_side(self, vpc_id: str) -> PeeringSide | None:
        """Return the side that is not `vpc_id`; None if `vpc_id` is neither."""
        first, second = self.sides
        if vpc_id == first.vpc_id:
            return second
        return first if vpc_id == second.vpc_id else None


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment of a transit gateway.

    - `gateway_owner`: the account that owns the gateway.
    - `kind`: the type of what is attached: vpc, peering, vpn, connect, direct-connect-gateway and others.
    - `resource_id`, `owner`: what is attached, such as a VPC, and its account. Of a peering attachment, the other
      gateway, or the core network of Cloud WAN that it belongs to.
    - `table_id`: the route table of the gateway that the attachment is associated with; empty if none is shown.
    - `association`: the state of that association; empty if none is shown.
    - `subnet_ids`: the subnets of a VPC in which the gateway has network interfaces.
    - `appliance_mode`: whether a flow keeps to one Availability Zone of the VPC in both directions.
    - `ipv6`: whether a VPC's attachment takes IPv6 (its option Ipv6Support). None if that is not known.
    - `peer_region`: the region of the other gateway of a peering attachment.
    """

    id: str
    gateway_id: str
    gateway_owner: str = ""
    kind: str = VPC_ATTACHMENT
    resource_id: str = ""
    owner: str = ""
    state: str = "available"
    table_id: str = ""
    association: str = ""
    subnet_ids: tuple[str, ...] | Unread = ()
    appliance_mode: bool = False
    ipv6: bool | None = None
    peer_region: str | Unread = ""

    @property
    def carries(self) -> bool:
        """Whether its state lets it carry traffic."""
        return self.state in _ATTACHED

    @property
    def is_gone(self) -> bool:
        """Whether it is listed only because it was there a while ago."""
        return self.state in _DETACHED


@dataclass(frozen=True, slots=True)
class TransitGateway:
    """A transit gateway, as its owner sees it. `attachments` has those of all accounts, by id."""

    id: str
    owner: str
    region: str
    attachments: Mapping[str, Attachment]


class WantedKind(StrEnum):
    """What a trace may lack."""

    GATEWAY = "transit gateway"
    TABLE = "transit gateway route table"
    VPC = "VPC"
    ATTACHMENTS = "attachments of a VPC"
    ENDPOINT = "VPC endpoint"
    RESOLVER = "Resolver endpoint"
    NAMES = "VPC with its DNS"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that a trace needs and that was not asked for yet, with the account and region to ask."""

    kind: WantedKind
    id: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Owned:
    """Where a part of another network belongs: its account and region, and its VPC, if it is part of one."""

    account: str
    region: str
    vpc_id: str = ""
