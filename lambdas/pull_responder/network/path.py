"""The way from a node to a registry, leg by leg. The package's docstring describes the hops and the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.pull import Stage
from pull_responder.model.reason import Reason
from pull_responder.model.sighting import Sighting
from pull_responder.network.answer import Leg, Path, PathCause
from pull_responder.network.dialled import Leads, Reading, read_address
from pull_responder.network.endpoints import unreachable_hop
from pull_responder.network.families import hops_of, trips_of
from pull_responder.network.model import Network, NodePlace, RegistryPlace
from pull_responder.network.names import other_answer
from pull_responder.network.nat64 import as_ipv4, nat64_way, no_dns64_hop
from pull_responder.network.next_steps import connect
from pull_responder.network.places import Trip
from pull_responder.network.public_way import Hops
from pull_responder.network.resolution import Destination, Resolution, destinations, resolve
from pull_responder.network.seen_host import destination_seen, may_be_mirror

if TYPE_CHECKING:
    from collections.abc import Collection

_WITHOUT_INTERNET = (
    PathCause.ENDPOINT_MISSING,
    PathCause.PRIVATE_DNS_DISABLED,
    PathCause.S3_NOT_IN_ROUTE_TABLE,
)


def trace(node: NodePlace, registry: RegistryPlace, network: Network, sighting: Sighting | None = None) -> Path:
    """Return the way from `node` to every host that a pull from `registry` talks to.

    `sighting` is what kubelet's message shows of the connection that failed, empty if it shows nothing. It is None
    before a failure. If it names a host that is not expected, the way to this host is one more leg.
    """
    if sighting and sighting.server:
        network = replace(network, asked_server=sighting.server)
    expected = destinations(registry)
    about = destination_seen(sighting, expected, registry) if sighting else None
    wanted = expected if about is None or about in expected else (*expected, about)
    if about in expected:  # its evidence comes first
        wanted = (about, *(each for each in expected if each is not about))
    legs = []
    found: list[tuple[Leg, Resolution, Reading]] = []
    for destination in wanted:
        seen = _seen_at(destination, about, sighting)
        trips = trips_of(Trip(node, destination, network, 4, seen, _hint(destination, expected, network, seen)))
        answer = resolve(destination, network)
        found.append((_leg(trips), answer, _reading(trips[0], answer)))
    others = next((reading for _, _, reading in found if reading.contradicts), None)
    for leg, answer, reading in found:
        # If one name leads elsewhere than computed, so may the others; to public addresses only instead of an endpoint.
        private = answer.endpoint or answer.other.zone
        is_open = others and not reading.contradicts and not (others.is_public and not private)
        legs.append(_leave_open(leg, tuple(PathCause), others.reason) if others and is_open else leg)
    return Path(_without_detours(legs, about))


def _reading(trip: Trip, answer: Resolution) -> Reading:
    """Return what the dialled address shows, or that a mirror was asked in the registry's place."""
    reading = read_address(as_ipv4(trip) if trip.nat64 else trip, answer)
    host = trip.destination.host
    if may_be_mirror(trip.destination) and not reading.contradicts:
        return Reading(
            Leads.UNKNOWN, Reason(f"kubelet asked {host}, which may be a mirror of the registry", connect(host))
        )
    return reading


def _seen_at(destination: Destination, about: Destination | None, sighting: Sighting | None) -> Sighting | None:
    """Return what the message shows of the way to this destination. It is about one host, or about any of them."""
    if sighting is None or destination is about or (about is None and sighting.stage is None):
        return sighting
    return Sighting(stage=sighting.stage)


def _hint(destination: Destination, expected: tuple[Destination, ...], network: Network, seen: Sighting | None) -> str:
    """Return why the name may lead to another VPC: the other name of the registry does. Empty if it does not.

    Where kubelet has no token, the way to the token itself is in question.
    """
    if not destination.service.startswith("ecr.") or (seen and seen.stage is destination.stage is Stage.TOKEN):
        return ""
    others = (each for each in expected if each.service.startswith("ecr.") and each != destination)
    return next((shown for each in others if (shown := other_answer(each.host, network).shown)), "")


def _without_detours(legs: list[Leg], about: Destination | None) -> tuple[Leg, ...]:
    """If the host of the message needs the internet, leave open what the route to the internet mends on other legs."""
    if about is None or not about.foreign:
        return tuple(legs)
    need = [fault for leg in legs if leg.host == about.host for hop in leg.hops for fault in hop.faults]
    if not any(fault.cause is PathCause.NO_ROUTE for fault in need):
        return tuple(legs)
    reason = f"the way to the internet that {about.host} needs leads there, too"
    return tuple(leg if leg.host == about.host else _leave_open(leg, _WITHOUT_INTERNET, reason) for leg in legs)


def _leave_open(leg: Leg, causes: Collection[PathCause], reason: str) -> Leg:
    return replace(leg, hops=tuple(hop.with_faults_undecided(reason, only=causes) for hop in leg.hops))


def _leg(trips: list[Trip]) -> Leg:
    destination = trips[0].destination
    return Leg(destination.stage, destination.host, hops_of(trips) or _no_common_version(trips[0]))


def _no_common_version(trip: Trip) -> Hops:
    """Return the hops if the node and the name's addresses have no IP version in common."""
    found = resolve(trip.destination, trip.network)
    if found.endpoint and not found.doubt:
        return found.hop, unreachable_hop(found.endpoint, trip.node)
    missing = no_dns64_hop(trip.node, trip.destination, trip.network)
    onward = nat64_way(replace(trip, version=6, nat64=True))[1:] if missing.faults else ()
    return found.hop, missing, *onward
