"""The emulator keeps registry policies and does not enforce them, so what is denied is AWS's word here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.integration.checks.estate import (
    LAYERS,
    MANIFEST,
    NO_REASON,
    PULL_ONLY,
    Estate,
    explicit_deny,
    grant,
    is_fixed_since,
    only,
    opened,
    refuse,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Statement

CAUSE = "registry_policy_denies_pull"
BLAMED = explicit_deny("resource-based policy")
ANY = {"Resource": "*"}


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_a_deny_of_everybody(estate: Estate, reason: str) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.set_registry_policy(refuse("*", "ecr:BatchGetImage", "ecr:PutImage", Sid="Closed", **ANY))
    pull = estate.denied(role, repository, reason)

    finding = only(estate.diagnose(pull), CAUSE)

    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(repository))
    assert all(text in finding.explanation for text in (estate.account, f"denies {MANIFEST} on", str(role)))
    assert finding.evidence[0].startswith('the registry policy, statement "Closed": {')
    assert finding.remediation.account == estate.account
    estate.run(finding.remediation)
    registry = estate.aws.client("ecr", account=estate.account)
    [kept] = json.loads(registry.get_registry_policy()["policyText"])["Statement"]
    assert kept["Action"] == ["ecr:BatchGetImage", "ecr:PutImage"]
    assert kept["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": str(role)}}
    assert not estate.diagnose(pull).findings


def test_a_deny_of_this_role_alone_in_another_account(estate: Estate) -> None:
    estate.member()
    role = estate.role(attach=[PULL_ONLY])
    repository = estate.repository(grant(estate.account), account=estate.other)
    estate.set_registry_policy(refuse(str(role), **ANY), account=estate.other)
    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull), CAUSE)
    assert finding.account == finding.remediation.account == estate.other
    assert f"{MANIFEST}, {LAYERS}" in finding.explanation
    estate.run(finding.remediation)
    with pytest.raises(ClientError, match="RegistryPolicyNotFoundException"):
        estate.aws.client("ecr", account=estate.other).get_registry_policy()
    assert is_fixed_since(estate.diagnose(pull))


def test_a_repository_that_denies_too_is_reported_too(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(refuse("*"))
    estate.set_registry_policy(refuse("*", **ANY))
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert [finding.cause for finding in diagnosis.findings] == ["repository_policy_denies_pull", CAUSE]


@pytest.mark.cause(CAUSE, "near_miss")
def test_scope_v1_leaves_pulls_alone(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.set_registry_policy(refuse("*", "ecr:*", **ANY), scope="V1")
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE not in diagnosis.passed


HARMLESS: dict[str, Statement] = {
    "another repository": refuse("*", "ecr:*", Resource="arn:aws:ecr:us-east-1:ACCOUNT:repository/secret/*"),
    "replication": refuse("*", "ecr:ReplicateImage", "ecr:CreateRepository", **ANY),
    "another account": refuse("arn:aws:iam::999999999999:root", "ecr:*", **ANY),
    "another role": refuse("*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/nodes/*"}}, **ANY),
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("statement", HARMLESS.values(), ids=HARMLESS)
def test_a_deny_of_something_else(estate: Estate, statement: Statement) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.set_registry_policy(estate.fill_in(statement))
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("call", ["ecr:GetRegistryPolicy", "ecr:GetAccountSetting"])
def test_what_cannot_be_read_is_decided_by_words_alone(estate: Estate, call: str) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.set_registry_policy(refuse("*", **ANY))

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=[call])
    assert call in opened(undecided)[CAUSE]
    assert CAUSE not in undecided.passed

    # The repository's policy was read and denies nothing, so AWS's "resource-based policy" is the registry's.
    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull, unreadable=[call]), CAUSE)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert finding.remediation.commands == ()


def test_words_that_may_mean_either_policy_are_reported_once(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    only(diagnosis, "repository_policy_denies_pull")
    assert "sts:AssumeRole" in {each.cause: each.reason for each in diagnosis.unchecked}[CAUSE]


def test_a_registry_that_denies_explains_a_repository_that_cannot_be_read(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.set_registry_policy(refuse("*", **ANY))
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED), unreadable=["ecr:GetRepositoryPolicy"])
    only(diagnosis, CAUSE)
    assert (
        "ecr:GetRepositoryPolicy" in {e.cause: e.reason for e in diagnosis.unchecked}["repository_policy_denies_pull"]
    )


def test_without_a_policy_the_scope_does_not_matter(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED), unreadable=["ecr:GetAccountSetting"])
    assert is_fixed_since(diagnosis)
