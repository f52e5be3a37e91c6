"""Denials whose words are cut, or name no resource: what was not asked about is never taken as permitted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.arn import Arn
from tests.integration.checks.estate import (
    ALLOW_TOKEN,
    GONE_INSTANCE,
    MANIFEST,
    PULL_ONLY,
    REGION,
    allow,
    because_no,
)

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from tests.integration.checks.estate import Estate


def without_repository(pull: PullFailure) -> PullFailure:
    assert pull.denial
    return replace(pull, registry_account=None, repository=None, denial=replace(pull.denial, resource=""))


def test_aws_blames_a_policy_on_a_resource_it_does_not_name(estate: Estate) -> None:
    role = estate.role(ALLOW_TOKEN)
    pull = without_repository(estate.denied(role, estate.repository(), because_no("identity-based policy")))
    (finding,) = estate.diagnose(pull).findings
    assert finding.cause == "role_lacks_pull_permissions"
    assert MANIFEST in finding.explanation


def test_without_a_reason_either_it_stays_open(estate: Estate) -> None:
    role = estate.role(ALLOW_TOKEN)
    diagnosis = estate.diagnose(without_repository(estate.denied(role, estate.repository())))
    assert diagnosis.findings == ()
    assert diagnosis.note == ""
    assert "role_lacks_pull_permissions" in [each.cause for each in diagnosis.inconclusive]
    assert "role_lacks_pull_permissions" not in diagnosis.passed


def test_a_repository_name_that_was_cut_blames_nobody(estate: Estate) -> None:
    repository = estate.repository(name="team/app")
    role = estate.role(ALLOW_TOKEN, allow("ecr:*", on=str(repository)))
    cut = Arn("aws", "ecr", REGION, estate.account, "repository/team/a")
    diagnosis = estate.diagnose(estate.denied(role, cut))
    assert diagnosis.findings == ()
    assert "role_lacks_pull_permissions" in [each.cause for each in diagnosis.inconclusive]


def test_a_repository_that_is_gone_is_not_called_permitted(estate: Estate) -> None:
    gone = Arn("aws", "ecr", REGION, estate.account, "repository/gone")
    role = estate.role(attach=[PULL_ONLY])
    diagnosis = estate.diagnose(estate.denied(role, gone, because_no("identity-based policy")))
    assert [each.cause for each in diagnosis.findings] == ["repository_not_found"]
    assert diagnosis.note == ""


def test_a_session_that_ec2_named_is_no_unexpected_principal_for_a_broken_trust_policy(estate: Estate) -> None:
    role = estate.role(attach=[PULL_ONLY], trusted=["lambda"])
    diagnosis = estate.diagnose(estate.denied(role, estate.repository(), session=GONE_INSTANCE))
    assert diagnosis.findings == ()
    assert "unexpected_principal_denied" in [each.cause for each in diagnosis.inconclusive]
