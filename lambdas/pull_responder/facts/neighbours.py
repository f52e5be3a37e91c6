"""What joins VPCs, as EC2 returns it: peering connections, transit gateways with their attachments and route tables.

A transit gateway belongs to one account, which sees all attachments and route tables. The accounts that it is shared
with see their own attachments (AWS Transit Gateway guide, "Shared transit gateways").
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.answers import EndlessListingError, IncompleteAnswerError, may_omit_lists
from pull_responder.facts.paging import MAX_PAGES
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import Route, RouteTable
from pull_responder.network.neighbours import (
    PEERING_ATTACHMENT,
    SEVERAL,
    VPC_ATTACHMENT,
    Attachment,
    Peering,
    PeeringSide,
    TransitGateway,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        PeeringTgwInfoTypeDef,
        TransitGatewayAttachmentTypeDef,
        TransitGatewayPeeringAttachmentTypeDef,
        TransitGatewayRouteTypeDef,
        TransitGatewayVpcAttachmentTypeDef,
        VpcPeeringConnectionTypeDef,
        VpcPeeringConnectionVpcInfoTypeDef,
    )

    from pull_responder.facts.reader import Reader

    Subnets = Mapping[str, tuple[tuple[str, ...], bool, bool | None]]

PERMISSIONS: Final = (
    "ec2:DescribeTransitGatewayAttachments",
    "ec2:DescribeTransitGatewayPeeringAttachments",
    "ec2:DescribeTransitGatewayVpcAttachments",
    "ec2:DescribeVpcPeeringConnections",
    "ec2:SearchTransitGatewayRoutes",
)

# Both states that a route can have (Amazon EC2 API Reference, SearchTransitGatewayRoutes). The API wants a filter.
_ANY_ROUTE: Final[list[FilterTypeDef]] = [{"Name": "state", "Values": ["active", "blackhole"]}]
_PAGE: Final = 1000
_OPTIONS: Final = {"enable": True, "disable": False}


def read_peerings(reader: Reader, place: VpcPlace) -> Mapping[str, Peering] | Unread:
    """Return the peering connections of the account by id."""

    def convert(found: list[VpcPeeringConnectionTypeDef]) -> dict[str, Peering]:
        return {each["VpcPeeringConnectionId"]: _peering(each) for each in found if "VpcPeeringConnectionId" in each}

    return place.read(reader, "describe_vpc_peering_connections", "VpcPeeringConnections", convert)


def _peering(found: VpcPeeringConnectionTypeDef) -> Peering:
    sides = (_side(found.get("RequesterVpcInfo", {})), _side(found.get("AccepterVpcInfo", {})))
    return Peering(found["VpcPeeringConnectionId"], found.get("Status", {}).get("Code", ""), sides)


def _side(found: VpcPeeringConnectionVpcInfoTypeDef) -> PeeringSide:
    v4 = tuple(_block(each["CidrBlock"]) for each in found.get("CidrBlockSet", []) if each.get("CidrBlock"))
    v6 = tuple(_block(each["Ipv6CidrBlock"]) for each in found.get("Ipv6CidrBlockSet", []) if each.get("Ipv6CidrBlock"))
    first = found.get("CidrBlock")
    return PeeringSide(
        found.get("VpcId", ""),
        found.get("OwnerId", ""),
        found.get("Region", ""),
        tuple(dict.fromkeys((*((first,) if first else ()), *v4, *v6))),
    )


def _block(cidr: str) -> str:
    """Return a CIDR block. Raises ValueError for anything else."""
    ip_network(cidr, strict=False)
    return cidr


def read_attachments(reader: Reader, place: VpcPlace) -> tuple[Attachment, ...] | Unread:
    """Return the attachments of the VPC to transit gateways, as the VPC's account sees them."""
    return _attachments(
        reader,
        place,
        [{"Name": "resource-id", "Values": [place.vpc_id]}],
        [{"Name": "vpc-id", "Values": [place.vpc_id]}],
    )


