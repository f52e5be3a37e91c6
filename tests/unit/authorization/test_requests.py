"""Requests that are refused because a part of them is malformed."""

from __future__ import annotations

import pytest

from pull_responder.authorization.request import RequestError
from tests.unit.authorization.statements import ACCOUNT, ROLE, SESSION, request

IAM, STS = f"arn:aws:iam::{ACCOUNT}:", f"arn:aws:sts::{ACCOUNT}:"
LONG = "x" * 300


@pytest.mark.parametrize(
    "principal",
    [f"{IAM}user", f"{IAM}role", f"{IAM}role/", f"{IAM}root/x", f"{STS}assumed-role", f"{IAM}oidc-provider"],
)
def test_a_principal_without_a_name_or_a_root_user_with_one(principal: str) -> None:
    with pytest.raises(RequestError, match=f"^principal '{principal}' "):
        request(principal=principal)


@pytest.mark.parametrize("rest", ["node", "node/", "/i-1"])
def test_a_session_has_a_role_and_a_name(rest: str) -> None:
    with pytest.raises(RequestError, match="has no role name or no session name"):
        request(principal=f"{STS}assumed-role/{rest}")


@pytest.mark.parametrize(
    ("principal", "problem"),
    [
        (f"{STS}assumed-role/{LONG}", "has no role name or no session name"),
        (f"{IAM}root/{LONG}", "has no name, or is a root user with a name"),
    ],
)
def test_of_a_long_principal_only_the_first_two_hundred_characters_are_shown(principal: str, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        request(principal=principal)
    assert str(caught.value) == f"principal {principal[:200]!r} {problem}"


def test_a_session_is_of_its_own_role() -> None:
    other = ROLE + LONG
    with pytest.raises(RequestError) as caught:
        request(principal=f"{SESSION}{LONG}", role_arn=other)
    principal = f"{SESSION}{LONG}"[:200]
    assert str(caught.value) == f"role {other[:200]!r} is not the role of principal {principal!r}"


def test_two_requests_with_the_same_parts_are_the_same() -> None:
    assert request() == request()
    assert request() != request(action="ecr:PutImage")
