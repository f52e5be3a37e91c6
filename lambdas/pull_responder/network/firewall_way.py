"""A way through a firewall of AWS Network Firewall: what its policy does, and where the traffic goes on.

Source: AWS Network Firewall Developer Guide, "How AWS Network Firewall works" (a route leads to the firewall's endpoint
in its zone; the route table of the endpoint's subnet leads on; answers have to come the same way).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.firewall_policy import Connection, Does, Effect, judge_policy
from pull_responder.network.model import Route, RouteTarget, read
from pull_responder.network.next_steps import behind
from pull_responder.network.routing import describe, routing

if TYPE_CHECKING:
    from pull_responder.network.places import Trip

_CAUSE: Final = PathCause.NETWORK_FIREWALL_BLOCKS


@dataclass(frozen=True, slots=True)
class Through:
    """A way through a firewall's endpoint.

    - `subnet_id`: the subnet of the endpoint.
    - `onward`: the route by which the traffic leaves it; None if that is not certain, because of `beyond`.
    """

    hops: tuple[Hop, ...]
    endpoint_id: str = ""
    subnet_id: str = ""
    onward: Route | None = None
    beyond: str = ""


def leads_to_firewall(route: Route) -> bool:
    """Return whether a route leads to an endpoint that may be a firewall's."""
    return route.active and route.kind is RouteTarget.VPC_ENDPOINT and not route.destination.startswith("pl-")


def through_firewall(route: Route, trip: Trip) -> Through | None:
    """Return the way through the firewall to which a route of the trip's network leads. None if it is no firewall's."""
    network = trip.network
    if isinstance(network.firewalls, Unread):
        reason = network.firewalls.reason
        doubt = Undecided(_CAUSE, reason)
        return Through((Hop(HopKind.FIREWALL, route.target, (_CAUSE,), undecided=(doubt,)),), beyond=reason)
    firewall = next((each for each in network.firewalls if route.target in each.endpoints), None)
    if firewall is None:
        return None
    subnet = firewall.endpoints[route.target]
    hop = Hop(HopKind.FIREWALL, firewall.arn.rpartition("/")[2], (_CAUSE,), (f"{route} leads to {firewall.arn}",))
    cidrs = () if isinstance(network.vpc, Unread) else network.vpc.cidrs
    if isinstance(firewall.policy, Unread):
        hop = replace(hop, undecided=(Undecided(_CAUSE, firewall.policy.reason),))
    else:
        connection = Connection(trip.destination.host, trip.source, trip.server, cidrs)
        hop = _with_effect(hop, judge_policy(firewall.policy, connection), trip)
    table = read(network.route_tables, subnet, f"the route table of {subnet}")
    if isinstance(table, Unread):
        return Through((hop,), route.target, subnet, beyond=table.reason)
    found = routing(table, trip.server.addresses, network)
    if found.whole:
        return Through((hop,), route.target, subnet, found.whole)
    words = f"{describe(table)} of the firewall's subnet {subnet} takes the traffic on, which is not followed"
    return Through((hop,), route.target, subnet, beyond=Reason(words, behind(subnet)))


def _with_effect(hop: Hop, effect: Effect, trip: Trip) -> Hop:
    host, name = trip.destination.host, effect.resource.rpartition("/")[2]
    proof = f"{name}: {effect.proof}"
    if effect.does is Does.PASS:
        return replace(hop, evidence=(*hop.evidence, proof))
    if effect.does is Does.OPEN:
        step = f"Look at {effect.resource} in the VPC console, and in the firewall's logs for {host}."
        return replace(hop, undecided=(Undecided(_CAUSE, Reason(proof, step)),))
    explanation = f"Network Firewall {hop.resource_id} drops TLS connections to {host}: {effect.proof}."
    fix = Fix(host=host, target=effect.resource)
    fault = Fault(_CAUSE, ResourceType.OTHER, effect.resource, explanation, (*hop.evidence, proof), (fix,))
    return replace(hop, evidence=fault.evidence, faults=(fault,))
