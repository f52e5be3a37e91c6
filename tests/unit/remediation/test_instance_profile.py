"""Fixes to the nodes' role: its instance profile, and who may assume it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.remediation import instance_profile as profiles
from tests.unit.remediation.fixes import ACCOUNT, REGION, Told, arn, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.verdict import Remediation

ROLE = arn(f"arn:aws:iam::{ACCOUNT}:role/nodes/blue")
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/A"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
HERE = {"account": ACCOUNT, "region": REGION}
NODE = {**HERE, "instance_id": "i-1"}
IAM = "IAM/latest/UserGuide/"
PROFILES = f"{IAM}id_roles_use_switch-role-ec2_instance-profiles.html"
TRUST = f"{IAM}id_roles_update-role-trust-policy.html"
NODE_ROLE = "eks/latest/userguide/create-node-role.html"
PODS = "eks/latest/userguide/associate-service-account-role.html"

FIXES: dict[str, tuple[Callable[[], Remediation], Told]] = {
    "an empty profile": (
        lambda: profiles.fill_profile(**NODE, profile="p", role=ROLE),
        (
            "Add the role blue to the instance profile p.",
            PROFILES,
            ["aws iam add-role-to-instance-profile --instance-profile-name p --role-name blue --region eu-west-1"],
        ),
    ),
    "an empty profile, the role not known": (
        lambda: profiles.fill_profile(**NODE, profile="p", role=None),
        (
            "Add the nodes' role to the instance profile p, or replace instance i-1 with a node that has a role.",
            PROFILES,
            [],
        ),
    ),
    "a profile that is not known": (
        lambda: profiles.fill_profile(**NODE, profile=None, role=ROLE),
        ("Give instance i-1 an instance profile, or replace it with a node that has one.", PROFILES, []),
    ),
    "no profile": (
        lambda: profiles.associate_profile(**NODE, profile="p"),
        (
            "Associate the instance profile p with instance i-1.",
            PROFILES,
            [
                (
                    "aws ec2 associate-iam-instance-profile --instance-id i-1 --iam-instance-profile Name=p "
                    "--region eu-west-1"
                )
            ],
        ),
    ),
    "no profile, and several have the role": (
        lambda: profiles.choose_profile(**NODE, role=ROLE, profiles=("p", "q")),
        (
            (
                "Associate an instance profile with instance i-1. Several hold the role blue, and nothing shows which "
                "one the instance had: p, q."
            ),
            PROFILES,
            [],
        ),
    ),
    "no profile, and none has the role": (
        lambda: profiles.choose_profile(**NODE, role=ROLE, profiles=()),
        (
            (
                "No instance profile holds the role blue. Create one, add the role, and associate it with instance "
                "i-1, or replace the instance with a new node."
            ),
            PROFILES,
            [],
        ),
    ),
    "no role": (
        lambda: profiles.restore_role(**HERE, problem="the role blue does not exist"),
        (
            (
                "Create it again as a node role, or replace the nodes with nodes that have another role: the role blue "
                "does not exist."
            ),
            NODE_ROLE,
            [],
        ),
    ),
    "Auto Mode": (
        lambda: profiles.replace_managed(**NODE, problem="it has no role"),
        (
            (
                "Delete the Kubernetes node of instance i-1. EKS Auto Mode then starts another one from its NodeClass "
                "and node role. Amazon EKS manages the instance, so you cannot change it. The problem: it has no role."
            ),
            NODE_ROLE,
            [],
        ),
    ),
    "a service that is denied": (
        lambda: profiles.trust_service(ROLE, region=REGION, document={}, service="ec2.amazonaws.com", denied=True),
        ("In the trust policy of the role blue, exempt ec2.amazonaws.com from the Deny.", TRUST, []),
    ),
    "pods whose trust policy is not certain": (
        lambda: profiles.trust_pods(
            ROLE, region=REGION, document=None, provider=PROVIDER, audience="sts.amazonaws.com"
        ),
        (
            (
                f"In the trust policy of the role blue, allow sts:AssumeRoleWithWebIdentity to {PROVIDER}, with "
                f"{ISSUER}:aud equal to sts.amazonaws.com and {ISSUER}:sub equal to the pod's "
                "system:serviceaccount:NAMESPACE:NAME. If the policy leaves the pod out on purpose, annotate its "
                "service account with another role."
            ),
            PODS,
            [],
        ),
    ),
}


@pytest.mark.parametrize(("fix", "expected"), FIXES.values(), ids=FIXES)
def test_fix(fix: Callable[[], Remediation], expected: Told) -> None:
    assert told(fix()) == expected


LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUSTS = {"Version": "2012-10-17", "Statement": [EC2]}


def update(document: dict[str, Any]) -> tuple[str, ...]:
    """Return the command that sets the trust policy."""
    text = json.dumps(document, separators=(",", ":"))
    whole = ("aws", "iam", "update-assume-role-policy", "--role-name", "blue", "--policy-document", text)
    return (*whole, "--region", REGION)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Version": "2008-10-17", "Statement": [LAMBDA]}, {"Version": "2008-10-17", "Statement": [LAMBDA, EC2]}),
        ({"Version": "2012-10-17", "Statement": LAMBDA}, {"Version": "2012-10-17", "Statement": [LAMBDA, EC2]}),
        ({"Id": "a"}, {"Version": "2012-10-17", "Id": "a", "Statement": [EC2]}),
    ],
    ids=["a list", "a single statement", "no statement"],
)
def test_a_service_is_trusted_beside_the_others(before: dict[str, Any], after: dict[str, Any]) -> None:
    fix = profiles.trust_service(ROLE, region=REGION, document=before, service="ec2.amazonaws.com", denied=False)
    summary, page, _ = told(fix)
    assert (summary, page) == (
        "In the trust policy of the role blue, allow ec2.amazonaws.com to assume the role.",
        TRUST,
    )
    assert fix.commands == (update(after),)


def test_pods_are_trusted_by_the_document_given() -> None:
    fix = profiles.trust_pods(ROLE, region=REGION, document=TRUSTS, provider=PROVIDER, audience="sts.amazonaws.com")
    summary, page, _ = told(fix)
    assert page == PODS
    assert summary == (
        f"In the trust policy of the role blue, trust the cluster's OIDC provider {ISSUER} on the conditions on which "
        "it trusts another one. Remove the other one if its cluster is gone."
    )
    assert fix.commands == (update(TRUSTS),)


@pytest.mark.parametrize(("more", "commands"), [(0, 1), (1, 0)])
def test_the_longest_trust_policy_has_8192_characters(more: int, commands: int) -> None:
    """IAM User Guide, "IAM and AWS STS quotas": the most that an increase of the quota allows."""
    room = 8_192 - len(json.dumps({**TRUSTS, "Id": ""}, separators=(",", ":")))
    longest = {**TRUSTS, "Id": "x" * (room + more)}
    pods = profiles.trust_pods(ROLE, region=REGION, document=longest, provider=PROVIDER, audience="a")
    assert len(pods.commands) == commands
    without = {**longest, "Statement": []}
    service = profiles.trust_service(ROLE, region=REGION, document=without, service="ec2.amazonaws.com", denied=False)
    assert len(service.commands) == commands
