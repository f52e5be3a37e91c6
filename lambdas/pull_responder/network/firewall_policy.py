"""What a policy of AWS Network Firewall does to a TLS connection to a host.

Sources: AWS Network Firewall Developer Guide, "How AWS Network Firewall filters network traffic" (the stateless engine
first), "Managing evaluation order for Suricata compatible rules" (action order: pass rules before drop and reject
rules, and what no rule matches passes; strict order: by priority, then the default actions), "Stateful domain list rule
groups" and "Examples of stateful rules" (the rules that a list becomes: for TLS hellos from HOME_NET to EXTERNAL_NET),
"Limitations and caveats for stateful rules" (a group's own variables before the policy's HOME_NET);
AWS Network Firewall best practices, "Customer managed rules" (a list in strict order drops nothing by itself).

The rules are held against the packets of the connection one after the other: before the TLS hello no rule knows the
server's name. A rule that may match leaves the answer open only if without it the answer would be another one.

AWS's own rule groups are against attackers. Inference: they drop no connection to ECR or S3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.firewall_rules import By, Does, Effect, RuleGroup
from pull_responder.network.rule_match import (
    ANSWER,
    FIRST,
    HELLO,
    PACKETS,
    PART_OF_HELLO,
    WINDOW_UPDATE,
    Headers,
    Ways,
    matches,
)
from pull_responder.network.stateless_rules import judge_stateless
from pull_responder.network.suricata import StatefulRule
from pull_responder.network.suricata_options import Conditions
from pull_responder.network.written_sets import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.network.firewall_rules import Connection, DomainList, FirewallPolicy
    from pull_responder.network.rule_match import Packet

_PASS: Final = "PASS"  # noqa: S105 -- an action
_ORDER: Final = {_PASS: 0, "": 1, "DROP": 2, "REJECT": 3}
_HELLO: Final = Conditions(flow=frozenset({"to_server", "established"}), hello=True)
# To which packets each default action applies (Developer Guide, "Strict evaluation order").
_EVERY: Final = "aws:drop_strict"
_ESTABLISHED: Final = "aws:drop_established"
_APPLICATION: Final = "aws:drop_established_app_layer"
_APPLICATION_TO_SERVER: Final = "aws:drop_established_app_layer_to_server"
# No variable of a rule group can have this name.
_OF_POLICY: Final = "HOME_NET of the policy"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule that may matter to the connection, the ways of its header, and its effect if it matches."""

    rule: StatefulRule
    ways: Ways
    effect: Effect


@lru_cache(maxsize=64)
def judge_policy(policy: FirewallPolicy, connection: Connection) -> Effect:
    """Return what a policy does to a connection. A way is traced several times, and the policy judged once."""
    if stateless := judge_stateless(policy, connection):
        return stateless
    if policy.inspects_tls:
        return Effect(Does.OPEN, policy.arn, "it decrypts TLS, and what its rules see then is not modelled")
    candidates = tuple(each for group in policy.groups for each in _of_group(group, policy, connection))
    if not policy.strict:
        candidates = tuple(sorted(candidates, key=lambda each: _ORDER[each.rule.action]))
    rules = _Rules(policy, candidates, connection.host)
    sure = rules.over_packets(sure_alone=True)
    result = sure.drop or sure.passes or rules.unmatched()
    possible = rules.over_packets(sure_alone=False)
    if possible.drop and possible.passes:
        first = possible.may_drop if result.does is Does.PASS else possible.may_pass
        return replace(first or possible.drop, does=Does.OPEN)
    return replace(result, doubt=rules.doubt()) if result.does is Does.PASS else result


