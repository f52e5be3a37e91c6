"""Amazon EKS itself reports an issue that stops the nodes from pulling.

What it checks: the health issues of the node's managed node group or Fargate profile. For a node group these issues
count: `NodeCreationFailure`, `Ec2SubnetInvalidConfiguration`, `IamNodeRoleNotFound` and `IamInstanceProfileNotFound`.
`NodeCreationFailure` means that nodes do not register. EKS names missing permissions of the node role and a missing
route to the internet as its common causes. For a Fargate profile `AccessDenied` counts.

What it cannot see: self-managed and Karpenter nodes, because EKS reports health only of managed node groups and Fargate
profiles. EKS may report an issue minutes after it begins.

Why that stops a pull: a node without its role has no credentials for the registry. A node without a route out cannot
reach it.

How to fix it: follow what EKS says of the issue. Other findings about the same nodes name the exact fault, where it can
be read.

References: Amazon EKS API Reference, "Issue" and "FargateProfileIssue"; Amazon EKS User Guide, "Troubleshoot problems
with Amazon EKS clusters and nodes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import BEFORE_LAYERS, UNREACHED, Check, Explains
from pull_responder.events.redaction import redact
from pull_responder.facts.compute import PERMISSIONS, FargateProfile, HealthIssue, NodeGroup
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.failed_node import nodes_of
from pull_responder.pulls.nodes import Nodes

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_OF_NODE_GROUP: Final = frozenset(
    {"NodeCreationFailure", "Ec2SubnetInvalidConfiguration", "IamNodeRoleNotFound", "IamInstanceProfileNotFound"}
)
# Inference: this is the only code of a Fargate profile about the permissions of its pods.
_OF_PROFILE: Final = frozenset({"AccessDenied"})
_DOCS: Final = "https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html"
_MESSAGE_LIMIT: Final = 600


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the issues that EKS reports, passed, not applicable without a node group, or inconclusive."""
    nodes = nodes_of(pull, facts)
    if isinstance(nodes, Unread):
        return Verdict.inconclusive(nodes.reason)
    if nodes.cluster is None or not (nodes.node_group or nodes.fargate_profile):
        return Verdict.not_applicable("the node belongs to no managed node group or Fargate profile")
    kind, found = _read(nodes, nodes.cluster, facts)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    if found is None or found.arn is None:
        return Verdict.not_applicable(f"the {kind} no longer exists")
    counted = _OF_PROFILE if isinstance(found, FargateProfile) else _OF_NODE_GROUP
    issues = [issue for issue in found.issues if issue.code in counted]
    if not issues:
        return Verdict.passed(f"EKS reports no issue of {kind} {found.name} that would stop its nodes from pulling.")
    codes = ", ".join(dict.fromkeys(issue.code for issue in issues))
    return Verdict.failed(
        resource=Resource("Other", found.arn, nodes.account),
        explanation=f"Amazon EKS reports an issue of {kind} {found.name} in cluster {nodes.cluster}: {codes}.",
        evidence=tuple(map(_evidence, issues)),
        remediation=Remediation(
            f"Fix the issue that Amazon EKS reports of the {kind}: {_evidence(issues[0])}",
            nodes.account,
            nodes.region,
            _DOCS,
        ),
    )


def _read(nodes: Nodes, cluster: str, facts: PullFacts) -> tuple[str, NodeGroup | FargateProfile | Unread | None]:
    if nodes.node_group:
        return "node group", facts.node_group(nodes.account, nodes.region, cluster, nodes.node_group)
    return "Fargate profile", facts.fargate_profile(nodes.account, nodes.region, cluster, nodes.fargate_profile or "")


def _evidence(issue: HealthIssue) -> str:
    about = f" ({', '.join(issue.resource_ids)})" if issue.resource_ids else ""
    return f"{issue.code}: {redact(issue.message, limit=_MESSAGE_LIMIT)}{about}"


CHECK = Check(
    id="node_group_unhealthy",
    title="Amazon EKS reports an issue of the node group or Fargate profile",
    short="Amazon EKS reports an issue",
    again="Amazon EKS reports the node group or Fargate profile as healthy again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=PERMISSIONS,
    docs_url=_DOCS,
    examine=examine,
    explains=(
        Explains(Symptom.NOT_AUTHENTICATED, 240),
        Explains(Symptom.UNKNOWN, 240, BEFORE_LAYERS),
    ),
    also_at=UNREACHED | {Symptom.ACCESS_DENIED},
    refused_by_ecr=False,
)
