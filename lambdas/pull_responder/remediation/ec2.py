"""Fixes to a VPC. Their commands need credentials of the account that owns the VPC.

A fix has commands only if they are certain to be right. It never decides which subnet becomes public, or who pays for a
NAT gateway.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.shell import Command, aws

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# The highest number of a network ACL entry (Amazon VPC User Guide, "Network ACL rules").
LAST_ENTRY: Final = 32_766


@dataclass(frozen=True, slots=True)
class Where:
    """The account and the region that a fix is for."""

    account: str
    region: str

    def remedy(self, summary: str, docs_url: str, *commands: Command, short: str = "") -> Remediation:
        """Return a remediation for this account and region. `short` is the summary in few words, for narrow places."""
        return Remediation(summary, self.account, self.region, docs_url, commands, short=short)

    def ec2(self, operation: str, *flags: str, **options: str) -> Command:
        """Return an EC2 command for this region."""
        return aws("ec2", operation, *flags, **options, region=self.region)


def allow_https(
    where: Where, *, group_id: str, peer: str, egress: bool, peer_account: str | None = None
) -> Remediation:
    """Allow TCP 443 out of a security group to `peer`, or in from `peer` if `egress` is false.

    `peer` is a CIDR block, a security group or a prefix list. `peer_account` is needed only for a security group of
    another account, in a shared VPC.
    """
    way, to = ("egress", "to") if egress else ("ingress", "from")
    permission = json.dumps([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **_peer(peer, peer_account)}])
    operation = f"authorize-security-group-{way}"
    return where.remedy(
        f"Add a rule to the security group {group_id} that allows TCP 443 {to} {peer}.",
        docs.VPC_SECURITY_GROUP_RULES,
        where.ec2(operation, group_id=group_id, ip_permissions=permission),
    )


def _peer(peer: str, account: str | None) -> dict[str, list[dict[str, str]]]:
    if peer.startswith("sg-"):
        return {"UserIdGroupPairs": [{"GroupId": peer, **({"UserId": account} if account else {})}]}
    if peer.startswith("pl-"):
        return {"PrefixListIds": [{"PrefixListId": peer}]}
    return {"Ipv6Ranges": [{"CidrIpv6": peer}]} if ":" in peer else {"IpRanges": [{"CidrIp": peer}]}


def allow_entry(  # noqa: PLR0913 -- an entry has that many parts
    where: Where, *, acl_id: str, egress: bool, ports: tuple[int, int], cidr: str, before: int, number: int | None
) -> Remediation:
    """Add an entry to a network ACL that allows TCP on `ports` with `cidr`, ahead of the entry number `before`.

    `number` is the new entry's own. None means that no number is free ahead of that entry: then there is no command.
    """
    way = "egress to" if egress else "ingress from"
    span = "-".join(str(port) for port in dict.fromkeys(ports))
    summary = f"In the network ACL {acl_id}, allow TCP {span} {way} {cidr}, ahead of entry {before}."
    if number is None:
        problem = f"No entry number below {before} is free: renumber the entries first."
        return where.remedy(f"{summary} {problem}", docs.VPC_NETWORK_ACLS)
    block = {"ipv6_cidr_block": cidr} if ":" in cidr else {"cidr_block": cidr}
    command = where.ec2(
        "create-network-acl-entry",
        "--egress" if egress else "--ingress",
        network_acl_id=acl_id,
        rule_number=str(number),
        protocol="6",
        port_range=f"From={ports[0]},To={ports[1]}",
        rule_action="allow",
        **block,
    )
    return where.remedy(summary, docs.VPC_NETWORK_ACLS, command)


def free_entry_number(before: int, taken: Collection[int]) -> int | None:
    """Return the highest number ahead of entry `before` that is not `taken`, None if there is none."""
    free = (number for number in range(min(before - 1, LAST_ENTRY), 0, -1) if number not in taken)
    return next(free, None)


def create_interface_endpoint(
    where: Where, *, vpc_id: str, service: str, subnet_ids: Sequence[str], group_ids: Sequence[str]
) -> Command:
    """Return the command that creates an interface endpoint with private DNS.

    Without `group_ids`, EC2 gives it the VPC's default security group.
    """
    command = where.ec2(
        "create-vpc-endpoint",
        "--private-dns-enabled",
        vpc_id=vpc_id,
        vpc_endpoint_type="Interface",
        service_name=service,
    )
    groups = ("--security-group-ids", *group_ids) if group_ids else ()
    return (*command, "--subnet-ids", *subnet_ids, *groups)


def create_gateway_endpoint(where: Where, *, vpc_id: str, service: str, route_table_ids: Sequence[str]) -> Command:
    """Return the command that creates a gateway endpoint and adds it to the route tables."""
    command = where.ec2("create-vpc-endpoint", vpc_id=vpc_id, vpc_endpoint_type="Gateway", service_name=service)
    return (*command, "--route-table-ids", *route_table_ids)


def create_endpoints(where: Where, *, vpc_id: str, services: Sequence[str], commands: Sequence[Command]) -> Remediation:
    """Create the endpoints for `services` with `commands`."""
    summary = f"Create the VPC {'endpoint' if len(services) == 1 else 'endpoints'} {', '.join(services)} in {vpc_id}."
    return where.remedy(summary, docs.ECR_VPC_ENDPOINTS, *commands)


def enable_private_dns(where: Where, *, endpoint_id: str) -> Remediation:
    """Turn on private DNS for an interface endpoint, so that the service's name resolves to it in the whole VPC."""
    return where.remedy(
        f"Turn on private DNS for the endpoint {endpoint_id}.",
        docs.ECR_VPC_ENDPOINTS,
        where.ec2("modify-vpc-endpoint", "--private-dns-enabled", vpc_endpoint_id=endpoint_id),
    )


