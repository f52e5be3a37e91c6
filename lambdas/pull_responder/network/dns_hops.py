"""What lets DNS questions through: security groups and network ACLs for UDP, and TCP, on port 53.

Source: Amazon Route 53 Developer Guide, "Values that you specify when you create or edit outbound endpoints" and
"... inbound endpoints" (the rules must allow TCP and UDP on port 53). Resolver asks over UDP, and over TCP for an
answer that is too long for it: that only TCP gets through is neither enough nor certainly too little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason, join_reasons
from pull_responder.network.addresses import Coverage
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.network_acls import EPHEMERAL_PORTS, UDP, Crossing
from pull_responder.network.security_groups import admission, is_for

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.model import Network
    from pull_responder.network.resolver_endpoints import ResolverEndpoint

DNS: Final = 53
_PORTS: Final = (DNS, DNS)


@dataclass(frozen=True, slots=True)
class _Side:
    """How a side of the question is named: the cause, the words for the direction."""

    cause: PathCause
    egress: bool
    words: str


_OUT: Final = _Side(PathCause.SECURITY_GROUP_BLOCKS_EGRESS, egress=True, words="out to")
_IN: Final = _Side(PathCause.ENDPOINT_BLOCKS_INGRESS, egress=False, words="in from")


def questions_out(endpoint: ResolverEndpoint, server: Peer, network: Network) -> Hop:
    """Return whether the security groups of an outbound endpoint let questions out to a DNS server."""
    return _group_hop(endpoint, server, network, _OUT)


def questions_in(endpoint: ResolverEndpoint, client: Peer, network: Network) -> Hop:
    """Return whether the security groups of an inbound endpoint let questions in."""
    return _group_hop(endpoint, client, network, _IN)


def _group_hop(endpoint: ResolverEndpoint, peer: Peer, network: Network, side: _Side) -> Hop:
    hop = Hop(HopKind.NAME, endpoint.id, (side.cause,))
    if not endpoint.group_ids:
        reason = Reason(
            f"the security groups of {endpoint.id} are not known",
            f"Look at Resolver endpoint {endpoint.id} in the Route 53 console.",
        )
        return Hop(hop.kind, endpoint.id, hop.causes, undecided=(Undecided(side.cause, reason),))
    judge = partial(admission, endpoint.group_ids, peer, network, egress=side.egress)
    udp = judge(counts=lambda rule: is_for(rule, "udp", DNS))
    tcp = judge(counts=lambda rule: is_for(rule, "tcp", DNS))
    groups = ", ".join(endpoint.group_ids)
    if udp.covered is Coverage.ALL:
        line = f"UDP {DNS} {side.words} {peer.name} is allowed by {', '.join(map(str, udp.rules[:6]))}"
        return Hop(hop.kind, endpoint.id, hop.causes, (line,))
    if udp.unread or udp.covered is Coverage.SOME or tcp.covered is not Coverage.NONE:
        some = Reason(
            f"the security groups of {endpoint.id} ({groups}) allow port {DNS} {side.words} {peer.name} only in part",
            f"Look at the rules of {groups} for UDP and TCP port {DNS}.",
        )
        reason = join_reasons(udp.unread) if udp.unread else some
        return Hop(hop.kind, endpoint.id, hop.causes, udp.evidence, undecided=(Undecided(side.cause, reason),))
    fault = Fault(
        side.cause,
        ResourceType.SECURITY_GROUP,
        endpoint.group_ids[0],
        f"No rule of the security groups of Resolver endpoint {endpoint.id} ({groups}) allows UDP or TCP {DNS}"
        f" {side.words} {peer.name}, so the registry's names do not resolve.",
        udp.evidence,
        (Fix(endpoint_id=endpoint.id, egress=side.egress, ports=_PORTS),),
    )
    return Hop(hop.kind, endpoint.id, hop.causes, udp.evidence, (fault,))


def asking(subnet_id: str, server: Peer) -> tuple[Crossing, Crossing]:
    """Return the crossings of the subnet of who asks: the question out and the answer in."""
    return (
        Crossing(subnet_id, egress=True, peer=server, ports=_PORTS, widest=_PORTS, protocol=UDP),
        Crossing(subnet_id, egress=False, peer=server, ports=EPHEMERAL_PORTS, widest=EPHEMERAL_PORTS, protocol=UDP),
    )


def asked(subnet_id: str, client: Peer) -> tuple[Crossing, Crossing]:
    """Return the crossings of the subnet of who is asked: the question in and the answer out."""
    return (
        Crossing(subnet_id, egress=False, peer=client, ports=_PORTS, widest=_PORTS, protocol=UDP),
        Crossing(subnet_id, egress=True, peer=client, ports=EPHEMERAL_PORTS, widest=EPHEMERAL_PORTS, protocol=UDP),
    )
