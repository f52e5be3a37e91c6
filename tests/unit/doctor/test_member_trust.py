"""Whom a role in a member trusts, and what of that is more than the hub's functions."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.doctor.member_trust import Trusted

HUB, STRANGER, ORGANIZATION = "111111111111", "999999999999", "o-exampleorg1"
ROLE = f"arn:aws:iam::{HUB}:role/PullResponder-diagnose-us-east-1"
OLD = f"arn:aws:iam::{HUB}:role/stack-Diagnose-1A2B3C"
ROOT = f"arn:aws:iam::{HUB}:root"
TRUSTED = Trusted(HUB, ORGANIZATION, frozenset({OLD}))
NO_ORGANIZATION = f"it trusts account {HUB} without the condition aws:PrincipalOrgID for {ORGANIZATION}"
ALL_ROLES = f"it trusts all roles of account {HUB}: the condition aws:PrincipalArn names none of them"
PATTERN = {"ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{HUB}:role/PullResponder-*-us-east-1"]}}
OF_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}


def trust(principal: Any = None, condition: Any = None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    statement = {"Effect": "Allow", "Principal": principal or {"AWS": ROOT}, "Action": "sts:AssumeRole", **changed}
    if condition is not None:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    "policy",
    [
        trust(condition={**PATTERN, **OF_ORGANIZATION}),
        trust({"AWS": HUB}, {**PATTERN, **OF_ORGANIZATION}),
        trust(condition={"arnlike": {"AWS:principalarn": ROLE}, "stringequals": {"aws:principalorgid": ORGANIZATION}}),
        trust({"AWS": [ROLE, OLD]}),
        trust({"AWS": "AROAEXAMPLEEXAMPLE123"}),
        # What denies, or lets nobody assume the role, lets nobody in.
        trust("*", Effect="Deny"),
        trust("*", Action="sts:TagSession"),
        trust("*", Action=["sts:Tag*", "sts:AssumeRole?", "sts:Get*", "ecr:*", "sts:SetSource*", ""]),
        {"Statement": "no list"},
        {},
    ],
)
def test_the_hubs_functions_alone_are_trusted(policy: dict[str, Any]) -> None:
    assert TRUSTED.faults(policy) == []


@pytest.mark.parametrize(
    ("policy", "faults"),
    [
        (trust(), [NO_ORGANIZATION, ALL_ROLES]),
        (trust(condition=PATTERN), [NO_ORGANIZATION]),
        (trust(condition=OF_ORGANIZATION), [ALL_ROLES]),
        (trust(condition={**PATTERN, "StringEqualsIfExists": OF_ORGANIZATION["StringEquals"]}), [NO_ORGANIZATION]),
        (trust(condition={**PATTERN, "StringLike": {"aws:PrincipalOrgID": "o-*"}}), [NO_ORGANIZATION]),
        (trust(condition={**PATTERN, "StringEquals": {"aws:PrincipalOrgID": "o-anotherorg"}}), [NO_ORGANIZATION]),
        (
            trust(condition={**PATTERN, "StringEquals": {"aws:PrincipalOrgID": [ORGANIZATION, "o-anotherorg"]}}),
            [NO_ORGANIZATION],
        ),
        (
            trust(condition={**OF_ORGANIZATION, "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/*"}}),
            [ALL_ROLES],
        ),
        (
            trust(condition={**OF_ORGANIZATION, "ArnLike": {"aws:PrincipalArn": [ROLE, "*"]}}),
            [ALL_ROLES],
        ),
        (
            trust(condition={**OF_ORGANIZATION, "ArnNotLike": {"aws:PrincipalArn": ROLE}}),
            [ALL_ROLES],
        ),
        (trust("*"), ["it trusts *, which is none of the hub's"]),
        (trust({"AWS": STRANGER}), [f"it trusts {STRANGER}, which is none of the hub's"]),
        (
            trust({"AWS": [ROLE, f"arn:aws:iam::{HUB}:role/admin"]}),
            [f"it trusts arn:aws:iam::{HUB}:role/admin, which is none of the hub's"],
        ),
        (
            trust({"AWS": f"arn:aws:iam::{STRANGER}:role/PullResponder-diagnose-us-east-1"}),
            [f"it trusts arn:aws:iam::{STRANGER}:role/PullResponder-diagnose-us-east-1, which is none of the hub's"],
        ),
        (
            trust({"Service": "lambda.amazonaws.com", "AWS": ROLE}),
            ["it trusts lambda.amazonaws.com, which is none of the hub's"],
        ),
        (
            {"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:*"}},
            ["it trusts everybody but those in a NotPrincipal"],
        ),
        (trust("*", Action=["sts:TagSession", "STS:AssumeRole*"]), ["it trusts *, which is none of the hub's"]),
    ],
)
def test_whoever_else_is_trusted_is_named(policy: dict[str, Any], faults: list[str]) -> None:
    assert TRUSTED.faults(policy) == faults


@pytest.mark.parametrize(
    "action",
    [
        *("*", "s*", "sts:*", "sts:A*", "sts:Ass*", "sts:*Role", "sts:AssumeRol?", "sts:?ssumeRole", "STS:assumerole"),
        *("sts:AssumeRoleWith*", "sts:AssumeRoleWithSAML", "sts:*WebIdentity"),
    ],
)
def test_an_action_with_wildcards_is_what_it_matches(action: str) -> None:
    assert TRUSTED.faults(trust("*", Action=action)) == ["it trusts *, which is none of the hub's"]


def test_a_name_that_somebody_else_has_written_is_one_bounded_line() -> None:
    (fault,) = TRUSTED.faults(trust({"AWS": "arn:aws:iam::9:role/x\n\x1b[31mRED" + "x" * 5_000}))
    assert fault.isprintable()
    assert len(fault) < 150
