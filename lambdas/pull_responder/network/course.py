"""The course of traffic over one VPC after another: on by the route of each subnet, through firewalls and gateways.

Where it ends is for `egress` and `hub` to say. Each subnet by which a gateway may let the traffic in is followed. What
is not sure leaves open what lies behind it, and nothing before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, reword
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import PUBLIC_IPV4
from pull_responder.network.alternatives import any_of, combine_ways
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType
from pull_responder.network.attachment_way import exit_of
from pull_responder.network.crossing import leads_to_neighbour, step_over
from pull_responder.network.firewall_way import leads_to_firewall, through_firewall
from pull_responder.network.model import Route, RouteTarget, read
from pull_responder.network.network_acls import acl_hop, client_crossings, server_crossings
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.routing import describe, routing
from pull_responder.network.stay import MOST_VPCS, MOST_WAYS, Stay
from pull_responder.network.step import Traffic
from pull_responder.network.unfollowed import beyond

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.network.addresses import Peer
    from pull_responder.network.firewall_way import Through
    from pull_responder.network.model import Network, RouteTable, Surroundings, VpcEndpoint
    from pull_responder.network.network_acls import Crossing
    from pull_responder.network.places import Trip
    from pull_responder.network.routing import Routing

Hops = tuple[Hop, ...]

_ROUTE: Final = (PathCause.NO_ROUTE,)


@dataclass(frozen=True, slots=True)
class End:
    """Where traffic ends up: the hops to there. `beyond` says in words why it is not followed to the end, if it is not.

    `endpoint` is the interface endpoint that it arrives at. `is_outside` says that not even the next VPC is known.
    """

    hops: Hops = ()
    beyond: str = ""
    endpoint: VpcEndpoint | None = None
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """What is followed: the node's `trip`, to `server`.

    - `arrive`: returns the end of the way by a route of the subnet where the traffic is, None if it leads on. The route
      is None where no subnet has to lead it, which is so behind a peering connection.
    - `stops`: returns why a table of a subnet by which the traffic enters may stop it; empty if it does not.
    - `vpc_id`: the VPC of the server; empty if it is not known.
    """

    trip: Trip
    server: Peer
    arrive: Callable[[Route | None, Stay], End | None]
    stops: Callable[[RouteTable, Stay], str] = lambda _table, _stay: ""
    vpc_id: str = ""


def follow(route: Route, stay: Stay, errand: Errand) -> End:
    """Return the way on by a route of the subnet where the traffic is."""
    if found := errand.arrive(route, stay):
        return found
    if leads_to_firewall(route):
        return _through(route, stay, errand)
    if leads_to_neighbour(route) and not (stay.passed and route.kind is RouteTarget.VPC_PEERING):
        return _across(route, stay, errand)
    return End(beyond=_left(route, stay))


def _left(route: Route, stay: Stay) -> Reason:
    """Return why a route is not followed, in words."""
    found = beyond(route)
    if not stay.foreign and not stay.passed:
        return found
    words = f"in {vpc_id(stay.network)}, {stay.at} takes the traffic on by {route}, which is not followed"
    return reword(found, f"{words}: it leads to {route.kind.with_article}")


def _through(route: Route, stay: Stay, errand: Errand) -> End:
    """Return the way on through a firewall's endpoint."""
    through = through_firewall(route, stay.trip(errand.trip, errand.server))
    if not through.endpoint_id:
        return End(tuple(map(stay.owning, through.hops)), through.beyond)
    first = (_out_of(stay, through.subnet_id, errand),) if stay.foreign or stay.passed else ()
    within = (_of_firewall(stay, through.subnet_id, errand),) if through.subnet_id not in ("", stay.at) else ()
    hops = tuple(stay.owning(hop) for hop in (*first, *within, *through.hops))
    if through.onward is None or _drops(through.onward):
        return _behind_firewall(hops, through, stay.through(through), errand)
    if reason := _stopped(stay.through(through), errand):
        return End(hops, reason)
    if any(through.endpoint_id == each.endpoint_id for each in stay.passed):
        words = f"{through.endpoint_id} leads the traffic back to itself"
        return End(hops, Reason(words, behind(through.endpoint_id)))
    found = follow(through.onward, stay.through(through), errand)
    return replace(found, hops=(*hops, *found.hops))


