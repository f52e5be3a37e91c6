from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.estate import (
    ALLOW_TOKEN,
    LAYERS,
    MANIFEST,
    NO_REASON,
    PULL,
    PULL_ONLY,
    TOKEN,
    Estate,
    allow,
    because_no,
    grant,
    is_fixed_since,
    only,
    opened,
    policy,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Statement

CAUSE = "role_lacks_pull_permissions"
BLAMED = because_no("identity-based policy")


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_a_role_without_policies_gets_the_managed_policy(estate: Estate, reason: str) -> None:
    role, repository = estate.role(), estate.repository()
    pull = estate.denied(role, repository, reason)
    assert estate.may(role, repository) == set()

    finding = only(estate.diagnose(pull), CAUSE)

    assert (finding.resource.type, finding.resource.id) == ("AwsIamRole", str(role))
    assert (finding.account, finding.region, finding.cluster) == (estate.account, "us-east-1", "prod")
    assert all(action in finding.explanation for action in (str(role), *PULL))
    lacking, said = "\n".join(finding.evidence[:-1]), finding.evidence[-1]
    assert all(text in lacking for text in ("No statement", f"{TOKEN} on *", MANIFEST, LAYERS, str(repository)))
    assert pull.denial
    assert said == f"AWS said: {pull.denial.message}"
    assert finding.remediation.account == estate.account
    assert "attach-role-policy" in finding.remediation.commands[0]
    assert PULL_ONLY in finding.remediation.commands[0]
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)
    assert is_fixed_since(estate.diagnose(pull)) is (reason == BLAMED)


def test_what_lacks_is_allowed_on_this_repository_alone(estate: Estate) -> None:
    repository, neighbour = estate.repository(), estate.repository(name="team/db")
    role = estate.role(allow(TOKEN, MANIFEST), allow(LAYERS, on=str(neighbour), Sid="Neighbour"))
    assert estate.may(role, repository) == {TOKEN, MANIFEST}

    finding = only(estate.diagnose(estate.denied(role, repository, NO_REASON, action=LAYERS)), CAUSE)

    assert MANIFEST not in finding.explanation
    assert TOKEN not in finding.explanation
    assert LAYERS in finding.evidence[0]
    assert all(part in finding.evidence[0] for part in ("The closest is", "inline1", "Neighbour", str(neighbour)))
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, estate.repository(name="team/third")) == {TOKEN, MANIFEST}


def test_an_inline_policy_of_an_earlier_fix_is_not_replaced(estate: Estate) -> None:
    first, second = estate.repository(), estate.repository(name="team/db")
    role = estate.role(ALLOW_TOKEN)
    for repository in (first, second):
        finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
        estate.run(finding.remediation)
    assert estate.may(role, first) == estate.may(role, second) == set(PULL)


def test_a_denied_token_names_no_repository(estate: Estate) -> None:
    role, repository = estate.role(allow(MANIFEST, LAYERS)), estate.repository()
    pull = estate.denied(role, None, because_no("identity-based policy", TOKEN), action=TOKEN)

    finding = only(estate.diagnose(pull), CAUSE)

    assert finding.pull.repository_arn is None
    assert TOKEN in finding.evidence[0]
    assert MANIFEST not in " ".join(finding.evidence)
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_pod_execution_role_gets_the_policy_for_fargate(estate: Estate) -> None:
    role, repository = estate.role(name="fargate", trusted=("eks-fargate-pods",)), estate.repository()
    estate.cluster().create_fargate_profile(
        fargateProfileName="fp", clusterName="prod", podExecutionRoleArn=str(role), subnets=["subnet-1"], selectors=[]
    )
    pull = estate.denied(role, repository, BLAMED, session="f1e2d3")

    finding = only(estate.diagnose(pull), CAUSE)

    assert finding.cluster == "prod"
    [command] = finding.remediation.commands
    assert "arn:aws:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy" in command
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


