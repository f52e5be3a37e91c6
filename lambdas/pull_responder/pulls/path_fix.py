"""Fixes to routes and rules on the path, made from what is known of the VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network import RouteTarget
from pull_responder.network.addresses import AddressSet
from pull_responder.network.firewall_way import leads_to_firewall
from pull_responder.remediation import docs
from pull_responder.remediation.composition import combine
from pull_responder.remediation.ec2 import allow_entry, allow_https, free_entry_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.model.verdict import Remediation
    from pull_responder.network import Fault, NatGateway, NetworkAcl, NetworkAclEntry, RouteTable
    from pull_responder.network.answer import Fix
    from pull_responder.pulls.path import PullPath

_INTERNET: Final = "0.0.0.0/0"
_TCP: Final = "6"
_HTTPS: Final = 443
# The number of the last entry of every network ACL, which denies everything else.
_LAST: Final = 32_767


def let_https_through(fault: Fault, path: PullPath) -> Remediation:
    """Add the missing rule to a security group. Without a single peer to name, the fix has no command."""
    where = path.where(fault.resource_id)
    # Endpoints may share a group. Then they need one rule together.
    missing = dict.fromkeys((fix.group_id, fix.peer, bool(fix.egress)) for fix in fault.fixes)
    fixes = [
        allow_https(where, group_id=group, peer=peer, egress=egress, peer_account=_other_account(peer, group, path))
        for group, peer, egress in missing
        if group and peer
    ]
    if fixes:
        return combine(*fixes)
    ports = next((fix.ports for fix in fault.fixes if fix.ports), (_HTTPS, _HTTPS))
    what = f"TCP {_HTTPS}" if _HTTPS in ports else f"UDP and TCP {ports[0]}"
    return where.remedy(f"Allow {what} in {fault.resource_id}: {fault.explanation}", docs.VPC_SECURITY_GROUP_RULES)


def _other_account(peer: str, group_id: str, path: PullPath) -> str | None:
    """Return the account of the group `peer`, if it is another account than that of the group that gets the rule."""
    if not peer.startswith("sg-") or path.group_owner(peer) == path.group_owner(group_id):
        return None
    return path.group_owner(peer)


def let_through_acl(fault: Fault, path: PullPath) -> Remediation:
    """Add the missing entries to a network ACL, each ahead of the entry that denies."""
    where = path.where(fault.resource_id)
    acl = _acl(fault.resource_id, path)
    taken: dict[bool, set[int]] = {
        egress: {entry.number for entry in (acl.entries if acl else ()) if entry.egress is egress}
        for egress in (True, False)
    }
    fixes = []
    for fix in dict.fromkeys(fault.fixes):
        if acl is None or fix.peer is None or fix.ports is None:
            continue
        egress = bool(fix.egress)
        before = min((entry.number for entry in _denying_entries(acl, fix)), default=_LAST)
        number = free_entry_number(before, taken[egress])
        if number is not None:
            taken[egress].add(number)
        fixes.append(
            allow_entry(
                where,
                acl_id=acl.id,
                egress=egress,
                ports=fix.ports,
                cidr=fix.peer,
                before=before,
                number=number,
            )
        )
    if fixes:
        return combine(*fixes)
    return where.remedy(f"Allow the traffic in {fault.resource_id}: {fault.explanation}", docs.VPC_NETWORK_ACLS)


def _acl(acl_id: str, path: PullPath) -> NetworkAcl | None:
    acls = path.network.network_acls
    return None if isinstance(acls, Unread) else next((each for each in acls.values() if each.id == acl_id), None)


def _denying_entries(acl: NetworkAcl, fix: Fix) -> Iterator[NetworkAclEntry]:
    """The entries that deny some of the traffic that `fix` has to allow."""
    yield from (entry for entry in acl.entries if entry.egress is fix.egress and not entry.allow and _meets(entry, fix))


def _meets(entry: NetworkAclEntry, fix: Fix) -> bool:
    if entry.protocol not in ("-1", _TCP) or fix.peer is None or fix.ports is None:
        return False
    if entry.ports and entry.protocol == _TCP and (entry.ports[0] > fix.ports[1] or entry.ports[1] < fix.ports[0]):
        return False
    return bool(AddressSet.of(entry.cidr) & AddressSet.of(fix.peer))


def usable_gateway(subnet_id: str, path: PullPath) -> str | None:
    """Return the gateway to route a subnet of nodes to: the internet gateway for public nodes, else a NAT gateway."""
    public = [place.public_address for place, _ in path.paths if place.subnet_id == subnet_id]
    if public and all(isinstance(address, str) for address in public):
        return internet_gateway(path)
    return usable_nat_gateway(path)


def internet_gateway(path: PullPath) -> str | None:
    """Return the internet gateway that is attached to the VPC."""
    gateways, vpc = path.network.internet_gateways, path.network.vpc
    if isinstance(gateways, Unread) or isinstance(vpc, Unread):
        return None
    return next((each.id for each in gateways.values() if each.vpc_id == vpc.id), None)


def usable_nat_gateway(path: PullPath, *, other_than: str = "") -> str | None:
    """Return an available public NAT gateway of the VPC that reaches the internet, other than `other_than`."""
    gateways = path.network.nat_gateways
    if isinstance(gateways, Unread):
        return None
    usable = (nat for nat in gateways.values() if nat.id != other_than and _is_usable(nat, path))
    return min((nat.id for nat in usable), default=None)


def _is_usable(nat: NatGateway, path: PullPath) -> bool:
    if nat.state != "available" or not nat.public:
        return False
    tables = path.network.route_tables
    table = None if isinstance(tables, Unread) else tables.get(nat.subnet_id or "")
    routes = table.routes if table else ()
    return nat.subnet_id is None or any(
        route.destination == _INTERNET and route.active and route.kind is RouteTarget.INTERNET_GATEWAY
        for route in routes
    )


def firewalls_passed_by(subnet_id: str, target: str, path: PullPath) -> tuple[str, ...]:
    """Return the endpoints of firewalls or appliances that a default route of a subnet to `target` would pass by.

    Those in front of an internet gateway are in its own route table. Other subnets lead to those before a NAT gateway.
    """
    tables, firewalls, endpoints = path.network.route_tables, path.network.firewalls, path.network.endpoints
    if isinstance(tables, Unread):
        return ()
    known = () if isinstance(firewalls, Unread) else firewalls
    of_appliances = () if isinstance(endpoints, Unread) else endpoints
    behind = {
        *(subnet for each in known for subnet in each.endpoints.values()),
        *(subnet for each in of_appliances if each.type == "GatewayLoadBalancer" for subnet in each.subnet_ids),
    }
    if subnet_id in behind:
        return ()
    if target in tables:
        routes = [*tables[target].routes]
    elif target.startswith("nat-"):
        routes = [route for table in tables.values() for route in table.routes if route.destination == _INTERNET]
    else:
        routes = []
    return tuple(dict.fromkeys(route.target for route in routes if leads_to_firewall(route)))


def has_route(table_id: str, destination: str, path: PullPath) -> bool:
    """Return whether a route table has a route with exactly this destination. Such a route must be replaced."""
    tables = path.network.route_tables
    known = () if isinstance(tables, Unread) else tables.values()
    return any(route.destination == destination for table in known if table.id == table_id for route in table.routes)


def serves_nodes(table_id: str, path: PullPath) -> bool:
    """Return whether a subnet with this route table holds nodes, which may have no public addresses."""
    return any(table.id == table_id for table in _tables(path))


def routes_to(target: str, path: PullPath) -> list[tuple[str, str]]:
    """Return the routes to `target` in the nodes' own route tables, each as its table and destination."""
    found = [
        (table.id, route.destination) for table in _tables(path) for route in table.routes if route.target == target
    ]
    return list(dict.fromkeys(found))


def _tables(path: PullPath) -> Iterator[RouteTable]:
    """The route tables of the nodes' subnets."""
    tables = path.network.route_tables
    if not isinstance(tables, Unread):
        subnets = dict.fromkeys(place.subnet_id for place, _ in (*path.paths, *path.others))
        yield from (tables[subnet] for subnet in subnets if subnet in tables)
