"""The way over a VPC peering connection.

Source: VPC Peering Guide, "VPC peering connection lifecycle" and "Unsupported VPC peering configurations" (it carries
traffic for the other VPC's own addresses, and nothing on to its gateways).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, Route, read
from pull_responder.network.neighbours import STOPPED, Owned, Peering, PeeringSide, Wanted, WantedKind
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.step import Step, Traffic, into

if TYPE_CHECKING:
    from pull_responder.network.model import Surroundings

_OF_PEERING: Final = (PathCause.PEERING_CANNOT_CARRY,)


def over_peering(route: Route, network: Network, traffic: Traffic, around: Surroundings) -> Step:
    """Return where a route of a VPC over a peering connection leads."""
    if traffic.came_by:
        words = f"{route} takes on what came from another network by {traffic.came_by.id}, which is not followed"
        return _open_peering(route, Reason(words, behind(route.target)))
    peering = read(network.peerings, route.target, f"peering connection {route.target}")
    other = None if isinstance(peering, Unread) else peering.other_side(vpc_id(network))
    if isinstance(peering, Unread) or other is None:
        return _open_peering(route, peering.reason if isinstance(peering, Unread) else _not_shown(route))
    state = f"{peering.id} is in state {peering.state}"
    if peering.state in STOPPED:
        fault = _peering_fault(peering, network, f"The route {route} leads over {peering.id}, and {state}.", (state,))
        return Step((Hop(HopKind.PEERING, peering.id, _OF_PEERING, fault.evidence, (fault,)),))
    if peering.state != "active":
        return _open_peering(route, Reason(state, behind(peering.id)))
    if not other.cidrs:
        return _open_peering(route, _not_shown(route))
    return _to_other_side(route, peering, other, network, traffic, around)


def _to_other_side(  # noqa: PLR0913, PLR0917 -- the route, both sides, and what is known
    route: Route,
    peering: Peering,
    other: PeeringSide,
    network: Network,
    traffic: Traffic,
    around: Surroundings,
) -> Step:
    there = AddressSet.of(*other.cidrs)
    blocks = f"{peering.id} leads to {other.vpc_id} of account {other.account}, with {', '.join(other.cidrs)}"
    if not traffic.server.addresses & there:
        explanation = (
            f"The route {route} takes traffic to {traffic.server.name} over the peering connection {peering.id}, which"
            f" carries only what is for addresses of {other.vpc_id} ({', '.join(other.cidrs)}), and nothing on to its"
            " gateways."
        )
        fault = _peering_fault(peering, network, explanation, (blocks, f"route {route}"))
        return Step((Hop(HopKind.PEERING, peering.id, _OF_PEERING, fault.evidence, (fault,)),))
    hop = Hop(HopKind.PEERING, peering.id, _OF_PEERING, (f"{peering.id} is in state {peering.state}", blocks))
    if traffic.server.addresses - there:
        reason = Reason(f"{blocks}, which are only a part of {traffic.server.name}", behind(peering.id))
        doubt = Undecided(PathCause.PEERING_CANNOT_CARRY, reason)
        return Step((replace(hop, undecided=(doubt,)),), beyond=reason)
    wanted = Wanted(WantedKind.VPC, other.vpc_id, other.account, other.region or network.region)
    return into(Step((hop,)), (wanted,), around)


def _open_peering(route: Route, reason: str) -> Step:
    doubt = Undecided(PathCause.PEERING_CANNOT_CARRY, reason)
    return Step((Hop(HopKind.PEERING, route.target, _OF_PEERING, undecided=(doubt,)),), beyond=reason)


def _peering_fault(peering: Peering, network: Network, explanation: str, evidence: tuple[str, ...]) -> Fault:
    return Fault(
        PathCause.PEERING_CANNOT_CARRY,
        ResourceType.OTHER,
        peering.id,
        explanation,
        evidence,
        (Fix(target=peering.id, vpc_id=vpc_id(network)),),
        Owned(network.owner, network.region),
    )


def _not_shown(route: Route) -> str:
    return Reason(f"EC2 does not show where {route.target} leads", behind(route.target))
