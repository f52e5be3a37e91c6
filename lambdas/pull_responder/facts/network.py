"""A VPC in the form that the path analysis takes, in two rounds of reads: its parts, then what they refer to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pull_responder.facts import (
    dns_firewall,
    endpoints,
    neighbours,
    network_firewall,
    onward,
    profiles,
    resolver,
    resolver_endpoints,
    vpc,
    vpc_dns,
)
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import Network, PrefixList, RouteTarget, Vpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_ec2.type_defs import SubnetTypeDef

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import NetworkAcls, RouteTables
    from pull_responder.network.model import (
        Firewall,
        InternetGateway,
        NatGateway,
        SecurityGroup,
        Subnet,
        VpcEndpoint,
    )
    from pull_responder.network.neighbours import Attachment, Peering
    from pull_responder.network.resolver import FirewallRule, Profile, ResolverRule
    from pull_responder.network.zones import HostedZone

    Listed = tuple[tuple[VpcEndpoint, tuple[str, ...]], ...]

T = TypeVar("T")

PERMISSIONS: Final = tuple(
    sorted(
        (
            *dns_firewall.PERMISSIONS,
            *vpc.PERMISSIONS,
            *vpc_dns.PERMISSIONS,
            *endpoints.PERMISSIONS,
            *neighbours.PERMISSIONS,
            *network_firewall.PERMISSIONS,
            *profiles.PERMISSIONS,
            *resolver.PERMISSIONS,
            *resolver_endpoints.PERMISSIONS,
        )
    )
)


@dataclass(frozen=True, slots=True)
class VpcParts:
    """What was read of a VPC. `vpc.owner` is empty where it could not be read."""

    place: VpcPlace
    vpc: Vpc
    subnets: Mapping[str, Subnet] | Unread
    route_tables: RouteTables | Unread
    network_acls: NetworkAcls | Unread
    security_groups: Mapping[str, SecurityGroup] | Unread
    endpoints: tuple[VpcEndpoint, ...] | Unread
    nat_gateways: Mapping[str, NatGateway] | Unread
    internet_gateways: Mapping[str, InternetGateway] | Unread
    egress_only_gateways: Mapping[str, InternetGateway] | Unread
    prefix_lists: Mapping[str, PrefixList | Unread] | Unread
    private_zones: tuple[str, ...] | Unread
    hosted_zones: tuple[HostedZone, ...]
    resolver_rules: tuple[ResolverRule | Unread, ...] | Unread
    profiles: tuple[Profile, ...] | Unread
    firewall_rules: tuple[FirewallRule, ...] | Unread
    firewalls: tuple[Firewall, ...] | Unread
    peerings: Mapping[str, Peering] | Unread
    attachments: tuple[Attachment, ...] | Unread


def read_vpc_parts(
    reader: Reader, account: str, region: str, vpc_id: str, ahead: onward.Ahead | None = None
) -> VpcParts:
    """Read all parts of a VPC. If its owner shares it with `account`, read as the owner what only owners see.

    A participant gets an empty list of the owner's endpoints, NAT gateways and egress-only gateways, and no error.
    Source: Amazon VPC User Guide, "Responsibilities and permissions for owners and participants".
    """
    place = VpcPlace(account, region, vpc_id)
    parts = _read(reader, place, ahead or onward.Ahead())
    owner = _owner(parts)
    if owner in ("", account):
        return parts
    return _merge_owner(_read(reader, replace(place, account=owner), ahead or onward.Ahead()), parts, owner)


def _owner(parts: VpcParts) -> str:
    """Return the account that owns the VPC and its subnets, empty where it is not known."""
    subnets = () if isinstance(parts.subnets, Unread) else parts.subnets.values()
    return parts.vpc.owner or next((subnet.owner for subnet in subnets if subnet.owner), "")


def _merge_owner(owners: VpcParts, ours: VpcParts, owner: str) -> VpcParts:
    """Return what the owner sees. Where the owner's account cannot be read, return what participants see."""
    return replace(
        owners,
        vpc=Vpc(
            owners.vpc.id,
            ours.vpc.cidrs or owners.vpc.cidrs,
            _first(owners.vpc.dns_support, ours.vpc.dns_support),
            _first(owners.vpc.dns_hostnames, ours.vpc.dns_hostnames),
            # Inference: participants see only their own DHCP options, not those of the owner's VPC.
            owners.vpc.dns_servers,
            owner,
        ),
        subnets=_first(owners.subnets, ours.subnets),
        route_tables=_first(owners.route_tables, ours.route_tables),
        network_acls=_first(owners.network_acls, ours.network_acls),
        internet_gateways=_first(owners.internet_gateways, ours.internet_gateways),
        security_groups=_join(owners.security_groups, ours.security_groups),
        prefix_lists=_join(_read_ones(owners.prefix_lists), ours.prefix_lists),
    )


