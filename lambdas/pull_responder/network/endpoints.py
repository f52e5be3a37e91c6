"""VPC endpoints: the way through an endpoint, and the fault if a subnet has neither internet nor a working endpoint.

Sources: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints"; AWS PrivateLink Guide, "Access an AWS service
using an interface VPC endpoint" and "Gateway endpoints for Amazon S3".
"""

from __future__ import annotations

from dataclasses import dataclass

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import Peer
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided, merge
from pull_responder.network.model import (
    EndpointInterface,
    Network,
    NodePlace,
    RouteTable,
    RouteTarget,
    VpcEndpoint,
)
from pull_responder.network.network_acls import acl_hop, client_crossings, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import Trip, addresses_of, endpoint_peer, interfaces_of, vpc_id
from pull_responder.network.resolution import Destination, dns_fault, endpoints_of, has_private_dns, is_up
from pull_responder.network.routing import describe, gateway_route, routing
from pull_responder.network.security_groups import egress_hop, ingress_hop

_IPV4 = 4
_ALL_SERVICES = ("ecr.api", "ecr.dkr", "s3")


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """The faults of a destination whose public addresses no route leads to.

    Once `faults` are fixed, the traffic goes through `endpoint`. None if the fix decides where it goes.
    """

    faults: tuple[Fault, ...]
    endpoint: VpcEndpoint | None = None


def interface_way(trip: Trip, endpoint: VpcEndpoint) -> tuple[Hop, ...]:
    """Return the hops from a node to an interface endpoint of its VPC."""
    peer, network = endpoint_peer(endpoint, trip.network, trip.version), trip.network
    all_of_peer = endpoint.interfaces != ()
    return (
        egress_hop(trip.node, peer, network, all_of_peer=all_of_peer),
        _acl_hop(trip, endpoint, peer),
        _local_route(trip.table, peer, network),
        state_hop(endpoint),
        ingress_hop(endpoint, trip.source, network),
    )


def state_hop(endpoint: VpcEndpoint) -> Hop:
    """Return whether an endpoint takes traffic: its state must be up, and an interface endpoint needs an interface."""
    cause = PathCause.ENDPOINT_UNAVAILABLE
    state = f"{endpoint.id} ({endpoint.service_name}) is in state {endpoint.state}"
    places = endpoint.subnet_ids if isinstance(endpoint.interfaces, Unread) else endpoint.interfaces
    has_no_interface = endpoint.type == "Interface" and not places
    if is_up(endpoint) and not has_no_interface:
        return Hop(HopKind.ENDPOINT, endpoint.id, (cause,), (state,))
    words = f"{endpoint.id} has no network interface in any subnet" if is_up(endpoint) else state
    fix = Fix(endpoint_id=endpoint.id, services=(endpoint.service_name,))
    fault = Fault(cause, ResourceType.OTHER, endpoint.id, f"Endpoint {words}.", (words,), (fix,))
    return Hop(HopKind.ENDPOINT, endpoint.id, (cause,), (words,), (fault,))


def takes_version(gateway: VpcEndpoint, version: int) -> bool | None:
    """Return whether a gateway endpoint takes traffic of an IP version. None if EC2 does not tell its type.

    Source: AWS PrivateLink Guide, "Gateway endpoints", "IP address type" (IPv4, IPv6, or both).
    """
    if not gateway.ip_type:
        return True if version == _IPV4 else None
    return gateway.ip_type in ("dualstack", "ipv4" if version == _IPV4 else "ipv6")


def unreachable_hop(endpoint: VpcEndpoint, node: NodePlace) -> Hop:
    """Return the hop of an endpoint that the name resolves to, but that has no IP version in common with the node."""
    cause = PathCause.ENDPOINT_UNAVAILABLE
    words = f"{endpoint.id} ({endpoint.service_name}) and {node.name} have no IP version in common"
    fix = Fix(endpoint_id=endpoint.id, services=(endpoint.service_name,))
    fault = Fault(cause, ResourceType.OTHER, endpoint.id, f"Endpoint {words}.", (words,), (fix,))
    return Hop(HopKind.ENDPOINT, endpoint.id, (cause,), (words,), (fault,))


