"""Whether the attachment of a VPC to a transit gateway takes IPv6.

Source: AWS Transit Gateway guide, "Create a VPC attachment using AWS Transit Gateway" (IPv6 support is an option of the
attachment). Inference: without it, the gateway drops the VPC's IPv6 traffic, whatever the route tables say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason
from pull_responder.network.addresses import ALL_IPV4
from pull_responder.network.answer import Hop, HopKind, PathCause, Undecided

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.neighbours import Attachment


def ipv6_hops(server: Peer, *attachments: Attachment) -> tuple[Hop, ...]:
    """Return a hop for each attachment of which it is not sure that it takes IPv6; none for a server of IPv4."""
    if not server.addresses - ALL_IPV4 or server.addresses & ALL_IPV4:
        return ()
    return tuple(_hop(each) for each in attachments if each.ipv6 is not True)


def _hop(attachment: Attachment) -> Hop:
    cause, name = PathCause.TRANSIT_GATEWAY_BLOCKS, attachment.id
    state = "is off" if attachment.ipv6 is False else "is not known"
    command = (
        f"modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id {name} --options Ipv6Support=enable"
    )
    step = f"In account {attachment.owner}, run `aws ec2 {command}`, if IPv6 is meant to pass."
    reason = Reason(f"the option Ipv6Support of {name} of {attachment.resource_id} {state}", step)
    return Hop(HopKind.TRANSIT_GATEWAY, name, (cause,), undecided=(Undecided(cause, reason),))
