"""What the commands of a fix do to a VPC, read from the commands as they are printed. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pull_responder.model.unread import Unread
from pull_responder.network import (
    Network,
    NetworkAcl,
    NetworkAclEntry,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Surroundings,
    VpcEndpoint,
)
from pull_responder.remediation.policy_changes import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pull_responder.model.verdict import Remediation
    from pull_responder.remediation.shell import Command

T = TypeVar("T")

_NEW: Final = "new"
# EC2 chooses the addresses when it makes the interfaces.
_NOT_YET: Final = Unread("the endpoint's interfaces do not exist yet")
_PEERS: Final = (
    ("UserIdGroupPairs", "GroupId"),
    ("PrefixListIds", "PrefixListId"),
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
)
_TARGETS: Final = (
    "nat-gateway-id",
    "gateway-id",
    "egress-only-internet-gateway-id",
    "transit-gateway-id",
    "vpc-peering-connection-id",
    "vpc-endpoint-id",
)
_PROPAGATE: Final = ("ec2", "enable-transit-gateway-route-table-propagation")
_ROUTE_AT_GATEWAY: Final = ("ec2", "create-transit-gateway-route")
_BLOCKS: Final = ("destination-cidr-block", "destination-ipv6-cidr-block")


def network_after(fix: Remediation, network: Network) -> Network:
    """Return the network as it is once the commands have run. Commands that it does not know change nothing.

    If one is of a shape that is not expected, the network is returned as it was: then there is no proof.
    """
    before = network
    for command in fix.commands:
        try:
            network = _with_command(command, network)
        except (AttributeError, LookupError, TypeError, ValueError):
            return before
    return network


def _with_command(command: Command, network: Network) -> Network:
    """Return the network after one command, with the networks behind it."""
    given = options(command)
    operation = tuple(command[1:3])
    change, around = _CHANGES.get(operation), network.around
    if operation == _PROPAGATE:
        return replace(network, around=_propagated(given, network))
    if operation == _ROUTE_AT_GATEWAY:
        route = Route(given["destination-cidr-block"], given["transit-gateway-attachment-id"])
        return replace(network, around=_with_gateway_routes(given, around, route))
    if change is None:
        return network

    def changed(vpc_id: str, other: Network | Unread) -> Network | Unread:
        elsewhere = given.get("vpc-id", vpc_id) != vpc_id
        return other if elsewhere or isinstance(other, Unread) else change(command, given, other)

    vpcs, names = (
        {vpc_id: changed(vpc_id, other) for vpc_id, other in known.items()} for known in (around.vpcs, around.names)
    )
    around = replace(around, vpcs=vpcs, names=names)
    own = network if given.get("vpc-id") in {*vpcs, *names} else change(command, given, network)
    return replace(own, around=around)


def _propagated(given: Mapping[str, str], network: Network) -> Surroundings:
    """Return the surroundings with the routes of an attached VPC in one more table of its transit gateway."""
    around = network.around
    wanted = given["transit-gateway-attachment-id"]
    gateways = [each for each in around.gateways.values() if not isinstance(each, Unread)]
    attachment = _first(each.attachments[wanted] for each in gateways if wanted in each.attachments)
    known = (each.vpc for each in (network, *around.vpcs.values()) if not isinstance(each, Unread))
    vpcs = (each for each in known if not isinstance(each, Unread) and each.id == attachment.resource_id)
    return _with_gateway_routes(given, around, *(Route(cidr, wanted) for cidr in _first(vpcs).cidrs))


def _with_gateway_routes(given: Mapping[str, str], around: Surroundings, *routes: Route) -> Surroundings:
    table_id = given["transit-gateway-route-table-id"]
    table = around.tables[table_id]
    if isinstance(table, Unread):
        return around
    return replace(around, tables={**around.tables, table_id: replace(table, routes=(*table.routes, *routes))})


def _security_group(command: Command, given: Mapping[str, str], network: Network) -> Network:
    groups = network.security_groups
    group = None if isinstance(groups, Unread) else groups.get(given["group-id"])
    if isinstance(groups, Unread) or group is None:
        return network
    rules = tuple(_rule(each) for each in json.loads(given["ip-permissions"]))
    egress = command[2].endswith("egress")
    changed: SecurityGroup = (
        replace(group, egress=group.egress + rules) if egress else replace(group, ingress=group.ingress + rules)
    )
    return replace(network, security_groups={**groups, group.id: changed})


def _first(values: Iterable[T]) -> T:
    """Return the first value. Raises KeyError if there is none."""
    for value in values:
        return value
    raise KeyError


def _rule(permission: dict[str, Any]) -> SecurityGroupRule:
    peer = _first(permission[kind][0][name] for kind, name in _PEERS if permission.get(kind))
    return SecurityGroupRule(_NEW, permission["IpProtocol"], (permission["FromPort"], permission["ToPort"]), peer)


def _acl_entry(command: Command, given: Mapping[str, str], network: Network) -> Network:
    acls = network.network_acls
    if isinstance(acls, Unread):
        return network
    first, _, last = given["port-range"].partition(",")
    entry = NetworkAclEntry(
        number=int(given["rule-number"]),
        allow=given["rule-action"] == "allow",
        egress="--egress" in command,
        cidr=given.get("cidr-block") or given["ipv6-cidr-block"],
        protocol=given["protocol"],
        ports=(int(first.removeprefix("From=")), int(last.removeprefix("To="))),
    )
    wanted = given["network-acl-id"]
    changed = {
        subnet: NetworkAcl(acl.id, (*acl.entries, entry)) if acl.id == wanted else acl for subnet, acl in acls.items()
    }
    return replace(network, network_acls=changed)


def _route(_: Command, given: Mapping[str, str], network: Network) -> Network:
    destination = _first(given[name] for name in _BLOCKS if name in given)
    target = _first(given[name] for name in _TARGETS if name in given)
    return _with_route(network, given["route-table-id"], Route(destination, target))


def _with_route(network: Network, table_id: str, route: Route) -> Network:
    tables = network.route_tables
    if isinstance(tables, Unread):
        return network

    def changed(table: RouteTable) -> RouteTable:
        kept = tuple(each for each in table.routes if each.destination != route.destination)
        return replace(table, routes=(*kept, route)) if table.id == table_id else table

    return replace(network, route_tables={subnet: changed(table) for subnet, table in tables.items()})


def _endpoint(command: Command, given: Mapping[str, str], network: Network) -> Network:
    if isinstance(network.endpoints, Unread):
        return network
    wanted = given["vpc-endpoint-id"]
    if table := given.get("add-route-table-ids"):
        network = _to_gateway_endpoint(network, wanted, table)
    private_dns = "--private-dns-enabled" in command
    subnets = _values(command, "--add-subnet-ids")
    answers = given.get("dns-options") == "PrivateDnsOnlyForInboundResolverEndpoint=false"

    def changed(endpoint: VpcEndpoint) -> VpcEndpoint:
        if endpoint.id != wanted:
            return endpoint
        if subnets:
            return replace(endpoint, subnet_ids=(*endpoint.subnet_ids, *subnets), interfaces=_NOT_YET)
        inbound_only = endpoint.private_dns_inbound_only and not answers
        return replace(endpoint, private_dns=endpoint.private_dns or private_dns, private_dns_inbound_only=inbound_only)

    known = () if isinstance(network.endpoints, Unread) else network.endpoints
    return replace(network, endpoints=tuple(changed(each) for each in known))


def _to_gateway_endpoint(network: Network, endpoint_id: str, table_id: str) -> Network:
    """Return the network with S3's prefix list routed to the endpoint in one more table."""
    lists = network.prefix_lists
    known = {} if isinstance(lists, Unread) else lists
    named = (each for each in known.values() if not isinstance(each, Unread) and each.name.endswith(".s3"))
    prefix_list = next(named, None)
    # What leads to a gateway endpoint is known by its target; the list's id matters only where the list was read.
    return _with_route(network, table_id, Route(prefix_list.id if prefix_list else "pl-s3", endpoint_id))


