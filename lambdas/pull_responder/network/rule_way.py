"""Where a Resolver rule sends a question, who answers it there, and the way to where the answer leads.

The question goes through the rule's outbound endpoint to the rule's targets. Where they are addresses of an inbound
endpoint in the same VPC, that VPC's DNS answers, as it would in the VPC itself: with its zones, its rules and private
DNS of its endpoints. Of S3's endpoint that is so even with private DNS for inbound endpoints alone.

Sources: Amazon Route 53 Developer Guide, "Resolving DNS queries between VPCs and your network" and "Avoid loop
configurations with Resolver endpoints"; AWS PrivateLink Guide, "Gateway endpoints for Amazon S3" (private DNS for
inbound Resolver endpoints).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet, Peer
from pull_responder.network.alternatives import any_of
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.dns_firewall import firewall_hop
from pull_responder.network.dns_hops import asked, asking, questions_in, questions_out
from pull_responder.network.model import RouteTarget, read
from pull_responder.network.names import AMAZON_DNS
from pull_responder.network.neighbours import Wanted, WantedKind
from pull_responder.network.network_acls import acl_hop
from pull_responder.network.next_steps import behind
from pull_responder.network.places import addresses_of, vpc_id
from pull_responder.network.public_way import public_way
from pull_responder.network.resolution import resolve
from pull_responder.network.routing import describe, routing
from pull_responder.network.step import owned_by
from pull_responder.network.zone_way import gateways_wanted, way_to, zone_way

if TYPE_CHECKING:
    from pull_responder.network.model import Network
    from pull_responder.network.places import Trip
    from pull_responder.network.resolver import ResolverRule
    from pull_responder.network.resolver_endpoints import ResolverEndpoint

Hops = tuple[Hop, ...]

_ROUTE: tuple[PathCause, ...] = (PathCause.NO_ROUTE,)


@dataclass(frozen=True, slots=True)
class Question:
    """What becomes of a question that a rule sends away.

    - `hops`: what lets it through to who answers.
    - `answer`: the hops to where the answer leads; None if that is not known, because of `beyond`.
    """

    hops: Hops
    answer: Hops | None = None
    beyond: str = ""


def question_by(rule: ResolverRule, trip: Trip) -> Question:  # noqa: PLR0911 -- each return is another state
    """Return what becomes of the question for the destination's name that a rule sends away."""
    around, network = trip.network.around, trip.network
    if not rule.endpoint_id or not rule.owner or not rule.targets:
        return Question(())
    if not rule.plain:
        return Question((), beyond=Reason(f"{rule.id} asks its targets by another port or protocol than DNS over 53"))
    if rule.endpoint_id not in around.resolvers:
        wanted = Wanted(WantedKind.RESOLVER, rule.endpoint_id, rule.owner, network.region)
        return _lacking((wanted, *gateways_wanted(trip)), f"{rule.endpoint_id} was not read", rule)
    outbound = around.resolvers[rule.endpoint_id]
    if isinstance(outbound, Unread):
        return Question((), beyond=outbound.reason)
    if outbound is None or not outbound.is_up or not outbound.interfaces:
        state = f"is in state {outbound.state}" if outbound else f"does not exist in account {rule.owner}"
        step = f"Look at Resolver endpoint {rule.endpoint_id} in the Route 53 console."
        return Question((), beyond=Reason(f"outbound endpoint {rule.endpoint_id} {state}", step))
    if outbound.vpc_id == vpc_id(network):
        return _asked_from(outbound, network, (), rule, trip)
    if outbound.vpc_id not in around.names:
        wanted = Wanted(WantedKind.NAMES, outbound.vpc_id, outbound.account, network.region)
        return _lacking((wanted,), f"{outbound.vpc_id} was not read", rule)
    far, inbound = around.names[outbound.vpc_id], around.inbound.get(outbound.vpc_id, ())
    if isinstance(far, Unread):
        return Question((), beyond=far.reason)
    return _asked_from(outbound, far, inbound, rule, trip)


def _lacking(wanted: tuple[Wanted, ...], why: str, rule: ResolverRule) -> Question:
    return Question((Hop(HopKind.NAME, rule.endpoint_id, (), wanted=wanted),), beyond=Reason(why))