def _first(of_owner: T | Unread, of_participant: T | Unread) -> T | Unread:
    return of_participant if isinstance(of_owner, Unread) else of_owner


def _join(of_owner: Mapping[str, T] | Unread, of_participant: Mapping[str, T] | Unread) -> Mapping[str, T] | Unread:
    if isinstance(of_participant, Unread):
        return of_participant
    return {**of_participant, **({} if isinstance(of_owner, Unread) else of_owner)}


def _read_ones(lists: Mapping[str, PrefixList | Unread] | Unread) -> Mapping[str, PrefixList | Unread] | Unread:
    if isinstance(lists, Unread):
        return lists
    return {key: found for key, found in lists.items() if not isinstance(found, Unread)}


def _read(reader: Reader, place: VpcPlace, ahead: onward.Ahead) -> VpcParts:
    reads: dict[str, Callable[[], Any]] = {
        "record": lambda: vpc_dns.read_vpc(reader, place),
        "support": lambda: vpc_dns.read_attribute(reader, place, "enableDnsSupport"),
        "hostnames": lambda: vpc_dns.read_attribute(reader, place, "enableDnsHostnames"),
        "options": lambda: vpc_dns.read_dhcp_options(reader, place),
        "zones": lambda: vpc_dns.read_private_zones(reader, place),
        "profiles": lambda: resolver.read_profiles(reader, place),
        "firewalls": lambda: dns_firewall.read_associations(reader, place),
        "associated_rules": lambda: resolver.read_associated_rules(reader, place),
        "rules": lambda: resolver.read_rules(reader, place),
        "subnets": lambda: vpc.read_subnets(reader, place),
        "route_tables": lambda: vpc.read_route_tables(reader, place),
        "network_acls": lambda: vpc.read_network_acls(reader, place),
        "security_groups": lambda: vpc.read_security_groups(reader, place),
        "nat_gateways": lambda: vpc.read_nat_gateways(reader, place),
        "internet_gateways": lambda: vpc.read_internet_gateways(reader, place),
        "egress_only_gateways": lambda: vpc.read_egress_only_gateways(reader, place),
        "endpoints": lambda: endpoints.read_endpoints(reader, place),
        "prefix_lists": lambda: endpoints.read_aws_prefix_lists(reader, place),
    }
    found = dict(zip(reads, reader.each(lambda read: read(), list(reads.values())), strict=True))
    listed, named = _check_listing(found["endpoints"], found["route_tables"]), found["prefix_lists"]
    list_ids = sorted(set(named_lists(found["route_tables"], found["security_groups"])) - set(complete_lists(named)))
    associated, rules, zones = found["associated_rules"], found["rules"], found["zones"]
    # A list without blocks in DescribePrefixLists is read like a customer's.
    later: list[Callable[[], Any]] = [
        lambda: listed if isinstance(listed, Unread) else endpoints.read_interfaces(reader, place, listed),
        lambda: _rules(reader, place, associated, rules),
        lambda: onward.read_peerings(reader, place, found["route_tables"]),
        lambda: onward.read_attachments(
            reader, place, found["route_tables"], ahead, is_sure=onward.has_zones_of_aws(zones)
        ),
        lambda: onward.read_hosted_zones(reader, place, zones, ahead),
        lambda: _names(reader, place, found["profiles"], found["firewalls"], ahead),
        lambda: onward.read_firewalls(reader, place, found["route_tables"]),
        *(entries_of(reader, place, each, named) for each in list_ids),
    ]
    with_interfaces, resolver_rules, peerings, attachments, hosted_zones, names, firewalls, *entries = reader.each(
        lambda read: read(), later
    )
    brought, firewall_rules = names
    return VpcParts(
        place=place,
        vpc=vpc_dns.vpc_of(place, found["record"], (found["support"], found["hostnames"]), found["options"]),
        subnets=found["subnets"],
        route_tables=found["route_tables"],
        network_acls=found["network_acls"],
        security_groups=found["security_groups"],
        endpoints=with_interfaces,
        nat_gateways=found["nat_gateways"],
        internet_gateways=found["internet_gateways"],
        egress_only_gateways=found["egress_only_gateways"],
        prefix_lists={**complete_lists(named), **dict(zip(list_ids, entries, strict=True))},
        private_zones=zones if isinstance(zones, Unread) else tuple(each.name for each in (*zones, *brought.zones)),
        hosted_zones=(*hosted_zones, *brought.zones),
        resolver_rules=resolver_rules if isinstance(resolver_rules, Unread) else (*resolver_rules, *brought.rules),
        profiles=brought.profiles,
        firewall_rules=firewall_rules,
        firewalls=firewalls,
        peerings=peerings,
        attachments=attachments,
    )


