"""Network ACLs: stateless, in the order of their numbers, at the border of a subnet.

An ACL decides what enters and leaves its subnet and never sees traffic within it (Amazon VPC User Guide, "Control
traffic to subnets using network ACLs"). The request goes to port 443; the answer comes back to an ephemeral port of
the side that asked, which AWS's pages put at 1024-65535 (NAT gateways use all of it, Linux 32768-60999, Windows
49152-65535: same guide, "Ephemeral ports").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet, Coverage, Peer, coverage
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, NetworkAcl, NetworkAclEntry, PortRange, read

if TYPE_CHECKING:
    from collections.abc import Iterable

HTTPS_PORTS: Final = (443, 443)
EPHEMERAL_PORTS: Final = (1024, 65535)
# Where a node's operating system picks its ports; a rule for these alone does for a node, though not for a NAT gateway.
NODE_PORTS: Final = (32768, 65535)
# Ports that are shut, in percent of those needed, below which the next attempt gets through by another port: ADR 41.
_SMALL_GAP: Final = 1

_CAUSE: Final = PathCause.NETWORK_ACL_BLOCKS_TRAFFIC


@dataclass(frozen=True, slots=True)
class Crossing:
    """Packets over a subnet's border: `egress` out of the subnet, `peer` the other side.

    `ports` are the destination ports that must be open, all but a small gap; `widest` those of which one must be, or
    all is lost.
    """

    subnet_id: str
    egress: bool
    peer: Peer
    ports: PortRange
    widest: PortRange


def client_crossings(subnet_id: str, server: Peer, answers: PortRange = NODE_PORTS) -> tuple[Crossing, Crossing]:
    """Return the two crossings of the subnet that asks: the request out and the answer in."""
    return (
        Crossing(subnet_id, egress=True, peer=server, ports=HTTPS_PORTS, widest=HTTPS_PORTS),
        Crossing(subnet_id, egress=False, peer=server, ports=answers, widest=EPHEMERAL_PORTS),
    )


def server_crossings(subnet_id: str, client: Peer) -> tuple[Crossing, Crossing]:
    """Return the two crossings of the subnet that is asked, by a node: the request in and the answer out."""
    return (
        Crossing(subnet_id, egress=False, peer=client, ports=HTTPS_PORTS, widest=HTTPS_PORTS),
        Crossing(subnet_id, egress=True, peer=client, ports=NODE_PORTS, widest=EPHEMERAL_PORTS),
    )


def acl_hop(subnet_id: str, crossings: Iterable[Crossing], network: Network, *, settled: bool = True) -> Hop:
    """Return whether the network ACLs let every crossing through, as a hop at `subnet_id`.

    With `settled` false only an ACL that lets nothing through to any part of a peer is a fault: see `egress_hop`.
    """
    evidence, faults, undecided = list[str](), list[Fault](), list[Undecided]()
    for crossing in crossings:
        answer = _judge(crossing, network, settled=settled)
        if isinstance(answer, Fault):
            faults.append(answer)
            evidence.extend(answer.evidence)
        elif isinstance(answer, Undecided):
            undecided.append(answer)
        else:
            evidence.append(answer)
    return Hop(HopKind.SUBNET, subnet_id, (_CAUSE,), tuple(evidence), tuple(faults), tuple(undecided))


def _judge(crossing: Crossing, network: Network, *, settled: bool) -> Fault | Undecided | str:
    acl = read(network.network_acls, crossing.subnet_id, f"the network ACL of {crossing.subnet_id}")
    if isinstance(acl, Unread):
        return Undecided(_CAUSE, acl.reason)
    needed, gaps, entries = _through(acl, crossing, crossing.ports)
    way = f"TCP {_written(crossing.ports)} {'out to' if crossing.egress else 'in from'} {crossing.peer.name}"
    deciding = "; ".join(str(entry) for entry in entries) or "no entry matches"
    if needed is Coverage.SOME and _width(*gaps) * 100 < _width(crossing.ports) * _SMALL_GAP:
        shut = ", ".join(_written(gap) for gap in gaps)
        why = f"less than {_SMALL_GAP} % of these ports, so that another attempt gets through"
        return f"{acl.id} of {crossing.subnet_id} lets {way}, all but {shut}, {why}: {deciding}"
    if needed is Coverage.ALL or (needed is Coverage.SOME and not settled):
        return f"{acl.id} of {crossing.subnet_id} lets {way}: {deciding}"
    if needed is Coverage.SOME or _through(acl, crossing, crossing.widest)[0] is not Coverage.NONE:
        return Undecided(_CAUSE, f"{acl.id} of {crossing.subnet_id} lets {way} only in part: {deciding}")
    return Fault(
        _CAUSE,
        ResourceType.NETWORK_ACL,
        acl.id,
        f"Network ACL {acl.id} of subnet {crossing.subnet_id} does not let {way}.",
        (f"{acl.id}: {deciding}",),
        (
            Fix(
                network_acl_id=acl.id,
                subnet_id=crossing.subnet_id,
                egress=crossing.egress,
                ports=crossing.widest,
                peer=crossing.peer.cidr,
            ),
        ),
    )


def _through(
    acl: NetworkAcl, crossing: Crossing, ports: PortRange
) -> tuple[Coverage, tuple[PortRange, ...], tuple[NetworkAclEntry, ...]]:
    """Return how much the ACL lets through on all of `ports`, which of them it shuts, and the entries that decide it.

    A port that is shut to a part of the peer's addresses counts as shut.
    """
    entries = [entry for entry in acl.entries if entry.egress is crossing.egress and entry.protocol in {"-1", "6"}]
    entries.sort(key=lambda entry: entry.number)
    wanted = crossing.peer.addresses
    seen: dict[PortRange, Coverage] = {}
    deciding: dict[NetworkAclEntry, None] = {}
    for segment in _segments(entries, ports):
        port = segment[0]
        allowed, rest = AddressSet(), wanted
        for entry in entries:
            if entry.ports is not None and entry.protocol == "6" and not entry.ports[0] <= port <= entry.ports[1]:
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
    """Return the parts of `ports` that all entries treat alike."""
    first, last = ports
    edges = {first}
    for entry in entries:
        if entry.ports is not None:
            edges |= {edge for edge in (entry.ports[0], entry.ports[1] + 1) if first < edge <= last}
    return [(start, end - 1) for start, end in pairwise((*sorted(edges), last + 1))]


def _width(*ranges: PortRange) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _written(ports: PortRange) -> str:
    return "-".join(str(port) for port in dict.fromkeys(ports))
