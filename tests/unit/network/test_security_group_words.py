"""What the hops of security groups say: their evidence, faults and fixes, word by word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.network import PathCause, SecurityGroup, SecurityGroupRule
from pull_responder.network.addresses import AddressSet, Coverage, Peer
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, ResourceType, Undecided
from pull_responder.network.security_groups import admission, egress_hop, ingress_hop
from tests.unit.network.estate import NODE, SampleNetwork, endpoints_only, interface_endpoint, rule

OUT = PathCause.SECURITY_GROUP_BLOCKS_EGRESS
IN = PathCause.ENDPOINT_BLOCKS_INGRESS
ENDPOINT = interface_endpoint("ecr.api")
API = Peer("vpce-api", AddressSet.of("10.0.2.11/32"), "10.0.2.11/32", frozenset({"sg-endpoint"}))
NODES = Peer("node i-1", AddressSet.of("10.0.0.5/32"), "10.0.0.5/32", frozenset({"sg-node"}))
NO_POLICY = "If no SecurityGroupPolicy does otherwise."


def groups(**rules: tuple[SecurityGroupRule, ...]) -> SampleNetwork:
    """Return an estate with groups `sg-NAME`, each with these rules both ways."""
    made = {f"sg-{name}": SecurityGroup(f"sg-{name}", ingress=some, egress=some) for name, some in rules.items()}
    return endpoints_only().with_facts(security_groups=made)


@pytest.mark.parametrize(
    ("ports", "protocol", "covered"),
    [
        ((-1, -1), "tcp", Coverage.ALL),
        ((-1, -1), "6", Coverage.ALL),
        ((-1, 442), "tcp", Coverage.NONE),
        ((444, -1), "tcp", Coverage.NONE),
        (None, "tcp", Coverage.ALL),
        (None, "udp", Coverage.NONE),
        ((-1, -1), "17", Coverage.NONE),
    ],
)
def test_all_ports_of_tcp_include_443(ports: tuple[int, int] | None, protocol: str, covered: Coverage) -> None:
    network = groups(a=(rule("10.0.0.0/16", ports, protocol),)).network
    assert admission(("sg-a",), API, network, egress=True).covered is covered


@pytest.mark.parametrize(("count", "end"), [(9, "10.9.0.0/32)"), (10, "10.10.0.0/32)"), (11, "and 1 more")])
def test_ten_rules_are_shown_and_the_others_are_counted(count: int, end: str) -> None:
    rules = tuple(rule(f"10.{number}.0.0/32") for number in range(1, count + 1))
    (evidence,) = admission(("sg-a",), API, groups(a=rules).network, egress=True).evidence
    assert evidence.endswith(end)
    assert evidence.count("sgr-") == min(count, 10)
    assert (" more" in evidence) is (count == 11)


def test_the_evidence_names_each_group_and_the_direction() -> None:
    network = groups(a=(rule("10.9.0.0/16", (80, 80)),), b=()).network
    shown = "sgr-10.9.0.0/16 (tcp 80, 10.9.0.0/16)"
    out, into = (admission(("sg-a", "sg-b"), API, network, egress=egress).evidence for egress in (True, False))
    assert out == (f"sg-a egress rules: {shown}", "sg-b egress rules: none")
    assert into == (f"sg-a ingress rules: {shown}", "sg-b ingress rules: none")


def test_a_rule_or_group_that_says_nothing_does_not_hide_the_next() -> None:
    network = groups(a=(rule("10.0.0.0/16", (80, 80)), rule("pl-unread"), rule("10.0.2.11/32")), b=()).network
    found = admission(("sg-unread", "sg-b", "sg-a"), API, network, egress=True)
    assert found.covered is Coverage.ALL
    assert found.rules == (rule("10.0.2.11/32"),)
    (group, entries) = found.unread
    assert "security group sg-unread" in group
    assert entries.startswith("sgr-pl-unread (tcp 443, pl-unread): ")
    assert "prefix list pl-unread" in entries


def test_a_rule_for_a_group_may_cover_a_peer_with_unknown_groups() -> None:
    network = groups(a=(rule("sg-x"), rule("10.9.0.0/16"))).network
    perhaps = admission(("sg-a",), replace(API, groups_known=False), network, egress=True)
    assert (perhaps.covered, perhaps.rules) == (Coverage.SOME, (rule("sg-x"),))
    assert admission(("sg-a",), API, network, egress=True).covered is Coverage.NONE


def test_a_node_of_which_the_groups_let_nothing_out() -> None:
    node = replace(NODE, group_ids=("sg-b", "sg-a"))
    estate = groups(a=(), b=())
    evidence = ("sg-b egress rules: none", "sg-a egress rules: none")
    why = "No rule of the node's security groups (sg-b, sg-a) allows TCP 443 out to vpce-api."
    fix = Fix(group_id="sg-b", egress=True, ports=(443, 443), peer="10.0.2.11/32")
    fault = Fault(OUT, ResourceType.SECURITY_GROUP, "sg-b", why, evidence, (fix,))
    assert egress_hop(node, API, estate.network) == Hop(HopKind.NODE, "i-1", (OUT,), evidence, (fault,))
    assumed = egress_hop(replace(node, assumption=NO_POLICY), API, estate.network)
    assert assumed.faults == ()
    assert assumed.undecided == (Undecided(OUT, f"{why} {NO_POLICY}"),)


def test_a_node_of_which_a_group_lets_the_pull_out() -> None:
    network = groups(node=(rule("10.0.2.0/24"),)).network
    allowed = "TCP 443 out to vpce-api is allowed by sgr-10.0.2.0/24 (tcp 443, 10.0.2.0/24)"
    assert egress_hop(NODE, API, network) == Hop(HopKind.NODE, "i-1", (OUT,), (allowed,))
    assumed = egress_hop(replace(NODE, assumption=NO_POLICY), API, network)
    assert assumed == Hop(HopKind.NODE, "i-1", (OUT,), (allowed, NO_POLICY))


def test_a_rule_for_half_of_the_peer_is_in_doubt_unless_some_of_it_is_enough() -> None:
    network, half = groups(node=(rule("10.0.2.0/25"),)).network, replace(API, addresses=AddressSet.of("10.0.2.0/24"))
    named = "sgr-10.0.2.0/25 (tcp 443, 10.0.2.0/25)"
    doubt = Undecided(OUT, f"TCP 443 out to vpce-api is allowed only in part, by {named}")
    assert egress_hop(NODE, half, network) == Hop(
        HopKind.NODE, "i-1", (OUT,), (f"sg-node egress rules: {named}",), undecided=(doubt,)
    )
    enough = egress_hop(NODE, half, network, all_of_peer=False)
    assert enough == Hop(HopKind.NODE, "i-1", (OUT,), (f"TCP 443 out to vpce-api is allowed by {named}",))


def test_groups_that_are_not_known_leave_the_hop_open() -> None:
    network = groups().network
    doubt = Undecided(OUT, "the security groups of i-1 are not known")
    without = egress_hop(replace(NODE, group_ids=()), API, network)
    assert without == Hop(HopKind.NODE, "i-1", (OUT,), undecided=(doubt,))
    bare = ingress_hop(replace(ENDPOINT, group_ids=()), NODES, network)
    doubt = Undecided(IN, "the security groups of vpce-api are not known")
    assert bare == Hop(HopKind.ENDPOINT, "vpce-api", (IN,), undecided=(doubt,))


@pytest.mark.parametrize(
    ("node", "source"),
    [(NODES, "sg-node"), (replace(NODES, group_ids=frozenset()), "10.0.0.5/32")],
    ids=["by its group", "by its address"],
)
def test_an_endpoint_with_several_groups_gets_the_rule_in_its_first(node: Peer, source: str) -> None:
    network = groups(b=(), a=(rule("sg-other"),)).network
    evidence = ("sg-b ingress rules: none", "sg-a ingress rules: sgr-sg-other (tcp 443, sg-other)")
    why = "No rule of the security groups of endpoint vpce-api (sg-b, sg-a) allows TCP 443 in from node i-1."
    fix = Fix(group_id="sg-b", endpoint_id="vpce-api", egress=False, ports=(443, 443), peer=source)
    fault = Fault(IN, ResourceType.SECURITY_GROUP, "sg-b", why, evidence, (fix,))
    endpoint = replace(ENDPOINT, group_ids=("sg-b", "sg-a"))
    assert ingress_hop(endpoint, node, network) == Hop(HopKind.ENDPOINT, "vpce-api", (IN,), evidence, (fault,))


def test_any_group_of_an_endpoint_may_let_the_node_in() -> None:
    network = groups(b=(), a=(rule("sg-node"),)).network
    allowed = "TCP 443 in from node i-1 is allowed by sgr-sg-node (tcp 443, sg-node)"
    found = ingress_hop(replace(ENDPOINT, group_ids=("sg-b", "sg-a")), NODES, network)
    assert found == Hop(HopKind.ENDPOINT, "vpce-api", (IN,), (allowed,))


def test_an_unread_group_of_an_endpoint_leaves_it_open() -> None:
    found = ingress_hop(replace(ENDPOINT, group_ids=("sg-b", "sg-unread")), NODES, groups(b=()).network)
    assert found.faults == ()
    (doubt,) = found.undecided
    assert doubt.cause is IN
    assert "security group sg-unread" in doubt.reason
    assert found.evidence == ("sg-b ingress rules: none",)


def test_several_rules_are_named_one_after_the_other() -> None:
    network = groups(a=(rule("10.0.2.0/25"), rule("10.0.2.128/25"))).network
    shown = "sgr-10.0.2.0/25 (tcp 443, 10.0.2.0/25), sgr-10.0.2.128/25 (tcp 443, 10.0.2.128/25)"
    whole = replace(API, addresses=AddressSet.of("10.0.2.0/24"))
    found = admission(("sg-a",), whole, network, egress=True)
    assert found.evidence == (f"sg-a egress rules: {shown}",)
    assert found.covered is Coverage.ALL
    hop = egress_hop(replace(NODE, group_ids=("sg-a",)), whole, network)
    assert hop.evidence == (f"TCP 443 out to vpce-api is allowed by {shown}",)
