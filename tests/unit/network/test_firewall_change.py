"""What to change in a policy of AWS Network Firewall: the words, and that the policy passes the connection then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pull_responder.network import Unread
from pull_responder.network.firewall_change import changes_that_pass
from pull_responder.network.firewall_policy import judge_policy
from pull_responder.network.firewall_rules import Does, FirewallPolicy, RuleGroup, StatelessGroup, StatelessRule
from pull_responder.network.suricata import parse_rules
from tests.unit.network import firewall_reading as reading
from tests.unit.network.estate import HOST
from tests.unit.network.firewalls import CONNECTION, FORWARD, GROUP, POLICY, REGISTRIES, STATELESS, group, policy, rules
from tests.unit.network.test_firewall_properties import DEFAULTS
from tests.unit.network.test_firewall_properties import rules as random_rules

SPOKE = replace(CONNECTION, source=replace(CONNECTION.source, cidr="10.0.0.0/24"), vpc_cidrs=("10.200.0.0/16",))
TLS = "tls $HOME_NET any -> $EXTERNAL_NET any"
PASSING = (
    f'pass tls 10.0.0.0/24 any -> any 443 (tls.sni; content:"{HOST}"; startswith; endswith; nocase; flow:to_server;'
    " sid:%s;)"
)
SHAKING = "pass tcp 10.0.0.0/24 any <> any 443 (flow:not_established; sid:%s;)"
FORWARDED = "forward to the stateful rules TCP from 10.0.0.0/24 to port 443 and its answers"
HOME = ("10.0.0.0/8",)
OTHERS = group("ALLOWLIST", ".example.com", home_net=HOME)


def strict(*groups: RuleGroup | Unread, default: str = "aws:drop_established", **more: object) -> FirewallPolicy:
    return policy(*groups, strict=True, stateful=(default,), **more)


def packets(*found: StatelessRule, default: str = "aws:forward_to_sfe") -> FirewallPolicy:
    return policy(stateless=(default,), stateless_groups=(StatelessGroup(STATELESS, found),))


CASES: dict[str, tuple[FirewallPolicy, list[str]]] = {
    "an allow list without it": (policy(OTHERS), [f"Add {HOST} to the targets of rule group egress"]),
    "a deny list with it": (
        policy(group("DENYLIST", HOST, home_net=HOME)),
        [f"Take {HOST} out of the targets of rule group egress"],
    ),
    "a deny list with it and a domain above it": (
        policy(group("DENYLIST", HOST, REGISTRIES, home_net=HOME)),
        [
            f"Take {HOST} out of the targets of rule group egress",
            f"Let a rule of policy central pass it: {PASSING}",
        ],
    ),
    "a deny list with a domain above it, in strict order": (
        strict(group("DENYLIST", REGISTRIES, home_net=HOME), default="aws:alert_strict"),
        [f"Let a rule of policy central pass it before entry {REGISTRIES} of rule group egress: {PASSING}"],
    ),
    "strict order, and a list without it": (strict(OTHERS), [f"Add {HOST} to the targets of rule group {GROUP}"]),
    "strict order, and a list with it for other nodes": (
        strict(group("ALLOWLIST", HOST, home_net=("10.9.0.0/16",))),
        [f"Add 10.0.0.0/24 to HOME_NET of rule group {GROUP}"],
    ),
    "strict order, and a list with it for the firewall's VPC alone": (
        strict(group("ALLOWLIST", HOST)),
        ["Set HOME_NET of policy central to 10.200.0.0/16, 10.0.0.0/24"],
    ),
    "strict order, and a list with it for the policy's HOME_NET": (
        strict(group("ALLOWLIST", HOST), home_net=("10.9.0.0/16",)),
        ["Add 10.0.0.0/24 to HOME_NET of policy central"],
    ),
    "strict order without rules": (strict(), [f"Let a rule of policy central pass it: {PASSING}"]),
    "strict order that drops the handshake, too": (
        strict(default="aws:drop_strict"),
        [
            f"Let a rule of policy central pass the handshake: {SHAKING}",
            f"Let a rule of policy central pass it: {PASSING}",
        ],
    ),
    "a rule for the name": (
        strict(rules(f'drop {TLS} (tls.sni; content:"ecr"; )', home_net=HOME), default="aws:alert_strict"),
        [f"Let a rule of policy central pass it before rule 1 of rule group egress: {PASSING}"],
    ),
    "a rule for the first packet": (
        policy(rules("drop tcp any any -> any any ()")),
        ["Let rule 1 of rule group egress leave out connections from 10.0.0.0/24 to port 443"],
    ),
    "a stateless rule": (
        packets(StatelessRule(5, "aws:drop", destinations=HOME)),
        [f"Before rule 5 of rule group packets, {FORWARDED}"],
    ),
    "a stateless default": (
        packets(default="aws:drop"),
        [f"Before the default action of policy central, {FORWARDED}"],
    ),
    "a stateless default, and a list": (
        replace(packets(default="aws:drop"), groups=(OTHERS,)),
        [
            f"Before the default action of policy central, {FORWARDED}",
            f"Add {HOST} to the targets of rule group egress",
        ],
    ),
    "a policy that passes it": (policy(group("ALLOWLIST", HOST, home_net=HOME)), []),
    "a policy that is open then": (policy(OTHERS, Unread("denied")), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_change_in_words(name: str) -> None:
    judged, expected = CASES[name]
    said = [str(each) for each in changes_that_pass(judged, SPOKE)]
    assert [_without_sid(each) for each in said] == [each.replace("sid:%s;", "sid:N;") for each in expected]


def _without_sid(words: str) -> str:
    head, found, _ = words.partition("sid:")
    return f"{head}sid:N;)" if found else words


def test_the_rules_for_several_hosts_have_ids_of_their_own() -> None:
    hosts = (HOST, "api.ecr.eu-west-1.amazonaws.com", "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com")
    made = [changes_that_pass(strict(), replace(SPOKE, host=host))[0].entry for host in hosts]
    known = parse_rules("\n".join(made))
    assert len({rule.id for rule in known}) == len(hosts)
    again = changes_that_pass(strict(RuleGroup(GROUP, rules=known[1:])), SPOKE)
    assert parse_rules(again[0].entry)[0].id not in {rule.id for rule in known[1:]}


def test_changes_in_another_group_name_its_whole_arn() -> None:
    other = replace(OTHERS, arn=GROUP.replace("333333333333", "555555555555"))
    assert str(changes_that_pass(strict(other), SPOKE)[0]) == f"Add {HOST} to the targets of rule group {other.arn}"


@given(st.lists(random_rules(), max_size=4).map(tuple), st.sampled_from(DEFAULTS))
@settings(max_examples=200, deadline=None)
def test_every_change_that_is_offered_works(written: tuple[reading.Written, ...], default: str) -> None:
    text = "\n".join(each.text(number) for number, each in enumerate(written, 1))
    stateful = (default,) if default else ()
    found = FirewallPolicy(POLICY, FORWARD, stateful, bool(default), (), (RuleGroup(GROUP, rules=parse_rules(text)),))
    assume(judge_policy(found, SPOKE).does is Does.BLOCK)
    changes = changes_that_pass(found, SPOKE)
    assume(changes)
    assert judge_policy(changes[-1].policy, SPOKE).does is Does.PASS
