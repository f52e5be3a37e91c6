"""The way to public addresses over another VPC: an egress VPC with a NAT gateway, behind a transit gateway.

Sources: AWS Transit Gateway guide, "Example: Centralized outbound routing to the internet"; AWS PrivateLink Guide,
"Gateway endpoints", considerations (resources on the other side of a transit gateway or peering connection cannot use a
gateway endpoint); those of `crossing`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.alternatives import any_of, combine_ways
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.crossing import Step, Traffic, exit_of, leads_to_neighbour, owned_by, step_over
from pull_responder.network.firewall_way import Through, leads_to_firewall, through_firewall
from pull_responder.network.internet import RouteEnd, follow_route
from pull_responder.network.model import NatGateway, NodePlace, Route, RouteTarget, read
from pull_responder.network.network_acls import acl_hop, client_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.routing import Routing, describe, is_gateway_endpoint_route, routing
from pull_responder.network.way_back import answers_through, way_back

if TYPE_CHECKING:
    from pull_responder.network.model import Network, RouteTable
    from pull_responder.network.places import Trip

_NOT_FOLLOWED: Final = frozenset(RouteTarget) - {RouteTarget.NAT_GATEWAY}


def egress_end(route: Route, trip: Trip) -> RouteEnd:
    """Return where the node's route to public addresses leads, over other VPCs if it leaves this one."""
    if leads_to_firewall(route) and (through := through_firewall(route, trip)):
        return _behind_own_firewall(through, trip)
    if not leads_to_neighbour(route):
        return follow_route(route, trip)
    traffic = Traffic(trip.foreign_source, trip.server, trip.node.subnet_id)
    step = step_over(route, trip.network, traffic, trip.network.around)
    far = step.network
    if far is None:
        return RouteEnd(step.hops, beyond=_unread(route, step.beyond) if step.beyond else "")
    if step.far is None or not step.entries:
        reason = Reason(f"the way of {trip.server.name} within {vpc_id(far)} is not known", behind(route.target))
        return RouteEnd(step.hops, beyond=reason)
    ends = [_from_entry(entry, far, step, trip) for entry in step.entries]
    beyond = next((end.beyond for end in ends if end.beyond), "")
    ways = [end.hops for end in ends if end.hops]
    doubt = f"only some of the subnets of {step.far.id} lead out"
    # In appliance mode each way is taken by some flows. Else one is, and which one is not known.
    combined = any_of if step.far.appliance_mode else combine_ways
    hops = combined(ways, doubt) if ways and not beyond else tuple(hop for way in ways for hop in way)
    if beyond:
        hops = tuple(hop.with_faults_undecided(beyond) for hop in hops)
    return RouteEnd((*step.hops, *hops), beyond=beyond)


def _unread(route: Route, reason: str) -> str:
    words = f"route {route} leads to a {route.kind}, and what lies behind it cannot be read: {reason}"
    return Reason(words, behind(route.target), *(each for each in steps_of(reason) if each != behind(route.target)))


def _behind_own_firewall(through: Through, trip: Trip) -> RouteEnd:
    """Return the way on from a firewall of the node's VPC, to a NAT gateway. Answers must come back through it."""
    onward = through.onward
    if onward is None or onward.kind is not RouteTarget.NAT_GATEWAY:
        return RouteEnd(through.hops, beyond=through.beyond or _not_followed(through, onward))
    node = replace(trip.node, subnet_id=through.subnet_id, public_address=None)
    end = follow_route(onward, replace(trip, node=node, came_from=trip.source))
    nat = read(trip.network.nat_gateways, onward.target, onward.target)
    back: tuple[Hop, ...] = ()
    if not isinstance(nat, Unread) and nat.subnet_id:
        back = (answers_through(through.endpoint_id, nat.subnet_id, trip.network, trip.source),)
    return replace(end, hops=(*through.hops, *end.hops, *back))


def _not_followed(through: Through, onward: Route | None) -> str:
    target = onward.target if onward else through.subnet_id
    return Reason(f"from the firewall's subnet {through.subnet_id}, {onward} is not followed", behind(target))


def _from_entry(entry: str, far: Network, step: Step, trip: Trip) -> RouteEnd:
    """Return the way on from a subnet by which the traffic enters another VPC."""
    table = read(far.route_tables, entry, f"the route table of {entry}")
    if isinstance(table, Unread):
        return RouteEnd(beyond=table.reason)
    if trip.destination.service == "s3" and any(is_gateway_endpoint_route(each, far) for each in table.routes):
        words = f"{table.id} of {entry} has a route to a gateway endpoint, which takes nothing from other VPCs"
        return RouteEnd(beyond=Reason(words, behind(entry)))
    found = routing(table, trip.server.addresses, far)
    problem = _dead_end(found)
    if problem:
        return RouteEnd((owned_by(_dead_end_hop(entry, table, far, trip, problem), far),))
    route = found.routes[0] if found.routes else None
    if route and len(found.routes) == 1 and not found.unrouted and leads_to_firewall(route):
        return _behind_firewall(route, entry, far, step, trip)
    if route is None or len(found.routes) > 1 or found.unrouted or found.unread or route.kind in _NOT_FOLLOWED:
        routes = "; ".join((*map(str, found.routes), *found.unread)) or "no route"
        words = f"in {vpc_id(far)}, {describe(table)} takes the traffic on by {routes}, which is not followed"
        return RouteEnd(beyond=Reason(words, behind(route.target if route else entry)))
    return _over_nat(route, entry, far, step, trip)


