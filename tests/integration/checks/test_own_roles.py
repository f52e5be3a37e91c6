"""Our own roles: what refuses Pull Responder itself is nobody's pull, and a namesake elsewhere is not us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pull_responder.model.arn import Arn
from tests.integration.checks.estate import (
    LAYERS,
    MANIFEST,
    MEMBER_ROLE,
    REGION,
    TOKEN,
    arn_of,
    because_no,
    only,
    opened,
    policy,
)

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from tests.integration.checks.estate import Estate

CAUSE = "unexpected_principal_denied"
BLAMED = because_no("identity-based policy")


def _is_silent(diagnosis: Diagnosis) -> bool:
    return (diagnosis.findings, diagnosis.inconclusive, diagnosis.unchecked, diagnosis.note) == ((), (), (), "")


@pytest.mark.cause(CAUSE, "near_miss")
def test_the_member_role_of_an_account_that_we_read(estate: Estate) -> None:
    estate.member()
    role = arn_of(f"arn:aws:iam::{estate.other}:role/{MEMBER_ROLE}")
    pull = estate.denied(role, estate.repository(account=estate.other), BLAMED, session="pull-responder")
    diagnosis = estate.diagnose(pull)
    assert _is_silent(diagnosis)
    assert diagnosis.puller.because == "it is a role with which Pull Responder itself reads"


@pytest.mark.parametrize(
    ("session", "action"), [("somebody", MANIFEST), ("pull-responder", TOKEN), ("pull-responder", LAYERS)]
)
def test_somebody_else_in_the_member_role(estate: Estate, session: str, action: str) -> None:
    """Only our own session is ours, and only what it asks in order to read."""
    estate.member()
    role = arn_of(f"arn:aws:iam::{estate.other}:role/{MEMBER_ROLE}")
    repository = None if action == TOKEN else estate.repository(account=estate.other)
    assert not _is_silent(estate.diagnose(estate.denied(role, repository, BLAMED, session=session, action=action)))


def test_our_session_in_a_member_role_of_another_organization(estate: Estate) -> None:
    estate.member()
    estate.listed = ()
    role = arn_of(f"arn:aws:iam::{estate.other}:role/{MEMBER_ROLE}")
    pull = estate.denied(role, estate.repository(account=estate.other), BLAMED, session="pull-responder")
    only(estate.diagnose(pull), CAUSE)


@pytest.mark.cause(CAUSE, "fails")
def test_the_member_roles_name_in_our_own_account(estate: Estate) -> None:
    """In our own account we assume no role, so a role of that name there is somebody else's."""
    role = estate.role(name=MEMBER_ROLE, trusted=("codebuild",))
    only(estate.diagnose(estate.denied(role, estate.repository(), BLAMED, session="pull-responder")), CAUSE)


@pytest.mark.cause(CAUSE, "fails")
def test_the_member_roles_name_in_an_account_that_we_may_not_read(estate: Estate) -> None:
    """Anybody can call a role like ours. No other account can be read without it, so nothing is claimed about it."""
    role = arn_of(f"arn:aws:iam::{estate.other}:role/{MEMBER_ROLE}")
    trust = policy({"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"})
    estate.aws.client("iam", account=estate.other).create_role(
        RoleName=MEMBER_ROLE, AssumeRolePolicyDocument=json.dumps(trust)
    )
    pull = estate.denied(role, estate.repository(), BLAMED, session="pull-responder")
    # The emulated AWS lets an account's root assume any role, so this asks as another role.
    assert "sts:AssumeRole" in opened(estate.diagnose(pull, unreadable=["ecr:PutImage"]))[CAUSE]
    estate.listed = ()
    only(estate.diagnose(pull, unreadable=["ecr:PutImage"]), CAUSE)
    # A user of that name is no role.
    user = estate.event(f"arn:aws:iam::{estate.other}:user/{MEMBER_ROLE}", estate.repository(name="team/b"), BLAMED)
    only(estate.diagnose(user), CAUSE)


def test_the_role_of_our_own_credentials(estate: Estate) -> None:
    """A function knows itself by its own ARN alone, and asks STS for its role."""
    aws = estate.connect("ecr:BatchGetImage")
    function = Arn("aws", "lambda", REGION, estate.account, "function:diagnose")
    for identity in (None, function):
        aws._identity = identity
        aws._caller = None
        assert aws.is_own_session(estate.account, "reader1", "any", region=REGION)
        assert not aws.is_own_session(estate.account, "reader2", "any", region=REGION)
        assert not aws.is_own_session(estate.account, MEMBER_ROLE, "pull-responder", region=REGION)
        assert not aws.is_own_session(estate.other, "reader1", "any", region=REGION)


def test_a_denial_of_our_own_credentials_is_silent(estate: Estate) -> None:
    own = arn_of(f"arn:aws:iam::{estate.account}:role/nodes/reader1")
    repository = estate.repository()
    session = estate.session("ecr:BatchGetImage")
    assert session
    pull = estate.denied(own, repository, BLAMED, session="reader")
    # The next session is reader2's: to it, reader1 is another role.
    only(estate.diagnose(pull, unreadable=["ecr:BatchGetImage"]), CAUSE)
    second = arn_of(f"arn:aws:iam::{estate.account}:role/nodes/reader3")
    assert _is_silent(
        estate.diagnose(estate.denied(second, repository, BLAMED, session="reader"), unreadable=["ecr:BatchGetImage"])
    )


def test_without_an_identity_nothing_is_ours(estate: Estate) -> None:
    estate.member()
    role = arn_of(f"arn:aws:iam::{estate.other}:role/{MEMBER_ROLE}")
    pull = estate.denied(role, estate.repository(account=estate.other), BLAMED, session="pull-responder")
    assert not _is_silent(estate.diagnose(pull, unreadable=["sts:AssumeRole"]))
