"""UNKNOWN keys: they may be absent from the request, or have any value."""

from __future__ import annotations

import pytest

from pull_responder.authorization.policy_kind import PolicyKind
from pull_responder.authorization.request import UNKNOWN, ContextValue
from tests.unit.authorization.statements import Json, allow, decide, deny, names, policy, request

VPCE: dict[str, ContextValue] = {"aws:SourceVpce": UNKNOWN}
ON_VPCE = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}


@pytest.mark.parametrize(
    "condition",
    [
        ON_VPCE,
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
        {"ForAllValues:StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"Null": {"aws:SourceVpce": "true"}},
        {"Null": {"aws:SourceVpce": "false"}},
    ],
    ids=str,
)
def test_no_operator_decides_on_an_unknown_key(condition: Json) -> None:
    decided = decide(request(context=VPCE), identity=(policy(allow(Condition=condition)),))
    assert (decided.decision, names(decided.unknown)) == ("Undecided", ("aws:SourceVpce",))


@pytest.mark.parametrize(
    ("statements", "decision", "unknown"),
    [
        # The other Allow is enough.
        ([allow(Condition=ON_VPCE), allow()], "Allowed", ()),
        # The other Deny is enough.
        ([allow(), deny(Condition=ON_VPCE), deny()], "ExplicitlyDenied", ()),
        ([allow(), deny(Condition=ON_VPCE)], "Undecided", ("aws:SourceVpce",)),
        # Nothing allows it, whatever the Deny.
        ([deny(Condition=ON_VPCE)], "ImplicitlyDenied", ()),
        # The condition that surely fails decides.
        ([allow(Condition={**ON_VPCE, "Bool": {"aws:SecureTransport": "true"}})], "ImplicitlyDenied", ()),
        # A statement about something else does not count.
        ([allow(), deny(Action="s3:*", Condition=ON_VPCE)], "Allowed", ()),
    ],
)
def test_an_answer_that_depends_on_the_unknown_key_names_it(
    statements: list[Json], decision: str, unknown: tuple[str, ...]
) -> None:
    decided = decide(request(context=VPCE), identity=(policy(*statements),))
    assert (decided.decision, names(decided.unknown)) == (decision, unknown)


def test_an_unknown_key_that_is_compared_with_an_unknown_one_names_both() -> None:
    """Who reads the values asks once for all."""
    condition = {"StringEquals": {"aws:SourceVpc": "${aws:SourceVpce}"}}
    context: dict[str, ContextValue] = {**VPCE, "aws:SourceVpc": UNKNOWN}
    decided = decide(request(context=context), identity=(policy(allow(Condition=condition)),))
    assert [name.lower() for name in names(decided.unknown)] == ["aws:sourcevpc", "aws:sourcevpce"]


@pytest.mark.parametrize(
    ("condition", "decision"),
    [
        ({"StringEquals": {"aws:SourceVpc": "${aws:SourceVpce}"}}, "Undecided"),
        ({"StringNotEquals": {"aws:SourceVpc": "${aws:SourceVpce}"}}, "Undecided"),
        ({"StringLike": {"aws:SourceVpc": ["${aws:SourceVpce}", "vpc-1"]}}, "Allowed"),
        ({"StringNotLike": {"aws:SourceVpc": ["${aws:SourceVpce}", "vpc-1"]}}, "ImplicitlyDenied"),
    ],
    ids=str,
)
def test_an_unknown_variable(condition: Json, decision: str) -> None:
    asked = request(context={**VPCE, "aws:SourceVpc": "vpc-1"})
    decided = decide(asked, identity=(policy(allow(Condition=condition)),))
    assert decided.decision == decision
    assert names(decided.unknown) == (("aws:sourcevpce",) if decision == "Undecided" else ())


def test_families_of_keys() -> None:
    context: dict[str, ContextValue] = {
        "aws:*": UNKNOWN,
        "aws:ResourceTag/*": (),
        "aws:ResourceTag/team": "blue",
        "aws:PrincipalTag/*": UNKNOWN,
    }

    def on(key: str) -> str:
        test = {"StringEquals": {key: "blue"}}
        return decide(request(context=context), identity=(policy(allow(Condition=test)),)).decision

    assert on("AWS:resourcetag/team") == "Allowed"
    assert on("aws:ResourceTag/owner") == "ImplicitlyDenied"
    assert on("aws:PrincipalTag/team") == "Undecided"
    assert on("aws:SourceVpc") == "Undecided"
    assert on("ecr:ResourceTag/team") == "ImplicitlyDenied"


def test_the_need_for_an_identity_allow_depends_on_the_repository_policys_unknown_key() -> None:
    decided = decide(request(context=VPCE), resource=policy(allow(Principal="*", Resource=None, Condition=ON_VPCE)))
    assert decided.decision == "Undecided"
    assert names(decided.outcomes[PolicyKind.IDENTITY].unknown) == ("aws:SourceVpce",)


ARN = {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/node"}


@pytest.mark.parametrize(
    ("condition", "decision", "literally"),
    [
        # AWS does not document what an incomplete ARN matches.
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, "Undecided", "ImplicitlyDenied"),
        ({"ArnNotLike": {"aws:PrincipalArn": "*"}}, "Undecided", "Allowed"),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*"}}, "Undecided", "ImplicitlyDenied"),
        ({"ArnLikeIfExists": {"aws:PrincipalArn": "*"}}, "Undecided", "ImplicitlyDenied"),
        ({"ForAnyValue:ArnLike": {"aws:PrincipalArn": "*"}}, "Undecided", "ImplicitlyDenied"),
        ({"ArnLike": {"aws:PrincipalArn": ["*", "${aws:PrincipalTag/a, 'b'}"]}}, "Undecided", "ImplicitlyDenied"),
        # Where both readings say the same there is no doubt.
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*"}}, "ImplicitlyDenied", "ImplicitlyDenied"),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam"}}, "ImplicitlyDenied", "ImplicitlyDenied"),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*:role/node"}}, "ImplicitlyDenied", "ImplicitlyDenied"),
        ({"ArnLike": {"aws:PrincipalArn": ["*", "arn:aws:iam::*:role/node"]}}, "Allowed", "Allowed"),
        (
            {"ArnNotLike": {"aws:PrincipalArn": ["*", "arn:aws:iam::*:role/node"]}},
            "ImplicitlyDenied",
            "ImplicitlyDenied",
        ),
        ({"ArnLike": {"aws:PrincipalArn": "*:*:*:*:*:*"}}, "Allowed", "Allowed"),
        ({"ArnLike": {"aws:SourceArn": "*"}}, "ImplicitlyDenied", "ImplicitlyDenied"),
        ({"StringLike": {"aws:PrincipalArn": "*"}}, "Allowed", "Allowed"),
    ],
    ids=str,
)
def test_an_incomplete_arn(condition: Json, decision: str, literally: str) -> None:
    policies = (policy(allow(Condition=condition)),)
    decided = decide(request(context=ARN), identity=policies)
    assert decided.decision == decision
    assert bool(names(decided.unknown)) is (decision == "Undecided")
    assert all("how AWS compares aws:PrincipalArn with an incomplete ARN (" in name for name in names(decided.unknown))
    assert decide(request(context=ARN, literal=True), identity=policies).decision == literally
