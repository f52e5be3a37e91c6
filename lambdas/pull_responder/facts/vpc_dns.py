"""A VPC itself and its DNS, as EC2 and Route 53 return them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Literal

from pull_responder.facts.answers import EndlessListingError
from pull_responder.facts.paging import MAX_PAGES, pages
from pull_responder.model.printable import clean_line
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import Vpc
from pull_responder.network.zones import HostedZone, ZoneRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import DhcpOptionsTypeDef, VpcTypeDef

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

PERMISSIONS: Final = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
    "route53:ListHostedZonesByVPC",
    "route53:ListResourceRecordSets",
)

# The longest name in DNS (RFC 1035, section 2.3.4).
_LONGEST_NAME: Final = 255
_AMAZON_DNS: Final = ("AmazonProvidedDNS",)


@dataclass(frozen=True, slots=True)
class VpcRecord:
    """A VPC in DescribeVpcs."""

    owner: str
    cidrs: tuple[str, ...]
    dhcp_options_id: str | None


def read_vpc(reader: Reader, place: VpcPlace) -> VpcRecord | Unread:
    """Return the VPC's owner and CIDR blocks."""

    def convert(found: list[VpcTypeDef]) -> VpcRecord | Unread:
        if not found:
            return Unread(Reason(f"{place.vpc_id} was not found", AGAIN))
        vpc = found[0]
        v4 = vpc.get("CidrBlockAssociationSet", [])
        v6 = vpc.get("Ipv6CidrBlockAssociationSet", [])
        blocks = (
            *(b["CidrBlock"] for b in v4 if b.get("CidrBlockState", {}).get("State") == "associated"),
            *(b["Ipv6CidrBlock"] for b in v6 if b.get("Ipv6CidrBlockState", {}).get("State") == "associated"),
        )
        cidr = vpc.get("CidrBlock")
        known = (cidr,) if cidr else ()
        return VpcRecord(vpc.get("OwnerId", ""), tuple(dict.fromkeys((*known, *blocks))), vpc.get("DhcpOptionsId"))

    return place.read(reader, "describe_vpcs", "Vpcs", convert, VpcIds=[place.vpc_id])


def read_attribute(
    reader: Reader, place: VpcPlace, attribute: Literal["enableDnsSupport", "enableDnsHostnames"]
) -> bool | Unread:
    """Return one of the VPC's DNS attributes."""

    def request(client: EC2Client) -> bool | None:
        answer = client.describe_vpc_attribute(VpcId=place.vpc_id, Attribute=attribute)
        if attribute == "enableDnsSupport":
            return answer.get("EnableDnsSupport", {}).get("Value")
        return answer.get("EnableDnsHostnames", {}).get("Value")

    found = reader.call("ec2:DescribeVpcAttribute", account=place.account, region=place.region, request=request)
    return Unread(Reason("ec2:DescribeVpcAttribute gave no answer", AGAIN)) if found is None else found


def read_dhcp_options(reader: Reader, place: VpcPlace) -> Mapping[str, tuple[str, ...]] | Unread:
    """Return the DNS servers of every DHCP option set. Another read of the same round tells which set is the VPC's."""

    def convert(found: list[DhcpOptionsTypeDef]) -> dict[str, tuple[str, ...]]:
        return {each["DhcpOptionsId"]: _dns_servers(each) for each in found}

    return place.read(reader, "describe_dhcp_options", "DhcpOptions", convert)


def _dns_servers(found: DhcpOptionsTypeDef) -> tuple[str, ...]:
    for option in found.get("DhcpConfigurations", []):
        if option.get("Key") == "domain-name-servers":
            return tuple(value["Value"] for value in option.get("Values", []) if "Value" in value)
    return _AMAZON_DNS


@dataclass(frozen=True, slots=True)
class ZoneSummary:
    """A private hosted zone in ListHostedZonesByVPC. Its name has no final dot."""

    name: str
    id: str
    owner: str


