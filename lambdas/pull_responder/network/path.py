"""The way from a node to a registry, hop by hop. The package's docstring describes the hops and the rules."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import Peer
from pull_responder.network.answer import Hop, HopKind, HopVerdict, Leg, Path, PathCause, Undecided
from pull_responder.network.endpoints import DeadEnd, explain_dead_end, interface_way, state_hop, unreachable_hop
from pull_responder.network.internet import RouteEnd, follow_route
from pull_responder.network.model import (
    Network,
    NodePlace,
    RegistryPlace,
    Route,
    RouteTable,
    RouteTarget,
    VpcEndpoint,
)
from pull_responder.network.network_acls import acl_hop, client_crossings
from pull_responder.network.places import (
    Trip,
    addresses_of,
    anywhere_peer,
    elsewhere_peer,
    inside_peer,
    interfaces_of,
    node_versions,
    private_peer,
)
from pull_responder.network.resolution import Destination, Resolution, destinations, endpoints_of, resolve
from pull_responder.network.routing import Routing, describe, gateway_route, is_gateway_endpoint_route, routing
from pull_responder.network.security_groups import egress_hop

Hops = tuple[Hop, ...]

_ENDPOINT_CAUSES = (
    PathCause.ENDPOINT_MISSING,
    PathCause.ENDPOINT_UNAVAILABLE,
    PathCause.PRIVATE_DNS_DISABLED,
    PathCause.ENDPOINT_BLOCKS_INGRESS,
)
# The analysis can follow routes to these targets. Any other target is outside of what it reads.
_FOLLOWED = {
    RouteTarget.LOCAL,
    RouteTarget.INTERNET_GATEWAY,
    RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY,
    RouteTarget.NAT_GATEWAY,
    RouteTarget.VPC_ENDPOINT,
}


def trace(node: NodePlace, registry: RegistryPlace, network: Network) -> Path:
    """Return the way from `node` to every host that a pull from `registry` talks to."""
    return Path(tuple(_leg(node, destination, network) for destination in destinations(registry)))


def _leg(node: NodePlace, destination: Destination, network: Network) -> Leg:
    trips = [Trip(node, destination, network, version) for version in node_versions(node, network)]
    ways = [hops for trip in trips if (hops := _way(trip))]
    # A client tries both IP versions (RFC 8305), so one that works is enough. If none does, IPv4 is the one to fix.
    legs = [Leg(destination.stage, destination.host, hops) for hops in ways]
    for verdict in (HopVerdict.OK, HopVerdict.UNDECIDED, HopVerdict.FAILED):
        if best := next((leg for leg in legs if leg.verdict is verdict), None):
            return best
    return Leg(destination.stage, destination.host, _no_common_version(node, destination, network))


def _no_common_version(node: NodePlace, destination: Destination, network: Network) -> Hops:
    """Return the hops if the node and the name's addresses have no IP version in common."""
    found = resolve(destination, network)
    if found.endpoint and not found.doubt:
        return found.hop, unreachable_hop(found.endpoint, node)
    reason = f"{node.name} has only IPv6 and {destination.host} only IPv4: DNS64 and NAT64 are not followed"
    doubt = Undecided(PathCause.NO_ROUTE, reason)
    return (found.hop, Hop(HopKind.NODE, node.name, (PathCause.NO_ROUTE,), undecided=(doubt,)))


def _way(trip: Trip) -> Hops:
    """Return the hops of a trip; empty if the name has no address of this IP version."""
    found = resolve(trip.destination, trip.network)
    has_public = trip.version in trip.destination.versions
    ways: list[Hops] = []
    if found.endpoint and _has_address(found.endpoint, trip):
        ways.append(interface_way(trip, found.endpoint))
    if has_public and (not found.endpoint or found.doubt):
        ways.append(_public_way(trip))
    if ways and found.doubt and (found.elsewhere or not found.endpoint):
        ways.append(_unknown_endpoint_way(trip, found))
    if ways and _may_pass_gateway_endpoint(trip):
        ways.append(_first_hops(trip, trip.server))
    return (found.hop, *_combine_ways(ways, found.doubt)) if ways else ()


def _may_pass_gateway_endpoint(trip: Trip) -> bool:
    """Return whether a route leads to a gateway endpoint that was not read. Its traffic goes to public addresses."""
    table, network = trip.table, trip.network
    if trip.destination.service != "s3" or not isinstance(network.endpoints, Unread) or isinstance(table, Unread):
        return False
    return any(route.active and is_gateway_endpoint_route(route, network) for route in table.routes)


