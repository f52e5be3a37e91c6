"""DNS Firewall rules against the registry's names: the first that matches decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.model.sighting import Sighting
from pull_responder.network import PathCause, Unread
from pull_responder.network.resolver import FirewallRule
from tests.unit.network.estate import HOST, REGION, SampleNetwork, behind_nat, faults, open_causes, reasons, seen_by

CAUSE = PathCause.DNS_FIREWALL_BLOCKS
ALL = FirewallRule("rslvr-frg-1", 20, "BLOCK", "rslvr-fdl-2", ("*",), "NXDOMAIN")
BLOCKED = {(CAUSE.value, "rslvr-frg-1")}


def rule(action: str, *domains: str, priority: int = 10) -> FirewallRule:
    return FirewallRule("rslvr-frg-1", priority, action, "rslvr-fdl-1", domains, "NODATA" if action == "BLOCK" else "")


def with_rules(*rules: FirewallRule) -> SampleNetwork:
    return behind_nat().with_facts(firewall_rules=rules)


@pytest.mark.parametrize(
    ("rules", "blocked"),
    [
        ((ALL,), True),
        ((rule("BLOCK", HOST),), True),
        ((rule("BLOCK", f"*.dkr.ecr.{REGION}.amazonaws.com"),), True),
        ((rule("BLOCK", "*.amazonaws.com"),), True),
        ((rule("ALLOW", "*.amazonaws.com"), ALL), False),
        ((rule("ALERT", "*"), ALL), False),
        # The wildcard needs a label, and the name of the service alone is another name.
        ((rule("BLOCK", f"dkr.ecr.{REGION}.amazonaws.com"),), False),
        ((rule("BLOCK", f"*.{HOST}"),), False),
        ((replace(ALL, query_type="AAAA"),), False),
        ((replace(ALL, query_type="A"),), True),
        ((replace(ALL, query_type="TYPE1"),), True),
        ((replace(ALL, query_type="TYPE28"),), False),
        ((replace(rule("ALLOW", "*"), query_type="AAAA"), ALL), True),
        ((rule("BLOCK"),), False),
    ],
)
def test_the_first_rule_that_matches_decides(rules: tuple[FirewallRule, ...], *, blocked: bool) -> None:
    assert faults(with_rules(*rules)) == (BLOCKED if blocked else set())
    assert CAUSE.value not in open_causes(with_rules(*rules))


def test_only_the_names_that_are_not_allowed_are_blocked() -> None:
    path = with_rules(rule("ALLOW", "*.amazonaws.com", priority=5), ALL).trace()
    assert path.faults == ()
    path = with_rules(rule("ALLOW", f"*.dkr.ecr.{REGION}.amazonaws.com"), ALL).trace()
    (fault,) = path.faults
    assert {fix.host for fix in fault.fixes} == {
        f"api.ecr.{REGION}.amazonaws.com",
        f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com",
    }
    assert HOST not in fault.explanation


UNDECIDED: dict[str, tuple[tuple[FirewallRule, ...] | Unread, str]] = {
    "the rules": (Unread("denied"), "denied"),
    "a domain list": ((replace(ALL, domains=Unread("no domains")),), "no domains"),
    "an algorithm": ((replace(ALL, list_id="", domains=(), unusual=True),), "matches by more than a domain list"),
    "an asterisk without a dot": ((rule("BLOCK", "*amazonaws.com"),), "AWS does not document"),
    "an action that is new": ((rule("REDIRECT", "*"),), "matches by more than a domain list"),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_is_not_surely_understood_is_open(name: str) -> None:
    rules, words = UNDECIDED[name]
    estate = behind_nat().with_facts(firewall_rules=rules)
    assert faults(estate) == set()
    assert words in reasons(estate, CAUSE)


def test_a_rule_before_what_cannot_be_read_decides() -> None:
    unread = replace(ALL, domains=Unread("no domains"))
    assert faults(with_rules(rule("BLOCK", "*"), unread)) == BLOCKED
    assert CAUSE.value not in open_causes(with_rules(rule("ALLOW", "*"), unread))


def test_an_algorithm_that_only_alerts_blocks_nothing() -> None:
    assert CAUSE.value not in open_causes(with_rules(replace(ALL, action="ALERT", list_id="", unusual=True)))


def test_other_dns_servers_are_not_filtered() -> None:
    assert faults(with_rules(ALL).vpc(dns_servers=("10.0.0.53",))) == set()


def test_dns_servers_that_are_not_known_leave_what_blocks_open() -> None:
    estate = with_rules(ALL).vpc(dns_servers=Unread("ec2:DescribeDhcpOptions was denied"))
    assert (faults(estate), CAUSE.value in open_causes(estate)) == (set(), True)
    assert "ec2:DescribeDhcpOptions was denied" in reasons(estate, CAUSE)
    assert CAUSE.value not in open_causes(with_rules(rule("ALLOW", "*")).vpc(dns_servers=Unread("denied")))


def test_where_kubelet_got_an_address_something_answered() -> None:
    estate = seen_by(with_rules(ALL), Sighting(HOST, "52.1.2.3", 443))
    leg = next(leg for leg in estate.trace().legs if leg.host == HOST)
    assert [fault for hop in leg.hops for fault in hop.faults] == []
    assert any("kubelet dialled 52.1.2.3" in doubt.reason for hop in leg.hops for doubt in hop.undecided)


def test_a_long_list_is_matched_like_a_short_one() -> None:
    many = tuple(f"host-{number}.example.com" for number in range(30_000))
    assert faults(with_rules(rule("BLOCK", *many))) == set()
    assert faults(with_rules(rule("BLOCK", *many, HOST))) == BLOCKED