FALSE_FRIENDS: dict[str, list[Statement]] = {
    "another repository": [
        ALLOW_TOKEN,
        allow(MANIFEST, LAYERS, on="arn:aws:ecr:us-east-1:ACCOUNT:repository/team/apps"),
    ],
    "another account": [ALLOW_TOKEN, allow(MANIFEST, LAYERS, on="arn:aws:ecr:us-east-1:999999999999:repository/*")],
    "another region": [ALLOW_TOKEN, allow(MANIFEST, LAYERS, on="arn:aws:ecr:eu-west-1:ACCOUNT:repository/*")],
    "another case": [ALLOW_TOKEN, allow(MANIFEST, LAYERS, on="arn:aws:ecr:us-east-1:ACCOUNT:repository/Team/App")],
    "all actions but these": [ALLOW_TOKEN, {"Effect": "Allow", "NotAction": "ecr:*", "Resource": "*"}],
    "in another region only": [
        ALLOW_TOKEN,
        allow(MANIFEST, LAYERS, Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
    ],
}


@pytest.mark.parametrize("statements", FALSE_FRIENDS.values(), ids=FALSE_FRIENDS)
def test_statements_that_look_like_a_grant(estate: Estate, statements: list[Statement]) -> None:
    role, repository = estate.role(*map(estate.fill_in, statements)), estate.repository()
    assert estate.may(role, repository) == {TOKEN}
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert f"allows {MANIFEST}, {LAYERS}" in finding.explanation


GRANTS: dict[str, list[Statement]] = {
    "one repository and all by wildcard": [
        allow("ecr:Get*", on="arn:aws:ecr:us-east-1:ACCOUNT:repository/other"),
        allow("ecr:*", on="*"),
    ],
    "letter case of actions": [allow("ECR:getauthorizationtoken", "ecr:BATCHGETIMAGE", "Ecr:GetDownload???ForLayer")],
    "not another action": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
    "not another repository": [
        ALLOW_TOKEN,
        {"Effect": "Allow", "Action": "ecr:*", "NotResource": "arn:aws:ecr:*:*:repository/secret*"},
    ],
    "in this region": [allow("ecr:*", Condition={"StringLike": {"aws:RequestedRegion": ["us-*", "eu-*"]}})],
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("statements", GRANTS.values(), ids=GRANTS)
def test_permissions_that_are_enough(estate: Estate, statements: list[Statement]) -> None:
    role, repository = estate.role(*map(estate.fill_in, statements)), estate.repository()
    assert estate.may(role, repository) == set(PULL)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "near_miss")
@pytest.mark.parametrize("who", ["arn:aws:iam::ACCOUNT:role/nodes/node", "*"], ids=["the role", "everybody"])
def test_a_repository_of_the_same_account_that_grants_is_enough(estate: Estate, who: str) -> None:
    role = estate.role(ALLOW_TOKEN)
    repository = estate.repository(grant(who.replace("ACCOUNT", estate.account)))
    assert estate.may(role, repository) == set(PULL)
    assert is_fixed_since(estate.diagnose(estate.denied(role, repository, BLAMED)))


def test_a_repository_of_the_same_account_that_grants_the_account_only_delegates(estate: Estate) -> None:
    role = estate.role(ALLOW_TOKEN)
    repository = estate.repository(grant(f"arn:aws:iam::{estate.account}:root"))
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert f"{MANIFEST}, {LAYERS}" in finding.explanation


READS: dict[str, list[str]] = {
    "iam:ListRolePolicies": [],
    "iam:GetRolePolicy": [],
    "iam:ListAttachedRolePolicies": [],
    "iam:GetPolicy": [PULL_ONLY],
    "iam:GetPolicyVersion": [PULL_ONLY],
}


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize(("call", "attached"), READS.items(), ids=READS)
def test_what_cannot_be_read_is_decided_by_words_alone(estate: Estate, call: str, attached: list[str]) -> None:
    role, repository = estate.role(allow("s3:*"), attach=attached), estate.repository()

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=[call, "iam:ListPolicies"])
    assert call in opened(undecided)[CAUSE]
    assert CAUSE not in undecided.passed

    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull, unreadable=[call, "iam:ListPolicies"]), CAUSE)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert MANIFEST in finding.explanation
    assert "attach-role-policy" in finding.remediation.commands[0]


def test_a_condition_that_cannot_be_known_is_named(estate: Estate) -> None:
    role, repository = (
        estate.role(ALLOW_TOKEN, allow("ecr:*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})),
        estate.repository(),
    )
    assert "aws:SourceVpce" in opened(estate.diagnose(estate.denied(role, repository, NO_REASON)))[CAUSE]
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert MANIFEST in finding.explanation


def test_a_policy_that_no_evaluator_takes_is_named(estate: Estate) -> None:
    role, repository = estate.role(), estate.repository()
    broken = policy({"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": {"StringIs": {"a": "b"}}})
    estate.put_inline(role, "broken", broken)
    reason = opened(estate.diagnose(estate.denied(role, repository, NO_REASON)))[CAUSE]
    assert all(word in reason for word in ("inline policy broken", "Statement[0]", "StringIs"))
