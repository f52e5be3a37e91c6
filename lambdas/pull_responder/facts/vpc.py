"""The parts of a VPC, as EC2 returns them. Each kind is read by one paged call, in the path analysis's form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pull_responder.facts.answers import IncompleteAnswerError
from pull_responder.facts.paging import pages
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import (
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkAclEntry,
    PortRange,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_ec2.type_defs import (
        EgressOnlyInternetGatewayTypeDef,
        InternetGatewayTypeDef,
        IpPermissionOutputTypeDef,
        NatGatewayAddressTypeDef,
        NatGatewayTypeDef,
        NetworkAclEntryTypeDef,
        NetworkAclTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SecurityGroupTypeDef,
        SubnetTypeDef,
    )

    from pull_responder.facts.reader import Reader

T = TypeVar("T")

PERMISSIONS: Final = (
    "ec2:DescribeEgressOnlyInternetGateways",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
)

_TARGETS: Final = (
    # A stopped NAT instance has both an interface and an instance, so the interface comes first.
    "NetworkInterfaceId",
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "InstanceId",
)


@dataclass(frozen=True, slots=True)
class VpcPlace:
    """Which VPC to read, and with which account's credentials."""

    account: str | None
    region: str
    vpc_id: str

    def read(
        self,
        reader: Reader,
        operation: str,
        key: str,
        convert: Callable[[list[Any]], T],
        **arguments: object,
    ) -> T | Unread:
        """Return the result of `convert` for the items under `key` of EC2's `operation` (boto3's name of it)."""
        action = "ec2:" + "".join(word.capitalize() for word in operation.split("_"))
        found = reader.call(
            action,
            account=self.account,
            region=self.region,
            request=lambda client: convert(pages(client, operation, key, **arguments)),
        )
        return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found

    @property
    def filters(self) -> list[dict[str, object]]:
        """The filter for the parts of this VPC."""
        return [{"Name": "vpc-id", "Values": [self.vpc_id]}]


def read_subnets(reader: Reader, place: VpcPlace) -> Mapping[str, Subnet] | Unread:
    """Return the VPC's subnets by id."""

    def convert(found: list[SubnetTypeDef]) -> dict[str, Subnet]:
        return {each["SubnetId"]: _subnet(each) for each in found}

    return place.read(reader, "describe_subnets", "Subnets", convert, Filters=place.filters)


def _subnet(found: SubnetTypeDef) -> Subnet:
    blocks = found.get("Ipv6CidrBlockAssociationSet", [])
    v6 = [b["Ipv6CidrBlock"] for b in blocks if b.get("Ipv6CidrBlockState", {}).get("State") == "associated"]
    v4 = found.get("CidrBlock")
    return Subnet(
        id=found["SubnetId"],
        cidrs=(*([v4] if v4 else []), *v6),
        availability_zone=found.get("AvailabilityZone", ""),
        maps_public_addresses=found.get("MapPublicIpOnLaunch", False),
        owner=found.get("OwnerId", ""),
        public_access=found.get("BlockPublicAccessStates", {}).get("InternetGatewayBlockMode", "off"),
        zone_id=found.get("AvailabilityZoneId", ""),
        assigns_ipv6=found.get("AssignIpv6AddressOnCreation", False),
        dns64=found.get("EnableDns64", False),
    )


@dataclass(frozen=True, slots=True)
class RouteTables:
    """A VPC's route tables: those of subnets that have one of their own, and the main one for all others.

    `by_gateway` has those that a gateway is associated with, for what comes in by it.
    """

    by_subnet: Mapping[str, RouteTable]
    main: RouteTable | None
    by_gateway: Mapping[str, RouteTable] = field(default_factory=dict)

    @property
    def all(self) -> tuple[RouteTable, ...]:
        """All of them."""
        return (*self.by_subnet.values(), *filter(None, (self.main,)), *self.by_gateway.values())

    def of(self, subnet_id: str) -> RouteTable | None:
        """Return the table that a subnet uses."""
        return self.by_subnet.get(subnet_id, self.main)


