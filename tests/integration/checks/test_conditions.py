"""Conditions in policies, decided from what AWS tells; what nobody tells leaves the decision open and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.checks.estate import (
    ALLOW_TOKEN,
    MANIFEST,
    PULL,
    PULL_ONLY,
    REGION,
    TOKEN,
    allow,
    deny,
    refuse,
)

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn
    from tests.integration.checks.estate import Estate

TEAM = {"Key": "team", "Value": "payments"}


def on(operator: str, key: str, value: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def causes(estate: Estate, role: Arn, repository: Arn) -> list[str]:
    return [finding.cause for finding in estate.diagnose(estate.denied(role, repository)).findings]


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "ecr:ResourceTag/team"])
def test_the_tags_of_the_repository(estate: Estate, key: str) -> None:
    repository = estate.repository()
    estate.client("ecr").tag_resource(resourceArn=str(repository), tags=[TEAM])
    ours = estate.role(ALLOW_TOKEN, allow(*PULL[1:], **on("StringEquals", key, "payments")), name="ours")
    theirs = estate.role(ALLOW_TOKEN, allow(*PULL[1:], **on("StringEquals", key, "search")), name="theirs")
    assert causes(estate, ours, repository) == []
    (finding,) = estate.diagnose(estate.denied(theirs, repository)).findings
    assert finding.cause == "role_lacks_pull_permissions"
    assert f'StringEquals {key} "search" is not met: the request has "payments"' in finding.evidence[0]


def test_the_tags_of_the_role(estate: Estate) -> None:
    repository = estate.repository()
    role = estate.role(attach=[PULL_ONLY])
    estate.set_policy(repository, refuse("*", MANIFEST, **on("StringNotEquals", "aws:PrincipalTag/team", "payments")))
    assert causes(estate, role, repository) == ["repository_policy_denies_pull"]


def test_the_tags_of_a_role_that_has_them(estate: Estate) -> None:
    repository = estate.repository()
    role = estate.role(attach=[PULL_ONLY])
    estate.client("iam").tag_role(RoleName="node", Tags=[TEAM])
    estate.set_policy(repository, refuse("*", MANIFEST, **on("StringNotEquals", "aws:PrincipalTag/team", "payments")))
    assert causes(estate, role, repository) == []


@pytest.mark.parametrize(("region", "found"), [(REGION, []), ("eu-west-1", ["role_lacks_pull_permissions"])])
def test_the_region(estate: Estate, region: str, found: list[str]) -> None:
    role = estate.role(ALLOW_TOKEN, allow(*PULL[1:], **on("StringEquals", "aws:RequestedRegion", region)))
    assert causes(estate, role, estate.repository()) == found


@pytest.mark.parametrize(
    ("operator", "found"), [("DateGreaterThan", ["role_policy_denies_pull"]), ("DateLessThan", [])]
)
def test_the_time_is_that_of_the_refusal(estate: Estate, operator: str, found: list[str]) -> None:
    role = estate.role(
        allow("ecr:*"), deny("ecr:BatchGetImage", **on(operator, "aws:CurrentTime", "2026-01-01T00:00:00Z"))
    )
    assert causes(estate, role, estate.repository()) == found


def test_what_nobody_tells_is_named(estate: Estate) -> None:
    repository = estate.repository(refuse("*", MANIFEST, **on("StringNotEquals", "aws:SourceIp", "198.51.100.7")))
    role = estate.role(attach=[PULL_ONLY])
    diagnosis = estate.diagnose(estate.denied(role, repository))
    assert diagnosis.findings == ()
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "repository_policy_denies_pull"]
    assert "aws:SourceIp" in reason


def test_tags_that_cannot_be_read_leave_it_open(estate: Estate) -> None:
    repository = estate.repository()
    role = estate.role(ALLOW_TOKEN, allow(*PULL[1:], **on("StringEquals", "aws:ResourceTag/team", "payments")))
    diagnosis = estate.diagnose(estate.denied(role, repository), unreadable=["ecr:ListTagsForResource"])
    assert diagnosis.findings == ()
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "role_lacks_pull_permissions"]
    assert "aws:ResourceTag/team" in reason


def test_a_condition_behind_a_certain_deny_is_read_too(estate: Estate) -> None:
    repository = estate.repository(
        refuse("*", MANIFEST), refuse("*", MANIFEST, **on("StringEquals", "aws:ResourceTag/team", "payments"))
    )
    estate.client("ecr").tag_resource(resourceArn=str(repository), tags=[TEAM])
    role = estate.role(attach=[PULL_ONLY])
    (finding,) = estate.diagnose(estate.denied(role, repository)).findings
    assert finding.cause == "repository_policy_denies_pull"
    estate.run(finding.remediation)
    assert estate.diagnose(estate.denied(role, repository)).findings == ()


def test_a_conditional_allow_behind_a_certain_deny_is_read_too(estate: Estate) -> None:
    repository = estate.repository()
    role = estate.role(
        ALLOW_TOKEN, deny(MANIFEST), allow(*PULL[1:], **on("StringEquals", "ecr:ResourceTag/team", "payments"))
    )
    diagnosis = estate.diagnose(estate.denied(role, repository))
    assert [finding.cause for finding in diagnosis.findings] == [
        "role_lacks_pull_permissions",
        "role_policy_denies_pull",
    ]
    for finding in diagnosis.findings:
        estate.run(finding.remediation)
    assert estate.diagnose(estate.denied(role, repository)).findings == ()


def test_the_resources_account_is_not_known_for_a_token(estate: Estate) -> None:
    ours = on("StringEquals", "aws:ResourceAccount", estate.account)
    role, repository = estate.role(allow(TOKEN, **ours), allow(*PULL[1:], **ours)), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository))
    assert diagnosis.findings == ()
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "role_lacks_pull_permissions"]
    assert reason == "a condition tests aws:ResourceAccount, and the value in this request is not known"
    elsewhere = on("StringEquals", "aws:ResourceAccount", estate.other)
    other = estate.role(ALLOW_TOKEN, allow(*PULL[1:], **elsewhere), name="other")
    assert causes(estate, other, repository) == ["role_lacks_pull_permissions"]


@pytest.mark.parametrize("operator", ["ArnLike", "ArnNotLike"])
def test_a_bare_star_for_an_arn_leaves_it_open(estate: Estate, operator: str) -> None:
    role = estate.role(allow("ecr:*"), deny("ecr:BatchGetImage", **on(operator, "aws:PrincipalArn", "*")))
    diagnosis = estate.diagnose(estate.denied(role, estate.repository()))
    assert diagnosis.findings == ()
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "role_policy_denies_pull"]
    assert reason == 'how AWS compares aws:PrincipalArn with an incomplete ARN ("*")'


@pytest.mark.parametrize("pattern", ["arn:aws:ecr:*:*:repo*", "arn:aws:ecr:*:*:*/team/app", "arn:aws:ecr"])
def test_a_pattern_that_aws_does_not_document_leaves_it_open(estate: Estate, pattern: str) -> None:
    role, repository = estate.role(ALLOW_TOKEN, allow(*PULL[1:], on=pattern)), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository))
    assert diagnosis.findings == ()
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "role_lacks_pull_permissions"]
    assert f'how AWS matches "{pattern}": it ' in reason
    other = estate.role(ALLOW_TOKEN, allow(*PULL[1:], on="arn:aws:ecr:*:*:repository/other*"), name="other")
    assert causes(estate, other, repository) == ["role_lacks_pull_permissions"]


def test_a_variable_without_a_value_lets_a_negated_deny_through(estate: Estate) -> None:
    repository = estate.repository()
    estate.client("ecr").tag_resource(resourceArn=str(repository), tags=[TEAM])
    other_teams = deny(MANIFEST, **on("StringNotEquals", "ecr:ResourceTag/team", "${aws:PrincipalTag/team}"))
    role = estate.role(allow("ecr:*"), other_teams)
    assert causes(estate, role, repository) == ["role_policy_denies_pull"]
    estate.client("iam").tag_role(RoleName="node", Tags=[TEAM])
    assert causes(estate, role, repository) == []