@dataclass(frozen=True, slots=True)
class _Found:
    """What may happen to packets, each with what makes it so; None if it cannot.

    - `passes`: the connection passes, with all that follows. `drop`: it is dropped.
    - `go_on`: this packet passes, so the next one is looked at.
    - `may_pass`, `may_drop`: the first rule that may do so.
    """

    passes: Effect | None = None
    drop: Effect | None = None
    go_on: Effect | None = None
    may_pass: Effect | None = None
    may_drop: Effect | None = None

    def has(self, action: str) -> bool:
        """Return whether one more rule with this action that may match changes nothing."""
        may_pass, may_drop = action in ("", _PASS), action != _PASS
        passes = self.passes and self.go_on and self.may_pass
        return bool((passes or not may_pass) and ((self.drop and self.may_drop) or not may_drop))

    def or_else(self, later: _Found) -> _Found:
        """Return the same with what may happen to a later packet."""
        return _Found(
            self.passes or later.passes,
            self.drop or later.drop,
            later.go_on,
            self.may_pass or later.may_pass,
            self.may_drop or later.may_drop,
        )


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a policy that may matter to a connection to a host, in the order in which they count."""

    policy: FirewallPolicy
    candidates: tuple[_Candidate, ...]
    host: str

    def unmatched(self) -> Effect:
        """Return the effect on what nothing matches and nothing drops."""
        strict = "no rule matches, and its default action drops nothing"
        words = strict if self.policy.strict else "no rule matches, and what none matches passes"
        return Effect(Does.PASS, self.policy.arn, words)

    def over_packets(self, *, sure_alone: bool) -> _Found:
        """Return what may become of the connection, packet by packet, if asked by the rules alone that match surely."""
        found = _Found()
        alone: Effect | None = None
        for packet in PACKETS:
            now = self.of_packet(packet, sure_alone=sure_alone)
            found = found.or_else(now)
            if now.drop and alone and not sure_alone:
                # Whether a rule that passes single packets passes those behind them, two pages answer differently:
                # the note in "Action order", and Suricata's "Rule Types".
                unclear = replace(alone, proof=f"{alone.proof} passes {HELLO.name}, and may pass what comes behind it")
                found = replace(found, passes=found.passes or alone, may_pass=found.may_pass or unclear)
            if not now.go_on:
                return found
            if packet.established and now.go_on.by is not By.NOTHING:
                alone = alone or now.go_on
        return replace(found, passes=found.passes or alone or self.unmatched())

    def of_packet(self, packet: Packet, *, sure_alone: bool) -> _Found:
        """Return what may happen to one packet."""
        found = _Found()
        for each in self.candidates:
            match = matches(each.rule, each.ways, packet, self.host)
            if match is False or (match is None and (sure_alone or found.has(each.rule.action))):
                continue
            found = _with_rule(found, each, packet, is_sure=bool(match))
            if match:
                return found
        action = _default(self.policy, packet)
        if action is None:
            return replace(found, go_on=found.go_on or self.unmatched())
        proof = f"no rule passes {'it' if packet is HELLO else packet.name}, and its default action is {action}"
        start = packet.hello is not True
        effect = Effect(Does.BLOCK, self.policy.arn, proof, By.STATEFUL_DEFAULT, action, at_start=start)
        return replace(found, drop=found.drop or effect)

    def doubt(self) -> str:
        """Return what drops some of the connections that pass; empty if nothing does.

        Whether a client sends a hello with post-quantum keys, which takes more than one packet, is not known here.
        """
        if any(not self.of_packet(each, sure_alone=True).go_on for each in (FIRST, ANSWER)):
            return ""
        for packet in (PART_OF_HELLO, WINDOW_UPDATE):
            if drop := self.of_packet(packet, sure_alone=False).drop:
                return drop.proof if drop.by is By.STATEFUL_DEFAULT else f"{drop.proof} drops {packet.name}"
        return ""


def _with_rule(found: _Found, candidate: _Candidate, packet: Packet, *, is_sure: bool) -> _Found:
    """Return what may happen to a packet, with one more rule that matches it, or may."""
    rule = candidate.rule
    effect = replace(candidate.effect, at_start=packet.hello is not True)
    may_pass, may_drop = rule.action in ("", _PASS), rule.action != _PASS
    if may_pass:
        passing = replace(effect, does=Does.PASS)
        for_all = rule.holds_for_flow or not rule.action
        found = replace(
            found,
            passes=found.passes or (passing if for_all else None),
            go_on=found.go_on or (None if for_all else passing),
        )
    if may_drop:
        found = replace(found, drop=found.drop or effect)
    if is_sure:
        return found
    unsure = effect if effect.unread else replace(effect, proof=f"{effect.proof} may match")
    return replace(
        found,
        may_pass=found.may_pass or (unsure if may_pass else None),
        may_drop=found.may_drop or (unsure if may_drop else None),
    )


def _default(policy: FirewallPolicy, packet: Packet) -> str | None:
    """Return the default action that drops a packet, None if none does."""
    if not policy.strict:
        return None
    applies = {
        _EVERY: True,
        _ESTABLISHED: packet.established and packet.to_server,
        _APPLICATION: packet.established and packet.hello is not None,
        _APPLICATION_TO_SERVER: packet.established and packet.to_server and packet.hello is not None,
    }
    drops = (each for each in policy.stateful if each.startswith("aws:drop"))
    return next((each for each in drops if applies.get(each, packet.established)), None)


def _of_group(group: RuleGroup | Unread, policy: FirewallPolicy, connection: Connection) -> Iterator[_Candidate]:
    """Return the rules of a group that match, or may match, some packet of the connection."""
    if isinstance(group, Unread):
        rule = StatefulRule("", "", "IP", conditions=Conditions(unknown="unread"))
        proof = f"what one of its rule groups does is not known: {group.reason}"
        yield _Candidate(rule, Ways(None, None), Effect(Does.BLOCK, policy.arn, proof, unread=group.reason))
        return
    if group.overridden:
        return
    headers = Headers.of(connection, Variables(_variables(group, policy, connection)))
    rules = _of_list(group, group.domains, policy, connection) if group.domains else _of_rules(group)
    for rule, effect in rules:
        if any(each.matches(connection.host) is False for each in rule.conditions.names):
            continue
        ways = headers.ways(rule)
        if ways != Ways(to_server=False, to_client=False):
            yield _Candidate(rule, ways, effect)


def _of_rules(group: RuleGroup) -> Iterator[tuple[StatefulRule, Effect]]:
    for rule in group.rules:
        unknown = f", with {rule.conditions.unknown}" if rule.conditions.unknown else ""
        named = f"rule {rule.id}" if rule.id else "a rule"
        proof = f"{named} of rule group {group.name} ({rule}{unknown})"
        yield rule, Effect(Does.BLOCK, group.arn, proof, By.RULE, rule.id)


def _of_list(
    group: RuleGroup, domains: DomainList, policy: FirewallPolicy, connection: Connection
) -> Iterator[tuple[StatefulRule, Effect]]:
    """Return the rules that a domain list becomes, as far as they are about the host."""
    if not domains.sees_tls or domains.kind == "ALERTLIST":
        return
    entry = domains.entry_for(connection.host)
    shown = f"rule group {group.name} ({domains.kind})"
    if domains.kind == "ALLOWLIST" and entry:
        yield _listed(_PASS), Effect(Does.PASS, group.arn, f"{shown} has {entry}", By.ALLOW_LIST, entry)
    elif domains.kind == "ALLOWLIST":
        if not policy.strict:
            proof = f"{shown} has no entry for {connection.host}"
            yield _listed("DROP"), Effect(Does.BLOCK, group.arn, proof, By.ALLOW_LIST)
    elif domains.kind in ("DENYLIST", "REJECTLIST"):
        if entry:
            yield _listed("DROP"), Effect(Does.BLOCK, group.arn, f"{shown} has {entry}", By.DENY_LIST, entry)
    else:
        rule = replace(_listed(""), conditions=replace(_HELLO, unknown="a list"))
        yield rule, Effect(Does.BLOCK, group.arn, f"{shown}, which is no kind of list that is known")


def _listed(action: str) -> StatefulRule:
    return StatefulRule("", action, "TLS", "$HOME_NET", "$EXTERNAL_NET", conditions=_HELLO)


def _variables(group: RuleGroup, policy: FirewallPolicy, connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return a group's variables. The policy's HOME_NET, or the firewall's VPC, stands for what it does not set.

    Its EXTERNAL_NET is then what is not in the policy's HOME_NET, whatever its own HOME_NET is.
    """
    around = policy.home_net or connection.vpc_cidrs
    found = dict(group.variables)
    if around:
        found |= {_OF_POLICY: around, "EXTERNAL_NET": (f"!${_OF_POLICY}",)}
    if home := group.home_net or around:
        found["HOME_NET"] = home
    if group.external_net:
        found["EXTERNAL_NET"] = group.external_net
    return found