def _names(
    reader: Reader,
    place: VpcPlace,
    associated: tuple[Profile, ...] | Unread,
    groups: dns_firewall.Associations | Unread,
    ahead: onward.Ahead,
) -> tuple[profiles.Brought, tuple[FirewallRule, ...] | Unread]:
    """Return what Profiles bring, and the rules of DNS Firewall of the VPC and its Profiles."""
    held = profiles.read_held(reader, place, associated)
    reads: list[Callable[[], Any]] = [
        lambda: profiles.read_brought(reader, place, associated, held, ahead.zone),
        lambda: dns_firewall.read_firewall_rules(reader, place, profiles.rule_groups(held, groups)),
    ]
    brought, rules = reader.each(lambda read: read(), reads)
    return brought, rules


def _rules(
    reader: Reader,
    place: VpcPlace,
    associated: tuple[str, ...] | Unread,
    rules: Mapping[str, ResolverRule] | Unread,
) -> tuple[ResolverRule | Unread, ...] | Unread:
    """Return the rules associated with the VPC. Those that are not listed are read one by one."""
    if isinstance(associated, Unread):
        return associated
    known = {} if isinstance(rules, Unread) else rules
    more = [each for each in associated if each not in known]
    read_now = dict(zip(more, reader.each(lambda each: resolver.read_rule(reader, place, each), more), strict=True))
    return tuple(known.get(each) or read_now[each] for each in associated)


def _check_listing(listed: Listed | Unread, route_tables: RouteTables | Unread) -> Listed | Unread:
    """Return the endpoints. Unread if a route leads to a gateway endpoint that is not among them."""
    if isinstance(listed, Unread) or isinstance(route_tables, Unread):
        return listed
    known = {endpoint.id for endpoint, _ in listed}
    for table in route_tables.all:
        for route in table.routes:
            gateway = route.kind is RouteTarget.VPC_ENDPOINT and route.destination.startswith("pl-")
            if gateway and route.active and route.target not in known:
                return Unread(
                    Reason(f"ec2:DescribeVpcEndpoints lists no {route.target}, but {table.id} has a route to it", AGAIN)
                )
    return listed


