"""The node has no role.

What it checks: for each running instance, whether it has an instance profile, the profile holds a role, and the role
exists. For nodes that are not started yet, whether the role of the node group exists, or the profile of the launch
template holds a role. Fargate pods and hybrid nodes have no instance profile.

What it cannot see: what an instance had when the pull failed. It sees the profile as it is now, and no profile of a
node that is gone.

Why that stops a pull: kubelet gets its registry token with the credentials of the instance's role. Without them it
pulls anonymously and says `no basic auth credentials`.

How to fix it: give the instance its profile back, put the node's role into it, or replace the node. The fix names a
profile only where one is certain: the one in the launch template that the instance was started from, the one that the
other nodes of its node group have, or the only one that holds the node group's role.

References: Amazon EKS User Guide, "Amazon EKS node IAM role"; IAM User Guide, "Use instance profiles"; Amazon EC2 API
Reference, AssociateIamInstanceProfile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_LAYERS, Check, Explains
from pull_responder.facts import iam
from pull_responder.facts.ec2 import LaunchTemplate
from pull_responder.facts.iam import Role
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reason import join_reasons
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.node_identity import (
    IDENTITY_PERMISSIONS,
    Identity,
    node_identities,
    template_arn,
)
from pull_responder.pulls.profile_choice import ProfileChoice, profile_choice
from pull_responder.remediation.composition import combine
from pull_responder.remediation.instance_profile import (
    associate_profile,
    choose_profile,
    fill_profile,
    replace_managed,
    restore_role,
)

if TYPE_CHECKING:
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with what is missing, passed, not applicable to Fargate, or inconclusive."""
    found = node_identities(pull, facts)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    nodes, identities = found
    if nodes.fargate or nodes.elsewhere:
        return Verdict.not_applicable(f"{nodes.elsewhere or 'Fargate pods are started'} without an instance profile")
    unread = [identity.role.reason for identity in identities if isinstance(identity.role, Unread)]
    if isinstance(nodes.template, Unread) and not (nodes.instances or nodes.node_group):
        # Their role is known, but not their instance profile.
        unread = [nodes.template.reason]
    elif missing := [identity for identity in identities if identity.problem]:
        return _failure(nodes, missing, pull.partition, facts)
    if nodes.unseen:
        unread.append(nodes.unseen.reason)
    if unread:
        return Verdict.inconclusive(join_reasons(unread))
    roles = [identity.role.arn for identity in identities if isinstance(identity.role, Role)]
    return Verdict.passed(f"The nodes have the role {', '.join(dict.fromkeys(roles))}.")


def _failure(nodes: Nodes, missing: list[Identity], partition: str, facts: PullFacts) -> Verdict:
    first = missing[0]
    # One command gives one instance its profile; every other fix is for all of them.
    alike = [each for each in missing if _lacks_profile(each)] if _lacks_profile(first) else [first]
    return Verdict.failed(
        resource=_resource(nodes, first, partition),
        explanation=f"{nodes.name} has no role: {first.problem}, so kubelet has no credentials for the registry.",
        evidence=tuple(dict.fromkeys(identity.problem for identity in missing)),
        remediation=combine(*dict.fromkeys(_fix(nodes, each, facts) for each in alike)),
    )


def _lacks_profile(identity: Identity) -> bool:
    return identity.instance is not None and identity.profile is None and not identity.instance.operator


def _resource(nodes: Nodes, identity: Identity, partition: str) -> Resource:
    if identity.instance:
        return Resource("AwsEc2Instance", identity.instance.arn, identity.instance.account)
    if identity.named is None and isinstance(nodes.template, LaunchTemplate):
        return Resource("AwsEc2LaunchTemplate", template_arn(nodes, nodes.template.id, partition), nodes.account)
    return Resource("AwsIamRole", str(identity.named), nodes.account)


def _fix(nodes: Nodes, identity: Identity, facts: PullFacts) -> Remediation:
    if identity.instance and identity.instance.operator:
        return replace_managed(
            account=nodes.account, region=nodes.region, instance_id=identity.instance.id, problem=identity.problem
        )
    if identity.instance and identity.profile is None and identity.role is None:
        choice = profile_choice(identity.instance, nodes, facts)
        instance_id = identity.instance.id
        if isinstance(choice, str):
            return associate_profile(
                account=nodes.account, region=nodes.region, instance_id=instance_id, profile=choice
            )
        if isinstance(choice, ProfileChoice):
            return choose_profile(
                account=nodes.account,
                region=nodes.region,
                instance_id=instance_id,
                role=choice.role,
                profiles=choice.profiles,
            )
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
    again="The node can have its role again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=(*IDENTITY_PERMISSIONS, *iam.PROFILES_OF_ROLE_PERMISSIONS),
    docs_url="https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
    examine=examine,
    explains=(
        Explains(Symptom.NOT_AUTHENTICATED, 30),
        Explains(Symptom.UNKNOWN, 30, BEFORE_LAYERS),
    ),
    may_name_missing=True,
    refused_by_ecr=False,
)
