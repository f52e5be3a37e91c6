"""The route by which a subnet sends answers back to the node.

A route table routes by the destination alone, so the way there says nothing about the way back (Amazon VPC User Guide,
"Configure route tables").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, Route, RouteTable, RouteTarget, read
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.routing import Routing, describe, routing

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer

_CAUSES: Final = (PathCause.NO_ROUTE,)
# Answers that take one of these leave for somewhere else: the node's address means nothing to them.
_ASTRAY: Final = {
    RouteTarget.INTERNET_GATEWAY,
    RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY,
    RouteTarget.NAT_GATEWAY,
}


def route_back(start: str, network: Network, node: Peer, target: str, why: str = "") -> Hop:
    """Return whether the route of subnet `start` for answers to the node leads to `target`.

    If it certainly leads astray, that is a fault. If it leads elsewhere, the answers may come back another way: open,
    because of `why`, if that is given.
    """
    table = read(network.route_tables, start, f"the route table of {start}")
    if isinstance(table, Unread):
        return Hop(HopKind.ROUTE, start, _CAUSES, undecided=(Undecided(PathCause.NO_ROUTE, table.reason),))
    found = routing(table, node.addresses, network)
    hop = Hop(HopKind.ROUTE, table.id, _CAUSES, (describe(table),))
    live = [route for route in found.routes if route.active]
    if live == list(found.routes) and not found.unrouted and not found.unread and _all_lead(live, target):
        return replace(hop, evidence=(f"{', '.join(map(str, live))} of {table.id} takes answers to {node.name} back",))
    if found.unread or not all(route.kind in _ASTRAY for route in live) or (live and found.unrouted):
        words = "; ".join(map(str, found.routes)) or "no route that could be read"
        reason = Reason(f"answers to {node.name} leave {start} by other routes of {table.id}: {words}", behind(target))
        reasons = (reason, *((why,) if why else ()), *found.unread)
        return replace(hop, undecided=(Undecided(PathCause.NO_ROUTE, join_reasons(reasons)),))
    return replace(hop, faults=(_no_way_back(start, found, network, node, target),))


def answers_in(gateway_id: str, endpoint_id: str, network: Network, peer: Peer) -> Hop:
    """Return whether answers that an internet gateway lets in go to a firewall's endpoint, as the requests did.

    They do by a route table that the gateway is associated with (Amazon VPC User Guide, "Gateway route tables").
    Without one they go straight to `peer`. Undecided then: a firewall that sees one direction may drop it or not.
    """
    tables = network.route_tables
    table: RouteTable | None = None if isinstance(tables, Unread) else tables.get(gateway_id)
    why = Reason(
        f"requests of {peer.name} go through {endpoint_id} and answers do not, which Network Firewall does not support",
        f"Associate a route table with {gateway_id} that leads to {endpoint_id}.",
    )
    if table is None:
        words = f"no route table of {gateway_id} leads answers to {peer.name} back through {endpoint_id}"
        reason = join_reasons((Reason(words, behind(endpoint_id)), why))
        return Hop(HopKind.ROUTE, gateway_id, _CAUSES, undecided=(Undecided(PathCause.NO_ROUTE, reason),))
    return route_back(gateway_id, network, peer, endpoint_id, why).with_faults_undecided(why)


def answers_elsewhere(gateway_id: str, network: Network, peer: Peer) -> str:
    """Return that an internet gateway's route table sends answers to `peer` elsewhere; empty if they go straight to it.

    Then something in the VPC sees the answers of requests that went by the gateway without it.
    """
    tables = network.route_tables
    table: RouteTable | None = None if isinstance(tables, Unread) else tables.get(gateway_id)
    found = None if table is None else routing(table, peer.addresses, network)
    if found is None or not (found.unread or any(route.kind is not RouteTarget.LOCAL for route in found.routes)):
        return ""
    taken = "; ".join((*map(str, found.routes), *found.unread))
    words = f"requests of {peer.name} go straight to {gateway_id}, and {found.table.id} takes the answers by {taken}"
    return Reason(words, *(behind(route.target) for route in found.routes if route.kind is not RouteTarget.LOCAL))


def _all_lead(routes: list[Route], target: str) -> bool:
    return all(route.target == target for route in routes)


def _no_way_back(start: str, found: Routing, network: Network, node: Peer, target: str) -> Fault:
    taken = "; ".join(map(str, found.routes))
    why = f"they leave by {taken}" if taken else "it has none that takes them"
    explanation = (
        f"Subnet {start} of {vpc_id(network)} has no route back over {target} for answers to {node.name}: {why}."
    )
    fix = Fix(route_table_id=found.table.id, subnet_id=start, peer=node.cidr, target=target)
    evidence = (describe(found.table),)
    return Fault(PathCause.NO_ROUTE, ResourceType.SUBNET, start, explanation, evidence, (fix,))
