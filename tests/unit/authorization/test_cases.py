"""The JSON Lines of `pull-responder evaluate`."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from pull_responder.authorization.cases import MAXIMUM_LINE, evaluate_lines
from tests.unit.authorization.statements import ACCOUNT, OTHER_ACCOUNT, REPOSITORY, SESSION, Json, allow, deny, document

ALL = document(allow())
ALL_TO_ALL = document(allow(Principal="*"))
S3 = document(allow(Action="s3:*"))


def case(**parts: object) -> Json:
    asked = {
        "principal": SESSION,
        "action": "ecr:BatchGetImage",
        "resource": {"arn": REPOSITORY, "accountId": ACCOUNT},
        "context": {},
    }
    return {"id": 7, "request": asked, **parts}


def answers(*lines: object) -> list[Any]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [json.loads(line) for line in evaluate_lines(texts)]


@pytest.mark.parametrize(
    ("parts", "decision", "blocked"),
    [
        ({"identityPolicies": [ALL]}, "Allowed", []),
        ({}, "ImplicitlyDenied", ["identity"]),
        ({"identityPolicies": None, "resourcePolicy": ALL_TO_ALL}, "Allowed", []),
        ({"identityPolicies": [ALL], "serviceControlPolicies": []}, "Allowed", []),
        ({"identityPolicies": [ALL], "serviceControlPolicies": [[]]}, "ImplicitlyDenied", ["scp"]),
        ({"identityPolicies": [ALL], "serviceControlPolicies": [[ALL], [ALL], [S3]]}, "ImplicitlyDenied", ["scp"]),
        ({"identityPolicies": [ALL], "resourceControlPolicies": [[ALL_TO_ALL], []]}, "ImplicitlyDenied", ["rcp"]),
        ({"identityPolicies": [ALL], "permissionBoundaryPolicies": [S3]}, "ImplicitlyDenied", ["boundary"]),
        ({"identityPolicies": [ALL], "sessionPolicy": S3}, "ImplicitlyDenied", ["session"]),
        ({"identityPolicies": [ALL], "sessionPolicy": ALL}, "Allowed", []),
        (
            {"identityPolicies": [ALL], "registryPolicy": document(deny(Principal="*")), "registryPolicyScope": "V2"},
            "ExplicitlyDenied",
            ["registry"],
        ),
        ({"identityPolicies": [ALL], "vpcEndpointPolicies": [ALL_TO_ALL]}, "Allowed", []),
        (
            {"identityPolicies": [ALL], "vpcEndpointPolicies": [document(allow(Principal="*", Action="s3:*"))]},
            "ImplicitlyDenied",
            ["endpoint"],
        ),
        (
            {"identityPolicies": [ALL], "registryPolicy": document(deny(Principal="*"))},
            "ExplicitlyDenied",
            ["registry"],
        ),
        (
            {
                "identityPolicies": [ALL],
                "registryPolicy": document(deny(Principal="*")),
                "registryPolicyScope": "V1",
            },
            "Allowed",
            [],
        ),
        ({"identityPolicies": [document(allow(), deny())]}, "ExplicitlyDenied", ["identity"]),
    ],
    ids=str,
)
def test_decisions(parts: Json, decision: str, blocked: list[str]) -> None:
    assert answers(case(**parts)) == [{"id": 7, "decision": decision, "blocked_by": blocked}]


def test_across_accounts_both_sides_must_allow() -> None:
    away = case(identityPolicies=[ALL])
    away["request"]["resource"]["accountId"] = OTHER_ACCOUNT
    assert answers(away) == [{"id": 7, "decision": "ImplicitlyDenied", "blocked_by": ["resource"]}]


def test_the_principal_is_taken_literally() -> None:
    """`evaluate` prints one of AWS's three answers, so nothing about the principal may stay unknown."""
    with_path = document(allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/eks/node"}))
    assert answers(case(resourcePolicy=with_path))[0]["decision"] == "Allowed"
    service_linked = case(identityPolicies=[ALL], serviceControlPolicies=[[S3]])
    service_linked["request"]["principal"] = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForAmazonEKS/EKS"
    assert answers(service_linked)[0]["decision"] == "Allowed"


@pytest.mark.parametrize(
    ("context", "condition", "decision"),
    [
        ({"aws:SourceVpc": "v"}, {"StringEquals": {"aws:sourcevpc": "v"}}, "Allowed"),
        ({"aws:TagKeys": ["a", "b"]}, {"ForAnyValue:StringEquals": {"aws:TagKeys": "b"}}, "Allowed"),
        ({"aws:SecureTransport": True}, {"Bool": {"aws:SecureTransport": "true"}}, "Allowed"),
        ({"aws:SecureTransport": False}, {"Bool": {"aws:SecureTransport": "false"}}, "Allowed"),
        (None, {"Null": {"aws:SecureTransport": "true"}}, "Allowed"),
        ({"s3:max-keys": 5}, {"NumericLessThan": {"s3:max-keys": "6"}}, "Allowed"),
        # "A key absent from context is absent from the request": nothing is derived from the principal.
        ({}, {"Null": {"aws:PrincipalArn": "true"}}, "Allowed"),
        ({}, {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, "ImplicitlyDenied"),
    ],
    ids=str,
)
def test_context(context: Json | None, condition: Json, decision: str) -> None:
    asked = case(identityPolicies=[document(allow(Condition=condition))])
    asked["request"]["context"] = context
    assert answers(asked)[0]["decision"] == decision


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{", "line is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"id": NaN}', "line is not JSON: NaN is not JSON"),
        ('{"id": [-Infinity]}', "line is not JSON: -Infinity is not JSON"),
        ('{"id": 1e999}', "line is not JSON: 1e999 is too large a number"),
        (f'{{"id": {"9" * 101}e999}}', f"line is not JSON: {'9' * 100} is too large a number"),
        ("[1]", "line is not a JSON object"),
        ("[" * 100_000, "line is nested too deeply"),
        (" " * MAXIMUM_LINE + "{}", f"line is longer than {MAXIMUM_LINE} characters"),
    ],
    ids=["cut", "nan", "infinity", "too-large", "too-large-to-show", "list", "deep", "long"],
)
def test_a_line_without_a_readable_id(line: str, error: str) -> None:
    good = case(identityPolicies=[ALL])
    assert answers(line, good) == [{"id": None, "error": error}, {"id": 7, "decision": "Allowed", "blocked_by": []}]


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"request": None}, "request: must be a JSON object"),
        ({"identityPolicy": [ALL]}, 'unknown key "identityPolicy"'),
        ({"identityPolicies": ALL}, "identityPolicies: must be a list of policies"),
        (
            {"identityPolicies": [ALL, "x"]},
            "policy identityPolicies[1]: not JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        ({"serviceControlPolicies": [ALL]}, "serviceControlPolicies[0]: must be a list of policies"),
        ({"serviceControlPolicies": ALL}, "serviceControlPolicies: must be a list of levels"),
        ({"resourcePolicy": [ALL_TO_ALL]}, "policy resourcePolicy: must be a JSON object"),
        ({"registryPolicyScope": "V3"}, "registryPolicyScope: must be V1 or V2"),
        (
            {"sessionPolicy": document(allow(Condition={"StringLikes": {"a": "b"}}))},
            'policy sessionPolicy: Statement[0].Condition: unknown operator "StringLikes"',
        ),
        (
            {"serviceControlPolicies": [[ALL], [ALL, document(allow(Principal="*"))]]},
            "policy serviceControlPolicies[1][1]: Statement[0].Principal: is not allowed in this kind of policy (scp)",
        ),
        (
            {"sessionPolicy": document(allow(Principal="*"))},
            "policy sessionPolicy: Statement[0].Principal: is not allowed in this kind of policy (session)",
        ),
        ({"x" * 101: 1}, f'unknown key "{"x" * 100}"'),
    ],
    ids=str,
)
def test_a_bad_case_keeps_its_id_and_does_not_stop_the_rest(parts: Json, error: str) -> None:
    assert answers(case(**parts), case(identityPolicies=[ALL])) == [
        {"id": 7, "error": error},
        {"id": 7, "decision": "Allowed", "blocked_by": []},
    ]


