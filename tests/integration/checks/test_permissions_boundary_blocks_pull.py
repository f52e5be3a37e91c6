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
    from tests.integration.checks.estate import Document

CAUSE = "permissions_boundary_blocks_pull"
BLAMED = because_no("permissions boundary")


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_a_boundary_that_does_not_allow(estate: Estate, reason: str) -> None:
    boundary = estate.managed_policy(policy(allow("s3:*", TOKEN, Sid="Storage")))
    role, repository = estate.role(attach=[PULL_ONLY], boundary=boundary), estate.repository()
    assert estate.may(role, repository) == {TOKEN}

    finding = only(estate.diagnose(estate.denied(role, repository, reason)), CAUSE)

    assert (finding.resource.type, finding.resource.id) == ("AwsIamRole", str(role))
    assert all(text in finding.explanation for text in (boundary, str(role), f"{MANIFEST}, {LAYERS}"))
    assert TOKEN not in finding.explanation
    lacking = "\n".join(finding.evidence[:-1])
    assert all(text in lacking for text in (boundary, "allows", MANIFEST, LAYERS, str(repository)))
    assert finding.evidence[-1].startswith("AWS said: ")
    assert finding.remediation.account == estate.account
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_boundary_that_denies(estate: Estate) -> None:
    boundary = estate.managed_policy(policy(ALLOW_ALL, deny("ecr:*Image", Sid="NoImages")))
    role, repository = estate.role(ALLOW_ALL, boundary=boundary), estate.repository()
    assert estate.may(role, repository) == {TOKEN, LAYERS}
    finding = only(
        estate.diagnose(estate.denied(role, repository, explicit_deny("permissions boundary", boundary))), CAUSE
    )
    assert finding.evidence[0].startswith(f'{boundary}, statement "NoImages": {{')
    assert '"Effect": "Deny"' in finding.evidence[0]
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_boundary_that_denies_one_action_and_does_not_allow_it_either(estate: Estate) -> None:
    boundary = estate.managed_policy(policy(allow(TOKEN, LAYERS), deny(MANIFEST, "s3:*")))
    role, repository = estate.role(ALLOW_ALL, boundary=boundary), estate.repository()
    assert estate.may(role, repository) == {TOKEN, LAYERS}
    finding = only(estate.diagnose(estate.denied(role, repository, explicit_deny("permissions boundary"))), CAUSE)
    assert f"stops {MANIFEST}" in finding.explanation
    assert LAYERS not in finding.explanation
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_boundary_of_aws_cannot_be_edited(estate: Estate) -> None:
    boundary = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    role, repository = estate.role(ALLOW_ALL, boundary=boundary), estate.repository()
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)
    assert boundary in finding.explanation
    assert finding.remediation.commands == ()
    assert "another permissions boundary" in finding.remediation.summary


def test_a_token_that_the_boundary_does_not_allow(estate: Estate) -> None:
    boundary = estate.managed_policy(policy(allow(MANIFEST, LAYERS)))
    role, repository = estate.role(ALLOW_ALL, boundary=boundary), estate.repository()
    pull = estate.denied(role, None, because_no("permissions boundary", TOKEN), action=TOKEN)
    finding = only(estate.diagnose(pull), CAUSE)
    assert f"stops {TOKEN}." in finding.explanation
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_role_that_a_same_account_repository_grants_is_still_limited(estate: Estate) -> None:
    boundary = estate.managed_policy(policy(allow(TOKEN)))
    role = estate.role(ALLOW_ALL, boundary=boundary)
    repository = estate.repository(grant(str(role)))
    assert estate.may(role, repository) == {TOKEN}
    only(estate.diagnose(estate.denied(role, repository, BLAMED)), CAUSE)


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_session_that_a_same_account_repository_grants_is_not_limited(estate: Estate) -> None:
    boundary = estate.managed_policy(policy(allow(TOKEN)))
    role = estate.role(ALLOW_ALL, boundary=boundary)
    node = estate.instance()
    repository = estate.repository(grant(f"arn:aws:sts::{estate.account}:assumed-role/node/{node}"))
    assert is_fixed_since(estate.diagnose(estate.denied(role, repository, BLAMED, session=node)))


WIDE_ENOUGH: dict[str, Document] = {
    "all of ECR": policy(allow("ecr:*"), deny("iam:*")),
    "all but IAM": policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
    "what is needed": policy(allow(TOKEN), allow(MANIFEST, LAYERS, on="arn:aws:ecr:*:*:repository/team/*")),
    "a deny of another region": policy(
        ALLOW_ALL, deny("ecr:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    ),
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("document", WIDE_ENOUGH.values(), ids=WIDE_ENOUGH)
def test_a_boundary_that_is_wide_enough(estate: Estate, document: Document) -> None:
    role = estate.role(attach=[PULL_ONLY], boundary=estate.managed_policy(document))
    repository = estate.repository()
    assert estate.may(role, repository) == set(PULL)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


def test_a_boundary_that_has_been_taken_away_since(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert CAUSE not in diagnosis.passed


def test_a_boundary_grants_nothing(estate: Estate) -> None:
    role = estate.role(boundary=estate.managed_policy(policy(ALLOW_ALL)))
    repository = estate.repository()
    assert estate.may(role, repository) == set()
    only(estate.diagnose(estate.denied(role, repository, NO_REASON)), "role_lacks_pull_permissions")


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("call", ["iam:GetRole", "iam:GetPolicy", "iam:GetPolicyVersion"])
def test_what_cannot_be_read_is_decided_by_words_alone(estate: Estate, call: str) -> None:
    boundary = estate.managed_policy(policy(allow("s3:*")))
    role, repository = estate.role(ALLOW_ALL, boundary=boundary), estate.repository()

    undecided = estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=[call, "iam:ListPolicies"])
    assert call in opened(undecided)[CAUSE]
    assert CAUSE not in undecided.passed

    pull = estate.denied(role, repository, BLAMED)
    finding = only(estate.diagnose(pull, unreadable=[call, "iam:ListPolicies"]), CAUSE)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert f"stops {MANIFEST}" in finding.explanation
    assert finding.remediation.commands == ()
    assert f"must allow {MANIFEST}" in finding.remediation.summary
