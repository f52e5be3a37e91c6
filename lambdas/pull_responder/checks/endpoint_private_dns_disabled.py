"""The interface endpoint has private DNS off, so the registry's name resolves to public addresses.

What it checks: where a subnet has no route to the internet, whether private DNS of the interface endpoint answers for
the service's name in the VPC.

What it cannot see: names that are resolved outside of the VPC's own DNS: by a Route 53 Profile, a Resolver rule or DNS
servers of the DHCP options, as far as these cannot be read.

Why that stops a pull: kubelet resolves `api.ecr.…` or the registry's host to public addresses, and no route leads
there. It says `i/o timeout`, or `no basic auth credentials` where this is the `ecr.api` endpoint.

How to fix it: turn private DNS on.

References: AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint", private DNS names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.model.pull import PullFailure, Stage, Symptom
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.endpoint_fix import endpoint_of
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.remediation.ec2 import answer_vpc_queries, enable_private_dns

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.PRIVATE_DNS_DISABLED, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    where, endpoint = path.where(fault.resource_id), endpoint_of(fault.resource_id, path)
    if endpoint is not None and endpoint.private_dns_inbound_only:
        return answer_vpc_queries(where, endpoint_id=endpoint.id)
    return enable_private_dns(where, endpoint_id=fault.resource_id)


CHECK = Check(
    id="endpoint_private_dns_disabled",
    title="The interface endpoint has private DNS off",
    short="Endpoint has private DNS off",
    again="The registry's name leads to the endpoint again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 90, frozenset({Stage.TOKEN, Stage.MANIFEST, Stage.UNPACK, None})),
        Explains(Symptom.NOT_AUTHENTICATED, 130),
        Explains(Symptom.UNKNOWN, 130, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.NAME_RESOLUTION_FAILED}),
    refused_by_ecr=False,
)
