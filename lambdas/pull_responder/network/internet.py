"""The ways to public addresses: internet gateway, egress-only internet gateway, NAT gateway; and what leaves the VPC.

Sources: Amazon VPC User Guide, "Enable internet access for a VPC using an internet gateway" (a public address is
needed for IPv4), "NAT gateway basics" and "Troubleshoot NAT gateways" (a public NAT gateway needs a subnet with a route
to an internet gateway, and ACLs that let both sides through), "Regional NAT gateways" (they have no subnet).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import InternetGateway, NatGateway, Network, Route, RouteTarget, read
from pull_responder.network.network_acls import EPHEMERAL_PORTS, Crossing, acl_hop, client_crossings, server_crossings
from pull_responder.network.places import Trip
from pull_responder.network.routing import Routing, listed, routing

if TYPE_CHECKING:
    from collections.abc import Mapping

_GATEWAYS: Final = {RouteTarget.INTERNET_GATEWAY, RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY}


@dataclass(frozen=True, slots=True)
class Exit:
    """Where a route leads: over `hops`, or, in words, to a `dead_end`, or `beyond` what can be read."""

    hops: tuple[Hop, ...] = ()
    dead_end: str = ""
    beyond: str = ""


def way_out(route: Route, trip: Trip) -> Exit:
    """Return where the node's route to public addresses leads."""
    if route.kind is RouteTarget.NAT_GATEWAY:
        return _nat_gateway(route, trip)
    if broken := _unusable(route, trip.network):
        return Exit(dead_end=broken)
    if unlisted := _unlisted(route, trip.network):
        doubt = Undecided(PathCause.NO_ROUTE, unlisted)
        return Exit((Hop(HopKind.INTERNET_GATEWAY, route.target, (PathCause.NO_ROUTE,), undecided=(doubt,)),))
    if route.kind is RouteTarget.INTERNET_GATEWAY:
        return Exit((_internet_gateway(route, trip),))
    if route.kind is RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY:
        return Exit(
            (Hop(HopKind.INTERNET_GATEWAY, route.target, (PathCause.NO_ROUTE,), (f"route {route} is active",)),)
        )
    return Exit(beyond=f"route {route} leads to a {route.kind}, and what lies behind it cannot be read")


def _unusable(route: Route, network: Network) -> str:
    """Return why a route takes nothing anywhere, or nothing where it may."""
    if not route.active:
        return f"route {route} leads to a {route.kind} that does not take it"
    if route.kind is RouteTarget.LOCAL:
        return f"route {route} stays in the VPC"
    gateway = read(_gateways(route, network), route.target, route.target)
    if isinstance(gateway, Unread) or isinstance(network.vpc, Unread):
        return ""  # an active route to a gateway says by itself that the gateway is attached
    return "" if gateway.vpc_id == network.vpc.id else f"{gateway.id} is not attached to {network.vpc.id}"


def _unlisted(route: Route, network: Network) -> str:
    """Return why an active route may yet lead nowhere: its gateway is not among those that were read."""
    gateways = _gateways(route, network)
    if route.kind not in _GATEWAYS or isinstance(gateways, Unread) or route.target in gateways:
        return ""
    return f"route {route} is active, and yet {route.target} is not among the gateways that EC2 lists"


def _gateways(route: Route, network: Network) -> Mapping[str, InternetGateway] | Unread:
    """Return the gateways of the kind that a route leads to."""
    if route.kind is RouteTarget.INTERNET_GATEWAY:
        return network.internet_gateways
    return network.egress_only_gateways if route.kind is RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY else {}


def _internet_gateway(route: Route, trip: Trip) -> Hop:
    node, causes = trip.node, (PathCause.NO_ROUTE, PathCause.PUBLIC_IP_MISSING)
    reached = f"route {route} is active"
    if trip.version != 4:  # noqa: PLR2004 -- IP version 4
        return Hop(HopKind.INTERNET_GATEWAY, route.target, causes, (reached, f"{node.name} has an IPv6 address"))
    if isinstance(node.public_address, Unread):
        doubt = Undecided(PathCause.PUBLIC_IP_MISSING, node.public_address.reason)
        return Hop(HopKind.INTERNET_GATEWAY, route.target, causes, (reached,), undecided=(doubt,))
    if node.public_address:
        evidence = (reached, f"{node.name} has the public address {node.public_address}")
        return Hop(HopKind.INTERNET_GATEWAY, route.target, causes, evidence)
    proof = (reached, f"{node.name} in {node.subnet_id} has no public IPv4 address")
    fault = Fault(
        PathCause.PUBLIC_IP_MISSING,
        ResourceType.SUBNET,
        node.subnet_id,
        f"The route of subnet {node.subnet_id} is internet gateway {route.target}, and {node.name} has no public IPv4"
        " address, so no answer finds back to it.",
        proof,
        (Fix(subnet_id=node.subnet_id),),
    )
    return Hop(HopKind.INTERNET_GATEWAY, route.target, causes, proof, (fault,))