def answer_vpc_queries(where: Where, *, endpoint_id: str) -> Remediation:
    """Make the private DNS of an S3 endpoint answer queries from the VPC, not only from inbound Resolver endpoints."""
    option = "PrivateDnsOnlyForInboundResolverEndpoint=false"
    return where.remedy(
        f"Make the private DNS of the endpoint {endpoint_id} also answer queries from the VPC.",
        docs.ECR_VPC_ENDPOINTS,
        where.ec2("modify-vpc-endpoint", vpc_endpoint_id=endpoint_id, dns_options=option),
    )


def add_to_route_table(where: Where, *, endpoint_id: str, route_table_id: str) -> Remediation:
    """Add a gateway endpoint to a route table, so that it routes S3's addresses to the endpoint."""
    return where.remedy(
        f"Add the gateway endpoint {endpoint_id} to the route table {route_table_id}.",
        docs.VPC_GATEWAY_ENDPOINTS,
        where.ec2("modify-vpc-endpoint", vpc_endpoint_id=endpoint_id, add_route_table_ids=route_table_id),
    )


def enable_dns(where: Where, *, vpc_id: str, attributes: Sequence[str]) -> Remediation:
    """Turn on DNS attributes of a VPC (enableDnsSupport, enableDnsHostnames). EC2 takes one attribute for each call."""
    options = {"enableDnsSupport": "--enable-dns-support", "enableDnsHostnames": "--enable-dns-hostnames"}
    commands = [where.ec2("modify-vpc-attribute", options[name], "Value=true", vpc_id=vpc_id) for name in attributes]
    return where.remedy(f"Turn on {' and '.join(attributes)} of {vpc_id}.", docs.VPC_DNS_ATTRIBUTES, *commands)


_ROUTE_TARGETS: Final = {
    "nat": "nat_gateway_id",
    "igw": "gateway_id",
    "eigw": "egress_only_internet_gateway_id",
    "tgw": "transit_gateway_id",
    "pcx": "vpc_peering_connection_id",
    "vpce": "vpc_endpoint_id",
}


