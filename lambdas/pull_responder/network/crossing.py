"""The way from one VPC into another: over a peering connection or over transit gateways.

What was not asked for yet is left open, with what is `wanted` to go on. Nothing before it is blamed.

Sources: those of `peering_way`, `attachment_way` and `transit_way`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided
from pull_responder.network.attachment_way import attachment_to, entries_of, near_hops, state_hop, zone_id
from pull_responder.network.model import Network, Route, RouteTarget
from pull_responder.network.neighbours import Attachment, TransitGateway, Wanted, WantedKind
from pull_responder.network.next_steps import behind
from pull_responder.network.peering_way import over_peering
from pull_responder.network.step import Step, Traffic, into
from pull_responder.network.transit_way import over_gateways

if TYPE_CHECKING:
    from pull_responder.network.model import Surroundings


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
        return over_peering(route, network, traffic, around)
    near = attachment_to(route, network, around, traffic.came_by)
    if isinstance(near, Wanted):
        words = f"the attachments of {near.id} of account {near.account} were not read"
        return _open(route.target, Reason(words, behind(near.id)), near)
    if isinstance(near, Unread):
        return _open(route.target, near.reason)
    return _from_attachment(near, network, traffic, around)


def _from_attachment(near: Attachment, network: Network, traffic: Traffic, around: Surroundings) -> Step:
    """Return where the gateway sends the traffic that a VPC's attachment brings it."""
    entry = (state_hop(near, network), *near_hops(near, network, traffic))
    if entry[0].faults:
        return Step(entry, near=near)
    towards = {near.gateway_id: traffic.attachment_of(near, around)}
    what = f"traffic to {traffic.server.name}"
    onward = over_gateways(near, traffic.server, around, network.region, what=what, towards=towards)
    step = Step((*entry, *onward.hops), None, (), near, onward.attachment, onward.between, onward.beyond)
    if onward.attachment is None:
        return step
    found = into(step, _wanted(onward.attachment, around), around)
    if found.network is None:
        return found
    # What comes over another gateway has no zone of this one.
    zone = "" if onward.between else zone_id(traffic.subnet_id, network)
    return replace(found, entries=entries_of(onward.attachment, found.network, zone))


def _wanted(far: Attachment, around: Surroundings) -> tuple[Wanted, ...]:
    """Return the VPC of the far attachment, and the table by which the gateway routes what comes back from it."""
    gateway = around.gateways.get(far.gateway_id)
    region = gateway.region if isinstance(gateway, TransitGateway) else ""
    vpc = Wanted(WantedKind.VPC, far.resource_id, far.owner, region)
    table = Wanted(WantedKind.TABLE, far.table_id, far.gateway_owner, region)
    return (vpc, *((table,) if far.table_id and far.table_id not in around.tables else ()))


def _open(gateway_id: str, reason: str, *wanted: Wanted) -> Step:
    cause = PathCause.TRANSIT_GATEWAY_BLOCKS
    hop = Hop(HopKind.TRANSIT_GATEWAY, gateway_id, (cause,), undecided=(Undecided(cause, reason),), wanted=wanted)
    return Step((hop,), beyond=reason)
