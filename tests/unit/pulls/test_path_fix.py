"""Fixes to routes: a route that would lead past a firewall is no command."""

from __future__ import annotations

from pull_responder.checks import no_route_to_ecr
from pull_responder.network import Firewall, Network, Route, RouteTable, Subnet, Unread
from pull_responder.pulls.nodes import Nodes
from pull_responder.pulls.path import PullPath
from pull_responder.remediation.shell import render
from tests.unit.network.enterprise import OUT, SPOKE, ZONE_A, Enterprise, enterprise
from tests.unit.network.estate import ALLOW_ALL, REGION
from tests.unit.network.inspected import allowing

NODES = Nodes("node group workers", SPOKE, REGION, "vpc-1")
TO_FIREWALL = Route("0.0.0.0/0", "vpce-out")


def with_firewall() -> Enterprise:
    """Return the estate in which a firewall of the egress VPC stands before its NAT gateway, for two zones' traffic."""
    estate = enterprise()
    network = estate._vpcs()["vpc-out"]
    assert isinstance(network, Network)
    assert not isinstance(network.subnets, Unread)
    assert not isinstance(network.network_acls, Unread)
    new = ("subnet-out-fw", "subnet-out-tgw-b")
    tables = {
        "subnet-out-fw": RouteTable("rtb-out-fw", (Route("0.0.0.0/0", "nat-out"), Route("10.0.0.0/8", "tgw-1"))),
        "subnet-out-tgw-b": RouteTable("rtb-out-tgw-b", (TO_FIREWALL,)),
        "subnet-out-tgw": RouteTable("rtb-out-tgw", ()),
    }
    return estate.within(
        "vpc-out",
        subnets={**network.subnets, **{each: Subnet(each, ("10.200.9.0/28",), ZONE_A) for each in new}},
        network_acls={**network.network_acls, **dict.fromkeys(new, ALLOW_ALL)},
        route_tables={**network.route_tables, **tables},  # type: ignore[dict-item]  # they were read
        firewalls=(
            Firewall(f"arn:aws:network-firewall:{REGION}:{OUT}:firewall/out", {"vpce-out": new[0]}, allowing()),
        ),
    )


def fix_of(estate: Enterprise, subnet: str) -> tuple[str, list[str]]:
    network, path = estate.network(), estate.trace()
    fault = next(each for each in path.faults if each.resource_id == subnet)
    pull_path = PullPath(NODES, network, "aws", ((estate.spoke.node, path),))
    fix = no_route_to_ecr._fix(fault, pull_path.at(fault))
    assert fix.account == OUT
    return fix.summary, [render(each) for each in fix.commands]


def test_a_subnet_before_the_firewall_gets_no_route_past_it() -> None:
    summary, commands = fix_of(with_firewall(), "subnet-out-tgw")
    assert commands == []
    assert "Route subnet-out-tgw to the endpoint in its zone of the firewall" in summary
    assert "(vpce-out): a route to nat-out would lead past it" in summary


def test_the_subnet_of_the_firewall_itself_gets_its_route() -> None:
    estate = with_firewall()
    estate = estate.entry("vpc-out", "route_tables", "subnet-out-tgw", RouteTable("rtb-out-tgw", (TO_FIREWALL,)))
    estate = estate.entry("vpc-out", "route_tables", "subnet-out-fw", RouteTable("rtb-out-fw", ()))
    summary, commands = fix_of(estate, "subnet-out-fw")
    assert summary == "In the route table rtb-out-fw, route 0.0.0.0/0 to nat-out."
    assert len(commands) == 1


def test_without_a_firewall_it_is_the_nat_gateway() -> None:
    estate = enterprise().entry("vpc-out", "route_tables", "subnet-out-tgw", RouteTable("rtb-out-tgw", ()))
    summary, commands = fix_of(estate, "subnet-out-tgw")
    assert summary == "In the route table rtb-out-tgw, route 0.0.0.0/0 to nat-out."
    assert len(commands) == 1


def test_a_firewall_in_front_of_the_internet_gateway() -> None:
    """Its route table leads answers to the firewall, so the NAT gateway's requests have to go there, too."""
    estate = enterprise().entry(
        "vpc-out", "route_tables", "subnet-out-nat", RouteTable("rtb-out-nat", (Route("10.0.0.0/8", "tgw-1"),))
    )
    assert fix_of(estate, "subnet-out-nat")[0] == "In the route table rtb-out-nat, route 0.0.0.0/0 to igw-out."
    edge = RouteTable("rtb-edge", (Route("10.200.1.0/24", "vpce-out"),))
    summary, commands = fix_of(estate.entry("vpc-out", "route_tables", "igw-out", edge), "subnet-out-nat")
    assert commands == []
    assert "(vpce-out): a route to igw-out would lead past it" in summary
