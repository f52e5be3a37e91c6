"""The node has no role.

What it checks: whether each instance has an instance profile, the profile holds a role, and the role exists; for nodes
that are still to be started, whether the role of their node group exists.

Why that stops a pull: kubelet gets its registry token with the credentials of the instance's role. Without them it
pulls anonymously and says `no basic auth credentials`.

How to fix it: put the node's role into its instance profile, or replace the node by one that has a profile.

References: Amazon EKS User Guide, "Amazon EKS node IAM role"; IAM User Guide, "Use instance profiles".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import Check
from pull_responder.checks.node_identity import IDENTITY_PERMISSIONS, IDENTITY_SYMPTOMS, Identity, node_identities
from pull_responder.facts.iam import Role
from pull_responder.model.pull import PullFailure
from pull_responder.model.reading import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.remediation.instance_profile import fill_profile, restore_role

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts
    from pull_responder.facts.node import Nodes


def examine(pull: PullFailure, facts: Facts) -> Verdict:
    """Return failed with what lacks, passed, not applicable to Fargate, or inconclusive."""
    found = node_identities(pull, facts)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    nodes, identities = found
    if nodes.fargate:
        return Verdict.not_applicable("Fargate pods have no instance profile")
    if lacking := [identity for identity in identities if identity.problem]:
        return _failed(nodes, lacking)
    if unread := [identity.role.reason for identity in identities if isinstance(identity.role, Unread)]:
        return Verdict.inconclusive("; ".join(dict.fromkeys(unread)))
    roles = [identity.role.arn for identity in identities if isinstance(identity.role, Role)]
    return Verdict.passed(f"The nodes have the role {', '.join(dict.fromkeys(roles))}.")


def _failed(nodes: Nodes, lacking: list[Identity]) -> Verdict:
    first = lacking[0]
    if first.instance:
        resource = Resource("AwsEc2Instance", first.instance.arn, first.instance.account)
    else:
        resource = Resource("AwsIamRole", str(first.named), nodes.account)
    return Verdict.failed(
        resource=resource,
        explanation=f"{nodes.name} has no role: {first.problem}, so kubelet has no credentials for the registry.",
        evidence=tuple(dict.fromkeys(identity.problem for identity in lacking)),
        remediation=_fix(nodes, first),
    )


def _fix(nodes: Nodes, identity: Identity) -> Remediation:
    if identity.instance and identity.role is None and "does not exist" not in identity.problem:
        return fill_profile(
            account=nodes.account,
            region=nodes.region,
            instance_id=identity.instance.id,
            profile=identity.profile,
            role=identity.named,
        )
    return restore_role(account=nodes.account, region=nodes.region, problem=identity.problem)


CHECK = Check(
    id="instance_profile_missing",
    title="The node has no role",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=IDENTITY_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
    examine=examine,
    symptoms=IDENTITY_SYMPTOMS,
    refused_by_ecr=False,
)
