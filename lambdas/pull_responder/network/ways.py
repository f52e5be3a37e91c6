"""The ways that traffic to one destination may take, as its name leads, and as kubelet's message shows."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.alternatives import combine_ways
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided
from pull_responder.network.dialled import Leads, away_hops, open_hop, read_address
from pull_responder.network.dns_firewall import firewall_hop
from pull_responder.network.endpoints import interface_way
from pull_responder.network.model import VpcEndpoint
from pull_responder.network.name_hop import name_hop, unread_answers
from pull_responder.network.names import By
from pull_responder.network.nat64 import nat64_way
from pull_responder.network.next_steps import connect
from pull_responder.network.places import Trip, addresses_of, inside_peer, interfaces_of, private_peer
from pull_responder.network.public_way import Hops, doubt_with_next_step, first_hops, public_way
from pull_responder.network.resolution import Resolution, endpoints_of, resolve
from pull_responder.network.routing import away_route, is_gateway_endpoint_route
from pull_responder.network.rule_way import Question, question_by
from pull_responder.network.security_groups import egress_hop
from pull_responder.network.seen_host import is_unexamined
from pull_responder.network.zone_way import zone_way

_ENDPOINT_CAUSES = (
    PathCause.ENDPOINT_MISSING,
    PathCause.ENDPOINT_UNAVAILABLE,
    PathCause.PRIVATE_DNS_DISABLED,
    PathCause.ENDPOINT_BLOCKS_INGRESS,
)
# If the name should have led to another VPC, its DNS is at fault rather than one of these.
_OF_HUB = (
    PathCause.NO_ROUTE,
    PathCause.ENDPOINT_MISSING,
    PathCause.PRIVATE_DNS_DISABLED,
    PathCause.S3_NOT_IN_ROUTE_TABLE,
    PathCause.SECURITY_GROUP_BLOCKS_EGRESS,
)


def way(trip: Trip) -> Hops:
    """Return the hops of a trip; empty if the name has no address of this IP version."""
    hops, firewall = nat64_way(trip) if trip.nat64 else _way(trip), firewall_hop(trip)
    return (hops[0], firewall, *hops[1:]) if hops and firewall else hops


def _way(trip: Trip) -> Hops:
    found = resolve(trip.destination, trip.network)
    question = question_by(found.other.rule, trip) if found.other.rule else None
    if question and question.beyond:
        found = _not_followed(found, question.beyond)
    name, reading = name_hop(trip, found), read_address(trip, found)
    match reading.leads:
        case Leads.TO_ENDPOINT if reading.endpoint:
            causes = (*name.causes, PathCause.ENDPOINT_MISSING, PathCause.PRIVATE_DNS_DISABLED)
            sure = replace(name, evidence=(reading.reason,), causes=tuple(dict.fromkeys(causes)))
            return (sure, *interface_way(trip, reading.endpoint))
        case Leads.TO_PUBLIC:
            hub = reading.reason and not isinstance(trip.table, Unread) and away_route(trip.table)
            opened = _OF_HUB if hub else ()
            return (name, *(hop.with_faults_undecided(reading.reason, only=opened) for hop in public_way(trip)))
        case Leads.AWAY:
            return (_answered(name, reading.reason), *_away(trip, found, reading.reason))
        case Leads.UNKNOWN:
            return (_answered(name, reading.reason), open_hop(trip, _computed_way(trip, found), reading.reason))
    if is_unexamined(trip.destination):
        reason = Reason(
            f"the way to {trip.destination.host}, which kubelet asked, was not examined: its address is not known",
            connect(trip.destination.host),
        )
        return (name, open_hop(trip, _computed_way(trip, found), reason))
    hops = _asked_way(trip, found, question)
    return (name, *hops, *unread_answers(trip, found)) if hops or found.other.silent else ()


def _asked_way(trip: Trip, found: Resolution, question: Question | None) -> Hops:
    """Return the hops of a question that is sent away, and those to where its answer leads, if that is known."""
    if question is None:
        return _computed_way(trip, found)
    answer = _computed_way(trip, found) if question.answer is None else question.answer
    return (*question.hops, *answer) if answer else ()


def _not_followed(found: Resolution, beyond: str) -> Resolution:
    """Return the resolution with why the rule that sends the name away is not followed to an answer."""
    shown = Reason(f"{found.other.shown}. Not followed: {beyond}", *steps_of(beyond), *steps_of(found.other.shown))
    doubt = shown if found.doubt == found.other.shown else found.doubt
    return replace(found, doubt=doubt, other=replace(found.other, shown=shown))


def _away(trip: Trip, found: Resolution, reason: str) -> Hops:
    """Return the hops to the private address that kubelet dialled.

    Where nothing that can be read leads the name there, and no fault was found on the way that was computed, the name's
    answer may be the fault. Then no route or rule towards the address has to be mended, so nothing about it is certain.
    """
    computed = _computed_way(trip, found)
    hops = away_hops(trip, computed, reason)
    arrives = any(hop.kind is HopKind.ENDPOINT for hop in hops)
    answered = arrives or found.other.shown or found.other.zone
    is_by_name = not answered and not any(hop.faults for hop in computed)
    return tuple(hop.with_faults_undecided(reason) for hop in hops) if is_by_name else hops


def _answered(name: Hop, reason: str) -> Hop:
    """Return the name's hop with its faults left open: some DNS server gave the address, whatever the VPC's does."""
    return name.with_faults_undecided(f"{reason}; a DNS server gave this address, and the VPC's does not")


def _computed_way(trip: Trip, found: Resolution) -> Hops:
    """Return the hops of all ways that the traffic may take as far as can be read; empty if there is none."""
    if found.other.zone:
        return zone_way(trip, found.other.zone)
    has_public = trip.version in trip.destination.versions
    ways: list[Hops] = []
    if found.endpoint and _has_address(found.endpoint, trip):
        ways.append(interface_way(trip, found.endpoint))
    if has_public and (not found.endpoint or found.doubt):
        ways.append(public_way(trip))
    faulty = any(hop.faults for hops in ways for hop in hops)
    nowhere_else = faulty and _leads_nowhere_else(trip, found)
    if ways and found.doubt and (found.elsewhere or not found.endpoint) and not nowhere_else:
        ways.append(_unknown_endpoint_way(trip, found))
    if ways and _may_pass_gateway_endpoint(trip):
        ways.append(first_hops(trip, trip.server))
    return combine_ways(ways, doubt_with_next_step(trip, found)) if ways else ()


def _leads_nowhere_else(trip: Trip, found: Resolution) -> bool:
    """Return whether no other answer would help: no route leaves the VPC for private addresses, and no endpoint serves.

    A record of a private hosted zone may lead to anything in the VPC.
    """
    if found.other.by in (None, By.ZONE) or found.endpoint or isinstance(trip.network.endpoints, Unread):
        return False
    if isinstance(trip.table, Unread) or away_route(trip.table):
        return False
    return not endpoints_of(trip.destination, trip.network, "Interface")


def _has_address(endpoint: VpcEndpoint, trip: Trip) -> bool:
    """Return whether an endpoint has an address of the trip's IP version; true if its interfaces are not known."""
    interfaces = interfaces_of(endpoint, trip.network)
    has_one = any(addresses_of(interface.addresses, trip.version) for interface in interfaces)
    return has_one or not interfaces


