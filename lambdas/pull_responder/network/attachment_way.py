"""A VPC's attachment to a transit gateway: whether traffic of a subnet gets onto it, and by which subnets it comes off.

Sources: AWS Transit Gateway guide, "Amazon VPC attachments in AWS Transit Gateway" (resources in an Availability Zone
without a subnet of the attachment do not reach the gateway) and "Network ACLs for transit gateways".
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.alternatives import combine_ways
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, Route, read
from pull_responder.network.neighbours import STOPPED, Attachment, Owned, TransitGateway, Wanted, WantedKind
from pull_responder.network.network_acls import acl_hop, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.step import owned_by

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.model import Surroundings
    from pull_responder.network.step import Hops, Traffic

_CAUSES: Final = (PathCause.TRANSIT_GATEWAY_BLOCKS,)
# Local and Wavelength Zones reach a gateway over the Availability Zone that they belong to: us-east-1-bos-1a.
_AVAILABILITY_ZONE: Final = re.compile(r"[a-z]{2,4}(-[a-z]{1,12}){1,3}-[0-9]{1,2}[a-z]")


def attachment_to(
    route: Route, network: Network, around: Surroundings, came_by: Attachment | None
) -> Attachment | Unread | Wanted:
    """Return the VPC's attachment to the gateway of the route, with all that the VPC's and the gateway's owner see.

    `came_by` is the attachment by which the traffic came into the VPC. If its gateway is another one, and the
    attachments of the VPC were not asked for yet, they are wanted.
    """
    if came_by and came_by.gateway_id == route.target:
        return came_by
    known = around.attachments.get(vpc_id(network)) if came_by else network.attachments
    if known is None:
        return Wanted(WantedKind.ATTACHMENTS, vpc_id(network), network.owner, network.region)
    if isinstance(known, Unread):
        return known
    ours = [each for each in known if each.gateway_id == route.target and not each.is_gone]
    if len(ours) != 1:
        number = "several attachments" if ours else "no attachment"
        return Unread(Reason(f"EC2 lists {number} of {vpc_id(network)} to {route.target}", behind(route.target)))
    return _as_owner_sees(ours[0], around)


def _as_owner_sees(near: Attachment, around: Surroundings) -> Attachment | Unread:
    """Return an attachment with its association, which the gateway's owner sees in any case, if that was read."""
    gateway = around.gateways.get(near.gateway_id)
    if not isinstance(gateway, TransitGateway):
        return near
    seen = gateway.attachments.get(near.id)
    if seen is None:
        words = f"account {gateway.owner}, which owns {gateway.id}, lists no attachment {near.id}"
        return Unread(Reason(words, behind(near.gateway_id)))
    return replace(near, table_id=seen.table_id, association=seen.association)


def state_hop(near: Attachment, network: Network) -> Hop:
    """Return whether the state of a VPC's attachment lets it carry traffic."""
    state = f"attachment {near.id} of {vpc_id(network)} to {near.gateway_id} is in state {near.state}"
    hop = Hop(HopKind.TRANSIT_GATEWAY, near.id, _CAUSES, (state,))
    if near.carries:
        return hop
    if near.state not in STOPPED:
        return replace(hop, undecided=(Undecided(_CAUSES[0], Reason(state, behind(near.gateway_id))),))
    explanation = f"The {state}, so the transit gateway takes no traffic of the VPC."
    owned = Owned(network.owner, network.region)
    fault = Fault(_CAUSES[0], ResourceType.OTHER, near.id, explanation, (state,), (Fix(target=near.id),), owned)
    return replace(hop, faults=(fault,))


def near_hops(near: Attachment, network: Network, traffic: Traffic) -> Hops:
    """Return whether the gateway has a subnet in the traffic's zone, and whether its network ACL lets it in."""
    hop = zone_hop(near, network, traffic.subnet_id, foreign=bool(traffic.came_by))
    onto = subnet_in_zone_of(traffic.subnet_id, near, network)
    if not onto or traffic.subnet_id == onto:
        return (hop,)
    request, _ = server_crossings(onto, traffic.source)
    crossing = acl_hop(onto, (request,), network)
    return (hop, owned_by(crossing, network) if traffic.came_by else crossing)


def answers_off(near: Attachment, entries: tuple[str, ...], network: Network, node: Peer) -> Hops:
    """Return whether network ACLs let answers off the gateway, in whichever of these subnets they come.

    Answers come in the zone that they left, if the attachment has a subnet there, else in any.
    """
    ways: list[Hops] = [(acl_hop(each, server_crossings(each, node)[1:], network),) for each in entries]
    doubt = Reason(f"by which subnet of {near.id} answers enter is not known", behind(near.gateway_id))
    return combine_ways(ways, doubt) if ways else ()


