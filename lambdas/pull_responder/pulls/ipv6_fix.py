"""Fixes to the routes of IPv6: to a gateway that carries it, or to a NAT gateway that translates it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network import RouteTarget
from pull_responder.network.addresses import NAT64_BLOCK
from pull_responder.pulls.path_fix import has_route, internet_gateway, usable_nat_gateway
from pull_responder.remediation import docs
from pull_responder.remediation.composition import combine
from pull_responder.remediation.ec2 import enable_dns64, route_to

if TYPE_CHECKING:
    from pull_responder.model.verdict import Remediation
    from pull_responder.network import Fault, Route
    from pull_responder.network.answer import Fix
    from pull_responder.pulls.path import PullPath

_INTERNET: Final = "0.0.0.0/0"


def route_ipv6(fault: Fault, path: PullPath) -> Remediation:
    """Return the route of IPv6 that a subnet lacks; with DNS64, if nodes need that, too."""
    by_destination = {fix.destination: fix for fix in fault.fixes if fix.destination}
    first, *others = [
        _translate(fault.resource_id, fix, path) if destination == NAT64_BLOCK else _lead_out(fault, fix, path)
        for destination, fix in by_destination.items()
    ]
    return combine(first, *others)


def _lead_out(fault: Fault, fix: Fix, path: PullPath) -> Remediation:
    """Route to the gateway by which the subnet's other traffic gets out: an egress-only one for private subnets."""
    where, subnet, destination = path.where(fault.resource_id), fault.resource_id, fix.destination or ""
    routes = _routes_of(subnet, path)
    is_public = any(each.destination == _INTERNET and each.kind is RouteTarget.INTERNET_GATEWAY for each in routes)
    target = internet_gateway(path) if is_public else _egress_only_gateway(path)
    if target is None or fix.route_table_id is None:
        return where.remedy(
            f"Route {destination} of {subnet} to an egress-only internet gateway of its VPC.",
            docs.VPC_EGRESS_ONLY_GATEWAYS,
        )
    return route_to(
        where,
        route_table_id=fix.route_table_id,
        target=target,
        replace=has_route(fix.route_table_id, destination, path),
        destination=destination,
    )


def _translate(subnet_id: str, fix: Fix, path: PullPath) -> Remediation:
    where, subnets = path.where(subnet_id), path.network.subnets
    subnet = None if isinstance(subnets, Unread) else subnets.get(subnet_id)
    needs_dns64 = subnet is not None and not subnet.dns64
    turned_on = [enable_dns64(where, subnet_id=subnet_id)] if needs_dns64 else []
    if turned_on and _is_translated(subnet_id, path):
        return turned_on[0]
    target = usable_nat_gateway(path)
    if target is None or fix.route_table_id is None:
        also = f"Turn on DNS64 in {subnet_id}, and route" if needs_dns64 else "Route"
        return where.remedy(f"{also} {NAT64_BLOCK} of {subnet_id} to a NAT gateway of its VPC.", docs.VPC_NAT64)
    route = route_to(
        where,
        route_table_id=fix.route_table_id,
        target=target,
        replace=has_route(fix.route_table_id, NAT64_BLOCK, path),
        destination=NAT64_BLOCK,
    )
    return combine(route, *turned_on)


def _is_translated(subnet_id: str, path: PullPath) -> bool:
    """Return whether the subnet has a route to a NAT gateway for what DNS64 makes."""
    routes = _routes_of(subnet_id, path)
    return any(each.destination == NAT64_BLOCK and each.kind is RouteTarget.NAT_GATEWAY for each in routes)


def _routes_of(subnet_id: str, path: PullPath) -> tuple[Route, ...]:
    tables = path.network.route_tables
    table = None if isinstance(tables, Unread) else tables.get(subnet_id)
    return tuple(each for each in table.routes if each.active) if table else ()


def _egress_only_gateway(path: PullPath) -> str | None:
    """Return the egress-only internet gateway that is attached to the VPC."""
    gateways, vpc = path.network.egress_only_gateways, path.network.vpc
    if isinstance(gateways, Unread) or isinstance(vpc, Unread):
        return None
    return min((each.id for each in gateways.values() if each.vpc_id == vpc.id), default=None)
