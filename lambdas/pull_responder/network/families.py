"""One leg out of the ways over IPv4 and IPv6, of which a client takes one that connects.

Sources: RFC 8305 and Go's net, Dialer ("Happy Eyeballs": an address of the preferred family is dialled first, one of
the other family soon after; the first connection is used, and if none comes about, the first address's error is told);
RFC 6724, "Policy Table" (a host with a global IPv6 address prefers IPv6). The runtimes of nodes are written in Go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import translated
from pull_responder.network.answer import Hop, HopVerdict, PathCause
from pull_responder.network.model import Network, NodePlace, read
from pull_responder.network.nat64 import may_translate
from pull_responder.network.places import is_private, node_versions, vpc_id
from pull_responder.network.ways import way

if TYPE_CHECKING:
    from pull_responder.network.places import Trip

Hops = tuple[Hop, ...]

_IPV4: Final = 4
_IPV6: Final = 6
_GOOD_FIRST: Final = (HopVerdict.OK, HopVerdict.UNDECIDED, HopVerdict.FAILED)
_NO_WAY_OUT: Final = {PathCause.NO_ROUTE, PathCause.PUBLIC_IP_MISSING, PathCause.ENDPOINT_MISSING}


@dataclass(frozen=True, slots=True)
class Tried:
    """One way that a client tries."""

    trip: Trip
    hops: Hops

    @property
    def verdict(self) -> HopVerdict:
        """The worst verdict of its hops."""
        verdicts = {hop.verdict for hop in self.hops}
        return next(each for each in reversed(_GOOD_FIRST) if each in verdicts or each is HopVerdict.OK)

    @property
    def causes(self) -> set[PathCause]:
        """The causes of its faults."""
        return {fault.cause for hop in self.hops for fault in hop.faults}

    def left_open(self, reason: str) -> Hops:
        """Return its hops with their faults undecided."""
        return tuple(hop.with_faults_undecided(reason) for hop in self.hops)


def trips_of(trip: Trip) -> list[Trip]:
    """Return the trips over the IP versions of the node, the one to the dialled address first.

    What kubelet's message shows of an address is about its own version alone. A node that has IPv6 addresses alone
    cannot have reached for a public IPv4 address, unless it was given no other one.
    """
    versions = node_versions(trip.node, trip.network)
    if trip.seen is None or not trip.dialled:
        return [replace(trip, version=version) for version in versions]
    other = replace(trip.seen, address="", port=0)
    dialled = _IPV6 if ":" in trip.dialled else _IPV4
    if dialled == _IPV4 and _IPV4 not in versions and not is_private(trip.dialled):
        return [replace(trip, version=version, seen=other) for version in versions]
    first = replace(trip, version=dialled, nat64=bool(translated(trip.dialled)))
    return [first, *(replace(trip, version=version, seen=other) for version in versions if version != dialled)]


def hops_of(trips: list[Trip]) -> Hops:
    """Return the hops of the way that a client takes; empty if the node and the name have no IP version in common.

    A fault of one version counts only if the other versions have one, too.
    """
    tried = [each for trip in trips if (each := _tried(trip)).hops]
    if not tried:
        return ()
    unknown = _unknown_versions(trips[0].node, trips[0].network)
    if unknown and not (trips[0].dialled and len(trips[0].destination.versions) == 1):
        return _best(tried).left_open(unknown)
    if trips[0].dialled:
        return _with_dialled(tried)
    sure = [each for each in tried if not _is_doubtful(each.trip)]
    best = _best(sure or tried)
    if rest := [each for each in tried if each not in sure]:
        return _unless_given_ipv6(best, _best(rest)) if sure else best.hops
    return _unless_cut_off(best, tried)


def _tried(trip: Trip) -> Tried:
    hops = way(trip)
    if hops or trip.version == _IPV4 or trip.nat64:
        return Tried(trip, hops)
    translating = replace(trip, nat64=True)
    return Tried(translating, way(translating) if may_translate(translating) else ())


def _with_dialled(tried: list[Tried]) -> Hops:
    """Return the hops to the dialled address. Where another version works, its faults do not explain the failure."""
    first, *others = tried
    if not first.trip.dialled or not others or first.verdict is HopVerdict.OK:
        return _best(tried).hops if not first.trip.dialled else first.hops
    other = _best(others)
    if other.verdict is HopVerdict.FAILED:
        return first.hops
    host = first.trip.destination.host
    words = f"kubelet dialled {first.trip.dialled}, and a client also tries IPv{other.trip.version}"
    if other.verdict is HopVerdict.OK:
        words += ", where nothing is wrong as far as can be read"
    reason = Reason(words, f"On the node, run `curl -{other.trip.version} -v https://{host}/v2/`.")
    return tuple(dict.fromkeys((*first.left_open(reason), *other.hops)))


def _best(tried: list[Tried]) -> Tried:
    """Return the way that works best. If none works, return the one to mend."""
    return min(tried, key=lambda each: (_GOOD_FIRST.index(each.verdict), *_to_mend(each)))


def _to_mend(tried: Tried) -> tuple[bool, int, bool, int]:
    """Return the order in which ways that have faults are to be mended.

    A way for which the VPC has no gateway at all is not meant. Then few faults are better than many, and IPv4 is first.
    """
    lost = bool(tried.causes & _NO_WAY_OUT)
    by_ipv6 = tried.trip.version == _IPV6 and not tried.trip.nat64
    is_meant = not lost or _has_gateway(tried.trip.network, by_ipv6=by_ipv6)
    return not is_meant, len(tried.causes), lost, tried.trip.version


def _has_gateway(network: Network, *, by_ipv6: bool) -> bool:
    """Return whether the VPC has a gateway by which private subnets get out: a NAT gateway, or an egress-only one."""
    if by_ipv6:
        gateways = network.egress_only_gateways
        known = () if isinstance(gateways, Unread) else gateways.values()
        return any(gateway.vpc_id == vpc_id(network) for gateway in known)
    nats = network.nat_gateways
    return not isinstance(nats, Unread) and any(nat.state == "available" for nat in nats.values())


def _is_doubtful(trip: Trip) -> bool:
    """Return whether it is not certain that the node has an address of this version.

    A node that does not exist yet gets an IPv6 address in a subnet that assigns them, or in one that has no others.
    Elsewhere its launch template may ask for one (Amazon VPC User Guide, "Modify the IP addressing attributes of your
    subnet").
    """
    if trip.node.addresses or trip.version == _IPV4:
        return False
    subnet = read(trip.network.subnets, trip.node.subnet_id, trip.node.subnet_id)
    if isinstance(subnet, Unread) or subnet.assigns_ipv6:
        return False
    return _IPV4 in node_versions(trip.node, trip.network)


def _unknown_versions(node: NodePlace, network: Network) -> str:
    """Return why it is not known which IP versions the node has; empty if its addresses, subnet or VPC tell."""
    subnet = read(network.subnets, node.subnet_id, node.subnet_id)
    if node.addresses or not isinstance(subnet, Unread):
        return ""
    blocks = () if isinstance(network.vpc, Unread) else network.vpc.cidrs
    return "" if blocks and not any(":" in block for block in blocks) else subnet.reason


def _unless_given_ipv6(sure: Tried, doubtful: Tried) -> Hops:
    if sure.verdict is not HopVerdict.FAILED or doubtful.verdict is HopVerdict.FAILED:
        return sure.hops
    node = sure.trip.node
    words = f"the way over IPv6 may work, and whether {node.name} gets an IPv6 address is not known"
    subnet = f"{node.subnet_id} assigns none by itself (AssignIpv6AddressOnCreation)"
    step = f"See whether nodes in {node.subnet_id} have IPv6 addresses, by `kubectl get nodes -o wide`."
    return sure.left_open(Reason(f"{words}: {subnet}", step))


def _unless_cut_off(best: Tried, tried: list[Tried]) -> Hops:
    """Return the hops of the best way, with a way over IPv6 that connects and is cut off then.

    A firewall that reads the name in TLS lets the connection come about. Then no other address is tried.
    """
    cut_off = {PathCause.NETWORK_FIREWALL_BLOCKS}
    first = next((each for each in tried if each.trip.version == _IPV6 and each.causes == cut_off), None)
    if first is None or best is first or best.trip.version != _IPV4:
        return best.hops
    words = (
        "a node that connects over IPv6 first, as most do, is cut off by the firewall, and one that takes IPv4 is not"
    )
    step = f"On the node, run `curl -6 -v https://{best.trip.destination.host}/v2/`, and see whether it hangs."
    return tuple(dict.fromkeys((*best.hops, *first.left_open(Reason(words, step)))))
