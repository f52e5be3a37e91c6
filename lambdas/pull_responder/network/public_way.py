"""The way to the public addresses of a destination."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.model.reason import Reason, reword, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import Peer
from pull_responder.network.answer import Hop, HopKind, HopVerdict, PathCause, Undecided
from pull_responder.network.crossing import leads_to_neighbour, unless_shared
from pull_responder.network.egress import egress_end
from pull_responder.network.endpoints import DeadEnd, explain_dead_end, interface_way, state_hop, takes_version
from pull_responder.network.internet import RouteEnd
from pull_responder.network.model import Route, RouteTable
from pull_responder.network.network_acls import acl_hop, client_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import Trip, anywhere_peer, elsewhere_peer
from pull_responder.network.resolution import Resolution, endpoints_of, resolve
from pull_responder.network.routing import (
    Routing,
    away_route,
    describe,
    gateway_route,
    is_gateway_endpoint_route,
    routing,
)
from pull_responder.network.security_groups import egress_hop

Hops = tuple[Hop, ...]


def first_hops(trip: Trip, peer: Peer, *, all_of_peer: bool = True) -> Hops:
    """Return the first hops of any way: the node's security groups and its subnet's network ACL."""
    subnet = trip.node.subnet_id
    return (
        egress_hop(trip.node, peer, trip.network, all_of_peer=all_of_peer),
        acl_hop(subnet, client_crossings(subnet, peer), trip.network, all_of_peer=all_of_peer),
    )


def public_way(trip: Trip) -> Hops:
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
        return (*first_hops(trip, anywhere_peer(trip.destination, network, trip.version)), unread)
    unknown = ""
    for endpoint in endpoints_of(trip.destination, network, "Gateway"):
        route = gateway_route(table, endpoint)
        takes = takes_version(endpoint, trip.version)
        if route and route.active and takes is None:
            unknown = Reason(
                f"whether {endpoint.id} takes IPv6 to S3 is not known, and no other route of {table.id} does",
                f"On the node, run `curl -6 -v https://{trip.destination.host}` and see whether it connects.",
            )
        elif route and route.active and takes:
            evidence = (f"route {route} of {table.id} takes S3's addresses to {endpoint.id}",)
            causes = (PathCause.NO_ROUTE, PathCause.S3_NOT_IN_ROUTE_TABLE, PathCause.ENDPOINT_MISSING)
            hop = Hop(HopKind.ROUTE, table.id, causes, evidence)
            # If something unread may answer for the name, it may lead over another route to a private address.
            names = "" if trip.dialled else resolve(trip.destination, network).other.unread
            away = elsewhere_peer(trip.destination, network, trip.version) if names and away_route(table) else None
            return (*first_hops(trip, away or trip.server), hop, state_hop(endpoint))
    if dropped := _blackhole_to_s3(trip, table):
        why = f"route {dropped} of {table.id} is in state blackhole and drops traffic to S3"
        return _dead_end_way(trip, table, why)
    found = routing(table, trip.server.addresses, network)
    if not found.routes and not found.unread:
        if unknown:
            doubt = Undecided(PathCause.NO_ROUTE, unknown)
            return (Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), undecided=(doubt,)),)
        return _dead_end_way(trip, table, f"no route of {table.id} leads to {trip.server.name}")
    return _routed_way(trip, found)


def _blackhole_to_s3(trip: Trip, table: RouteTable) -> Route | None:
    """Return a blackhole route for S3's addresses to a gateway endpoint. It wins over the default route."""
    lists = trip.server.prefix_list_ids
    dead = (route for route in table.routes if not route.active and route.destination in lists)
    return next((route for route in dead if is_gateway_endpoint_route(route, trip.network)), None)