def explain_dead_end(trip: Trip, why: str) -> DeadEnd:
    """Return the fault of a destination that no route leads to. `why` is the evidence for that.

    - The VPC has an endpoint for this service, but it does not serve the pull: the fault is the endpoint's.
    - It has endpoints only for other services of a pull: the endpoint for this one is missing.
    - It has none of the three endpoints: the route is missing.
    """
    node, destination, network, table = trip.node, trip.destination, trip.network, trip.table
    proof = (why,) if isinstance(table, Unread) else (why, describe(table))
    table_id = None if isinstance(table, Unread) else table.id
    if gateway := next(iter(endpoints_of(destination, network, "Gateway")), None):
        return _gateway_dead_end(trip, gateway, proof)
    if interface := next(iter(endpoints_of(destination, network, "Interface")), None):
        if faults := _dns_faults(interface, destination, network, proof):
            return DeadEnd(faults, interface)
        if not is_up(interface):
            return DeadEnd(state_hop(interface).faults, interface)
    if any(_has_endpoint(service, destination, network) for service in _ALL_SERVICES):
        explanation = f"Subnet {node.subnet_id} has no route to the internet, and {vpc_id(network)} has no endpoint"
        explanation += f" for {destination.service_name} that serves {destination.host}."
        # An endpoint may not answer for the names of dual-stack and FIPS hosts, so a new one may not fix the fault.
        services = (destination.service_name,) if destination.plain or destination.service == "s3" else ()
        fix = Fix(vpc_id=vpc_id(network), subnet_id=node.subnet_id, route_table_id=table_id, services=services)
        return DeadEnd(
            (Fault(PathCause.ENDPOINT_MISSING, ResourceType.VPC, vpc_id(network), explanation, proof, (fix,)),)
        )
    explanation = f"Subnet {node.subnet_id} has no route to the registry, and its VPC has no endpoint for it."
    if destination.foreign:
        explanation = f"Subnet {node.subnet_id} has no route to {destination.host}, which kubelet asked, and no VPC"
        explanation += " endpoint serves it."
    host = destination.host if destination.foreign else None
    to = None if trip.version == _IPV4 else "::/0"
    fix = Fix(route_table_id=table_id, subnet_id=node.subnet_id, vpc_id=vpc_id(network), host=host, destination=to)
    return DeadEnd((Fault(PathCause.NO_ROUTE, ResourceType.SUBNET, node.subnet_id, explanation, proof, (fix,)),))


def _gateway_dead_end(trip: Trip, gateway: VpcEndpoint, proof: tuple[str, ...]) -> DeadEnd:
    """Return why a gateway endpoint does not take the traffic."""
    node, table = trip.node, trip.table
    if not isinstance(table, Unread) and gateway_route(table, gateway):
        if not is_up(gateway):
            return DeadEnd(state_hop(gateway).faults, gateway)
        if takes_version(gateway, trip.version) is False:
            return DeadEnd(unreachable_hop(gateway, node).faults)
    table_id = None if isinstance(table, Unread) else table.id
    explanation = f"S3 gateway endpoint {gateway.id} is not in the route table of subnet {node.subnet_id}."
    fix = Fix(route_table_id=table_id, endpoint_id=gateway.id, subnet_id=node.subnet_id)
    resource = table_id or node.subnet_id
    kind = ResourceType.ROUTE_TABLE if table_id else ResourceType.SUBNET
    return DeadEnd((Fault(PathCause.S3_NOT_IN_ROUTE_TABLE, kind, resource, explanation, proof, (fix,)),), gateway)


