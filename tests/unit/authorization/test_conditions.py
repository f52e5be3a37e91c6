"""Condition operators.

Sources, as cited by row: [ops] IAM User Guide, "IAM JSON policy elements: Condition operators"; [multi] "Single-valued
vs. multivalued context keys"; [keys] "AWS global condition context keys".
"""

from __future__ import annotations

import time

import pytest

from tests.unit.authorization.statements import Json, allow, decide, decision_on, names, policy, request

ALLOWED = "Allowed"
DENIED = "ImplicitlyDenied"
UNDECIDED = "Undecided"

Row = tuple[Json, Json, str]


def check(condition: Json, context: Json, expected: str) -> None:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in context.items()}
    assert decision_on(condition, values) == expected


STRINGS: list[Row] = [
    # [ops] StringEquals: exact, with case.
    ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, {"aws:RequestedRegion": "us-east-1"}, ALLOWED),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, {"aws:RequestedRegion": "US-EAST-1"}, DENIED),
    ({"StringEquals": {"aws:RequestedRegion": "us-*"}}, {"aws:RequestedRegion": "us-east-1"}, DENIED),
    # [ops] several values of one key: one is enough. Several keys, or operators: all are needed.
    ({"StringEquals": {"aws:RequestedRegion": ["a", "b"]}}, {"aws:RequestedRegion": "b"}, ALLOWED),
    ({"StringEquals": {"aws:SourceVpc": "v", "aws:SourceVpce": "e"}}, {"aws:SourceVpc": "v"}, DENIED),
    (
        {"StringEquals": {"aws:SourceVpc": "v"}, "StringLike": {"aws:SourceVpce": "e*"}},
        {"aws:SourceVpc": "v", "aws:SourceVpce": "e1"},
        ALLOWED,
    ),
    (
        {"StringEquals": {"aws:SourceVpc": "v"}, "StringLike": {"aws:SourceVpce": "e*"}},
        {"aws:SourceVpc": "v", "aws:SourceVpce": "f1"},
        DENIED,
    ),
    # [ops] a negated operator with several values means none of them.
    ({"StringNotEquals": {"aws:SourceVpc": ["v", "w"]}}, {"aws:SourceVpc": "w"}, DENIED),
    ({"StringNotEquals": {"aws:SourceVpc": ["v", "w"]}}, {"aws:SourceVpc": "x"}, ALLOWED),
    ({"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "Blue"}}, {"aws:PrincipalTag/team": "bLUE"}, ALLOWED),
    ({"StringNotEqualsIgnoreCase": {"aws:PrincipalTag/team": "Blue"}}, {"aws:PrincipalTag/team": "bLUE"}, DENIED),
    ({"StringLike": {"aws:PrincipalTag/team": "b?u*"}}, {"aws:PrincipalTag/team": "blue"}, ALLOWED),
    ({"StringLike": {"aws:PrincipalTag/team": "b?u*"}}, {"aws:PrincipalTag/team": "Blue"}, DENIED),
    ({"StringNotLike": {"aws:PrincipalTag/team": "b*"}}, {"aws:PrincipalTag/team": "blue"}, DENIED),
    ({"StringNotLike": {"aws:PrincipalTag/team": "b*"}}, {"aws:PrincipalTag/team": "red"}, ALLOWED),
    # [keys] names of keys have no case.
    ({"StringEquals": {"AWS:sourcevpc": "v"}}, {"aws:SourceVpc": "v"}, ALLOWED),
]

ABSENT: list[Row] = [
    # [ops] "If the key that you specify in a policy condition is not present in the request context, the values do
    # not match"; negated operators hold.
    ({"StringEquals": {"aws:SourceVpce": "e"}}, {}, DENIED),
    ({"StringLike": {"aws:SourceVpce": "*"}}, {}, DENIED),
    ({"StringNotEquals": {"aws:SourceVpce": "e"}}, {}, ALLOWED),
    ({"StringNotLike": {"aws:SourceVpce": "*"}}, {}, ALLOWED),
    ({"NumericLessThan": {"aws:MultiFactorAuthAge": "5"}}, {}, DENIED),
    ({"NumericNotEquals": {"aws:MultiFactorAuthAge": "5"}}, {}, ALLOWED),
    ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, {}, DENIED),
    ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {}, DENIED),
    ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {}, DENIED),
    ({"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {}, ALLOWED),
    ({"ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}}, {}, DENIED),
    ({"ArnNotLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}}, {}, ALLOWED),
    # [ops] …IfExists holds on an absent key, and is the operator itself on a present one.
    ({"StringEqualsIfExists": {"aws:SourceVpce": "e"}}, {}, ALLOWED),
    ({"StringEqualsIfExists": {"aws:SourceVpce": "e"}}, {"aws:SourceVpce": "f"}, DENIED),
    ({"StringNotEqualsIfExists": {"aws:SourceVpce": "e"}}, {}, ALLOWED),
    ({"StringNotEqualsIfExists": {"aws:SourceVpce": "e"}}, {"aws:SourceVpce": "e"}, DENIED),
    ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, {}, ALLOWED),
    ({"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}}, {}, ALLOWED),
    # [ops] Null: "true" means absent, "false" present.
    ({"Null": {"aws:SourceVpce": "true"}}, {}, ALLOWED),
    ({"Null": {"aws:SourceVpce": "true"}}, {"aws:SourceVpce": "e"}, DENIED),
    ({"Null": {"aws:SourceVpce": "false"}}, {}, DENIED),
    ({"Null": {"aws:SourceVpce": False}}, {"aws:SourceVpce": "e"}, ALLOWED),
    ({"Null": {"aws:TagKeys": "true"}}, {"aws:TagKeys": []}, ALLOWED),
]

SETS: list[Row] = [
    # [multi] ForAllValues: every value of the request must match; it holds on an absent key and on a null data set.
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "b"]}, ALLOWED),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "c"]}, DENIED),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {}, ALLOWED),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": [""]}, ALLOWED),
    ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c", "d"]}, ALLOWED),
    ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "d"]}, DENIED),
    # [multi] ForAnyValue: one value is enough; it does not hold on an absent key, negated or not.
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c", "b"]}, ALLOWED),
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c", "d"]}, DENIED),
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {}, DENIED),
    ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "c"]}, ALLOWED),
    ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "b"]}, DENIED),
    ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}}, {}, DENIED),
    # [keys] aws:PrincipalOrgPaths, the documented example.
    (
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"]}},
        {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/"]},
        ALLOWED,
    ),
    (
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"]}},
        {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-33333333/"]},
        DENIED,
    ),
]

NUMBERS: list[Row] = [
    ({"NumericEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10.0"}, ALLOWED),
    ({"NumericEquals": {"s3:max-keys": 10}}, {"s3:max-keys": "10"}, ALLOWED),
    ({"NumericNotEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "11"}, ALLOWED),
    ({"NumericLessThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "9"}, ALLOWED),
    ({"NumericLessThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, DENIED),
    ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, ALLOWED),
    ({"NumericGreaterThan": {"s3:max-keys": "9"}}, {"s3:max-keys": "10"}, ALLOWED),
    ({"NumericGreaterThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "9"}, DENIED),
    ({"NumericGreaterThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, ALLOWED),
    ({"NumericEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "ten"}, DENIED),
    # Four digits are a year only in a date.
    ({"NumericLessThan": {"s3:max-keys": "1000"}}, {"s3:max-keys": "999"}, ALLOWED),
    ({"NumericEquals": {"s3:max-keys": "9007199254740993"}}, {"s3:max-keys": "9007199254740992"}, DENIED),
]

NOON = {"aws:CurrentTime": "2024-06-01T12:00:00Z"}
DATES: list[Row] = [
    ({"DateGreaterThan": {"aws:CurrentTime": "2024-06-01T11:59:59Z"}}, NOON, ALLOWED),
    ({"DateGreaterThan": {"aws:CurrentTime": "2024-06-01T12:00:00Z"}}, NOON, DENIED),
    ({"DateGreaterThanEquals": {"aws:CurrentTime": "2024-06-01T12:00:00Z"}}, NOON, ALLOWED),
    ({"DateLessThan": {"aws:CurrentTime": "2024-06-01T12:00:00.5Z"}}, NOON, ALLOWED),
    ({"DateLessThanEquals": {"aws:CurrentTime": "2024-06-01"}}, NOON, DENIED),
    ({"DateEquals": {"aws:CurrentTime": "2024-06-01T14:00:00+02:00"}}, NOON, ALLOWED),
    ({"DateNotEquals": {"aws:CurrentTime": "2024-06-01T14:00:00+02:00"}}, NOON, DENIED),
    ({"DateGreaterThan": {"aws:CurrentTime": "2024"}}, NOON, ALLOWED),
    ({"DateLessThan": {"aws:CurrentTime": "2024-07"}}, NOON, ALLOWED),
    # [ops] epoch seconds are dates too.
    ({"DateEquals": {"aws:CurrentTime": "1717243200"}}, NOON, ALLOWED),
    ({"DateEquals": {"aws:EpochTime": "2024-06-01T12:00:00Z"}}, {"aws:EpochTime": "1717243200"}, ALLOWED),
    ({"DateEquals": {"aws:CurrentTime": "2024-06-01"}}, {"aws:CurrentTime": "yesterday"}, DENIED),
]

OTHERS: list[Row] = [
    ({"Bool": {"aws:SecureTransport": "true"}}, {"aws:SecureTransport": "true"}, ALLOWED),
    ({"Bool": {"aws:SecureTransport": True}}, {"aws:SecureTransport": "TRUE"}, ALLOWED),
    ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, DENIED),
    # [ops] the documented BinaryEquals value.
    ({"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}, {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, ALLOWED),
    ({"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}, {"key": "AAAA"}, DENIED),
    # [ops] IpAddress: CIDR ranges, IPv4 and IPv6; an address alone is /32.
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.15"}, ALLOWED),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.114.15"}, DENIED),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.15"}}, {"aws:SourceIp": "203.0.113.15"}, ALLOWED),
    ({"IpAddress": {"aws:SourceIp": "2001:DB8:1234:5678::/64"}}, {"aws:SourceIp": "2001:db8:1234:5678::1"}, ALLOWED),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.9/24"}}, {"aws:SourceIp": "203.0.113.200"}, ALLOWED),
    ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {"aws:SourceIp": "2001:db8::1"}, DENIED),
    ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.15"}, DENIED),
    ({"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}, {"aws:SourceIp": "192.0.2.1"}, ALLOWED),
    # [ops] ArnEquals and ArnLike are the same, and compare each of the six parts by itself.
    ({"ArnEquals": {"key": "arn:aws:iam::*:role/node-*"}}, {"key": "arn:aws:iam::111111111111:role/node-1"}, ALLOWED),
    ({"ArnLike": {"key": "arn:aws:iam::*:role/node-?"}}, {"key": "arn:aws:iam::111111111111:role/node-1"}, ALLOWED),
    ({"ArnLike": {"key": "arn:aws:iam:*:role/node"}}, {"key": "arn:aws:iam::111111111111:role/node"}, DENIED),
    ({"ArnLike": {"key": "arn:aws:iam::*:role/Node"}}, {"key": "arn:aws:iam::111111111111:role/node"}, DENIED),
    ({"ArnLike": {"key": "arn:aws:sns:*:*:a*c"}}, {"key": "arn:aws:sns:us-east-1:111111111111:a:b:c"}, ALLOWED),
    ({"ArnLike": {"key": "arn:aws:sns:*:*:a:b:c"}}, {"key": "arn:aws:sns:us-east-1:111111111111:a:b:c"}, ALLOWED),
    ({"ArnLike": {"key": "arn:aws:sns:*:*:a:b:c"}}, {"key": "arn:aws:sns:us-east-1:111111111111:a:b"}, DENIED),
    ({"ArnLike": {"key": "arn:aws:sns:*:*:a:b:c"}}, {"key": "arn:aws:sns:us-east-1:111111111111:abc"}, DENIED),
    ({"ArnNotLike": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "arn:aws:iam::111111111111:role/admin"}, DENIED),
    ({"ArnNotEquals": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "arn:aws:iam::111111111111:role/node"}, ALLOWED),
    ({"ArnLike": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "not an arn"}, DENIED),
]


OTHER_TYPES: list[Row] = [
    # No page says whether a value of another type is unequal to every value of the type, or meets no condition.
    ({"ArnNotLike": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "not an arn"}, UNDECIDED),
    ({"ArnNotEqualsIfExists": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "not an arn"}, UNDECIDED),
    ({"ArnNotLike": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "a:b:c:d:e:f"}, UNDECIDED),
    ({"ArnNotLike": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "arn:aws:iam::111111111111"}, UNDECIDED),
    ({"NumericNotEquals": {"key": "5"}}, {"key": "abc"}, UNDECIDED),
    ({"DateNotEquals": {"key": "2024-06-01"}}, {"key": "yesterday"}, UNDECIDED),
    ({"NotIpAddress": {"key": "10.0.0.0/8"}}, {"key": "cloudformation.amazonaws.com"}, UNDECIDED),
    ({"ForAnyValue:NumericNotEquals": {"key": "5"}}, {"key": ["abc", "5"]}, UNDECIDED),
    # Where both readings say the same there is no doubt.
    ({"ForAnyValue:NumericNotEquals": {"key": "5"}}, {"key": ["abc", "6"]}, ALLOWED),
    ({"ForAllValues:NumericNotEquals": {"key": "5"}}, {"key": ["abc", "5"]}, DENIED),
    ({"NumericNotEquals": {"key": "5"}}, {}, ALLOWED),
    ({"NotIpAddress": {"key": "10.0.0.0/8"}}, {"key": "2001:db8::1"}, ALLOWED),
    # A value of another type meets no positive condition.
    ({"ArnLike": {"key": "arn:aws:iam::*:role/a*"}}, {"key": "not an arn"}, DENIED),
    ({"NumericLessThan": {"key": "5"}}, {"key": "abc"}, DENIED),
    ({"IpAddress": {"key": "10.0.0.0/8"}}, {"key": "cloudformation.amazonaws.com"}, DENIED),
]

YEARS: list[Row] = [
    # AWS takes years and epoch seconds, and does not say which of them four digits are.
    ({"DateLessThan": {"aws:CurrentTime": "2030"}}, NOON, UNDECIDED),
    ({"DateNotEquals": {"aws:CurrentTime": "2024"}}, {"aws:CurrentTime": "2024-01-01T00:00:00Z"}, UNDECIDED),
    ({"DateGreaterThan": {"aws:CurrentTime": "2030"}}, NOON, UNDECIDED),
    ({"DateGreaterThan": {"aws:CurrentTime": "2024"}}, NOON, ALLOWED),
    ({"DateLessThan": {"aws:CurrentTime": "2024"}}, NOON, DENIED),
    ({"DateLessThan": {"aws:CurrentTime": ["2030", "2031-01"]}}, NOON, ALLOWED),
]

NULLS: list[Row] = [
    # AWS takes a set operator before Null. For a key with values it cannot matter.
    ({"ForAnyValue:Null": {"aws:TagKeys": "false"}}, {"aws:TagKeys": ["a", "b"]}, ALLOWED),
    ({"ForAnyValue:Null": {"aws:TagKeys": "true"}}, {"aws:TagKeys": ["a"]}, DENIED),
    ({"ForAllValues:Null": {"aws:TagKeys": "false"}}, {"aws:TagKeys": ["a"]}, ALLOWED),
    ({"ForAllValues:Null": {"aws:TagKeys": "true"}}, {}, ALLOWED),
    ({"ForAnyValue:Null": {"aws:TagKeys": "false"}}, {}, DENIED),
    # For an absent key ForAllValues is met and ForAnyValue is not, whatever they stand before.
    ({"ForAllValues:Null": {"aws:TagKeys": "false"}}, {}, UNDECIDED),
    ({"ForAnyValue:Null": {"aws:TagKeys": "true"}}, {}, UNDECIDED),
]


@pytest.mark.parametrize(("condition", "context", "expected"), YEARS, ids=str)
def test_years_or_seconds(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


def test_four_digits_are_named_and_taken_literally_as_a_year() -> None:
    limit = policy(allow(Condition={"DateLessThan": {"aws:CurrentTime": "2030"}}))
    decided = decide(request(context=NOON), identity=(limit,))
    assert names(decided.unknown) == ('how AWS compares aws:CurrentTime with four digits, a year or seconds ("2030")',)
    assert decide(request(context=NOON, literal=True), identity=(limit,)).decision == ALLOWED


@pytest.mark.parametrize("literal", [False, True])
@pytest.mark.parametrize(("condition", "context", "expected"), [*OTHER_TYPES, *NULLS], ids=str)
def test_what_aws_does_not_document(condition: Json, context: Json, expected: str, *, literal: bool) -> None:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in context.items()}
    asked = request(context=values, literal=literal)
    decided = decide(asked, identity=(policy(allow(Condition=condition)),))
    assert decided.decision == expected
    assert len(names(decided.unknown)) == (expected == UNDECIDED)


def test_a_value_of_another_type_is_named() -> None:
    condition = {"NumericNotEquals": {"s3:max-keys": "5"}}
    decided = decide(request(context={"s3:max-keys": "ten"}), identity=(policy(allow(Condition=condition)),))
    assert names(decided.unknown) == ('how NumericNotEquals compares a value of another type ("ten")',)


@pytest.mark.parametrize(("condition", "context", "expected"), STRINGS, ids=str)
def test_strings(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


@pytest.mark.parametrize(("condition", "context", "expected"), ABSENT, ids=str)
def test_absent_keys(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


@pytest.mark.parametrize(("condition", "context", "expected"), SETS, ids=str)
def test_set_operators(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


@pytest.mark.parametrize(("condition", "context", "expected"), NUMBERS, ids=str)
def test_numbers(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


@pytest.mark.parametrize(("condition", "context", "expected"), DATES, ids=str)
def test_dates(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


@pytest.mark.parametrize(("condition", "context", "expected"), OTHERS, ids=str)
def test_other_types(condition: Json, context: Json, expected: str) -> None:
    check(condition, context, expected)


@pytest.mark.parametrize("operator", ["ForAllValues:StringLike", "ForAnyValue:StringNotLike", "StringLike"])
def test_too_many_pairs_of_values_are_not_compared(operator: str) -> None:
    condition = {operator: {"aws:TagKeys": ["a*1", "a*2", "a*3"]}}
    asked = request(context={"aws:TagKeys": ("a1",) * 66_667})
    decided = decide(asked, identity=(policy(allow(Condition=condition)),))
    assert decided.decision == UNDECIDED
    assert names(decided.unknown) == ("aws:TagKeys, whose 66667 values are too many to compare",)


def test_two_hundred_thousand_pairs_of_values_are_compared() -> None:
    patterns = ["a*", *(f"b*{number}" for number in range(499))]
    check({"ForAllValues:StringLike": {"aws:TagKeys": patterns}}, {"aws:TagKeys": ["a1"] * 400}, ALLOWED)


def test_a_date_without_a_time_zone_is_utc_wherever_this_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the answer would hang on where somebody's terminal stands."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        check({"DateEquals": {"aws:CurrentTime": "2024-06-01T12:00:00"}}, NOON, ALLOWED)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_many_values_are_compared_by_equality() -> None:
    values = [f"a{number}" for number in range(1_000)]
    check({"ForAllValues:StringEquals": {"aws:TagKeys": values}}, {"aws:TagKeys": values}, ALLOWED)
    others = [f"b{number}" for number in range(1_000)]
    check({"ForAllValues:StringNotEquals": {"aws:TagKeys": values}}, {"aws:TagKeys": others}, ALLOWED)
    check({"ForAllValues:StringLike": {"aws:TagKeys": values[:400]}}, {"aws:TagKeys": values[:400]}, ALLOWED)