def _asked_from(
    outbound: ResolverEndpoint,
    network: Network,
    inbound: tuple[ResolverEndpoint, ...] | Unread,
    rule: ResolverRule,
    trip: Trip,
) -> Question:
    """Return what becomes of the question that leaves by the outbound endpoint in `network`."""
    known = () if isinstance(inbound, Unread) else inbound
    found = {target: next((each for each in known if _has(each, target)), None) for target in rule.targets}
    ways = [_to_target(target, server, outbound, network) for target, server in found.items()]
    servers = [server for server in found.values() if server]
    unknown = next((target for target, server in found.items() if server is None), "")
    others = Reason(f"only some targets of {rule.id} are out of reach", f"Look at the targets of {rule.id}.")
    hops = tuple(owned_by(hop, network) if network is not trip.network else hop for hop in any_of(ways, others))
    if unknown:
        return Question(
            hops, beyond=inbound.reason if isinstance(inbound, Unread) else _not_followed(unknown, rule, network)
        )
    odd = next((each for each in servers if each.direction != "INBOUND" or not each.is_up), None)
    if odd:
        step = f"Look at Resolver endpoint {odd.id} in the Route 53 console."
        return Question(hops, beyond=Reason(f"{odd.id} ({odd.direction}) is in state {odd.state}", step))
    said = f"{rule}; {servers[0].id} of {vpc_id(network)} has these addresses, so the DNS of that VPC answers"
    answer = _answer(network, said, trip)
    return Question(hops, beyond=answer) if isinstance(answer, str) else Question(hops, answer)


def _has(endpoint: ResolverEndpoint, address: str) -> bool:
    return any(address in interface.addresses for interface in endpoint.interfaces)


def _not_followed(target: str, rule: ResolverRule, network: Network) -> str:
    """Return why nobody knows what a target answers."""
    inside = not isinstance(network.vpc, Unread) and bool(AddressSet.of(target) & AddressSet.of(*network.vpc.cidrs))
    where = f"in {vpc_id(network)}, where no inbound endpoint has it" if inside else f"outside of {vpc_id(network)}"
    return Reason(
        f"{rule.id} asks {target}, an address {where}, and what answers there cannot be read",
        f"On a node, run `nslookup` for the registry's host, and look at the DNS server {target}.",
    )


def _to_target(target: str, server: ResolverEndpoint | None, outbound: ResolverEndpoint, network: Network) -> Hops:
    """Return the hops of a question from the outbound endpoint to one target of the rule."""
    there = AddressSet.of(target)
    groups = frozenset(server.group_ids) if server else frozenset[str]()
    named = f"{target} ({server.id})" if server else target
    peer = Peer(named, there, f"{target}/{128 if ':' in target else 32}", groups, groups_known=server is not None)
    source = AddressSet.of(*(address for each in outbound.interfaces for address in each.addresses))
    asks = Peer(outbound.id, source, None, frozenset(outbound.group_ids))
    subnets = tuple(dict.fromkeys(each.subnet_id for each in outbound.interfaces))
    ends = next((each.subnet_id for each in server.interfaces if target in each.addresses), "") if server else ""
    ways: list[Hops] = [
        (_across(subnet, ends, peer, asks, network), _route(subnet, peer, network)) for subnet in subnets
    ]
    out = questions_out(outbound, peer, network)
    across = any_of(ways, Reason(f"only some subnets of {outbound.id} are cut off", f"Look at {outbound.id}."))
    return (out, *across, *((questions_in(server, asks, network),) if server else ()))


def _across(subnet: str, ends: str, peer: Peer, asks: Peer, network: Network) -> Hop:
    """Return whether the network ACLs let the question through. Within a subnet none applies."""
    crossings = () if subnet == ends else (*asking(subnet, peer), *(asked(ends, asks) if ends else ()))
    return acl_hop(subnet, crossings, network)


