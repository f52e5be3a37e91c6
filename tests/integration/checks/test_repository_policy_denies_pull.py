from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.estate import (
    ALLOW_ALL,
    LAYERS,
    MANIFEST,
    NO_REASON,
    PULL,
    PULL_ONLY,
    TOKEN,
    Estate,
    because_no,
    explicit_deny,
    grant,
    is_fixed_since,
    only,
    opened,
    refuse,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Statement

CAUSE = "repository_policy_denies_pull"
BLAMED = explicit_deny("resource-based policy")


@pytest.mark.cause(CAUSE, "fails")
def test_a_deny_of_everybody(estate: Estate) -> None:
    role, bystander = estate.role(attach=[PULL_ONLY]), estate.role(attach=[PULL_ONLY], name="bystander")
    repository = estate.repository(refuse("*", "ecr:BatchGet*", Sid="NoPull"), grant("*", "ecr:PutImage", Sid="Push"))
    assert estate.may(role, repository) == {TOKEN, LAYERS}
    pull = estate.denied(role, repository, BLAMED)

    finding = only(estate.diagnose(pull), CAUSE)

    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(repository))
    assert finding.account == finding.remediation.account == estate.account
    assert all(text in finding.explanation for text in (str(repository), f"denies {MANIFEST} to", str(role)))
    assert pull.denial
    quoted, said = finding.evidence
    assert quoted.startswith('the repository policy, statement "NoPull": {')
    assert '"Action": ["ecr:BatchGet*"]' in quoted
    assert said == f"AWS said: {pull.denial.message}"
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(bystander, repository) == {TOKEN, LAYERS}


@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_a_repository_of_another_account(estate: Estate, reason: str) -> None:
    estate.member()
    account = f"arn:aws:iam::{estate.account}:root"
    role = estate.role(attach=[PULL_ONLY])
    repository = estate.repository(grant(account), refuse(str(role)), account=estate.other)
    assert estate.may(role, repository) == {TOKEN}
    finding = only(estate.diagnose(estate.denied(role, repository, reason)), CAUSE)
    assert finding.account == finding.remediation.account == estate.other
    assert finding.evidence[0].startswith("the repository policy, statement 1: {")
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.parametrize("order", [1, -1], ids=["as reported", "the other way round"])
def test_another_account_that_is_denied_and_not_granted_either(estate: Estate, order: int) -> None:
    estate.member()
    role = estate.role(attach=[PULL_ONLY])
    repository = estate.repository(refuse("*"), grant("*", "ecr:PutImage"), account=estate.other)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    lacks, denies = diagnosis.findings
    assert (lacks.cause, denies.cause) == ("repository_policy_lacks_grant", CAUSE)
    assert f"{MANIFEST}, {LAYERS}" in lacks.explanation
    assert f"{MANIFEST}, {LAYERS}" in denies.explanation
    # Both put the one policy of the repository: neither may undo the other.
    for finding in diagnosis.findings[::order]:
        estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


HARMLESS: dict[str, Statement] = {
    "another role": refuse("arn:aws:iam::ACCOUNT:role/nodes/other"),
    "another account": refuse("arn:aws:iam::999999999999:root"),
    "pushing": refuse("*", "ecr:Put*", "ecr:InitiateLayerUpload"),
    "not over TLS": refuse("*", "ecr:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    "everybody but these roles": refuse(
        "*", "ecr:*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::ACCOUNT:role/nodes/*"}}
    ),
    "everybody of other accounts": refuse(
        "*", "ecr:*", Condition={"StringNotEquals": {"aws:PrincipalAccount": ["ACCOUNT", "999999999999"]}}
    ),
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("statement", HARMLESS.values(), ids=HARMLESS)
def test_a_deny_of_something_else(estate: Estate, statement: Statement) -> None:
    role = estate.role(attach=[PULL_ONLY])
    repository = estate.repository(estate.fill_in(statement))
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


def test_a_deny_that_hangs_on_the_way_of_the_request_is_decided_by_words(estate: Estate) -> None:
    role = estate.role(attach=[PULL_ONLY])
    elsewhere = refuse("*", "ecr:*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})
    repository = estate.repository(elsewhere)
    assert "aws:SourceVpce" in opened(estate.diagnose(estate.denied(role, repository, NO_REASON)))[CAUSE]
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert f"denies {MANIFEST} to" in finding.explanation
    assert finding.remediation.commands == ()
    assert is_fixed_since(estate.diagnose(estate.denied(role, repository, because_no("identity-based policy"))))


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("denied", ["sts:AssumeRole", "ecr:GetRepositoryPolicy"])
def test_what_cannot_be_read_is_decided_by_words_alone(estate: Estate, denied: str) -> None:
    if denied != "sts:AssumeRole":
        estate.member(denied)
    role, repository = estate.role(ALLOW_ALL), estate.repository(refuse("*"), account=estate.other)

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON))
    assert denied in opened(undecided)[CAUSE]
    assert CAUSE not in undecided.passed

    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull), CAUSE)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert (finding.remediation.account, finding.remediation.commands) == (estate.other, ())
    assert str(role) in finding.remediation.summary


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_repository_that_no_longer_exists_denies_nobody(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_ALL), estate.repository(refuse("*"))
    pull = estate.denied(role, repository, BLAMED)
    estate.aws.client("ecr", account=estate.account).delete_repository(repositoryName="team/app", force=True)
    assert "team/app does not exist" in opened(estate.diagnose(pull))[CAUSE]
