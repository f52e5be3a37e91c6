"""Requests that the resource's own policy must allow, also within its account.

Sources: AWS KMS Developer Guide, "Key policies in AWS KMS"; IAM User Guide, "Policy evaluation logic", role trust
policies.
"""

from __future__ import annotations

import pytest

from tests.unit.authorization.statements import ACCOUNT, OTHER_ACCOUNT, ROLE, Json, allow, decide, policy, request

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TARGET = f"arn:aws:iam::{ACCOUNT}:role/deploy"
ALL = (policy(allow()),)
CALLER = {"AWS": ROLE}
WHOLE_ACCOUNT = {"AWS": ACCOUNT}
SOMEBODY_ELSE = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}


@pytest.mark.parametrize(
    ("asked", "resource"),
    [
        ({"action": "sts:AssumeRole"}, TARGET),
        ({"action": "sts:TagSession"}, TARGET),
        ({"action": "kms:Decrypt"}, KEY),
        ({"action": "kms:DescribeKey"}, KEY.replace("arn:aws:", "arn:aws-cn:")),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("principal", "identity", "decision", "blocked"),
    [
        (CALLER, (), "Allowed", ()),
        (WHOLE_ACCOUNT, ALL, "Allowed", ()),
        (WHOLE_ACCOUNT, (), "ImplicitlyDenied", ("identity",)),
        (SOMEBODY_ELSE, ALL, "ImplicitlyDenied", ("resource",)),
        ({"Service": "ec2.amazonaws.com"}, ALL, "ImplicitlyDenied", ("resource",)),
    ],
    ids=str,
)
def test_a_trust_or_key_policy_must_allow_the_caller(  # noqa: PLR0913, PLR0917 -- two tables
    asked: Json, resource: str, principal: Json, identity: tuple[object, ...], decision: str, blocked: tuple[str, ...]
) -> None:
    own = policy(allow(Principal=principal, Resource=None))
    decided = decide(request(**asked, resource=resource), identity=identity, resource=own)
    assert (decided.decision, decided.blocked_by) == (decision, blocked)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ecr:BatchGetImage", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"),
        ("s3:GetObject", "arn:aws:s3:::bucket/a"),
        ("iam:PassRole", TARGET),
        ("kms:ListAliases", "*"),
        ("kms:CreateAlias", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"),
        ("sts:GetCallerIdentity", "*"),
    ],
)
def test_elsewhere_an_identity_policy_is_enough_within_the_account(action: str, resource: str) -> None:
    own = policy(allow(Principal=SOMEBODY_ELSE, Resource=None))
    assert decide(request(action=action, resource=resource), identity=ALL, resource=own).decision == "Allowed"


@pytest.mark.parametrize(("action", "resource"), [("sts:AssumeRole", TARGET), ("kms:Decrypt", KEY)])
def test_a_policy_that_is_not_given_does_not_apply(action: str, resource: str) -> None:
    assert decide(request(action=action, resource=resource), identity=ALL).decision == "Allowed"


def test_across_accounts_both_sides_must_allow() -> None:
    away = request(action="kms:Decrypt", resource=KEY.replace(ACCOUNT, OTHER_ACCOUNT), resource_account=OTHER_ACCOUNT)
    key_policy = policy(allow(Principal=CALLER, Resource=None))
    assert decide(away, resource=key_policy).decision == "ImplicitlyDenied"
    assert decide(away, resource=key_policy, identity=ALL).decision == "Allowed"
