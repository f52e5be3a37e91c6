"""The ways to public addresses: internet gateway, egress-only internet gateway, NAT gateway, and routes out of the VPC.

Sources: Amazon VPC User Guide, "Enable internet access for a VPC using an internet gateway" (a public address is
needed for IPv4), "NAT gateway basics", "DNS64 and NAT64", "Enable outbound IPv6 traffic using an egress-only internet
gateway" (a NAT gateway is for IPv4) and "Troubleshoot NAT gateways" (a public NAT gateway needs a subnet with a route
to an internet gateway, and ACLs that let both sides through), "Regional NAT gateways" (they have no subnet).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import NAT64_BLOCK
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import InternetGateway, NatGateway, Network, Route, RouteTarget, read
from pull_responder.network.nat_firewall import answers_past, behind_firewall, firewall_behind
from pull_responder.network.network_acls import EPHEMERAL_PORTS, Crossing, acl_hop, client_crossings, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import Trip
from pull_responder.network.public_access import public_access_doubt
from pull_responder.network.return_route import answers_elsewhere
from pull_responder.network.routing import Routing, describe, routing
from pull_responder.network.unfollowed import beyond

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.network.firewall_way import Through

_IPV4: Final = 4
_GATEWAYS: Final = {RouteTarget.INTERNET_GATEWAY, RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY}
# AWS Outposts User Guide, "Local gateways"; AWS Wavelength Developer Guide, "How AWS Wavelength works" (a carrier
# gateway translates between an instance's own address and its carrier IP address).
_BEHIND: Final = {
    RouteTarget.LOCAL_GATEWAY: (
        "In the account that owns the Outpost, look at the routes of {target} (`aws ec2 search-local-gateway-routes`),"
        " and in your own network at the way from there to the registry and back."
    ),
    RouteTarget.CARRIER_GATEWAY: (
        "See whether the node has a carrier IP address (Association.CarrierIp of `aws ec2"
        " describe-network-interfaces`): nothing comes back through {target} to a node without one."
    ),
}


@dataclass(frozen=True, slots=True)
class RouteEnd:
    """Where a route leads.

    - `hops`: the hops from here to public addresses.
    - `dead_end`: why the route leads nowhere, in words; else empty.
    - `beyond`: that the route leads to something that cannot be read, in words; else empty.
    """

    hops: tuple[Hop, ...] = ()
    dead_end: str = ""
    beyond: str = ""


def follow_route(route: Route, trip: Trip) -> RouteEnd:
    """Return where the node's route to public addresses leads."""
    if route.kind is RouteTarget.NAT_GATEWAY and trip.version == _IPV4:
        return _nat_gateway(route, trip)
    if problem := _untranslated(route) or _problem(route, trip.network):
        return RouteEnd(dead_end=problem)
    if reason := _doubt(route, trip.network):
        doubt = Undecided(PathCause.NO_ROUTE, reason)
        return RouteEnd((Hop(HopKind.INTERNET_GATEWAY, route.target, (PathCause.NO_ROUTE,), undecided=(doubt,)),))
    if route.kind is RouteTarget.INTERNET_GATEWAY:
        # Behind a firewall, `egress` looks at the answers.
        past = "" if trip.came_from else answers_elsewhere(route.target, trip.network, trip.source)
        return RouteEnd((_with_doubt(_if_public(_internet_gateway(route, trip), trip), past),))
    if route.kind is RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY:
        hop = Hop(HopKind.INTERNET_GATEWAY, route.target, (PathCause.NO_ROUTE,), (f"route {route} is active",))
        return RouteEnd((_if_public(hop, trip, outbound_only=True),))
    found, step = beyond(route), _BEHIND.get(route.kind, "").format(target=route.target)
    return RouteEnd(beyond=Reason(str(found), step) if step else found)


