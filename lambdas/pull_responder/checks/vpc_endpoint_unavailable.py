"""A VPC endpoint on the way to the registry takes no traffic.

What it checks: whether the endpoint that the traffic goes to is in state available, and an interface endpoint has a
network interface in some subnet, of an IP version that the node speaks. In which zone does not matter.

Why that stops a pull: an endpoint that failed, or still waits for acceptance, takes no connection; kubelet says `i/o
timeout`. An endpoint with private DNS takes the traffic of its whole VPC, also where a NAT gateway would have worked.

How to fix it: give it subnets where it has none; else delete it and create it anew.

References: AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint", endpoint states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Stage, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.endpoint_fix import mend_endpoint
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the proof, passed, not applicable where the way has no such part, or inconclusive."""
    return examine_path(PathCause.ENDPOINT_UNAVAILABLE, pull, facts, mend_endpoint)


CHECK = Check(
    id="vpc_endpoint_unavailable",
    title="A VPC endpoint on the way to the registry is not available",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 65, frozenset({Stage.LAYER})),
        Explains(Symptom.TIMEOUT, 80, frozenset({Stage.TOKEN, Stage.MANIFEST, Stage.UNPACK, None})),
        Explains(Symptom.NOT_AUTHENTICATED, 120),
        Explains(Symptom.UNKNOWN, 120),
    ),
    also_at=frozenset({Symptom.NAME_RESOLUTION_FAILED}),
    ecr_public=UNREACHED,
    may_name_missing=True,
    refused_by_ecr=False,
)