def _behind_firewall(hops: Hops, through: Through, stay: Stay, errand: Errand) -> End:
    """Return why nothing leads on from a firewall's subnet: it certainly has no route, or that is not known."""
    table, server = read(stay.network.route_tables, stay.at, stay.at), stay.beyond(errand.server)
    problem = "" if isinstance(table, Unread) else _dead_end(routing(table, server.addresses, stay.network))
    if isinstance(table, Unread) or not problem:
        return End(hops, through.beyond)
    return End((*hops, stay.owning(_dead_end_hop(stay, table, errand, problem))))


def _stopped(stay: Stay, errand: Errand) -> str:
    """Return why the table of a firewall's subnet in another VPC may stop the traffic; empty if it does not."""
    table = read(stay.network.route_tables, stay.at, stay.at)
    return errand.stops(table, stay) if stay.foreign and not isinstance(table, Unread) else ""


def _of_firewall(stay: Stay, subnet_id: str, errand: Errand) -> Hop:
    """Return whether the network ACL of a firewall's subnet lets the traffic in, and the answers out."""
    source = errand.trip.foreign_source if stay.foreign else errand.trip.source
    return acl_hop(subnet_id, server_crossings(subnet_id, source), stay.network)


def _out_of(stay: Stay, into: str, errand: Errand) -> Hop:
    """Return whether network ACLs let the traffic out of the subnet where it is, and the answers in."""
    crossings = out_crossings(stay, into, errand.server)
    out = acl_hop(stay.at, crossings, stay.network)
    shared = into in {each.subnet_id for each in crossings}
    return out.with_faults_undecided(f"{into} also holds the firewall's endpoint") if shared else out


def _across(route: Route, stay: Stay, errand: Errand) -> End:
    """Return the way on into the next VPC, by each subnet by which the traffic may enter it."""
    traffic = Traffic(errand.trip.foreign_source, errand.server, stay.at, errand.vpc_id, stay.came_by)
    step = step_over(route, stay.network, traffic, _around(errand.trip.network))
    hops = (*_leaving(route, stay, errand), *step.hops)
    if step.network is None:
        return End(hops, step.beyond, is_outside=bool(step.beyond))
    if step.far is not None and not step.entries:
        words = f"the way of {errand.server.name} within {vpc_id(step.network)} is not known"
        unread = step.far.subnet_ids
        return End(hops, unread.reason if isinstance(unread, Unread) else Reason(words, behind(route.target)))
    ways = stay.ways * max(len(step.entries), 1)
    if ways > MOST_WAYS:
        words = f"the traffic may take more than {MOST_WAYS} ways as far as {vpc_id(step.network)}"
        return End(hops, Reason(words, behind(route.target)))
    ends = [_entered(Stay(step.network, entry, step, stay, ways=ways), errand) for entry in step.entries or ("",)]
    gate, cut_off = step.far.id if step.far else route.target, all(any(hop.faults for hop in end.hops) for end in ends)
    words = f"only some of the subnets of {gate} lead on"
    doubt = f"by which subnet of {gate} the traffic enters is not known" if cut_off else words
    open_ = next((end.beyond for end in ends if end.beyond), "")
    # In appliance mode each way is taken by some flows. Else one is, and which one is not known.
    combined = any_of if step.far is None or step.far.appliance_mode else combine_ways
    across = combined([end.hops for end in ends], doubt)
    return End((*hops, *across), open_, None if open_ else ends[0].endpoint)


def _around(own: Network) -> Surroundings:
    """Return what is known around the node's VPC, with that VPC itself: routes may lead back into it."""
    return replace(own.around, vpcs={**own.around.vpcs, vpc_id(own): own})


def _leaving(route: Route, stay: Stay, errand: Errand) -> Hops:
    """Return the hops of a subnet from which traffic leaves a VPC: those of the node's are of the node's own way."""
    if not stay.foreign and not stay.passed:
        return ()
    taken = taken_hop(route, stay)
    if not stay.passed:
        return (taken,)  # it enters and leaves by the gateway's interfaces
    return (taken, stay.owning(acl_hop(stay.at, client_crossings(stay.at, errand.server), stay.network)))


