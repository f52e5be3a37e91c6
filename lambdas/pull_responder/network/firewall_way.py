"""A way through a firewall of AWS Network Firewall: what its policy does, and where the traffic goes on.

Source: AWS Network Firewall Developer Guide, "How AWS Network Firewall works" (a route leads to the firewall's endpoint
in its zone; the route table of the endpoint's subnet leads on; answers have to come the same way).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.firewall_change import changes_that_pass
from pull_responder.network.firewall_policy import judge_policy
from pull_responder.network.firewall_rules import Connection, Does, FirewallPolicy, name_of
from pull_responder.network.model import Route, RouteTarget, read
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.routing import describe, routing

if TYPE_CHECKING:
    from pull_responder.network.model import Network
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


def through_firewall(route: Route, trip: Trip) -> Through:
    """Return the way through the firewall to which a route of the trip's network leads."""
    network = trip.network
    if isinstance(network.firewalls, Unread):
        reason = network.firewalls.reason
        doubt = Undecided(_CAUSE, reason)
        return Through((Hop(HopKind.FIREWALL, route.target, (_CAUSE,), undecided=(doubt,)),), beyond=reason)
    firewall = next((each for each in network.firewalls if route.target in each.endpoints), None)
    if firewall is None:
        return Through((), beyond=_of_appliance(route, network))
    subnet = firewall.endpoints[route.target]
    hop = Hop(HopKind.FIREWALL, firewall.arn.rpartition("/")[2], (_CAUSE,), (f"{route} leads to {firewall.arn}",))
    cidrs = () if isinstance(network.vpc, Unread) else network.vpc.cidrs
    if isinstance(firewall.policy, Unread):
        hop = replace(hop, undecided=(Undecided(_CAUSE, firewall.policy.reason),))
    else:
        connection = Connection(trip.destination.host, trip.source, trip.server, cidrs)
        hop = _with_effect(hop, firewall.policy, connection, is_failure=trip.seen is not None)
    if state := firewall.not_ready.get(route.target):
        words = f"the firewall's endpoint {route.target} in {subnet} is in state {state}"
        step = f"Look at the endpoints of {firewall.arn} in the VPC console."
        hop = replace(hop, undecided=(*hop.undecided, Undecided(_CAUSE, Reason(words, step))))
    table = read(network.route_tables, subnet, f"the route table of {subnet}")
    if isinstance(table, Unread):
        return Through((hop,), route.target, subnet, beyond=table.reason)
    found = routing(table, trip.server.addresses, network)
    if found.whole:
        return Through((hop,), route.target, subnet, found.whole)
    words = f"{describe(table)} of the firewall's subnet {subnet} takes the traffic on, which is not followed"
    return Through((hop,), route.target, subnet, beyond=Reason(words, behind(subnet)))


def _of_appliance(route: Route, network: Network) -> Reason:
    """Return what is known of an endpoint that no firewall of the VPC has.

    Source: AWS PrivateLink Guide, "Access virtual appliances through AWS PrivateLink" (the endpoint's service belongs
    to whoever has the Gateway Load Balancer and the appliances behind it).
    """
    listed = () if isinstance(network.endpoints, Unread) else network.endpoints
    service = next((each.service_name for each in listed if each.id == route.target), "")
    of_service = f" of the service {service}" if service else ""
    words = (
        f"in {vpc_id(network)}, route {route} leads to {route.kind.with_article}{of_service}: an appliance, or a"
        " firewall of another VPC, whose rules cannot be read here"
    )
    owner = f"aws ec2 describe-vpc-endpoint-services --service-names {service} --region {network.region}"
    ask = f"Ask whoever owns {service} what it drops: `{owner}` says who does."
    return Reason(words, ask if service else behind(route.target))


def _with_effect(hop: Hop, policy: FirewallPolicy, connection: Connection, *, is_failure: bool) -> Hop:
    effect, host = judge_policy(policy, connection), connection.host
    name = name_of(effect.resource)
    proof = f"{name}: {effect.proof}"
    step = f"Look at {effect.resource} in the VPC console, and in the firewall's alert logs for the registry's hosts."
    if effect.does is Does.OPEN:
        return replace(hop, undecided=(Undecided(_CAUSE, Reason(proof, *steps_of(effect.unread), step)),))
    if effect.does is Does.PASS:
        # Before a failure it passes what it drops in some cases alone.
        doubt = Reason(f"{name} passes TLS to the registry, but {effect.doubt}", step)
        undecided = (Undecided(_CAUSE, doubt),) if effect.doubt and is_failure else ()
        return replace(hop, evidence=(*hop.evidence, proof), undecided=undecided)
    explanation = f"Network Firewall {hop.resource_id} drops TLS connections to {host}: {effect.proof}."
    changes = changes_that_pass(policy, connection)
    fixes = tuple(Fix(host=host, target=effect.resource, change=each.what, entry=each.entry) for each in changes)
    fixes = fixes or (Fix(host=host, target=effect.resource),)
    fault = Fault(_CAUSE, ResourceType.OTHER, effect.resource, explanation, (*hop.evidence, proof), fixes)
    return replace(hop, evidence=fault.evidence, faults=(fault,))