def route_to(where: Where, *, route_table_id: str, target: str, replace: bool, destination: str) -> Remediation:
    """Route `destination` to a gateway, an endpoint or a peering. `replace` if the table has a route for it."""
    block = "destination_ipv6_cidr_block" if ":" in destination else "destination_cidr_block"
    kind = _ROUTE_TARGETS[target.partition("-")[0]]
    options = {"route_table_id": route_table_id, block: destination, kind: target}
    return where.remedy(
        f"In the route table {route_table_id}, route {destination} to {target}.",
        docs.VPC_ROUTE_TABLES,
        where.ec2("replace-route" if replace else "create-route", **options),
    )


def enable_dns64(where: Where, *, subnet_id: str) -> Remediation:
    """Let Amazon's DNS server give nodes of a subnet IPv6 addresses for names that have IPv4 addresses alone."""
    return where.remedy(
        f"Turn on DNS64 in {subnet_id}.",
        docs.VPC_NAT64,
        where.ec2("modify-subnet-attribute", "--enable-dns64", subnet_id=subnet_id),
    )


def propagate_attachment(where: Where, *, table_id: str, attachment_id: str, destination: str) -> Remediation:
    """Propagate an attachment's routes to a route table of a transit gateway."""
    return where.remedy(
        f"Propagate {attachment_id} to the transit gateway route table {table_id}, so that it routes {destination}"
        " there.",
        docs.TRANSIT_GATEWAY_PROPAGATION,
        where.ec2(
            "enable-transit-gateway-route-table-propagation",
            transit_gateway_route_table_id=table_id,
            transit_gateway_attachment_id=attachment_id,
        ),
    )


def route_to_attachment(where: Where, *, table_id: str, attachment_id: str, destination: str) -> Remediation:
    """Add a static route to a table of a transit gateway, where propagation brings none: to another VPC's addresses."""
    return where.remedy(
        f"In the transit gateway route table {table_id}, route {destination} to {attachment_id}.",
        docs.TRANSIT_GATEWAY_TABLES,
        where.ec2(
            "create-transit-gateway-route",
            destination_cidr_block=destination,
            transit_gateway_route_table_id=table_id,
            transit_gateway_attachment_id=attachment_id,
        ),
    )


def assign_public_addresses(where: Where, *, subnet_id: str) -> Remediation:
    """Give new nodes of a public subnet public addresses. Running nodes get none."""
    return where.remedy(
        f"Turn on automatic public IPv4 addresses in {subnet_id} and replace its nodes, or move the nodes to private"
        " subnets that route to a NAT gateway.",
        docs.VPC_INTERNET_GATEWAYS,
        where.ec2("modify-subnet-attribute", "--map-public-ip-on-launch", subnet_id=subnet_id),
    )


def add_endpoint_subnets(where: Where, *, endpoint_id: str, subnet_ids: Sequence[str]) -> Remediation:
    """Add subnets to an interface endpoint, so that it gets a network interface in each."""
    command = where.ec2("modify-vpc-endpoint", vpc_endpoint_id=endpoint_id)
    return where.remedy(
        f"Add subnets to the endpoint {endpoint_id}.",
        docs.ECR_VPC_ENDPOINTS,
        (*command, "--add-subnet-ids", *subnet_ids),
    )


def enable_metadata(where: Where, *, instance_ids: Sequence[str], template_id: str | None) -> Remediation:
    """Turn on the metadata endpoint of running instances. The summary also names the launch template of new ones."""
    later = f" Also set HttpEndpoint to enabled in the launch template {template_id}." if template_id else ""
    which = f"the instances {', '.join(instance_ids)}" if instance_ids else "nodes"
    commands = [
        where.ec2("modify-instance-metadata-options", instance_id=each, http_endpoint="enabled")
        for each in instance_ids
    ]
    summary = f"Turn on the instance metadata endpoint of {which}.{later}"
    return where.remedy(summary, docs.EC2_METADATA_OPTIONS, *commands)