def zone_hop(near: Attachment, network: Network, subnet_id: str, *, foreign: bool) -> Hop:
    """Return whether the gateway has a subnet in the zone of a subnet of the VPC. `foreign`: it is not the node's."""
    hop = Hop(HopKind.TRANSIT_GATEWAY, near.id, _CAUSES)
    zone, zones = _zone(subnet_id, network), _zones(near, network)
    if isinstance(zones, Unread) or not zone:
        unknown = Reason(f"the zone of {subnet_id} is not known", behind(near.gateway_id))
        return replace(hop, undecided=(Undecided(_CAUSES[0], zones.reason if isinstance(zones, Unread) else unknown),))
    here = [subnet for subnet, where in zones.items() if where == zone]
    if here:
        return replace(hop, evidence=(f"attachment {near.id} has {here[0]} in {zone}, as {subnet_id}",))
    if not _AVAILABILITY_ZONE.fullmatch(zone):
        words = f"whether {subnet_id} in {zone} reaches {near.gateway_id} over its parent zone is not known"
        return replace(hop, undecided=(Undecided(_CAUSES[0], Reason(words, behind(near.gateway_id))),))
    shown = ", ".join(f"{subnet} in {where}" for subnet, where in zones.items()) or "none"
    evidence = (f"subnets of attachment {near.id}: {shown}", f"{subnet_id} is in {zone}")
    explanation = (
        f"Attachment {near.id} of {vpc_id(network)} to {near.gateway_id} has no subnet in {zone}, so nothing in"
        f" {subnet_id} reaches the transit gateway."
    )
    owned = Owned(network.owner, network.region, vpc_id(network) if foreign else "")
    fix = Fix(target=near.id, subnet_id=subnet_id)
    fault = Fault(_CAUSES[0], ResourceType.OTHER, near.id, explanation, evidence, (fix,), owned)
    return replace(hop, evidence=evidence, faults=(fault,))


def subnet_in_zone_of(subnet_id: str, near: Attachment, network: Network) -> str:
    """Return the subnet of an attachment by which traffic of a subnet reaches the gateway; empty if not known."""
    zone, zones = _zone(subnet_id, network), _zones(near, network)
    here = [] if isinstance(zones, Unread) else [subnet for subnet, where in zones.items() if zone and where == zone]
    return here[0] if len(here) == 1 else ""


def _zones(attachment: Attachment, network: Network) -> dict[str, str] | Unread:
    """Return the zone of each subnet of an attachment."""
    if isinstance(attachment.subnet_ids, Unread):
        return attachment.subnet_ids
    if isinstance(network.subnets, Unread):
        return network.subnets
    zones = {subnet: _zone(subnet, network) for subnet in attachment.subnet_ids}
    if not zones or not all(zones.values()):
        return Unread(
            Reason(f"the zones of attachment {attachment.id} are not known", behind(attachment.gateway_id)),
        )
    return zones


def _zone(subnet_id: str, network: Network) -> str:
    subnet = read(network.subnets, subnet_id, subnet_id)
    return "" if isinstance(subnet, Unread) else subnet.availability_zone


def zone_id(subnet_id: str, network: Network) -> str:
    """Return what all accounts call the zone of a subnet; empty if it is not known.

    Accounts give zones different names (Amazon VPC User Guide, "AZ IDs").
    """
    subnet = read(network.subnets, subnet_id, subnet_id)
    return "" if isinstance(subnet, Unread) else subnet.zone_id


def entries_of(far: Attachment, network: Network, zone: str) -> tuple[str, ...]:
    """Return the subnets by which the gateway may let traffic into a VPC: those of the zone with this id, if it is one.

    Source: AWS Transit Gateway guide, "Example: Appliance in a shared services VPC" (without appliance mode, traffic
    keeps to the Availability Zone in which it originates). With appliance mode, any of them.
    """
    if isinstance(far.subnet_ids, Unread):
        return ()
    same = tuple(each for each in far.subnet_ids if zone and zone_id(each, network) == zone)
    return far.subnet_ids if far.appliance_mode or not same else same


def exit_of(start: str, entry: str, far: Attachment | None, network: Network) -> str:
    """Return the subnet by which answers from `start` leave a VPC for the gateway that let the requests in by `entry`.

    It is the one in their own zone, if the attachment has one there. If that is not known, it is no subnet's id.
    """
    if far is None:
        return entry
    if found := subnet_in_zone_of(start, far, network):
        return found
    is_known = bool(_zone(start, network)) and not isinstance(_zones(far, network), Unread)
    return entry if is_known or far.subnet_ids == (entry,) else f"one of the subnets of {far.id}"
