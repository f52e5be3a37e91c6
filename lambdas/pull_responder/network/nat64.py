"""The way of a node over IPv6 to a host that has IPv4 addresses alone: DNS64 and a NAT gateway that translates.

Sources: Amazon VPC User Guide, "DNS64 and NAT64" (in a subnet with DNS64, Amazon's DNS server makes addresses of
64:ff9b::/96 for names without IPv6 addresses; a route for them has to lead to a NAT gateway, which reaches hosts of the
internet, of connected VPCs, and of other subnets of the same VPC); RFC 6052, "Well-Known Prefix".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import NAT64_BLOCK, Peer, synthesized, translated
from pull_responder.network.alternatives import combine_ways
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.dialled import Leads, read_address
from pull_responder.network.endpoints import interface_way
from pull_responder.network.internet import follow_route, nat_gateway_hop
from pull_responder.network.model import Network, NodePlace, Route, RouteTable, RouteTarget, read
from pull_responder.network.name_hop import name_hop, unread_answers
from pull_responder.network.names import other_servers
from pull_responder.network.network_acls import acl_hop, client_crossings, server_crossings
from pull_responder.network.next_steps import behind, connect
from pull_responder.network.places import Trip, endpoint_peer
from pull_responder.network.resolution import resolve
from pull_responder.network.routing import Routing, describe, routing
from pull_responder.network.security_groups import egress_hop

if TYPE_CHECKING:
    from pull_responder.network.model import VpcEndpoint
    from pull_responder.network.resolution import Destination, Resolution

Hops = tuple[Hop, ...]

_CAUSES: Final = (PathCause.NO_ROUTE,)
# Inference (RFC 6052): the prefix is no destination of the internet, so its gateways drop what is for it.
_NOT_TRANSLATING: Final = {
    RouteTarget.LOCAL,
    RouteTarget.INTERNET_GATEWAY,
    RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY,
}


def may_translate(trip: Trip) -> bool:
    """Return whether DNS64 answers for names that have IPv4 addresses alone: in the node's subnet, or as was seen.

    With DNS servers of one's own, that is not known before a failure shows it.
    """
    if trip.dialled:
        return bool(translated(trip.dialled))
    subnet = read(trip.network.subnets, trip.node.subnet_id, trip.node.subnet_id)
    return not isinstance(subnet, Unread) and subnet.dns64 and not other_servers(trip.network)


def nat64_way(trip: Trip) -> Hops:
    """Return the hops over a NAT gateway that translates, to a name that has no IPv6 addresses of its own."""
    found = resolve(trip.destination, trip.network)
    reading = read_address(as_ipv4(trip), found)
    name = name_hop(trip, found)
    name = replace(name, evidence=(*name.evidence, _whose_addresses(trip)))
    match reading.leads:
        case Leads.TO_ENDPOINT if reading.endpoint:
            return (name, *_to_endpoint(trip, reading.endpoint))
        case Leads.TO_PUBLIC:
            return (name, *_to_public(trip))
        case Leads.AWAY | Leads.UNKNOWN:
            return (name, _open(trip, reading.reason))
    return (name, *_computed(trip, found), *unread_answers(trip, found))


def no_dns64_hop(node: NodePlace, destination: Destination, network: Network) -> Hop:
    """Return the hop of a node with IPv6 addresses alone, for a host with IPv4 addresses alone.

    Without DNS64 in the subnet, that is a fault where Amazon's DNS server answers for certain: another one may make
    IPv6 addresses by itself.
    """
    found, hop = resolve(destination, network), Hop(HopKind.NODE, node.name, _CAUSES)
    apart = f"{node.name} has only IPv6 addresses, and {destination.host} only IPv4 ones"
    subnet = read(network.subnets, node.subnet_id, node.subnet_id)
    unknown = subnet.reason if isinstance(subnet, Unread) else found.doubt or found.other.unread
    if isinstance(subnet, Unread) or unknown or found.other.zone or subnet.dns64 or other_servers(network):
        step = f"On the node, run `nslookup {destination.host}`: with DNS64 it gives an address of {NAT64_BLOCK}."
        words = Reason(f"{apart}: what answers for it is not certain" + (f", as {unknown}" if unknown else ""), step)
        return replace(hop, undecided=(Undecided(_CAUSES[0], words),))
    table = read(network.route_tables, node.subnet_id, node.subnet_id)
    proof = (apart, f"EnableDns64 of {node.subnet_id} is false")
    explanation = (
        f"{node.name} has only IPv6 addresses, the registry's names have only IPv4 ones, and DNS64 is off in"
        f" {node.subnet_id}, so the node gets no address that it can reach."
    )
    table_id = None if isinstance(table, Unread) else table.id
    fix = Fix(subnet_id=node.subnet_id, route_table_id=table_id, destination=NAT64_BLOCK)
    fault = Fault(_CAUSES[0], ResourceType.SUBNET, node.subnet_id, explanation, proof, (fix,))
    return replace(hop, evidence=proof, faults=(fault,))


def as_ipv4(trip: Trip) -> Trip:
    """Return the trip as it goes on behind the NAT gateway: over IPv4, from the node's IPv6 addresses.

    A dialled address becomes the IPv4 address for which it stands.
    """
    seen = replace(trip.seen, address=translated(trip.dialled)) if trip.seen and trip.dialled else trip.seen
    return replace(trip, version=4, seen=seen, came_from=trip.source, nat64=False)


def _whose_addresses(trip: Trip) -> str:
    if trip.dialled:
        return f"kubelet dialled {trip.dialled}, which DNS64 makes of {translated(trip.dialled)}"
    return f"DNS64 of {trip.node.subnet_id} makes addresses of {NAT64_BLOCK} of the IPv4 addresses of the name"


def _computed(trip: Trip, found: Resolution) -> Hops:
    if found.other.zone:
        words = f"the private hosted zone {found.other.zone.name} leads {trip.destination.host} over a NAT gateway"
        return (_open(trip, Reason(f"{words}, which is not followed", connect(trip.destination.host))),)
    ways: list[Hops] = []
    if found.endpoint:
        ways.append(_to_endpoint(trip, found.endpoint))
    if not found.endpoint or found.doubt:
        ways.append(_to_public(trip))
    if found.elsewhere:
        ways.append((_open(trip, found.doubt),))
    return combine_ways(ways, found.doubt)


def _to_public(trip: Trip) -> Hops:
    """Return the way to the destination's public addresses."""
    beyond = as_ipv4(trip)
    route = _translating_route(trip, beyond.server)
    if isinstance(route, tuple):
        return route
    end = follow_route(route, beyond)
    if end.dead_end:
        return (*_first_hops(trip, beyond.server), *end.hops, _dead_end(trip, trip.table, end.dead_end))
    last = (_open(trip, end.beyond),) if end.beyond else ()
    return (*_first_hops(trip, beyond.server), _route_hop(trip, route), *end.hops, *last)


