from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.estate import (
    ALLOW_ALL,
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
    deny,
    explicit_deny,
    grant,
    is_fixed_since,
    only,
    opened,
    policy,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Statement

CAUSE = "role_policy_denies_pull"
BLAMED = explicit_deny("identity-based policy")


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_an_inline_policy_that_denies_by_wildcard(estate: Estate, reason: str) -> None:
    role = estate.role(ALLOW_ALL, deny("ecr:BatchGet*", "s3:*", Sid="NoImages"))
    repository, neighbour = estate.repository(), estate.repository(name="team/db")
    assert estate.may(role, repository) == {TOKEN, LAYERS}

    finding = only(estate.diagnose(estate.denied(role, repository, reason)), CAUSE)

    assert (finding.resource.type, finding.resource.id) == ("AwsIamRole", str(role))
    assert f"denies {MANIFEST}," in finding.explanation
    assert finding.evidence[0].startswith('inline policy inline1, statement "NoImages": {')
    assert '"Action": ["ecr:BatchGet*", "s3:*"]' in finding.evidence[0]
    assert len(finding.evidence) == 2
    assert finding.remediation.account == estate.account
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN, LAYERS}


def test_a_managed_policy_of_five_versions(estate: Estate) -> None:
    document = policy(deny("ecr:Get*", "ecr:Batch*", "iam:*"))
    guard = estate.managed_policy(*[policy(ALLOW_ALL)] * 4, document)
    role, repository = estate.role(ALLOW_ALL, attach=[guard]), estate.repository()
    assert estate.may(role, repository) == set()

    finding = only(
        estate.diagnose(estate.denied(role, repository, explicit_deny("identity-based policy", guard))), CAUSE
    )

    assert finding.evidence[0].startswith(f"{guard}, statement 0: {{")
    assert [command[2] for command in finding.remediation.commands] == [
        "delete-policy-version",
        "create-policy-version",
    ]
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_policy_of_aws_is_detached(estate: Estate) -> None:
    deny_all = "arn:aws:iam::aws:policy/AWSDenyAll"
    role, repository = estate.role(ALLOW_ALL, attach=[deny_all]), estate.repository()
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert deny_all in finding.evidence[0]
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_several_policies_that_deny_are_all_fixed(estate: Estate) -> None:
    guard = estate.managed_policy(policy(deny(LAYERS, "s3:*")))
    role = estate.role(ALLOW_ALL, deny(MANIFEST), deny("ecr:Get*"), attach=[guard])
    repository = estate.repository()
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    for name in ("inline policy inline1", "inline policy inline2", guard):
        assert any(line.startswith(f"{name}, statement 0") for line in finding.evidence)
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_what_is_denied_and_not_allowed_either_are_two_faults(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_TOKEN, deny("ecr:Batch*", "s3:*")), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    lacks, denies = diagnosis.findings
    assert (lacks.cause, denies.cause) == ("role_lacks_pull_permissions", CAUSE)
    assert f"allows {MANIFEST}, {LAYERS}" in lacks.explanation
    assert f"denies {MANIFEST}," in denies.explanation
    for finding in diagnosis.findings:
        estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_repository_that_grants_does_not_outrank_the_deny(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_ALL, deny(MANIFEST)), estate.repository(grant("*"))
    assert estate.may(role, repository) == {TOKEN, LAYERS}
    only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)


HARMLESS: dict[str, Statement] = {
    "another repository": deny("ecr:*", on="arn:aws:ecr:us-east-1:*:repository/team/secret*"),
    "another region": deny("ecr:*", Condition={"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}),
    "not over TLS": deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    "all actions but those of ECR": {"Effect": "Deny", "NotAction": ["ecr:*", "sts:*"], "Resource": "*"},
    "writing only": deny("ecr:Put*", "ecr:*LayerUpload", "ecr:Delete*"),
    "other roles": deny("*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/nodes/*"}}),
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("statement", HARMLESS.values(), ids=HARMLESS)
def test_a_deny_of_something_else(estate: Estate, statement: Statement) -> None:
    role, repository = estate.role(ALLOW_ALL, statement), estate.repository()
    assert estate.may(role, repository) == set(PULL)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "near_miss")
def test_an_older_version_of_a_managed_policy_does_not_count(estate: Estate) -> None:
    guard = estate.managed_policy(policy(deny("ecr:*")), policy(deny("s3:*")))
    role, repository = estate.role(ALLOW_ALL, attach=[guard]), estate.repository()
    assert is_fixed_since(estate.diagnose(estate.denied(role, repository, BLAMED)))


