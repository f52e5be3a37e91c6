"""What a fact says that EC2 did not tell."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest

from pull_responder.network.addresses import Peer
from pull_responder.network.answer import Fix, ResourceType
from pull_responder.network.model import (
    NatGateway,
    NetworkAclEntry,
    NodePlace,
    RouteTarget,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
    VpcEndpoint,
)
from pull_responder.network.places import Trip
from pull_responder.network.resolution import Resolution, is_up
from pull_responder.network.resolver import ResolverRule


@pytest.mark.parametrize(
    "found",
    [
        Vpc("vpc-1", ()),
        Subnet("subnet-1", ()),
        SecurityGroup("sg-1"),
        VpcEndpoint("vpce-1", "Interface", "com.amazonaws.eu-west-1.s3"),
    ],
    ids=lambda found: type(found).__name__,
)
def test_an_owner_that_was_not_told_is_empty(found: Vpc | Subnet | SecurityGroup | VpcEndpoint) -> None:
    assert found.owner == ""


def test_an_endpoint_serves_the_vpcs_region_in_no_subnet_and_by_no_name_unless_told() -> None:
    bare = VpcEndpoint("vpce-1", "Interface", "com.amazonaws.eu-west-1.s3")
    assert (bare.service_region, bare.policy, bare.private_dns, bare.private_dns_inbound_only) == (
        None,
        None,
        False,
        False,
    )
    assert (bare.subnet_ids, bare.interfaces, bare.group_ids, bare.route_table_ids, bare.dns_names) == ((),) * 5


def test_a_subnet_gives_no_public_addresses_and_is_in_no_zone_unless_told() -> None:
    assert not Subnet("subnet-1", ()).maps_public_addresses
    assert Subnet("subnet-1", ()).availability_zone == ""


def test_a_vpc_asks_amazons_dns_server_unless_told() -> None:
    assert Vpc("vpc-1", ()).dns_servers == ("AmazonProvidedDNS",)
    assert Subnet("subnet-1", ()).public_access == "off"


def test_the_types_of_resources_are_those_of_security_hub() -> None:
    """AWS Security Finding Format, "Resources"."""
    ec2 = {"Subnet", "SecurityGroup", "NetworkAcl", "RouteTable", "Vpc"}
    others = {"AwsRoute53HostedZone", "Other"}
    assert {each.value for each in ResourceType} == {*(f"AwsEc2{name}" for name in ec2), *others}


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        (SecurityGroupRule("sgr-1", "-1", None, "0.0.0.0/0"), "sgr-1 (all traffic, 0.0.0.0/0)"),
        (SecurityGroupRule("sgr-1", "tcp", None, "sg-1"), "sgr-1 (tcp all ports, sg-1)"),
        (SecurityGroupRule("sgr-1", "tcp", (443, 443), "pl-1"), "sgr-1 (tcp 443, pl-1)"),
        (SecurityGroupRule("sgr-1", "6", (1, 1024), "pl-1"), "sgr-1 (6 1-1024, pl-1)"),
        (ResolverRule("rr-1", "", "FORWARD"), "Resolver rule rr-1 sends questions for all names to other DNS servers"),
        (
            ResolverRule("rr-1", "com", "FORWARD", tuple(f"10.0.0.{number}" for number in range(8))),
            "Resolver rule rr-1 sends questions for com to 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5",
        ),
    ],
)
def test_how_a_rule_is_shown(rule: SecurityGroupRule | ResolverRule, shown: str) -> None:
    assert str(rule) == shown


@pytest.mark.parametrize(
    ("state", "takes_traffic"),
    [("available", True), ("Available", True), ("partial", True), ("pending", False), ("rejected", False)],
)
def test_in_which_states_an_endpoint_takes_traffic(state: str, *, takes_traffic: bool) -> None:
    endpoint = VpcEndpoint("vpce-1", "Interface", "com.amazonaws.eu-west-1.s3", state=state)
    assert is_up(endpoint) is takes_traffic


def test_a_fix_needs_nothing_unless_told() -> None:
    named = {name: value for name in Fix.__slots__ if (value := getattr(Fix(), name)) is not None}
    assert named == {"services": (), "attributes": (), "blackholes": ()}


@pytest.mark.parametrize("kind", [Fix, NodePlace, NatGateway, VpcEndpoint, NetworkAclEntry, Peer, Trip, Resolution])
def test_what_may_be_unknown_is_so_unless_told(kind: Any) -> None:  # noqa: ANN401 -- any dataclass
    optional = [each for each in fields(kind) if str(each.type).endswith("| None") and each.default is not MISSING]
    assert [each.name for each in optional if each.default is not None] == []


def test_the_kinds_of_targets_are_shown_by_their_names() -> None:
    assert [each.value for each in RouteTarget] == [
        *("local", "internet gateway", "egress-only internet gateway", "NAT gateway", "VPC endpoint"),
        *("transit gateway", "VPC peering connection", "virtual private gateway", "Outposts local gateway"),
        *("carrier gateway", "core network of Cloud WAN", "network interface", "instance"),
        "target outside this VPC",
    ]
