"""What statements are called in the summaries of fixes."""

from __future__ import annotations

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import by_hand, ecr, iam, organizations
from pull_responder.remediation.naming import the_deny
from pull_responder.remediation.organizations import ControlPolicy, PolicyChange

ALLOW = {"Sid": "Push", "Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage"}
CLOSED = {"Sid": "Closed", "Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGet*"}
NAMELESS = {key: value for key, value in CLOSED.items() if key != "Sid"}
ROLE = Arn("aws", "iam", "", "111111111111", "role/node")
REPOSITORY = Arn("aws", "ecr", "eu-west-1", "222222222222", "repository/team/app")


@pytest.mark.parametrize(
    ("statements", "indexes", "name"),
    [
        ([ALLOW, CLOSED], {1}, 'the Deny "Closed"'),
        ([ALLOW, NAMELESS], {1}, "the Deny Statement[1]"),
        (CLOSED, {0}, 'the Deny "Closed"'),
        ([CLOSED, ALLOW, NAMELESS], {2, 0}, 'the Deny statements "Closed", Statement[2]'),
        ([NAMELESS] * 9, set(range(5)), "the Deny statements Statement[0], Statement[1], Statement[2] and 2 more"),
        ([{**CLOSED, "Sid": "x" * 99}], {0}, f'the Deny "{"x" * 39}…"'),
        ([{**CLOSED, "Sid": 'a" and\nrun "b'}], {0}, 'the Deny "a\\" and\\nrun \\"b"'),
        ([ALLOW], set(), "the Deny"),
        ([ALLOW], {7}, "the Deny"),
        (["odd"], {0}, "the Deny Statement[0]"),
    ],
)
def test_a_statement_is_called_by_its_sid_or_its_index(statements: object, indexes: set[int], name: str) -> None:
    assert the_deny({"Statement": statements}, indexes) == name


def test_a_fix_says_which_statement_of_whose_policy() -> None:
    document = {"Statement": [ALLOW, CLOSED]}
    arn = Arn("aws", "organizations", "", "999999999999", "policy/o-1/p-1")
    guard = ControlPolicy(arn, "guard", document, "999999999999")
    fixes = [
        ecr.exempt_role(REPOSITORY, document=document, statements={1}, role=ROLE),
        ecr.exempt_role_from_registry(REPOSITORY, document=document, statements={1}, role=ROLE),
        organizations.change(guard, PolicyChange(exempt=frozenset({1})), role=ROLE, region="eu-west-1"),
        iam.replace_inline_policy(
            ROLE, region="eu-west-1", policy_name="guard", document=document, deny=the_deny(document, {1})
        ),
    ]

    exempt = f'exempt the role {ROLE} from the Deny "Closed".'
    assert [each.summary for each in fixes] == [
        f"In the policy of the repository team/app of account 222222222222, {exempt}",
        f"In the policy of the registry 222222222222, {exempt}",
        f'In the policy "guard" ({guard.arn}), {exempt}',
        'Remove the pull actions from the Deny "Closed" in the inline policy guard of the role node.',
    ]


def test_the_fix_for_many_roles_says_first_whom_to_call() -> None:
    """A text message is cut at its end."""
    policy = Arn("aws", "organizations", "", "999999999999", "policy/o-1/service_control_policy/p-1")

    assert by_hand.exempt_all(policy, the_deny({"Statement": [CLOSED]}, {0})) == (
        "Ask an administrator of the organization (account 999999999999) to exempt all roles that pull for EKS from "
        'the Deny "Closed" of p-1, by aws:PrincipalArn or a tag. Or, at a price, to detach it from their '
        "accounts: that lifts whatever else it denies there."
    )
    assert by_hand.exempt_all_in_short(policy, the_deny({"Statement": [CLOSED]}, {0})) == (
        "Ask the organization's administrator (account 999999999999) to exempt roles that pull for EKS from its Deny "
        '"Closed".'
    )
