"""Fixes to the nodes' role: their instance profile, and the trust policy of the role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.model.arn import Arn

# IAM User Guide, "IAM and AWS STS quotas": the maximum length of a trust policy after a quota increase, in characters.
TRUST_POLICY_SIZE: Final = 8_192


def fill_profile(*, account: str, region: str, instance_id: str, profile: str | None, role: Arn | None) -> Remediation:
    """Add the nodes' role to an empty instance profile. No command if the profile or the role is not known."""
    if profile and role:
        name = role.resource.rpartition("/")[2]
        command = aws(
            "iam", "add-role-to-instance-profile", instance_profile_name=profile, role_name=name, region=region
        )
        summary = f"Add the role {name} to the instance profile {profile}."
        return Remediation(summary, account, region, docs.IAM_INSTANCE_PROFILES, (command,))
    if profile:
        summary = (
            f"Add the nodes' role to the instance profile {profile}, or replace instance {instance_id} with a node"
        )
        summary += " that has a role."
    else:
        summary = f"Give instance {instance_id} an instance profile, or replace it with a node that has one."
    return Remediation(summary, account, region, docs.IAM_INSTANCE_PROFILES)


def associate_profile(*, account: str, region: str, instance_id: str, profile: str) -> Remediation:
    """Give an instance without an instance profile the one named `profile`.

    Source: Amazon EC2 API Reference, AssociateIamInstanceProfile: an instance has at most one association. kubelet gets
    credentials by itself once the metadata service has them.
    """
    command = aws(
        "ec2",
        "associate-iam-instance-profile",
        instance_id=instance_id,
        iam_instance_profile=f"Name={profile}",
        region=region,
    )
    summary = f"Associate the instance profile {profile} with instance {instance_id}."
    return Remediation(summary, account, region, docs.IAM_INSTANCE_PROFILES, (command,))


def choose_profile(*, account: str, region: str, instance_id: str, role: Arn, profiles: tuple[str, ...]) -> Remediation:
    """Say which instance profiles come into question for an instance that has none: those that hold its `role`."""
    name = role.resource.rpartition("/")[2]
    if profiles:
        summary = (
            f"Associate an instance profile with instance {instance_id}. Several hold the role {name}, and nothing "
            f"shows which one the instance had: {', '.join(profiles)}."
        )
    else:
        summary = (
            f"No instance profile holds the role {name}. Create one, add the role, and associate it with instance "
            f"{instance_id}, or replace the instance with a new node."
        )
    return Remediation(summary, account, region, docs.IAM_INSTANCE_PROFILES)


def restore_role(*, account: str, region: str, problem: str) -> Remediation:
    """Say what to create again. `problem` says what does not exist, as a clause."""
    summary = f"Create it again as a node role, or replace the nodes with nodes that have another role: {problem}."
    return Remediation(summary, account, region, docs.EKS_NODE_ROLE)


def replace_managed(*, account: str, region: str, instance_id: str, problem: str) -> Remediation:
    """Say how to replace an instance that EKS Auto Mode manages. Nobody else can change it.

    `problem` says what is wrong with the instance, as a clause. Source: Amazon EC2 User Guide, "Amazon EC2 managed
    instances".
    """
    summary = (
        f"Delete the Kubernetes node of instance {instance_id}. EKS Auto Mode then starts another one from its "
        f"NodeClass and node role. Amazon EKS manages the instance, so you cannot change it. The problem: {problem}."
    )
    return Remediation(summary, account, region, docs.EKS_NODE_ROLE)


def trust_service(role: Arn, *, region: str, document: Mapping[str, Any], service: str, denied: bool) -> Remediation:
    """Allow an AWS service to assume `role`, whose trust policy is `document`.

    No command if the trust policy denies it (`denied`), or would be too long.
    """
    name = role.resource.rpartition("/")[2]
    if denied:
        summary = f"In the trust policy of the role {name}, exempt {service} from the Deny."
        return Remediation(summary, role.account, region, docs.IAM_TRUST_POLICIES)
    added = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policy = json.dumps(add_statements(document, [added]), separators=(",", ":"))
    command = aws("iam", "update-assume-role-policy", role_name=name, policy_document=policy, region=region)
    return Remediation(
        f"In the trust policy of the role {name}, allow {service} to assume the role.",
        role.account,
        region,
        docs.IAM_TRUST_POLICIES,
        (command,) if len(policy) <= TRUST_POLICY_SIZE else (),
    )


def add_statements(document: Mapping[str, Any], added: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a policy with further statements at its end."""
    present = document.get("Statement", [])
    statements = present if isinstance(present, list) else [present]
    return {"Version": "2012-10-17", **document, "Statement": [*statements, *added]}


def trust_another_provider(document: Mapping[str, Any], old: str, new: str) -> dict[str, Any] | None:
    """Return a trust policy that trusts the OIDC provider `new` on the same conditions as `old`, which stays trusted.

    `old` and `new` are ARNs of providers. Each statement for `old` is copied, with the new issuer in its conditions, so
    the policy lets in no further service account. None if a statement names no service accounts: its copy would let in
    all of them.
    """
    present = document.get("Statement", [])
    issuers = tuple(each.partition(":oidc-provider/")[2] for each in (old, new))
    copies = []
    for statement in present if isinstance(present, list) else [present]:
        text = json.dumps({key: value for key, value in statement.items() if key != "Sid"})
        if f'"{old}"' in text and statement.get("Effect") == "Allow":
            if f'"{issuers[0]}:sub"' not in json.dumps(statement.get("Condition")):
                return None
            copy = json.loads(text.replace(issuers[0], issuers[1]))
            copies.append({**copy, "Principal": {"Federated": new}})
    return add_statements(document, copies)


def trust_pods(
    role: Arn, *, region: str, document: Mapping[str, Any] | None, provider: str, audience: str
) -> Remediation:
    """Let the pods of a cluster assume `role`: by `document` as its trust policy, else say what has to change.

    `provider` is the ARN of the cluster's OIDC provider, `audience` that of the tokens that kubelet shows. No command
    if no document is certain to be right, or if it is too long: which service accounts may have the role is for its
    owner to decide.
    """
    name = role.resource.rpartition("/")[2]
    issuer = provider.partition(":oidc-provider/")[2]
    if document is not None:
        policy = json.dumps(document, separators=(",", ":"))
        command = aws("iam", "update-assume-role-policy", role_name=name, policy_document=policy, region=region)
        summary = (
            f"In the trust policy of the role {name}, trust the cluster's OIDC provider {issuer} on the conditions on "
            "which it trusts another one. Remove the other one if its cluster is gone."
        )
        commands = (command,) if len(policy) <= TRUST_POLICY_SIZE else ()
        return Remediation(summary, role.account, region, docs.EKS_SERVICE_ACCOUNT_ROLE, commands)
    summary = (
        f"In the trust policy of the role {name}, allow sts:AssumeRoleWithWebIdentity to {provider}, with {issuer}:aud "
        f"equal to {audience} and {issuer}:sub equal to the pod's system:serviceaccount:NAMESPACE:NAME. If the policy "
        "leaves the pod out on purpose, annotate its service account with another role."
    )
    return Remediation(summary, role.account, region, docs.EKS_SERVICE_ACCOUNT_ROLE)
