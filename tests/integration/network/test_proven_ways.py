"""A fix of the way is traced again as its commands leave the VPC: it says what they bring to light."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from pull_responder.model.verdict import Remediation
from pull_responder.network import (
    Network,
    NetworkAcl,
    PrefixList,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Unread,
    Vpc,
    VpcEndpoint,
)
from pull_responder.pulls.network_changes import network_after
from pull_responder.remediation import ec2
from pull_responder.remediation.ec2 import Where
from tests.integration.network.estate import INTERNET, NetworkEstate, causes, only

NOT_ENOUGH = "This is not enough:"
PRIVATE = "10.0.0.0/16"


def to_vpc_only(estate: NetworkEstate) -> None:
    """The nodes' group lets them out to their own VPC, where endpoints could be."""
    estate.close_egress(estate.group)
    rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": PRIVATE}]}
    estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])


def test_a_route_says_that_the_nodes_group_does_not_let_them_out_on_it(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.unroute(estate.table_a)
    to_vpc_only(estate)
    finding = only(estate.diagnose(), "no_route_to_ecr")
    before, _, after = finding.remediation.summary.partition(NOT_ENOUGH)
    assert f"route {INTERNET} to {estate.nat}" in before
    assert estate.group in after
    # What it says is what comes next.
    estate.run(finding.remediation)
    assert only(estate.diagnose(), "security_group_blocks_egress").explanation in after


def test_a_route_says_that_a_network_acl_does_not_let_the_traffic_out_on_it(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.unroute(estate.table_a)
    acl = estate.network_acl(estate.a)
    for egress in (True, False):
        estate.entry(acl, 100, allow=True, egress=egress, cidr=PRIVATE)
    finding = only(estate.diagnose(), "no_route_to_ecr")
    assert acl in finding.remediation.summary.partition(NOT_ENOUGH)[2]
    estate.run(finding.remediation)
    assert only(estate.diagnose(), "network_acl_blocks_traffic").resource.id.endswith(acl)


def test_new_endpoints_say_that_the_nodes_group_does_not_let_them_out_to_them(estate: NetworkEstate) -> None:
    """The group lets the nodes out to the endpoints that there are, one address each, and not to the whole VPC."""
    estate.endpoints_only()
    estate.node()
    estate.delete_endpoint("ecr.dkr")
    estate.close_egress(estate.group)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.9.0/24"}]}
    estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])
    found = {finding.cause: finding for finding in estate.diagnose().findings}
    assert {"vpc_endpoint_missing", "security_group_blocks_egress"} == set(found)
    # Both were there before, so each fix is printed once, with its own cause.
    assert NOT_ENOUGH not in found["vpc_endpoint_missing"].remediation.summary


