"""Conditions on values of which only a part is known: decided where the part decides, else left open."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.authorization.partly_known import Beginning, OtherThan
from tests.unit.authorization.statements import allow, decide, deny, policy, request

PATHS = "aws:PrincipalOrgPaths"
BEGINNING = {PATHS: Beginning("o-exampleorg/")}
OTHER = {"aws:ResourceOrgID": OtherThan("o-exampleorg"), "aws:PrincipalOrgID": "o-exampleorg"}


def decision(context: dict[str, Any], condition: dict[str, Any], effect: str = "Allow") -> str:
    one = allow(Condition=condition) if effect == "Allow" else deny(Condition=condition)
    policies = (policy(one),) if effect == "Allow" else (policy(allow(), one),)
    return str(decide(request(context=context), identity=policies).decision)


@pytest.mark.parametrize(
    ("operator", "pattern", "expected"),
    [
        ("ForAnyValue:StringLike", "o-exampleorg/*", "Allowed"),
        ("ForAnyValue:StringLike", "o-example*", "Allowed"),
        ("ForAnyValue:StringLike", "*", "Allowed"),
        ("StringLike", "o-exampleorg/*", "Allowed"),
        ("ForAnyValue:StringLike", "o-other/*", "ImplicitlyDenied"),
        ("ForAnyValue:StringEquals", "o-other/r-1/", "ImplicitlyDenied"),
        ("ForAnyValue:StringLike", "o-exampleorg/r-1/*", "Undecided"),
        ("ForAnyValue:StringLike", "o-exampleorg/*/ou-1/*", "Undecided"),
        ("ForAnyValue:StringLike", "*/ou-1/*", "Undecided"),
        ("ForAnyValue:StringEquals", "o-exampleorg/*", "Undecided"),  # a star is no wildcard here
        ("ForAllValues:StringNotLike", "o-other/*", "Allowed"),
        ("ForAllValues:StringNotLike", "o-exampleorg/*", "ImplicitlyDenied"),
        ("StringEqualsIgnoreCase", "o-other/", "Undecided"),
        ("StringEquals", "o-exampleorg/r-EX/", "Undecided"),
    ],
)
def test_a_path_that_begins_with_the_organization(operator: str, pattern: str, expected: str) -> None:
    assert decision(BEGINNING, {operator: {PATHS: pattern}}) == expected


def test_one_pattern_that_surely_matches_is_enough_and_one_that_may_leaves_it_open() -> None:
    assert decision(BEGINNING, {"ForAnyValue:StringLike": {PATHS: ["o-other/*", "o-exampleorg/*"]}}) == "Allowed"
    assert decision(BEGINNING, {"ForAnyValue:StringLike": {PATHS: ["o-other/*", "o-exampleorg/r-1/*"]}}) == "Undecided"


def test_a_value_that_is_partly_known_is_there() -> None:
    assert decision(BEGINNING, {"Null": {PATHS: "false"}}) == "Allowed"
    assert decision(BEGINNING, {"Null": {PATHS: "true"}}) == "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("StringNotEqualsIfExists", "${aws:PrincipalOrgID}", "ExplicitlyDenied"),
        ("StringNotEquals", "o-exampleorg", "ExplicitlyDenied"),
        ("StringNotEquals", ["o-exampleorg", "o-of-aws"], "Undecided"),
        ("StringEquals", "${aws:PrincipalOrgID}", "Allowed"),
        ("StringNotLike", "o-*", "Undecided"),
        ("StringNotLike", "*", "Allowed"),
        ("StringNotLike", "o-exampleorg", "ExplicitlyDenied"),
        ("StringNotEquals", "*", "Undecided"),  # a star is no wildcard here
    ],
)
def test_a_registry_of_aws_is_in_none_of_our_organizations(
    operator: str, value: str | list[str], expected: str
) -> None:
    assert decision(OTHER, {operator: {"aws:ResourceOrgID": value}}, "Deny") == expected
