"""Security groups: what the node's groups allow out, and what an endpoint's groups allow in.

Security groups have only allow rules. The rules of all groups of a network interface are added up, in any order.
Groups are stateful, so responses need no rule (Amazon VPC User Guide, "Security group rules"). A rule that names a
group covers the private addresses of the interfaces in that group, never public addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pull_responder.model.reason import RUNNING, Reason, join_reasons, reword
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet, Coverage, Peer, coverage
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, NodePlace, SecurityGroupRule, VpcEndpoint, read

HTTPS: Final = 443
_SHOWN_RULES: Final = 10


@dataclass(frozen=True, slots=True)
class Admission:
    """What a set of security groups allows.

    - `covered`: how many of the peer's addresses.
    - `rules`: the rules that allow them.
    - `unread`: the groups and prefix lists that could not be read, with the reason.
    - `evidence`: the groups with all their rules.
    """

    covered: Coverage
    rules: tuple[SecurityGroupRule, ...]
    unread: tuple[str, ...]
    evidence: tuple[str, ...]


def admission(group_ids: tuple[str, ...], peer: Peer, network: Network, *, egress: bool) -> Admission:
    """Return what the groups together allow on port 443 to `peer`, or from it if `egress` is false.

    The peer may have security groups that are not known. A rule for a group then counts as a rule for part of the peer.
    """
    allowed, used, unread, evidence = AddressSet(), list[SecurityGroupRule](), list[str](), list[str]()
    possible = list[SecurityGroupRule]()
    for group_id in group_ids:
        group = read(network.security_groups, group_id, f"security group {group_id}")
        if isinstance(group, Unread):
            unread.append(group.reason)
            continue
        rules = group.egress if egress else group.ingress
        evidence.append(f"{group_id} {'egress' if egress else 'ingress'} rules: {_rule_list(rules)}")
        for rule in rules:
            if not _is_https(rule):
                continue
            addresses = _addresses(rule, peer, network)
            if isinstance(addresses, Unread):
                unread.append(reword(addresses.reason, f"{rule}: {addresses.reason}"))
            elif addresses & peer.addresses:
                allowed |= addresses
                used.append(rule)
            elif rule.peer.startswith("sg-") and not peer.groups_known and _may_be_in(rule.peer, peer):
                possible.append(rule)
    covered = coverage(allowed, peer.addresses)
    if covered is Coverage.NONE and possible:
        covered, used = Coverage.SOME, possible
    return Admission(covered, tuple(used), tuple(unread), tuple(evidence))


def _may_be_in(group_id: str, peer: Peer) -> bool:
    return peer.possible_groups is None or group_id in peer.possible_groups


def egress_hop(node: NodePlace, peer: Peer, network: Network, *, all_of_peer: bool = True) -> Hop:
    """Return whether the node's security groups allow TCP 443 out to `peer`.

    If `all_of_peer` is true, the rules must allow all addresses of `peer`. It is false if the fix of another fault
    decides which of these addresses the traffic goes to. Then it is enough that the rules allow some of them.
    """
    cause = PathCause.SECURITY_GROUP_BLOCKS_EGRESS
    unknown = "" if node.group_ids else Reason(f"the security groups of {node.name} are not known", RUNNING)
    if isinstance(node.group_ids, Unread) or unknown:
        reason = node.group_ids.reason if isinstance(node.group_ids, Unread) else unknown
        return Hop(HopKind.NODE, node.name, (cause,), undecided=(Undecided(cause, reason),))
    found = admission(node.group_ids, peer, network, egress=True)
    hop = _hop(Hop(HopKind.NODE, node.name, (cause,)), found, f"out to {peer.name}", all_of_peer=all_of_peer)
    if hop is not None:
        return replace(hop, evidence=(*hop.evidence, node.assumption)) if node.assumption else hop
    groups = ", ".join(node.group_ids)
    fault = Fault(
        cause,
        ResourceType.SECURITY_GROUP,
        node.group_ids[0],
        f"No rule of the node's security groups ({groups}) allows TCP 443 out to {peer.name}.",
        found.evidence,
        (Fix(group_id=node.group_ids[0], egress=True, ports=(HTTPS, HTTPS), peer=_to_allow(peer)),),
    )
    hop = Hop(HopKind.NODE, node.name, (cause,), found.evidence, (fault,))
    return hop.with_faults_undecided(f"{fault.explanation} {node.assumption}") if node.assumption else hop


def ingress_hop(endpoint: VpcEndpoint, node: Peer, network: Network) -> Hop:
    """Return whether the security groups of an interface endpoint allow TCP 443 in from the node."""
    cause = PathCause.ENDPOINT_BLOCKS_INGRESS
    if not endpoint.group_ids:
        reason = Reason(
            f"the security groups of {endpoint.id} are not known",
            f"Look at the security groups of endpoint {endpoint.id} in the VPC console.",
        )
        return Hop(HopKind.ENDPOINT, endpoint.id, (cause,), undecided=(Undecided(cause, reason),))
    found = admission(endpoint.group_ids, node, network, egress=False)
    hop = _hop(Hop(HopKind.ENDPOINT, endpoint.id, (cause,)), found, f"in from {node.name}", all_of_peer=True)
    if hop is not None:
        return hop
    groups = ", ".join(endpoint.group_ids)
    source = min(node.group_ids, default=None) or _to_allow(node)
    fault = Fault(
        cause,
        ResourceType.SECURITY_GROUP,
        endpoint.group_ids[0],
        f"No rule of the security groups of endpoint {endpoint.id} ({groups}) allows TCP 443 in from {node.name}.",
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


def _hop(hop: Hop, found: Admission, way: str, *, all_of_peer: bool) -> Hop | None:
    """Return `hop` with its verdict; None if the traffic is certainly blocked."""
    (cause,), named = hop.causes, _rule_list(found.rules)
    if found.covered is Coverage.ALL or (found.covered is Coverage.SOME and not all_of_peer):
        return replace(hop, evidence=(f"TCP 443 {way} is allowed by {named}",))
    if found.unread:
        doubt = Undecided(cause, join_reasons(found.unread))
        return replace(hop, evidence=found.evidence, undecided=(doubt,))
    if found.covered is Coverage.SOME:
        reason = Reason(
            f"TCP 443 {way} is allowed only in part, by {named}",
            "Compare these rules with the addresses that the registry's host has on the node (`nslookup`).",
        )
        doubt = Undecided(cause, reason)
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
    """Return the prefix list, CIDR block or group that a new rule for `peer` must name; None if no single one does."""
    return min(peer.prefix_list_ids, default=None) or peer.cidr or min(peer.group_ids, default=None)


def _rule_list(rules: tuple[SecurityGroupRule, ...]) -> str:
    shown = ", ".join(str(rule) for rule in rules[:_SHOWN_RULES]) or "none"
    return shown if len(rules) <= _SHOWN_RULES else f"{shown} and {len(rules) - _SHOWN_RULES} more"
