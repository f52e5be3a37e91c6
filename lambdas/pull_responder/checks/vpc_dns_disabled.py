"""The VPC's DNS does not resolve the registry's names: it is off, or a private hosted zone lacks the record.

What it checks: the VPC's enableDnsSupport, and where the traffic goes to an interface endpoint also its
enableDnsHostnames. Without the first, Amazon's DNS server does not answer in the VPC. Without the second, the
endpoint's private names do not resolve. Then the private hosted zone that answers for the name, of the VPC itself or of
its Route 53 Profile: without a record for the name, its answer is that there is none, whatever public DNS has.

What it cannot see: DNS Firewall, the answers of other DNS servers, and the node's own DNS settings. If kubelet got no
address for a name although DNS is on, the answer is inconclusive and names who answers for it.

Why that stops a pull: kubelet says `no such host`, or gets public addresses that no route leads to.

How to fix it: turn the attributes on. In a private hosted zone, add the record: for `ecr.dkr` and S3 one for all names,
with an asterisk.

References: Amazon VPC User Guide, "DNS attributes for your VPC"; AWS PrivateLink Guide, "Private DNS names"; Amazon
Route 53 Developer Guide, "Considerations when working with a private hosted zone".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause, ResourceType
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.remediation import docs
from pull_responder.remediation.ec2 import enable_dns

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the path has no such component, or inconclusive."""
    return examine_path(PathCause.VPC_DNS_DISABLED, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    if fault.resource_type is ResourceType.HOSTED_ZONE:
        return _record(fault, path)
    attributes = dict.fromkeys(name for fix in fault.fixes for name in fix.attributes)
    return enable_dns(path.where(fault.resource_id), vpc_id=fault.resource_id, attributes=tuple(attributes))


def _record(fault: Fault, path: PullPath) -> Remediation:
    """Return which record the zone needs. Whoever made the zone decides to which endpoint it leads."""
    fix = fault.fixes[0]
    hosts = " and ".join(dict.fromkeys(each.host for each in fault.fixes if each.host))
    target = fix.endpoint_id or f"an endpoint for {', '.join(fix.services)}"
    return path.where(fault.resource_id).remedy(
        f"In the private hosted zone {fault.resource_id}, create a record {hosts} of type A, an alias of {target}. If"
        f" the zone is not meant to answer for it, take {fix.vpc_id} out of the zone.",
        docs.PRIVATE_HOSTED_ZONES,
    )


CHECK = Check(
    id="vpc_dns_disabled",
    title="The VPC's DNS does not resolve the registry's names",
    short="The VPC's DNS gives no address",
    again="The VPC's DNS resolves the registry's names again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Vpc",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html",
    examine=examine,
    explains=(
        Explains(Symptom.NAME_RESOLUTION_FAILED, 5),
        Explains(Symptom.NOT_AUTHENTICATED, 140),
        Explains(Symptom.UNKNOWN, 140, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.TIMEOUT}),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
