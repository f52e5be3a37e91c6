"""Firewalls in front of an internet gateway: its route table has to send the answers back through them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.network import Firewall, NetworkAclEntry, Route, RouteTable, Subnet, Unread
from pull_responder.network.firewall_rules import FirewallPolicy, RuleGroup
from tests.unit.network.enterprise import OUT, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import ALLOW_ALL, SampleNetwork, behind_nat, public
from tests.unit.network.inspected import ARN, allowing
from tests.unit.network.test_neighbours import ACL, NO_ROUTE, reason, the_fault

FIREWALL = "network_firewall_blocks_registry"
GROUP = f"{ARN}:stateful-rulegroup/list"
ALL = allowing(".amazonaws.com")


def guarded(estate: SampleNetwork, policy: FirewallPolicy, block: str, back: str = "vpce-fw") -> SampleNetwork:
    """Return the estate with a firewall before the internet gateway, which leads answers to `block` back to it."""
    network = estate.network
    assert not isinstance(network.subnets, Unread)
    assert not isinstance(network.network_acls, Unread)
    assert not isinstance(network.route_tables, Unread)
    estate = estate.with_facts(
        subnets={**network.subnets, "subnet-fw": Subnet("subnet-fw", ("10.0.8.0/28",))},
        network_acls={**network.network_acls, "subnet-fw": ALLOW_ALL},
        firewalls=(Firewall(f"{ARN}:firewall/edge", {"vpce-fw": "subnet-fw"}, policy),),
    ).routes(Route("0.0.0.0/0", "igw-1"), subnet="subnet-fw")
    return edge(estate, Route(block, back)) if back else estate


def edge(estate: SampleNetwork, *routes: Route) -> SampleNetwork:
    tables = estate.network.route_tables
    assert not isinstance(tables, Unread)
    local = () if any(each.destination == "10.0.0.0/16" for each in routes) else (Route("10.0.0.0/16", "local"),)
    table = RouteTable("rtb-edge", (*local, *routes))
    return estate.with_facts(route_tables={**tables, "igw-1": table})


def nat_guarded(policy: FirewallPolicy = ALL, back: str = "vpce-fw") -> SampleNetwork:
    estate = behind_nat().routes(Route("0.0.0.0/0", "vpce-fw"), subnet="subnet-public")
    return guarded(estate, policy, "10.0.1.0/24", back)


def node_guarded(policy: FirewallPolicy = ALL, back: str = "vpce-fw") -> SampleNetwork:
    return guarded(public().routes(Route("0.0.0.0/0", "vpce-fw")), policy, "10.0.0.0/24", back)


@pytest.mark.parametrize("estate", [nat_guarded(), node_guarded()], ids=["NAT gateway", "public node"])
def test_it_works_both_ways(estate: SampleNetwork) -> None:
    path = estate.trace()
    assert (faults(path), opened(path)) == (set(), set())
    shown = [hop.resource_id for hop in path.legs[0].hops]
    assert {"edge", "rtb-edge"} <= set(shown)


@pytest.mark.parametrize("make", [nat_guarded, node_guarded], ids=["NAT gateway", "public node"])
@pytest.mark.parametrize("back", ["", "local", "vpce-other"])
def test_answers_past_the_firewall_are_open(make: object, back: str) -> None:
    assert callable(make)
    path = make(back=back).trace()
    assert (faults(path), opened(path)) == (set(), {NO_ROUTE})
    assert "go through vpce-fw and answers do not" in reason(path, NO_ROUTE)


@pytest.mark.parametrize(
    ("estate", "who"), [(behind_nat(), "NAT gateway nat-1"), (public(), "i-1")], ids=["NAT gateway", "public node"]
)
def test_answers_that_are_led_elsewhere_than_the_requests_came_from(estate: SampleNetwork, who: str) -> None:
    """Requests go straight to the internet gateway, whose table hands the answers to something else."""
    assert opened(edge(estate).trace()) == set()
    assert opened(edge(estate, Route("10.0.9.0/24", "vpce-fw")).trace()) == set()
    path = edge(estate, Route("10.0.0.0/23", "vpce-fw")).trace()
    assert (faults(path), opened(path)) == (set(), {NO_ROUTE})
    words = f"requests of {who} go straight to igw-1, and rtb-edge takes the answers by 10.0.0.0/23 -> vpce-fw"
    assert words in reason(path, NO_ROUTE)


@pytest.mark.parametrize("make", [nat_guarded, node_guarded], ids=["NAT gateway", "public node"])
def test_a_list_without_the_registry(make: object) -> None:
    assert callable(make)
    assert faults(make(allowing(".example.com")).trace()) == {(FIREWALL, GROUP)}


def test_the_firewall_sees_the_nat_gateways_address() -> None:
    """It is in the firewall's VPC, so that the list applies though HOME_NET is not the node's network."""
    (listed,) = allowing(".example.com").groups
    assert isinstance(listed, RuleGroup)
    other = replace(ALL, groups=(replace(listed, home_net=()),))
    assert faults(nat_guarded(other).trace()) == {(FIREWALL, GROUP)}
    elsewhere = replace(other, home_net=("192.168.0.0/16",))
    assert faults(nat_guarded(elsewhere).trace()) == set()


def test_no_internet_gateway_behind_the_firewall() -> None:
    fault = the_fault(nat_guarded().routes(subnet="subnet-fw").trace())
    assert (fault.cause.value, fault.resource_id) == (NO_ROUTE, "subnet-fw")
    assert "NAT gateway nat-1 sends its traffic to subnet subnet-fw, which has no route to the internet" in (
        fault.explanation
    )
    assert fault.fixes[0].route_table_id == "rtb-fw"


def test_the_firewall_of_a_public_node_has_no_way_on() -> None:
    fault = the_fault(node_guarded().routes(subnet="subnet-fw").trace())
    assert (fault.cause.value, fault.resource_id, fault.owned) == (NO_ROUTE, "subnet-fw", None)


def test_the_acl_of_the_firewalls_subnet() -> None:
    assert faults(nat_guarded().acl(subnet="subnet-fw").trace()) == {(ACL, "acl-fw")}
    assert faults(node_guarded().acl(subnet="subnet-fw").trace()) == {(ACL, "acl-fw")}


@pytest.mark.parametrize("make", [nat_guarded, node_guarded], ids=["NAT gateway", "public node"])
@pytest.mark.parametrize("egress", [True, False], ids=["requests cannot enter", "answers cannot leave"])
def test_the_acl_of_the_firewalls_subnet_counts_on_both_sides_of_the_firewall(make: object, *, egress: bool) -> None:
    """What enters and leaves towards the internet is allowed, what the client sends and receives is not."""
    assert callable(make)
    shut = NetworkAclEntry(50, allow=False, egress=not egress, cidr="10.0.0.0/16", protocol="-1", ports=None)
    rest = [replace(shut, number=100, allow=True, egress=each, cidr="0.0.0.0/0") for each in (True, False)]
    assert faults(make().acl(*rest, subnet="subnet-fw").trace()) == set()
    assert faults(make().acl(shut, *rest, subnet="subnet-fw").trace()) == {(ACL, "acl-fw")}


def test_a_node_without_a_public_address_behind_the_firewall() -> None:
    path = node_guarded().with_node(public_address=None).trace()
    assert {cause for cause, _ in faults(path)} == {"public_ip_missing"}


def out_guarded(back: str = "vpce-fw") -> Enterprise:
    """Return the enterprise whose egress VPC has a firewall between its NAT gateway and its internet gateway."""
    local = Route("10.200.0.0/16", "local")
    estate = enterprise().within(
        "vpc-out", firewalls=(Firewall(f"{ARN}:firewall/edge", {"vpce-fw": "subnet-out-fw"}, ALL),)
    )
    fw = RouteTable("rtb-out-fw", (local, Route("0.0.0.0/0", "igw-out")))
    estate = estate.entry("vpc-out", "route_tables", "subnet-out-fw", fw)
    estate = estate.entry("vpc-out", "network_acls", "subnet-out-fw", ALLOW_ALL)
    estate = estate.routes("subnet-out-nat", Route("0.0.0.0/0", "vpce-fw"), Route("10.0.0.0/16", "tgw-1"))
    if back:
        table = RouteTable("rtb-out-edge", (local, Route("10.200.1.0/24", back)))
        estate = estate.entry("vpc-out", "route_tables", "igw-out", table)
    return estate


def test_in_an_egress_vpc() -> None:
    path = out_guarded().trace()
    assert (faults(path), opened(path)) == (set(), set())
    path = out_guarded(back="").trace()
    assert (faults(path), opened(path)) == (set(), {NO_ROUTE})
    broken = out_guarded().entry("vpc-out", "route_tables", "subnet-out-fw", RouteTable("rtb-out-fw", ()))
    assert faults(broken.trace()) == {(NO_ROUTE, "subnet-out-fw")}
    closed = out_guarded().acl("subnet-out-fw")
    assert faults(closed.trace()) == {(ACL, "acl-out-fw")}
    owned = the_fault(closed.trace()).owned
    assert owned
    assert owned.account == OUT