def out_crossings(stay: Stay, start: str, server: Peer) -> tuple[Crossing, ...]:
    """Return what crosses the subnet from which traffic goes on within a VPC, and the one by which answers leave it.

    Answers come from the subnet `start`.
    """
    if not stay.at:
        return ()
    request, answer = client_crossings(stay.at, server)
    if stay.passed:
        return (request, answer)
    return (request, replace(answer, subnet_id=exit_of(start, stay.entry, stay.came_by, stay.network)))


def taken_hop(route: Route, stay: Stay) -> Hop:
    """Return the hop of a route that takes the traffic on from a subnet."""
    table = read(stay.network.route_tables, stay.at, stay.at)
    if isinstance(table, Unread):
        return Hop(HopKind.ROUTE, stay.at, _ROUTE, (f"{route} takes it on from {stay.at}",))
    return Hop(HopKind.ROUTE, table.id, _ROUTE, (f"{route} of {table.id} takes it on from {stay.at}",))


def _entered(stay: Stay, errand: Errand) -> End:
    """Return the way on within a VPC, from the subnet by which the traffic enters it."""
    where = vpc_id(stay.network)
    if stay.is_again or stay.is_too_far:
        why = f"comes back there by {stay.entry}" if stay.is_again else f"leads over more than {MOST_VPCS} VPCs"
        return End(beyond=Reason(f"the way is not followed into {where}: it {why}", behind(where)))
    if not stay.entry:
        arrived = errand.arrive(None, stay)
        return arrived or End(beyond=Reason(f"the way within {where} is not known", behind(where)))
    table = read(stay.network.route_tables, stay.entry, f"the route table of {stay.entry}")
    if isinstance(table, Unread):
        return End(beyond=table.reason)
    reason = errand.stops(table, stay)
    return End(beyond=reason) if reason else _by_table(table, stay, errand)


def _by_table(table: RouteTable, stay: Stay, errand: Errand) -> End:
    """Return the way on from where the traffic enters a VPC, by the table of that subnet."""
    found = routing(table, stay.beyond(errand.server).addresses, stay.network)
    if problem := _dead_end(found):
        return End((stay.owning(_dead_end_hop(stay, table, errand, problem)),))
    if found.whole is None:
        routes = "; ".join((*map(str, found.routes), *found.unread)) or "no route"
        words = f"in {vpc_id(stay.network)}, {describe(table)} takes the traffic on by {routes}, which is not followed"
        return End(beyond=Reason(words, behind(found.routes[0].target if found.routes else stay.entry)))
    return follow(found.whole, stay, errand)


def _dead_end(found: Routing) -> str:
    """Return why a table leads nowhere; empty if it may lead on, or if a check of its own says what is wrong."""
    if found.unread or not all(map(_drops, found.routes)):
        return ""
    return "; ".join(map(str, found.routes)) or "no route"


def _drops(route: Route) -> bool:
    """Return whether a route drops what it takes. One to a NAT gateway that is gone has a cause of its own."""
    return not route.active and route.kind is not RouteTarget.NAT_GATEWAY


def _dead_end_hop(stay: Stay, table: RouteTable, errand: Errand, problem: str) -> Hop:
    name, server = errand.trip.node.name, errand.server
    explanation = (
        f"Traffic from {name} to {server.name} {'leaves a firewall in' if stay.passed else 'enters'}"
        f" {vpc_id(stay.network)} by subnet {stay.at}, which has no route there: {problem}."
    )
    proof = (describe(table),)
    address = server.cidr if errand.vpc_id or not server.addresses & PUBLIC_IPV4 else None
    fix = Fix(route_table_id=table.id, subnet_id=stay.at, address=address)
    fault = Fault(PathCause.NO_ROUTE, ResourceType.SUBNET, stay.at, explanation, proof, (fix,))
    return Hop(HopKind.ROUTE, table.id, _ROUTE, proof, (fault,))