def _untranslated(route: Route) -> str:
    """Return why a route for IPv6 leads nowhere: it leads to a NAT gateway. Empty if it does not."""
    if route.kind is not RouteTarget.NAT_GATEWAY:
        return ""
    return f"route {route} leads to a NAT gateway, which takes no IPv6 but what it translates ({NAT64_BLOCK})"


def _problem(route: Route, network: Network) -> str:
    """Return why a route does not lead to public addresses; empty if it may."""
    if not route.active:
        return f"route {route} leads to {route.kind.with_article} that is not available"
    if route.kind is RouteTarget.LOCAL:
        return f"route {route} stays in the VPC"
    gateway = read(_gateways(route, network), route.target, route.target)
    if isinstance(gateway, Unread) or isinstance(network.vpc, Unread):
        return ""  # a route to a gateway is active only if the gateway is attached
    return "" if gateway.vpc_id == network.vpc.id else f"{gateway.id} is not attached to {network.vpc.id}"


def _doubt(route: Route, network: Network) -> str:
    """Return a reason to doubt an active route: EC2 does not list its gateway. Empty if it does."""
    gateways = _gateways(route, network)
    if route.kind not in _GATEWAYS or isinstance(gateways, Unread) or route.target in gateways:
        return ""
    return Reason(
        f"route {route} is active, but EC2 does not list the gateway {route.target}",
        f"Look for {route.target} in the VPC console of the account that owns the VPC.",
    )


def _gateways(route: Route, network: Network) -> Mapping[str, InternetGateway] | Unread:
    """Return the gateways to the internet among which a route's target is, if it is one of these."""
    return network.internet_gateways if route.kind is RouteTarget.INTERNET_GATEWAY else network.egress_only_gateways


def _if_public(hop: Hop, trip: Trip, *, subnet_id: str = "", outbound_only: bool = False) -> Hop:
    """Return the hop, undecided if VPC Block Public Access may stop the subnet's traffic, the node's by default."""
    doubt = public_access_doubt(subnet_id or trip.node.subnet_id, trip.network, outbound_only=outbound_only)
    return _with_doubt(hop, doubt)


def _with_doubt(hop: Hop, doubt: str) -> Hop:
    return replace(hop, undecided=(*hop.undecided, Undecided(PathCause.NO_ROUTE, doubt))) if doubt else hop


def _internet_gateway(route: Route, trip: Trip) -> Hop:
    node, causes = trip.node, (PathCause.NO_ROUTE, PathCause.PUBLIC_IP_MISSING)
    reached = f"route {route} is active"
    if trip.version != _IPV4:
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
        f"Subnet {node.subnet_id} routes to internet gateway {route.target}, but {node.name} has no public IPv4"
        " address, so no response reaches it.",
        proof,
        (Fix(subnet_id=node.subnet_id),),
    )
    return Hop(HopKind.INTERNET_GATEWAY, route.target, causes, proof, (fault,))


def nat_gateway_hop(route: Route, network: Network) -> Hop:
    """Return whether the NAT gateway of a route is available, whatever lies behind it."""
    causes = (PathCause.NAT_GATEWAY_UNAVAILABLE, PathCause.NO_ROUTE)
    nat = read(network.nat_gateways, route.target, f"NAT gateway {route.target}")
    if not route.active:
        state = "" if isinstance(nat, Unread) else f" It is in state {nat.state}."
        explanation = f"The route {route} leads to a NAT gateway that is no longer available.{state}"
        return _unavailable(route, explanation, (f"route {route} is in state blackhole",))
    if isinstance(nat, Unread):
        all_causes = (*causes, PathCause.NETWORK_ACL_BLOCKS_TRAFFIC)
        doubts = tuple(Undecided(cause, nat.reason) for cause in all_causes)
        return Hop(HopKind.NAT_GATEWAY, route.target, all_causes, undecided=doubts)
    state = f"{nat.id} is in state {nat.state}"
    if nat.state != "available":
        explanation = f"The route {route} leads to NAT gateway {nat.id}, which is in state {nat.state}."
        return _unavailable(route, explanation, (state, f"route {route}"))
    addresses = ", ".join(nat.public_addresses) or "none"
    return Hop(HopKind.NAT_GATEWAY, nat.id, causes, (state, f"its public addresses: {addresses}"))


