from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks import by_words
from tests.integration.checks.estate import (
    LAYERS,
    MANIFEST,
    NO_REASON,
    PULL_ONLY,
    TOKEN,
    allow,
    because_no,
    explicit_deny,
    opened,
    policy,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "session_policy_blocks_pull"


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize(
    ("reason", "change"),
    [(because_no("session policy"), "must allow"), (explicit_deny("session policy"), "must not deny")],
    ids=["implicit", "explicit"],
)
def test_words(estate: Estate, reason: str, change: str) -> None:
    finding, role, repository = by_words.blamed(estate, CAUSE, reason)
    assert (finding.resource.type, finding.resource.id) == ("AwsIamRole", str(role))
    assert finding.remediation.account == estate.account
    assert f"that policy {change} {MANIFEST}" in finding.remediation.summary
    assert estate.may(role, repository, session_policy=policy(allow(TOKEN, LAYERS))) == {TOKEN, LAYERS}


def test_a_token(estate: Estate) -> None:
    by_words.blamed_for_a_token(estate, CAUSE, "session policy")


def test_words_where_nothing_can_be_read(estate: Estate) -> None:
    by_words.believed_where_nothing_can_be_read(estate, CAUSE, "session policy")


@pytest.mark.cause(CAUSE, "passes")
def test_ec2_passes_none_with_the_credentials_of_an_instance(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON))
    assert CAUSE not in opened(diagnosis)
    assert CAUSE not in diagnosis.passed


@pytest.mark.cause(CAUSE, "unread")
def test_an_older_message_about_another_session(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.cluster().create_nodegroup(clusterName="prod", nodegroupName="ng", nodeRole=str(role), subnets=["subnet-1"])
    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON, session="someone"))
    assert "only in the session" in opened(diagnosis)[CAUSE]


@pytest.mark.cause(CAUSE, "near_miss")
def test_words_that_blame_another_policy(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    estate.cluster().create_nodegroup(clusterName="prod", nodegroupName="ng", nodeRole=str(role), subnets=["subnet-1"])
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("identity-based policy"), session="someone"))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}
    assert CAUSE not in {each.cause for each in diagnosis.inconclusive}
