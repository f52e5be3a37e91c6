"""Documents that are rejected. The message names the policy and the element."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.authorization.policy import MAXIMUM_LENGTH, PolicyError, _reject_repeated_elements, parse_policy
from pull_responder.authorization.policy_kind import PolicyKind
from tests.unit.authorization.statements import Json, allow, deny, document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "policy p: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "policy p: must be a JSON object"),
        ("{}", "policy p: Statement: must be a statement or a list of statements"),
        ('{"Statement": []}', "policy p: Statement: must have at least one statement"),
        ('{"Statement": "x"}', "policy p: Statement: must be a statement or a list of statements"),
        ('{"Statement": ["x"]}', "policy p: Statement[0]: must be a JSON object"),
        ('{"Statement": [], "Statements": []}', 'policy p: unknown element "Statements"'),
        ('{"Statement": [], "Version": "2020-01-01"}', "policy p: Version: must be 2008-10-17 or 2012-10-17"),
        ('{"Id": 1, "Statement": []}', "policy p: Id: must be a string"),
        ('{"Statement": [], "Statement": []}', 'policy p: not JSON: element "Statement" appears twice in one object'),
        ("[" * 50_000, "policy p: nested too deeply"),
        ("x" * (MAXIMUM_LENGTH + 1), f"policy p: longer than {MAXIMUM_LENGTH} characters"),
    ],
    ids=lambda value: value[:40],
)
def test_document(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, name="p")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"Conditions": {}}, ': unknown element "Conditions"'),
        ({"Sid": 1}, ".Sid: must be a string"),
        ({"Effect": "allow"}, ".Effect: must be Allow or Deny"),
        ({"Action": None}, ": must have Action or NotAction"),
        ({"Action": 1}, ".Action: must be a string or a list of strings"),
        ({"Action": ""}, ".Action: must contain only strings that are not empty"),
        ({"Action": ["ecr:*", 1]}, ".Action: must contain only strings that are not empty"),
        ({"Action": "BatchGetImage"}, '.Action: "BatchGetImage" is neither * nor of the form service:Action'),
        ({"Action": []}, ".Action: must have at least one action"),
        ({"Action": None, "NotAction": []}, ".NotAction: must have at least one action"),
        ({"Action": "s3:List:Bucket"}, '.Action: "s3:List:Bucket" is neither * nor of the form service:Action'),
        ({"Action": "a a:ListBucket"}, '.Action: "a a:ListBucket" is neither * nor of the form service:Action'),
        ({"Action": "ec*:Get*"}, '.Action: "ec*:Get*" is neither * nor of the form service:Action'),
        ({"Action": ["ecr:*", None]}, ".Action: must contain only strings that are not empty"),
        ({"Resource": {}}, ".Resource: must be a string or a list of strings"),
        ({"Resource": []}, ".Resource: must have at least one resource"),
        ({"Resource": None, "NotResource": []}, ".NotResource: must have at least one resource"),
        ({"Resource": ["adfdf", {}]}, ".Resource: must contain only strings that are not empty"),
        ({"Resource": "repository/app"}, '.Resource: "repository/app" is neither * nor an ARN'),
        ({"Resource": "arn:error:s3:::b"}, '.Resource: "arn:error:s3:::b" is in no partition of AWS'),
        ({"Resource": ["*", "arn:error:s3:::b"]}, '.Resource: "arn:error:s3:::b" is in no partition of AWS'),
        ({"Resource": "aws:s3:::b"}, '.Resource: "aws:s3:::b" is in no partition of AWS'),
        ({"Resource": "a:b:c:d:e:f:g:h"}, '.Resource: "a:b:c:d:e:f:g:h" is in no partition of AWS'),
        ({"Resource": "arn:aws"}, '.Resource: "arn:aws" names no service'),
        ({"Resource": "arn:aws::::b"}, '.Resource: "arn:aws::::b" names no service'),
        (
            {"Resource": "arn:aws:s3::b"},
            '.Resource: "arn:aws:s3::b" is an ARN of fewer than six parts, of which one is empty',
        ),
        ({"Resource": "arn:${aws:username}"}, '.Resource: "arn:${aws:username}" is in no partition of AWS'),
        ({"Resource": "a${b, '}"}, ".Resource: variable \"${b, '}\" is neither ${key} nor ${key, 'default'}"),
        ({"Resource": "a${b,c}"}, ".Resource: variable \"${b,c}\" is neither ${key} nor ${key, 'default'}"),
        ({"Principal": "111111111111"}, '.Principal: must be "*" or an object'),
        ({"Principal": {"Aws": "*"}}, '.Principal: unknown type of principal "Aws"'),
        ({"Principal": {"AWS": [1]}}, ".Principal.AWS: must contain only strings that are not empty"),
        ({"Condition": []}, ".Condition: must be a JSON object"),
        ({"Condition": {"StringLikes": {"k": "v"}}}, '.Condition: unknown operator "StringLikes"'),
        ({"Condition": {"NullIfExists": {"k": "true"}}}, '.Condition: unknown operator "NullIfExists"'),
        (
            {"Condition": {"ForSomeValues:StringLike": {"k": "v"}}},
            '.Condition: unknown operator "ForSomeValues:StringLike"',
        ),
        ({"Condition": {"StringLike": "v"}}, ".Condition.StringLike: must be an object of condition keys"),
        (
            {"Condition": {"StringLike": {"k": {}}}},
            ".Condition.StringLike.k: must be a string, a number, true or false, or a list of these",
        ),
        ({"Condition": {"Bool": {"k": "yes"}}}, ".Condition.Bool.k: 'yes' is neither true nor false"),
        ({"Condition": {"NumericEquals": {"k": "x"}}}, ".Condition.NumericEquals.k: 'x' is not a number"),
        (
            {"Condition": {"DateEquals": {"k": "x"}}},
            ".Condition.DateEquals.k: 'x' is not a date in ISO 8601 or a time in epoch seconds",
        ),
        (
            {"Condition": {"IpAddress": {"k": "x"}}},
            ".Condition.IpAddress.k: 'x' is neither an IP address nor a CIDR block",
        ),
        ({"Condition": {"BinaryEquals": {"k": "!"}}}, ".Condition.BinaryEquals.k: '!' is not base64"),
    ],
    ids=str,
)
def test_statement(elements: Json, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(allow(), allow(**elements)), name="ecr-pull")
    assert str(caught.value) == f"policy ecr-pull: Statement[1]{message}"


LONG = "x" * 101
CUT = "x" * 100


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({LONG: 1}, f': unknown element "{CUT}"'),
        ({"Action": LONG}, f'.Action: "{CUT}" is neither * nor of the form service:Action'),
        ({"Resource": LONG}, f'.Resource: "{CUT}" is neither * nor an ARN'),
        ({"Resource": f"{LONG}:x:y"}, f'.Resource: "{CUT}" is in no partition of AWS'),
        (
            {"Resource": f"arn:aws:{LONG}::y"},
            f'.Resource: "arn:aws:{"x" * 92}" is an ARN of fewer than six parts, of which one is empty',
        ),
        ({"Resource": f"arn:aws::{LONG}:::"}, f'.Resource: "arn:aws::{"x" * 91}" names no service'),
        ({"Principal": {LONG: "x"}}, f'.Principal: unknown type of principal "{CUT}"'),
        ({"Condition": {"Bool": {"k": LONG}}}, f".Condition.Bool.k: '{CUT}' is neither true nor false"),
        ({"Condition": {"NumericEquals": {"k": LONG}}}, f".Condition.NumericEquals.k: '{CUT}' is not a number"),
        ({"Condition": {"BinaryEquals": {"k": LONG}}}, f".Condition.BinaryEquals.k: '{CUT}' is not base64"),
        (
            {"Condition": {"IpAddress": {"k": LONG}}},
            f".Condition.IpAddress.k: '{CUT}' is neither an IP address nor a CIDR block",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_of_a_long_text_only_its_first_hundred_characters_are_shown(elements: Json, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(allow(**elements)), name="p")
    assert str(caught.value) == f"policy p: Statement[0]{message}"


def test_sids_of_iam_are_unique() -> None:
    with pytest.raises(PolicyError, match=rf'Statement\[1\].Sid: "{CUT}" is the Sid of two statements$'):
        parse_policy(document(allow(Sid=LONG), allow(Sid=LONG)), name="p", kind=PolicyKind.IDENTITY)
    twice = document(allow(Sid="One"), allow(Sid="Two"), allow(Sid="One"))
    with pytest.raises(PolicyError, match=r'^policy p: Statement\[2\].Sid: "One" is the Sid of two statements$'):
        parse_policy(twice, name="p", kind=PolicyKind.IDENTITY)
    assert len(parse_policy(twice, name="p").statements) == 3
    assert len(parse_policy(document(allow(Sid=""), allow(Sid="")), name="p", kind=PolicyKind.IDENTITY).statements) == 2


@pytest.mark.parametrize("pair", [("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")])
def test_an_element_and_its_negation_exclude_each_other(pair: tuple[str, str]) -> None:
    element, negation = pair
    both = {"Effect": "Allow", "Action": "*", element: {"AWS": "*"} if element == "Principal" else "*", negation: "*"}
    with pytest.raises(PolicyError) as caught:
        parse_policy({"Statement": both}, name="p")
    assert str(caught.value) == f"policy p: Statement[0]: has both {element} and {negation}"


@pytest.mark.parametrize("kind", [PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SCP, PolicyKind.SESSION])
def test_identity_policies_and_the_like_need_a_resource_and_allow_no_principal(kind: PolicyKind) -> None:
    with pytest.raises(
        PolicyError, match=r"^policy p: Statement\[0\].Principal: is not allowed in this kind of policy"
    ):
        parse_policy(document(allow(Principal="*")), name="p", kind=kind)
    with pytest.raises(PolicyError, match=r"^policy p: Statement\[0\]: must have Resource or NotResource$"):
        parse_policy(document(allow(Resource=None)), name="p", kind=kind)


@pytest.mark.parametrize("kind", [PolicyKind.RCP, PolicyKind.RESOURCE, PolicyKind.REGISTRY, PolicyKind.ENDPOINT])
def test_resource_based_policies_need_a_principal(kind: PolicyKind) -> None:
    with pytest.raises(PolicyError, match=r"^policy p: Statement\[0\]: must have Principal or NotPrincipal$"):
        parse_policy(document(allow()), name="p", kind=kind)


@pytest.mark.parametrize(
    "elements",
    [
        {"Resource": [None, "arn:aws:s3:::b"]},
        {"Resource": "arn:aws:s33:::b"},
        {"Resource": "arn:aws:b"},
        {"Resource": "arn:aws-us-gov:s3:::b"},
        {"Resource": "arn:aws-iso-b:s3:::b"},
        {"Resource": "arn:*:s3:::b"},
        {"Resource": "arn:aws:s3:::${aws:username}"},
        {"Action": "iam: asdf safdsf af "},
        {"Action": "s3-s.s:ListBucket"},
        {"Action": "*:*"},
        {"Principal": {"Federated": "cognito-identity.amazonaws.com"}},
        {"Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}},
        {"Condition": {}},
        {"Condition": {"x": {}, "DateGreaterThan": {}}},
        {"Condition": {"DateGreaterThan": {"a": []}}},
        {"Condition": {"ForAnyValue:Null": {"a": "true"}}},
        {"Condition": {"ForAllValues:Null": {"a": "false"}}},
    ],
    ids=str,
)
def test_what_aws_takes_is_read(elements: Json) -> None:
    assert len(parse_policy(document(allow(**elements)), name="p").statements) == 1


def test_a_repository_policy_needs_no_resource() -> None:
    read = parse_policy(document(allow(Principal="*", Resource=None)), name="p", kind=PolicyKind.RESOURCE)
    assert read.statements[0].resources is None


def test_the_effect_of_a_statement() -> None:
    read = parse_policy(document(allow(), deny()), name="p")
    assert [each.effect for each in read.statements] == ["Allow", "Deny"]
    assert ([each.index for each in read.allows], [each.index for each in read.denies]) == ([0], [1])


def test_a_single_value_is_accepted_in_place_of_a_list() -> None:
    text = json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": {"Sid": "One", **allow(Action="ecr:*")}})
    (read,) = parse_policy(text, name="p").statements
    assert (read.index, read.sid, read.effect, read.source) == (
        0,
        "One",
        "Allow",
        {"Sid": "One", **allow(Action="ecr:*")},
    )


LONGEST = 524_288


def test_the_longest_document_is_read() -> None:
    text = json.dumps(document(allow()))
    assert len(parse_policy(text.ljust(LONGEST), name="p").statements) == 1
    with pytest.raises(PolicyError):
        parse_policy(text.ljust(LONGEST + 1), name="p")


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("element", ["Action", "Condition"])
def test_the_texts_of_a_parsed_document_count_together(element: str, more: int) -> None:
    """Its Action and its Resource, one character each, and the text that fills the rest."""
    rest = LONGEST - 2 + more
    elements = {"Action": ["*", "s3:".ljust(rest, "x")], "Condition": {"StringEquals": {"k": "x" * rest}}}
    whole = document(allow(**{element: elements[element]}))
    if more:
        with pytest.raises(PolicyError, match=f"the policy is longer than {LONGEST} characters"):
            parse_policy(whole, name="p")
    else:
        assert len(parse_policy(whole, name="p").statements) == 1


def test_a_parsed_document_has_the_same_maximum_length() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(allow(Resource=["x" * 1000] * (MAXIMUM_LENGTH // 1000 + 1))), name="p")
    assert (
        str(caught.value) == f"policy p: Statement[0].Resource: the policy is longer than {MAXIMUM_LENGTH} characters"
    )


WORDS = ("Statement", "Version", "Effect", "Action", "Resource", "Principal", "Condition", "StringLike", "AWS", "Allow")
anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from((*WORDS, "*", "a:b"))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)),
    max_leaves=12,
)


@given(anything)
def test_any_json_is_either_read_or_rejected_with_policy_error(value: Json) -> None:
    for whole in (value, {"Statement": [value]}, {"Statement": {**allow(), "Condition": value, "Principal": value}}):
        problem = ""
        try:
            parse_policy(json.dumps(whole), name="p")
        except PolicyError as error:
            problem = str(error)
        assert not problem or problem.startswith("policy p: ")


class _Counted(str):
    """A key that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        _Counted.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_a_repeated_element_is_found_in_one_pass() -> None:
    pairs: list[tuple[str, object]] = [(_Counted(f"k{number}"), 1) for number in range(2_000)]
    with pytest.raises(ValueError, match='"k1999" appears twice'):
        _reject_repeated_elements([*pairs, (_Counted("k1999"), 2)])
    assert _Counted.compared < 10_000
