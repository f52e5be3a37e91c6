"""What the stateless rules of AWS Network Firewall do to the packets of a TLS connection, in both directions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.network import Unread
from pull_responder.network.firewall_policy import judge_policy
from pull_responder.network.firewall_rules import By, Does, FirewallPolicy, StatelessGroup, StatelessRule, TcpFlags
from tests.unit.network.estate import HOST
from tests.unit.network.firewalls import CONNECTION, POLICY, STATELESS, group, policy

BLOCK, PASS, OPEN = Does.BLOCK, Does.PASS, Does.OPEN
DROP, LET, FORWARD = "aws:drop", "aws:pass", "aws:forward_to_sfe"
DENIED = group("DENYLIST", HOST)
HTTPS, CLIENTS = ((443, 443),), ((1024, 65535),)


def packets(*rules: StatelessRule, default: str = FORWARD) -> FirewallPolicy:
    """A policy whose stateful rules deny the host, with stateless rules before them."""
    return policy(DENIED, stateless=(default,), stateless_groups=(StatelessGroup(STATELESS, rules),))


def rule(action: str, priority: int = 1, **asks: object) -> StatelessRule:
    return StatelessRule(priority, action, **asks)  # type: ignore[arg-type]  # as the case says


def flags(*names: str, of: tuple[str, ...] = ()) -> tuple[TcpFlags, ...]:
    return (TcpFlags(frozenset(names), frozenset(of)),)


OUT: dict[str, Any] = {"sources": ("10.0.0.0/8",), "destination_ports": HTTPS}
BACK: dict[str, Any] = {"destinations": ("10.0.0.0/8",), "source_ports": HTTPS}

CASES: dict[str, tuple[FirewallPolicy, Does]] = {
    "nothing but the default that forwards": (packets(), BLOCK),
    "a default that drops": (packets(default=DROP), BLOCK),
    "a default that passes": (packets(default=LET), PASS),
    "a default of one's own": (packets(default="metrics"), OPEN),
    "a rule that passes everything": (packets(rule(LET)), PASS),
    "both directions pass": (packets(rule(LET, **OUT), rule(LET, 2, **BACK), default=DROP), PASS),
    "the answers are dropped": (packets(rule(LET, **OUT), default=DROP), BLOCK),
    "the requests are dropped": (packets(rule(LET, **BACK), default=DROP), BLOCK),
    "the requests pass, the answers go on to the stateful rules": (packets(rule(LET, **OUT)), OPEN),
    "the answers pass, the requests go on": (packets(rule(LET, **BACK)), OPEN),
    "both go on": (packets(rule(FORWARD, **OUT), rule(FORWARD, 2, **BACK), default=LET), BLOCK),
    "the first that matches": (packets(rule(LET), rule(DROP, 2)), PASS),
    "a rule for UDP": (packets(rule(DROP, protocols=(17,))), BLOCK),
    "a rule for UDP, and all else passes": (packets(rule(DROP, protocols=(17,)), default=LET), PASS),
    "a rule for TCP": (packets(rule(DROP, protocols=(6, 17)), default=LET), BLOCK),
    "a rule for other ports": (packets(rule(DROP, destination_ports=((22, 22), (80, 80))), default=LET), PASS),
    "a rule for other addresses": (packets(rule(DROP, destinations=("192.0.2.0/24",)), default=LET), PASS),
    "a rule for a part of the addresses": (packets(rule(DROP, destinations=("52.1.0.0/16",)), default=LET), OPEN),
    "a rule for a part of the addresses, that does what the default does": (
        packets(rule(LET, destinations=("52.1.0.0/16",)), default=LET),
        PASS,
    ),
    "a rule for a part of the client's ports": (
        packets(rule(LET, **OUT), rule(LET, 2, destination_ports=((32768, 60999),)), default=DROP),
        OPEN,
    ),
    "a rule for all of the client's ports": (
        packets(rule(LET, **OUT), rule(LET, 2, destination_ports=CLIENTS, source_ports=HTTPS), default=DROP),
        PASS,
    ),
    "the first packet alone is dropped": (
        packets(rule(DROP, tcp_flags=flags("SYN", of=("SYN", "ACK"))), default=LET),
        BLOCK,
    ),
    "a rule for packets with SYN and FIN": (packets(rule(DROP, tcp_flags=flags("SYN", "FIN")), default=LET), PASS),
    "a rule for packets without any flag": (packets(rule(DROP, tcp_flags=flags()), default=LET), PASS),
    "packets with content are dropped": (packets(rule(DROP, tcp_flags=flags("PSH", of=("PSH",))), default=LET), BLOCK),
    "the first packet alone passes": (packets(rule(LET, tcp_flags=flags("SYN", of=("SYN", "ACK")))), OPEN),
    "addresses that are none": (packets(rule(DROP, sources=("nowhere",)), default=LET), OPEN),
    "ports that are none": (packets(rule(DROP, source_ports=((5, 3),)), default=LET), OPEN),
    "an action that is not known": (packets(rule("")), OPEN),
    "a group that cannot be read": (policy(stateless_groups=(Unread("denied"),)), OPEN),
    "a group that cannot be read, behind one that drops": (
        policy(stateless_groups=(StatelessGroup(STATELESS, (rule(DROP),)), Unread("denied"))),
        BLOCK,
    ),
    "many rules": (
        packets(*(rule(DROP, n, sources=(f"192.0.2.{n % 256}/32",)) for n in range(10_000)), default=LET),
        PASS,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_stateless_rules_do(name: str) -> None:
    judged, expected = CASES[name]
    assert judge_policy(judged, CONNECTION).does is expected


def test_the_rule_that_drops_is_named() -> None:
    effect = judge_policy(packets(rule(LET, **OUT), rule(DROP, 7)), CONNECTION)
    assert (effect.resource, effect.by, effect.detail) == (STATELESS, By.STATELESS_RULE, "7")
    assert effect.proof == "rule 7 of stateless rule group packets (aws:drop) drops the answer to its first packet"


def test_the_default_action_that_drops_is_named() -> None:
    effect = judge_policy(packets(default=DROP), CONNECTION)
    assert (effect.resource, effect.by, effect.detail) == (POLICY, By.STATELESS_DEFAULT, DROP)
    assert effect.proof == "the stateless default action aws:drop drops its first packet"


def test_what_one_direction_alone_passes_is_open_by_the_rule_that_passes_it() -> None:
    effect = judge_policy(packets(rule(LET, 3, **BACK)), CONNECTION)
    assert "rule 3 of stateless rule group packets (aws:pass) passes a part of the packets" in effect.proof


# Whether a rule's field is that of the client, and that of the server.
_SIDES: dict[tuple[str, ...], tuple[bool, bool]] = {
    (): (True, True),
    ("10.0.0.0/8",): (True, False),
    ("52.0.0.0/6", "192.0.2.0/24"): (False, True),
    ("192.0.2.0/24",): (False, False),
}
_PORTS: dict[tuple[tuple[int, int], ...], tuple[bool, bool]] = {
    (): (True, True),
    HTTPS: (False, True),
    CLIENTS: (True, False),
    ((80, 80),): (False, False),
}
_FLAGS: dict[tuple[TcpFlags, ...], frozenset[str]] = {
    (): frozenset({"S", "SA", "A", "PA"}),
    flags("SYN", of=("SYN", "ACK")): frozenset({"S"}),
    flags("ACK", of=("ACK",)): frozenset({"SA", "A", "PA"}),
    flags(of=("SYN",)): frozenset({"A", "PA"}),
    flags("SYN"): frozenset({"S"}),
}
# The packets of a connection: whether the client sends it, and its flags.
_PACKETS = ((True, "S"), (False, "SA"), (True, "A"), (True, "PA"), (False, "A"), (False, "PA"))


@st.composite
def any_rule(draw: st.DrawFn) -> StatelessRule:
    return StatelessRule(
        1,
        draw(st.sampled_from((DROP, LET, FORWARD))),
        draw(st.sampled_from(tuple(_SIDES))),
        draw(st.sampled_from(tuple(_SIDES))),
        draw(st.sampled_from(tuple(_PORTS))),
        draw(st.sampled_from(tuple(_PORTS))),
        draw(st.sampled_from(((), (6,), (17,), (1, 6)))),
        draw(st.sampled_from(tuple(_FLAGS))),
    )


def _fits(found: StatelessRule, packet: tuple[bool, str]) -> bool:
    from_client, letters = packet
    near, far = (0, 1) if from_client else (1, 0)
    return (
        (not found.protocols or 6 in found.protocols)
        and letters in _FLAGS[found.tcp_flags]
        and _SIDES[found.sources][near]
        and _SIDES[found.destinations][far]
        and _PORTS[found.source_ports][near]
        and _PORTS[found.destination_ports][far]
    )


@given(st.lists(any_rule(), max_size=5), st.sampled_from((DROP, LET, FORWARD)))
@settings(max_examples=300, deadline=None)
def test_a_slow_reading_agrees(found: list[StatelessRule], default: str) -> None:
    actions = [next((each.action for each in found if _fits(each, packet)), default) for packet in _PACKETS]
    blocks = DROP in actions or set(actions) == {FORWARD}  # the stateful rules deny the host
    expected = BLOCK if blocks else PASS if set(actions) == {LET} else OPEN
    assert judge_policy(packets(*found, default=default), CONNECTION).does is expected
