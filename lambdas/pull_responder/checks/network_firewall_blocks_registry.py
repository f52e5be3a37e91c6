"""A firewall of AWS Network Firewall on the way drops the connection to one of the registry's hosts.

What it checks: the firewall to whose endpoint the way leads, in the nodes' VPC or in an egress VPC behind a transit
gateway. Its policy is held against a TLS connection to api.ecr, to the registry and to the layers' bucket, packet by
packet and in both directions: stateless rules, domain lists, rules by addresses and ports, Suricata rules on the
server's name, and the default actions, with the node's address against HOME_NET.

What it cannot see: rules with keywords that are not modelled, such as patterns (`pcre`), where they matter; what rules
see when the firewall decrypts TLS; Next Generation policies; appliances behind a Gateway Load Balancer. They leave the
cause undecided. AWS's own rule groups are taken to drop nothing of ECR or S3.

Why that stops a pull: a list that allows some domains denies all others. It often has the registry's name and not that
of the layers' bucket, or lacks the FIPS or dual-stack names, or the nodes' range in HOME_NET. A rule without `flow`
drops the first packet, before the firewall has seen a name. kubelet says `TLS handshake timeout` where a name is
dropped, `i/o timeout` where the first packet is, and `connection reset` where a rule rejects.

How to fix it: make the change that is named. It was tried out on the policy. Whoever owns the firewall decides.

References: AWS Network Firewall Developer Guide, "Stateful domain list rule groups", "Managing evaluation order for
Suricata compatible rules" and "Limitations and caveats for stateful rules".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

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


_DECIDES: Final = "Whoever owns the firewall decides."
_SHORT: Final = 40


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where no firewall is on the way, or inconclusive."""
    return examine_path(PathCause.NETWORK_FIREWALL_BLOCKS, pull, facts, _fix)


def _fix(fault: Fault, path: PullPath) -> Remediation:
    """Return the changes that let the hosts pass, each with all that it is about."""
    where = path.where(fault.resource_id)
    changes: dict[str, dict[str, None]] = {}
    for fix in fault.fixes:
        if fix.change and fix.entry:
            changes.setdefault(fix.change, {})[fix.entry] = None
    if changes:
        said = "; ".join(change.replace("{}", _and(list(entries))) for change, entries in changes.items())
        hosts = {fix.host for fix in fault.fixes}
        few = "; ".join(_shortly(change, list(entries), hosts) for change, entries in changes.items())
        whole = where.remedy(f"{said}. {_DECIDES}", docs.NETWORK_FIREWALL_DOMAINS)
        return replace(whole, short=f"{few}.")
    names = _and(list(dict.fromkeys(fix.host for fix in fault.fixes if fix.host)))
    return where.remedy(
        f"Let {names} pass {fault.resource_id}. {_DECIDES}",
        docs.NETWORK_FIREWALL_DOMAINS,
        short=f"Let {few_words(fix.host for fix in fault.fixes if fix.host)} pass.",
    )


def _shortly(change: str, entries: list[str], hosts: set[str | None]) -> str:
    """Return a change in few words: without a rule, and with what the hosts are for in place of long names."""
    words = _and(entries)
    if len(words) > _SHORT and hosts.issuperset(entries):
        words = f"names for {few_words(entries)}"
    return change.removesuffix(": {}").replace(" the targets of", "").replace("{}", words)


def _and(entries: list[str]) -> str:
    *others, last = entries
    return f"{', '.join(others)} and {last}" if others else last


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
