"""What a policy of AWS Network Firewall does to a TLS connection to a host.

Sources: AWS Network Firewall Developer Guide, "How AWS Network Firewall filters network traffic" (the stateless engine
first), "Managing evaluation order for Suricata compatible rules" (default order: pass rules before drop and reject
rules, and what no rule matches passes; strict order: by priority, then the default actions), "Stateful domain list rule
groups" (traffic that an allow list does not name is denied; only sources in HOME_NET count, by default the VPC's own
blocks); API reference, RulesSourceList, Header and FirewallPolicy.

What is not surely understood is open: stateless rule groups, Suricata rules beyond the server's name, rule options
beyond an id, variables other than HOME_NET and EXTERNAL_NET.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet, Coverage, Peer, coverage

if TYPE_CHECKING:
    from collections.abc import Iterable

_TLS: Final = ("TCP", "TLS", "IP")
_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class DomainList:
    """A domain list: `kind` is ALLOWLIST, DENYLIST, REJECTLIST or ALERTLIST, `targets` in lower case."""

    kind: str
    targets: tuple[str, ...]
    sees_tls: bool = True


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """A rule by protocol, addresses and ports. `plain` is false with rule options that are not understood."""

    id: str
    action: str
    protocol: str
    source: str
    destination: str
    destination_port: str
    plain: bool = True


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """A stateful rule group, of a domain list, of header rules, or of Suricata rules that are not read (`opaque`).

    `home_net` is its variable HOME_NET, empty if it has none of its own. `overridden` says that the policy turns its
    drops into alerts.
    """

    arn: str
    domains: DomainList | None = None
    rules: tuple[HeaderRule, ...] = ()
    opaque: bool = False
    home_net: tuple[str, ...] = ()
    overridden: bool = False

    @property
    def name(self) -> str:
        """Its name, the last part of its ARN."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class FirewallPolicy:
    """A policy: `groups` in the order of their priority. `stateless` and `stateful` are the default actions."""

    arn: str
    stateless: tuple[str, ...]
    stateful: tuple[str, ...] = ()
    strict: bool = False
    has_stateless_groups: bool = False
    groups: tuple[RuleGroup | Unread, ...] = ()
    home_net: tuple[str, ...] = ()


class Does(Enum):
    """What a policy does to a connection."""

    PASS = auto()
    BLOCK = auto()
    OPEN = auto()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a policy, or a part of it, does. `resource` is the ARN of the group or policy, `proof` says why.

    `early` is true if it decides from the first packet on. What goes by the server's name decides after the handshake.
    """

    does: Does
    resource: str
    proof: str
    early: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """A TLS connection to a host: who opens it, to which addresses, and the blocks of the firewall's VPC."""

    host: str
    source: Peer
    server: Peer
    vpc_cidrs: tuple[str, ...]


def judge_policy(policy: FirewallPolicy, connection: Connection) -> Effect:
    """Return what a policy does to a connection."""
    if policy.has_stateless_groups:
        return Effect(Does.OPEN, policy.arn, "its stateless rule groups are not modelled")
    if "aws:pass" in policy.stateless:
        return Effect(Does.PASS, policy.arn, "its stateless default action passes everything")
    if "aws:drop" in policy.stateless:
        return Effect(Does.BLOCK, policy.arn, "its stateless default action drops everything")
    if "aws:forward_to_sfe" not in policy.stateless:
        return Effect(Does.OPEN, policy.arn, f"its stateless default action is {', '.join(policy.stateless)}")
    effects = [each for group in policy.groups for each in _of_group(group, policy, connection)]
    return _strict(policy, effects) if policy.strict else _by_action(policy, effects)


def _by_action(policy: FirewallPolicy, effects: list[Effect]) -> Effect:
    """Return the effect in default order: what passes outranks what is dropped."""
    if not any(each.does is Does.PASS and each.early for each in effects):
        passes = next((each for each in effects if each.does is Does.PASS), None)
        first = next((each for each in effects if each.early), None)
        if passes and first:
            return _disputed(passes, first)
    for does in (Does.PASS, Does.OPEN, Does.BLOCK):
        if found := next((each for each in effects if each.does is does), None):
            return found
    return Effect(Does.PASS, policy.arn, "no rule matches, and what none matches passes")


def _strict(policy: FirewallPolicy, effects: list[Effect]) -> Effect:
    """Return the effect in strict order: the first that matches, else the default action."""
    strictly = "aws:drop_strict" in policy.stateful
    if effects:
        first = effects[0]
        if first.does is Does.PASS and strictly:
            return Effect(Does.OPEN, first.resource, f"{first.proof}, and aws:drop_strict may drop the handshake first")
        other = next((each for each in effects if each.early and each.does is not first.does), None)
        return first if first.early or other is None else _disputed(first, other)
    drops = [each for each in policy.stateful if each.startswith("aws:drop")]
    if drops:
        return Effect(Does.BLOCK, policy.arn, f"no rule passes it, and its default action is {', '.join(drops)}")
    return Effect(Does.PASS, policy.arn, "no rule matches, and its default action drops nothing")