def test_a_route_that_is_enough_says_nothing_more(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.unroute(estate.table_a)
    finding = only(estate.diagnose(), "no_route_to_ecr")
    assert NOT_ENOUGH not in finding.remediation.summary


def test_a_group_that_cannot_be_read_leaves_the_fix_as_it_is(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.unroute(estate.table_a)
    to_vpc_only(estate)
    diagnosis = estate.diagnose(denied=["ec2:DescribeSecurityGroups"])
    assert causes(diagnosis) == ["no_route_to_ecr"]
    assert NOT_ENOUGH not in diagnosis.findings[0].remediation.summary


def test_one_endpoint_is_opened_for_nodes_of_both_groups_at_once(estate: NetworkEstate) -> None:
    """Nodes in two subnets have groups of their own: the rule for the second must not wait for a second finding."""
    estate.endpoints_only()
    estate.node_group("workers")
    estate.node(group="workers")
    estate.close_ingress(estate.endpoint_group, estate.group)
    first, estate.group = estate.group, estate.security_group("others")
    estate.node(estate.b, group="workers")
    finding = only(estate.diagnose(node_group="workers"), "endpoint_security_group_blocks_ingress")
    commands = " ".join(word for command in finding.remediation.commands for word in command)
    assert first in commands
    assert estate.group in commands
    assert NOT_ENOUGH not in finding.remediation.summary
    estate.run(finding.remediation)
    assert causes(estate.diagnose(node_group="workers")) == []


API = VpcEndpoint("vpce-1", "Interface", "com.amazonaws.us-east-1.ecr.api")
NOT_YET = Unread("the endpoint's interfaces do not exist yet")
WHERE = Where("111111111111", "us-east-1")
BEFORE = Network(
    "us-east-1",
    Vpc("vpc-1", (PRIVATE,), dns_hostnames=False),
    route_tables={"subnet-1": RouteTable("rtb-1", (Route(INTERNET, "nat-old", active=False),))},
    network_acls={"subnet-1": NetworkAcl("acl-1", ())},
    security_groups={"sg-1": SecurityGroup("sg-1")},
    endpoints=(API,),
    prefix_lists={"pl-1": PrefixList("pl-1", "com.amazonaws.us-east-1.s3", ("52.216.0.0/15",))},
)


def created(service: str, *, subnet_ids: list[str], group_ids: list[str]) -> Remediation:
    command = ec2.create_interface_endpoint(
        WHERE, vpc_id="vpc-1", service=service, subnet_ids=subnet_ids, group_ids=group_ids
    )
    return ec2.create_endpoints(WHERE, vpc_id="vpc-1", services=[service], commands=[command])


def test_a_new_gateway_endpoint_takes_the_addresses_of_s3() -> None:
    command = ec2.create_gateway_endpoint(
        WHERE, vpc_id="vpc-1", service="com.amazonaws.us-east-1.s3", route_table_ids=["rtb-1"]
    )
    fix = ec2.create_endpoints(WHERE, vpc_id="vpc-1", services=["s3"], commands=[command])
    tables = network_after(fix, BEFORE).route_tables
    assert not isinstance(tables, Unread)
    assert tables["subnet-1"].routes[1:] == (Route("pl-1", "vpce-new-s3"),)


@pytest.mark.parametrize(
    ("fix", "part", "changed"),
    [
        (
            ec2.allow_https(WHERE, group_id="sg-1", peer="pl-1", egress=True),
            "security_groups",
            {"sg-1": SecurityGroup("sg-1", egress=(SecurityGroupRule("new", "tcp", (443, 443), "pl-1"),))},
        ),
        (
            ec2.allow_https(WHERE, group_id="sg-1", peer="sg-2", egress=False, peer_account="222222222222"),
            "security_groups",
            {"sg-1": SecurityGroup("sg-1", ingress=(SecurityGroupRule("new", "tcp", (443, 443), "sg-2"),))},
        ),
        (
            ec2.route_to(WHERE, route_table_id="rtb-1", target="nat-1", replace=True, destination=INTERNET),
            "route_tables",
            {"subnet-1": RouteTable("rtb-1", (Route(INTERNET, "nat-1"),))},
        ),
        (
            ec2.route_to(WHERE, route_table_id="rtb-2", target="nat-1", replace=False, destination=INTERNET),
            "route_tables",
            BEFORE.route_tables,
        ),
        (
            ec2.add_to_route_table(WHERE, endpoint_id="vpce-1", route_table_id="rtb-1"),
            "route_tables",
            {"subnet-1": RouteTable("rtb-1", (Route(INTERNET, "nat-old", active=False), Route("pl-1", "vpce-1")))},
        ),
        (
            ec2.enable_private_dns(WHERE, endpoint_id="vpce-1"),
            "endpoints",
            (VpcEndpoint("vpce-1", "Interface", "com.amazonaws.us-east-1.ecr.api", private_dns=True),),
        ),
        (ec2.enable_private_dns(WHERE, endpoint_id="vpce-2"), "endpoints", BEFORE.endpoints),
        (
            ec2.enable_dns(WHERE, vpc_id="vpc-1", attributes=["enableDnsHostnames"]),
            "vpc",
            Vpc("vpc-1", (PRIVATE,)),
        ),
        (
            ec2.add_endpoint_subnets(WHERE, endpoint_id="vpce-1", subnet_ids=["subnet-1", "subnet-2"]),
            "endpoints",
            (replace(API, subnet_ids=("subnet-1", "subnet-2"), interfaces=NOT_YET),),
        ),
        (
            created("ecr.dkr", subnet_ids=["subnet-1", "subnet-2"], group_ids=["sg-1"]),
            "endpoints",
            (
                API,
                VpcEndpoint(
                    "vpce-new-dkr",
                    "Interface",
                    "ecr.dkr",
                    private_dns=True,
                    subnet_ids=("subnet-1", "subnet-2"),
                    interfaces=NOT_YET,
                    group_ids=("sg-1",),
                ),
            ),
        ),
    ],
)
def test_what_commands_do_to_a_vpc(fix: Remediation, part: str, changed: object) -> None:
    after = network_after(fix, BEFORE)
    assert getattr(after, part) == changed
    others = [each.name for each in fields(Network) if each.name != part]
    assert [getattr(after, name) for name in others] == [getattr(BEFORE, name) for name in others]


def test_an_entry_of_a_network_acl_has_its_side_and_ports() -> None:
    fix = ec2.allow_entry(
        WHERE, acl_id="acl-1", egress=False, ports=(1024, 65535), cidr=INTERNET, before=100, number=99
    )
    acls = network_after(fix, BEFORE).network_acls
    assert not isinstance(acls, Unread)
    (entry,) = acls["subnet-1"].entries
    assert str(entry) == f"ingress entry 99 allows protocol 6 ports 1024-65535 {INTERNET}"


def test_nothing_that_was_not_read_is_changed() -> None:
    unread = Network("us-east-1", Unread("denied"), route_tables=Unread("denied"), security_groups=Unread("denied"))
    for fix in (
        ec2.allow_https(WHERE, group_id="sg-1", peer=INTERNET, egress=True),
        ec2.route_to(WHERE, route_table_id="rtb-1", target="igw-1", replace=False, destination=INTERNET),
    ):
        assert network_after(fix, unread) == unread
