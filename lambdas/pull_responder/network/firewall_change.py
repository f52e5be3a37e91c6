"""What to change in a policy of AWS Network Firewall so that it passes a connection, tried out on the policy.

Only what surely lets the connection through is returned. Nothing is widened by more than the host, or the node's
addresses and port 443: whoever owns the firewall narrowed it on purpose.

Sources: AWS Network Firewall Developer Guide, "Examples of stateful rules" (rules on the server's name; in strict order
a rule for the handshake), "Stateful domain list rule groups" (HOME_NET has to contain the clients of other VPCs).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zlib import crc32

from pull_responder.network.firewall_policy import judge_policy
from pull_responder.network.firewall_rules import (
    By,
    Does,
    DomainList,
    FirewallPolicy,
    RuleGroup,
    StatelessGroup,
    StatelessRule,
    name_of,
)
from pull_responder.network.stateless_rules import FORWARD
from pull_responder.network.suricata import parse_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.network.firewall_rules import Connection, Effect

_MOST: Final = 4
_FIRST_SID: Final = 1_000_000
_SIDS: Final = 1_000_000
_TCP: Final = 6
_HTTPS: Final = ((443, 443),)


@dataclass(frozen=True, slots=True)
class Change:
    """A change: `what` has `{}` where the `entry` stands, such as a name in a list. `policy` is the policy after it."""

    what: str
    entry: str
    policy: FirewallPolicy

    def __str__(self) -> str:
        return self.what.replace("{}", self.entry)


@lru_cache(maxsize=16)
def changes_that_pass(policy: FirewallPolicy, connection: Connection) -> tuple[Change, ...]:
    """Return changes after which the policy passes a connection that it drops now. Empty if none surely do."""
    made: list[Change] = []
    for _ in range(_MOST):
        effect = judge_policy(policy, connection)
        if effect.does is not Does.BLOCK:
            break
        change = _change(policy, connection, effect)
        if change is None:
            return ()
        made.append(change)
        policy = change.policy
    return tuple(made) if judge_policy(policy, connection).does is Does.PASS else ()


def _change(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Change | None:
    """Return the change for what drops the connection first."""
    tried = _CHANGES.get(effect.by, _nothing)(policy, connection, effect)
    return next((each for each in tried if judge_policy(each.policy, connection) != effect), None)


def _nothing(_: FirewallPolicy, __: Connection, ___: Effect) -> Iterator[Change]:
    return iter(())


def _of_allow_list(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Iterator[Change]:
    for group in _groups(policy):
        if group.arn == effect.resource and group.domains:
            yield _added(policy, group, group.domains, connection, effect)


def _added(
    policy: FirewallPolicy, group: RuleGroup, domains: DomainList, connection: Connection, effect: Effect
) -> Change:
    longer = replace(domains, targets=domains.targets | {connection.host})
    changed = _with(policy, group, replace(group, domains=longer))
    return Change(f"Add {{}} to the targets of {_named(group.arn, effect)}", connection.host, changed)


def _of_deny_list(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Iterator[Change]:
    for group in _groups(policy):
        if group.arn == effect.resource and group.domains and effect.detail == connection.host:
            shorter = replace(group.domains, targets=group.domains.targets - {connection.host})
            what = f"Take {{}} out of the targets of {_named(group.arn, effect)}"
            yield Change(what, connection.host, _with(policy, group, replace(group, domains=shorter)))
    yield _passing_rule(policy, connection, f"entry {effect.detail} of {_named(effect.resource, effect)}")


def _of_rule(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Iterator[Change]:
    rule = f"rule {effect.detail} of {_named(effect.resource, effect)}"
    if not effect.at_start:
        yield _passing_rule(policy, connection, rule)
        return
    for group in _groups(policy):
        fewer = tuple(each for each in group.rules if each.id != effect.detail)
        if group.arn == effect.resource:
            entry = f"connections from {_source(connection)} to port 443"
            yield Change(f"Let {rule} leave out {{}}", entry, _with(policy, group, replace(group, rules=fewer)))


def _of_default(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Iterator[Change]:
    if effect.at_start:
        rule = f"pass tcp {_source(connection)} any <> any 443 (flow:not_established; sid:{_sid(policy, '')};)"
        yield _with_rule(policy, f"Let a rule of policy {name_of(policy.arn)} pass the handshake: {{}}", rule)
        return
    passing = (each for each in _wider_homes(policy, connection, effect) if _passes(each, connection))
    yield from passing
    for group in _groups(policy):
        if group.domains and group.domains.kind == "ALLOWLIST" and group.domains.sees_tls:
            change = _added(policy, group, group.domains, connection, effect)
            if _passes(change, connection):
                yield change
    yield _passing_rule(policy, connection, "")


def _wider_homes(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Iterator[Change]:
    """Return changes that put the node's addresses into HOME_NET, of a group that has its own, and of the policy."""
    source = connection.source.cidr
    if not source:
        return
    for group in _groups(policy):
        if group.domains and group.home_net:
            wider = _with(policy, group, replace(group, home_net=(*group.home_net, source)))
            yield Change(f"Add {{}} to HOME_NET of {_named(group.arn, effect)}", source, wider)
    if policy.home_net:
        wider = replace(policy, home_net=(*policy.home_net, source))
        yield Change(f"Add {{}} to HOME_NET of policy {name_of(policy.arn)}", source, wider)
    elif connection.vpc_cidrs:
        home = (*connection.vpc_cidrs, source)
        yield Change(
            f"Set HOME_NET of policy {name_of(policy.arn)} to {{}}", ", ".join(home), replace(policy, home_net=home)
        )


