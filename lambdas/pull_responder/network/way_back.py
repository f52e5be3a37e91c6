"""The way back from another VPC: answers need a route of their own in each table that they meet.

They have to come back through the firewalls that the requests went through. Network Firewall does not support anything
else (AWS Network Firewall Developer Guide, "Avoiding asymmetric routing"), but no page says that it drops all of it: a
way back past a firewall is open.

Sources: those of `return_route`; AWS Transit Gateway guide, "How AWS Transit Gateway works" and "Example: Appliance in
a shared services VPC" (with appliance mode, answers enter a VPC by the same interface as the requests).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.alternatives import any_of
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided
from pull_responder.network.attachment_way import answers_off, entries_of, zone_hop, zone_id
from pull_responder.network.model import RouteTarget, read
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id
from pull_responder.network.return_route import route_back
from pull_responder.network.routing import describe, routing
from pull_responder.network.stay import MOST_WAYS
from pull_responder.network.transit_way import over_gateways

if TYPE_CHECKING:
    from pull_responder.network.neighbours import Attachment
    from pull_responder.network.places import Trip
    from pull_responder.network.stay import Stay
    from pull_responder.network.step import Step

Hops = tuple[Hop, ...]


def way_back(start: str, stay: Stay, trip: Trip, why: str = "", ways: int = 0) -> Hops:
    """Return the hops of answers from subnet `start` of the VPC of `stay`, back to the node of `trip`.

    The node's own VPC takes them by its local route. `why` says why they may pass by a firewall, if that is known.
    `ways` is how many ways the answers may have taken as far as `start`; 0 where they begin.
    """
    hops: Hops = ()
    for passed in reversed(stay.passed):
        hop = route_back(start, stay.network, trip.foreign_range, passed.endpoint_id, why or _past(passed.endpoint_id))
        hops = (*hops, stay.owning(hop))
        if hop.undecided:
            return hops
        start = passed.subnet_id
    if stay.step is None or stay.before is None:
        return hops
    return (*hops, *_out_of(start, stay, stay.step, trip, ways or stay.ways))


def _past(endpoint_id: str) -> Reason:
    words = f"requests go through {endpoint_id} and answers do not, which Network Firewall does not support"
    return Reason(words, behind(endpoint_id))


def _out_of(start: str, stay: Stay, step: Step, trip: Trip, ways: int) -> Hops:
    """Return the hops of answers out of a VPC, over what joins it to the one before."""
    far, near, network = step.far, step.near, stay.network
    target = far.gateway_id if far else (step.hops[0].resource_id or "")
    route = stay.owning(route_back(start, network, trip.foreign_range, target))
    if far is None or near is None or route.undecided:
        return (route,)
    onward = over_gateways(
        far,
        trip.foreign_range,
        trip.network.around,
        network.region,
        what=f"answers to {trip.node.name}",
        towards={each.gateway_id: each.id for each in (near, *step.between)},
    )
    hops = (route, stay.owning(zone_hop(far, network, start, foreign=True)), *onward.hops)
    if onward.attachment is None:
        return hops
    if onward.attachment.id != near.id:
        reason = Reason(
            f"answers to {trip.node.name} go by {onward.attachment.id} to {onward.attachment.resource_id}, another way"
            " than the requests came",
            behind(onward.attachment.resource_id),
        )
        doubt = Undecided(PathCause.TRANSIT_GATEWAY_BLOCKS, reason)
        return (*hops[:-1], replace(hops[-1], undecided=(*hops[-1].undecided, doubt)))
    return (*hops, *_into_before(start, stay, step, trip, ways))


def _into_before(start: str, stay: Stay, step: Step, trip: Trip, ways: int) -> Hops:
    """Return the hops of answers within the VPC that the requests came from before."""
    before, near = stay.before, step.near
    if before is None or near is None:
        return ()
    zone = "" if step.between else zone_id(start, stay.network)
    entries = entries_of(near, before.network, zone)
    if before.step and near.appliance_mode and before.step.far and before.step.far.id == near.id:
        entries = (before.entry,)
    others = tuple(each for each in entries if each != before.at)  # an ACL decides nothing where both are
    off = tuple(map(before.owning, answers_off(near, others, before.network, trip.foreign_source)))
    if not before.foreign and not before.passed:
        return (*off, *(hop for each in entries for hop in _not_local(each, before, trip)))
    ways *= len(entries)
    if not 0 < ways <= MOST_WAYS:
        words = f"by which subnets answers to {trip.node.name} enter {vpc_id(before.network)} is not known"
        doubt = Undecided(PathCause.TRANSIT_GATEWAY_BLOCKS, Reason(words, behind(near.gateway_id)))
        return (Hop(HopKind.TRANSIT_GATEWAY, near.id, (doubt.cause,), undecided=(doubt,)),)
    found = [way_back(each, before, trip, _other_zone(each, before, near), ways) for each in entries]
    return (*off, *any_of(found, f"only some of the subnets of {near.id} lead back"))


def _other_zone(entry: str, before: Stay, near: Attachment) -> str:
    """Return that answers enter a VPC by another subnet than the requests; empty if they do not."""
    if entry == before.entry or not before.foreign:
        return ""
    where = vpc_id(before.network)
    owner = f" of {where} in account {before.network.owner}"
    cause, step = (
        ("appliance mode of {} is off", f"Turn on appliance mode of the attachment {near.id}{owner}.")
        if not near.appliance_mode
        else ("{} belongs to another gateway", f"Look at which subnets gateways enter by the attachments{owner}.")
    )
    return Reason(
        f"requests enter {where} by {before.entry} and answers may enter by {entry}, as {cause.format(near.id)}: the"
        " firewall may see each direction at another endpoint, which Network Firewall does not support",
        step,
    )


def _not_local(entry: str, own: Stay, trip: Trip) -> Hops:
    """Return a hop that is open if a subnet of the node's VPC may lead answers elsewhere than to the node.

    They go by the table of the attachment's subnet. Its local route is all that they need.
    """
    table = read(own.network.route_tables, entry, f"the route table of {entry}")
    found = table if isinstance(table, Unread) else routing(table, trip.source.addresses, own.network)
    if isinstance(found, Unread):
        reason = found.reason
    elif any(route.kind is not RouteTarget.LOCAL for route in found.routes):
        words = f"answers to {trip.node.name} that enter by {entry} are taken on by {describe(found.table)}"
        reason = Reason(words, behind(entry))
    else:
        return ()
    return (Hop(HopKind.ROUTE, entry, (PathCause.NO_ROUTE,), undecided=(Undecided(PathCause.NO_ROUTE, reason),)),)