@pytest.mark.parametrize(
    ("part", "value", "error"),
    [
        ("principal", "nobody", "principal 'nobody' is neither an IAM or STS principal's ARN nor a service"),
        ("principal", None, "request.principal: must be a string that is not empty"),
        ("principal", "", "request.principal: must be a string that is not empty"),
        ("principal", "x" * 201, f"principal '{'x' * 200}' is neither an IAM or STS principal's ARN nor a service"),
        ("principal", "x" * 65_537, "principal or resource is longer than 65536 characters"),
        ("action", None, "request.action: must be a string that is not empty"),
        ("action", "x" * 201, f"action '{'x' * 200}' is not of the form service:Action"),
        ("action", "BatchGetImage", "action 'BatchGetImage' is not of the form service:Action"),
        ("resource", REPOSITORY, "request.resource: must be a JSON object"),
        ("resource", {"arn": REPOSITORY}, "request.resource.accountId: must be a string that is not empty"),
        ("resource", {"accountId": ACCOUNT}, "request.resource.arn: must be a string that is not empty"),
        (
            "resource",
            {"arn": "x" * 65_537, "accountId": ACCOUNT},
            "principal or resource is longer than 65536 characters",
        ),
        ("context", [], "request.context: must be a JSON object"),
        ("context", {"k": "x" * 65_537}, "request.context.k: longer than 65536 characters"),
        (
            "context",
            {"k" * 201: None},
            f"request.context.{'k' * 200}: must be a string, a number, true or false, or a list of these",
        ),
        (
            "context",
            {"aws:SourceVpc": None},
            "request.context.aws:SourceVpc: must be a string, a number, true or false, or a list of these",
        ),
    ],
)
def test_bad_requests(part: str, value: object, error: str) -> None:
    asked = case(identityPolicies=[ALL])
    asked["request"][part] = value
    assert answers(asked) == [{"id": 7, "error": error}]


