"""The way to where a private hosted zone leads a name: mostly to an interface endpoint of a hub.

Source: AWS whitepaper "Building a Scalable and Secure Multi-VPC AWS Network Infrastructure", "Centralized access to VPC
private endpoints" (a hosted zone for each service, associated with the spokes, with an alias to the endpoint).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.sighting import Sighting
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.network.alternatives import any_of
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided
from pull_responder.network.crossing import leads_to_neighbour
from pull_responder.network.dialled import away_hops
from pull_responder.network.endpoints import interface_way, state_hop
from pull_responder.network.model import read
from pull_responder.network.neighbours import TransitGateway, Wanted, WantedKind
from pull_responder.network.next_steps import connect
from pull_responder.network.places import addresses_of, elsewhere_peer, is_private
from pull_responder.network.resolution import is_up
from pull_responder.network.security_groups import HTTPS, egress_hop
from pull_responder.network.step import owned_by
from pull_responder.network.zones import ZoneAnswer, look_up

if TYPE_CHECKING:
    from pull_responder.network.model import Network, VpcEndpoint
    from pull_responder.network.neighbours import Owned
    from pull_responder.network.places import Trip
    from pull_responder.network.zones import HostedZone

Hops = tuple[Hop, ...]

_CAUSES: Final = (PathCause.NO_ROUTE, PathCause.ENDPOINT_UNAVAILABLE, PathCause.ENDPOINT_BLOCKS_INGRESS)


def zone_way(trip: Trip, zone: HostedZone) -> Hops:
    """Return the hops to where the zone leads the destination; empty if it has no address of this IP version."""
    answer = look_up(trip.destination.host, zone, trip.version)
    if isinstance(answer, Unread):
        return (_open(trip, answer.reason),)
    if answer.nothing:
        return ()
    if not answer.leads:
        return (_open(trip, Reason(str(answer), connect(trip.destination.host))),)
    if own := _own_endpoint(answer, trip.network):
        return interface_way(trip, own)
    addresses = answer.addresses or _addresses(answer, trip)
    if isinstance(addresses, Hop):
        anywhere = elsewhere_peer(trip.destination, trip.network, trip.version)
        return (egress_hop(trip.node, anywhere, trip.network, all_of_peer=False), addresses)
    place = trip.network.around.endpoints.get(answer.endpoint_id)
    there = "" if place is None or isinstance(place, Unread) else place.vpc_id
    is_endpoint = bool(answer.endpoint_id)
    ways = [way_to(each, trip, str(answer), of_endpoint=is_endpoint, vpc=there) for each in addresses]
    return any_of(ways, Reason(f"only some addresses of {trip.destination.host} are out of reach", str(answer)))


def way_to(address: str, trip: Trip, said: str, *, of_endpoint: bool, vpc: str = "") -> Hops:
    """Return the hops to an address to which the destination's name leads, as `said` says who says so.

    `of_endpoint` says that it is an interface endpoint's. `vpc` is the id of the VPC that it is in, if that is known.
    """
    reason = f"{trip.destination.host} resolves to {address}: {said}"
    own = trip.network.vpc
    inside = not isinstance(own, Unread) and bool(AddressSet.of(address) & AddressSet.of(*own.cidrs))
    # Endpoints in other VPCs have IPv6 addresses that look public.
    if inside or not (of_endpoint or is_private(address)):
        where = "an address of the VPC that none of its endpoints has" if inside else "a public address"
        return (_open(trip, Reason(f"{reason}, {where}", connect(trip.destination.host))),)
    seen = Sighting(trip.destination.host, address, HTTPS, stage=trip.destination.stage)
    return away_hops(replace(trip, seen=seen), (), reason, vpc=vpc)


def _own_endpoint(answer: ZoneAnswer, network: Network) -> VpcEndpoint | None:
    """Return the endpoint of the node's own VPC to which the answer leads."""
    endpoints = () if isinstance(network.endpoints, Unread) else network.endpoints
    wanted = AddressSet.of(*answer.addresses)
    for endpoint in endpoints:
        interfaces = () if isinstance(endpoint.interfaces, Unread) else endpoint.interfaces
        has = AddressSet.of(*(address for each in interfaces for address in each.addresses))
        if endpoint.id == answer.endpoint_id or (wanted and not wanted - has):
            return endpoint
    return None