def _nat_gateway(route: Route, trip: Trip) -> RouteEnd:
    hop = nat_gateway_hop(route, trip.network)
    nat = read(trip.network.nat_gateways, route.target, f"NAT gateway {route.target}")
    if isinstance(nat, Unread) or not route.active:
        return RouteEnd((hop,))
    if not hop.faults and nat.public and nat.private_addresses and not nat.public_addresses:
        doubt = Undecided(
            PathCause.NAT_GATEWAY_UNAVAILABLE,
            Reason(
                f"EC2 lists no public address of {nat.id}",
                f"Look at the Elastic IP addresses of {nat.id} in the VPC console.",
            ),
        )
        hop = replace(hop, evidence=hop.evidence[:1], undecided=(doubt,))
    if nat.subnet_id is None:
        # A regional NAT gateway has its own way to the internet gateway. Inference: with no subnet of its own, its
        # traffic is stopped where the node's is.
        return RouteEnd((_if_in_zone(_if_public(hop, trip, outbound_only=True), nat, trip),))
    return _beyond_nat_gateway(nat, nat.subnet_id, hop, trip)


def _if_in_zone(hop: Hop, nat: NatGateway, trip: Trip) -> Hop:
    """Return the hop, undecided if a regional NAT gateway whose zones are kept by hand has none where the traffic is.

    Source: EC2 API Reference, CreateNatGateway, AvailabilityZoneAddresses ("auto-expansion is disabled and you must
    manually manage AZ coverage"). What happens to traffic of other zones is not documented there; Reachability Analyzer
    has the code REGIONAL_NGW_ROUTE_AZ_RESTRICTION for it.
    """
    subnet = read(trip.network.subnets, trip.node.subnet_id, trip.node.subnet_id)
    if not nat.zones or hop.faults or isinstance(subnet, Unread) or not subnet.availability_zone:
        return hop
    if {subnet.availability_zone, subnet.zone_id} & set(nat.zones):
        return hop
    reason = Reason(
        f"regional NAT gateway {nat.id} has addresses in {', '.join(nat.zones)} and does not expand by itself, and"
        f" {subnet.id} is in {subnet.availability_zone}",
        f"Associate an Elastic IP address for {subnet.availability_zone} with {nat.id} in the VPC console.",
    )
    return replace(hop, undecided=(*hop.undecided, Undecided(PathCause.NAT_GATEWAY_UNAVAILABLE, reason)))


def _unavailable(route: Route, explanation: str, evidence: tuple[str, ...]) -> Hop:
    fault = Fault(
        PathCause.NAT_GATEWAY_UNAVAILABLE,
        ResourceType.OTHER,
        route.target,
        explanation,
        evidence,
        (Fix(nat_gateway_id=route.target),),
    )
    causes = (PathCause.NAT_GATEWAY_UNAVAILABLE, PathCause.NO_ROUTE)
    return Hop(HopKind.NAT_GATEWAY, route.target, causes, evidence, (fault,))


