"""The route to the registry ends in a NAT gateway that is not available.

What it checks: the state of the NAT gateway in the route to the registry. A route in state blackhole leads to a deleted
gateway.

What it cannot see: NAT gateways behind a VPN or a firewall, or in a VPC whose account cannot be read.

Why that stops a pull: a NAT gateway that has failed, is pending or is deleted forwards nothing. kubelet says `i/o
timeout`.

How to fix it: route to another NAT gateway of the VPC, or create one in a public subnet and route to that.

References: Amazon VPC User Guide, "Troubleshoot NAT gateways" and "NAT gateway basics".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.pulls.path_fix import routes_to, usable_nat_gateway
from pull_responder.remediation import docs
from pull_responder.remediation.composition import combine
from pull_responder.remediation.ec2 import route_to

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.NAT_GATEWAY_UNAVAILABLE, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    where = path.where(fault.resource_id)
    broken = fault.resource_id
    other = usable_nat_gateway(path, other_than=broken)
    if other is None:
        return where.remedy(
            f"Create a NAT gateway in a public subnet of the VPC, and replace {broken} by it in the routes.",
            docs.VPC_NAT_GATEWAYS,
        )
    routes = [(table, to) for table, to in routes_to(broken, path) if not to.startswith("pl-")]
    if not routes:
        return where.remedy(f"Replace {broken} by {other} in the routes.", docs.VPC_NAT_GATEWAYS)
    return combine(
        *(route_to(where, route_table_id=table, target=other, replace=True, destination=to) for table, to in routes)
    )


CHECK = Check(
    id="nat_gateway_unavailable",
    title="The route to the registry ends in an unavailable NAT gateway",
    short="The NAT gateway is unavailable",
    again="The NAT gateway on the way to the registry can be used again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 20),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 20),
        Explains(Symptom.NOT_AUTHENTICATED, 70),
        Explains(Symptom.UNKNOWN, 70, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    may_name_missing=True,
    refused_by_ecr=False,
)
