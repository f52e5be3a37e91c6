"""The address that kubelet dialled, held against the way that was computed.

The address is what the name led to when the pull failed, whoever answered. So it decides which way is examined. Where
the computed way does not lead to it, that way proves nothing: all of its causes stay undecided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, Refusal, join_reasons, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import PUBLIC_IPV4, PUBLIC_IPV6, AddressSet
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.crossing import leads_to_neighbour, unless_shared
from pull_responder.network.hub import Arrival, way_to_hub
from pull_responder.network.model import Route, RouteTable, RouteTarget, VpcEndpoint, read
from pull_responder.network.names import vpc_of
from pull_responder.network.network_acls import acl_hop, client_crossings
from pull_responder.network.next_steps import RESOLVE
from pull_responder.network.places import Trip, address_peer, addresses_of, is_private, node_versions, vpc_id
from pull_responder.network.resolution import Resolution, endpoints_of
from pull_responder.network.routing import describe, routing
from pull_responder.network.security_groups import HTTPS, egress_hop
from pull_responder.network.zones import look_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.network.zones import HostedZone

_IPV4: Final = 4
_IPV6: Final = 6
_GATEWAYS: Final = {RouteTarget.INTERNET_GATEWAY, RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY}
# These are decided for the dialled address itself, whatever way was computed.
_DECIDED: Final = {
    PathCause.NO_ROUTE,
    PathCause.SECURITY_GROUP_BLOCKS_EGRESS,
    PathCause.NETWORK_ACL_BLOCKS_TRAFFIC,
    PathCause.VPC_DNS_DISABLED,
}


class Leads(Enum):
    """Where the dialled address shows that the name leads."""

    AS_COMPUTED = auto()
    TO_PUBLIC = auto()
    TO_ENDPOINT = auto()
    AWAY = auto()  # to a private address outside the VPC
    UNKNOWN = auto()  # to an address that the computed way does not lead to


@dataclass(frozen=True, slots=True)
class Reading:
    """What the dialled address shows.

    - `reason`: the address and what it shows, in words. Empty if it shows nothing new.
    - `endpoint`: the endpoint that it belongs to.
    - `is_public`: whether it is a public address, though the name was computed to lead to an endpoint.
    - `as_zone`: whether a private hosted zone that answers leads the name to this address.
    """

    leads: Leads
    reason: str = ""
    endpoint: VpcEndpoint | None = None
    is_public: bool = False
    as_zone: bool = False

    @property
    def contradicts(self) -> bool:
        """Whether the computed way does not lead to the address. Then other names may lead elsewhere, too."""
        return self.leads in (Leads.AWAY, Leads.UNKNOWN) and not self.as_zone


def read_address(trip: Trip, found: Resolution) -> Reading:  # noqa: PLR0911 -- each return is another place
    """Return where the dialled address shows that the destination's name leads. `found` is what was computed."""
    if trip.seen is None or not trip.dialled:
        return Reading(Leads.AS_COMPUTED)
    address, host, vpc = trip.dialled, trip.destination.host, vpc_of(trip.network)
    said, here = f"kubelet dialled {address} for {host}", AddressSet.of(address)
    if trip.seen.port not in (0, HTTPS):
        port = f"{said} on port {trip.seen.port}, and the way was examined for port {HTTPS}"
        step = (
            f"On the node, look in the runtime's configuration for what makes it dial port {trip.seen.port} of {host}."
        )
        return Reading(Leads.UNKNOWN, Reason(port, step))
    version = _IPV6 if ":" in address else _IPV4
    if version not in node_versions(trip.node, trip.network) and trip.came_from is None:
        # A client tells the first address that failed (Go's net, Dialer.dialParallel), not the one that should work.
        words = f"{said}, and the node has no IPv{version} address that could be read"
        return Reading(Leads.UNKNOWN, Reason(words, RESOLVE))
    if here & AddressSet.of(*vpc.cidrs):
        return _inside(trip, found, here, said)
    if ":" in address and _IPV6 not in trip.destination.versions:
        dns = f"{said}, which has IPv4 addresses alone: look at the node's own DNS settings"
        return Reading(Leads.UNKNOWN, Reason(dns, RESOLVE))
    if here & (PUBLIC_IPV4 | PUBLIC_IPV6):
        return _public(trip, found, here, said)
    return _elsewhere(trip, found, said)


