"""Route 53 Resolver DNS Firewall: whether a rule answers for one of the registry's names instead of letting it resolve.

Sources: Amazon Route 53 Developer Guide, "How Route 53 Resolver DNS Firewall works" (rule groups and rules by their
priority, the lowest first; the first rule that matches decides; what none matches passes), "Rule actions in DNS
Firewall" (ALLOW and ALERT let the query pass, BLOCK answers NODATA, NXDOMAIN or an override) and "Creating and editing
domain lists" (an entry is a name, or begins with an asterisk); API reference, FirewallRule.

Inference: AWS's own domain lists, of malicious names, hold none of ECR's or S3's. What they hold cannot be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.names import other_servers, servers_unread, vpc_of

if TYPE_CHECKING:
    from pull_responder.network.model import Network
    from pull_responder.network.places import Trip
    from pull_responder.network.resolver import FirewallRule

_CAUSE: Final = PathCause.DNS_FIREWALL_BLOCKS
# Layers of ECR Public come from a name below this one.
_PARTS: Final = ("cloudfront.net",)
# By name, or by number as TYPE28 (Developer Guide, "Rule settings in DNS Firewall").
_QUERY_TYPES: Final = {4: ("A", "1", "TYPE1"), 6: ("AAAA", "28", "TYPE28")}


def firewall_hop(trip: Trip) -> Hop | None:
    """Return whether DNS Firewall lets the destination's name resolve.

    None if the VPC has no rules, if other DNS servers answer, or if only a part of the name is known. Where kubelet
    dialled an address, something answered: then a rule that blocks is not certain to be asked. Nor is it where the DNS
    servers are not known.
    """
    network, host = trip.network, trip.destination.host
    rules, servers = network.firewall_rules, other_servers(network)
    if rules == () or (servers and not servers_unread(network)) or host in _PARTS:
        return None
    hop = _judged(trip, rules)
    hop = hop.with_faults_undecided(servers) if servers else hop
    return hop.with_faults_undecided(f"kubelet dialled {trip.dialled} for {host}") if trip.dialled else hop


def _judged(trip: Trip, rules: tuple[FirewallRule, ...] | Unread) -> Hop:
    host = trip.destination.host
    hop = Hop(HopKind.NAME, host, (_CAUSE,))
    if isinstance(rules, Unread):
        return _undecided(hop, rules.reason)
    applying = (rule for rule in rules if rule.query_type in ("", *_QUERY_TYPES[trip.version]))
    passed: list[str] = []
    for rule in applying:
        matched = _matches(host, rule)
        if isinstance(matched, Unread):
            return _undecided(hop, matched.reason)
        if matched:
            return _decided(hop, rule, matched, trip)
        passed.append(str(rule))
    return Hop(HopKind.NAME, host, (_CAUSE,), (f"no rule of DNS Firewall matches {host}: {'; '.join(passed[:6])}",))


def _decided(hop: Hop, rule: FirewallRule, matched: str, trip: Trip) -> Hop:
    host, unresolved = trip.destination.host, trip.seen is not None and trip.seen.unresolved
    proof = f"{rule} has {matched}, which matches {host}"
    if rule.action == "BLOCK":
        return Hop(hop.kind, host, (_CAUSE,), (proof,), (_fault(rule, matched, host, trip.network),))
    if rule.action not in ("ALLOW", "ALERT"):
        return _undecided(hop, _unusual(rule))
    if unresolved and rule.inspects_redirection and _blocks_behind(rule, trip.network):
        reason = Reason(
            f"{proof}, but it also looks at the names to which a CNAME of {host} leads, and a later rule blocks others",
            f"On a node, run `nslookup {host}`, and see whether {rule.list_id} has every name in the answer.",
        )
        return _undecided(hop, reason)
    return Hop(hop.kind, host, (_CAUSE,), (proof,))


def _blocks_behind(rule: FirewallRule, network: Network) -> bool:
    rules = () if isinstance(network.firewall_rules, Unread) else network.firewall_rules
    return any(each.action == "BLOCK" for each in rules[rules.index(rule) + 1 :])


def _matches(host: str, rule: FirewallRule) -> str | Unread:
    """Return the entry of the rule's list that matches the host; empty if none does."""
    if rule.unusual:
        return "" if rule.action != "BLOCK" else Unread(_unusual(rule))
    if isinstance(rule.domains, Unread):
        return rule.domains
    for entry in rule.domains:
        if entry in (host, "*") or (entry.startswith("*.") and host.endswith(entry[1:])):
            return entry
    doubtful = next((each for each in rule.domains if each.startswith("*") and host.endswith(each[1:])), None)
    if doubtful:
        words = f"{rule} has {doubtful}, and AWS does not document whether that matches {host}"
        return Unread(Reason(words, f"On a node, run `nslookup {host}`, and see what answers."))
    return ""


def _unusual(rule: FirewallRule) -> str:
    return Reason(
        f"{rule} matches by more than a domain list",
        f"Look at {rule.group} in the Route 53 console, at its alerts too.",
    )


def _undecided(hop: Hop, reason: str) -> Hop:
    return Hop(hop.kind, hop.resource_id, (_CAUSE,), undecided=(Undecided(_CAUSE, reason),))


def _fault(rule: FirewallRule, matched: str, host: str, network: Network) -> Fault:
    response = f" with {rule.response}" if rule.response else ""
    explanation = (
        f"DNS Firewall of {vpc_of(network).id} blocks {host}{response}: rule {rule.priority} of rule group {rule.group}"
        f" has {matched} in its domain list {rule.list_id}."
    )
    evidence = (f"{rule} has {matched}",)
    return Fault(_CAUSE, ResourceType.OTHER, rule.group, explanation, evidence, (Fix(host=host, target=str(rule)),))
