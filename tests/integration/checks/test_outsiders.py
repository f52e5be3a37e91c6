"""Accounts that are not ours: what their owners name proves nothing, and no command lets them in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pull_responder.facts.aws import Aws, describe_failure
from pull_responder.handlers.connection import connect, disconnect
from pull_responder.model.unread import Unread
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.settings import read_settings
from tests.integration.checks.estate import (
    ALLOW_TOKEN,
    GONE_INSTANCE,
    NO_REASON,
    PULL_ONLY,
    REGION,
    arn_of,
    because_no,
    explicit_deny,
    name_of,
    only,
    opened,
    refuse,
)

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn
    from tests.integration.checks.estate import Estate

CAUSE = "unexpected_principal_denied"
GRANT = "repository_policy_lacks_grant"
BLAMED = because_no("resource-based policy")


def _node_of_stranger(estate: Estate) -> Arn:
    """A role of another account. Its owner has named its session like an instance."""
    return arn_of(f"arn:aws:iam::{estate.other}:role/node")


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize(
    "reason", [BLAMED, NO_REASON, explicit_deny("resource-based policy"), because_no("session policy")]
)
def test_a_session_named_like_an_instance(estate: Estate, reason: str) -> None:
    estate.listed = ()
    pull = estate.denied(_node_of_stranger(estate), estate.repository(), reason, session=GONE_INSTANCE)
    finding = only(estate.diagnose(pull), CAUSE)
    assert finding.remediation.commands == ()
    assert f"account {estate.other} is not known to be of this organization" in finding.explanation
    assert "readAccounts" in finding.explanation


@pytest.mark.cause(GRANT, "near_miss")
def test_a_member_role_of_another_organization(estate: Estate) -> None:
    """Anybody can make a role for us to read, with policies that say what he likes."""
    estate.listed = ()
    estate.member()
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    finding = only(estate.diagnose(estate.denied(role, estate.repository(), BLAMED)), CAUSE)
    assert finding.remediation.commands == ()


def test_a_member_role_whose_organization_may_not_be_asked(estate: Estate) -> None:
    estate.listed = ()
    estate.member("organizations:DescribeOrganization")
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    only(estate.diagnose(estate.denied(role, estate.repository(), BLAMED)), CAUSE)


def test_a_listed_account(estate: Estate) -> None:
    estate.member()
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    finding = only(estate.diagnose(estate.denied(role, estate.repository(), BLAMED)), GRANT)
    assert len(finding.remediation.commands) == 1
    assert f"This lets in every principal of account {estate.other}" in finding.remediation.summary


@pytest.mark.parametrize("deployed", [True, False])
def test_where_our_own_account_is_in_no_known_organization(estate: Estate, *, deployed: bool) -> None:
    """The role is there. The deployed functions may assume it in listed accounts and the organization only.

    A terminal may assume it wherever its owner lets it, and he can be anybody.
    """
    estate.listed = ()
    estate.member()
    estate.assume_proves_membership = deployed
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    pull = estate.denied(role, estate.repository(), BLAMED)
    found = estate.diagnose(pull, unreadable=["organizations:DescribeOrganization"])
    if deployed:
        only(found, GRANT)
    else:
        assert found.findings == ()
        assert "PULL_RESPONDER_READ_ACCOUNTS" in opened(found)[CAUSE]
    unreadable = ["organizations:DescribeOrganization", "sts:AssumeRole"]
    finding = only(estate.diagnose(pull, unreadable=unreadable), CAUSE)
    # The next step is true for both.
    assert "in the setting readAccounts, or at a terminal in PULL_RESPONDER_READ_ACCOUNTS" in finding.explanation
    estate.listed = (estate.other,)
    only(estate.diagnose(pull, unreadable=unreadable), GRANT)


def test_a_listed_account_needs_no_organization(estate: Estate) -> None:
    estate.member()
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    pull = estate.denied(role, estate.repository(), BLAMED)
    only(estate.diagnose(pull, unreadable=["organizations:DescribeOrganization"]), GRANT)


def test_only_the_deployed_functions_take_the_member_role_for_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)
    assert not Aws.connect(member_role="PullResponderReadOnly").assume_proves_membership
    settings = read_settings({})
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:diagnose"
    assert connect(settings, arn).assume_proves_membership
    disconnect()


@pytest.mark.cause(CAUSE, "unread")
def test_without_an_identity_no_other_account_is_known_to_be_ours(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What AWS said is believed of the account that recorded the event, and of no other."""
    failed = Unread("sts:GetCallerIdentity failed: ExpiredToken: the token has expired")
    monkeypatch.setattr(PullFacts, "identity", lambda *_: failed)
    estate.listed = ()
    pull = estate.denied(_node_of_stranger(estate), estate.repository(), BLAMED, session=GONE_INSTANCE)
    found = estate.diagnose(replace(pull, account=estate.account))
    assert found.findings == ()
    assert found.puller.for_eks is None
    assert (
        f"it is not known whether account {estate.other} is of this organization: {failed.reason}"
        in (opened(found)[CAUSE])
    )
    known = estate.diagnose(replace(pull, account=estate.other))
    assert known.puller.for_eks
    assert CAUSE not in {each.cause for each in known.findings}


def test_our_own_cluster_names_a_node_of_a_stranger(estate: Estate) -> None:
    """The API server knows the role as a node's, so its pull is diagnosed. Whether to let it in is for people."""
    estate.listed = ()
    estate.member()
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    pull = estate.denied(role, estate.repository(refuse("*")), NO_REASON)
    found = estate.diagnose(replace(pull, cluster="prod"))
    assert {each.cause for each in found.findings} == {GRANT, "repository_policy_denies_pull"}
    for each in found.findings:
        assert each.remediation.commands == ()
        assert each.remediation.summary.startswith(f"Account {estate.other} is not known to be of this organization")


def test_a_user_of_a_stranger(estate: Estate) -> None:
    estate.listed = ()
    pull = estate.event(f"arn:aws:iam::{estate.other}:user/{GONE_INSTANCE}", estate.repository(), BLAMED)
    assert only(estate.diagnose(pull), CAUSE).remediation.commands == ()


def test_nothing_that_a_strangers_policy_says_is_shown(estate: Estate) -> None:
    estate.listed = ()
    estate.member()
    role = estate.role(ALLOW_TOKEN, account=estate.other)
    estate.aws.client("iam", account=estate.other).put_role_policy(
        RoleName=name_of(role),
        PolicyName="evil",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Sid": "EVIL", "Effect": "Deny", "Action": "*", "Resource": "*"}]}
        ),
    )
    assert "EVIL" not in str(estate.diagnose(estate.denied(role, estate.repository(), NO_REASON)))


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailable"])
def test_an_organization_that_may_answer_later_leaves_it_open(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """A node of ours is no stranger because Organizations throttles."""
    estate.listed = ()
    estate.member()
    role = estate.role(attach=[PULL_ONLY], account=estate.other)
    pull = estate.denied(role, estate.repository(), BLAMED)
    error = ClientError({"Error": {"Code": code, "Message": "later"}}, "DescribeOrganization")
    failed = describe_failure("organizations:DescribeOrganization", error)
    monkeypatch.setattr(PullFacts, "organization", lambda *_: failed)
    found = estate.diagnose(pull)
    assert found.findings == ()
    assert f"it is not known whether account {estate.other} is of this organization" in opened(found)[CAUSE]
