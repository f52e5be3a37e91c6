"""What stands at the edge of a rule: the longest text, the second variable, the part of a value, a boundary unread."""

from __future__ import annotations

import json

import pytest

from pull_responder.authorization.cases import evaluate_lines
from pull_responder.authorization.partly_known import Beginning
from pull_responder.authorization.policy import MAXIMUM_LENGTH, PolicyError, parse_policy
from pull_responder.authorization.request import UNKNOWN, ContextValue
from tests.unit.authorization.statements import (
    ACCOUNT,
    ROLE,
    allow,
    decide,
    decision_on,
    deny,
    document,
    names,
    policy,
    request,
)


def test_a_line_of_the_greatest_length_is_read() -> None:
    longest, longer = (evaluate_lines(["{}".ljust(size)]) for size in (4_000_000, 4_000_001))
    assert "longer than" not in json.loads(next(iter(longest)))["error"]
    assert json.loads(next(iter(longer)))["error"] == "line is longer than 4000000 characters"


@pytest.mark.parametrize("values", [["x" * 1000] * (MAXIMUM_LENGTH // 1000 + 1), ["x" * (MAXIMUM_LENGTH + 1)]])
def test_the_values_of_a_condition_count_together(values: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(allow(Condition={"StringEquals": {"aws:SourceVpc": values}})), name="p")
    too_long = f"the policy is longer than {MAXIMUM_LENGTH} characters"
    assert str(caught.value) == f"policy p: Statement[0].Condition.StringEquals.aws:SourceVpc: {too_long}"


def test_a_variable_without_a_value_does_not_hide_the_next() -> None:
    tags = ["${aws:PrincipalTag/none}", "${aws:PrincipalTag/team}"]
    context = {"aws:PrincipalTag/team": "a", "aws:SourceVpc": "a"}
    assert decision_on({"StringEquals": {"aws:SourceVpc": tags}}, context) == "Allowed"
    assert decision_on({"StringEquals": {"aws:SourceVpc": tags[:1]}}, context) == "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("tag", "decision"),
    [("o-exampleorg/r-1/", "Undecided"), ("o-other/r-1/", "ImplicitlyDenied"), (None, "ImplicitlyDenied")],
)
def test_a_variable_is_compared_with_what_is_known_of_a_value(tag: str | None, decision: str) -> None:
    context: dict[str, ContextValue] = {"aws:PrincipalOrgPaths": Beginning("o-exampleorg/")}
    if tag:
        context["aws:PrincipalTag/path"] = tag
    condition = {"StringEquals": {"aws:PrincipalOrgPaths": "${aws:PrincipalTag/path}"}}
    assert decision_on(condition, context) == decision


def test_the_variables_of_a_partly_known_value_count_each_by_itself() -> None:
    """One has no value, and the star in a tag's value is a star."""
    paths = ["${aws:PrincipalTag/none}", "${aws:PrincipalTag/path}"]
    context: dict[str, ContextValue] = {
        "aws:PrincipalOrgPaths": Beginning("o-exampleorg/"),
        "aws:PrincipalTag/path": "o-exampleorg/*",
    }
    assert decision_on({"StringLike": {"aws:PrincipalOrgPaths": paths}}, context) == "Undecided"
    assert decision_on({"StringLike": {"aws:PrincipalOrgPaths": paths[:1]}}, context) == "ImplicitlyDenied"


def test_a_key_that_was_not_read_says_nothing_of_the_keys_that_begin_with_it() -> None:
    """A star at the end stands for all keys that begin so."""
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    assert decision_on(condition, {"aws:SourceVpc": UNKNOWN}) == "ImplicitlyDenied"
    assert decision_on(condition, {"aws:SourceVp*": UNKNOWN}) == "Undecided"
    assert decision_on(condition, {"aws:SourceVp*": ()}) == "ImplicitlyDenied"
    assert decision_on(condition, {"aws:SourceVpc/*": UNKNOWN}) == "ImplicitlyDenied"
    assert decision_on({"Null": {"aws:SourceVpce": "true"}}, {"aws:SourceVp*": ()}) == "Allowed"


def test_what_a_not_principal_hangs_on_is_said() -> None:
    shut = policy(deny(NotPrincipal={"AWS": ROLE}, Resource=None)).statements[0].principal
    assert shut is not None
    caller = request().caller
    assert shut.doubt(caller, bounded=None) == "the caller's permissions boundary"
    partly = "how AWS reads a NotPrincipal that lists only part of the caller"
    assert shut.doubt(caller, bounded=False) == partly


def test_a_resource_with_variables_names_those_that_were_not_read() -> None:
    name = "${aws:PrincipalTag/team}/${aws:PrincipalTag/app}"
    granted = policy(allow(Resource=f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}"))
    context = {"aws:PrincipalTag/team": "a", "aws:PrincipalTag/app": UNKNOWN}
    decided = decide(request(context=context), identity=(granted,))
    assert (decided.decision, [each.lower() for each in names(decided.unknown)]) == (
        "Undecided",
        ["aws:principaltag/app"],
    )
