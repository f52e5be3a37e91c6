"""A VPC's endpoints and the prefix lists, as EC2 returns them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.facts.paging import pages
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import EndpointInterface, PrefixList, VpcEndpoint
from pull_responder.network.neighbours import Owned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef, PrefixListTypeDef, VpcEndpointTypeDef

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

PERMISSIONS: Final = (
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribePrefixLists",
    "ec2:DescribeVpcEndpoints",
    "ec2:GetManagedPrefixListEntries",
)

MOST_NAMED: Final = 200
_PULL_SERVICES: Final = (".ecr.api", ".ecr.dkr", ".s3")
_GONE: Final = frozenset({"InvalidNetworkInterfaceID.NotFound"})
_NO_ENDPOINT: Final = frozenset({"InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"})


def read_endpoints(reader: Reader, place: VpcPlace) -> tuple[tuple[VpcEndpoint, tuple[str, ...]], ...] | Unread:
    """Return the VPC's endpoints, each with its network interfaces' ids. The interfaces themselves stay Unread here."""

    def convert(found: list[VpcEndpointTypeDef]) -> tuple[tuple[VpcEndpoint, tuple[str, ...]], ...]:
        return tuple((_endpoint(each), tuple(each.get("NetworkInterfaceIds", []))) for each in found)

    return place.read(reader, "describe_vpc_endpoints", "VpcEndpoints", convert, Filters=place.filters)


def _endpoint(found: VpcEndpointTypeDef) -> VpcEndpoint:
    options = found.get("DnsOptions", {})
    subnets = tuple(found.get("SubnetIds", []))
    kind = found.get("VpcEndpointType", "Gateway")
    return VpcEndpoint(
        id=found["VpcEndpointId"],
        type=kind,
        service_name=found["ServiceName"],
        state=found.get("State", "available"),
        service_region=found.get("ServiceRegion"),
        private_dns=kind == "Interface" and found.get("PrivateDnsEnabled", True),
        private_dns_inbound_only=bool(options.get("PrivateDnsOnlyForInboundResolverEndpoint", False)),
        subnet_ids=subnets,
        interfaces=Unread(
            Reason(
                "its network interfaces were not read", "Look at the endpoint's network interfaces in the VPC console."
            )
        )
        if subnets
        else (),
        group_ids=tuple(group["GroupId"] for group in found.get("Groups", []) if "GroupId" in group),
        route_table_ids=tuple(found.get("RouteTableIds", [])),
        policy=found.get("PolicyDocument"),
        dns_names=tuple(entry["DnsName"] for entry in found.get("DnsEntries", []) if "DnsName" in entry),
        owner=found.get("OwnerId", ""),
        ip_type=found.get("IpAddressType", ""),
    )


def read_interfaces(
    reader: Reader, place: VpcPlace, listed: Sequence[tuple[VpcEndpoint, tuple[str, ...]]]
) -> tuple[VpcEndpoint, ...]:
    """Return the endpoints. Those that a pull may pass get their interfaces."""
    wanted = [
        interface
        for endpoint, interfaces in listed
        if endpoint.type == "Interface" and endpoint.service_name.endswith(_PULL_SERVICES)
        for interface in interfaces
    ]

    def request(client: EC2Client) -> dict[str, EndpointInterface]:
        # Unlike NetworkInterfaceIds, the filter does not fail for all interfaces if one has just been deleted.
        filters = [{"Name": "network-interface-id", "Values": wanted}]
        found = pages(client, "describe_network_interfaces", "NetworkInterfaces", Filters=filters)
        return _by_id(found)

    known: dict[str, EndpointInterface] | Unread | None = {}
    if wanted:
        action = "ec2:DescribeNetworkInterfaces"
        known = reader.call(action, account=place.account, region=place.region, request=request, absent=_GONE)
    return tuple(_with_interfaces(endpoint, ids, known or {}) for endpoint, ids in listed)


def _by_id(found: list[NetworkInterfaceTypeDef]) -> dict[str, EndpointInterface]:
    return {
        each["NetworkInterfaceId"]: EndpointInterface(
            each.get("SubnetId", ""),
            (
                *([each["PrivateIpAddress"]] if each.get("PrivateIpAddress") else []),
                *(address["Ipv6Address"] for address in each.get("Ipv6Addresses", [])),
            ),
        )
        for each in found
    }


def read_all_interfaces(reader: Reader, place: VpcPlace) -> Mapping[str, EndpointInterface] | Unread:
    """Return the network interfaces of all endpoints of the VPC, before it is known which endpoints it has."""
    filters = [*place.filters, {"Name": "interface-type", "Values": ["vpc_endpoint"]}]
    return place.read(reader, "describe_network_interfaces", "NetworkInterfaces", _by_id, Filters=filters)


def with_all_interfaces(
    listed: Sequence[tuple[VpcEndpoint, tuple[str, ...]]] | Unread, known: Mapping[str, EndpointInterface] | Unread
) -> tuple[VpcEndpoint, ...] | Unread:
    """Return the endpoints with their interfaces."""
    if isinstance(listed, Unread):
        return listed
    return tuple(_with_interfaces(endpoint, ids, known) for endpoint, ids in listed)


def _with_interfaces(
    endpoint: VpcEndpoint, ids: tuple[str, ...], known: Mapping[str, EndpointInterface] | Unread
) -> VpcEndpoint:
    if isinstance(known, Unread):
        return replace(endpoint, interfaces=known) if ids else endpoint
    if not ids or any(interface not in known for interface in ids):
        return endpoint
    return replace(endpoint, interfaces=tuple(known[interface] for interface in ids))


def read_named_endpoints(reader: Reader, place: VpcPlace, ids: tuple[str, ...]) -> tuple[VpcEndpoint, ...] | Unread:
    """Return endpoints of the account by their ids, without their interfaces. Those that are gone are not among them.

    Of more than EC2 takes as values of a filter (Amazon EC2 API Reference, "Filter"), the others are left out.
    """

    def convert(found: list[VpcEndpointTypeDef]) -> tuple[VpcEndpoint, ...]:
        return tuple(_endpoint(each) for each in found if each.get("VpcEndpointId") in ids)

    filters = [{"Name": "vpc-endpoint-id", "Values": list(ids[:MOST_NAMED])}]
    return place.read(reader, "describe_vpc_endpoints", "VpcEndpoints", convert, Filters=filters)


def read_endpoint_place(reader: Reader, account: str, region: str, endpoint_id: str) -> Owned | Unread | None:
    """Return in which VPC an endpoint of the account is. None if the account has no such endpoint."""

    def request(client: EC2Client) -> Owned | None:
        found = pages(client, "describe_vpc_endpoints", "VpcEndpoints", VpcEndpointIds=[endpoint_id])
        place = next((each for each in found if each.get("VpcEndpointId") == endpoint_id), None)
        return Owned(place.get("OwnerId") or account, region, place["VpcId"]) if place else None

    action = "ec2:DescribeVpcEndpoints"
    return reader.call(action, account=account, region=region, request=request, absent=_NO_ENDPOINT)


def read_aws_prefix_lists(reader: Reader, place: VpcPlace) -> Mapping[str, PrefixList] | Unread:
    """Return AWS's own prefix lists in the region by id, such as those of S3 and DynamoDB."""

    def convert(found: list[PrefixListTypeDef]) -> dict[str, PrefixList]:
        return {
            each["PrefixListId"]: PrefixList(
                each["PrefixListId"], each.get("PrefixListName", ""), tuple(each.get("Cidrs", []))
            )
            for each in found
        }

    return place.read(reader, "describe_prefix_lists", "PrefixLists", convert)


def read_prefix_list(reader: Reader, place: VpcPlace, list_id: str, name: str) -> PrefixList | Unread:
    """Return the entries of a prefix list, a customer's or AWS's."""

    def request(client: EC2Client) -> tuple[str, ...]:
        found = pages(client, "get_managed_prefix_list_entries", "Entries", PrefixListId=list_id)
        return tuple(entry["Cidr"] for entry in found)

    action = "ec2:GetManagedPrefixListEntries"
    entries = reader.call(action, account=place.account, region=place.region, request=request)
    if entries is None or isinstance(entries, Unread):
        return entries or Unread(Reason(f"{action} gave no answer", AGAIN))
    return PrefixList(list_id, name, entries)