def _route(subnet: str, peer: Peer, network: Network) -> Hop:
    """Return whether a subnet of the outbound endpoint has a route to the target."""
    table = read(network.route_tables, subnet, f"the route table of {subnet}")
    if isinstance(table, Unread):
        return Hop(HopKind.ROUTE, subnet, _ROUTE, undecided=(Undecided(PathCause.NO_ROUTE, table.reason),))
    found = routing(table, peer.addresses, network)
    proof = (describe(table),)
    if found.unread:
        doubt = Undecided(PathCause.NO_ROUTE, Reason("; ".join(found.unread)))
        return Hop(HopKind.ROUTE, table.id, _ROUTE, proof, undecided=(doubt,))
    route = found.routes[0] if found.routes else None
    if route is None or not route.active:
        why = f"the route {route} takes it" if route else "no route takes it"
        explanation = (
            f"Questions for the registry's names do not get from {subnet} of {vpc_id(network)} to {peer.name}: {why} of"
            f" {table.id}."
        )
        address = (peer.cidr or "").partition("/")[0]
        fix = Fix(route_table_id=table.id, subnet_id=subnet, vpc_id=vpc_id(network), address=address)
        fault = Fault(PathCause.NO_ROUTE, ResourceType.SUBNET, subnet, explanation, proof, (fix,))
        return Hop(HopKind.ROUTE, table.id, _ROUTE, proof, (fault,))
    if route.kind is RouteTarget.LOCAL:
        return Hop(HopKind.ROUTE, table.id, _ROUTE, (f"the local route of {table.id} reaches {peer.name}",))
    reason = Reason(f"the route {route} of {table.id} takes questions to {peer.name} on", behind(route.target))
    return Hop(HopKind.ROUTE, table.id, _ROUTE, proof, undecided=(Undecided(PathCause.NO_ROUTE, reason),))


def _answer(hub: Network, said: str, trip: Trip) -> Hops | str:  # noqa: PLR0911 -- each return is another answer
    """Return the hops to where the DNS of a VPC leads the destination; why that is not known, in words, else."""
    hub = _as_asked_inbound(hub)
    found = resolve(trip.destination, hub)
    proof = Hop(HopKind.NAME, trip.destination.host, (), (said,))
    firewall = firewall_hop(replace(trip, network=hub, seen=None))
    if firewall and (firewall.faults or firewall.undecided):
        rules = f"whether DNS Firewall of {vpc_id(hub)} lets {trip.destination.host} pass from outside is not known"
        return Reason(rules, f"Look at the DNS Firewall rules of {vpc_id(hub)}.")
    if found.hop.faults:
        return (proof, replace(found.hop, faults=tuple(_owned(each, hub) for each in found.hop.faults)))
    if found.other.zone:
        way = zone_way(trip, found.other.zone)
        return (proof, *way) if way else ()
    if open_ := found.doubt or found.other.shown or found.other.unread:
        return Reason(f"in {vpc_id(hub)}, {open_}", *steps_of(open_))
    if found.endpoint is None:
        return (proof, *public_way(trip)) if trip.version in trip.destination.versions else ()
    interfaces = () if isinstance(found.endpoint.interfaces, Unread) else found.endpoint.interfaces
    every = [each for interface in interfaces for each in interface.addresses]
    addresses = [each for each in every if addresses_of((each,), trip.version)]
    if every and not addresses:
        return ()
    if not addresses:
        return Reason(f"the addresses of {found.endpoint.id} are not known", f"Look at {found.endpoint.id}.")
    by = f"private DNS of {found.endpoint.id} in {vpc_id(hub)} leads it there"
    ways = [way_to(each, trip, by, of_endpoint=True, vpc=vpc_id(hub)) for each in addresses]
    return (proof, *any_of(ways, Reason(f"only some addresses of {found.endpoint.id} are out of reach", behind(by))))


def _as_asked_inbound(hub: Network) -> Network:
    """Return a VPC as its inbound endpoints see it: Amazon's DNS answers, and private DNS that is for them alone."""
    vpc = hub.vpc if isinstance(hub.vpc, Unread) else replace(hub.vpc, dns_servers=(AMAZON_DNS,))
    endpoints = (
        hub.endpoints
        if isinstance(hub.endpoints, Unread)
        else tuple(replace(each, private_dns_inbound_only=False) for each in hub.endpoints)
    )
    return replace(hub, vpc=vpc, endpoints=endpoints)


def _owned(fault: Fault, hub: Network) -> Fault:
    return fault if fault.owned else owned_by(Hop(HopKind.NAME, "", (), faults=(fault,)), hub).faults[0]
