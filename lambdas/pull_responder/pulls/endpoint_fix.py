"""Fixes to VPC endpoints, made from what is known of the VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.unread import Unread
from pull_responder.remediation import docs
from pull_responder.remediation.composition import combine
from pull_responder.remediation.ec2 import (
    add_endpoint_subnets,
    create_endpoints,
    create_gateway_endpoint,
    create_interface_endpoint,
    enable_dns,
)

if TYPE_CHECKING:
    from pull_responder.model.verdict import Remediation
    from pull_responder.network import Fault, VpcEndpoint
    from pull_responder.pulls.path import PullPath


def endpoint_of(endpoint_id: str, path: PullPath) -> VpcEndpoint | None:
    """Return an endpoint of the VPC by its id."""
    return next((each for each in _endpoints(path) if each.id == endpoint_id), None)


def fix_endpoint(fault: Fault, path: PullPath) -> Remediation:
    """Add subnets to an endpoint without network interfaces. An endpoint in another state must be created again."""
    where, endpoint = path.where(fault.resource_id), endpoint_of(fault.resource_id, path)
    bare = endpoint and endpoint.type == "Interface" and not endpoint.subnet_ids
    if endpoint and bare and endpoint.state.lower() == "available" and path.owned is None:
        return add_endpoint_subnets(where, endpoint_id=endpoint.id, subnet_ids=_one_a_zone(path))
    if endpoint and endpoint.interfaces and endpoint.state.lower() == "available":
        summary = (
            f"Give the endpoint {fault.resource_id} IPv6 addresses and records, too (IP address type and DNS record IP"
            " type dualstack), or the nodes IPv4 addresses."
        )
    elif endpoint and endpoint.state.lower() == "pendingacceptance":
        summary = f"Accept the endpoint {fault.resource_id} in the account of its service, or create it again."
    else:
        state = f", which is in state {endpoint.state}," if endpoint else ""
        summary = f"Delete the endpoint {fault.resource_id}{state} and create it again."
    return where.remedy(summary, docs.ECR_VPC_ENDPOINTS)


def create_missing_endpoints(fault: Fault, path: PullPath) -> Remediation:
    """Create the missing endpoints: S3's in the nodes' route tables, the others in the nodes' subnets.

    They get the security groups of the VPC's other endpoints, or the nodes' own groups where these allow traffic among
    themselves. Without such groups there are no commands: the VPC's default group would not let the nodes in.
    """
    where = path.where(fault.resource_id)
    services = sorted({service for fix in fault.fixes for service in fix.services})
    tables = sorted({fix.route_table_id for fix in fault.fixes if fix.route_table_id})
    groups = _groups(path)
    if not services:
        summary = (
            "Use the plain registry host, which endpoints serve, in the image name, or route the subnet to a NAT "
            "gateway."
        )
        return where.remedy(summary, docs.ECR_VPC_ENDPOINTS)
    if fault.resource_id == "the VPC" or not groups or not tables:
        return create_endpoints(where, vpc_id=fault.resource_id, services=services, commands=())
    commands = [
        create_gateway_endpoint(where, vpc_id=fault.resource_id, service=service, route_table_ids=tables)
        if service.endswith(".s3")
        else create_interface_endpoint(
            where, vpc_id=fault.resource_id, service=service, subnet_ids=_one_a_zone(path), group_ids=groups
        )
        for service in services
    ]
    created = create_endpoints(where, vpc_id=fault.resource_id, services=services, commands=commands)
    off = _dns_attributes_off(path)
    # EC2 refuses private DNS for an endpoint in a VPC whose DNS attributes are off.
    return combine(enable_dns(where, vpc_id=fault.resource_id, attributes=off), created) if off else created


def _endpoints(path: PullPath) -> tuple[VpcEndpoint, ...]:
    return () if isinstance(path.network.endpoints, Unread) else path.network.endpoints


def _dns_attributes_off(path: PullPath) -> tuple[str, ...]:
    vpc = path.network.vpc
    if isinstance(vpc, Unread):
        return ()
    values = {"enableDnsSupport": vpc.dns_support, "enableDnsHostnames": vpc.dns_hostnames}
    return tuple(name for name, value in values.items() if value is False)


def _groups(path: PullPath) -> tuple[str, ...]:
    existing = (
        endpoint.group_ids
        for endpoint in _endpoints(path)
        if endpoint.type == "Interface" and ".ecr." in endpoint.service_name and endpoint.group_ids
    )
    if known := next(existing, None):
        return known
    groups = path.network.security_groups
    if isinstance(groups, Unread):
        return ()
    nodes = {group for place, _ in path.paths if not isinstance(place.group_ids, Unread) for group in place.group_ids}
    return tuple(
        group
        for group in sorted(nodes)
        if group in groups
        # The owner of a shared VPC creates the endpoint, and cannot give it a group of another account.
        and path.group_owner(group) == path.owner
        and any(rule.peer == group and rule.protocol == "-1" for rule in groups[group].ingress)
    )


def _one_a_zone(path: PullPath) -> tuple[str, ...]:
    """Return one of the nodes' subnets for each Availability Zone. An endpoint takes no more than one a zone."""
    subnets = path.network.subnets
    chosen: dict[str, str] = {}
    for place, _ in (*path.paths, *path.others):
        subnet = None if isinstance(subnets, Unread) else subnets.get(place.subnet_id)
        chosen.setdefault((subnet and subnet.availability_zone) or place.subnet_id, place.subnet_id)
    return tuple(chosen.values())
