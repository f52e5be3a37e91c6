"""Random policies of AWS Network Firewall: what every reading of documentation agrees on is the answer."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pull_responder.network.addresses import AddressSet, Peer
from pull_responder.network.firewall_policy import judge_policy
from pull_responder.network.firewall_rules import Connection, Does, FirewallPolicy, RuleGroup
from pull_responder.network.suricata import parse_rules
from tests.unit.network import firewall_reading as reading
from tests.unit.network.firewalls import FORWARD, GROUP, POLICY

CONNECTION = Connection(
    reading.HOST,
    Peer("i-1", AddressSet.of(reading.CLIENT)),
    Peer("the registry", AddressSet.of(reading.SERVER)),
    ("10.0.0.0/16",),
)
DEFAULTS = (
    "",
    "aws:alert_strict",
    "aws:drop_strict",
    "aws:drop_established",
    "aws:drop_established_app_layer",
    "aws:drop_established_app_layer_to_server",
)


@st.composite
def rules(draw: st.DrawFn) -> reading.Written:
    protocol = draw(st.sampled_from(("tcp", "ip", "tls", "tls", "udp")))
    return reading.Written(
        action=draw(st.sampled_from(("pass", "pass", "drop", "reject", "alert"))),
        protocol=protocol,
        source=draw(st.sampled_from(reading.ADDRESSES)),
        source_port=draw(st.sampled_from(reading.PORTS[:1] * 4 + reading.PORTS)),
        arrow=draw(st.sampled_from(("->", "->", "<>"))),
        destination=draw(st.sampled_from(reading.ADDRESSES)),
        destination_port=draw(st.sampled_from(reading.PORTS)),
        asks=draw(st.sampled_from(reading.OF_TLS if protocol == "tls" else reading.OF_PACKETS)),
    )


def judged(written: tuple[reading.Written, ...], default: str, cut: int) -> Does:
    """What the code makes of the rules, in two groups. The second group comes after the first by its priority."""
    lines = [each.text(number) for number, each in enumerate(written, 1)]
    groups = tuple(RuleGroup(GROUP, rules=parse_rules("\n".join(part))) for part in (lines[:cut], lines[cut:]))
    strict = bool(default)
    return judge_policy(
        FirewallPolicy(POLICY, FORWARD, (default,) if strict else (), strict, (), groups), CONNECTION
    ).does


def expected(written: tuple[reading.Written, ...], default: str) -> Does:
    found = {reading.becomes(written, default, world) for world in reading.worlds(written)}
    return {"pass": Does.PASS, "drop": Does.BLOCK}[found.pop()] if len(found) == 1 else Does.OPEN


@given(st.lists(rules(), max_size=5).map(tuple), st.sampled_from(DEFAULTS), st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_no_answer_is_wrong_in_any_world(written: tuple[reading.Written, ...], default: str, cut: int) -> None:
    """Two rules that may match are taken to do so independently of each other, so a few answers are open in vain."""
    assert judged(written, default, cut) in (expected(written, default), Does.OPEN)


def _is_sure(rule: reading.Written) -> bool:
    return not rule.asks.unsure and rule.asks.scope != "first"


@given(st.lists(rules().filter(_is_sure), max_size=6).map(tuple), st.sampled_from(DEFAULTS), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_what_all_worlds_agree_on_is_the_answer(written: tuple[reading.Written, ...], default: str, cut: int) -> None:
    assert judged(written, default, cut) is expected(written, default)


@given(st.text(max_size=300))
@example('pass tls any any -> any any (tls.sni; content:"|zz|"; sid:1;)')
@example('drop tcp any any -> any any (content:"unclosed; sid:1;)')
@example("drop tcp [[[[[[[[[[[any any -> any any (sid:1;)")
@example("drop tcp " + "!" * 5_000 + "10.0.0.1 any -> any 99999 (flow:;sid:1;)")
@example("(((((((((((")
def test_any_text_is_read_and_judged(text: str) -> None:
    group = RuleGroup(GROUP, rules=parse_rules(f'drop tcp any any -> any any (msg:"{text}"; sid:1;)\n{text}'))
    assert judge_policy(FirewallPolicy(POLICY, FORWARD, groups=(group,)), CONNECTION).does in set(Does)