def entries_of(
    reader: Reader, place: VpcPlace, list_id: str, named: Mapping[str, PrefixList] | Unread
) -> Callable[[], PrefixList | Unread]:
    """Return what reads the entries of a prefix list. `named` has the names of AWS's own."""
    listed = None if isinstance(named, Unread) else named.get(list_id)
    return lambda: endpoints.read_prefix_list(reader, place, list_id, listed.name if listed else "")


def complete_lists(named: Mapping[str, PrefixList] | Unread) -> dict[str, PrefixList]:
    """Return the prefix lists whose entries are known."""
    return {} if isinstance(named, Unread) else {key: each for key, each in named.items() if each.entries}


def named_lists(
    route_tables: RouteTables | Unread, security_groups: Mapping[str, SecurityGroup] | Unread
) -> Iterator[str]:
    """The prefix lists that routes and rules name."""
    if not isinstance(route_tables, Unread):
        yield from (
            route.destination
            for table in route_tables.all
            for route in table.routes
            if route.destination.startswith("pl-")
        )
    groups = () if isinstance(security_groups, Unread) else security_groups.values()
    for group in groups:
        yield from (rule.peer for rule in (*group.egress, *group.ingress) if rule.peer.startswith("pl-"))


def read_vpc_id(reader: Reader, account: str, region: str, subnet_ids: tuple[str, ...]) -> str | Unread:
    """Return the VPC that the subnets are in."""

    def convert(found: list[SubnetTypeDef]) -> str | Unread:
        vpcs = {each["VpcId"] for each in found if "VpcId" in each}
        return (
            vpcs.pop() if len(vpcs) == 1 else Unread(f"the VPC of {', '.join(subnet_ids) or 'no subnet'} is not known")
        )

    filters = [{"Name": "subnet-id", "Values": list(subnet_ids)}]
    return VpcPlace(account, region, "").read(reader, "describe_subnets", "Subnets", convert, Filters=filters)


def network_of(parts: VpcParts, subnet_ids: Sequence[str]) -> Network:
    """Return the network, with the route table and ACL of every subnet of the VPC and of `subnet_ids`.

    A subnet of `subnet_ids` that EC2 does not list in the VPC is gone. It has neither, not even the main table.
    """
    gone = set() if isinstance(parts.subnets, Unread) or not parts.subnets else {*subnet_ids} - parts.subnets.keys()
    subnets = [each for each in dict.fromkeys((*subnet_ids, *_subnet_ids(parts))) if each not in gone]
    tables, acls = parts.route_tables, parts.network_acls
    return Network(
        region=parts.place.region,
        vpc=parts.vpc,
        subnets=parts.subnets,
        route_tables=tables
        if isinstance(tables, Unread)
        else {**{s: t for s in subnets if (t := tables.of(s))}, **tables.by_gateway},
        network_acls=acls if isinstance(acls, Unread) else {s: a for s in subnets if (a := acls.of(s))},
        security_groups=parts.security_groups,
        endpoints=parts.endpoints,
        nat_gateways=parts.nat_gateways,
        internet_gateways=parts.internet_gateways,
        egress_only_gateways=parts.egress_only_gateways,
        prefix_lists=parts.prefix_lists,
        private_zones=parts.private_zones,
        hosted_zones=parts.hosted_zones,
        resolver_rules=parts.resolver_rules,
        profiles=parts.profiles,
        firewall_rules=parts.firewall_rules,
        firewalls=parts.firewalls,
        account=parts.place.account or "",
        peerings=parts.peerings,
        attachments=parts.attachments,
    )


def _subnet_ids(parts: VpcParts) -> Iterator[str]:
    if not isinstance(parts.subnets, Unread):
        yield from parts.subnets
    elif not isinstance(parts.network_acls, Unread):
        yield from parts.network_acls.by_subnet  # each subnet is associated with one
    if not isinstance(parts.nat_gateways, Unread):
        yield from filter(None, (nat.subnet_id for nat in parts.nat_gateways.values()))
    if not isinstance(parts.endpoints, Unread):
        yield from (subnet for endpoint in parts.endpoints for subnet in endpoint.subnet_ids)
