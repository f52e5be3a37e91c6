"""Policy variables. Source: IAM User Guide, "IAM policy elements: Variables and tags"."""

from __future__ import annotations

import pytest

from pull_responder.authorization.request import UNKNOWN, ContextValue
from tests.unit.authorization.statements import Json, allow, decide, policy, request

ALLOWED = "Allowed"
DENIED = "ImplicitlyDenied"
UNDECIDED = "Undecided"
REPOSITORIES = "arn:aws:ecr:us-east-1:111111111111:repository/"

BLUE: dict[str, ContextValue] = {"aws:PrincipalTag/team": "blue"}


@pytest.mark.parametrize(
    ("resource", "repository", "context", "expected"),
    [
        ("${aws:PrincipalTag/team}", "blue", BLUE, ALLOWED),
        ("${aws:PrincipalTag/team}", "red", BLUE, DENIED),
        ("${AWS:principaltag/TEAM}", "blue", BLUE, ALLOWED),
        ("${aws:PrincipalTag/team}/*", "blue/app", BLUE, ALLOWED),
        ("*/${aws:PrincipalTag/team}-?", "x/blue-1", BLUE, ALLOWED),
        # A default stands in for a key that is absent.
        ("${aws:PrincipalTag/team, 'company-wide'}/*", "company-wide/app", {}, ALLOWED),
        ("${aws:PrincipalTag/team,'company-wide'}/*", "company-wide/app", BLUE, DENIED),
        ("a${aws:PrincipalTag/team, ''}", "a", {}, ALLOWED),
        # Without a value the statement does not apply.
        ("${aws:PrincipalTag/team}", "${aws:PrincipalTag/team}", {}, DENIED),
        # ${*}, ${?} and ${$} are the characters themselves.
        ("a${*}", "a*", {}, ALLOWED),
        ("a${*}", "ab", {}, DENIED),
        ("a${?}${$}", "a?$", {}, ALLOWED),
        # A value's own wildcards are plain characters.
        ("${aws:PrincipalTag/team}", "blue", {"aws:PrincipalTag/team": "*"}, DENIED),
        # A key with several values cannot be a variable.
        ("${aws:PrincipalTag/team}", "a", {"aws:PrincipalTag/team": ("a", "b")}, DENIED),
        ("${aws:PrincipalTag/team}", "blue", {"aws:PrincipalTag/team": UNKNOWN}, UNDECIDED),
        # A default does not make an unknown key known.
        ("${aws:PrincipalTag/team, 'a'}", "a", {"aws:PrincipalTag/team": UNKNOWN}, UNDECIDED),
        ("${not closed", "${not closed", {}, ALLOWED),
    ],
)
def test_resource(resource: str, repository: str, context: dict[str, ContextValue], expected: str) -> None:
    asked = request(resource=REPOSITORIES + repository, context=context)
    assert decide(asked, identity=(policy(allow(Resource=REPOSITORIES + resource)),)).decision == expected


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}, "blue", ALLOWED),
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}, "red", DENIED),
        ({"StringNotEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}, "red", ALLOWED),
        ({"StringEqualsIgnoreCase": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}, "BLUE", ALLOWED),
        ({"StringNotEqualsIgnoreCase": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}, "BLUE", DENIED),
        ({"StringEquals": {"ecr:ResourceTag/team": "a-${aws:PrincipalTag/team}-b"}}, "a-blue-b", ALLOWED),
        # A star is no wildcard here.
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}*"}}, "blue*", ALLOWED),
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}*"}}, "blue1", DENIED),
        ({"StringNotLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}-*"}}, "blue-1", DENIED),
        # Nor is one in what is filled in.
        ({"StringLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none, '*'}"}}, "x", DENIED),
        ({"StringNotLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none, '*'}"}}, "x", ALLOWED),
        ({"ArnLike": {"ecr:ResourceTag/team": "arn:a:b::1:${aws:PrincipalTag/none, '*'}"}}, "arn:a:b::1:x", DENIED),
        ({"ArnNotLike": {"ecr:ResourceTag/team": "arn:a:b::1:${aws:PrincipalTag/none, '*'}"}}, "arn:a:b::1:x", ALLOWED),
        ({"ArnEquals": {"ecr:ResourceTag/team": "arn:a:b::1:${aws:PrincipalTag/team}"}}, "arn:a:b::1:blue", ALLOWED),
        ({"StringLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}-*"}}, "blue-1", ALLOWED),
        ({"StringLike": {"ecr:ResourceTag/team": ["x", "${aws:PrincipalTag/team}"]}}, "x", ALLOWED),
        ({"StringEquals": {"ecr:ResourceTag/team": ["${aws:PrincipalTag/none}", "x"]}}, "x", ALLOWED),
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none, 'x'}"}}, "x", ALLOWED),
        # "Inverted condition operators like StringNotEquals or StringNotLike do match against a null value."
        ({"StringNotEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none}"}}, "x", ALLOWED),
        ({"StringNotLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none}-*"}}, "x", ALLOWED),
        ({"StringNotEquals": {"ecr:ResourceTag/team": ["${aws:PrincipalTag/none}", "x"]}}, "x", DENIED),
        ({"ForAllValues:StringNotEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none}"}}, "x", ALLOWED),
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none}"}}, "x", DENIED),
        ({"StringLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/none}*"}}, "x", DENIED),
        (
            {"ArnLike": {"ecr:ResourceTag/team": "arn:aws:iam::*:role/${aws:PrincipalTag/team}"}},
            "arn:aws:iam::1:role/blue",
            ALLOWED,
        ),
    ],
)
def test_condition_value(condition: Json, context: str, expected: str) -> None:
    asked = request(context={**BLUE, "ecr:ResourceTag/team": context})
    assert decide(asked, identity=(policy(allow(Condition=condition)),)).decision == expected


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_older_policies_take_variables_literally(version: str | None) -> None:
    theirs = policy(allow(Resource=REPOSITORIES + "${aws:PrincipalTag/team}"), version=version)
    assert decide(request(resource=REPOSITORIES + "blue", context=BLUE), identity=(theirs,)).decision == DENIED
    literally = request(resource=REPOSITORIES + "${aws:PrincipalTag/team}", context=BLUE)
    assert decide(literally, identity=(theirs,)).decision == ALLOWED
    tagged = policy(allow(Condition={"StringEquals": {"aws:PrincipalTag/team": "${aws:SourceVpc}"}}), version=version)
    asked = request(context={"aws:PrincipalTag/team": "${aws:SourceVpc}", "aws:SourceVpc": "vpc-1"})
    assert decide(asked, identity=(tagged,)).decision == ALLOWED


def test_a_not_resource_without_value_for_its_variable_is_undecided() -> None:
    """AWS says that it matches no resource: the pattern, or the statement."""
    theirs = policy(allow(NotResource=REPOSITORIES + "${aws:PrincipalTag/team}"))
    assert decide(request(), identity=(theirs,)).decision == UNDECIDED
    assert decide(request(literal=True), identity=(theirs,)).decision == DENIED
    assert decide(request(context=BLUE), identity=(theirs,)).decision == ALLOWED
