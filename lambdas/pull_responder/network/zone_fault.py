"""A private hosted zone without a record for a name that it answers for: then the name does not exist in the VPC.

Source: Amazon Route 53 Developer Guide, "Considerations when working with a private hosted zone" (if a private hosted
zone matches but none of its records does, Resolver does not ask public DNS: it answers NXDOMAIN).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, PathCause, ResourceType
from pull_responder.network.names import vpc_of
from pull_responder.network.neighbours import Owned
from pull_responder.network.zones import endpoints_of

if TYPE_CHECKING:
    from pull_responder.network.model import Network
    from pull_responder.network.zones import HostedZone

# Route 53 makes these records of every zone.
_OF_EVERY_ZONE: Final = {"NS", "SOA"}
_SHOWN_RECORDS: Final = 6


def no_record(host: str, zone: HostedZone, network: Network, *, own_zone: str, service: str) -> Fault:
    """Return the fault of the zone. `own_zone` is the one that private DNS of an endpoint for `service` would have.

    The fix names the record of private DNS that the zone lacks. Where the zone is for this one service and has a record
    that leads to an endpoint, it is known to which.
    """
    vpc, of_service, answering = vpc_of(network).id, zone.name == own_zone, str(zone)
    record = host if zone.name == host or not of_service else f"*.{zone.name}"
    target = next(iter(endpoints_of(zone)), None) if of_service else None
    records = () if isinstance(zone.records, Unread) else zone.records
    own = [f"{each.name} ({each.type})" for each in records if each.type not in _OF_EVERY_ZONE]
    shown = ", ".join(own[:_SHOWN_RECORDS]) or "none"
    more = f" and {len(own) - _SHOWN_RECORDS} more" if len(own) > _SHOWN_RECORDS else ""
    return Fault(
        PathCause.VPC_DNS_DISABLED,
        ResourceType.HOSTED_ZONE,
        zone.id,
        f"{answering[0].upper()}{answering[1:]} answers for {host} in {vpc} and has no record for it, so the name does"
        " not exist there.",
        (f"records of {zone.id} ({zone.name}): {shown}{more}",),
        (Fix(vpc_id=vpc, host=record, endpoint_id=target, services=(service,)),),
        Owned(zone.owner or network.owner, network.region),
    )
