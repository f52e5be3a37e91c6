"""A firewall of AWS Network Firewall on the way drops the connection to one of the registry's hosts.

What it checks: the firewall to whose endpoint the way leads, in the nodes' VPC or in an egress VPC behind a transit
gateway. Its policy's default actions, its domain lists and its rules by addresses and ports are held against the names
of api.ecr, of the registry and of the layers' bucket, with the node's address against HOME_NET.

What it cannot see: what stateless rule groups and Suricata rules do, rules with more options than an id, and appliances
behind a Gateway Load Balancer. They leave the cause undecided.

Why that stops a pull: a list that allows some domains denies all others. It often has the registry's name and not that
of the layers' bucket, or lacks the FIPS or dual-stack names. kubelet says `i/o timeout` or `connection reset`.

How to fix it: add the names to the domain list, or the nodes' range to HOME_NET. Whoever owns the firewall decides.

References: AWS Network Firewall Developer Guide, "Stateful domain list rule groups" and "Managing evaluation order for
Suricata compatible rules".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Severity, Verdict
from pull_responder.network import PathCause
from pull_responder.pulls.host_words import few_words
from pull_responder.pulls.path import PATH_PERMISSIONS, examine_path
from pull_responder.remediation import docs

if TYPE_CHECKING:
    from pull_responder.network import Fault
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where no firewall is on the way, or inconclusive."""
    return examine_path(PathCause.NETWORK_FIREWALL_BLOCKS, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    hosts = ", ".join(dict.fromkeys(fix.host for fix in fault.fixes if fix.host))
    return path.where(fault.resource_id).remedy(
        f"Let {hosts} pass {fault.resource_id}: name them in a domain list that allows, or take them out of the one"
        " that denies. Whoever owns the firewall decides.",
        docs.NETWORK_FIREWALL_DOMAINS,
        short=f"Let {few_words(fix.host for fix in fault.fixes if fix.host)} pass.",
    )


CHECK = Check(
    id="network_firewall_blocks_registry",
    title="A network firewall drops the connection to the registry",
    short="A network firewall drops it",
    again="The network firewall lets the connection to the registry through again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/network-firewall/latest/developerguide/what-is-aws-network-firewall.html",
    examine=examine,
    explains=(
        Explains(Symptom.TIMEOUT, 27),
        Explains(Symptom.NAME_RESOLUTION_FAILED, 27),
        Explains(Symptom.NOT_AUTHENTICATED, 77),
        Explains(Symptom.UNKNOWN, 77, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
