"""Network ACLs: what may enter and leave a subnet.

An ACL applies to traffic that enters or leaves its subnet, not to traffic within it. It is stateless: requests and
responses each need an entry. The entry with the lowest number that matches decides (Amazon VPC User Guide, "Control
traffic to subnets using network ACLs"). The request goes to port 443. The response goes to an ephemeral port of the
client: AWS names 1024-65535. NAT gateways use all of these, Linux 32768-60999, Windows 49152-65535 (same guide,
"Ephemeral ports").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet, Coverage, Peer, coverage
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, NetworkAcl, NetworkAclEntry, PortRange, read

if TYPE_CHECKING:
    from collections.abc import Iterable

TCP: Final = "6"
UDP: Final = "17"
HTTPS_PORTS: Final = (443, 443)
EPHEMERAL_PORTS: Final = (1024, 65535)
# The ephemeral ports of nodes. An entry for only these is enough for a node, but not for a NAT gateway.
NODE_PORTS: Final = (32768, 65535)
# If less than this percentage of the ports is closed, another attempt succeeds from another port: ADR 41.
_SMALL_GAP: Final = 1

_NAMES: Final = {TCP: "TCP", UDP: "UDP"}
_CAUSE: Final = PathCause.NETWORK_ACL_BLOCKS_TRAFFIC


@dataclass(frozen=True, slots=True)
class Crossing:
    """Packets that enter or leave a subnet.

    - `egress`: they leave the subnet.
    - `peer`: the other side.
    - `ports`: the destination ports. The traffic works if all of them are open, except for a small gap.
    - `widest`: a wider range of destination ports. If none of them is open, the traffic is certainly blocked.
    - `protocol`: the number of TCP or UDP.
    """

    subnet_id: str
    egress: bool
    peer: Peer
    ports: PortRange
    widest: PortRange
    protocol: str = TCP


def client_crossings(subnet_id: str, server: Peer, answers: PortRange = NODE_PORTS) -> tuple[Crossing, Crossing]:
    """Return the two crossings of the client's subnet: the request out and the response in, on ports `answers`."""
    return (
        Crossing(subnet_id, egress=True, peer=server, ports=HTTPS_PORTS, widest=HTTPS_PORTS),
        Crossing(subnet_id, egress=False, peer=server, ports=answers, widest=EPHEMERAL_PORTS),
    )


def server_crossings(subnet_id: str, client: Peer) -> tuple[Crossing, Crossing]:
    """Return the two crossings of the server's subnet: the request of a node in and the response out."""
    return (
        Crossing(subnet_id, egress=False, peer=client, ports=HTTPS_PORTS, widest=HTTPS_PORTS),
        Crossing(subnet_id, egress=True, peer=client, ports=NODE_PORTS, widest=EPHEMERAL_PORTS),
    )


def acl_hop(subnet_id: str, crossings: Iterable[Crossing], network: Network, *, all_of_peer: bool = True) -> Hop:
    """Return whether the network ACLs allow every crossing, as a hop at `subnet_id`.

    `all_of_peer` is as in `egress_hop`.
    """
    evidence, faults, undecided = list[str](), list[Fault](), list[Undecided]()
    for crossing in crossings:
        answer = _judge(crossing, network, all_of_peer=all_of_peer)
        if isinstance(answer, Fault):
            faults.append(answer)
            evidence.extend(answer.evidence)
        elif isinstance(answer, Undecided):
            undecided.append(answer)
        else:
            evidence.append(answer)
    return Hop(HopKind.SUBNET, subnet_id, (_CAUSE,), tuple(evidence), tuple(faults), tuple(undecided))