def _dns_faults(
    endpoint: VpcEndpoint, destination: Destination, network: Network, proof: tuple[str, ...]
) -> tuple[Fault, ...]:
    """Return why the VPC's DNS does not resolve the name to an endpoint that is up.

    Empty if the endpoint is not up, or if its private DNS may not have the name.
    """
    if not is_up(endpoint) or not destination.plain:
        return ()
    faults = []
    if not has_private_dns(endpoint):
        scope = "answers only inbound Resolver endpoints" if endpoint.private_dns else "is off"
        explanation = f"Private DNS of endpoint {endpoint.id} ({endpoint.service_name}) {scope}, so {destination.host}"
        explanation += " still resolves to public addresses, to which the subnet has no route."
        evidence = (f"private DNS of {endpoint.id} {scope}", *proof)
        fix = Fix(endpoint_id=endpoint.id)
        faults.append(
            Fault(PathCause.PRIVATE_DNS_DISABLED, ResourceType.OTHER, endpoint.id, explanation, evidence, (fix,))
        )
    if not isinstance(network.vpc, Unread) and network.vpc.dns_hostnames is False:
        explanation = (
            f"DNS hostnames are off in {network.vpc.id}, so the private names of its endpoints do not resolve."
        )
        faults.append(dns_fault(network, ("enableDnsHostnames",), explanation))
    return tuple(faults)


def _has_endpoint(service: str, destination: Destination, network: Network) -> bool:
    other = Destination(destination.stage, "", destination.region, service if destination.service else "")
    return any(endpoints_of(other, network, kind) for kind in ("Interface", "Gateway"))


def _local_route(table: RouteTable | Unread, peer: Peer, network: Network) -> Hop:
    """Return the hop over the VPC's local route, which every table has. A more specific route may take the traffic."""
    if isinstance(table, Unread):
        return Hop(HopKind.ROUTE, "local", (), ("every route table has the VPC's local route",))
    found = routing(table, peer.addresses, network)
    others = [route for route in found.routes if route.kind is not RouteTarget.LOCAL]
    if others and any(route.kind is RouteTarget.LOCAL for route in table.routes):
        reason = Reason(
            f"{describe(table)}: {others[0]} leads to {peer.name}, and what lies behind that route cannot be read",
            behind(others[0].target),
        )
        return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), undecided=(Undecided(PathCause.NO_ROUTE, reason),))
    return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), (f"the local route of {table.id} reaches {peer.name}",))


def _acl_hop(trip: Trip, endpoint: VpcEndpoint, peer: Peer) -> Hop:
    """Return whether the network ACLs let the node reach the endpoint's interfaces.

    If they block all interfaces, that is a fault. If they block only some, the cause is undecided.
    """
    node, network = trip.node, trip.network
    interfaces = interfaces_of(endpoint, network)
    if not interfaces:
        return acl_hop(node.subnet_id, client_crossings(node.subnet_id, peer), network, all_of_peer=False)
    hops = [
        _acl_hop_to(trip, interface, peer)
        for interface in interfaces
        if addresses_of(interface.addresses, trip.version)
    ]
    causes = (PathCause.NETWORK_ACL_BLOCKS_TRAFFIC,)
    blocked = [hop for hop in hops if hop.faults]
    if blocked and len(blocked) < len(hops):
        hops = [hop.with_faults_undecided(f"only some interfaces of {endpoint.id} are out of reach") for hop in hops]
    return Hop(
        HopKind.SUBNET,
        node.subnet_id,
        causes,
        tuple(dict.fromkeys(line for hop in hops for line in hop.evidence)),
        merge(fault for hop in hops for fault in hop.faults),
        tuple(dict.fromkeys(doubt for hop in hops for doubt in hop.undecided)),
    )


def _acl_hop_to(trip: Trip, interface: EndpointInterface, peer: Peer) -> Hop:
    node = trip.node
    if interface.subnet_id == node.subnet_id:
        evidence = (f"an interface of {peer.name} is in {node.subnet_id} itself, where no network ACL applies",)
        return Hop(HopKind.SUBNET, node.subnet_id, (PathCause.NETWORK_ACL_BLOCKS_TRAFFIC,), evidence)
    here = Peer(peer.name, peer.addresses & addresses_of(interface.addresses), peer.cidr)
    crossings = (*client_crossings(node.subnet_id, here), *server_crossings(interface.subnet_id, trip.source))
    return acl_hop(node.subnet_id, crossings, trip.network)