def read_route_tables(reader: Reader, place: VpcPlace) -> RouteTables | Unread:
    """Return the VPC's route tables."""

    def convert(found: list[RouteTableTypeDef]) -> RouteTables:
        by_subnet, by_gateway, main = {}, {}, None
        for table in found:
            listed = sorted(table.get("Routes", []), key=_priority)
            routes = tuple(route for each in listed for route in _routes(each))
            for association in table.get("Associations", []):
                if association.get("AssociationState", {}).get("State", "associated") != "associated":
                    continue
                if association.get("Main"):
                    main = RouteTable(table["RouteTableId"], routes, main=True)
                elif "SubnetId" in association:
                    by_subnet[association["SubnetId"]] = RouteTable(table["RouteTableId"], routes)
                elif "GatewayId" in association:
                    by_gateway[association["GatewayId"]] = RouteTable(table["RouteTableId"], routes)
        return RouteTables(by_subnet, main, by_gateway)

    return place.read(reader, "describe_route_tables", "RouteTables", convert, Filters=place.filters)


def _priority(found: RouteTypeDef) -> int:
    """Return which of several routes to the same block comes first: a static one, one to a prefix list, a propagated.

    Source: Amazon VPC User Guide, "Route priority for static and dynamically propagated routes" and "Route priority and
    prefix lists".
    """
    if found.get("Origin") == "EnableVgwRoutePropagation":
        return 2
    return 1 if found.get("DestinationPrefixListId") else 0


def _routes(found: RouteTypeDef) -> Iterator[Route]:
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    values: Mapping[str, Any] = found
    target = next((values[key] for key in _TARGETS if values.get(key)), "none")
    if not any(values.get(key) for key in destinations):
        raise IncompleteAnswerError(missing="the destination of a route")
    for key in destinations:
        if values.get(key):
            yield Route(values[key], target, active=found.get("State") != "blackhole")


@dataclass(frozen=True, slots=True)
class NetworkAcls:
    """A VPC's network ACLs: those of subnets that name one, and the default one for all others."""

    by_subnet: Mapping[str, NetworkAcl]
    default: NetworkAcl | None

    def of(self, subnet_id: str) -> NetworkAcl | None:
        """Return the ACL that a subnet uses."""
        return self.by_subnet.get(subnet_id, self.default)


def read_network_acls(reader: Reader, place: VpcPlace) -> NetworkAcls | Unread:
    """Return the VPC's network ACLs."""

    def convert(found: list[NetworkAclTypeDef]) -> NetworkAcls:
        by_subnet: dict[str, NetworkAcl] = {}
        default = None
        for each in found:
            entries = tuple(entry for one in each.get("Entries", []) for entry in _acl_entries(one))
            acl = NetworkAcl(each["NetworkAclId"], entries)
            default = acl if each.get("IsDefault") else default
            by_subnet |= {a["SubnetId"]: acl for a in each.get("Associations", []) if "SubnetId" in a}
        return NetworkAcls(by_subnet, default)

    return place.read(reader, "describe_network_acls", "NetworkAcls", convert, Filters=place.filters)


def _acl_entries(found: NetworkAclEntryTypeDef) -> Iterator[NetworkAclEntry]:
    ports = found.get("PortRange")
    if not (found.get("CidrBlock") or found.get("Ipv6CidrBlock")):
        raise IncompleteAnswerError(missing="the block of an entry of a network ACL")
    for cidr in (found.get("CidrBlock"), found.get("Ipv6CidrBlock")):
        if cidr:
            yield NetworkAclEntry(
                number=found["RuleNumber"],
                allow=found["RuleAction"] == "allow",
                egress=found["Egress"],
                cidr=cidr,
                protocol=str(found.get("Protocol", "-1")),
                ports=_range(ports.get("From"), ports.get("To")) if ports else None,
            )


def read_security_groups(reader: Reader, place: VpcPlace) -> Mapping[str, SecurityGroup] | Unread:
    """Return the security groups in the VPC by id.

    All groups are read. Which of them the endpoints have is known only after another round of reads.
    """

    def convert(found: list[SecurityGroupTypeDef]) -> dict[str, SecurityGroup]:
        return {
            each["GroupId"]: SecurityGroup(
                each["GroupId"],
                egress=_rules(each["GroupId"], "egress", each.get("IpPermissionsEgress", [])),
                ingress=_rules(each["GroupId"], "ingress", each.get("IpPermissions", [])),
                owner=each.get("OwnerId", ""),
            )
            for each in found
        }

    return place.read(reader, "describe_security_groups", "SecurityGroups", convert, Filters=place.filters)