def _judge(crossing: Crossing, network: Network, *, all_of_peer: bool) -> Fault | Undecided | str:
    """Return the fault or the doubt of one crossing, or the evidence that it works."""
    acl = read(network.network_acls, crossing.subnet_id, f"the network ACL of {crossing.subnet_id}")
    if isinstance(acl, Unread):
        return Undecided(_CAUSE, acl.reason)
    needed, gaps, entries = _evaluate(acl, crossing, crossing.ports)
    direction = "out to" if crossing.egress else "in from"
    way = f"{_NAMES[crossing.protocol]} {_port_text(crossing.ports)} {direction} {crossing.peer.name}"
    deciding = "; ".join(str(entry) for entry in entries) or "no entry matches"
    if needed is Coverage.SOME and _width(*gaps) * 100 < _width(crossing.ports) * _SMALL_GAP:
        closed = ", ".join(_port_text(gap) for gap in gaps)
        why = f"less than {_SMALL_GAP} % of these ports, so another attempt gets through"
        return f"{acl.id} of {crossing.subnet_id} allows {way}, except {closed}, {why}: {deciding}"
    if needed is Coverage.ALL or (needed is Coverage.SOME and not all_of_peer):
        return f"{acl.id} of {crossing.subnet_id} allows {way}: {deciding}"
    if needed is Coverage.SOME or _evaluate(acl, crossing, crossing.widest)[0] is not Coverage.NONE:
        reason = Reason(
            f"{acl.id} of {crossing.subnet_id} allows {way} only in part: {deciding}",
            f"Compare the entries of network ACL {acl.id} with the addresses that the registry's host has on the node "
            "(`nslookup`).",
        )
        return Undecided(_CAUSE, reason)
    return Fault(
        _CAUSE,
        ResourceType.NETWORK_ACL,
        acl.id,
        f"Network ACL {acl.id} of subnet {crossing.subnet_id} does not allow {way}.",
        (f"{acl.id}: {deciding}",),
        (
            Fix(
                network_acl_id=acl.id,
                subnet_id=crossing.subnet_id,
                egress=crossing.egress,
                ports=crossing.widest,
                # The command that is made of a fix is for TCP.
                peer=crossing.peer.cidr if crossing.protocol == TCP else None,
            ),
        ),
    )


def _evaluate(
    acl: NetworkAcl, crossing: Crossing, ports: PortRange
) -> tuple[Coverage, tuple[PortRange, ...], tuple[NetworkAclEntry, ...]]:
    """Return how much the ACL allows on `ports`, which of these ports it closes, and the entries that decide.

    A port counts as closed if it is closed for at least one of the peer's addresses.
    """
    entries = [
        entry
        for entry in acl.entries
        if entry.egress is crossing.egress and entry.protocol in {"-1", crossing.protocol}
    ]
    entries.sort(key=lambda entry: entry.number)
    wanted = crossing.peer.addresses
    seen: dict[PortRange, Coverage] = {}
    deciding: dict[NetworkAclEntry, None] = {}
    for segment in _segments(entries, ports):
        port = segment[0]
        allowed, rest = AddressSet(), wanted
        for entry in entries:
            if entry.ports is not None and entry.protocol != "-1" and not entry.ports[0] <= port <= entry.ports[1]:
                continue
            part = rest & AddressSet.of(entry.cidr)
            if part:
                deciding[entry] = None
                rest = rest - part
                allowed = allowed | part if entry.allow else allowed
        seen[segment] = coverage(allowed, wanted)
    found = set(seen.values())
    whole = found.pop() if len(found) == 1 else Coverage.SOME
    return whole, tuple(part for part, open_to in seen.items() if open_to is not Coverage.ALL), tuple(deciding)


def _segments(entries: list[NetworkAclEntry], ports: PortRange) -> list[PortRange]:
    """Return `ports` cut into ranges, within each of which every entry applies to all ports or to none."""
    first, last = ports
    edges = {first}
    for entry in entries:
        if entry.ports is not None:
            edges |= {edge for edge in (entry.ports[0], entry.ports[1] + 1) if first < edge <= last}
    return [(start, end - 1) for start, end in pairwise((*sorted(edges), last + 1))]


def _width(*ranges: PortRange) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _port_text(ports: PortRange) -> str:
    return "-".join(str(port) for port in dict.fromkeys(ports))
