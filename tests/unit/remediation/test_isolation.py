"""A Deny that lets only named principals pass was written on purpose: no command widens it."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import ecr

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
    "by principal": policy(NotPrincipal={"AWS": TEAM}),
}


@pytest.mark.parametrize("document", ISOLATING.values(), ids=ISOLATING)
@pytest.mark.parametrize("exempt", [ecr.exempt_role, ecr.exempt_role_from_registry])
def test_an_isolated_repository_is_not_opened_to_every_pod_of_the_node(document: dict[str, Any], exempt: Any) -> None:  # noqa: ANN401 -- either
    fix = exempt(REPOSITORY, document=document, statements={0}, role=ROLE)
    assert fix.commands == ()
    assert f"keeps out everybody but {TEAM}" in fix.summary
    assert "ask the policy's owner, account 111111111111" in fix.summary


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
    "everybody": policy(),
    "those of another endpoint": policy(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
    "those of other accounts": policy(Condition={"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}}),
    "the role by name": policy(Condition={"ArnEquals": {"aws:PrincipalArn": str(ROLE)}}),
}


@pytest.mark.parametrize("document", NOT_ISOLATING.values(), ids=NOT_ISOLATING)
def test_another_deny_is_still_edited(document: dict[str, Any]) -> None:
    fix = ecr.exempt_role(REPOSITORY, document=document, statements={0}, role=ROLE)
    assert len(fix.commands) == 1


def test_many_principals_are_counted() -> None:
    document = policy(Condition={"ArnNotEquals": {"aws:PrincipalArn": [f"{TEAM}{number}" for number in range(9)]}})
    assert "and 6 more" in ecr.exempt_role(REPOSITORY, document=document, statements={0}, role=ROLE).summary
