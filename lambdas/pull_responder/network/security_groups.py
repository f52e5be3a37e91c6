"""Security groups: what the node's let out, and what an endpoint's let in.

Security groups only allow, and are stateful: the rules of all groups of an interface are added up, their order does
not matter, and answers need no rule (Amazon VPC User Guide, "Security group rules"). A rule that references a group
covers the private addresses of the interfaces in it, never public ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet, Coverage, Peer, coverage
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, NodePlace, SecurityGroupRule, VpcEndpoint, read

HTTPS: Final = 443
_SHOWN_RULES: Final = 10


@dataclass(frozen=True, slots=True)
class Admission:
    """What a set of groups lets through: how much of the peer, by which rules, and what could not be read."""

    covered: Coverage
    rules: tuple[SecurityGroupRule, ...]
    unread: tuple[str, ...]
    evidence: tuple[str, ...]


def admission(group_ids: tuple[str, ...], peer: Peer, network: Network, *, egress: bool) -> Admission:
    """Return what the groups together let through on port 443 to (or from) `peer`.

    A rule for a group that the peer may or may not have counts as one for a part of the peer.
    """
    allowed, used, unread, evidence = AddressSet(), list[SecurityGroupRule](), list[str](), list[str]()
    possible = list[SecurityGroupRule]()
    for group_id in group_ids:
        group = read(network.security_groups, group_id, f"security group {group_id}")
        if isinstance(group, Unread):
            unread.append(group.reason)
            continue
        rules = group.egress if egress else group.ingress
        evidence.append(f"{group_id} {'egress' if egress else 'ingress'} rules: {_listed(rules)}")
        for rule in rules:
            if not _is_https(rule):
                continue
            addresses = _addresses(rule, peer, network)
            if isinstance(addresses, Unread):
                unread.append(f"{rule}: {addresses.reason}")
            elif addresses & peer.addresses:
                allowed |= addresses
                used.append(rule)
            elif rule.peer.startswith("sg-") and not peer.groups_known:
                possible.append(rule)
    covered = coverage(allowed, peer.addresses)
    if covered is Coverage.NONE and possible:
        covered, used = Coverage.SOME, possible
    return Admission(covered, tuple(used), tuple(unread), tuple(evidence))


def egress_hop(node: NodePlace, peer: Peer, network: Network, *, settled: bool = True) -> Hop:
    """Return whether the node's groups let 443 out to `peer`.

    `settled` is false where a fault before this hop leaves open which part of `peer` the traffic will go to once it
    is repaired; then only rules that let nothing out to any part of it are a fault.
    """
    cause = PathCause.SECURITY_GROUP_BLOCKS_EGRESS
    unknown = "" if node.group_ids else f"the security groups of {node.name} are not known"
    if isinstance(node.group_ids, Unread) or unknown:
        reason = node.group_ids.reason if isinstance(node.group_ids, Unread) else unknown
        return Hop(HopKind.NODE, node.name, (cause,), undecided=(Undecided(cause, reason),))
    found = admission(node.group_ids, peer, network, egress=True)
    hop = _hop(Hop(HopKind.NODE, node.name, (cause,)), found, f"out to {peer.name}", settled=settled)
    if hop is not None:
        return replace(hop, evidence=(*hop.evidence, node.assumption)) if node.assumption else hop
    groups = ", ".join(node.group_ids)
    fault = Fault(
        cause,
        ResourceType.SECURITY_GROUP,
        node.group_ids[0],
        f"No rule of the node's security groups ({groups}) lets TCP 443 out to {peer.name}.",
        found.evidence,
        (Fix(group_id=node.group_ids[0], egress=True, ports=(HTTPS, HTTPS), peer=_to_allow(peer)),),
    )
    hop = Hop(HopKind.NODE, node.name, (cause,), found.evidence, (fault,))
    return hop.doubted(f"{fault.explanation} {node.assumption}") if node.assumption else hop


def ingress_hop(endpoint: VpcEndpoint, node: Peer, network: Network) -> Hop:
    """Return whether the groups of an interface endpoint let the node in on 443."""
    cause = PathCause.ENDPOINT_BLOCKS_INGRESS
    if not endpoint.group_ids:
        reason = f"the security groups of {endpoint.id} are not known"
        return Hop(HopKind.ENDPOINT, endpoint.id, (cause,), undecided=(Undecided(cause, reason),))
    found = admission(endpoint.group_ids, node, network, egress=False)
    hop = _hop(Hop(HopKind.ENDPOINT, endpoint.id, (cause,)), found, f"in from {node.name}", settled=True)
    if hop is not None:
        return hop
    groups = ", ".join(endpoint.group_ids)
    source = min(node.group_ids, default=None) or _to_allow(node)
    fault = Fault(
        cause,
        ResourceType.SECURITY_GROUP,
        endpoint.group_ids[0],
        f"No rule of the security groups of endpoint {endpoint.id} ({groups}) lets TCP 443 in from {node.name}.",
        found.evidence,
        (
            Fix(
                group_id=endpoint.group_ids[0],
                endpoint_id=endpoint.id,
                egress=False,
                ports=(HTTPS, HTTPS),
                peer=source,
            ),
        ),
    )
    return Hop(HopKind.ENDPOINT, endpoint.id, (cause,), found.evidence, (fault,))


def _hop(hop: Hop, found: Admission, way: str, *, settled: bool) -> Hop | None:
    """Return `hop` with what was found, or None where the traffic is certainly blocked."""
    (cause,), named = hop.looked_for, _listed(found.rules)
    if found.covered is Coverage.ALL or (found.covered is Coverage.SOME and not settled):
        return replace(hop, evidence=(f"TCP 443 is let {way} by {named}",))
    if found.unread:
        doubt = Undecided(cause, "; ".join(found.unread))
        return replace(hop, evidence=found.evidence, undecided=(doubt,))
    if found.covered is Coverage.SOME:
        doubt = Undecided(cause, f"TCP 443 is let {way} only in part, by {named}")
        return replace(hop, evidence=found.evidence, undecided=(doubt,))
    return None


def _is_https(rule: SecurityGroupRule) -> bool:
    if rule.protocol == "-1":
        return True
    if rule.protocol not in {"tcp", "6"}:
        return False
    return rule.ports is None or rule.ports == (-1, -1) or rule.ports[0] <= HTTPS <= rule.ports[1]


def _addresses(rule: SecurityGroupRule, peer: Peer, network: Network) -> AddressSet | Unread:
    if rule.peer.startswith("sg-"):
        return peer.addresses if rule.peer in peer.group_ids else AddressSet()
    if rule.peer.startswith("pl-"):
        if rule.peer in peer.prefix_list_ids:
            return peer.addresses
        entries = read(network.prefix_lists, rule.peer, f"prefix list {rule.peer}")
        return entries if isinstance(entries, Unread) else AddressSet.of(*entries.entries)
    return AddressSet.of(rule.peer)


def _to_allow(peer: Peer) -> str | None:
    """Return the prefix list, CIDR block or group of `peer` to write into a new rule, where a single one says it."""
    return min(peer.prefix_list_ids, default=None) or peer.cidr or min(peer.group_ids, default=None)


def _listed(rules: tuple[SecurityGroupRule, ...]) -> str:
    shown = ", ".join(str(rule) for rule in rules[:_SHOWN_RULES]) or "none"
    return shown if len(rules) <= _SHOWN_RULES else f"{shown} and {len(rules) - _SHOWN_RULES} more"
