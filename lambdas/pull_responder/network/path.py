"""The way from a node to a registry, hop by hop. The package's docstring describes the steps."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import Peer
from pull_responder.network.answer import Hop, HopKind, HopVerdict, Leg, Path, PathCause, Undecided
from pull_responder.network.endpoints import DeadEnd, dead_end, interface_way, state_hop, unreachable_hop
from pull_responder.network.internet import Exit, way_out
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
from pull_responder.network.routing import Routing, gateway_route, is_gateway_endpoint_route, listed, routing
from pull_responder.network.security_groups import egress_hop

Hops = tuple[Hop, ...]

_ENDPOINT_CAUSES = (
    PathCause.ENDPOINT_MISSING,
    PathCause.ENDPOINT_UNAVAILABLE,
    PathCause.PRIVATE_DNS_DISABLED,
    PathCause.ENDPOINT_BLOCKS_INGRESS,
)
# Routes to these keep the traffic where it can be followed.
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
    # A client tries both IP versions (RFC 8305): one that works is enough, and IPv4 is the one to repair.
    legs = [Leg(destination.stage, destination.host, hops) for hops in ways]
    for verdict in (HopVerdict.OK, HopVerdict.UNDECIDED, HopVerdict.FAILED):
        if best := next((leg for leg in legs if leg.verdict is verdict), None):
            return best
    return Leg(destination.stage, destination.host, _no_common_version(node, destination, network))


def _no_common_version(node: NodePlace, destination: Destination, network: Network) -> Hops:
    """Return the hops of a node that speaks none of the IP versions that the name leads to."""
    found = resolve(destination, network)
    if found.endpoint and not found.doubt:
        return found.hop, unreachable_hop(found.endpoint, node)
    reason = f"{node.name} has only IPv6 and {destination.host} only IPv4: DNS64 and NAT64 are not followed"
    doubt = Undecided(PathCause.NO_ROUTE, reason)
    return (found.hop, Hop(HopKind.NODE, node.name, (PathCause.NO_ROUTE,), undecided=(doubt,)))


def _way(trip: Trip) -> Hops:
    """Return the hops of a trip; none where the name leads to no address of this IP version."""
    found = resolve(trip.destination, trip.network)
    has_public = trip.version in trip.destination.versions
    ways: list[Hops] = []
    if found.endpoint and _speaks(found.endpoint, trip):
        ways.append(interface_way(trip, found.endpoint))
    if has_public and (not found.endpoint or found.doubt):
        ways.append(_public_way(trip))
    if ways and found.doubt and (found.elsewhere or not found.endpoint):
        ways.append(_unknown_endpoint_way(trip, found))
    return (found.hop, *_either(ways, found.doubt)) if ways else ()


def _speaks(endpoint: VpcEndpoint, trip: Trip) -> bool:
    interfaces = interfaces_of(endpoint, trip.network)
    speaks = any(addresses_of(interface.addresses, trip.version) for interface in interfaces)
    return speaks or not interfaces


def _either(ways: list[Hops], doubt: str) -> Hops:
    """Return the hops of all ways the traffic may take: a fault stays one only where every way shows it."""
    shown = [{(fault.cause, fault.resource_id) for hop in way for fault in hop.faults} for way in ways]
    common = set.intersection(*shown)
    hops = [_keep(hop, common, doubt) for way in ways for hop in way]
    return tuple(dict.fromkeys(hops))


def _keep(hop: Hop, certain: set[tuple[PathCause, str]], doubt: str) -> Hop:
    sure = tuple(fault for fault in hop.faults if (fault.cause, fault.resource_id) in certain)
    unsure = tuple(fault for fault in hop.faults if fault not in sure)
    return replace(replace(hop, faults=unsure).doubted(doubt), faults=sure) if unsure else hop


def _unknown_endpoint_way(trip: Trip, found: Resolution) -> Hops:
    """Return the way to an endpoint of which nothing is known but, at most, that it would be in the VPC."""
    peer = (private_peer if found.elsewhere else inside_peer)(trip.network, trip.version)
    causes: tuple[PathCause, ...] = ()
    if isinstance(trip.network.endpoints, Unread) and trip.destination.service:
        s3 = (PathCause.S3_NOT_IN_ROUTE_TABLE,) if trip.destination.service == "s3" else ()
        causes = (*_ENDPOINT_CAUSES, *s3)
    doubts = tuple(Undecided(cause, found.doubt) for cause in causes)
    # No network ACL: the endpoint might be in the node's own subnet.
    out = egress_hop(trip.node, peer, trip.network)
    return (out, Hop(HopKind.ENDPOINT, None, causes, undecided=doubts))


def _departure(trip: Trip, peer: Peer, *, settled: bool = True) -> Hops:
    """Return the first hops of any way: the node's security groups and its subnet's network ACL."""
    subnet = trip.node.subnet_id
    return (
        egress_hop(trip.node, peer, trip.network, settled=settled),
        acl_hop(subnet, client_crossings(subnet, peer), trip.network, settled=settled),
    )


def _public_way(trip: Trip) -> Hops:
    """Return the way to the destination's public addresses."""
    table, network = trip.table, trip.network
    if isinstance(table, Unread):
        end = dead_end(trip, table.reason)
        open_ = dict.fromkeys(fault.cause for fault in end.faults)
        open_ |= dict.fromkeys((PathCause.NO_ROUTE, PathCause.NAT_GATEWAY_UNAVAILABLE))
        if not trip.node.public_address:
            open_[PathCause.PUBLIC_IP_MISSING] = None
        doubts = tuple(Undecided(cause, table.reason) for cause in open_)
        unread = Hop(HopKind.ROUTE, trip.node.subnet_id, tuple(open_), undecided=doubts)
        # Which endpoint or gateway the traffic will meet is open, so rules have to let out both kinds of it.
        return (*_departure(trip, anywhere_peer(trip.destination, network, trip.version)), unread)
    untold = ""
    for endpoint in endpoints_of(trip.destination, network, "Gateway"):
        route = gateway_route(table, endpoint)
        if route and route.active and trip.version != 4:  # noqa: PLR2004 -- IP version 4
            untold = f"whether {endpoint.id} takes IPv6 to S3 is not known, and no other route of {table.id} does"
        elif route and route.active:
            evidence = (f"route {route} of {table.id} takes S3's addresses to {endpoint.id}",)
            causes = (PathCause.NO_ROUTE, PathCause.S3_NOT_IN_ROUTE_TABLE, PathCause.ENDPOINT_MISSING)
            hop = Hop(HopKind.ROUTE, table.id, causes, evidence)
            return (*_departure(trip, trip.server), hop, state_hop(endpoint))
    if dropped := _dropping(trip, table):
        return _stuck(trip, f"route {dropped} of {table.id} drops S3's addresses")
    found = routing(table, trip.server.addresses, network)
    if not found.routes and not found.unread:
        if untold:
            return (
                Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), undecided=(Undecided(PathCause.NO_ROUTE, untold),)),
            )
        return _stuck(trip, f"no route of {table.id} leads to {trip.server.name}")
    return _routed(trip, found)