def _addresses(answer: ZoneAnswer, trip: Trip) -> tuple[str, ...] | Hop:
    """Return the addresses of the endpoint in another VPC; a hop that is open if they are not known."""
    around = trip.network.around
    if answer.endpoint_id not in around.endpoints:
        wanted = Wanted(WantedKind.ENDPOINT, answer.endpoint_id, answer.zone.owner, trip.network.region)
        hop = _open(trip, Reason(f"{answer}, which was not read", connect(trip.destination.host)))
        return replace(hop, wanted=(wanted, *gateways_wanted(trip)))
    place = around.endpoints[answer.endpoint_id]
    if place is None or isinstance(place, Unread):
        missing = f"account {answer.zone.owner}, which owns the zone, has no such endpoint"
        why = missing if place is None else place.reason
        return _open(trip, Reason(f"{answer}, and {why}", *steps_of(why), connect(trip.destination.host)))
    if place.vpc_id not in around.vpcs:
        wanted = Wanted(WantedKind.VPC, place.vpc_id, place.account, place.region)
        hop = _open(trip, Reason(f"{answer} in {place.vpc_id}, which was not read", connect(trip.destination.host)))
        return replace(hop, wanted=(wanted, *_tables(place, trip)))
    far = around.vpcs[place.vpc_id]
    if isinstance(far, Unread):
        return _open(trip, far.reason)
    if gone := _not_up(answer, far):
        return gone
    found = _of_endpoint(answer, far, trip.version)
    return found or _open(trip, _no_address(answer, far, trip))


def _no_address(answer: ZoneAnswer, far: Network, trip: Trip) -> str:
    """Return why the addresses of the endpoint are not known."""
    if isinstance(far.endpoints, Unread):
        return far.endpoints.reason
    of_endpoint = (each.interfaces for each in far.endpoints if each.id == answer.endpoint_id)
    unread = next((each.reason for each in of_endpoint if isinstance(each, Unread)), "")
    return unread or Reason(f"{answer}, whose addresses are not known", connect(trip.destination.host))


def _not_up(answer: ZoneAnswer, far: Network) -> Hop | None:
    """Return the fault of an endpoint that a zone leads to and that takes no traffic, or is being deleted."""
    endpoints = () if isinstance(far.endpoints, Unread) else far.endpoints
    found = next((each for each in endpoints if each.id == answer.endpoint_id and not is_up(each)), None)
    return owned_by(state_hop(found), far) if found else None


def _of_endpoint(answer: ZoneAnswer, far: Network, version: int) -> tuple[str, ...]:
    endpoints = () if isinstance(far.endpoints, Unread) else far.endpoints
    interfaces = (
        interface
        for endpoint in endpoints
        if endpoint.id == answer.endpoint_id and not isinstance(endpoint.interfaces, Unread)
        for interface in endpoint.interfaces
    )
    return tuple(
        address
        for interface in interfaces
        if answer.availability_zone in ("", _zone(interface.subnet_id, far))
        for address in interface.addresses
        if addresses_of((address,), version)
    )


def _zone(subnet_id: str, network: Network) -> str:
    subnet = read(network.subnets, subnet_id, subnet_id)
    return "" if isinstance(subnet, Unread) else subnet.availability_zone


def gateways_wanted(trip: Trip) -> tuple[Wanted, ...]:
    """Return the wish for the gateways that the node's subnet routes to: one of them may lead to the endpoint."""
    network, around = trip.network, trip.network.around
    if isinstance(trip.table, Unread) or isinstance(network.attachments, Unread):
        return ()
    targets = {route.target for route in trip.table.routes if leads_to_neighbour(route)}
    wanted: list[Wanted] = []
    for near in network.attachments:
        if near.gateway_id not in targets or near.is_gone:
            continue
        if near.gateway_id not in around.gateways:
            wanted.append(Wanted(WantedKind.GATEWAY, near.gateway_id, near.gateway_owner, network.region))
        if near.table_id and near.table_id not in around.tables:
            wanted.append(Wanted(WantedKind.TABLE, near.table_id, near.gateway_owner, network.region))
    return tuple(wanted)


def _tables(place: Owned, trip: Trip) -> tuple[Wanted, ...]:
    """Return the wish for the tables by which gateways route what comes back from the endpoint's VPC."""
    around = trip.network.around
    gateways = (each for each in around.gateways.values() if isinstance(each, TransitGateway))
    back = (each for gateway in gateways for each in gateway.attachments.values() if each.resource_id == place.vpc_id)
    return tuple(
        Wanted(WantedKind.TABLE, each.table_id, each.gateway_owner, trip.network.region)
        for each in back
        if each.table_id and each.table_id not in around.tables
    )


def _open(trip: Trip, reason: str) -> Hop:
    doubts = tuple(Undecided(cause, reason) for cause in _CAUSES)
    return Hop(HopKind.NAME, trip.destination.host, _CAUSES, (reason,), undecided=doubts)