def _of_stateless(policy: FirewallPolicy, connection: Connection, effect: Effect) -> Iterator[Change]:
    """Return a change that forwards both directions to the stateful rules before anything else happens to them."""
    source = connection.source.cidr
    if not source:
        return
    rules = (
        StatelessRule(1, FORWARD, sources=(source,), destination_ports=_HTTPS, protocols=(_TCP,)),
        StatelessRule(2, FORWARD, destinations=(source,), source_ports=_HTTPS, protocols=(_TCP,)),
    )
    changed = replace(policy, stateless_groups=(StatelessGroup(policy.arn, rules), *policy.stateless_groups))
    which = "the default action" if effect.by is By.STATELESS_DEFAULT else f"rule {effect.detail}"
    what = f"Before {which} of {_named(effect.resource, effect)}, forward to the stateful rules {{}}"
    yield Change(what, f"TCP from {source} to port 443 and its answers", changed)


def _passing_rule(policy: FirewallPolicy, connection: Connection, before: str) -> Change:
    """Return a change that passes the host's name by a rule of its own, before `before` in strict order."""
    rule = (
        f'pass tls {_source(connection)} any -> any 443 (tls.sni; content:"{connection.host}"; startswith; endswith;'
        f" nocase; flow:to_server; sid:{_sid(policy, connection.host)};)"
    )
    place = f" before {before}" if before and policy.strict else ""
    return _with_rule(policy, f"Let a rule of policy {name_of(policy.arn)} pass it{place}: {{}}", rule)


def _with_rule(policy: FirewallPolicy, what: str, rule: str) -> Change:
    group = RuleGroup(policy.arn, rules=parse_rules(rule))
    return Change(what, rule, replace(policy, groups=(group, *policy.groups)))


def _passes(change: Change, connection: Connection) -> bool:
    return judge_policy(change.policy, connection).does is Does.PASS


def _groups(policy: FirewallPolicy) -> Iterator[RuleGroup]:
    return (each for each in policy.groups if isinstance(each, RuleGroup))


def _with(policy: FirewallPolicy, old: RuleGroup, new: RuleGroup) -> FirewallPolicy:
    return replace(policy, groups=tuple(new if each is old else each for each in policy.groups))


def _named(arn: str, effect: Effect) -> str:
    """Return what a group or policy is called, with its whole ARN if it is not the one at fault."""
    kind = "policy" if ":firewall-policy/" in arn else "rule group"
    return f"{kind} {name_of(arn) if arn == effect.resource else arn}"


def _source(connection: Connection) -> str:
    return connection.source.cidr or "$HOME_NET"


def _sid(policy: FirewallPolicy, host: str) -> int:
    """Return an id that no rule of the policy has, and most likely no rule that another host's change adds."""
    known = {rule.id for group in _groups(policy) for rule in group.rules}
    sid = _FIRST_SID + crc32(host.encode()) % _SIDS
    while str(sid) in known:
        sid += 1
    return sid


_CHANGES: Final[dict[By, Callable[[FirewallPolicy, Connection, Effect], Iterator[Change]]]] = {
    By.ALLOW_LIST: _of_allow_list,
    By.DENY_LIST: _of_deny_list,
    By.RULE: _of_rule,
    By.STATEFUL_DEFAULT: _of_default,
    By.STATELESS_RULE: _of_stateless,
    By.STATELESS_DEFAULT: _of_stateless,
}