def _elsewhere(trip: Trip, found: Resolution, said: str) -> Reading:
    """Return what an address outside the VPC shows that is not public."""
    address, vpc = trip.dialled, vpc_of(trip.network)
    if vpc.cidrs and is_private(address):
        why = f": {found.other.shown}" if found.other.shown else ", so the name leads elsewhere than can be read here"
        if found.other.zone:
            why = f": the private hosted zone {found.other.zone.name} answers for the name"
        away = f"{said}, a private address outside {vpc.id}{why}"
        step = f"Look who has the address {address}, such as an endpoint in the hub, and at its security groups."
        return Reading(Leads.AWAY, Reason(away, step), as_zone=_zone_leads_there(trip, found.other.zone))
    why = "which is no address of ECR or S3: look at the node's own DNS settings"
    unread = f"and whether that is in {vpc.id} is not known, as its blocks were not read"
    return Reading(Leads.UNKNOWN, Reason(f"{said}, {why if vpc.cidrs else unread}", RESOLVE))


def _zone_leads_there(trip: Trip, zone: HostedZone | None) -> bool:
    """Return whether a zone leads the destination to the dialled address: its own, or one of an endpoint elsewhere."""
    answer = look_up(trip.destination.host, zone, _IPV6 if ":" in trip.dialled else _IPV4) if zone else None
    if answer is None or isinstance(answer, Unread):
        return False
    far = (each.endpoints for each in trip.network.around.vpcs.values() if not isinstance(each, Unread))
    alias = (each for known in far if not isinstance(known, Unread) for each in known if each.id == answer.endpoint_id)
    found = (each.interfaces for each in alias if not isinstance(each.interfaces, Unread))
    addresses = (*answer.addresses, *(address for known in found for each in known for address in each.addresses))
    return bool(AddressSet.of(trip.dialled) & AddressSet.of(*addresses))


def _inside(trip: Trip, found: Resolution, here: AddressSet, said: str) -> Reading:
    endpoints = endpoints_of(trip.destination, trip.network, "Interface")
    for endpoint in (*endpoints, *(() if isinstance(trip.network.endpoints, Unread) else trip.network.endpoints)):
        interfaces = () if isinstance(endpoint.interfaces, Unread) else endpoint.interfaces
        if any(here & AddressSet.of(*interface.addresses) for interface in interfaces):
            whose = f"{said}, a network interface of {endpoint.id}"
            if endpoint in endpoints:
                return Reading(Leads.TO_ENDPOINT, whose, endpoint)
            return Reading(
                Leads.UNKNOWN,
                Reason(
                    f"{whose}, which does not serve this name: look who answers for it",
                    f"Look for a record in Route 53 that leads {trip.destination.host} to {endpoint.id}.",
                ),
            )
    if isinstance(trip.network.endpoints, Unread) or any(_may_have_had(each, here, trip) for each in endpoints):
        return Reading(Leads.AS_COMPUTED)
    expected = f"one of the network interfaces of {found.endpoint.id}" if found.endpoint else "a public address"
    reason = Reason(
        f"{said}, an address in {vpc_id(trip.network)}, where {expected} was expected: look whose interface it is",
        f"Look whose interface has the address {trip.dialled} in {vpc_id(trip.network)}: "
        "`aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address`.",
    )
    return Reading(Leads.UNKNOWN, reason)


def _may_have_had(endpoint: VpcEndpoint, here: AddressSet, trip: Trip) -> bool:
    """Return whether an address may be that of an interface that the endpoint had when the pull failed.

    An endpoint gets a new interface, with another address of the subnet, when a subnet is taken out and put in again.
    """
    if not endpoint.interfaces:
        return True
    if not isinstance(endpoint.interfaces, Unread):
        subnets = {interface.subnet_id for interface in endpoint.interfaces}
    else:
        subnets = set(endpoint.subnet_ids)
    known = [read(trip.network.subnets, subnet, subnet) for subnet in subnets]
    return any(isinstance(subnet, Unread) or bool(here & AddressSet.of(*subnet.cidrs)) for subnet in known)


