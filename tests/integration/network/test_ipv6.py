"""IPv6 on the emulated AWS: found by what EC2 tells, mended by the commands that the answer gives."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, causes, only

if TYPE_CHECKING:
    from collections.abc import Callable

ALL, NAT64 = "::/0", "64:ff9b::/96"


def _blocks(e: NetworkEstate) -> list[str]:
    e.ec2.associate_vpc_cidr_block(VpcId=e.vpc, AmazonProvidedIpv6CidrBlock=True)
    (vpc,) = e.ec2.describe_vpcs(VpcIds=[e.vpc])["Vpcs"]
    (block,) = [each["Ipv6CidrBlock"] for each in vpc["Ipv6CidrBlockAssociationSet"]]
    return [str(each) for each in ip_network(block).subnets(new_prefix=64)]


def _let_ipv6_out(e: NetworkEstate) -> None:
    """EC2 does that for the groups of a VPC with IPv6, moto for those that come later."""
    rule = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": ALL}]}
    e.ec2.authorize_security_group_egress(GroupId=e.group, IpPermissions=[rule])


def route(e: NetworkEstate, destination: str, **target: str) -> None:
    e.ec2.create_route(RouteTableId=e.table_a, DestinationIpv6CidrBlock=destination, **target)


def node(e: NetworkEstate) -> None:
    e.node()
    (found,) = e.ec2.describe_instances(InstanceIds=[e.instance])["Reservations"][0]["Instances"]
    interface = found["NetworkInterfaces"][0]["NetworkInterfaceId"]
    e.ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=1)


def dual_stack(e: NetworkEstate) -> NetworkEstate:
    """A node with both IP versions that only an egress-only internet gateway leads out."""
    _let_ipv6_out(e)
    e.ec2.associate_subnet_cidr_block(SubnetId=e.a, Ipv6CidrBlock=_blocks(e)[0])
    e.ec2.create_egress_only_internet_gateway(VpcId=e.vpc)
    node(e)
    return e


def translated(e: NetworkEstate) -> NetworkEstate:
    """A node with IPv6 alone behind a NAT gateway."""
    e.behind_nat()
    _let_ipv6_out(e)
    made = e.ec2.create_subnet(VpcId=e.vpc, Ipv6Native=True, Ipv6CidrBlock=_blocks(e)[0], AvailabilityZone=f"{REGION}a")
    e.a = made["Subnet"]["SubnetId"]
    e.ec2.associate_route_table(RouteTableId=e.table_a, SubnetId=e.a)
    node(e)
    return e


def gateway_of(e: NetworkEstate) -> str:
    found = e.ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
    gateway: str = next(
        each["EgressOnlyInternetGatewayId"] for each in found if each["Attachments"][0]["VpcId"] == e.vpc
    )
    return gateway


def dns64(e: NetworkEstate) -> None:
    e.ec2.modify_subnet_attribute(SubnetId=e.a, EnableDns64={"Value": True})


def no_egress(e: NetworkEstate) -> None:
    ranges: dict[str, Any] = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": ALL}]}
    e.ec2.revoke_security_group_egress(GroupId=e.group, IpPermissions=[{"IpProtocol": "-1", **ranges}])


def closed(e: NetworkEstate) -> None:
    no_egress(dual_stack(e))
    route(e, ALL, EgressOnlyInternetGatewayId=gateway_of(e))


FAULTS: dict[str, tuple[Callable[[NetworkEstate], object], str, tuple[str, ...]]] = {
    "no route of IPv6": (dual_stack, "no_route_to_ecr", ("create-route", "::/0", "eigw-")),
    "no DNS64 and no route": (
        translated,
        "no_route_to_ecr",
        ("create-route", NAT64, "nat-", "modify-subnet-attribute", "--enable-dns64"),
    ),
    "no DNS64": (
        lambda e: route(translated(e), NAT64, NatGatewayId=e.nat),
        "no_route_to_ecr",
        ("modify-subnet-attribute", "--enable-dns64"),
    ),
    "no route for what DNS64 makes": (
        lambda e: dns64(translated(e)),
        "no_route_to_ecr",
        ("create-route", NAT64, "nat-"),
    ),
    "no egress of IPv6": (closed, "security_group_blocks_egress", ("authorize-security-group-egress", "Ipv6Ranges")),
}


@pytest.mark.parametrize(("build", "cause", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_and_mended(
    estate: NetworkEstate, build: Callable[[NetworkEstate], object], cause: str, words: tuple[str, ...]
) -> None:
    build(estate)
    image = f"{ACCOUNT}.dkr-ecr.{REGION}.on.aws/{estate.name}/app:v1" if _has_ipv4(estate) else ""
    finding = only(estate.ask(image=image).diagnosis, cause)
    said = " ".join(word for command in finding.remediation.commands for word in command)
    assert [word for word in words if word not in said] == []
    assert "This is not enough" not in finding.remediation.summary
    estate.run(finding.remediation)
    assert causes(estate.ask(image=image).diagnosis) == []
    assert estate.ask(image=image).diagnosis.inconclusive == ()


def _has_ipv4(e: NetworkEstate) -> bool:
    (subnet,) = e.ec2.describe_subnets(SubnetIds=[e.a])["Subnets"]
    return "CidrBlock" in subnet


def test_one_version_that_works_is_enough(estate: NetworkEstate) -> None:
    """The NAT gateway is gone, and IPv6 leads out; a host with IPv4 addresses alone is out of reach then."""
    dual_stack(estate.behind_nat())
    route(estate, ALL, EgressOnlyInternetGatewayId=gateway_of(estate))
    estate.ec2.delete_nat_gateway(NatGatewayId=estate.nat)
    both = f"{ACCOUNT}.dkr-ecr.{REGION}.on.aws/{estate.name}/app:v1"
    assert causes(estate.ask(image=both).diagnosis) == []
    assert causes(estate.ask().diagnosis) == ["nat_gateway_unavailable"]