def read_gateway(reader: Reader, account: str, region: str, gateway_id: str) -> TransitGateway | Unread:
    """Return a transit gateway with all its attachments, as its owner sees them."""
    place = VpcPlace(account, region, "")
    filters: list[dict[str, object]] = [{"Name": "transit-gateway-id", "Values": [gateway_id]}]
    reads: list[Callable[[], Any]] = [
        lambda: _attachments(reader, place, filters, filters),
        lambda: _peers(reader, place, gateway_id),
    ]
    found, peers = reader.each(lambda read: read(), reads)
    if isinstance(found, Unread):
        return found
    return TransitGateway(gateway_id, account, region, {each.id: _with_peer(each, peers) for each in found})


def _peers(reader: Reader, place: VpcPlace, gateway_id: str) -> Mapping[str, PeeringTgwInfoTypeDef] | Unread:
    """Return the other gateway of each peering attachment of a gateway, by the attachment's id."""

    def convert(found: list[TransitGatewayPeeringAttachmentTypeDef]) -> dict[str, PeeringTgwInfoTypeDef]:
        peers: dict[str, PeeringTgwInfoTypeDef] = {}
        for each in found:
            requester, accepter = each.get("RequesterTgwInfo", {}), each.get("AccepterTgwInfo", {})
            ids = (each.get("TransitGatewayAttachmentId"), each.get("AccepterTransitGatewayAttachmentId"))
            if requester.get("TransitGatewayId") == gateway_id and ids[0]:
                peers[ids[0]] = accepter
            elif accepter.get("TransitGatewayId") == gateway_id:
                peers |= {each_id: requester for each_id in ids if each_id}
        return peers

    return place.read(
        reader, "describe_transit_gateway_peering_attachments", "TransitGatewayPeeringAttachments", convert
    )


def _with_peer(attachment: Attachment, peers: Mapping[str, PeeringTgwInfoTypeDef] | Unread) -> Attachment:
    """Return an attachment, of a peering with the other gateway, or the core network of Cloud WAN that has it."""
    if attachment.kind != PEERING_ATTACHMENT:
        return attachment
    if isinstance(peers, Unread):
        return replace(attachment, peer_region=peers)
    peer = peers.get(attachment.id, {})
    other = peer.get("CoreNetworkId") or peer.get("TransitGatewayId")
    if not other:
        words = f"EC2 does not show the other transit gateway of {attachment.id}"
        return replace(attachment, peer_region=Unread(Reason(words, AGAIN)))
    return replace(
        attachment,
        resource_id=other,
        owner=peer.get("OwnerId") or attachment.owner,
        peer_region=peer.get("Region", ""),
    )


def _attachments(
    reader: Reader, place: VpcPlace, of_any: list[dict[str, object]], of_vpcs: list[dict[str, object]]
) -> tuple[Attachment, ...] | Unread:
    """Return attachments, those of VPCs with their subnets. Two operations show them."""

    def all_of_them(found: list[TransitGatewayAttachmentTypeDef]) -> tuple[Attachment, ...]:
        ours = place.account or ""
        return tuple(_attachment(each, ours) for each in found if "TransitGatewayAttachmentId" in each)

    def subnets(found: list[TransitGatewayVpcAttachmentTypeDef]) -> Subnets:
        return {
            each["TransitGatewayAttachmentId"]: (
                tuple(each.get("SubnetIds", [])),
                each.get("Options", {}).get("ApplianceModeSupport") == "enable",
                _OPTIONS.get(each.get("Options", {}).get("Ipv6Support", "")),
            )
            for each in found
            if "TransitGatewayAttachmentId" in each
        }

    reads: list[Callable[[], Any]] = [
        lambda: place.read(
            reader,
            "describe_transit_gateway_attachments",
            "TransitGatewayAttachments",
            all_of_them,
            Filters=of_any,
        ),
        lambda: place.read(
            reader,
            "describe_transit_gateway_vpc_attachments",
            "TransitGatewayVpcAttachments",
            subnets,
            Filters=of_vpcs,
        ),
    ]
    listed, known = reader.each(lambda read: read(), reads)
    if isinstance(listed, Unread):
        return listed
    return tuple(_with_subnets(each, known) for each in listed)


