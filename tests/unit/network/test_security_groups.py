"""The rules that allow TCP 443 out of the node and into an endpoint."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.network import PathCause, PrefixList, SecurityGroup, SecurityGroupRule
from tests.unit.network.estate import (
    DENIED,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    open_causes,
    reasons,
    rule,
    works,
)

CAUSE = PathCause.SECURITY_GROUP_BLOCKS_EGRESS
BLOCKED = {(CAUSE.value, "sg-node")}
BLOCKED_IN = {(PathCause.ENDPOINT_BLOCKS_INGRESS.value, "sg-endpoint")}

TO_THE_INTERNET: dict[str, tuple[tuple[SecurityGroupRule, ...], str]] = {
    "443 to everywhere": ((rule("0.0.0.0/0"),), "works"),
    "all traffic": ((rule("0.0.0.0/0", None, "-1"),), "works"),
    "all traffic, ports given as -1": ((rule("0.0.0.0/0", (-1, -1), "-1"),), "works"),
    "all TCP ports": ((rule("0.0.0.0/0", (0, 65535)),), "works"),
    "protocol by number": ((rule("0.0.0.0/0", protocol="6"),), "works"),
    "a range that ends at 443": ((rule("0.0.0.0/0", (400, 443)),), "works"),
    "a range that begins at 443": ((rule("0.0.0.0/0", (443, 500)),), "works"),
    "two halves added up": ((rule("0.0.0.0/1"), rule("128.0.0.0/1")), "works"),
    "a range that ends before 443": ((rule("0.0.0.0/0", (1, 442)),), "blocked"),
    "a range that begins after 443": ((rule("0.0.0.0/0", (444, 65535)),), "blocked"),
    "UDP": ((rule("0.0.0.0/0", protocol="udp"),), "blocked"),
    "ICMP": ((rule("0.0.0.0/0", (-1, -1), "icmp"),), "blocked"),
    "IPv6 only": ((rule("::/0"),), "blocked"),
    "private ranges": ((rule("10.0.0.0/8"), rule("192.168.0.0/16")), "blocked"),
    "a reference to a group": ((rule("sg-node"),), "blocked"),
    "no rules": ((), "blocked"),
    "part of the internet": ((rule("52.0.0.0/8"),), "open"),
    "half of the internet, and private ranges": ((rule("0.0.0.0/1"), rule("192.168.0.0/16")), "open"),
    "a prefix list of part of it": ((rule("pl-part"),), "open"),
    "a prefix list of all of it": ((rule("pl-all"),), "works"),
    "a prefix list that was not found": ((rule("pl-gone"),), "open"),
}


@pytest.mark.parametrize(("rules", "expected"), TO_THE_INTERNET.values(), ids=TO_THE_INTERNET)
def test_egress_to_the_internet(rules: tuple[SecurityGroupRule, ...], expected: str) -> None:
    lists = {
        "pl-part": PrefixList("pl-part", "partners", ("52.0.0.0/8",)),
        "pl-all": PrefixList("pl-all", "world", ("0.0.0.0/1", "128.0.0.0/1")),
    }
    estate = behind_nat().with_facts(prefix_lists=lists).egress(*rules)
    found = {"works": (set(), set()), "blocked": (BLOCKED, set()), "open": (set(), {CAUSE.value})}[expected]
    assert (faults(estate), open_causes(estate)) == found


def test_the_reason_names_a_rule_for_part_of_the_internet() -> None:
    assert "sgr-52.0.0.0/8 (tcp 443, 52.0.0.0/8)" in reasons(behind_nat().egress(rule("52.0.0.0/8")), CAUSE)


def test_the_rules_of_several_groups_are_added_up() -> None:
    two = behind_nat().with_node(group_ids=("sg-node", "sg-more")).egress(rule("0.0.0.0/1"))
    assert works(two.egress(rule("128.0.0.0/1"), group="sg-more"))
    assert works(two.egress().egress(rule("0.0.0.0/0"), group="sg-more"))
    assert faults(two.egress().egress(group="sg-more")) == BLOCKED


def test_an_unread_group_matters_only_if_the_other_groups_are_not_enough() -> None:
    two = behind_nat().with_node(group_ids=("sg-node", "sg-unread"))
    assert works(two)
    assert open_causes(two.egress()) == {CAUSE.value}


TO_ENDPOINTS: dict[str, tuple[tuple[SecurityGroupRule, ...], bool]] = {
    "the endpoints' group and S3's prefix list": ((rule("sg-endpoint"), rule("pl-s3")), True),
    "the VPC and S3's prefix list": ((rule("10.0.0.0/16"), rule("pl-s3")), True),
    "the VPC and S3's blocks": ((rule("10.0.0.0/16"), rule("52.218.0.0/17"), rule("3.5.64.0/21")), True),
    "another group": ((rule("sg-other"), rule("pl-s3")), False),
    "the wrong subnet": ((rule("10.0.1.0/24"), rule("pl-s3")), False),
    "S3's prefix list missing": ((rule("sg-endpoint"),), False),
}


@pytest.mark.parametrize(("rules", "enough"), TO_ENDPOINTS.values(), ids=TO_ENDPOINTS)
def test_egress_to_endpoints(rules: tuple[SecurityGroupRule, ...], enough: bool) -> None:  # noqa: FBT001 -- a table's column
    estate = endpoints_only().egress(*rules)
    assert faults(estate) == (set() if enough else BLOCKED)
    assert open_causes(estate) == set()


def test_a_rule_for_part_of_s3s_prefix_list_is_not_enough() -> None:
    estate = endpoints_only().egress(rule("10.0.0.0/16"), rule("52.218.0.0/17"))
    assert (faults(estate), open_causes(estate)) == (set(), {CAUSE.value})


INTO_ENDPOINT: dict[str, tuple[tuple[SecurityGroupRule, ...], bool]] = {
    "the node's group": ((rule("sg-node"),), True),
    "the node's address": ((rule("10.0.0.5/32"),), True),
    "the VPC": ((rule("10.0.0.0/16"),), True),
    "its neighbour's address": ((rule("10.0.0.6/32"),), False),
    "the node's group on another port": ((rule("sg-node", (80, 80)),), False),
    "nobody": ((), False),
}


@pytest.mark.parametrize(("rules", "enough"), INTO_ENDPOINT.values(), ids=INTO_ENDPOINT)
def test_ingress_of_endpoints(rules: tuple[SecurityGroupRule, ...], enough: bool) -> None:  # noqa: FBT001 -- a table's column
    estate = endpoints_only().ingress(*rules)
    assert faults(estate) == (set() if enough else BLOCKED_IN)
    assert open_causes(estate) == set()


def test_a_planned_node_may_get_any_address_of_its_subnet() -> None:
    planned = endpoints_only().with_node(addresses=())
    assert works(planned.ingress(rule("10.0.0.0/24")))
    assert open_causes(planned.ingress(rule("10.0.0.0/25"))) == {"endpoint_security_group_blocks_ingress"}
    assert faults(planned.ingress(rule("10.0.9.0/24"))) == BLOCKED_IN
    assert open_causes(planned.with_facts(subnets=DENIED).ingress(rule("10.0.0.0/24"))) == {
        "endpoint_security_group_blocks_ingress"
    }


def test_the_fix_names_the_group_the_port_and_the_peer() -> None:
    (fault,) = endpoints_only().egress(rule("10.0.0.0/16")).trace().faults
    (fix,) = fault.fixes
    assert (fix.group_id, fix.egress, fix.ports, fix.peer) == ("sg-node", True, (443, 443), "pl-s3")
    assert fault.evidence == ("sg-node egress rules: sgr-10.0.0.0/16 (tcp 443, 10.0.0.0/16)",)
    (fault,) = endpoints_only().ingress().trace().faults
    fixes = {(fix.group_id, fix.egress, fix.ports, fix.peer) for fix in fault.fixes}
    assert fixes == {("sg-endpoint", False, (443, 443), "sg-node")}


peers = "0.0.0.0/0 0.0.0.0/1 128.0.0.0/1 10.0.0.0/8 10.0.2.0/24 52.0.0.0/8 ::/0 pl-s3 pl-x sg-endpoint sg-node"
cidrs = st.sampled_from(peers.split())
ports = st.sampled_from([None, (443, 443), (0, 65535), (80, 80)])
rules = st.builds(rule, cidrs, ports, st.sampled_from(["tcp", "-1", "udp"]))
estates = st.sampled_from([behind_nat(), endpoints_only(), endpoints_only().without("vpce-dkr")])


def badness(estate: SampleNetwork) -> dict[str, int]:
    """Return 1 for each undecided cause and 2 for each cause with a fault."""
    path = estate.trace()
    found = {doubt.cause.value: 1 for doubt in path.undecided}
    return found | {fault.cause.value: 2 for fault in path.faults}


@settings(max_examples=60, deadline=None)
@given(estates, st.lists(rules, max_size=4), rules)
def test_another_allow_rule_never_breaks_a_path(
    estate: SampleNetwork, some: list[SecurityGroupRule], more: SecurityGroupRule
) -> None:
    before, after = badness(estate.egress(*some)), badness(estate.egress(*some, more))
    # A rule for an unread prefix list may turn a fault into an undecided cause, but nothing gets worse.
    assert all(after[cause] <= before.get(cause, 0) for cause in after)


@settings(max_examples=60, deadline=None)
@given(st.lists(rules, max_size=4), rules)
def test_another_ingress_rule_never_breaks_a_path(some: list[SecurityGroupRule], more: SecurityGroupRule) -> None:
    before, after = badness(endpoints_only().ingress(*some)), badness(endpoints_only().ingress(*some, more))
    assert all(after[cause] <= before.get(cause, 0) for cause in after)


@settings(max_examples=60, deadline=None)
@given(
    estates,
    st.lists(rules, max_size=4, unique_by=str).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))),
)
def test_the_order_of_rules_and_groups_never_matters(
    estate: SampleNetwork, orders: tuple[list[SecurityGroupRule], list[SecurityGroupRule]]
) -> None:
    one, other = orders
    assert badness(estate.egress(*one)) == badness(estate.egress(*other))
    half = len(one) // 2
    groups = {
        "sg-a": SecurityGroup("sg-a", egress=tuple(one[:half])),
        "sg-b": SecurityGroup("sg-b", egress=tuple(one[half:])),
        "sg-endpoint": SecurityGroup("sg-endpoint", ingress=(rule("10.0.0.0/16"),)),
    }
    split = estate.with_facts(security_groups=groups)
    assert badness(split.with_node(group_ids=("sg-a", "sg-b"))) == badness(split.with_node(group_ids=("sg-b", "sg-a")))


def test_a_gateway_endpoint_that_was_not_read_still_needs_the_way_out_to_s3() -> None:
    """The route table shows it. Rules for private ranges let ECR's endpoints through, and not S3's public addresses."""
    estate = endpoints_only().egress(rule("10.0.0.0/8"))
    assert faults(estate) == {("security_group_blocks_egress", "sg-node")}
    unread = estate.with_facts(endpoints=DENIED)
    assert faults(unread) == set()
    assert "security_group_blocks_egress" in open_causes(unread)
    # With a rule for both, nothing of the group is open.
    assert "security_group_blocks_egress" not in open_causes(unread.egress(rule("0.0.0.0/0")))