def _new_endpoint(command: Command, given: Mapping[str, str], network: Network) -> Network:
    if isinstance(network.endpoints, Unread):
        return network
    service = given["service-name"]
    endpoint = VpcEndpoint(
        id=f"vpce-new-{service.rpartition('.')[2]}",
        type=given["vpc-endpoint-type"],
        service_name=service,
        private_dns="--private-dns-enabled" in command,
        subnet_ids=_values(command, "--subnet-ids"),
        interfaces=_NOT_YET,
        group_ids=_values(command, "--security-group-ids"),
    )
    network = replace(network, endpoints=(*network.endpoints, endpoint))
    for table in _values(command, "--route-table-ids"):
        network = _to_gateway_endpoint(network, endpoint.id, table)
    return network


def _subnet(command: Command, given: Mapping[str, str], network: Network) -> Network:
    subnets = network.subnets
    if isinstance(subnets, Unread) or "--enable-dns64" not in command:
        return network
    subnet = subnets[given["subnet-id"]]
    return replace(network, subnets={**subnets, subnet.id: replace(subnet, dns64=True)})


def _dns(command: Command, _: Mapping[str, str], network: Network) -> Network:
    vpc = network.vpc
    if isinstance(vpc, Unread):
        return network
    support = True if "--enable-dns-support" in command else vpc.dns_support
    hostnames = True if "--enable-dns-hostnames" in command else vpc.dns_hostnames
    return replace(network, vpc=replace(vpc, dns_support=support, dns_hostnames=hostnames))


def _values(command: Command, option: str) -> tuple[str, ...]:
    """Return all values of an option that takes several."""
    if option not in command:
        return ()
    return tuple(takewhile(lambda word: not word.startswith("--"), command[command.index(option) + 1 :]))


_CHANGES: Final[Mapping[tuple[str, ...], Callable[[Command, Mapping[str, str], Network], Network]]] = {
    ("ec2", "authorize-security-group-egress"): _security_group,
    ("ec2", "authorize-security-group-ingress"): _security_group,
    ("ec2", "create-network-acl-entry"): _acl_entry,
    ("ec2", "create-route"): _route,
    ("ec2", "replace-route"): _route,
    ("ec2", "modify-vpc-endpoint"): _endpoint,
    ("ec2", "create-vpc-endpoint"): _new_endpoint,
    ("ec2", "modify-vpc-attribute"): _dns,
    ("ec2", "modify-subnet-attribute"): _subnet,
}