def read_private_zones(reader: Reader, place: VpcPlace) -> tuple[ZoneSummary, ...] | Unread:
    """Return the private hosted zones associated with the VPC, without those of AWS services."""

    def request(client: Any) -> tuple[ZoneSummary, ...]:  # noqa: ANN401 -- boto3's Route 53 client, of which there are no stubs here
        found: list[ZoneSummary] = []
        token: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = client.list_hosted_zones_by_vpc(VPCId=place.vpc_id, VPCRegion=place.region, **token)
            zones = page["HostedZoneSummaries"]
            found += [_summary(zone) for zone in zones if not zone.get("Owner", {}).get("OwningService")]
            if not page.get("NextToken"):
                return tuple(found)
            token = {"NextToken": page["NextToken"]}
        raise EndlessListingError(pages=MAX_PAGES)

    found = reader.call("route53:ListHostedZonesByVPC", account=place.account, region=place.region, request=request)
    return () if found is None else found


def _summary(zone: Mapping[str, Any]) -> ZoneSummary:
    owner = zone.get("Owner", {}).get("OwningAccount", "")
    return ZoneSummary(zone["Name"].rstrip(".").lower(), zone.get("HostedZoneId", ""), owner)


def read_hosted_zone(reader: Reader, place: VpcPlace, zone: ZoneSummary) -> HostedZone:
    """Return a hosted zone with its records, read in the account that owns it."""
    account = zone.owner or place.account
    return HostedZone(zone.name, zone.id, account or "", _records(reader, place, zone.id, account))


def read_zone_by_id(reader: Reader, place: VpcPlace, zone_id: str, owner: str) -> HostedZone | Unread:
    """Return a hosted zone whose name is not known: that of its SOA record, which every zone has (RFC 1035, 3.3.13)."""
    account = owner or place.account
    records = _records(reader, place, zone_id, account)
    if isinstance(records, Unread):
        return records
    name = next((each.name for each in records if each.type == "SOA"), "")
    if not name:
        return Unread(Reason(f"the hosted zone {zone_id} shows no SOA record, so its name is not known", AGAIN))
    return HostedZone(name, zone_id, account or "", records)


def read_zone_names(reader: Reader, place: VpcPlace, owner: str) -> Mapping[str, str] | Unread:
    """Return the names of all hosted zones that an account owns, by id."""

    def request(client: Any) -> dict[str, str]:  # noqa: ANN401 -- boto3's Route 53 client, of which there are no stubs here
        found = pages(client, "list_hosted_zones", "HostedZones")
        return {each["Id"].rpartition("/")[2]: each["Name"].rstrip(".").lower() for each in found}

    action = "route53:ListHostedZones"
    found = reader.call(action, account=owner or place.account, region=place.region, request=request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found


def _records(reader: Reader, place: VpcPlace, zone_id: str, account: str | None) -> tuple[ZoneRecord, ...] | Unread:
    def request(client: Any) -> tuple[ZoneRecord, ...]:  # noqa: ANN401 -- boto3's Route 53 client, of which there are no stubs here
        found = pages(client, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)
        return tuple(_record(each) for each in found)

    action = "route53:ListResourceRecordSets"
    found = reader.call(action, account=account, region=place.region, request=request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found


def _record(found: Mapping[str, Any]) -> ZoneRecord:
    kind, values = found["Type"], tuple(each["Value"] for each in found.get("ResourceRecords", []))
    if kind in ("A", "AAAA"):
        values = tuple(str(ip_address(each)) for each in values)
    return ZoneRecord(
        name=clean_line(found["Name"])[:_LONGEST_NAME].replace("\\052", "*").rstrip(".").lower(),
        type=kind,
        values=tuple(clean_line(each)[:_LONGEST_NAME] for each in values),
        alias=clean_line(found.get("AliasTarget", {}).get("DNSName", ""))[:_LONGEST_NAME],
        several="SetIdentifier" in found,
    )


def vpc_of(
    place: VpcPlace,
    record: VpcRecord | Unread,
    attributes: tuple[bool | Unread, bool | Unread],
    options: Mapping[str, tuple[str, ...]] | Unread,
) -> Vpc:
    """Combine what was read of the VPC itself. Without its record its blocks are empty and its owner is unknown."""
    support, hostnames = attributes
    if isinstance(record, Unread):
        return Vpc(place.vpc_id, (), support, hostnames, record)
    # A set that is not listed is AWS's "default" set. A VPC without a set of its own has it.
    chosen = record.dhcp_options_id or "default"
    servers = options if isinstance(options, Unread) else options.get(chosen, _AMAZON_DNS)
    return Vpc(place.vpc_id, record.cidrs, support, hostnames, servers, record.owner)