def _disputed(by_name: Effect, early: Effect) -> Effect:
    """Return that two rules meet: one knows the server's name, the other already counts for the handshake before it."""
    return Effect(Does.OPEN, early.resource, f"{by_name.proof}, and {early.proof} counts before the name is known")


def _of_group(group: RuleGroup | Unread, policy: FirewallPolicy, connection: Connection) -> Iterable[Effect]:
    """Return what a group's rules do that match, or may match, in order."""
    if isinstance(group, Unread):
        yield Effect(Does.OPEN, policy.arn, group.reason)
        return
    if group.opaque:
        yield Effect(Does.OPEN, group.arn, f"rule group {group.name} has Suricata rules that are not modelled")
        return
    if group.domains:
        yield from _of_domains(group, group.domains, policy, connection)
    for rule in group.rules:
        yield from _of_rule(group, rule, policy, connection)


def _of_domains(
    group: RuleGroup, domains: DomainList, policy: FirewallPolicy, connection: Connection
) -> Iterable[Effect]:
    home = _home(group, policy, connection)
    if not home:
        yield Effect(Does.OPEN, group.arn, f"HOME_NET of rule group {group.name} is not known, nor the firewall's VPC")
        return
    covered = coverage(AddressSet.of(*home), connection.source.addresses)
    if not domains.sees_tls or covered is Coverage.NONE or domains.kind == "ALERTLIST":
        return
    host = connection.host
    entry = next((each for each in domains.targets if _names(each, host)), "")
    shown = f"rule group {group.name} ({domains.kind}) "
    if covered is Coverage.SOME:
        yield Effect(Does.OPEN, group.arn, f"{shown}applies only to a part of {connection.source.name}'s addresses")
    elif domains.kind == "ALLOWLIST" and entry:
        yield Effect(Does.PASS, group.arn, f"{shown}has {entry}")
    elif domains.kind == "ALLOWLIST" and not policy.strict:
        yield _blocks(group, f"{shown}has no entry for {host}")
    elif entry and domains.kind in ("DENYLIST", "REJECTLIST"):
        yield _blocks(group, f"{shown}has {entry}")


def _blocks(group: RuleGroup, proof: str) -> Effect:
    if group.overridden:
        return Effect(Does.OPEN, group.arn, f"{proof}, and the policy turns its drops into alerts")
    return Effect(Does.BLOCK, group.arn, proof)


def _of_rule(group: RuleGroup, rule: HeaderRule, policy: FirewallPolicy, connection: Connection) -> Iterable[Effect]:
    if rule.action == "ALERT" or rule.protocol not in _TLS:
        return
    home = AddressSet.of(*_home(group, policy, connection))
    matches = {
        _side(rule.source, connection.source, home),
        _side(rule.destination, connection.server, home),
        _port(rule.destination_port),
    }
    proof = f"rule {rule.id} of rule group {group.name} ({rule.action} {rule.protocol} to {rule.destination})"
    if False in matches:
        return
    early = rule.protocol != "TLS"
    if None in matches or not rule.plain:
        yield Effect(Does.OPEN, group.arn, f"{proof} may match", early)
    elif rule.action == "PASS":
        yield Effect(Does.PASS, group.arn, proof, early)
    else:
        yield replace(_blocks(group, proof), early=early)


def _home(group: RuleGroup, policy: FirewallPolicy, connection: Connection) -> tuple[str, ...]:
    """Return HOME_NET: the group's own, else the policy's, else the blocks of the firewall's VPC.

    Source: AWS Network Firewall Developer Guide, "Troubleshooting rules" (policy variables affect all rule groups that
    do not define HOME_NET themselves).
    """
    return group.home_net or policy.home_net or connection.vpc_cidrs


def _names(target: str, host: str) -> bool:
    """Return whether an entry of a domain list names a host: `.example.com` stands for the domain and all below it."""
    return host == target or (target.startswith(".") and (host == target[1:] or host.endswith(target)))


def _side(written: str, peer: Peer, home: AddressSet) -> bool | None:
    """Return whether an address in a rule is that of a peer. None if only in part, or if it is not understood."""
    if written.upper() == "ANY":
        return True
    try:
        known = {"$HOME_NET": home, "$EXTERNAL_NET": home.complement()}.get(written) or AddressSet.of(written)
    except ValueError:
        return None
    return {Coverage.ALL: True, Coverage.SOME: None, Coverage.NONE: False}[coverage(known, peer.addresses)]


def _port(written: str) -> bool | None:
    if written.upper() == "ANY":
        return True
    first, colon, last = written.partition(":")
    if not first.isdigit() or (colon and not last.isdigit()):
        return None
    return int(first) <= _HTTPS <= int(last or first)
