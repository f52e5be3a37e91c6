from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import docs, iam
from pull_responder.remediation.iam import ManagedPolicy
from tests.unit.remediation import fixes

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
        (["PullResponderEcrPull"], "PullResponderEcrPull2"),
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


def _of_size(size: int) -> dict[str, Any]:
    """Return a policy with so many characters beside its white space."""
    document = {**DENY_S3, "Id": "a b"}
    room = size - len(json.dumps(document, separators=(",", ":"))) + 1
    return {**document, "Id": "a b" + "x" * room}


@pytest.mark.parametrize(("more", "count"), [(0, 1), (1, 0)])
def test_the_longest_policies(more: int, count: int) -> None:
    """IAM User Guide, "IAM and AWS STS quotas": 10,240 characters of inline policies, 6,144 of a managed policy."""
    long, longer = _of_size(6_144 + more), _of_size(10_240 + more)
    inline = iam.replace_inline_policy(ROLE, region=REGION, policy_name="guard", document=longer)
    managed = iam.replace_managed_policy(ROLE, GUARD, region=REGION, document=long)
    boundary = iam.widen_boundary(ROLE, GUARD, region=REGION, actions=["ecr:BatchGetImage"], document=long)
    assert [len(fix.commands) for fix in (inline, managed, boundary)] == [count, count, count]


def test_a_role_has_ten_managed_policies() -> None:
    """The same page: managed policies attached to an IAM role."""
    assert iam.ATTACHED_POLICIES == 10


DENY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}'
EDITING = "IAM/latest/UserGuide/access_policies_manage-edit.html"
VERSIONS = "IAM/latest/UserGuide/access_policies_managed-versioning.html"
BOUNDARIES = "IAM/latest/UserGuide/access_policies_boundaries.html"


def test_what_the_fixes_say() -> None:
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    both = "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer"
    role = fixes.arn("arn:aws:iam::111111111111:role/blue")
    guard = ManagedPolicy(fixes.arn("arn:aws:iam::111111111111:policy/guard"), ("v1",), "v1")
    affects = "This affects every role and user that has it."
    here = {"region": fixes.REGION}
    version = (
        f"aws iam create-policy-version --policy-arn {guard.arn} --policy-document '{DENY}' --region eu-west-1 "
        "--set-as-default"
    )
    attached = iam.attach_pull_policy(role, region=fixes.REGION)
    assert fixes.told(attached)[1] == "AmazonECR/latest/userguide/security-iam-awsmanpol.html"
    of_fargate = iam.attach_pull_policy(role, region=fixes.REGION, fargate=True)
    assert fixes.told(of_fargate)[1] == "eks/latest/userguide/pod-execution-role.html"
    added = iam.add_inline_policy(role, **here, actions=pull, repository_arn=REPOSITORY)
    assert fixes.told(added)[:2] == (f"Add an inline policy to the role blue that allows {both}.", EDITING)
    assert fixes.told(iam.replace_inline_policy(role, **here, policy_name="in", document=DENY_S3)) == (
        "Remove the pull actions from the Deny in the inline policy in of the role blue.",
        EDITING,
        [(f"aws iam put-role-policy --role-name blue --policy-name in --policy-document '{DENY}' --region eu-west-1")],
    )
    assert fixes.told(iam.replace_inline_policy(role, **here, policy_name="in", document=EMPTY)) == (
        "Delete the inline policy in of the role blue: it only denies the pull, so it would have no statement left.",
        EDITING,
        ["aws iam delete-role-policy --role-name blue --policy-name in --region eu-west-1"],
    )
    assert fixes.told(iam.replace_managed_policy(role, guard, **here, document=DENY_S3)) == (
        f"Remove the pull actions from the Deny in the policy {guard.arn}. {affects}",
        VERSIONS,
        [version],
    )
    assert fixes.told(iam.detach_managed_policy(role, guard.arn, **here)) == (
        f"Detach the policy {guard.arn}, which denies the pull, from the role blue, unless it was attached on purpose.",
        "IAM/latest/UserGuide/access_policies_manage-attach-detach.html",
        [f"aws iam detach-role-policy --role-name blue --policy-arn {guard.arn} --region eu-west-1"],
    )
    widened = (
        f'In "guard", the permissions boundary of the role blue, allow {both}, too. It affects every role and user'
    )
    widened = f"{widened} that has it."
    for document, commands, also in (
        (DENY_S3, [version], " What it allows now stays allowed."),
        (EMPTY, [], ""),
        (None, [], ""),
    ):
        boundary = iam.widen_boundary(role, guard, **here, actions=pull, document=document)
        assert fixes.told(boundary) == (f"{widened}{also}", BOUNDARIES, commands)


def test_a_new_version_of_a_policy_is_taken_back_by_the_one_that_was_the_default() -> None:
    again = (
        "aws",
        "iam",
        "set-default-policy-version",
        "--policy-arn",
        str(GUARD.arn),
        "--version-id",
        "v3",
        "--region",
    )
    old = replace(GUARD, versions=("v1", "v3", "v4", "v5", "v6"), default_version="v3")

    boundary = iam.widen_boundary(ROLE, old, region=REGION, actions=["ecr:BatchGetImage"], document=DENY_S3)
    managed = iam.replace_managed_policy(ROLE, old, region=REGION, document=DENY_S3)
    assert boundary.undo == managed.undo == ((*again, REGION),)
    # What the fix deletes is another version.
    assert "v3" not in boundary.commands[0]
    assert iam.widen_boundary(ROLE, old, region=REGION, actions=["ecr:BatchGetImage"], document=None).undo == ()
    twice = replace(old, edits=2)
    assert iam.replace_managed_policy(ROLE, twice, region=REGION, document=DENY_S3).undo == ()


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
    assert boundary.summary.startswith('In "guard", the permissions boundary of the role blue, allow ecr:BatchGetImage')


def test_an_aws_managed_boundary_has_no_command() -> None:
    power_user = ManagedPolicy(_arn("arn:aws:iam::aws:policy/PowerUserAccess"), ("v1",), "v1")
    fix = iam.widen_boundary(ROLE, power_user, region=REGION, actions=["ecr:BatchGetImage"], document=DENY_S3)
    assert fix.commands == ()
    assert fix.summary == (
        "Choose another permissions boundary for the role blue: AWS's own arn:aws:iam::aws:policy/PowerUserAccess "
        "stops ecr:BatchGetImage."
    )
