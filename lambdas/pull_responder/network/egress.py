"""The way to public addresses over firewalls and other VPCs: through a NAT gateway, or from a public node.

Sources: AWS Transit Gateway guide, "Example: Centralized outbound routing to the internet"; AWS PrivateLink Guide,
"Gateway endpoints", considerations (resources on the other side of a transit gateway or peering connection cannot use a
gateway endpoint); AWS Network Firewall Developer Guide, "Example architectures with routing"; those of `course`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided
from pull_responder.network.course import End, Errand, follow, out_crossings, taken_hop
from pull_responder.network.crossing import leads_to_neighbour
from pull_responder.network.firewall_way import leads_to_firewall
from pull_responder.network.internet import RouteEnd, follow_route
from pull_responder.network.model import Route, RouteTarget, read
from pull_responder.network.network_acls import acl_hop, client_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.return_route import answers_in
from pull_responder.network.routing import is_gateway_endpoint_route
from pull_responder.network.stay import Stay
from pull_responder.network.way_back import way_back

if TYPE_CHECKING:
    from pull_responder.network.model import NatGateway, RouteTable
    from pull_responder.network.places import Trip

Hops = tuple[Hop, ...]


def egress_end(route: Route, trip: Trip) -> RouteEnd:
    """Return where the node's route to public addresses leads, through firewalls and over other VPCs, if it does."""
    if not (leads_to_firewall(route) or leads_to_neighbour(route)):
        return follow_route(route, trip)
    errand = Errand(trip, trip.server, partial(_arrive, trip), partial(_stops, trip))
    end = follow(route, Stay(trip.network, trip.node.subnet_id), errand)
    return RouteEnd(end.hops, beyond=_unread(route, end.beyond) if end.is_outside else end.beyond)


def _unread(route: Route, reason: str) -> Reason:
    words = f"route {route} leads to {route.kind.with_article}, and what lies behind it cannot be read: {reason}"
    return Reason(words, behind(route.target), *(each for each in steps_of(reason) if each != behind(route.target)))


def _stops(trip: Trip, table: RouteTable, stay: Stay) -> str:
    """Return that a gateway endpoint may take the traffic; empty if none does."""
    if trip.destination.service != "s3" or not any(is_gateway_endpoint_route(r, stay.network) for r in table.routes):
        return ""
    words = f"{table.id} of {stay.at} has a route to a gateway endpoint, which takes nothing from other VPCs"
    return Reason(words, behind(stay.at))


def _arrive(trip: Trip, route: Route | None, stay: Stay) -> End | None:
    if route is None:
        return None
    if route.kind is RouteTarget.NAT_GATEWAY:
        return _over_nat(route, stay, trip)
    # Nothing that comes from another VPC has a public address.
    if route.kind is RouteTarget.INTERNET_GATEWAY and not stay.foreign:
        return _over_internet_gateway(route, stay, trip)
    return None


def _over_nat(route: Route, stay: Stay, trip: Trip) -> End:
    """Return the way on over a NAT gateway, and back."""
    end = follow_route(route, stay.trip(trip, trip.server))
    nat = read(stay.network.nat_gateways, route.target, route.target)
    start = "" if isinstance(nat, Unread) else nat.subnet_id or ""
    crossings = out_crossings(stay, start, trip.server)
    out = acl_hop(stay.at, crossings, stay.network)
    if start in {each.subnet_id for each in crossings}:
        out = out.with_faults_undecided(f"{start} holds both the NAT gateway and what the traffic comes from")
    back: Hops = ()
    if not isinstance(nat, Unread):
        back = way_back(start, stay, trip) if start else (_regional_way_back(nat, trip),)
    hops = (*(stay.owning(hop) for hop in (taken_hop(route, stay), out, *end.hops)), *back)
    return End(hops, end.beyond or (Reason(end.dead_end, behind(route.target)) if end.dead_end else ""))


def _regional_way_back(nat: NatGateway, trip: Trip) -> Hop:
    """Return that a regional NAT gateway has a route table of its own for answers, which is not read.

    Source: Amazon EC2 API Reference, NatGateway (RouteTableId).
    """
    words = f"the routes of the regional NAT gateway {nat.id} back to {trip.foreign_source.name} were not read"
    reason = Reason(words, f"Look for a route back to the nodes in the route table of {nat.id}, in the VPC console.")
    doubt = Undecided(PathCause.NO_ROUTE, reason)
    return Hop(HopKind.ROUTE, nat.id, (PathCause.NO_ROUTE,), undecided=(doubt,))


def _over_internet_gateway(route: Route, stay: Stay, trip: Trip) -> End:
    """Return the way of a public node on from its VPC's firewall to the internet gateway, and back."""
    end = follow_route(route, stay.trip(trip, trip.server))
    out = acl_hop(stay.at, client_crossings(stay.at, trip.server), stay.network)
    last = stay.passed[-1].endpoint_id
    back = answers_in(route.target, last, stay.network, trip.source)
    beyond = end.beyond or (Reason(end.dead_end, behind(route.target)) if end.dead_end else "")
    return End((taken_hop(route, stay), out, *end.hops, back), beyond)
