"""A Deny that lets only named principals pass was written on purpose: no command widens it."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import ecr
from pull_responder.remediation.isolation import exempt_unnamed

REPOSITORY = Arn("aws", "ecr", "us-east-1", "111111111111", "repository/team/app")
ROLE = Arn("aws", "iam", "", "111111111111", "role/node")
TEAM = "arn:aws:iam::111111111111:role/team"
DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}


def policy(**elements: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    statement = {**DENY, **elements}
    if "NotPrincipal" in elements:
        del statement["Principal"]
    return {"Version": "2012-10-17", "Statement": [statement]}


ISOLATING = {
    "by ARN": policy(Condition={"ArnNotEquals": {"aws:PrincipalArn": TEAM}}),
    "by a pattern": policy(Condition={"ArnNotLike": {"aws:principalarn": [TEAM, f"{TEAM}-*"]}}),
    "by string": policy(Condition={"StringNotEqualsIfExists": {"aws:PrincipalArn": [TEAM]}}),
    "by each of several": policy(Condition={"ForAllValues:StringNotLike": {"aws:PrincipalArn": TEAM}}),
    "by string, in any case": policy(Condition={"StringNotEqualsIgnoreCase": {"aws:PrincipalArn": TEAM}}),
    "by any of several": policy(Condition={"ForAnyValue:StringNotEquals": {"aws:PrincipalArn": TEAM}}),
    "by principal": policy(NotPrincipal={"AWS": TEAM}),
    "in a single statement": {"Statement": {**DENY, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": TEAM}}}},
}


@pytest.mark.parametrize("document", ISOLATING.values(), ids=ISOLATING)
@pytest.mark.parametrize("exempt", [ecr.exempt_role, ecr.exempt_role_from_registry])
def test_an_isolated_repository_is_not_opened_to_every_pod_of_the_node(document: dict[str, Any], exempt: Any) -> None:  # noqa: ANN401 -- either
    fix = exempt(REPOSITORY, document=document, statements={0}, role=ROLE)
    where = "the repository team/app" if exempt is ecr.exempt_role else "the registry 111111111111"
    assert fix.commands == ()
    assert f"The policy of {where} keeps out everybody but {TEAM}" in fix.summary
    assert f"ask the policy's owner, account 111111111111, whether to add {ROLE}." in fix.summary


@pytest.mark.parametrize(
    ("key", "value"),
    [("aws:PrincipalTag/team", "a"), ("aws:PrincipalOrgID", "o-exampleorg"), ("aws:PrincipalOrgPaths", "o-a/r-b/*")],
)
@pytest.mark.parametrize("exempt", [ecr.exempt_role, ecr.exempt_role_from_registry])
def test_principals_that_are_let_in_by_what_they_have_in_common(key: str, value: str, exempt: Any) -> None:  # noqa: ANN401 -- either
    document = policy(Condition={"StringNotLike": {key: value}})
    fix = exempt(REPOSITORY, document=document, statements={0}, role=ROLE)
    assert fix.commands == ()
    assert f"keeps out everybody but principals whose {key} is {value}" in fix.summary


NOT_ISOLATING = {
    "nobody": policy(NotPrincipal="*"),
    "everybody": policy(),
    "those of another endpoint": policy(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
    "those of other accounts": policy(Condition={"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}}),
    "the role by name": policy(Condition={"ArnEquals": {"aws:PrincipalArn": str(ROLE)}}),
}


@pytest.mark.parametrize("document", NOT_ISOLATING.values(), ids=NOT_ISOLATING)
def test_another_deny_is_still_edited(document: dict[str, Any]) -> None:
    fix = ecr.exempt_role(REPOSITORY, document=document, statements={0}, role=ROLE)
    assert len(fix.commands) == 1


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (3, f"{TEAM}0, {TEAM}1, {TEAM}2 on purpose"),
        (4, f"{TEAM}0, {TEAM}1, {TEAM}2 and 1 more on purpose"),
        (9, f"{TEAM}0, {TEAM}1, {TEAM}2 and 6 more on purpose"),
    ],
)
def test_many_principals_are_counted(count: int, named: str) -> None:
    document = policy(Condition={"ArnNotEquals": {"aws:PrincipalArn": [f"{TEAM}{number}" for number in range(count)]}})
    fix = ecr.exempt_role(REPOSITORY, document=document, statements={0}, role=ROLE)
    assert f"keeps out everybody but {named}." in fix.summary


def test_only_a_deny_that_names_nobody_is_opened() -> None:
    """The proof of the fix then says that the deliberate Deny is still in the way."""
    isolating = ISOLATING["by ARN"]["Statement"][0]
    shut = {"Version": "2012-10-17", "Statement": [isolating, DENY]}
    opened = {**DENY, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": str(ROLE)}}}
    assert exempt_unnamed(shut, {0, 1}, str(ROLE)) == {"Version": "2012-10-17", "Statement": [isolating, opened]}
    assert exempt_unnamed(shut, {0}, str(ROLE)) is shut
    allowing = {"Version": "2012-10-17", "Statement": [{**DENY, "Effect": "Allow"}]}
    assert exempt_unnamed(allowing, {0}, str(ROLE)) is allowing