def _nat_gateway(route: Route, trip: Trip) -> Exit:
    causes = (PathCause.NAT_GATEWAY_UNAVAILABLE, PathCause.NO_ROUTE)
    nat = read(trip.network.nat_gateways, route.target, f"NAT gateway {route.target}")
    if not route.active:
        state = "" if isinstance(nat, Unread) else f" It is in state {nat.state}."
        explanation = f"The route {route} ends in a NAT gateway that is gone.{state}"
        return Exit((_unavailable(route, explanation, (f"route {route} is in state blackhole",)),))
    if isinstance(nat, Unread):
        all_causes = (*causes, PathCause.NETWORK_ACL_BLOCKS_TRAFFIC)
        doubts = tuple(Undecided(cause, nat.reason) for cause in all_causes)
        return Exit((Hop(HopKind.NAT_GATEWAY, route.target, all_causes, undecided=doubts),))
    state = f"{nat.id} is in state {nat.state}"
    if nat.state != "available":
        explanation = f"NAT gateway {nat.id}, where the route {route} ends, is in state {nat.state}."
        hop = _unavailable(route, explanation, (state, f"route {route}"))
    elif nat.public and nat.private_addresses and not nat.public_addresses:
        doubt = Undecided(PathCause.NAT_GATEWAY_UNAVAILABLE, f"{nat.id} shows no public address")
        hop = Hop(HopKind.NAT_GATEWAY, nat.id, causes, (state,), undecided=(doubt,))
    else:
        addresses = ", ".join(nat.public_addresses) or "none"
        hop = Hop(HopKind.NAT_GATEWAY, nat.id, causes, (state, f"its public addresses: {addresses}"))
    if nat.subnet_id is None:
        return Exit((hop,))  # a regional NAT gateway brings its own way to the internet gateway
    return _behind(nat, nat.subnet_id, hop, trip)


def _unavailable(route: Route, explanation: str, evidence: tuple[str, ...]) -> Hop:
    fault = Fault(
        PathCause.NAT_GATEWAY_UNAVAILABLE,
        ResourceType.OTHER,
        route.target,
        explanation,
        evidence,
        (Fix(nat_gateway_id=route.target),),
    )
    looked_for = (PathCause.NAT_GATEWAY_UNAVAILABLE, PathCause.NO_ROUTE)
    return Hop(HopKind.NAT_GATEWAY, route.target, looked_for, evidence, (fault,))


def _behind(nat: NatGateway, subnet_id: str, hop: Hop, trip: Trip) -> Exit:
    """Return the way on from a NAT gateway: its own subnet's route and network ACL."""
    network = trip.network
    table = read(network.route_tables, subnet_id, f"the route table of {subnet_id}")
    if isinstance(table, Unread):
        doubts = (Undecided(PathCause.NO_ROUTE, table.reason),)
        route_hop = Hop(HopKind.ROUTE, subnet_id, (PathCause.NO_ROUTE,), undecided=doubts)
    else:
        found = routing(table, trip.server.addresses, network)
        if not nat.public:
            beyond = next((str(route) for route in found.routes if route.kind not in _GATEWAYS), "")
            if beyond:
                return Exit((hop,), beyond=f"{nat.id} is a private NAT gateway, and its route {beyond} leaves the VPC")
            return Exit((hop,), dead_end=f"{nat.id} is a private NAT gateway, which reaches no public address")
        route_hop = _nat_route(found, subnet_id, nat, network)
    crossings: tuple[Crossing, ...] = client_crossings(subnet_id, trip.server, EPHEMERAL_PORTS)
    if subnet_id != trip.node.subnet_id:
        crossings = (*server_crossings(subnet_id, trip.source), *crossings)
    return Exit((hop, acl_hop(subnet_id, crossings, network), route_hop))


def _loop(route: Route, nat: NatGateway) -> str:
    return f"route {route} leads back to the NAT gateway itself" if route.target == nat.id else ""


def _nat_route(found: Routing, subnet_id: str, nat: NatGateway, network: Network) -> Hop:
    table, proof = found.table, (listed(found.table),)
    dead = {route: _unusable(route, network) or _loop(route, nat) for route in found.routes}
    onward = all(
        route.kind is RouteTarget.INTERNET_GATEWAY and not dead[route] and not _unlisted(route, network)
        for route in found.routes
    )
    if onward and not found.unrouted and not found.unread:
        return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof)
    stuck = all(dead.values()) and not found.unread and (found.unrouted or dead)
    if not stuck:
        routes = "; ".join((*(str(route) for route in found.routes), *found.unread)) or "none"
        reason = f"the way on from {nat.id} in {subnet_id} takes these routes, not all to an internet gateway: {routes}"
        return Hop(
            HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof, undecided=(Undecided(PathCause.NO_ROUTE, reason),)
        )
    why = "; ".join(filter(None, dead.values())) or "it has no route there"
    fault = Fault(
        PathCause.NO_ROUTE,
        ResourceType.SUBNET,
        subnet_id,
        f"NAT gateway {nat.id} is in subnet {subnet_id}, which has no way to the internet: {why}.",
        proof,
        (Fix(route_table_id=table.id, subnet_id=subnet_id, peer="0.0.0.0/0"),),
    )
    return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof, (fault,))