def _has_address(endpoint: VpcEndpoint, trip: Trip) -> bool:
    """Return whether an endpoint has an address of the trip's IP version; true if its interfaces are not known."""
    interfaces = interfaces_of(endpoint, trip.network)
    has_one = any(addresses_of(interface.addresses, trip.version) for interface in interfaces)
    return has_one or not interfaces


def _combine_ways(ways: list[Hops], doubt: str) -> Hops:
    """Return the hops of all ways that the traffic may take. A fault becomes undecided unless every way has it."""
    faults = [{(fault.cause, fault.resource_id) for hop in way for fault in hop.faults} for way in ways]
    common = set.intersection(*faults)
    hops = [_keep_faults(hop, common, doubt) for way in ways for hop in way]
    return tuple(dict.fromkeys(hops))


def _keep_faults(hop: Hop, certain: set[tuple[PathCause, str]], doubt: str) -> Hop:
    sure = tuple(fault for fault in hop.faults if (fault.cause, fault.resource_id) in certain)
    unsure = tuple(fault for fault in hop.faults if fault not in sure)
    return replace(replace(hop, faults=unsure).with_faults_undecided(doubt), faults=sure) if unsure else hop


def _unknown_endpoint_way(trip: Trip, found: Resolution) -> Hops:
    """Return the way to an endpoint that was not read. It is in this VPC, or with `elsewhere` in any VPC."""
    peer = (private_peer if found.elsewhere else inside_peer)(trip.network, trip.version)
    causes: tuple[PathCause, ...] = ()
    if isinstance(trip.network.endpoints, Unread) and trip.destination.service:
        s3 = (PathCause.S3_NOT_IN_ROUTE_TABLE,) if trip.destination.service == "s3" else ()
        causes = (*_ENDPOINT_CAUSES, *s3)
    doubts = tuple(Undecided(cause, found.doubt) for cause in causes)
    # No hop for the network ACL: it does not apply if the endpoint is in the node's own subnet.
    out = egress_hop(trip.node, peer, trip.network)
    return (out, Hop(HopKind.ENDPOINT, None, causes, undecided=doubts))


def _first_hops(trip: Trip, peer: Peer, *, all_of_peer: bool = True) -> Hops:
    """Return the first hops of any way: the node's security groups and its subnet's network ACL."""
    subnet = trip.node.subnet_id
    return (
        egress_hop(trip.node, peer, trip.network, all_of_peer=all_of_peer),
        acl_hop(subnet, client_crossings(subnet, peer), trip.network, all_of_peer=all_of_peer),
    )


def _public_way(trip: Trip) -> Hops:
    """Return the way to the destination's public addresses."""
    table, network = trip.table, trip.network
    if isinstance(table, Unread):
        end = explain_dead_end(trip, table.reason)
        open_ = dict.fromkeys(fault.cause for fault in end.faults)
        open_ |= dict.fromkeys((PathCause.NO_ROUTE, PathCause.NAT_GATEWAY_UNAVAILABLE))
        if not trip.node.public_address:
            open_[PathCause.PUBLIC_IP_MISSING] = None
        doubts = tuple(Undecided(cause, table.reason) for cause in open_)
        unread = Hop(HopKind.ROUTE, trip.node.subnet_id, tuple(open_), undecided=doubts)
        # The traffic may go to an endpoint or to a gateway, so the rules must allow both.
        return (*_first_hops(trip, anywhere_peer(trip.destination, network, trip.version)), unread)
    unknown = ""
    for endpoint in endpoints_of(trip.destination, network, "Gateway"):
        route = gateway_route(table, endpoint)
        if route and route.active and trip.version != 4:  # noqa: PLR2004 -- IP version 4
            unknown = f"whether {endpoint.id} takes IPv6 to S3 is not known, and no other route of {table.id} does"
        elif route and route.active:
            evidence = (f"route {route} of {table.id} takes S3's addresses to {endpoint.id}",)
            causes = (PathCause.NO_ROUTE, PathCause.S3_NOT_IN_ROUTE_TABLE, PathCause.ENDPOINT_MISSING)
            hop = Hop(HopKind.ROUTE, table.id, causes, evidence)
            return (*_first_hops(trip, trip.server), hop, state_hop(endpoint))
    if dropped := _blackhole_to_s3(trip, table):
        return _dead_end_way(trip, f"route {dropped} of {table.id} is in state blackhole and drops traffic to S3")
    found = routing(table, trip.server.addresses, network)
    if not found.routes and not found.unread:
        if unknown:
            doubt = Undecided(PathCause.NO_ROUTE, unknown)
            return (Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), undecided=(doubt,)),)
        return _dead_end_way(trip, f"no route of {table.id} leads to {trip.server.name}")
    return _routed_way(trip, found)


