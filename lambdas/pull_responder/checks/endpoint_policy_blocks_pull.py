"""The policy of a VPC endpoint for ECR stops the pull.

What it checks: whether AWS's error blames the policy of the `ecr.api` or `ecr.dkr` interface endpoint that the request
came through.

Why that stops a pull: what an endpoint's policy does not allow does not pass through it. Its Principal counts, too.

How to fix it: the owner of the VPC lets the pull actions through the endpoint's policy.

References: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)", endpoint policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import Layer, State
from pull_responder.checks.check import Check
from pull_responder.checks.layer_fault import actions, aws_said, find_fault, wanted
from pull_responder.checks.pull_authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.model.pull import PolicyType, PullFailure
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.remediation import by_hand

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts


def examine(pull: PullFailure, facts: Facts) -> Verdict:
    """Return failed where AWS blames it, else inconclusive."""
    fault = find_fault(pull, facts, Layer.ENDPOINT, (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=(
            f"The policy of the VPC endpoint on the way to ECR stops {', '.join(actions(fault, pull))} for the role "
            f"{role}."
        ),
        evidence=aws_said(pull),
        remediation=by_hand.endpoint_policy(wanted(fault, pull), account=role.account, region=pull.region),
    )


CHECK = Check(
    id="endpoint_policy_blocks_pull",
    title="The policy of a VPC endpoint for ECR stops the pull",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    examine=examine,
    policy_type=PolicyType.VPC_ENDPOINT,
)
