"""Worlds with IPv6: nodes with both IP versions, and nodes with IPv6 alone behind DNS64 and NAT64."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from tests.integration.worlds.fault import Break, broken

if TYPE_CHECKING:
    from tests.integration.network.estate import NetworkEstate
    from tests.integration.worlds.world import World

FAMILIES: Final = ("dual", "six")
_INTERNET: Final = "::/0"
_NAT64: Final = "64:ff9b::/96"
READS: Final = ("ec2:DescribeEgressOnlyInternetGateways",)


def _is_dual(world: World) -> bool:
    return world.family == "dual"


def _is_six(world: World) -> bool:
    return world.family == "six"


def _may_lose_nat64(world: World) -> bool:
    """Without a route, a NAT gateway that is gone is none that anybody can connect with the nodes."""
    return _is_six(world) and world.nat


def _has_ipv6(world: World) -> bool:
    return bool(world.family)


BREAKS: Final[dict[str, Break]] = {
    "no IPv6 route": broken("no_route_to_ecr", "ec2:DescribeRouteTables", where=_is_dual, route6=False),
    "no IPv6 egress": broken(
        "security_group_blocks_egress", "ec2:DescribeSecurityGroups", where=_has_ipv6, egress6=False
    ),
    "ACL denies IPv6": broken("network_acl_blocks_traffic", "ec2:DescribeNetworkAcls", where=_has_ipv6, acl6="denies"),
    "no DNS64": broken("no_route_to_ecr", "ec2:DescribeSubnets", where=_is_six, dns64=False),
    "no route for NAT64": broken("no_route_to_ecr", "ec2:DescribeRouteTables", where=_may_lose_nat64, route64=False),
}


def add_blocks(world: World, estate: NetworkEstate) -> None:
    """Give the VPC and its subnets blocks of IPv6. Those of nodes have IPv6 alone where the world says so."""
    ec2 = estate.ec2
    ec2.associate_vpc_cidr_block(VpcId=estate.vpc, AmazonProvidedIpv6CidrBlock=True)
    (found,) = ec2.describe_vpcs(VpcIds=[estate.vpc])["Vpcs"]
    (block,) = [each["Ipv6CidrBlock"] for each in found["Ipv6CidrBlockAssociationSet"]]
    blocks = iter(ip_network(block).subnets(new_prefix=64))
    if world.family == "six":
        tables = estate.table_a, estate.table_b
        estate.a, estate.b = (_native(estate, str(next(blocks)), *each) for each in zip("ab", tables, strict=True))
    else:
        for subnet in (estate.a, estate.b):
            ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=str(next(blocks)))
    for subnet in (estate.a, estate.b):
        ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
        ec2.modify_subnet_attribute(SubnetId=subnet, EnableDns64={"Value": world.family == "six" and world.dns64})


def _native(estate: NetworkEstate, block: str, zone: str, table: str) -> str:
    made = estate.ec2.create_subnet(
        VpcId=estate.vpc, Ipv6Native=True, Ipv6CidrBlock=block, AvailabilityZone=f"us-east-1{zone}"
    )
    subnet: str = made["Subnet"]["SubnetId"]
    estate.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return subnet


def set_way(world: World, estate: NetworkEstate) -> None:
    """Set the ways out over IPv6, and the group's egress."""
    ec2 = estate.ec2
    tables = (estate.table_a, estate.table_b)
    out: dict[str, Any] = {"GatewayId": estate.igw}
    if world.way == "nat":
        made = ec2.create_egress_only_internet_gateway(VpcId=estate.vpc)["EgressOnlyInternetGateway"]
        out = {"EgressOnlyInternetGatewayId": made["EgressOnlyInternetGatewayId"]}
    for table in tables:
        if world.route6:
            ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock=_INTERNET, **out)
        if world.family == "six" and world.route64:
            ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock=_NAT64, NatGatewayId=estate.nat)
    if not world.egress6:
        rule = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": _INTERNET}]}
        ec2.revoke_security_group_egress(GroupId=estate.group, IpPermissions=[rule])


def set_acl(world: World, estate: NetworkEstate, acl: str) -> None:
    """Set the entries for IPv6: those for IPv4 once more, or one that denies."""
    number, ports = {"denies": (99, (443, 443)), "late": (101, (443, 443))}.get(world.acl, (0, None))
    _entry(estate, acl, 200, allow=True, egress=True)
    _entry(estate, acl, 200, allow=True, egress=False, ports=(1, 1023) if world.acl == "no answers" else None)
    if number:
        _entry(estate, acl, number + 100, allow=False, egress=True, ports=ports)
    if world.acl6 == "denies":
        _entry(estate, acl, 10, allow=False, egress=True)


def _entry(  # noqa: PLR0913 -- an entry has that many parts
    estate: NetworkEstate, acl: str, number: int, *, allow: bool, egress: bool, ports: tuple[int, int] | None = None
) -> None:
    span = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
    estate.ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=number,
        Protocol="6" if ports else "-1",
        RuleAction="allow" if allow else "deny",
        Egress=egress,
        Ipv6CidrBlock=_INTERNET,
        **span,
    )
