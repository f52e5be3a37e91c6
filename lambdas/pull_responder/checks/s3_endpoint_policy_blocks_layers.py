"""The policy of the S3 endpoint does not let the layers through.

What it checks: whether the policy of the S3 endpoint on the path allows `s3:GetObject` on the bucket that holds ECR's
layers in the registry's region, `prod-REGION-starport-layer-bucket`.

What it cannot see: the policy of an S3 endpoint in another VPC, the policy of ECR's own bucket, and condition keys
whose value AWS does not show.

Why that stops a pull: the manifest arrives, and then S3 refuses the layers. An account of the ECR service signs the
layers' URLs, so the permissions of the node's role do not matter. Conditions on your own organization or account
(`aws:PrincipalOrgID`, `aws:ResourceOrgID`, `aws:ResourceAccount`) never hold for these URLs.

How to fix it: allow `s3:GetObject` on the bucket's objects to everybody, without conditions.

References: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)", "Minimum Amazon S3 bucket
permissions for Amazon ECR"; AWS PrivateLink Guide, "Gateway endpoints for Amazon S3".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import State
from pull_responder.authorization.request import UNKNOWN, Request
from pull_responder.checks.check import UNREACHED, Check, Explains
from pull_responder.model.pull import Answer, PullFailure, Stage, Symptom
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import VpcEndpoint
from pull_responder.pulls.deciding_policies import deciding_endpoints
from pull_responder.pulls.endpoint_on_path import EndpointOnPath, EndpointOutcome, endpoint_on_path, examine_policy
from pull_responder.pulls.path import PATH_PERMISSIONS
from pull_responder.pulls.policy_proof import prove_endpoints
from pull_responder.remediation.endpoint_policy import allow_layers

if TYPE_CHECKING:
    from pull_responder.authorization.request import ContextValue
    from pull_responder.pulls.pull_facts import PullFacts

# AWS publishes neither the account nor the organization of ECR. These ids stand in for them and belong to nobody.
_ECR_ACCOUNT: Final = "000000000000"
_ECR_ORGANIZATION: Final = "o-ecr0000000"
_ACCOUNT: Final = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the layers pass no S3 endpoint, or inconclusive."""
    way = endpoint_on_path(pull, facts, Stage.LAYER)
    if isinstance(way, Unread):
        return Verdict.inconclusive(way.reason)
    if way.endpoint is None or not way.endpoint.service_name.endswith(".s3"):
        return Verdict.not_applicable("the layers pass no VPC endpoint for S3")
    bucket = f"arn:{pull.partition}:s3:::prod-{pull.region}-starport-layer-bucket"
    found = examine_policy(way.endpoint, _request(pull, way, bucket))
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    if found.state() is State.UNDECIDED:
        keys = ", ".join(map(str, found.unknown))
        return Verdict.inconclusive(
            Reason(
                f"the policy of {way.endpoint.id} depends on {keys}, whose value is not known",
                f"Compare {keys} of the node's requests with the policy of {way.endpoint.id} in the VPC console.",
            )
        )
    if found.state() is State.OPEN:
        return Verdict.passed(f"The policy of {way.endpoint.id} allows s3:GetObject on {bucket}/*.")
    return _failure(way, way.endpoint, found, bucket)


def _request(pull: PullFailure, way: EndpointOnPath, bucket: str) -> Request:
    signer = f"arn:{pull.partition}:iam::{_ECR_ACCOUNT}:role/ecr"
    endpoint = way.endpoint.id if way.endpoint else ()
    vpc = way.vpc_id
    # A policy may name the service's account: any account but those of the nodes, the VPC and the registry.
    policy = (way.endpoint.policy if way.endpoint else None) or ""
    ours = {way.path.nodes.account, way.path.owner, pull.registry_account}
    foreign = set(_ACCOUNT.findall(policy)) - ours
    account: ContextValue = UNKNOWN if foreign else _ECR_ACCOUNT
    context: dict[str, ContextValue] = {
        "aws:*": UNKNOWN,
        "s3:*": UNKNOWN,
        "aws:PrincipalAccount": account,
        "aws:PrincipalOrgID": _ECR_ORGANIZATION,
        "aws:RequestedRegion": pull.region,
        "aws:ResourceAccount": account,
        "aws:ResourceOrgID": _ECR_ORGANIZATION,
        "aws:SecureTransport": "true",
        "aws:SourceIp": (),
        "aws:SourceVpc": vpc if isinstance(vpc, str) else UNKNOWN,
        "aws:SourceVpce": endpoint,
    }
    return Request(signer, "s3:GetObject", f"{bucket}/layer", _ECR_ACCOUNT, context)


def _failure(way: EndpointOnPath, endpoint: VpcEndpoint, found: EndpointOutcome, bucket: str) -> Verdict:
    denied = found.by_denies.state is State.BLOCKS_EXPLICITLY
    fix = allow_layers(
        way.path.where(endpoint.id),
        endpoint_id=endpoint.id,
        document=endpoint.policy,
        bucket=bucket,
        denied=denied,
        lacks_allow=found.by_allows.state is State.BLOCKS_IMPLICITLY,
    )
    return Verdict.failed(
        resource=way.path.resource("Other", endpoint.id),
        explanation=(
            f"The policy of S3 endpoint {endpoint.id} {'denies' if denied else 'does not allow'} s3:GetObject on "
            f"{bucket}/*. Nodes fetch the layers from this bucket, by URLs that ECR signs."
        ),
        evidence=(f"{endpoint.id}: {(endpoint.policy or '')[:1500]}",),
        remediation=prove_endpoints(fix, [found]),
        policies=deciding_endpoints([found]),
    )


CHECK = Check(
    id="s3_endpoint_policy_blocks_layers",
    title="The policy of the S3 endpoint does not let the layers through",
    short="S3 endpoint stops the layers",
    again="The policy of the S3 endpoint lets the layers through again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 5, frozenset({Stage.LAYER})),
        Explains(Symptom.UNKNOWN, 290, frozenset({Stage.LAYER, None})),
    ),
    also_at=UNREACHED | {Symptom.NOT_AUTHENTICATED},
    answers=frozenset({Answer.STORAGE}),
    refused_by_ecr=False,
)
