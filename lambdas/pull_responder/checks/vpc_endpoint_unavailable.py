"""A VPC endpoint on the path to the registry takes no traffic.

What it checks: whether the endpoint is in state available. An interface endpoint must also have a network interface in
some subnet, with an IP version that the node uses. Its Availability Zone does not matter.

What it cannot see: endpoints in another VPC to which no name leads that can be followed, and whether the service behind
an endpoint answers.

Why that stops a pull: an endpoint that has failed, or still waits for acceptance, takes no connection. kubelet says
`i/o timeout`. An endpoint with private DNS takes the traffic of its whole VPC, even where a NAT gateway would have
worked.

How to fix it: add subnets to an endpoint that has none. Otherwise delete it and create it again.

References: AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint", endpoint states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.model.pull import PullFailure, Stage, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.endpoint_fix import fix_endpoint
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.ENDPOINT_UNAVAILABLE, pull, facts, fix_endpoint)


CHECK = Check(
    id="vpc_endpoint_unavailable",
    title="A VPC endpoint on the way to the registry is not available",
    short="A VPC endpoint is unavailable",
    again="The VPC endpoint can be used again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 65, frozenset({Stage.LAYER})),
        Explains(Symptom.TIMEOUT, 80, frozenset({Stage.TOKEN, Stage.MANIFEST, Stage.UNPACK, None})),
        Explains(Symptom.NOT_AUTHENTICATED, 120),
        Explains(Symptom.UNKNOWN, 120, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.NAME_RESOLUTION_FAILED}),
    may_name_missing=True,
    refused_by_ecr=False,
)