def _blackhole_to_s3(trip: Trip, table: RouteTable) -> Route | None:
    """Return a blackhole route for S3's addresses to a gateway endpoint. It wins over the default route."""
    lists = trip.server.prefix_list_ids
    dead = (route for route in table.routes if not route.active and route.destination in lists)
    return next((route for route in dead if is_gateway_endpoint_route(route, trip.network)), None)


def _routed_way(trip: Trip, found: Routing) -> Hops:
    """Return the way over the routes, one or several, that take the public addresses."""
    ends = {route.target: follow_route(route, trip) for route in found.routes}
    if len(ends) == 1 and not found.unrouted and not found.unread:
        (end,) = ends.values()
        if end.dead_end:
            return _dead_end_way(trip, end.dead_end)
        beyond = end.beyond and isinstance(trip.network.private_zones, Unread)
        peer = elsewhere_peer(trip.destination, trip.network, trip.version) if beyond else trip.server
        return (*_first_hops(trip, peer), _route_hop(trip, found.table, end), *end.hops)
    all_work = all(not (end.dead_end or end.beyond) and _ok(end.hops) for end in ends.values())
    hops = tuple(hop for end in ends.values() for hop in end.hops)
    if all_work and not found.unrouted and not found.unread:
        return (*_first_hops(trip, trip.server), _route_hop(trip, found.table, RouteEnd()), *hops)
    routes = "; ".join((*(str(route) for route in found.routes), *found.unread))
    rest = ", and none covers the rest" if found.unrouted else ""
    doubt = f"each of these routes of {found.table.id} covers only part of {trip.server.name}{rest}: {routes}"
    route_hop = _route_hop(trip, found.table, RouteEnd(beyond=doubt))
    return (*_first_hops(trip, trip.server), route_hop, *(hop.with_faults_undecided(doubt) for hop in hops))


def _ok(hops: Hops) -> bool:
    return all(hop.verdict is HopVerdict.OK for hop in hops)


def _route_hop(trip: Trip, table: RouteTable, end: RouteEnd) -> Hop:
    hop = Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), (describe(table),))
    if not end.beyond:
        return hop
    return replace(hop, faults=explain_dead_end(trip, end.beyond).faults).with_faults_undecided(end.beyond)


def _dead_end_way(trip: Trip, why: str) -> Hops:
    """Return the hops if no route leads to public addresses, because of `why`.

    If an endpoint should serve the destination, its hops follow.
    """
    end, table = explain_dead_end(trip, why), trip.table
    resource = trip.node.subnet_id if isinstance(table, Unread) else table.id
    causes = tuple(dict.fromkeys(fault.cause for fault in end.faults))
    hop = Hop(HopKind.ROUTE, resource, causes, (why,), end.faults)
    doubt = _other_dns(trip, end)
    if doubt:
        hop = hop.with_faults_undecided(doubt)
    if end.endpoint is None:
        peer_of = elsewhere_peer if doubt else anywhere_peer
        peer = peer_of(trip.destination, trip.network, trip.version)
        return (*_first_hops(trip, peer, all_of_peer=False), hop)
    if end.endpoint.type == "Gateway":
        return (*_first_hops(trip, trip.server), hop, state_hop(end.endpoint))
    return (hop, *interface_way(trip, end.endpoint))


def _other_dns(trip: Trip, end: DeadEnd) -> str:
    """Return why the name may resolve to a private address, by a hosted zone that was not read; empty if it cannot.

    Organizations often share the endpoints of a central VPC by private hosted zones. A zone matters only if a route
    leaves this VPC for private addresses, or if an endpoint of this VPC has no private DNS of its own.
    """
    zones, table = trip.network.private_zones, trip.table
    if not isinstance(zones, Unread) or isinstance(table, Unread):
        return ""
    away: Route | None = next((route for route in table.routes if route.active and route.kind not in _FOLLOWED), None)
    if any(fault.cause is PathCause.PRIVATE_DNS_DISABLED for fault in end.faults):
        return f"{zones.reason}, so a private hosted zone may resolve {trip.destination.host} to the endpoint"
    if away and end.endpoint is None:
        return f"{zones.reason}, so a private hosted zone may send traffic to {trip.destination.host} over {away}"
    return ""
