"""The way back from another VPC: answers need a route of their own in each table that they meet.

A route table routes by the destination alone, so the way there says nothing about the way back (Amazon VPC User Guide,
"Configure route tables"; AWS Transit Gateway guide, "How AWS Transit Gateway works").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.crossing import owned_by, zone_hop
from pull_responder.network.model import Network, Route, RouteTable, RouteTarget, read
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.routing import Routing, describe, routing
from pull_responder.network.transit_routes import next_attachment

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.crossing import Step
    from pull_responder.network.model import Surroundings

Hops = tuple[Hop, ...]

_CAUSES: Final = (PathCause.NO_ROUTE,)
# Answers that take one of these leave for somewhere else: the node's address means nothing to them.
_ASTRAY: Final = {
    RouteTarget.INTERNET_GATEWAY,
    RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY,
    RouteTarget.NAT_GATEWAY,
}


def way_back(start: str, network: Network, node: Peer, step: Step, around: Surroundings) -> Hops:
    """Return the hops of answers from subnet `start` of the VPC that `step` led into, back to the node.

    The node's own VPC takes them by its local route.
    """
    table = read(network.route_tables, start, f"the route table of {start}")
    if isinstance(table, Unread):
        doubt = Undecided(PathCause.NO_ROUTE, table.reason)
        return (Hop(HopKind.ROUTE, start, _CAUSES, undecided=(doubt,)),)
    target = step.near.gateway_id if step.near else (step.hops[0].resource_id or "")
    hop = owned_by(_route_hop(start, table, network, node, target), network)
    if step.near is None or step.far is None or hop.undecided or hop.faults:
        return (hop,)
    reached = owned_by(zone_hop(step.far, start, network), network)
    if reached.undecided or reached.faults:
        return (hop, reached)
    what = f"answers to {node.name}"
    onward = next_attachment(step.far, node, around, network.region, what=what, towards=step.near.id)
    if onward.attachment is None or onward.attachment.id == step.near.id:
        return (hop, *onward.hops)
    reason = Reason(
        f"answers to {node.name} go by {onward.attachment.id} to {onward.attachment.resource_id}, another way than"
        " the requests came",
        behind(onward.attachment.resource_id),
    )
    doubt = Undecided(PathCause.TRANSIT_GATEWAY_BLOCKS, reason)
    last = onward.hops[-1]
    return (hop, *onward.hops[:-1], replace(last, undecided=(*last.undecided, doubt)))


def answers_through(endpoint_id: str, start: str, network: Network, node: Peer) -> Hop:
    """Return whether answers from subnet `start` come back through a firewall's endpoint. Undecided if they do not.

    A firewall that sees one direction alone may drop it, or may not.
    """
    table = read(network.route_tables, start, f"the route table of {start}")
    if isinstance(table, Unread):
        return Hop(HopKind.ROUTE, start, _CAUSES, undecided=(Undecided(PathCause.NO_ROUTE, table.reason),))
    hop = _route_hop(start, table, network, node, endpoint_id)
    reason = Reason(f"answers to {node.name} do not come back through {endpoint_id}", behind(endpoint_id))
    return hop.with_faults_undecided(reason)


def _route_hop(start: str, table: RouteTable, network: Network, node: Peer, target: str) -> Hop:
    found = routing(table, node.addresses, network)
    proof = (describe(table),)
    hop = Hop(HopKind.ROUTE, table.id, _CAUSES, proof)
    live = [route for route in found.routes if route.active]
    if live == list(found.routes) and not found.unrouted and not found.unread and _all_lead(live, target):
        return replace(hop, evidence=(f"{', '.join(map(str, live))} of {table.id} takes answers to {node.name} back",))
    if found.unread or not all(route.kind in _ASTRAY for route in live) or (live and found.unrouted):
        words = "; ".join(map(str, found.routes)) or "no route that could be read"
        reason = Reason(f"answers to {node.name} leave {start} by other routes of {table.id}: {words}", behind(target))
        return replace(hop, undecided=(Undecided(PathCause.NO_ROUTE, join_reasons((reason, *found.unread))),))
    return replace(hop, faults=(_no_way_back(start, found, network, node, target),))


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