def _to_endpoint(trip: Trip, endpoint: VpcEndpoint) -> Hops:
    """Return the way to an interface endpoint, which sees the NAT gateway's address and not the node's."""
    network = trip.network
    server = endpoint_peer(endpoint, network, 4)
    route = _translating_route(trip, server)
    if isinstance(route, tuple):
        return route
    first = (*_first_hops(trip, server), _route_hop(trip, route), nat_gateway_hop(route, network))
    nat = read(network.nat_gateways, route.target, f"NAT gateway {route.target}")
    if isinstance(nat, Unread) or nat.subnet_id is None or not nat.private_addresses:
        words = f"the private address with which {route.target} reaches {endpoint.id} is not known"
        return (*first, _open(trip, Reason(words, behind(route.target))))
    into = () if nat.subnet_id == trip.node.subnet_id else server_crossings(nat.subnet_id, trip.source)
    gateway = NodePlace(nat.id, nat.subnet_id, (), nat.private_addresses)
    # A NAT gateway has no security groups (Amazon VPC User Guide, "NAT gateway basics").
    onward = interface_way(Trip(gateway, trip.destination, network, 4), endpoint)[1:]
    return (*first, acl_hop(nat.subnet_id, into, network), *onward)


def _first_hops(trip: Trip, server: Peer) -> Hops:
    """Return the node's security groups and its subnet's network ACL, for the addresses that DNS64 makes."""
    peer, subnet = _over_nat64(server), trip.node.subnet_id
    return (
        egress_hop(trip.node, peer, trip.network),
        acl_hop(subnet, client_crossings(subnet, peer), trip.network),
    )


def _over_nat64(server: Peer) -> Peer:
    return Peer(f"{server.name} ({NAT64_BLOCK})", synthesized(server.addresses), NAT64_BLOCK)


def _translating_route(trip: Trip, server: Peer) -> Route | Hops:
    """Return the route to a NAT gateway that takes the addresses; the hops if there is none, or if that is open."""
    table = trip.table
    if isinstance(table, Unread):
        return (*_first_hops(trip, server), _open(trip, table.reason))
    found = routing(table, _over_nat64(server).addresses, trip.network)
    if len(found.routes) == 1 and found.routes[0].kind is RouteTarget.NAT_GATEWAY and not found.unread:
        return found.routes[0]
    if why := _leads_nowhere(found):
        return (*_first_hops(trip, server), _dead_end(trip, table, why))
    taken = "; ".join((*map(str, found.routes), *found.unread))
    words = f"{describe(table)} takes {NAT64_BLOCK} elsewhere than to one NAT gateway: {taken}"
    targets = [behind(route.target) for route in found.routes]
    return (*_first_hops(trip, server), _open(trip, join_reasons((Reason(words, *targets), *found.unread))))


def _leads_nowhere(found: Routing) -> str:
    """Return why no route takes the addresses to where they can be translated; empty if one may."""
    if found.unread or any(route.active and route.kind not in _NOT_TRANSLATING for route in found.routes):
        return ""
    if any(route.kind is RouteTarget.NAT_GATEWAY for route in found.routes):
        return ""
    taken = "; ".join(map(str, found.routes))
    return f"{taken} takes {NAT64_BLOCK}, and translates nothing" if taken else f"no route takes {NAT64_BLOCK}"


def _dead_end(trip: Trip, table: RouteTable | Unread, why: str) -> Hop:
    subnet = trip.node.subnet_id
    table_id = None if isinstance(table, Unread) else table.id
    proof = (why,) if isinstance(table, Unread) else (why, describe(table))
    explanation = (
        f"Subnet {subnet} has no route for addresses of {NAT64_BLOCK}, which DNS64 makes for the registry's names, to a"
        f" NAT gateway that reaches it: {why}."
    )
    fix = Fix(route_table_id=table_id, subnet_id=subnet, destination=NAT64_BLOCK)
    fault = Fault(_CAUSES[0], ResourceType.SUBNET, subnet, explanation, proof, (fix,))
    return Hop(HopKind.ROUTE, table_id or subnet, _CAUSES, proof, (fault,))


def _route_hop(trip: Trip, route: Route) -> Hop:
    table = trip.table
    name = trip.node.subnet_id if isinstance(table, Unread) else table.id
    return Hop(HopKind.ROUTE, name, _CAUSES, (f"route {route} of {name} takes {NAT64_BLOCK}",))


def _open(trip: Trip, reason: str) -> Hop:
    return Hop(HopKind.NAME, trip.destination.host, _CAUSES, (reason,), undecided=(Undecided(_CAUSES[0], reason),))
