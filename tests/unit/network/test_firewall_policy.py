"""What the stateful rules of AWS Network Firewall do to a TLS connection to a host of the registry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.network import Unread
from pull_responder.network.addresses import ALL_IPV4, Peer
from pull_responder.network.firewall_policy import judge_policy
from pull_responder.network.firewall_rules import By, Does, DomainList, FirewallPolicy, RuleGroup
from pull_responder.network.rule_match import FIRST, HELLO, Ways, matches
from pull_responder.network.suricata import parse_rules
from tests.unit.network.estate import HOST, REGION
from tests.unit.network.firewalls import CONNECTION, GROUP, POLICY, REGISTRIES, group, policy, rules

if TYPE_CHECKING:
    from pull_responder.network.firewall_rules import Effect

BLOCK, PASS, OPEN = Does.BLOCK, Does.PASS, Does.OPEN
DENIED = Unread("the rule group was not read")
SNI = (
    f'tls $HOME_NET any -> $EXTERNAL_NET any (tls.sni; content:"{HOST}"; startswith; endswith; nocase; flow:to_server;)'
)
OTHER = 'tls $HOME_NET any -> $EXTERNAL_NET any (tls.sni; dotprefix; content:".example.com"; endswith; nocase;)'
TO_443 = "tcp $HOME_NET any -> $EXTERNAL_NET 443"


def strict(*groups: RuleGroup | Unread, default: str = "aws:drop_established") -> FirewallPolicy:
    return policy(*groups, strict=True, stateful=(default,))


LISTS: dict[str, tuple[FirewallPolicy, Does]] = {
    "nothing": (policy(), PASS),
    "an allow list that names it": (policy(group("ALLOWLIST", REGISTRIES)), PASS),
    "an allow list that names it exactly": (policy(group("ALLOWLIST", HOST)), PASS),
    "an allow list with a domain above it": (policy(group("ALLOWLIST", ".amazonaws.com")), PASS),
    "an allow list with the host and a dot": (policy(group("ALLOWLIST", f".{HOST}")), PASS),
    "an allow list with the name above it, without the dot": (policy(group("ALLOWLIST", REGISTRIES[1:])), BLOCK),
    "an allow list without it": (policy(group("ALLOWLIST", f".s3.{REGION}.amazonaws.com")), BLOCK),
    "an allow list with a part of its name": (policy(group("ALLOWLIST", ".mazonaws.com")), BLOCK),
    "two allow lists, one of which names it": (
        policy(group("ALLOWLIST", ".example.com"), group("ALLOWLIST", REGISTRIES)),
        PASS,
    ),
    "a deny list with it": (policy(group("DENYLIST", ".amazonaws.com")), BLOCK),
    "a reject list with it": (policy(group("REJECTLIST", HOST)), BLOCK),
    "an alert list with it": (policy(group("ALERTLIST", HOST)), PASS),
    "a list of a kind that is not known": (policy(group("NEWLIST", HOST)), OPEN),
    "a deny list without it": (policy(group("DENYLIST", ".example.com")), PASS),
    "what passes outranks what is denied": (policy(group("DENYLIST", HOST), group("ALLOWLIST", HOST)), PASS),
    "an allow list for HTTP alone": (
        policy(RuleGroup(GROUP, DomainList("ALLOWLIST", frozenset(), sees_tls=False))),
        PASS,
    ),
    "a node outside HOME_NET is not filtered": (policy(group("ALLOWLIST", home_net=("10.9.0.0/16",))), PASS),
    "the group's HOME_NET outranks the policy's": (
        policy(group("ALLOWLIST", home_net=("10.9.0.0/16",)), home_net=("10.0.0.0/8",)),
        PASS,
    ),
    "the policy's HOME_NET outranks the firewall's VPC": (policy(group("ALLOWLIST"), home_net=("10.9.0.0/16",)), PASS),
    "a group's EXTERNAL_NET without the registry": (
        policy(group("ALLOWLIST", external_net=("198.51.100.0/24",))),
        PASS,
    ),
    "a HOME_NET with everything, outside of which nothing is": (
        policy(group("ALLOWLIST"), home_net=("0.0.0.0/0",)),
        PASS,
    ),
    "a node outside HOME_NET, in strict order": (strict(group("ALLOWLIST", HOST, home_net=("10.9.0.0/16",))), BLOCK),
    "an allow list in strict order": (strict(group("ALLOWLIST", HOST)), PASS),
    "an allow list without it, in strict order": (strict(group("ALLOWLIST", ".example.com")), BLOCK),
    "strict order without a default that drops": (strict(group("ALLOWLIST"), default="aws:alert_strict"), PASS),
    "the first that matches, in strict order": (strict(group("DENYLIST", HOST), group("ALLOWLIST", HOST)), BLOCK),
    "the first that matches, the other way round": (strict(group("ALLOWLIST", HOST), group("DENYLIST", HOST)), PASS),
    "drops that the policy turns into alerts": (policy(group("DENYLIST", HOST, overridden=True)), PASS),
    "a group that cannot be read": (policy(DENIED), OPEN),
    "a group that cannot be read and may pass it": (policy(group("DENYLIST", HOST), DENIED), OPEN),
    "a group that cannot be read and may drop its first packet": (policy(group("ALLOWLIST", HOST), DENIED), OPEN),
    "a group that cannot be read behind one that drops the first packet": (
        strict(rules(f"drop {TO_443} ()"), DENIED),
        BLOCK,
    ),
    "30,000 domains": (policy(group("ALLOWLIST", *(f"h{n}.example.com" for n in range(30_000)))), BLOCK),
}

RULES: dict[str, tuple[FirewallPolicy, Does]] = {
    "a rule that passes port 443": (policy(rules(f"pass {TO_443} ()"), group("DENYLIST", HOST)), PASS),
    "a rule that drops port 443": (policy(rules(f"drop {TO_443} ()")), BLOCK),
    "a rule that rejects": (policy(rules(f"reject {TO_443} ()")), BLOCK),
    "a rule for other ports": (policy(rules("drop tcp any any -> any 80 ()")), PASS),
    "a rule for a range of ports": (policy(rules("drop tcp any any -> any 400:500 ()")), BLOCK),
    "a rule for more ports than there are": (policy(rules("drop tcp any any -> any 443:65536 ()")), OPEN),
    "a rule for all ports but one": (policy(rules(f"drop {TO_443[:-3]}!443 ()")), PASS),
    "a rule for all ports but one, which the answers have": (policy(rules("drop tcp any any -> any !443 ()")), OPEN),
    "a rule for a list of ports": (policy(rules("drop tcp any any -> any [80, 443] ()")), BLOCK),
    "a rule for one port of the client": (policy(rules("drop tcp any 40000 -> any any ()")), OPEN),
    "a rule for a low port of the client": (policy(rules("drop tcp any 22 -> any any ()")), PASS),
    "a rule for another protocol": (policy(rules("drop udp any any -> any any ()")), PASS),
    "a rule for HTTP, which TLS hides": (policy(rules("drop http any any -> any any ()")), PASS),
    "a rule for a protocol that is not known": (policy(rules("drop newer any any -> any any ()")), OPEN),
    "a rule for another destination": (policy(rules("drop ip any any -> 192.168.0.0/16 any ()")), PASS),
    "a rule for a part of the destination": (policy(rules("drop ip any any -> 52.1.0.0/16 any ()")), OPEN),
    "a rule for all of the destination but a part": (policy(rules("drop ip any any -> ![52.1.0.0/16] any ()")), OPEN),
    "a rule for another source": (policy(rules("drop ip 10.9.0.0/16 any -> any any ()")), PASS),
    "a rule for all sources but this": (policy(rules("drop ip [10.0.0.0/8,!10.0.0.0/24] any -> any any ()")), PASS),
    "a rule for what leaves HOME_NET": (policy(rules("reject ip $HOME_NET any -> $EXTERNAL_NET any ()")), BLOCK),
    "a rule with a variable of the group": (
        policy(rules("drop ip any any -> $SERVERS any ()", variables={"SERVERS": ("52.0.0.0/8", "!52.9.9.9")})),
        OPEN,
    ),
    "a rule with a variable of ports": (
        policy(rules("drop tcp any any -> any $WEB ()", variables={"WEB": ("80", "440:450")})),
        BLOCK,
    ),
    "a rule with a variable that is not known": (policy(rules("drop ip any any -> $SERVERS any ()")), OPEN),
    "a rule with a prefix list": (policy(rules("drop ip any any -> @S3 any ()")), OPEN),
    "a rule for traffic into HOME_NET": (policy(rules("drop tcp $EXTERNAL_NET any -> $HOME_NET 443 ()")), PASS),
    "a rule that may drop the answers": (policy(rules("drop ip $EXTERNAL_NET any -> $HOME_NET any ()")), OPEN),
    "a rule that drops the answers": (
        policy(rules("drop ip $EXTERNAL_NET any -> $HOME_NET any (flow:to_client;)")),
        BLOCK,
    ),
    "a rule that drops answers of a connection that was passed": (
        policy(rules(f"pass {TO_443} ()", "drop ip $EXTERNAL_NET any -> $HOME_NET any ()")),
        PASS,
    ),
    "a rule for connections that others open": (
        policy(rules("drop tcp $EXTERNAL_NET any -> $HOME_NET any (flow:to_server;)")),
        PASS,
    ),
    "an alert": (policy(rules(f"alert {TO_443} ()")), PASS),
    "a comment": (policy(rules(f"# drop {TO_443} ()")), PASS),
    "a line that is no rule": (policy(rules("drop everything ()")), OPEN),
    "a rule over two lines": (policy(rules("drop tcp any any -> \\\n any 443 ()")), BLOCK),
    "thousands of addresses": (
        policy(rules(*(f"drop ip any any -> 192.0.{n // 250}.{n % 250} any ()" for n in range(5_000)))),
        PASS,
    ),
    "a rule without spaces at its arrow": (policy(rules("drop ip any any-> any any ()")), BLOCK),
}

NAMES: dict[str, tuple[FirewallPolicy, Does]] = {
    "a rule that drops the name": (policy(rules(f"drop {SNI}")), BLOCK),
    "a rule that drops another name": (policy(rules(f"drop {OTHER}")), PASS),
    "a rule that passes the name, in strict order": (strict(rules(f"pass {SNI}")), PASS),
    "a rule that passes another name, in strict order": (strict(rules(f"pass {OTHER}")), BLOCK),
    "dotprefix, with the domain itself": (
        strict(rules(f'pass tls any any -> any any (tls.sni; dotprefix; content:".{HOST}"; endswith;)')),
        PASS,
    ),
    "without dotprefix, the domain itself is none below it": (
        strict(rules(f'pass tls any any -> any any (tls.sni; content:".{HOST}"; endswith;)')),
        BLOCK,
    ),
    "dotprefix behind the content, where that matters": (
        strict(rules(f'pass tls any any -> any any (tls.sni; content:".{HOST}"; dotprefix; endswith;)')),
        OPEN,
    ),
    "dotprefix behind the content, where it does not": (
        strict(rules('pass tls any any -> any any (tls.sni; content:".amazonaws.com"; dotprefix; endswith;)')),
        PASS,
    ),
    "a name in capitals": (strict(rules('pass tls any any -> any any (tls.sni; content:"AMAZONAWS";)')), BLOCK),
    "a name in capitals, nocase": (
        strict(rules('pass tls any any -> any any (tls.sni; content:"AMAZONAWS"; nocase;)')),
        PASS,
    ),
    "a name that starts so": (
        strict(rules('pass tls any any -> any any (tls.sni; content:"ecr."; startswith;)')),
        BLOCK,
    ),
    "two parts of a name": (
        strict(
            rules(f'pass tls any any -> any any (tls.sni; content:"{HOST[:5]}"; startswith; content:".com"; endswith;)')
        ),
        PASS,
    ),
    "a part in hexadecimal": (
        strict(rules('pass tls any any -> any any (tls.sni; content:"|2e|dkr|2E 65|cr";)')),
        PASS,
    ),
    "all names but this": (policy(rules(f'drop tls any any -> any any (tls.sni; content:!"{HOST}"; endswith;)')), PASS),
    "all names but another": (
        policy(rules('drop tls any any -> any any (tls.sni; content:!".example.com"; endswith;)')),
        BLOCK,
    ),
    "a pattern": (policy(rules('drop tls any any -> any any (tls.sni; pcre:"/ecr/i";)')), OPEN),
    "a pattern beside another name": (
        policy(rules('drop tls any any -> any any (tls.sni; content:"example"; pcre:"/e/i";)')),
        PASS,
    ),
    "a certificate": (policy(rules('drop tls any any -> any any (tls.cert_subject; content:"x";)')), OPEN),
    "old versions of TLS": (policy(rules("reject tls any any -> any any (ssl_version:tls1.0,tls1.1;)")), PASS),
    "newer versions of TLS": (policy(rules("reject tls any any -> any any (ssl_version:tls1.2;)")), OPEN),
    "all TLS": (policy(rules("drop tls any any -> any any ()")), BLOCK),
    "all TLS, but this name passes": (policy(rules("drop tls any any -> any any ()", f"pass {SNI}")), PASS),
    "TLS that is none": (
        policy(rules("reject tcp any any -> any 443 (app-layer-protocol:!tls; flow:to_server;)")),
        PASS,
    ),
    "all IP protocols but TCP": (
        policy(rules("drop ip any any -> any any (noalert; ip_proto:!TCP; ip_proto:!UDP;)")),
        PASS,
    ),
    "a flow that is established": (policy(rules(f"drop {TO_443} (flow:established,to_server;)")), BLOCK),
    "a flow that is established, but this name passes": (
        policy(rules(f"pass {SNI}", f"drop {TO_443} (flow:established,to_server;)")),
        PASS,
    ),
    "the name passes, but the first packet is dropped": (policy(rules(f"pass {SNI}", f"drop {TO_443} ()")), BLOCK),
    "the name passes, but the first packet is dropped, in strict order": (
        strict(rules(f"pass {SNI}", f"drop {TO_443} ()")),
        BLOCK,
    ),
    "a name is dropped that a rule for the first packet passed before": (
        strict(rules(f"drop {SNI}", f"pass {TO_443} ()")),
        PASS,
    ),
    "a name is dropped that a rule for single packets does not pass before": (
        strict(rules(f"drop {SNI}", f"pass {TO_443} (flow:to_server;)")),
        BLOCK,
    ),
    "a rule for packets to the server, in strict order": (strict(rules(f"pass {TO_443} (flow:to_server;)")), PASS),
    "acknowledgements alone": (
        strict(rules("pass tcp any any -> any any (tcp.flags:A; dsize:0; flow:established,to_server;)")),
        BLOCK,
    ),
    "a keyword that is not modelled, of a rule that passes": (strict(rules(f"pass {TO_443} (ttl:64;)")), OPEN),
    "a keyword that is not modelled, where it does not matter": (policy(rules(f"pass {TO_443} (ttl:64;)")), PASS),
    "a mark that another rule reads": (policy(rules(f"drop {TO_443} (flowbits:isset,x;)")), OPEN),
    "a mark for another rule": (policy(rules(f"drop {TO_443} (flowbits:set,x;)")), BLOCK),
}

# The default actions, each with a policy that passes the name, and with one that passes every packet to the server.
_NAME, _TO_SERVER = rules(f"pass {SNI}"), rules(f"pass {TO_443} (flow:to_server;)")
_HANDSHAKE = rules("pass tcp $HOME_NET any <> $EXTERNAL_NET 443 (flow:not_established;)")
DEFAULTS: dict[str, tuple[FirewallPolicy, Does]] = {
    "drop_strict drops the first packet": (strict(_NAME, default="aws:drop_strict"), BLOCK),
    "drop_strict, but the handshake passes": (strict(_NAME, _HANDSHAKE, default="aws:drop_strict"), PASS),
    "drop_strict, and the handshake alone passes": (strict(_HANDSHAKE, default="aws:drop_strict"), BLOCK),
    "drop_strict drops the answers": (strict(_TO_SERVER, default="aws:drop_strict"), BLOCK),
    "drop_established": (strict(_NAME), PASS),
    "drop_established lets answers through": (strict(_TO_SERVER), PASS),
    "app_layer": (strict(_NAME, default="aws:drop_established_app_layer"), PASS),
    "app_layer without a rule": (strict(default="aws:drop_established_app_layer"), BLOCK),
    "app_layer may drop answers": (strict(_TO_SERVER, default="aws:drop_established_app_layer"), OPEN),
    "app_layer_to_server": (strict(_TO_SERVER, default="aws:drop_established_app_layer_to_server"), PASS),
    "app_layer_to_server without a rule": (strict(default="aws:drop_established_app_layer_to_server"), BLOCK),
    "alerts alone": (strict(default="aws:alert_established"), PASS),
}


@pytest.mark.parametrize(
    ("judged", "expected"),
    [pytest.param(*case, id=name) for cases in (LISTS, RULES, NAMES, DEFAULTS) for name, case in cases.items()],
)
def test_what_a_policy_does(judged: FirewallPolicy, expected: Does) -> None:
    assert judge_policy(judged, CONNECTION).does is expected


def test_a_source_that_is_partly_in_home_net_is_open() -> None:
    everybody = replace(CONNECTION, source=Peer("nodes", ALL_IPV4))
    assert judge_policy(policy(group("ALLOWLIST")), everybody).does is OPEN


def test_a_vpc_that_is_not_known_leaves_home_net_open() -> None:
    assert judge_policy(policy(group("ALLOWLIST")), replace(CONNECTION, vpc_cidrs=())).does is OPEN


def test_tls_that_is_decrypted_is_open() -> None:
    effect = judge_policy(policy(group("DENYLIST", HOST), inspects_tls=True), CONNECTION)
    assert (effect.does, "decrypts TLS" in effect.proof) == (OPEN, True)


def _said(judged: FirewallPolicy) -> tuple[str, str, By, str]:
    effect: Effect = judge_policy(judged, CONNECTION)
    return effect.resource, effect.proof, effect.by, effect.detail


def test_what_drops_is_named() -> None:
    assert _said(policy(group("DENYLIST", ".amazonaws.com"))) == (
        GROUP,
        "rule group egress (DENYLIST) has .amazonaws.com",
        By.DENY_LIST,
        ".amazonaws.com",
    )
    assert _said(policy(rules(f"drop {TO_443} ()"))) == (
        GROUP,
        "rule 1 of rule group egress (DROP TCP $HOME_NET -> $EXTERNAL_NET 443)",
        By.RULE,
        "1",
    )
    assert _said(strict(_NAME, default="aws:drop_strict")) == (
        POLICY,
        "no rule passes its first packet, and its default action is aws:drop_strict",
        By.STATEFUL_DEFAULT,
        "aws:drop_strict",
    )


def test_the_rule_that_leaves_it_open_is_named() -> None:
    """Before it is a rule that may match, and matters as little as one that does not match."""
    may_pass = rules(f"pass {TO_443} (ttl:64;)", 'drop tls any any -> any any (tls.sni; pcre:"/ecr/";)')
    assert "rule 2 of rule group egress (DROP TLS any -> any any, with pcre) may match" in _said(policy(may_pass))[1]


def test_a_rule_for_single_packets_is_named_where_what_it_holds_for_is_not_clear() -> None:
    proof = _said(strict(_TO_SERVER, default="aws:drop_established_app_layer"))[1]
    assert proof == (
        "rule 1 of rule group egress (PASS TCP $HOME_NET -> $EXTERNAL_NET 443) passes its TLS hello, and may pass what"
        " comes behind it"
    )


def test_a_rule_without_an_id_is_named_by_its_header() -> None:
    found = RuleGroup(GROUP, rules=parse_rules('drop tcp any any -> any 443 (msg:"x";)'))
    assert _said(policy(found))[1:] == ("a rule of rule group egress (DROP TCP any -> any 443)", By.RULE, "")


def test_a_group_that_cannot_be_read_is_named_by_its_reason() -> None:
    proof = "what one of its rule groups does is not known: the rule group was not read"
    assert _said(policy(DENIED))[:2] == (POLICY, proof)


@pytest.mark.parametrize("protocol", ["udp", "icmp", "dns", "ssh", "ftp", "smtp", "ldap", "quic", "http2", "krb5"])
def test_rules_of_other_protocols_never_match(protocol: str) -> None:
    assert judge_policy(policy(rules(f"drop {protocol} any any -> any any ()")), CONNECTION).does is PASS


@pytest.mark.parametrize(
    ("flags", "first", "hello"),
    [
        ("S", True, False),
        ("S,12", True, False),
        ("+S", True, False),
        ("+A", False, True),
        ("*SF", True, False),
        ("!S", False, True),
        ("!R", True, True),
        ("SA", False, False),
        ("A", False, None),
        ("0", None, None),
        ("CE", None, None),
    ],
)
def test_flags_of_tcp(flags: str, first: bool | None, hello: bool | None) -> None:  # noqa: FBT001 -- whether it matches
    found = rules(f"drop tcp any any -> any any (tcp.flags:{flags};)").rules[0]
    ways = Ways(to_server=True, to_client=True)
    assert matches(found, ways, FIRST, HOST) is first
    assert matches(found, ways, HELLO, HOST) is hello


PART = "the first part of a TLS hello that needs several packets"
UPDATE = "a window update of the server before the TLS hello"


@pytest.mark.parametrize(
    ("judged", "doubt"),
    [
        (
            strict(_NAME),
            f"no rule passes {PART}, and its default action is aws:drop_established",
        ),
        (
            strict(_NAME, default="aws:drop_established_app_layer"),
            f"no rule passes {UPDATE}, and its default action is aws:drop_established_app_layer",
        ),
        (strict(_NAME, default="aws:drop_established_app_layer_to_server"), ""),
        (strict(rules(f"pass {TO_443} ()")), ""),
        (strict(_TO_SERVER), ""),
        (policy(group("ALLOWLIST", HOST)), ""),
        (
            policy(rules(f"pass {SNI}", f"drop {TO_443} (flow:established,to_server;)")),
            f"rule 2 of rule group egress (DROP TCP $HOME_NET -> $EXTERNAL_NET 443) drops {PART}",
        ),
    ],
)
def test_hellos_of_several_packets(judged: FirewallPolicy, doubt: str) -> None:
    """The first packet of a long hello is established, and does not show the name yet."""
    effect = judge_policy(judged, CONNECTION)
    assert (effect.does, effect.doubt) == (PASS, doubt)


_PASSES_HOST = f"pass {SNI[:-1]} sid:1;)"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_PASSES_HOST.replace(" ", "\t"), id="tabs"),
        pytest.param(_PASSES_HOST.replace(" tls ", "   tls  ", 1), id="more than one space"),
        pytest.param(_PASSES_HOST.replace(";", " ; "), id="spaces around options"),
        pytest.param(_PASSES_HOST.replace("(", "\\\n("), id="a line that goes on"),
        pytest.param(_PASSES_HOST.replace("(", "\\ \t\r\n("), id="spaces behind the backslash"),
        # Suricata drops a comment before it looks for the backslash.
        pytest.param(f"# what comes next passes \\\n{_PASSES_HOST}", id="behind a comment that ends in a backslash"),
    ],
)
def test_a_rule_counts_however_it_is_laid_out(text: str) -> None:
    found = strict(RuleGroup(GROUP, rules=parse_rules(text)))
    assert judge_policy(found, CONNECTION).does is PASS


def test_a_rule_that_is_too_long_may_do_anything_and_takes_no_time() -> None:
    """The pattern of options would need the square of its two million spaces."""
    (rule,) = parse_rules("pass tls any any -> any any (sid:1;" + " " * 1_900_000 + '"x)')
    assert rule.conditions.unknown == "a line that is too long"
    spaces = "pass tls any any -> any any (sid:1;" + " " * 8_000 + '"x)'
    assert len(parse_rules("\n".join([spaces] * 200))) == 200