def _public(trip: Trip, found: Resolution, here: AddressSet, said: str) -> Reading:
    said = f"{said}, a public address"
    if found.endpoint and (not found.doubt or found.elsewhere):
        why = found.other.shown or "the node does not ask the VPC's DNS server, or keeps an older answer"
        endpoint = f"although private DNS of {found.endpoint.id} has the name"
        return Reading(Leads.UNKNOWN, Reason(f"{said}, {endpoint}: {why}", *steps_of(why), RESOLVE), is_public=True)
    if found.other.zone:
        zone = (
            f"although the private hosted zone {found.other.zone.name} answers for the name in {vpc_id(trip.network)}"
        )
        return Reading(Leads.UNKNOWN, Reason(f"{said}, {zone}", RESOLVE), is_public=True)
    if found.endpoint:
        return Reading(Leads.TO_PUBLIC)
    if isinstance(trip.network.endpoints, Unread):
        return Reading(Leads.AS_COMPUTED)
    gateway = endpoints_of(trip.destination, trip.network, "Gateway")
    if gateway and not here & trip.server.addresses:
        step = f"Compare the address with the prefix list of S3, which {gateway[0].id} serves (VPC console)."
        outside = f"{said} that is not in the prefix list of S3, which {gateway[0].id} serves"
        return Reading(Leads.UNKNOWN, Reason(outside, step))
    return Reading(Leads.TO_PUBLIC, f"{said}, and {found.other.shown}" if found.other.shown else "")


def open_hop(trip: Trip, hops: Iterable[Hop], reason: str) -> Hop:
    """Return a hop that leaves open every cause of these hops, because of `reason`."""
    found = (cause for hop in hops for cause in hop.causes)
    causes = tuple(dict.fromkeys((PathCause.NO_ROUTE, *found)))
    return _undecided(trip, tuple(cause for cause in causes if cause is not PathCause.VPC_DNS_DISABLED), reason)


def away_hops(trip: Trip, hops: Iterable[Hop], reason: str, *, vpc: str = "") -> tuple[Hop, ...]:
    """Return the hops to a private address outside the VPC. What lies beyond the VPC stays undecided.

    `hops` are those of the computed way: its other causes stay undecided, too. `vpc` is the id of the VPC with the
    address, if it is known.
    """
    address = trip.dialled
    peer = address_peer(address, trip.destination.host)
    subnet = trip.node.subnet_id
    out = egress_hop(trip.node, peer, trip.network)
    across = acl_hop(subnet, client_crossings(subnet, peer), trip.network)
    taken = _over_neighbour(trip, address)
    across = unless_shared(across, taken, trip.network, subnet) if taken else across
    first: tuple[Hop, ...] = (_with_proof(out, reason), _with_proof(across, reason))
    causes = dict.fromkeys(cause for hop in hops for cause in hop.causes if cause not in _DECIDED)
    if trip.destination.service:
        causes |= dict.fromkeys((PathCause.ENDPOINT_UNAVAILABLE, PathCause.ENDPOINT_BLOCKS_INGRESS))
    route = _route_hop(trip, address, reason)
    if taken:
        found = way_to_hub(taken, trip, peer, vpc=vpc)
        if found.endpoint:
            sure = replace(route, evidence=(*route.evidence, reason), undecided=())
            return (*first, sure, *(_with_proof(hop, reason) for hop in found.hops))
        route = replace(route, undecided=(Undecided(PathCause.NO_ROUTE, _and_why(route.undecided[0].reason, found)),))
        first = (*first, *(_with_proof(hop, reason) for hop in found.hops))
        reason = _and_why(reason, found)
    return (*first, route, *((_undecided(trip, tuple(causes), reason),) if causes else ()))


def _over_neighbour(trip: Trip, address: str) -> Route | None:
    """Return the one route of the node's table that takes the address, if it may lead into another VPC."""
    if isinstance(trip.table, Unread):
        return None
    route = routing(trip.table, AddressSet.of(address), trip.network).whole
    firewalls = () if isinstance(trip.network.firewalls, Unread) else trip.network.firewalls
    through_own = route and route.active and any(route.target in each.endpoints for each in firewalls)
    return route if route and (through_own or leads_to_neighbour(route)) else None


def _and_why(reason: str, found: Arrival) -> str:
    """Return the reason with why the way is not followed further, and what would settle that."""
    if not found.beyond:
        return reason
    refused = (each for each in steps_of(found.beyond) if isinstance(each, Refusal))
    return Reason(f"{reason}. Not followed: {found.beyond}", *steps_of(reason), *refused)