def _rules(group: str, way: str, found: Iterable[IpPermissionOutputTypeDef]) -> tuple[SecurityGroupRule, ...]:
    # DescribeSecurityGroups returns rules without ids. DescribeSecurityGroupRules returns them, but costs another call.
    rules = []
    for number, permission in enumerate(found, 1):
        peers = (
            *(each.get("CidrIp") for each in permission.get("IpRanges", [])),
            *(each.get("CidrIpv6") for each in permission.get("Ipv6Ranges", [])),
            *(each.get("GroupId") for each in permission.get("UserIdGroupPairs", [])),
            *(each.get("PrefixListId") for each in permission.get("PrefixListIds", [])),
        )
        ports = _range(permission.get("FromPort"), permission.get("ToPort"))
        protocol = permission.get("IpProtocol", "-1")
        rules += [SecurityGroupRule(f"{group} {way} {number}", protocol, ports, peer) for peer in peers if peer]
    return tuple(rules)


def _range(first: int | None, last: int | None) -> PortRange | None:
    return None if first is None or last is None else (first, last)


def read_nat_gateways(reader: Reader, place: VpcPlace) -> Mapping[str, NatGateway] | Unread:
    """Return the VPC's NAT gateways by id, including those deleted recently."""

    def convert(found: list[NatGatewayTypeDef]) -> dict[str, NatGateway]:
        return {each["NatGatewayId"]: _nat_gateway(each) for each in found}

    return place.read(reader, "describe_nat_gateways", "NatGateways", convert, Filter=place.filters)


def _nat_gateway(found: NatGatewayTypeDef) -> NatGateway:
    addresses = found.get("NatGatewayAddresses", [])
    regional = found.get("AvailabilityMode") == "regional"
    return NatGateway(
        id=found["NatGatewayId"],
        state=found.get("State", "available"),
        subnet_id=None if regional else found["SubnetId"],
        public=found.get("ConnectivityType", "public") == "public",
        private_addresses=tuple(each["PrivateIp"] for each in addresses if each.get("PrivateIp")),
        public_addresses=tuple(each["PublicIp"] for each in addresses if each.get("PublicIp")),
        zones=_zones(addresses) if regional and found.get("AutoProvisionZones") == "disabled" else (),
    )


def _zones(addresses: Sequence[NatGatewayAddressTypeDef]) -> tuple[str, ...]:
    """Return the names and ids of the zones in which a regional NAT gateway has addresses."""
    named = (name for each in addresses for name in (each.get("AvailabilityZone"), each.get("AvailabilityZoneId")))
    return tuple(dict.fromkeys(filter(None, named)))


def read_internet_gateways(reader: Reader, place: VpcPlace) -> Mapping[str, InternetGateway] | Unread:
    """Return the region's internet gateways by id, each with its attached VPC.

    All of the region are read. This tells a gateway that is attached elsewhere from one that is not listed.
    """

    def convert(found: list[InternetGatewayTypeDef]) -> dict[str, InternetGateway]:
        return {each["InternetGatewayId"]: _gateway(each["InternetGatewayId"], each) for each in found}

    return place.read(reader, "describe_internet_gateways", "InternetGateways", convert)


def read_egress_only_gateways(reader: Reader, place: VpcPlace) -> Mapping[str, InternetGateway] | Unread:
    """Return the region's egress-only internet gateways by id, each with its attached VPC."""

    def convert(found: list[EgressOnlyInternetGatewayTypeDef]) -> dict[str, InternetGateway]:
        return {
            each["EgressOnlyInternetGatewayId"]: _gateway(each["EgressOnlyInternetGatewayId"], each) for each in found
        }

    return place.read(reader, "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", convert)


def _gateway(gateway_id: str, found: InternetGatewayTypeDef | EgressOnlyInternetGatewayTypeDef) -> InternetGateway:
    attached = (each for each in found.get("Attachments", []) if each.get("State") in ("attached", "available"))
    return InternetGateway(gateway_id, next((each["VpcId"] for each in attached), None))
