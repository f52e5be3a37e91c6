"""The route tables of a transit gateway: to which attachment they send what comes from another.

Sources: AWS Transit Gateway guide, "How AWS Transit Gateway works", "Route evaluation order" (the most specific route
of the table that the attachment is associated with; a blackhole drops what it wins) and "Route table association";
Amazon EC2 API Reference, SearchTransitGatewayRoutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, Route, RouteTable
from pull_responder.network.neighbours import (
    PEERING_ATTACHMENT,
    SEVERAL,
    STOPPED,
    VPC_ATTACHMENT,
    Attachment,
    Owned,
    TransitGateway,
    Wanted,
    WantedKind,
)
from pull_responder.network.next_steps import behind
from pull_responder.network.routing import Routing, describe, routing
from pull_responder.network.unfollowed import not_followed

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.model import Surroundings

_CAUSE: Final = PathCause.TRANSIT_GATEWAY_BLOCKS
_UNLISTED: Final = "leads to an attachment that EC2 does not list"
_SHOWN: Final = 20
# What the routes of a VPC need of it, those of a gateway do not: the entries of prefix lists come as blocks.
_NO_NETWORK: Final = Network(region="", vpc=Unread("a transit gateway is no VPC"))


@dataclass(frozen=True, slots=True)
class Next:
    """To which attachment a gateway sends traffic. `beyond` says why that is not known, or not followed."""

    hops: tuple[Hop, ...]
    attachment: Attachment | None = None
    beyond: str = ""


def next_attachment(  # noqa: PLR0913 -- what is sent, from where to where, and what is known
    origin: Attachment, to: Peer, around: Surroundings, region: str, *, what: str, towards: str = ""
) -> Next:
    """Return where a gateway sends what comes from the attachment `origin` and is for the addresses of `to`.

    `what` says what that is, in words. `towards` is the attachment to which it should lead, if that is known.
    """
    owner = Owned(origin.gateway_owner, region)
    hop = Hop(HopKind.TRANSIT_GATEWAY, origin.table_id or origin.gateway_id, (_CAUSE,), owned=owner)
    gateway, table = around.gateways.get(origin.gateway_id), around.tables.get(origin.table_id)
    if isinstance(gateway, Unread):
        return _unknown(hop, gateway.reason)
    if gateway is None or (table is None and origin.table_id):
        return _not_read(hop, origin, around, region)
    if origin.association == "disassociated" or table is None:
        return Next((_with_fault(hop, _not_associated(origin, Owned(origin.gateway_owner, region))),))
    if origin.association != "associated" or isinstance(table, Unread):
        state = Reason(f"{_association(origin)} is in state {origin.association}", behind(origin.id))
        return _unknown(hop, table.reason if isinstance(table, Unread) else state)
    return _by_table(hop, table, origin, to, gateway, what=what, towards=towards)


def _by_table(  # noqa: PLR0913 -- as for the gateway, with its table
    hop: Hop, table: RouteTable, origin: Attachment, to: Peer, gateway: TransitGateway, *, what: str, towards: str
) -> Next:
    found_routes = routing(table, to.addresses, _NO_NETWORK)
    hop = replace(hop, evidence=(shown(table, found_routes),))
    if found_routes.unread:
        return _unknown(hop, join_reasons(found_routes.unread))
    if not any(route.active for route in found_routes.routes):
        dropped = tuple(map(str, found_routes.routes[:_SHOWN]))
        explanation = _no_route(table, dropped, origin, gateway, what)
        proof = f"{origin.id} of {origin.resource_id} is associated with {table.id}"
        fix = Fix(route_table_id=table.id, peer=to.cidr, target=towards or None, blackholes=dropped)
        owned = Owned(gateway.owner, gateway.region)
        fault = Fault(_CAUSE, ResourceType.OTHER, table.id, explanation, (*hop.evidence, proof), (fix,), owned)
        return Next((_with_fault(hop, fault),))
    if found_routes.whole is None:
        routes = "; ".join(map(str, found_routes.routes[:_SHOWN]))
        rest = ", and none covers the rest" if found_routes.unrouted else ""
        words = f"each of these routes of {table.id} covers only part of {to.name}{rest}: {routes}"
        return _unknown(hop, Reason(words, behind(gateway.id)))
    return _at_attachment(hop, found_routes.whole, origin, gateway)


def _at_attachment(hop: Hop, route: Route, origin: Attachment, gateway: TransitGateway) -> Next:
    where = f"route {route} of {hop.resource_id}"
    target = gateway.attachments.get(route.target)
    if target is None:
        several = route.target == SEVERAL
        words = "spreads the traffic over several attachments" if several else _UNLISTED
        return _unknown(hop, Reason(f"{where} {words}", behind(gateway.id)))
    if target.kind not in (VPC_ATTACHMENT, PEERING_ATTACHMENT):
        return _unknown(hop, not_followed(where, target))
    if target.id == origin.id:
        return _unknown(hop, Reason(f"{where} leads back to where the traffic comes from", behind(gateway.id)))
    state = f"{where} leads to {target.id}, in state {target.state}"
    if target.state in STOPPED:
        return Next((_with_fault(hop, _not_available(target, gateway, state)),))
    if not target.carries:
        return _unknown(hop, Reason(state, behind(target.id)))
    evidence = f"{where} leads to {target.resource_id} of account {target.owner}"
    return Next((replace(hop, evidence=(*hop.evidence, evidence)),), target)


def _not_available(target: Attachment, gateway: TransitGateway, state: str) -> Fault:
    explanation = f"The {state}, so transit gateway {gateway.id} sends nothing over it."
    owned, fix = Owned(gateway.owner, gateway.region), Fix(target=target.id)
    return Fault(_CAUSE, ResourceType.OTHER, target.id, explanation, (state,), (fix,), owned)


def _unknown(hop: Hop, reason: str) -> Next:
    return Next((replace(hop, undecided=(Undecided(_CAUSE, reason),)),), beyond=reason)


def _with_fault(hop: Hop, fault: Fault) -> Hop:
    return replace(hop, evidence=tuple(dict.fromkeys((*hop.evidence, *fault.evidence))), faults=(fault,))


def _association(origin: Attachment) -> str:
    return f"the association of {origin.id} ({origin.resource_id}) with a route table of {origin.gateway_id}"


def _not_read(hop: Hop, origin: Attachment, around: Surroundings, region: str) -> Next:
    """Return that the gateway or its table was not asked for yet, and the wish to read them."""
    gateway, table, account = origin.gateway_id, origin.table_id, origin.gateway_owner
    wanted = [
        *([Wanted(WantedKind.GATEWAY, gateway, account, region)] if gateway not in around.gateways else []),
        *([Wanted(WantedKind.TABLE, table, account, region)] if table and table not in around.tables else []),
    ]
    found = _unknown(hop, Reason(f"{gateway} of account {account} and its route tables were not read", behind(gateway)))
    return replace(found, hops=(replace(found.hops[0], wanted=tuple(wanted)),))


def _not_associated(origin: Attachment, owner: Owned) -> Fault:
    proof = f"{origin.id} of {origin.resource_id} is associated with no route table of {origin.gateway_id}"
    explanation = f"Attachment {proof}, so the transit gateway drops what comes from it."
    return Fault(_CAUSE, ResourceType.OTHER, origin.id, explanation, (proof,), (Fix(target=origin.gateway_id),), owner)


def _no_route(
    table: RouteTable, dropped: tuple[str, ...], origin: Attachment, gateway: TransitGateway, what: str
) -> str:
    why = f"drops {what}, by {'; '.join(dropped)}" if dropped else f"has no route for {what}"
    return (
        f"Route table {table.id} of transit gateway {gateway.id}, which routes what comes from"
        f" {origin.resource_id}, {why}."
    )


def shown(table: RouteTable, found: Routing) -> str:
    """Return a table for people: the routes that count, if it has many."""
    if len(table.routes) <= _SHOWN:
        return describe(table)
    routes = "; ".join(str(route) for route in found.routes[:_SHOWN]) or "none for this traffic"
    return f"route table {table.id} with {len(table.routes)} routes: {routes}"