def _attachment(found: TransitGatewayAttachmentTypeDef, account: str) -> Attachment:
    """Return an attachment. Where it does not name the owner of what is attached, that is the `account` asked.

    Raises KeyError without the gateway's owner: elsewhere, its attachments and tables would seem to be none.
    """
    association = found.get("Association", {})
    return Attachment(
        id=found["TransitGatewayAttachmentId"],
        gateway_id=found.get("TransitGatewayId", ""),
        gateway_owner=found["TransitGatewayOwnerId"],
        kind=found.get("ResourceType", ""),
        resource_id=found.get("ResourceId", ""),
        owner=found.get("ResourceOwnerId") or account,
        state=found.get("State", ""),
        table_id=association.get("TransitGatewayRouteTableId", ""),
        association=association.get("State", ""),
    )


def _with_subnets(attachment: Attachment, known: Subnets | Unread) -> Attachment:
    if attachment.kind != VPC_ATTACHMENT:
        return attachment
    if isinstance(known, Unread):
        return replace(attachment, subnet_ids=known)
    if attachment.id not in known:
        return replace(
            attachment, subnet_ids=Unread(Reason(f"EC2 does not show the subnets of {attachment.id}", AGAIN))
        )
    subnets, appliance_mode, ipv6 = known[attachment.id]
    return replace(attachment, subnet_ids=subnets, appliance_mode=appliance_mode, ipv6=ipv6)


def read_gateway_table(reader: Reader, account: str, region: str, table_id: str) -> RouteTable | Unread:
    """Return a route table of a transit gateway. The targets of its routes are attachments.

    Unread if EC2 says that there are more routes than it lists.
    """

    def request(client: EC2Client) -> RouteTable | Unread:
        found: list[TransitGatewayRouteTypeDef] = []
        token: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            page: Mapping[str, Any] = client.search_transit_gateway_routes(
                TransitGatewayRouteTableId=table_id, Filters=_ANY_ROUTE, MaxResults=_PAGE, **token
            )
            if "Routes" not in page and not may_omit_lists(client.meta.service_model, page):
                raise IncompleteAnswerError(missing="Routes")
            found += page.get("Routes", [])
            if not page.get("NextToken"):
                return _more_routes(table_id) if page.get("AdditionalRoutesAvailable") else _table(table_id, found)
            token = {"NextToken": page["NextToken"]}
        raise EndlessListingError(pages=MAX_PAGES)

    action = "ec2:SearchTransitGatewayRoutes"
    answer = reader.call(action, account=account, region=region, request=request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if answer is None else answer


def _more_routes(table_id: str) -> Unread:
    step = f"Look up the registry's addresses among the routes of {table_id} in the VPC console."
    return Unread(Reason(f"EC2 lists only a part of the routes of {table_id}", step))


def _table(table_id: str, found: list[TransitGatewayRouteTypeDef]) -> RouteTable:
    """Return a table. A route of a prefix list whose block is not shown keeps the list's id, so that it is not lost."""
    routes = (
        Route(destination, _target(each), active=each.get("State") != "blackhole")
        for each in found
        if (destination := _block(each["DestinationCidrBlock"]) if each.get("DestinationCidrBlock") else _listed(each))
    )
    return RouteTable(table_id, tuple(routes))


def _listed(found: TransitGatewayRouteTypeDef) -> str:
    return found.get("PrefixListId", "")


def _target(found: TransitGatewayRouteTypeDef) -> str:
    """Return the attachment of a route. A route to several is none that can be followed."""
    attachments = [each.get("TransitGatewayAttachmentId", "") for each in found.get("TransitGatewayAttachments", [])]
    if not attachments:
        return "none"
    return attachments[0] if len(attachments) == 1 else SEVERAL
