"""A rule of DNS Firewall answers for a name of the registry, so that the node gets no address, or a wrong one.

What it checks: the rule groups of Route 53 Resolver DNS Firewall that are associated with the nodes' VPC, by itself or
by a Route 53 Profile, in the order of their priority, against the names of api.ecr, of the registry and of the layers'
bucket.

What it cannot see: AWS's own domain lists, rules that match by something else than a list, and domain lists in an
account that cannot be read. What a CNAME leads to is not followed: where a rule looks at it and a later rule blocks, a
name that did not resolve is left undecided. DNS servers of your own are not filtered.

Why that stops a pull: the first rule that matches decides. One that blocks answers that there is no such name
(NXDOMAIN) or no address (NODATA), or with another name (OVERRIDE). kubelet says `no such host`.

How to fix it: allow the names in a rule ahead of the one that blocks, or take them out of its domain list. A rule that
allows should trust redirection: a name may be a CNAME.

References: Amazon Route 53 Developer Guide, "How Route 53 Resolver DNS Firewall works" and "DNS Firewall rule groups
and rules".
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
    """Return failed, passed, not applicable where the VPC has no such rules, or inconclusive."""
    return examine_path(PathCause.DNS_FIREWALL_BLOCKS, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    hosts = ", ".join(dict.fromkeys(fix.host for fix in fault.fixes if fix.host))
    rules = "; ".join(dict.fromkeys(fix.target for fix in fault.fixes if fix.target))
    return path.where(fault.resource_id).remedy(
        f"Allow {hosts} in a rule ahead of {rules}, if pulls are meant to work here: one that trusts redirection, or"
        " whose list has every name to which a CNAME leads. Whoever owns the rule group decides.",
        docs.DNS_FIREWALL_RULES,
        short=f"Let {few_words(fix.host for fix in fault.fixes if fix.host)} resolve.",
    )


CHECK = Check(
    id="dns_firewall_blocks_registry",
    title="A DNS Firewall rule answers for the registry's name",
    short="DNS Firewall blocks it",
    again="DNS Firewall lets the registry's names resolve again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PATH_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall.html",
    examine=examine,
    explains=(
        Explains(Symptom.NAME_RESOLUTION_FAILED, 7),
        Explains(Symptom.TIMEOUT, 95),
        Explains(Symptom.NOT_AUTHENTICATED, 105),
        Explains(Symptom.UNKNOWN, 105, BEFORE_UNPACK),
    ),
    ecr_public=UNREACHED,
    any_registry=True,
    refused_by_ecr=False,
)