def _behind_firewall(route: Route, entry: str, far: Network, step: Step, trip: Trip) -> RouteEnd:
    """Return the way on through a firewall of another VPC."""
    through = through_firewall(route, _there(entry, far, trip))
    if through is None:
        words = f"in {vpc_id(far)}, {entry} takes the traffic on by {route}, which is not followed"
        return RouteEnd(beyond=Reason(words, behind(route.target)))
    request, answer = client_crossings(entry, trip.server)
    answer = replace(answer, subnet_id=exit_of(step, through.subnet_id, entry))
    first = acl_hop(entry, (request, answer), far)
    if through.subnet_id in (entry, answer.subnet_id):
        first = first.with_faults_undecided(f"{through.subnet_id} also holds the firewall's endpoint")
    hops = tuple(owned_by(hop, far) for hop in (first, *through.hops))
    if through.onward is None or through.onward.kind is not RouteTarget.NAT_GATEWAY:
        return RouteEnd(hops, beyond=through.beyond or _not_followed(through, through.onward))
    end = _over_nat(through.onward, through.subnet_id, far, step, trip, through)
    return replace(end, hops=(*hops, *end.hops))


def _there(entry: str, far: Network, trip: Trip) -> Trip:
    """Return the trip as it goes on in another VPC, from the subnet by which it enters."""
    node = NodePlace(trip.node.name, entry, (), trip.node.addresses)
    return replace(trip, network=far, node=node, came_from=trip.foreign_source)


def _over_nat(  # noqa: PLR0913, PLR0917 -- one of each kind
    route: Route, entry: str, far: Network, step: Step, trip: Trip, through: Through | None = None
) -> RouteEnd:
    """Return the way on over a NAT gateway of another VPC, and back, through the firewall that it came through."""
    end = follow_route(route, _there(entry, far, trip))
    nat = read(far.nat_gateways, route.target, route.target)
    nat_subnet = None if isinstance(nat, Unread) else nat.subnet_id
    request, answer = client_crossings(entry, trip.server)
    if nat_subnet is not None and through is None:
        answer = replace(answer, subnet_id=exit_of(step, nat_subnet, entry))
    out = acl_hop(entry, (request, answer), far)
    back: tuple[Hop, ...] = ()
    if nat_subnet is not None:
        first = through.subnet_id if through else nat_subnet
        back = way_back(first, far, trip.foreign_range, step, trip.network.around)
        if through:
            back = (answers_through(through.endpoint_id, nat_subnet, far, trip.foreign_range), *back)
    elif not isinstance(nat, Unread):
        back = (_regional_way_back(nat, trip),)
    if nat_subnet in (entry, answer.subnet_id):
        out = out.with_faults_undecided(f"{nat_subnet} holds both the NAT gateway and the transit gateway's interface")
    taken = Hop(HopKind.ROUTE, route.target, (PathCause.NO_ROUTE,), (f"{entry} of {vpc_id(far)} takes {route}",))
    hops = (*(owned_by(hop, far) for hop in (taken, out, *end.hops)), *back)
    if end.dead_end or end.beyond:
        return RouteEnd(hops, beyond=end.beyond or Reason(end.dead_end, behind(route.target)))
    return RouteEnd(hops)


def _regional_way_back(nat: NatGateway, trip: Trip) -> Hop:
    """Return that a regional NAT gateway has a route table of its own for answers, which is not read.

    Source: Amazon EC2 API Reference, NatGateway (RouteTableId).
    """
    words = f"the routes of the regional NAT gateway {nat.id} back to {trip.foreign_source.name} were not read"
    reason = Reason(words, f"Look for a route back to the nodes in the route table of {nat.id}, in the VPC console.")
    doubt = Undecided(PathCause.NO_ROUTE, reason)
    return Hop(HopKind.ROUTE, nat.id, (PathCause.NO_ROUTE,), undecided=(doubt,))


def _dead_end(found: Routing) -> str:
    """Return why a table leads nowhere; empty if it may lead on, or if a check of its own says what is wrong."""
    if found.unread or any(route.active or route.kind is RouteTarget.NAT_GATEWAY for route in found.routes):
        return ""
    return "; ".join(map(str, found.routes)) or "no route"


def _dead_end_hop(entry: str, table: RouteTable, far: Network, trip: Trip, problem: str) -> Hop:
    explanation = (
        f"Traffic from {trip.node.name} to {trip.server.name} enters {vpc_id(far)} by subnet {entry}, which has no"
        f" route there: {problem}."
    )
    proof = (describe(table),)
    fix = Fix(route_table_id=table.id, subnet_id=entry)
    fault = Fault(PathCause.NO_ROUTE, ResourceType.SUBNET, entry, explanation, proof, (fix,))
    return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof, (fault,))
