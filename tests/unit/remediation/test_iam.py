from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import docs, iam
from pull_responder.remediation.iam import ManagedPolicy

REGION = "eu-west-1"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
DENY_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
EMPTY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
TOO_LONG = {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::" + "b" * 60] * 200}]}


def _arn(text: str) -> Arn:
    arn = Arn.parse(text)
    assert arn is not None
    return arn


ROLE = _arn("arn:aws:iam::123456789012:role/nodes/blue")
GUARD = ManagedPolicy(_arn("arn:aws:iam::123456789012:policy/guard"), ("v1",), "v1")
DENY_ALL = ManagedPolicy(_arn("arn:aws:iam::aws:policy/AWSDenyAll"), ("v1",), "v1")


@pytest.mark.parametrize(
    ("role", "fargate", "policy", "page"),
    [
        (
            "arn:aws:iam::123456789012:role/nodes/blue",
            False,
            "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
            docs.ECR_MANAGED_POLICIES,
        ),
        (
            "arn:aws-cn:iam::123456789012:role/blue",
            True,
            "arn:aws-cn:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy",
            docs.EKS_POD_EXECUTION_ROLE,
        ),
    ],
)
def test_the_managed_policy_is_of_the_role_s_partition(role: str, policy: str, page: str, *, fargate: bool) -> None:
    fix = iam.attach_pull_policy(_arn(role), region=REGION, fargate=fargate)
    assert fix.commands == (
        *[("aws", "iam", "attach-role-policy", "--role-name", "blue", "--policy-arn", policy, "--region", REGION)],
    )
    assert (fix.account, fix.region, fix.docs_url) == ("123456789012", REGION, page)
    assert fix.summary == f"Attach the AWS managed policy {policy.rsplit('/', 1)[-1]} to the role blue."


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ([], "PullResponderEcrPull"),
        (["other"], "PullResponderEcrPull"),
        (["pullresponderecrpull", "PullResponderEcrPull2"], "PullResponderEcrPull3"),
    ],
)
def test_no_inline_policy_is_overwritten(taken: list[str], name: str) -> None:
    fix = iam.add_inline_policy(
        ROLE, region=REGION, actions=["ecr:BatchGetImage"], repository_arn=REPOSITORY, taken_names=taken
    )
    grant = {"Sid": "PullResponderEcrPull", "Effect": "Allow", "Action": ["ecr:BatchGetImage"]}
    [(*command, document, option, region)] = fix.commands
    assert command == [
        *("aws", "iam", "put-role-policy", "--role-name", "blue", "--policy-name", name, "--policy-document")
    ]
    assert json.loads(document) == {"Version": "2012-10-17", "Statement": [{**grant, "Resource": [REPOSITORY]}]}
    assert (option, region) == ("--region", REGION)


@pytest.mark.parametrize(
    ("versions", "default", "deleted"),
    [
        (("v1", "v2", "v3", "v4"), "v4", None),
        (("v1", "v2", "v3", "v4", "v5"), "v5", "v1"),
        (("v5", "v4", "v3", "v2", "v1"), "v1", "v2"),
        (("v12", "v9", "v10", "v11", "v8"), "v8", "v9"),
    ],
)
def test_an_old_version_is_deleted_if_there_are_five(
    versions: tuple[str, ...], default: str, deleted: str | None
) -> None:
    policy = ManagedPolicy(GUARD.arn, versions, default)
    *before, create = iam.replace_managed_policy(ROLE, policy, region=REGION, document=DENY_S3).commands
    assert create == (
        *("aws", "iam", "create-policy-version", "--policy-arn", "arn:aws:iam::123456789012:policy/guard"),
        *("--policy-document", json.dumps(DENY_S3, separators=(",", ":")), "--region", REGION, "--set-as-default"),
    )
    guard = ("--policy-arn", "arn:aws:iam::123456789012:policy/guard")
    delete = ("aws", "iam", "delete-policy-version", *guard, "--version-id", deleted, "--region", REGION)
    assert before == ([delete] if deleted else [])


@pytest.mark.parametrize(("policy", "document"), [(DENY_ALL, DENY_S3), (DENY_ALL, None), (GUARD, EMPTY)])
def test_a_policy_that_cannot_be_edited_is_detached(policy: ManagedPolicy, document: dict[str, Any] | None) -> None:
    fix = iam.replace_managed_policy(ROLE, policy, region=REGION, document=document)
    detach = ("aws", "iam", "detach-role-policy", "--role-name", "blue", "--policy-arn", str(policy.arn))
    assert fix.commands == ((*detach, "--region", REGION),)
    assert fix.docs_url == docs.IAM_ATTACH_DETACH


def test_an_inline_policy_without_statements_is_deleted() -> None:
    fix = iam.replace_inline_policy(ROLE, region=REGION, policy_name="-guard", document=EMPTY)
    delete = ("aws", "iam", "delete-role-policy", "--role-name", "blue", "--policy-name=-guard", "--region", REGION)
    assert fix.commands == (delete,)


@pytest.mark.parametrize("document", [None, TOO_LONG])
def test_no_command_if_it_cannot_work(document: dict[str, Any] | None) -> None:
    inline = iam.replace_inline_policy(ROLE, region=REGION, policy_name="guard", document=document)
    managed = iam.replace_managed_policy(ROLE, GUARD, region=REGION, document=document)
    boundary = iam.widen_boundary(ROLE, GUARD, region=REGION, actions=["ecr:BatchGetImage"], document=document)
    assert (inline.commands, managed.commands, boundary.commands) == ((), (), ())
    assert inline.summary == (
        "Edit the Deny in the inline policy guard of the role blue so that it no longer stops the pull."
    )
    assert managed.summary == f"Edit the Deny in the policy {GUARD.arn} so that it no longer stops the pull."
    assert boundary.summary.startswith(f"Allow ecr:BatchGetImage in the permissions boundary {GUARD.arn}")


def test_an_aws_managed_boundary_has_no_command() -> None:
    power_user = ManagedPolicy(_arn("arn:aws:iam::aws:policy/PowerUserAccess"), ("v1",), "v1")
    fix = iam.widen_boundary(ROLE, power_user, region=REGION, actions=["ecr:BatchGetImage"], document=DENY_S3)
    assert fix.commands == ()
    assert fix.summary == (
        "Choose another permissions boundary for the role blue: AWS's own arn:aws:iam::aws:policy/PowerUserAccess "
        "stops ecr:BatchGetImage."
    )
