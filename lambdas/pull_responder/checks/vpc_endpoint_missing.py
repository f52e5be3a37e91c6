"""A VPC endpoint that a private subnet needs does not exist.

What it checks: a pull in a subnet without a route to the internet needs three endpoints in the registry's region:
`ecr.api` for the token, `ecr.dkr` for the manifest and `s3` for the layers. Where the VPC has some of them, the check
names the missing ones. An endpoint that is being deleted counts as missing.

What it cannot see: an endpoint in another VPC. If a Resolver rule, a Route 53 Profile, a private hosted zone or DNS
servers of your own may lead the name there, or if kubelet dialled a private address outside the VPC, the answer is
inconclusive and names them.

Why that stops a pull: the name of the missing endpoint's service resolves to public addresses, and no route leads
there. Without `ecr.api` kubelet says `no basic auth credentials`. Without `s3` the manifest arrives and the layers time
out.

How to fix it: create the endpoint.

References: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)"; Amazon EKS User Guide,
"Deploy private clusters with limited internet access".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.model.pull import PullFailure, Stage, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.endpoint_fix import create_missing_endpoints
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.ENDPOINT_MISSING, pull, facts, create_missing_endpoints)


CHECK = Check(
    id="vpc_endpoint_missing",
    title="A VPC endpoint that the private subnet needs does not exist",
    short="A VPC endpoint is missing",
    again="The private subnet can use the VPC endpoints that it needs again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Vpc",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 5, frozenset({Stage.LAYER})),
        Explains(Symptom.TIMEOUT, 60, frozenset({Stage.TOKEN, Stage.MANIFEST, Stage.UNPACK, None})),
        Explains(Symptom.NOT_AUTHENTICATED, 20),
        Explains(Symptom.UNKNOWN, 20, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.NAME_RESOLUTION_FAILED}),
    refused_by_ecr=False,
)
