"""What a failed pull makes of a name: whether it resolved at all, and who else may have answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import reword
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided
from pull_responder.network.names import other_servers, vpc_of
from pull_responder.network.routing import away_route

if TYPE_CHECKING:
    from pull_responder.network.places import Trip
    from pull_responder.network.resolution import Resolution


def name_hop(trip: Trip, found: Resolution) -> Hop:
    """Return the name's hop. If kubelet got no address for the name, `vpc_dns_disabled` is undecided, unless it is so.

    Amazon's DNS server answers for the names of ECR and S3. So somebody else answered, or something stopped the answer.
    """
    if trip.seen is None or not trip.seen.unresolved or found.hop.faults:
        return found.hop
    host, vpc = trip.destination.host, vpc_of(trip.network).id
    why = found.other.shown or other_servers(trip.network) or found.other.unread
    why = why or f"neither a Resolver rule nor a hosted zone nor a Profile that answers for it was found in {vpc}"
    reason = reword(
        why,
        f"kubelet got no address for {host}, and {why}. Look there, at the DNS Firewall rules of {vpc}, and at the"
        " node's own DNS settings",
    )
    doubt = Undecided(PathCause.VPC_DNS_DISABLED, reason)
    return replace(found.hop, undecided=(*found.hop.undecided, doubt))


def unread_answers(trip: Trip, found: Resolution) -> tuple[Hop, ...]:
    """Return a hop that leaves the way open if somebody who was not read may answer for its name.

    Empty if the name is known to lead to public addresses. Before a failure it is empty, too, unless the name was
    computed to lead there and the subnet has a route to other networks, such as a hub with endpoints.
    """
    if not found.other.unread or found.other.shown:
        return ()
    if trip.seen is None and (found.endpoint or isinstance(trip.table, Unread) or not away_route(trip.table)):
        return ()
    if trip.dialled:
        return ()
    reason = reword(
        found.other.unread, f"{found.other.unread}, so {trip.destination.host} may lead elsewhere than was examined"
    )
    doubt = Undecided(PathCause.NO_ROUTE, reason)
    return (Hop(HopKind.NAME, trip.destination.host, (PathCause.NO_ROUTE,), undecided=(doubt,)),)
