"""One step from a VPC to the next: over a VPC peering connection, or over a transit gateway.

Sources: VPC Peering Guide, "VPC peering limitations" (no edge to edge routing: a peering connection carries traffic to
the addresses of the VPC on its other side alone, not on to its gateways or gateway endpoints); AWS Transit Gateway
guide, "Amazon VPC attachments in AWS Transit Gateway" (resources in an Availability Zone without a subnet of the
attachment do not reach the gateway), "How AWS Transit Gateway works" (the table that an attachment is associated with
routes what comes from it, the most specific route first) and "Network ACLs for transit gateways".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.network.alternatives import combine_ways
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.ipv6_attachment import ipv6_hops
from pull_responder.network.model import Network, Route, RouteTarget, read
from pull_responder.network.neighbours import (
    Attachment,
    Owned,
    Peering,
    PeeringSide,
    TransitGateway,
    Wanted,
    WantedKind,
)
from pull_responder.network.network_acls import acl_hop, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.routing import describe, routing
from pull_responder.network.transit_routes import next_attachment

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.model import Surroundings

Hops = tuple[Hop, ...]

_OF_PEERING: Final = (PathCause.PEERING_CANNOT_CARRY,)
# Local and Wavelength Zones reach a gateway over the Availability Zone that they belong to: us-east-1-bos-1a.
_AVAILABILITY_ZONE: Final = re.compile(r"[a-z]{2,4}(-[a-z]{1,12}){1,3}-[0-9]{1,2}[a-z]")
# States that an attachment or a peering connection passes by itself (EC2 API Reference).
_PASSING: Final = {"initiating", "initiatingRequest", "pending", "rollingBack", "provisioning", "initiating-request"}


@dataclass(frozen=True, slots=True)
class Traffic:
    """What crosses: from `source` to `server`. It starts in `subnet_id` of the first VPC.

    `vpc_id` is the VPC of the server, if that is known.
    """

    source: Peer
    server: Peer
    subnet_id: str
    vpc_id: str = ""

    def attachment_of(self, near: Attachment, around: Surroundings) -> str:
        """Return the id of the server's VPC's attachment to the gateway that `near` belongs to; empty if not known."""
        gateway = around.gateways.get(near.gateway_id)
        known = gateway.attachments.values() if isinstance(gateway, TransitGateway) and self.vpc_id else ()
        found = [each.id for each in known if each.resource_id == self.vpc_id and each.carries]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class Step:
    """Where one step leads.

    - `hops`: what lies between both VPCs.
    - `network`: the VPC that the traffic enters; None if it does not, or if that is not known.
    - `entries`: the subnets by which a transit gateway may let it in. Empty over a peering connection.
    - `near`, `far`: the attachments of both VPCs.
    - `beyond`: why the traffic is not followed into the next VPC, in words; else empty.
    """

    hops: Hops
    network: Network | None = None
    entries: tuple[str, ...] = ()
    near: Attachment | None = None
    far: Attachment | None = None
    beyond: str = ""


def leads_to_neighbour(route: Route) -> bool:
    """Return whether a route leads over something that can be followed into another VPC."""
    return route.active and route.kind in (RouteTarget.VPC_PEERING, RouteTarget.TRANSIT_GATEWAY)


def unless_shared(hop: Hop, route: Route, network: Network, subnet_id: str) -> Hop:
    """Return the hop of a subnet's network ACL, open if the gateway of the route has its interface in this subnet, too.

    The versions of one page differ about what the ACL does there (AWS Transit Gateway guide, "Network ACLs for transit
    gateways").
    """
    known = () if isinstance(network.attachments, Unread) else network.attachments
    ours = (each for each in known if each.gateway_id == route.target and not each.is_gone)
    shared = any(not isinstance(each.subnet_ids, Unread) and subnet_id in each.subnet_ids for each in ours)
    return hop.with_faults_undecided(f"{subnet_id} also holds the interface of {route.target}") if shared else hop


def step_over(route: Route, network: Network, traffic: Traffic, around: Surroundings) -> Step:
    """Return where the route of a VPC leads, over a peering connection or a transit gateway."""
    if route.kind is RouteTarget.VPC_PEERING:
        return _over_peering(route, network, traffic, around)
    return _over_gateway(route, network, traffic, around)


def _over_peering(route: Route, network: Network, traffic: Traffic, around: Surroundings) -> Step:
    peering = read(network.peerings, route.target, f"peering connection {route.target}")
    other = None if isinstance(peering, Unread) else peering.other_side(vpc_id(network))
    if isinstance(peering, Unread) or other is None:
        return _open_peering(route, peering.reason if isinstance(peering, Unread) else _not_shown(route))
    state = f"{peering.id} is in state {peering.state}"
    if peering.state in _PASSING:
        return _open_peering(route, Reason(state, behind(peering.id)))
    if peering.state != "active":
        fault = _peering_fault(peering, network, f"The route {route} leads over {peering.id}, and {state}.", (state,))
        return Step((Hop(HopKind.PEERING, peering.id, _OF_PEERING, fault.evidence, (fault,)),))
    if not other.cidrs:
        return _open_peering(route, _not_shown(route))
    return _to_other_side(route, peering, other, network, traffic, around)


def _to_other_side(  # noqa: PLR0913, PLR0917 -- the route, both sides, and what is known
    route: Route,
    peering: Peering,
    other: PeeringSide,
    network: Network,
    traffic: Traffic,
    around: Surroundings,
) -> Step:
    there = AddressSet.of(*other.cidrs)
    blocks = f"{peering.id} leads to {other.vpc_id} of account {other.account}, with {', '.join(other.cidrs)}"
    if not traffic.server.addresses & there:
        explanation = (
            f"The route {route} takes traffic to {traffic.server.name} over the peering connection {peering.id}, which"
            f" carries only what is for addresses of {other.vpc_id} ({', '.join(other.cidrs)}), and nothing on to its"
            " gateways."
        )
        fault = _peering_fault(peering, network, explanation, (blocks, f"route {route}"))
        return Step((Hop(HopKind.PEERING, peering.id, _OF_PEERING, fault.evidence, (fault,)),))
    hop = Hop(HopKind.PEERING, peering.id, _OF_PEERING, (f"{peering.id} is in state {peering.state}", blocks))
    if traffic.server.addresses - there:
        reason = Reason(f"{blocks}, which are only a part of {traffic.server.name}", behind(peering.id))
        doubt = Undecided(PathCause.PEERING_CANNOT_CARRY, reason)
        return Step((replace(hop, undecided=(doubt,)),), beyond=reason)
    wanted = Wanted(WantedKind.VPC, other.vpc_id, other.account, other.region or network.region)
    return _into(Step((hop,)), (wanted,), around)


def _open_peering(route: Route, reason: str) -> Step:
    doubt = Undecided(PathCause.PEERING_CANNOT_CARRY, reason)
    return Step((Hop(HopKind.PEERING, route.target, _OF_PEERING, undecided=(doubt,)),), beyond=reason)


def _peering_fault(peering: Peering, network: Network, explanation: str, evidence: tuple[str, ...]) -> Fault:
    return Fault(
        PathCause.PEERING_CANNOT_CARRY,
        ResourceType.OTHER,
        peering.id,
        explanation,
        evidence,
        (Fix(target=peering.id, vpc_id=vpc_id(network)),),
        Owned(network.owner, network.region),
    )


def _over_gateway(route: Route, network: Network, traffic: Traffic, around: Surroundings) -> Step:
    near = _attachment(route, network, around)
    if isinstance(near, Unread):
        return Step((_open(route.target, near.reason),), beyond=near.reason)
    entry = (_state_hop(near, network), *_near_hops(near, network, traffic), *_answers_within(near, network, traffic))
    if entry[0].faults:
        return Step(entry, near=near)
    towards = traffic.attachment_of(near, around)
    what = f"traffic to {traffic.server.name}"
    onward = next_attachment(near, traffic.server, around, network.region, what=what, towards=towards)
    ends = (near, *((onward.attachment,) if onward.attachment else ()))
    hops = (*entry, *ipv6_hops(traffic.server, *ends), *onward.hops)
    step = Step(hops, near=near, far=onward.attachment, beyond=onward.beyond)
    if onward.attachment is None:
        return step
    found = _into(step, _wanted(onward.attachment, network, around), around)
    return replace(found, entries=_entries(onward.attachment, found.network, _zone_id(traffic.subnet_id, network)))


def _wanted(far: Attachment, network: Network, around: Surroundings) -> tuple[Wanted, ...]:
    """Return the VPC of the far attachment, and the table by which the gateway routes what comes back from it."""
    vpc = Wanted(WantedKind.VPC, far.resource_id, far.owner, network.region)
    table = Wanted(WantedKind.TABLE, far.table_id, far.gateway_owner, network.region)
    return (vpc, *((table,) if far.table_id and far.table_id not in around.tables else ()))


def _into(step: Step, wanted: tuple[Wanted, ...], around: Surroundings) -> Step:
    """Return the step with the VPC that it leads into, the first of `wanted`, or with the wish to read them."""
    vpc = wanted[0]
    found = around.vpcs.get(vpc.id)
    if isinstance(found, Unread):
        return replace(step, beyond=found.reason)
    if found is not None:
        return replace(step, network=found)
    what = Reason(f"{vpc.id} of account {vpc.account} was not read", behind(vpc.id))
    hops = (*step.hops[:-1], replace(step.hops[-1], wanted=(*step.hops[-1].wanted, *wanted)))
    return replace(step, hops=hops, beyond=what)


def _attachment(route: Route, network: Network, around: Surroundings) -> Attachment | Unread:
    """Return the VPC's attachment to the gateway of the route, with all that the VPC's and the gateway's owner see."""
    if isinstance(network.attachments, Unread):
        return network.attachments
    ours = [each for each in network.attachments if each.gateway_id == route.target and not each.is_gone]
    if len(ours) != 1:
        number = "several attachments" if ours else "no attachment"
        return Unread(
            Reason(
                f"EC2 lists {number} of {vpc_id(network)} to {route.target}",
                behind(route.target),
            )
        )
    (near,) = ours
    gateway = around.gateways.get(near.gateway_id)
    if not isinstance(gateway, TransitGateway):
        return near
    seen = gateway.attachments.get(near.id)
    if seen is None:
        words = f"account {gateway.owner}, which owns {gateway.id}, lists no attachment {near.id}"
        return Unread(Reason(words, behind(route.target)))
    return replace(near, table_id=seen.table_id, association=seen.association)


def _state_hop(near: Attachment, network: Network) -> Hop:
    causes = (PathCause.TRANSIT_GATEWAY_BLOCKS,)
    state = f"attachment {near.id} of {vpc_id(network)} to {near.gateway_id} is in state {near.state}"
    hop = Hop(HopKind.TRANSIT_GATEWAY, near.id, causes, (state,))
    if near.carries:
        return hop
    if near.state in _PASSING:
        return replace(hop, undecided=(Undecided(causes[0], Reason(state, behind(near.gateway_id))),))
    explanation = f"The {state}, so the transit gateway takes no traffic of the VPC."
    owned = Owned(network.owner, network.region)
    fault = Fault(causes[0], ResourceType.OTHER, near.id, explanation, (state,), (Fix(target=near.id),), owned)
    return replace(hop, faults=(fault,))


def _near_hops(near: Attachment, network: Network, traffic: Traffic) -> Hops:
    """Return whether the gateway has a subnet in the node's zone, and whether its network ACL lets the node in."""
    hop = zone_hop(near, traffic.subnet_id, network)
    here = _in_zone(near, traffic.subnet_id, network)
    if hop.undecided or hop.faults or len(here) > 1 or here[0] == traffic.subnet_id:
        return (hop,)
    request, answer = server_crossings(here[0], traffic.source)
    subnets = () if isinstance(near.subnet_ids, Unread) else near.subnet_ids
    # Answers enter in the zone that they come from, if the attachment has a subnet there, else in any.
    ways: list[Hops] = [(acl_hop(here[0], (request, replace(answer, subnet_id=each)), network),) for each in subnets]
    doubt = Reason(f"by which subnet of {near.id} answers enter is not known", behind(near.gateway_id))
    return (hop, *combine_ways(ways, doubt))


def _answers_within(near: Attachment, network: Network, traffic: Traffic) -> Hops:
    """Return a hop that is open if answers that the gateway lets into the VPC may be led elsewhere than to the node.

    They go by the table of the attachment's subnet. Its local route is all that they need.
    """
    subnets = () if isinstance(near.subnet_ids, Unread) else near.subnet_ids
    for subnet in subnets:
        table = read(network.route_tables, subnet, f"the route table of {subnet}")
        found = table if isinstance(table, Unread) else routing(table, traffic.source.addresses, network)
        if isinstance(found, Unread):
            reason = found.reason
        elif any(route.kind is not RouteTarget.LOCAL for route in found.routes):
            words = f"answers to {traffic.source.name} that enter by {subnet} are taken on by {describe(found.table)}"
            reason = Reason(words, behind(subnet))
        else:
            continue
        return (Hop(HopKind.ROUTE, subnet, (PathCause.NO_ROUTE,), undecided=(Undecided(PathCause.NO_ROUTE, reason),)),)
    return ()


def zone_hop(attachment: Attachment, subnet_id: str, network: Network) -> Hop:
    """Return whether what is in a subnet reaches the gateway: the attachment needs a subnet in the same zone.

    Source: AWS Transit Gateway guide, "Amazon VPC attachments in AWS Transit Gateway".
    """
    causes = (PathCause.TRANSIT_GATEWAY_BLOCKS,)
    zone, zones = _zone(subnet_id, network), _zones(attachment, network)
    hop = Hop(HopKind.TRANSIT_GATEWAY, attachment.id, causes)
    unknown = zones.reason if isinstance(zones, Unread) else ""
    if isinstance(zones, Unread) or not zone:
        unknown = unknown or Reason(f"the zone of {subnet_id} is not known", behind(attachment.gateway_id))
        return replace(hop, undecided=(Undecided(causes[0], unknown),))
    here = _in_zone(attachment, subnet_id, network)
    if not here and not _AVAILABILITY_ZONE.fullmatch(zone):
        reason = Reason(
            f"whether {subnet_id} in {zone} reaches {attachment.gateway_id} over its parent zone is not known",
            behind(attachment.gateway_id),
        )
        return replace(hop, undecided=(Undecided(causes[0], reason),))
    if here:
        return replace(hop, evidence=(f"attachment {attachment.id} has {here[0]} in {zone}, as {subnet_id}",))
    shown = ", ".join(f"{subnet} in {where}" for subnet, where in zones.items()) or "none"
    evidence = (f"subnets of attachment {attachment.id}: {shown}", f"{subnet_id} is in {zone}")
    explanation = (
        f"Attachment {attachment.id} of {vpc_id(network)} to {attachment.gateway_id} has no subnet in {zone}, so"
        f" nothing in {subnet_id} reaches the transit gateway."
    )
    owned = Owned(network.owner, network.region)
    fix = Fix(target=attachment.id, subnet_id=subnet_id)
    fault = Fault(causes[0], ResourceType.OTHER, attachment.id, explanation, evidence, (fix,), owned)
    return replace(hop, evidence=evidence, faults=(fault,))


def exit_of(step: Step, subnet_id: str, entry: str) -> str:
    """Return the subnet by which answers from a subnet of the VPC that `step` led into leave it for the gateway.

    It is the one in the same zone, whichever zone the requests came by, through `entry`.
    """
    if step.far is None or step.network is None:
        return entry
    return next(iter(_in_zone(step.far, subnet_id, step.network)), entry)


def _in_zone(attachment: Attachment, subnet_id: str, network: Network) -> tuple[str, ...]:
    """Return the attachment's subnets in the zone of a subnet, as far as that is known."""
    zone, zones = _zone(subnet_id, network), _zones(attachment, network)
    return (
        () if isinstance(zones, Unread) else tuple(subnet for subnet, where in zones.items() if zone and where == zone)
    )


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


def _zone_id(subnet_id: str, network: Network) -> str:
    subnet = read(network.subnets, subnet_id, subnet_id)
    return "" if isinstance(subnet, Unread) else subnet.zone_id


def _entries(far: Attachment, network: Network | None, zone_id: str) -> tuple[str, ...]:
    """Return the subnets by which the gateway lets traffic of a zone into a VPC: those of the same zone, if it has one.

    Accounts give zones different names, so only ids can be compared (Amazon VPC User Guide, "AZ IDs").

    Source: AWS Transit Gateway guide, "Example: Appliance in a shared services VPC" (without appliance mode, traffic
    keeps to the Availability Zone in which it originates). With appliance mode, any of them.
    """
    if isinstance(far.subnet_ids, Unread) or network is None:
        return ()
    same = tuple(each for each in far.subnet_ids if zone_id and _zone_id(each, network) == zone_id)
    return far.subnet_ids if far.appliance_mode or not same else same


def _open(gateway_id: str, reason: str) -> Hop:
    doubt = Undecided(PathCause.TRANSIT_GATEWAY_BLOCKS, reason)
    return Hop(HopKind.TRANSIT_GATEWAY, gateway_id, (PathCause.TRANSIT_GATEWAY_BLOCKS,), undecided=(doubt,))


def _not_shown(route: Route) -> str:
    return Reason(f"EC2 does not show where {route.target} leads", behind(route.target))


def owned_by(hop: Hop, network: Network) -> Hop:
    """Return a hop of another VPC, with the owner of it and of what is at fault there."""
    owned = Owned(network.owner, network.region, vpc_id(network))
    return replace(hop, faults=tuple(replace(fault, owned=owned) for fault in hop.faults), owned=owned)