def test_the_longest_texts_are_read() -> None:
    service = "a" * 100 + ".amazonaws.com"
    asked = case(resourcePolicy=document(allow(Principal={"Service": service}, Resource=None)))
    parts: Json = {
        "principal": service,
        "resource": {"arn": "x" * 65_536, "accountId": ACCOUNT},
        "context": {"k": "x" * 65_536},
    }
    asked["request"] |= parts
    assert answers(asked)[0]["decision"] == "Allowed"
    asked["request"]["principal"] = f"arn:aws:iam::{ACCOUNT}:user/".ljust(65_536, "a")
    assert answers(asked)[0]["decision"] == "ImplicitlyDenied"


def test_answers_keep_the_order_of_lines_and_blank_lines_are_skipped() -> None:
    endless = itertools.cycle([json.dumps(case(identityPolicies=[ALL])), "\n", ""])
    first_two = list(itertools.islice(evaluate_lines(endless), 2))
    assert [json.loads(line)["decision"] for line in first_two] == ["Allowed", "Allowed"]


@pytest.mark.parametrize(
    ("parts", "unknown"),
    [
        (
            {"identityPolicies": [document(allow(Resource="arn:aws:ecr:*:*:*/app"))]},
            'how AWS matches "arn:aws:ecr:*:*:*/app": it has a wildcard in the resource type',
        ),
        (
            {"identityPolicies": [ALL, document(deny(Resource="arn:aws:ecr"))]},
            'how AWS matches "arn:aws:ecr": it is an ARN of fewer than six parts',
        ),
    ],
    ids=str,
)
def test_what_aws_does_not_document_is_undecided(parts: Json, unknown: str) -> None:
    assert answers(case(**parts)) == [{"id": 7, "decision": "Undecided", "blocked_by": [], "unknown": [unknown]}]


def test_a_doubt_does_not_matter_where_something_else_decides() -> None:
    doubt = document(allow(Resource="arn:aws:ecr:*:*:repo*"))
    assert answers(case(identityPolicies=[doubt, ALL])) == [{"id": 7, "decision": "Allowed", "blocked_by": []}]
    assert answers(case(identityPolicies=[doubt], serviceControlPolicies=[[S3]])) == [
        {"id": 7, "decision": "ImplicitlyDenied", "blocked_by": ["scp"]}
    ]


def test_twenty_kilobytes_of_wildcards() -> None:
    hostile = case(identityPolicies=[document(allow(Resource="*a" * 10_000 + "b"), allow(Resource="a*?" * 300))])
    hostile["request"]["resource"]["arn"] = "a" * 60_000
    assert answers(hostile)[0]["decision"] == "Allowed"
