"""The way to an interface endpoint in another VPC, such as the shared endpoints of a hub.

It is judged as an endpoint of the node's own VPC would be: the node's security groups and network ACL, what joins both
VPCs, the network ACLs there, the endpoint's state and its security groups against the node's address, and the routes
back. Sources: those of `endpoints`, `course` and `way_back`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.alternatives import any_of
from pull_responder.network.answer import Hop
from pull_responder.network.course import End, Errand, follow, out_crossings
from pull_responder.network.endpoints import state_hop
from pull_responder.network.model import Network, Route, RouteTarget, read
from pull_responder.network.network_acls import acl_hop, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import addresses_of, interfaces_of, vpc_id
from pull_responder.network.resolution import endpoints_of
from pull_responder.network.security_groups import ingress_hop
from pull_responder.network.stay import Stay
from pull_responder.network.way_back import way_back

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.model import EndpointInterface, VpcEndpoint
    from pull_responder.network.places import Trip

Hops = tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """The hops from the node's route on, to `endpoint`. It is None if that is not known, because of `beyond`."""

    hops: Hops
    endpoint: VpcEndpoint | None = None
    beyond: str = ""


def way_to_hub(route: Route, trip: Trip, server: Peer, *, vpc: str = "") -> Arrival:
    """Return the way over the node's route to addresses of another VPC. `vpc` is that VPC's id, if it is known."""
    errand = Errand(trip, server, partial(_arrive, trip, server), vpc_id=vpc)
    end = follow(route, Stay(trip.network, trip.node.subnet_id), errand)
    return Arrival(end.hops, end.endpoint, end.beyond)


def _arrive(trip: Trip, server: Peer, route: Route | None, stay: Stay) -> End | None:
    """Return the way within a VPC to its endpoint with the server's address, and back. None if a route leads on."""
    if not stay.foreign or (route is not None and route.kind is not RouteTarget.LOCAL):
        return None
    endpoint = _endpoint_at(server, trip, stay.network)
    if isinstance(endpoint, Unread):
        return End(beyond=endpoint.reason)
    interfaces = interfaces_of(endpoint, stay.network)
    ways = [
        _to_interface(each, stay, server, trip)
        for each in interfaces
        if addresses_of(each.addresses) & server.addresses
    ]
    across = any_of(ways, Reason(f"only some interfaces of {endpoint.id} are out of reach", behind(endpoint.id)))
    ends = (state_hop(endpoint), ingress_hop(endpoint, trip.foreign_source, stay.network))
    return End((*across, *map(stay.owning, ends)), endpoint=endpoint)


def _endpoint_at(server: Peer, trip: Trip, far: Network) -> VpcEndpoint | Unread:
    """Return the endpoint of the destination's service that has all the addresses."""
    if isinstance(far.endpoints, Unread):
        return far.endpoints
    for endpoint in endpoints_of(trip.destination, far, "Interface"):
        if isinstance(endpoint.interfaces, Unread):
            return endpoint.interfaces
        known = addresses_of(tuple(address for each in endpoint.interfaces for address in each.addresses))
        if not server.addresses - known:
            return endpoint
    words = f"no endpoint of {vpc_id(far)} for {trip.destination.service_name} has the address of {server.name}"
    return Unread(Reason(words, f"Look in {vpc_id(far)} whose interface has the address of {server.name}."))


def _to_interface(interface: EndpointInterface, stay: Stay, server: Peer, trip: Trip) -> Hops:
    """Return the hops within the other VPC to one interface of the endpoint, and back from it.

    Network ACLs do not apply between the gateway's interface and an endpoint's in the same subnet in one direction
    (AWS Transit Gateway guide, "Network ACLs for transit gateways": its versions differ about the other).
    """
    source, subnet, far = trip.foreign_source, interface.subnet_id, stay.network
    back = way_back(subnet, stay, trip)
    if stay.at == subnet:
        same = acl_hop(subnet, server_crossings(subnet, source), far)
        open_ = same.with_faults_undecided(f"{subnet} also holds what the traffic comes from")
        return (stay.owning(open_), *back)
    there = replace(server, cidr=server.cidr or _block(subnet, far, trip.version))
    out, (request, answer) = out_crossings(stay, subnet, there), server_crossings(subnet, source)
    if not out or subnet != out[-1].subnet_id:
        return (stay.owning(acl_hop(subnet, (*out, request, answer), far)), *back)
    doubt = f"{subnet} also holds the transit gateway's interface, by which the answers leave"
    leaving = acl_hop(subnet, (answer,), far).with_faults_undecided(doubt)
    return (stay.owning(acl_hop(subnet, (out[0], request), far)), stay.owning(leaving), *back)


def _block(subnet_id: str, far: Network, version: int) -> str | None:
    subnet = read(far.subnets, subnet_id, subnet_id)
    cidrs = () if isinstance(subnet, Unread) else subnet.cidrs
    return next((cidr for cidr in cidrs if addresses_of((cidr,), version)), None)