def _may_pass_gateway_endpoint(trip: Trip) -> bool:
    """Return whether a route leads to a gateway endpoint that was not read. Its traffic goes to public addresses."""
    table, network = trip.table, trip.network
    if trip.destination.service != "s3" or not isinstance(network.endpoints, Unread) or isinstance(table, Unread):
        return False
    return any(route.active and is_gateway_endpoint_route(route, network) for route in table.routes)


def _unknown_endpoint_way(trip: Trip, found: Resolution) -> Hops:
    """Return the way to an endpoint that was not read. It is in this VPC, or with `elsewhere` in any VPC."""
    peer = (private_peer if found.elsewhere else inside_peer)(trip.network, trip.version)
    causes: tuple[PathCause, ...] = ()
    if isinstance(trip.network.endpoints, Unread) and trip.destination.service:
        s3 = (PathCause.S3_NOT_IN_ROUTE_TABLE,) if trip.destination.service == "s3" else ()
        causes = (*_ENDPOINT_CAUSES, *s3)
    reason = doubt_with_next_step(trip, found)
    # Other DNS servers often answer as Amazon's do. They are a reason only where a pull failed.
    if found.other.shown and (trip.seen is not None or found.other.by is not By.SERVER):
        causes = tuple(dict.fromkeys((*causes, PathCause.NO_ROUTE)))
    doubts = tuple(Undecided(cause, reason) for cause in causes)
    # No hop for the network ACL: it does not apply if the endpoint is in the node's own subnet.
    out = egress_hop(trip.node, peer, trip.network)
    return (out, Hop(HopKind.ENDPOINT, None, causes, undecided=doubts))