def _dropping(trip: Trip, table: RouteTable) -> Route | None:
    """Return a route to a gateway endpoint that takes S3's addresses nowhere: it wins over the default route."""
    lists = trip.server.prefix_list_ids
    dead = (route for route in table.routes if not route.active and route.destination in lists)
    return next((route for route in dead if is_gateway_endpoint_route(route, trip.network)), None)


def _routed(trip: Trip, found: Routing) -> Hops:
    """Return the way over the routes that take the public addresses, one or several."""
    exits = {route.target: way_out(route, trip) for route in found.routes}
    if len(exits) == 1 and not found.unrouted and not found.unread:
        (exit_,) = exits.values()
        if exit_.dead_end:
            return _stuck(trip, exit_.dead_end)
        beyond = exit_.beyond and isinstance(trip.network.private_zones, Unread)
        peer = elsewhere_peer(trip.destination, trip.network, trip.version) if beyond else trip.server
        return (*_departure(trip, peer), _route_hop(trip, found.table, exit_), *exit_.hops)
    clean = all(not (way.dead_end or way.beyond) and _ok(way.hops) for way in exits.values())
    hops = tuple(hop for way in exits.values() for hop in way.hops)
    if clean and not found.unrouted and not found.unread:
        return (*_departure(trip, trip.server), _route_hop(trip, found.table, Exit()), *hops)
    routes = "; ".join((*(str(route) for route in found.routes), *found.unread))
    rest = ", the rest of it none" if found.unrouted else ""
    doubt = f"only a part of {trip.server.name} takes each of these routes of {found.table.id}{rest}: {routes}"
    route_hop = _route_hop(trip, found.table, Exit(beyond=doubt))
    return (*_departure(trip, trip.server), route_hop, *(hop.doubted(doubt) for hop in hops))


def _ok(hops: Hops) -> bool:
    return all(hop.verdict is HopVerdict.OK for hop in hops)


def _route_hop(trip: Trip, table: RouteTable, exit_: Exit) -> Hop:
    hop = Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), (listed(table),))
    if not exit_.beyond:
        return hop
    return replace(hop, faults=dead_end(trip, exit_.beyond).faults).doubted(exit_.beyond)


def _stuck(trip: Trip, why: str) -> Hops:
    """Return the hops of a way that no route continues, with what the endpoint that should serve shows beside."""
    end, table = dead_end(trip, why), trip.table
    resource = trip.node.subnet_id if isinstance(table, Unread) else table.id
    causes = tuple(dict.fromkeys(fault.cause for fault in end.faults))
    hop = Hop(HopKind.ROUTE, resource, causes, (why,), end.faults)
    doubt = _other_dns(trip, end)
    if doubt:
        hop = hop.doubted(doubt)
    if end.endpoint is None:
        peer_of = elsewhere_peer if doubt else anywhere_peer
        peer = peer_of(trip.destination, trip.network, trip.version)
        return (*_departure(trip, peer, settled=False), hop)
    if end.endpoint.type == "Gateway":
        return (*_departure(trip, trip.server), hop, state_hop(end.endpoint))
    return (hop, *interface_way(trip, end.endpoint))


def _other_dns(trip: Trip, end: DeadEnd) -> str:
    """Return why a name may yet lead to a private address that nothing read here shows; empty where it cannot.

    Organizations often share endpoints of a central VPC by private hosted zones. They matter only where a route leaves
    this VPC for private addresses, or where an endpoint here has no private DNS of its own.
    """
    zones, table = trip.network.private_zones, trip.table
    if not isinstance(zones, Unread) or isinstance(table, Unread):
        return ""
    away: Route | None = next((route for route in table.routes if route.active and route.kind not in _FOLLOWED), None)
    if any(fault.cause is PathCause.PRIVATE_DNS_DISABLED for fault in end.faults):
        return f"{zones.reason}, so a private hosted zone may lead {trip.destination.host} to the endpoint"
    if away and end.endpoint is None:
        return f"{zones.reason}, so a private hosted zone may lead {trip.destination.host} over the route {away}"
    return ""
