"""The way over transit gateways: from an attachment to the one of the next VPC, also where gateways are peered.

A peering attachment has static routes only, and each gateway has its own association and routes for it (AWS Transit
Gateway guide, "Peering attachments"). The other gateway belongs to an account and a region of its own, and is read
there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Hop, PathCause, Undecided
from pull_responder.network.neighbours import PEERING_ATTACHMENT, Attachment, Wanted, WantedKind
from pull_responder.network.next_steps import behind
from pull_responder.network.transit_routes import next_attachment
from pull_responder.network.unfollowed import core_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.network.addresses import Peer
    from pull_responder.network.model import Surroundings

_CAUSE: Final = PathCause.TRANSIT_GATEWAY_BLOCKS
_MOST_GATEWAYS: Final = 4


@dataclass(frozen=True, slots=True)
class Over:
    """Where gateways send traffic: to `attachment`. `beyond` says why that is not known, or not followed.

    `between` are the peering attachments that it goes over, each as the gateway that it enters sees it.
    """

    hops: tuple[Hop, ...]
    attachment: Attachment | None = None
    between: tuple[Attachment, ...] = ()
    beyond: str = ""


def over_gateways(  # noqa: PLR0913 -- what is sent, from where to where, and what is known
    origin: Attachment, to: Peer, around: Surroundings, region: str, *, what: str, towards: Mapping[str, str]
) -> Over:
    """Return to which VPC's attachment gateways send what comes from `origin` and is for the addresses of `to`.

    `region` is that of the first gateway, `what` says in words what is sent. `towards` has the attachment to which each
    gateway should send it, as far as that is known.
    """
    hops: tuple[Hop, ...] = ()
    between: tuple[Attachment, ...] = ()
    for _ in range(_MOST_GATEWAYS):
        onward = next_attachment(origin, to, around, region, what=what, towards=towards.get(origin.gateway_id, ""))
        hops = (*hops, *onward.hops)
        target = onward.attachment
        if target is None or target.kind != PEERING_ATTACHMENT:
            return Over(hops, target, between, onward.beyond)
        end = _other_end(target, around)
        if not isinstance(end, Attachment):
            return Over((*hops[:-1], _left_open(hops[-1], target, end)), None, between, _reason(target, end))
        between = (*between, end)
        origin, region = end, str(target.peer_region)
    reason = Reason(f"{what} goes over more than {_MOST_GATEWAYS} transit gateways", behind(origin.gateway_id))
    return Over((*hops[:-1], _with_doubt(hops[-1], reason)), None, between, reason)


def _other_end(peering: Attachment, around: Surroundings) -> Attachment | Unread | Wanted:
    """Return a peering attachment as the other gateway sees it: the same id, or the one that leads back here."""
    if peering.resource_id.startswith("core-network-"):
        return Unread(core_network(peering.resource_id, peering.owner))
    if isinstance(peering.peer_region, Unread):
        return peering.peer_region
    gateway = around.gateways.get(peering.resource_id)
    if gateway is None:
        return Wanted(WantedKind.GATEWAY, peering.resource_id, peering.owner, peering.peer_region)
    if isinstance(gateway, Unread):
        return gateway
    back = [
        each
        for each in gateway.attachments.values()
        if each.kind == PEERING_ATTACHMENT and each.resource_id == peering.gateway_id and not each.is_gone
    ]
    same = [each for each in back if each.id == peering.id] or back
    words = f"{peering.resource_id} does not show the other end of {peering.id}"
    return same[0] if len(same) == 1 else Unread(Reason(words, behind(peering.resource_id)))


def _reason(peering: Attachment, end: Unread | Wanted) -> str:
    if isinstance(end, Unread):
        return end.reason
    return Reason(
        f"{peering.id} leads to transit gateway {end.id} of account {end.account} in {end.region}, which was not read",
        behind(end.id),
    )


def _left_open(hop: Hop, peering: Attachment, end: Unread | Wanted) -> Hop:
    found = _with_doubt(hop, _reason(peering, end))
    return replace(found, wanted=(*hop.wanted, end)) if isinstance(end, Wanted) else found


def _with_doubt(hop: Hop, reason: str) -> Hop:
    return replace(hop, undecided=(*hop.undecided, Undecided(_CAUSE, reason)))
