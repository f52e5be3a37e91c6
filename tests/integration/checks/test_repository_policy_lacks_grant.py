from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.estate import (
    ALLOW_ALL,
    LAYERS,
    MANIFEST,
    MEMBER_ROLE,
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
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Statement

CAUSE = "repository_policy_lacks_grant"
BLAMED = because_no("resource-based policy")


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_a_repository_without_a_policy(estate: Estate, reason: str) -> None:
    estate.member()
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)
    stranger = estate.role(ALLOW_ALL, account="999999999999", name=f"stranger-{estate.other}")
    assert estate.may(role, repository) == {TOKEN}

    finding = only(estate.diagnose(estate.denied(role, repository, reason)), CAUSE)

    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(repository))
    assert (finding.account, finding.region) == (estate.other, "us-east-1")
    assert f"account {estate.account} to call {MANIFEST}, {LAYERS}." in finding.explanation
    lacking = "\n".join(finding.evidence[:-1])
    assert all(text in lacking for text in ("it has none", "allows", MANIFEST, LAYERS, str(repository)))
    assert finding.remediation.account == estate.other
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(stranger, repository) == {TOKEN}


def test_a_grant_of_one_action_only(estate: Estate) -> None:
    estate.member()
    push = grant("*", "ecr:PutImage", Sid="Push")
    half = grant(f"arn:aws:iam::{estate.account}:root", MANIFEST, Sid="Half")
    role, repository = estate.role(ALLOW_ALL), estate.repository(push, half, account=estate.other)
    assert estate.may(role, repository) == {TOKEN, MANIFEST}
    pull = estate.denied(role, repository, because_no("resource-based policy", LAYERS), action=LAYERS)

    finding = only(estate.diagnose(pull), CAUSE)

    assert f"to call {LAYERS}." in finding.explanation
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)
    kept = estate.aws.client("ecr", account=estate.other).get_repository_policy(repositoryName="team/app")["policyText"]
    assert '"Push"' in kept
    assert '"Half"' in kept


TOO_NARROW: dict[str, list[Statement]] = {
    "another account": [grant("arn:aws:iam::999999999999:root")],
    "another role": [grant("arn:aws:iam::ACCOUNT:role/nodes/other")],
    "the role before it was made again": [grant("AROAEXAMPLEEXAMPLEEXA")],
    "another session": [grant("arn:aws:sts::ACCOUNT:assumed-role/node/i-0000000000000000a")],
    "everybody else": [grant("*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/nodes/*"}})],
    "another organization's accounts": [
        grant("*", Condition={"StringEquals": {"aws:PrincipalAccount": "999999999999"}})
    ],
}


@pytest.mark.parametrize("statements", TOO_NARROW.values(), ids=TOO_NARROW)
def test_a_grant_that_does_not_cover_the_role(estate: Estate, statements: list[Statement]) -> None:
    estate.member()
    role = estate.role(ALLOW_ALL)
    repository = estate.repository(*map(estate.fill_in, statements), account=estate.other)
    assert estate.may(role, repository) == {TOKEN}
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert "The closest is" in finding.evidence[0]


ENOUGH: dict[str, list[Statement]] = {
    "the account": [grant("arn:aws:iam::ACCOUNT:root")],
    "the account's number": [grant("ACCOUNT")],
    "the role": [grant("arn:aws:iam::ACCOUNT:role/nodes/node")],
    "the session": [grant("arn:aws:sts::ACCOUNT:assumed-role/node/SESSION")],
    "everybody": [grant("*", "ecr:*")],
    "all roles of the account": [
        grant("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::ACCOUNT:role/*"}})
    ],
    "by two statements": [grant("ACCOUNT", MANIFEST), grant("*", "ecr:GetDownload*")],
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("statements", ENOUGH.values(), ids=ENOUGH)
def test_a_grant_that_covers_the_role(estate: Estate, statements: list[Statement]) -> None:
    estate.member()
    node = estate.instance()
    role = estate.role(attach=[PULL_ONLY])
    granted = [estate.fill_in(statement, SESSION=node) for statement in statements]
    repository = estate.repository(*granted, account=estate.other)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session=node))
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_registry_policy_that_grants_is_as_good(estate: Estate) -> None:
    estate.member()
    account = f"arn:aws:iam::{estate.account}:root"
    estate.set_registry_policy({**grant(account), "Resource": "*"}, account=estate.other)
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)
    assert is_fixed_since(estate.diagnose(estate.denied(role, repository, BLAMED)))
    estate.set_registry_policy({**grant(account), "Resource": "*"}, account=estate.other, scope="V1")
    only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)


def test_both_sides_must_allow(estate: Estate) -> None:
    estate.member()
    role = estate.role(allow(TOKEN))
    repository = estate.repository(grant(str(role)), account=estate.other)
    assert estate.may(role, repository) == {TOKEN}
    only(estate.diagnose(estate.denied(role, repository, BLAMED)), "role_lacks_pull_permissions")


def test_within_one_account_it_does_not_arise(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(grant("999999999999"))
    assert estate.may(role, repository) == set(PULL)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE not in diagnosis.passed


def test_seen_from_the_registrys_account(estate: Estate) -> None:
    estate.member()
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    repository = estate.repository()
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert finding.remediation.account == finding.account == estate.account
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("denied", ["sts:AssumeRole", "ecr:GetRepositoryPolicy"])
def test_what_cannot_be_read_is_decided_by_words_alone(estate: Estate, denied: str) -> None:
    if denied != "sts:AssumeRole":
        estate.member(denied)
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON))
    reason = opened(undecided)[CAUSE]
    assert denied in reason
    assert MEMBER_ROLE in reason or denied == "ecr:GetRepositoryPolicy"
    assert CAUSE not in undecided.passed

    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull), CAUSE)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert finding.remediation.account == estate.other
    assert finding.remediation.commands == ()
    assert f'"Principal": {{"AWS": "arn:aws:iam::{estate.account}:root"}}' in finding.remediation.summary


def test_a_repository_that_no_longer_exists_lacks_no_grant(estate: Estate) -> None:
    estate.member()
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)
    pull = estate.denied(role, repository, BLAMED)
    estate.aws.client("ecr", account=estate.other).delete_repository(repositoryName="team/app", force=True)
    diagnosis = estate.diagnose(pull)
    assert only(diagnosis, "repository_not_found").resource.id == str(repository)
    assert "team/app does not exist" in {each.cause: each.reason for each in diagnosis.unchecked}[CAUSE]
