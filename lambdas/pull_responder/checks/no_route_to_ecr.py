"""No route leads from the node to the registry.

What it checks: whether the route table of the node's subnet (its own, or the VPC's main one) has a route to the
registry's addresses. If the route leads to a NAT gateway, the NAT gateway's own subnet must have a route to an internet
gateway that is attached to the VPC. If a VPC has some of the three endpoints that a pull needs, but not all, the cause
is `vpc_endpoint_missing` instead. If kubelet's message tells a private address outside the VPC, the route to this
address counts. If it names another host, such as the storage of an upstream registry, the route to this host counts.
Where the way leads over a transit gateway or a peering connection, the routes of the other VPC count, too: on from the
gateway, and back to the node. Of a node with IPv4 and IPv6 addresses, one way out of both is enough. A node with IPv6
addresses alone reaches a host that has none over DNS64 and a NAT gateway that translates (NAT64).

What it cannot see: who else answers for the registry's name (DNS servers of your own, the target of a Resolver rule, a
Route 53 Profile), and what lies behind a VPN, Direct Connect, Cloud WAN, an appliance or in an account that cannot be
read. A route that leads there leaves the cause undecided. So do answers that come back past a firewall.

Why that stops a pull: the node cannot connect to api.ecr, to the registry or to S3. kubelet says `i/o timeout`.

How to fix it: route the subnet to a NAT gateway, or create interface endpoints for `ecr.api` and `ecr.dkr` and a
gateway endpoint for S3 in its VPC.

References: Amazon VPC User Guide, "Configure route tables" and "NAT gateway basics"; Amazon EKS User Guide, "Deploy
private clusters with limited internet access".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.ipv6_fix import route_ipv6
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.pulls.path_fix import (
    firewalls_passed_by,
    has_route,
    internet_gateway,
    serves_nodes,
    usable_gateway,
)
from pull_responder.remediation import docs
from pull_responder.remediation.ec2 import route_to

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


_ENDPOINTS: Final = "create the endpoints ecr.api, ecr.dkr and s3 in it"


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.NO_ROUTE, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    return route_ipv6(fault, path) if fault.fixes[0].destination else _route(fault, path)


def _route(fault: Fault, path: PullPath) -> Remediation:  # noqa: PLR0911 -- each return is another fix
    fix = fault.fixes[0]
    where = path.where(fault.resource_id)
    if fix.target and fix.peer and fix.route_table_id:
        return route_to(
            where,
            route_table_id=fix.route_table_id,
            target=fix.target,
            replace=has_route(fix.route_table_id, fix.peer, path),
            destination=fix.peer,
        )
    if fix.address:
        return where.remedy(
            f"Route {fault.resource_id} to the network in which {fix.address} is, for example over a transit gateway, "
            "or let the name resolve to an address that the subnet reaches.",
            docs.VPC_ROUTE_TABLES,
        )
    if any(each.host for each in fault.fixes):
        # The subnet may be without internet on purpose, and only kubelet's words say that it needs it.
        return where.remedy(
            "If a pull through cache rule brings this image, pull it once from a network with internet, so that ECR "
            f"stores its layers. Otherwise route {fault.resource_id} to a NAT gateway of its VPC.",
            docs.VPC_NAT_GATEWAYS,
        )
    is_nat_subnet = fix.peer is not None
    if is_nat_subnet and fix.route_table_id and serves_nodes(fix.route_table_id, path):
        # A route to the internet gateway would cut off nodes that have no public address.
        return where.remedy(
            f"Put the NAT gateway into a public subnet with a route table of its own: {fault.resource_id} shares its "
            f"route table {fix.route_table_id} with nodes. Then route the nodes' subnets to it.",
            docs.VPC_NAT_GATEWAYS,
        )
    target = internet_gateway(path) if is_nat_subnet else usable_gateway(fault.resource_id, path)
    if target and (passed := firewalls_passed_by(fault.resource_id, target, path)):
        return where.remedy(
            f"Route {fault.resource_id} to the endpoint in its zone of the firewall that the VPC's other traffic goes"
            f" through ({', '.join(passed)}): a route to {target} would lead past it.",
            docs.VPC_ROUTE_TABLES,
            short="Route it to the firewall's endpoint.",
        )
    if fix.route_table_id and target:
        return route_to(
            where,
            route_table_id=fix.route_table_id,
            target=target,
            replace=has_route(fix.route_table_id, "0.0.0.0/0", path),
            destination="0.0.0.0/0",
        )
    to = "an internet gateway of its VPC" if is_nat_subnet else "a NAT gateway of its VPC"
    if not is_nat_subnet:
        elsewhere = "over the transit gateway to the VPC that has one" if path.owned else _ENDPOINTS
        to = f"{to}, or {elsewhere}"
    return where.remedy(f"Route {fault.resource_id} to {to}.", docs.VPC_ROUTE_TABLES)


CHECK = Check(
    id="no_route_to_ecr",
    title="No route leads from the node to the registry",
    short="No route to the registry",
    again="The subnet can reach the registry by its routes again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Subnet",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 10),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 10),
        Explains(Symptom.NOT_AUTHENTICATED, 60),
        Explains(Symptom.UNKNOWN, 60, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
