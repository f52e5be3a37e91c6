"""The S3 gateway endpoint is not in the route table of the node's subnet.

What it checks: where a subnet has no route to the internet and its VPC has a gateway endpoint for S3, whether the
subnet's route table has the route from S3's prefix list to the endpoint.

What it cannot see: a way to S3 through another VPC that was not followed.

Why that stops a pull: the layers of an image come from S3. The manifest arrives, and then the layers time out
(`…starport-layer-bucket…: i/o timeout`).

How to fix it: add the endpoint to the route table.

References: AWS PrivateLink Guide, "Gateway endpoints for Amazon S3"; Amazon ECR User Guide, "Amazon ECR interface VPC
endpoints", "Create the Amazon S3 gateway endpoint".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import Check, Explains
from pull_responder.model.pull import PullFailure, Stage, Symptom
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.remediation import docs
from pull_responder.remediation.ec2 import add_to_route_table

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.S3_NOT_IN_ROUTE_TABLE, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    where, fix = path.where(fault.resource_id), fault.fixes[0]
    if fix.endpoint_id and fix.route_table_id:
        return add_to_route_table(where, endpoint_id=fix.endpoint_id, route_table_id=fix.route_table_id)
    return where.remedy(
        f"Add the gateway endpoint {fix.endpoint_id} to the route table of {fix.subnet_id}.", docs.VPC_GATEWAY_ENDPOINTS
    )


CHECK = Check(
    id="s3_endpoint_not_in_route_table",
    title="The S3 gateway endpoint is not in the subnet's route table",
    short="No route to the S3 endpoint",
    again="The S3 gateway endpoint is in the route table again",
    severity=Severity.HIGH,
    resource_type="AwsEc2RouteTable",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 1, frozenset({Stage.LAYER})),
        Explains(Symptom.TIMEOUT, 100, frozenset({None})),
        Explains(Symptom.UNKNOWN, 280, frozenset({Stage.LAYER, None})),
    ),
    also_at=frozenset({Symptom.NAME_RESOLUTION_FAILED}),
    refused_by_ecr=False,
)
