"""Fixes to what joins VPCs: exactly what would have to change, for the account that owns it and decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.remediation import docs
from pull_responder.remediation.ec2 import propagate_attachment, route_to_attachment

if TYPE_CHECKING:
    from pull_responder.model.verdict import Remediation
    from pull_responder.network import Fault
    from pull_responder.network.answer import Fix
    from pull_responder.pulls.path import PullPath


def let_gateway_carry(fault: Fault, path: PullPath) -> Remediation:
    """Return what lets a transit gateway carry the traffic. There is a command where the missing route is certain."""
    fix, where = fault.fixes[0], path.where(fault.resource_id)
    if fix.route_table_id:
        return _route(fix, fix.route_table_id, path)
    if fix.subnet_id:
        other = "" if path.owned and path.owned.vpc_id else ", or move the nodes to a zone in which it has one"
        return where.remedy(
            f"Add a subnet of the zone of {fix.subnet_id} to the attachment {fault.resource_id}{other}.",
            docs.TRANSIT_GATEWAY_ATTACHMENTS,
            short="Add a subnet of the node's zone.",
        )
    if fix.target == fault.resource_id:
        return where.remedy(
            f"Bring the attachment {fault.resource_id} into state available: accept it in the account of the transit"
            " gateway, or create it again.",
            docs.TRANSIT_GATEWAY_ATTACHMENTS,
            short="Accept or recreate it.",
        )
    return where.remedy(
        f"Associate the attachment {fault.resource_id} with the route table of {fix.target} that is meant for it.",
        docs.TRANSIT_GATEWAY_TABLES,
        short="Associate it with a table.",
    )


def _route(fix: Fix, table_id: str, path: PullPath) -> Remediation:
    """Return the missing route of a transit gateway's table. A blackhole is there on purpose, and outranks others."""
    where, wanted = path.where(table_id), fix.peer or "the registry's addresses"
    if fix.blackholes:
        to = f" to {fix.target}" if fix.target else ""
        return where.remedy(
            f"In the transit gateway route table {table_id}, replace {'; '.join(fix.blackholes)} by a route for"
            f" {wanted}{to}, if this traffic is meant to pass.",
            docs.TRANSIT_GATEWAY_TABLES,
            short=f"Replace the blackhole{_route_for(fix)}.",
        )
    if fix.target and fix.peer:
        route = propagate_attachment if _has_of_its_own(fix.target, fix.peer, path) else route_to_attachment
        return route(where, table_id=table_id, attachment_id=fix.target, destination=fix.peer)
    return where.remedy(
        f"In the transit gateway route table {table_id}, add a route for {wanted} to the attachment of the VPC that"
        " leads there.",
        docs.TRANSIT_GATEWAY_TABLES,
        short=f"Add a route{_route_for(fix)}.",
    )


def _route_for(fix: Fix) -> str:
    return f" for {fix.peer}" if fix.peer else ""


def _has_of_its_own(attachment_id: str, cidr: str, path: PullPath) -> bool:
    """Return whether an attachment's VPC has these addresses, so that propagation brings them. A peering has none."""
    gateways = path.network.around.gateways.values()
    known = (each.attachments.get(attachment_id) for each in gateways if not isinstance(each, Unread))
    vpcs = {each.resource_id for each in known if each}
    return any(
        not isinstance(each.vpc, Unread)
        and each.vpc.id in vpcs
        and not AddressSet.of(cidr) - AddressSet.of(*each.vpc.cidrs)
        for each in path.networks
    )


def lead_elsewhere(fault: Fault, path: PullPath) -> Remediation:
    """Return what replaces a route over a peering connection that cannot carry the traffic."""
    where = path.where(fault.resource_id)
    return where.remedy(
        f"Let another route take the traffic than the one over {fault.resource_id}: to a NAT gateway of"
        f" {fault.fixes[0].vpc_id}, to a transit gateway, or to endpoints of the VPC. A peering connection that is not"
        " active has to be accepted, or created again.",
        docs.VPC_PEERING_LIMITS,
        short="Route the traffic elsewhere.",
    )