def _routed_way(trip: Trip, found: Routing) -> Hops:
    """Return the way over the routes, one or several, that take the public addresses."""
    ends = {route.target: egress_end(route, trip) for route in found.routes}
    if len(ends) == 1 and not found.unrouted and not found.unread:
        (end,) = ends.values()
        if end.dead_end:
            return _dead_end_way(trip, found.table, end.dead_end)
        unread = "" if trip.dialled else resolve(trip.destination, trip.network).other.unread
        is_away = bool(end.beyond) or leads_to_neighbour(found.routes[0])
        peer = elsewhere_peer(trip.destination, trip.network, trip.version) if unread and is_away else trip.server
        out, across = first_hops(trip, peer)
        across = unless_shared(across, found.routes[0], trip.network, trip.node.subnet_id)
        onward = _if_name_leads_there(end.hops, unread, trip) if is_away else end.hops
        return (out, across, _route_hop(trip, found.table, end), *onward)
    all_work = all(not (end.dead_end or end.beyond) and _ok(end.hops) for end in ends.values())
    hops = tuple(hop for end in ends.values() for hop in end.hops)
    if all_work and not found.unrouted and not found.unread:
        return (*first_hops(trip, trip.server), _route_hop(trip, found.table, RouteEnd()), *hops)
    routes = "; ".join((*(str(route) for route in found.routes), *found.unread))
    rest = ", and none covers the rest" if found.unrouted else ""
    doubt = Reason(
        f"each of these routes of {found.table.id} covers only part of {trip.server.name}{rest}: {routes}",
        f"Compare what `nslookup {trip.destination.host}` gives on the node with the routes of {found.table.id}.",
    )
    route_hop = _route_hop(trip, found.table, RouteEnd(beyond=doubt))
    return (*first_hops(trip, trip.server), route_hop, *(hop.with_faults_undecided(doubt) for hop in hops))


def _if_name_leads_there(hops: Hops, unread: str, trip: Trip) -> Hops:
    """Return the hops beyond the VPC, undecided if something unread may lead the name to a private address there."""
    if not unread:
        return hops
    doubt = reword(unread, f"{unread}, so {trip.destination.host} may lead to another address behind the same route")
    return tuple(hop.with_faults_undecided(doubt) for hop in hops)


def _ok(hops: Hops) -> bool:
    return all(hop.verdict is HopVerdict.OK for hop in hops)


def _route_hop(trip: Trip, table: RouteTable, end: RouteEnd) -> Hop:
    hop = Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), (describe(table),))
    if not end.beyond:
        return hop
    return replace(hop, faults=explain_dead_end(trip, end.beyond).faults).with_faults_undecided(end.beyond)


def _dead_end_way(trip: Trip, table: RouteTable, why: str) -> Hops:
    """Return the hops if no route of the node's `table` leads to public addresses, because of `why`.

    If an endpoint should serve the destination, its hops follow.
    """
    end = explain_dead_end(trip, why)
    causes = tuple(dict.fromkeys(fault.cause for fault in end.faults))
    hop = Hop(HopKind.ROUTE, table.id, causes, (why,), end.faults)
    doubt = _other_dns(trip, table, end)
    if doubt:
        hop = hop.with_faults_undecided(doubt)
    if end.endpoint is None:
        peer_of = elsewhere_peer if doubt else anywhere_peer
        peer = peer_of(trip.destination, trip.network, trip.version)
        return (*first_hops(trip, peer, all_of_peer=False), hop)
    if end.endpoint.type == "Gateway":
        return (*first_hops(trip, trip.server), hop, state_hop(end.endpoint))
    return (hop, *interface_way(trip, end.endpoint))


def _other_dns(trip: Trip, table: RouteTable, end: DeadEnd) -> str:
    """Return why the name may resolve to a private address, by something that was not read; empty if it cannot.

    Organizations often share the endpoints of a central VPC by private hosted zones, Profiles or Resolver rules. These
    matter only if a route leaves this VPC for private addresses, or if an endpoint of this VPC has no private DNS of
    its own.
    """
    host = trip.destination.host
    found, away = resolve(trip.destination, trip.network), away_route(table)
    unread = found.other.unread
    if unread and any(fault.cause is PathCause.PRIVATE_DNS_DISABLED for fault in end.faults):
        return reword(unread, f"{unread}, so a private hosted zone may resolve {host} to the endpoint")
    if away is None or end.endpoint is not None:
        return ""
    if found.other.shown:
        return doubt_with_next_step(trip, found)
    if unread:
        return reword(
            unread, f"{unread}, so a private hosted zone or a Resolver rule may send traffic to {host} over {away}"
        )
    return reword(trip.hint, f"{trip.hint}, and {host} may lead over {away}, too") if trip.hint else ""


def doubt_with_next_step(trip: Trip, found: Resolution) -> str:
    """Return the doubt of a name. If somebody else answers for it, say where to look next."""
    away = None if isinstance(trip.table, Unread) else away_route(trip.table)
    if not (found.other.shown and away):
        return found.doubt
    return Reason(
        f"{found.doubt}. Look there, and at {away.target}, over which {away} leads to other networks",
        *steps_of(found.doubt),
        behind(away.target),
    )
