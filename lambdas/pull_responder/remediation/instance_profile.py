"""Fixes to the role that nodes have: their instance profile, and who may assume the role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.model.arn import Arn

# IAM User Guide, "IAM and AWS STS quotas": the largest that the length of a trust policy can be raised to.
TRUST_POLICY_SIZE: Final = 8_192


def fill_profile(*, account: str, region: str, instance_id: str, profile: str | None, role: Arn | None) -> Remediation:
    """Put the nodes' role into an empty instance profile; without a profile or a known role there is no command."""
    if profile and role:
        name = role.resource.rpartition("/")[2]
        command = aws(
            "iam", "add-role-to-instance-profile", instance_profile_name=profile, role_name=name, region=region
        )
        summary = f"Put the role {name} into the instance profile {profile}."
        return Remediation(summary, account, region, docs.IAM_INSTANCE_PROFILES, (command,))
    what = f"Put the nodes' role into the instance profile {profile}" if profile else "Give it an instance profile"
    summary = f"{what}, or replace instance {instance_id} by a node that has one."
    return Remediation(summary, account, region, docs.IAM_INSTANCE_PROFILES)


def restore_role(*, account: str, region: str, problem: str) -> Remediation:
    """Say what has to be made again."""
    summary = f"Make it again as a node role, or replace the nodes by ones with another role: {problem}."
    return Remediation(summary, account, region, docs.EKS_NODE_ROLE)


def replace_managed(*, account: str, region: str, instance_id: str, problem: str) -> Remediation:
    """Say what to do with an instance that EKS Auto Mode manages, which nobody else can change.

    Source: Amazon EC2 User Guide, "Amazon EC2 managed instances".
    """
    summary = (
        f"Amazon EKS manages instance {instance_id}, so it cannot be changed: delete its Kubernetes node, and EKS Auto "
        f"Mode starts another by its NodeClass and node role. What is wrong with it: {problem}."
    )
    return Remediation(summary, account, region, docs.EKS_NODE_ROLE)


def trust_service(role: Arn, *, region: str, document: Mapping[str, Any], service: str, denied: bool) -> Remediation:
    """Let an AWS service assume `role`, whose trust policy is `document`. No command where that denies it."""
    name = role.resource.rpartition("/")[2]
    if denied:
        summary = f"Take {service} out of what the trust policy of the role {name} denies."
        return Remediation(summary, role.account, region, docs.IAM_TRUST_POLICIES)
    present = document.get("Statement", [])
    statements = present if isinstance(present, list) else [present]
    added = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", **document, "Statement": [*statements, added]}, separators=(",", ":"))
    command = aws("iam", "update-assume-role-policy", role_name=name, policy_document=policy, region=region)
    return Remediation(
        f"Let {service} assume the role {name}.",
        role.account,
        region,
        docs.IAM_TRUST_POLICIES,
        (command,) if len(policy) <= TRUST_POLICY_SIZE else (),
    )