def _with_proof(hop: Hop, reason: str) -> Hop:
    """Return the hop whose faults rest on the dialled address, and say so."""
    return replace(hop, faults=tuple(replace(each, evidence=(reason, *each.evidence)) for each in hop.faults))


def _undecided(trip: Trip, causes: tuple[PathCause, ...], reason: str) -> Hop:
    doubts = tuple(Undecided(cause, reason) for cause in causes)
    return Hop(HopKind.NAME, trip.destination.host, causes, (reason,), undecided=doubts)


def _route_hop(trip: Trip, address: str, reason: str) -> Hop:
    """Return the hop over the route that takes the address."""
    table, causes = trip.table, (PathCause.NO_ROUTE,)
    if isinstance(table, Unread):
        doubt = Undecided(PathCause.NO_ROUTE, join_reasons((reason, table.reason)))
        return Hop(HopKind.ROUTE, trip.node.subnet_id, causes, undecided=(doubt,))
    found = routing(table, AddressSet.of(address), trip.network)
    if found.unread:
        doubt = Undecided(PathCause.NO_ROUTE, join_reasons((reason, *found.unread)))
        return Hop(HopKind.ROUTE, table.id, causes, (describe(table),), undecided=(doubt,))
    route = found.routes[0] if found.routes else None
    dead_end = _dead_end(route, table, address, trip)
    if dead_end:
        return _dead_end_hop(trip, table, address, (dead_end, reason))
    doubt = Undecided(PathCause.NO_ROUTE, _beyond(reason, route, table, address))
    return Hop(HopKind.ROUTE, table.id, causes, (describe(table),), undecided=(doubt,))


def _dead_end(route: Route | None, table: RouteTable, address: str, trip: Trip) -> str:
    """Return why the route certainly does not lead to a private address outside the VPC. Empty if it may.

    Inference: an internet gateway leads to no private address, as the internet has none (RFC 1918, section 3).
    """
    if route is None:
        return f"no route of {table.id} leads there"
    if not route.active:
        return f"the route {route} of {table.id} takes {address}, and is in state blackhole"
    if route.kind in _GATEWAYS and is_private(address):
        return f"the route {route} of {table.id} takes {address} to the internet, which has no private addresses"
    nat_stops_it = route.kind is RouteTarget.NAT_GATEWAY and _nat_leads_nowhere(route, address, trip)
    words = f"the route {route} of {table.id} takes {address} to {route.target}, from which no route leads there"
    return words if nat_stops_it else ""


def _nat_leads_nowhere(route: Route, address: str, trip: Trip) -> bool:
    """Return whether the subnet of a NAT gateway certainly has no route to a private address outside the VPC."""
    nat = read(trip.network.nat_gateways, route.target, f"NAT gateway {route.target}")
    if isinstance(nat, Unread) or nat.subnet_id is None:
        return False
    own = read(trip.network.route_tables, nat.subnet_id, nat.subnet_id)
    if isinstance(own, Unread):
        return False
    beyond = routing(own, addresses_of((address,)), trip.network)
    return not (beyond.unread or any(each.active and each.kind not in _GATEWAYS for each in beyond.routes))


def _dead_end_hop(trip: Trip, table: RouteTable, address: str, evidence: tuple[str, ...]) -> Hop:
    subnet = trip.node.subnet_id
    explanation = f"{trip.destination.host} resolves to {address} for the node, outside {vpc_id(trip.network)}, and"
    explanation += f" {evidence[0]}."
    fix = Fix(route_table_id=table.id, subnet_id=subnet, vpc_id=vpc_id(trip.network), address=address)
    proof = (*evidence, describe(table))
    fault = Fault(PathCause.NO_ROUTE, ResourceType.SUBNET, subnet, explanation, proof, (fix,))
    return Hop(HopKind.ROUTE, table.id, (PathCause.NO_ROUTE,), proof, (fault,))


def _beyond(reason: str, route: Route | None, table: RouteTable, address: str) -> str:
    if route is None:
        return reason
    return Reason(
        f"{reason}. The route {route} of {table.id} takes it to {route.kind.with_article}, and nothing is wrong up"
        f" to there. Look next at {route.target}, at its way to {address} and back, and at the security groups of the"
        f" endpoint at {address}",
        f"Look at {route.target}, at its way to {address} and back, and at the security groups of what has {address}.",
        *steps_of(reason),
    )