def _beyond_nat_gateway(nat: NatGateway, subnet_id: str, hop: Hop, trip: Trip) -> RouteEnd:
    """Return the way on from a NAT gateway: the route and the network ACL of its own subnet. `hop` is its own hop."""
    network = trip.network
    table = read(network.route_tables, subnet_id, f"the route table of {subnet_id}")
    if isinstance(table, Unread):
        doubts = (Undecided(PathCause.NO_ROUTE, table.reason),)
        route_hop = Hop(HopKind.ROUTE, subnet_id, (PathCause.NO_ROUTE,), undecided=doubts)
    else:
        found = routing(table, trip.server.addresses, network)
        if not nat.public:
            away = next((route for route in found.routes if route.kind not in _GATEWAYS), None)
            if away:
                words = Reason(
                    f"{nat.id} is a private NAT gateway, and its route {away} leaves the VPC", behind(away.target)
                )
                return RouteEnd((hop,), beyond=words)
            return RouteEnd((hop,), dead_end=f"{nat.id} is a private NAT gateway, which reaches no public address")
        if through := firewall_behind(found, nat, subnet_id, trip):
            return _through(through, nat, subnet_id, hop, trip)
        route_hop = _nat_route(found, subnet_id, nat, network)
        if not route_hop.faults:
            route_hop = _if_public(route_hop, trip, subnet_id=subnet_id, outbound_only=True)
            route_hop = _with_doubt(route_hop, answers_past(found, nat, subnet_id, trip))
    return RouteEnd((hop, _nat_acl(subnet_id, trip), route_hop))


def _nat_acl(subnet_id: str, trip: Trip) -> Hop:
    crossings: tuple[Crossing, ...] = client_crossings(subnet_id, trip.server, EPHEMERAL_PORTS)
    if subnet_id != trip.node.subnet_id:
        crossings = (*server_crossings(subnet_id, trip.source), *crossings)
    return acl_hop(subnet_id, crossings, trip.network)


def _through(through: Through, nat: NatGateway, subnet_id: str, hop: Hop, trip: Trip) -> RouteEnd:
    """Return the way on from a NAT gateway through a firewall in front of the internet gateway."""
    hops = (hop, _nat_acl(subnet_id, trip), *through.hops)
    table = read(trip.network.route_tables, through.subnet_id, through.subnet_id)
    if isinstance(table, Unread):
        return RouteEnd(hops, beyond=through.beyond)
    route_hop = _nat_route(routing(table, trip.server.addresses, trip.network), through.subnet_id, nat, trip.network)
    if not route_hop.faults:
        route_hop = _if_public(route_hop, trip, subnet_id=subnet_id, outbound_only=True)
    return RouteEnd((*hops, route_hop, *behind_firewall(through, nat, subnet_id, trip)))


def _loop(route: Route, nat: NatGateway) -> str:
    return f"route {route} leads back to the NAT gateway itself" if route.target == nat.id else ""


def _nat_route(found: Routing, subnet_id: str, nat: NatGateway, network: Network) -> Hop:
    """Return the hop for the route that the subnet of a NAT gateway has to public addresses."""
    table, proof = found.table, (describe(found.table),)
    problems = {route: _problem(route, network) or _loop(route, nat) for route in found.routes}
    all_work = all(
        route.kind is RouteTarget.INTERNET_GATEWAY and not problems[route] and not _doubt(route, network)
        for route in found.routes
    )
    if all_work and not found.unrouted and not found.unread:
        return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof)
    none_works = all(problems.values()) and not found.unread and (found.unrouted or problems)
    if not none_works:
        routes = "; ".join((*(str(route) for route in found.routes), *found.unread))
        reason = Reason(
            f"the traffic leaves {nat.id} in {subnet_id} by these routes, not all to an internet gateway: {routes}",
            f"Look at the routes of {table.id} in the VPC console, by which {nat.id} reaches the internet.",
        )
        return Hop(
            HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof, undecided=(Undecided(PathCause.NO_ROUTE, reason),)
        )
    why = "; ".join(filter(None, problems.values())) or "it has no route there"
    fault = Fault(
        PathCause.NO_ROUTE,
        ResourceType.SUBNET,
        subnet_id,
        f"NAT gateway {nat.id} {'is in' if nat.subnet_id == subnet_id else 'sends its traffic to'} subnet {subnet_id},"
        f" which has no route to the internet: {why}.",
        proof,
        (Fix(route_table_id=table.id, subnet_id=subnet_id, peer="0.0.0.0/0"),),
    )
    return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof, (fault,))