def test_an_allow_that_hangs_on_something_unknown_is_no_deny(estate: Estate) -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    role, repository = estate.role(ALLOW_TOKEN, allow("ecr:*", Condition=condition)), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed


def test_a_deny_that_hangs_on_something_unknown_is_decided_by_words(estate: Estate) -> None:
    condition = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    role, repository = estate.role(ALLOW_ALL, deny("ecr:*", Condition=condition)), estate.repository()

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON))
    assert "aws:SourceVpce" in opened(undecided)[CAUSE]
    assert "role_lacks_pull_permissions" in undecided.passed

    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull), CAUSE)
    assert pull.denial
    assert f"AWS said: {pull.denial.message}" in finding.evidence
    assert finding.remediation.commands == ()
    assert is_fixed_since(estate.diagnose(estate.denied(role, repository, because_no("identity-based policy"))))


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("call", ["iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"])
def test_what_cannot_be_read_is_decided_by_words_alone(estate: Estate, call: str) -> None:
    role, repository = estate.role(ALLOW_ALL), estate.repository()

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=[call])
    assert call in opened(undecided)[CAUSE]
    assert CAUSE not in undecided.passed

    arn = f"arn:aws:iam::{estate.account}:policy/guard"
    pull = estate.denied(role, repository, explicit_deny("identity-based policy", arn))
    finding = only(estate.diagnose(pull, unreadable=[call]), CAUSE)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert finding.remediation.commands == ()
    assert f"{arn} must not deny {MANIFEST}" in finding.remediation.summary


def test_versions_that_cannot_be_read_leave_the_fix(estate: Estate) -> None:
    guard = estate.managed_policy(policy(deny(MANIFEST, "s3:*")))
    role, repository = estate.role(attach=[guard, PULL_ONLY]), estate.repository()
    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull, unreadable=["iam:ListPolicyVersions"]), CAUSE)
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


UNREADABLE: dict[str, str] = {
    "a managed policy": "iam:GetPolicyVersion",
    "which are attached": "iam:ListAttachedRolePolicies",
}


@pytest.mark.parametrize("call", UNREADABLE.values(), ids=UNREADABLE)
def test_a_deny_that_was_read_is_certain_whatever_else_was_not(estate: Estate, call: str) -> None:
    role = estate.role(ALLOW_ALL, deny(MANIFEST, Sid="NoImages"), attach=[PULL_ONLY])
    repository = estate.repository()
    finding = only(estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=[call]), CAUSE)
    assert finding.evidence[0].startswith('inline policy inline1, statement "NoImages": ')
    assert finding.evidence[1].startswith(
        f"Another identity-based policy may stop the pull, too, but could not be read: {call} failed: "
    )
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.parametrize("call", UNREADABLE.values(), ids=UNREADABLE)
def test_an_allow_that_was_read_counts_but_what_was_not_may_deny(estate: Estate, call: str) -> None:
    role, repository = estate.role(ALLOW_ALL, attach=[PULL_ONLY]), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=[call])
    assert call in opened(diagnosis)[CAUSE]
    assert CAUSE not in diagnosis.passed
    assert "role_lacks_pull_permissions" in diagnosis.passed


def test_where_no_allow_was_read_it_is_open_whether_one_lacks(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_TOKEN, attach=[PULL_ONLY]), estate.repository()
    reasons = opened(estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=["iam:GetPolicyVersion"]))
    assert "iam:GetPolicyVersion" in reasons["role_lacks_pull_permissions"]


def test_a_policy_that_is_none_leaves_the_others(estate: Estate) -> None:
    """AWS keeps only what it can evaluate; an element that came later we cannot."""
    role, repository = estate.role(ALLOW_ALL, {**deny("s3:*"), "Unless": {}}), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON))
    assert opened(diagnosis)[CAUSE] == 'policy inline policy inline1: Statement[0]: unknown element "Unless"'
    assert "role_lacks_pull_permissions" in diagnosis.passed
    estate.put_inline(role, "inline2", policy(deny(MANIFEST)))
    finding = only(estate.diagnose(estate.denied(role, repository, NO_REASON)), CAUSE)
    assert finding.evidence[0].startswith("inline policy inline2, ")
