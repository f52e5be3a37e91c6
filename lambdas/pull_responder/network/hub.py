"""The way to an interface endpoint in another VPC, such as the shared endpoints of a hub.

It is judged as an endpoint of the node's own VPC would be: the node's security groups and network ACL, what joins both
VPCs, the network ACLs there, the endpoint's state and its security groups against the node's address, and the routes
back. Sources: those of `endpoints`, `crossing` and `way_back`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.alternatives import any_of, combine_ways
from pull_responder.network.answer import Hop
from pull_responder.network.crossing import Step, Traffic, exit_of, owned_by, step_over
from pull_responder.network.endpoints import state_hop
from pull_responder.network.model import Network, Route, RouteTarget, read
from pull_responder.network.network_acls import acl_hop, client_crossings, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import addresses_of, interfaces_of, vpc_id
from pull_responder.network.resolution import endpoints_of
from pull_responder.network.routing import describe, routing
from pull_responder.network.security_groups import ingress_hop
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
    network = trip.network
    traffic = Traffic(trip.foreign_source, server, trip.node.subnet_id, vpc)
    step = step_over(route, network, traffic, network.around)
    far = step.network
    if far is None:
        return Arrival(step.hops, beyond=step.beyond)
    endpoint = _endpoint_at(server, trip, far)
    if isinstance(endpoint, Unread):
        return Arrival(step.hops, beyond=endpoint.reason)
    entered = _entered(step, far, server, trip)
    if isinstance(entered, Unread):
        return Arrival(step.hops, beyond=entered.reason)
    interfaces = [each for each in interfaces_of(endpoint, far) if addresses_of(each.addresses) & server.addresses]
    # In appliance mode each entry is taken by some flows. Else one is, and which one is not known.
    combined = any_of if step.far and step.far.appliance_mode else combine_ways
    doubt = Reason(f"by which subnet the traffic enters {vpc_id(far)} is not known", behind(route.target))
    ways = [
        combined([_to_interface(each, entry, far, step, server, trip) for entry in entered or ("",)], doubt)
        for each in interfaces
    ]
    across = any_of(ways, Reason(f"only some interfaces of {endpoint.id} are out of reach", behind(endpoint.id)))
    ends = (state_hop(endpoint), ingress_hop(endpoint, trip.foreign_source, far))
    return Arrival((*step.hops, *across, *(owned_by(hop, far) for hop in ends)), endpoint)


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


def _entered(step: Step, far: Network, server: Peer, trip: Trip) -> tuple[str, ...] | Unread:
    """Return the subnets by which the traffic may enter. Unread if one of them leads it elsewhere than to the VPC."""
    if step.far is None:
        return ()
    if not step.entries:
        return Unread(Reason(f"the subnets of {step.far.id} are not known", behind(step.far.gateway_id)))
    for entry in step.entries:
        table = read(far.route_tables, entry, f"the route table of {entry}")
        if isinstance(table, Unread):
            return table
        found = routing(table, server.addresses, far)
        if any(route.kind is not RouteTarget.LOCAL for route in found.routes) or found.unrouted:
            words = f"in {vpc_id(far)}, {describe(table)} takes traffic of {trip.node.name} on, which is not followed"
            return Unread(Reason(words, behind(entry)))
    return step.entries


def _to_interface(  # noqa: PLR0913, PLR0917 -- one of each kind
    interface: EndpointInterface, entry: str, far: Network, step: Step, server: Peer, trip: Trip
) -> Hops:
    """Return the hops within the other VPC to one interface of the endpoint, and back from it.

    Network ACLs do not apply between the gateway's interface and an endpoint's in the same subnet in one direction
    (AWS Transit Gateway guide, "Network ACLs for transit gateways": its versions differ about the other).
    """
    source, subnet = trip.foreign_source, interface.subnet_id
    back = way_back(subnet, far, trip.foreign_range, step, trip.network.around)
    if entry == subnet:
        same = acl_hop(subnet, server_crossings(subnet, source), far)
        open_ = same.with_faults_undecided(f"{subnet} also holds the transit gateway's interface")
        return (owned_by(open_, far), *back)
    there = replace(server, cidr=server.cidr or _block(subnet, far, trip.version))
    within, answer = server_crossings(subnet, source)
    if not entry:
        return (owned_by(acl_hop(subnet, (within, answer), far), far), *back)
    request, returned = client_crossings(entry, there)
    leaving = exit_of(step, subnet, entry)
    if leaving == subnet:
        doubt = f"{subnet} also holds the transit gateway's interface, by which the answers leave"
        hops: Hops = (
            acl_hop(subnet, (request, within), far),
            acl_hop(subnet, (answer,), far).with_faults_undecided(doubt),
        )
    else:
        hops = (acl_hop(subnet, (request, replace(returned, subnet_id=leaving), within, answer), far),)
    return (*(owned_by(hop, far) for hop in hops), *back)


def _block(subnet_id: str, far: Network, version: int) -> str | None:
    subnet = read(far.subnets, subnet_id, subnet_id)
    cidrs = () if isinstance(subnet, Unread) else subnet.cidrs
    return next((cidr for cidr in cidrs if addresses_of((cidr,), version)), None)
