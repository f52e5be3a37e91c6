"""Which entry of the operator's list names a principal, with and without the path of its role."""

from __future__ import annotations

import pytest

from pull_responder.model.pull import Principal, PrincipalKind
from pull_responder.model.unread import Unread
from pull_responder.pulls.known_principals import listed_as

_HOME = "arn:aws:iam::111111111111:role"
_BUILD = Principal(
    PrincipalKind.ROLE,
    "arn:aws:sts::111111111111:assumed-role/build/one",
    "aws",
    "111111111111",
    "build",
    session_name="one",
)
_ANN = Principal(PrincipalKind.USER, "arn:aws:iam::111111111111:user/people/ann", "aws", "111111111111", "ann")


@pytest.mark.parametrize(
    "entry",
    [
        f"{_HOME}/build",
        f"{_HOME}/b*",
        f"{_HOME}/*",
        f"{_HOME}/ci/build",
        f"{_HOME}/*/build",
        "arn:*:iam::111111111111:role/ci/build",
        "arn:aws:sts::111111111111:assumed-role/build/*",
    ],
)
def test_without_its_path_a_role_is_listed_by_its_account_and_name(entry: str) -> None:
    assert listed_as([entry], _BUILD, None) == entry


@pytest.mark.parametrize(
    "entry",
    [
        f"{_HOME}/ci/*",
        f"{_HOME}/ci/b*",
        f"{_HOME}/*/*",
        "arn:aws:iam::*:role/ci/build",
        "arn:aws:iam::11111111111*:role/ci/build",
    ],
)
def test_without_its_path_an_entry_that_fits_some_path_leaves_it_open(entry: str) -> None:
    answer = listed_as([entry], _BUILD, None)
    assert isinstance(answer, Unread)
    assert f"the path of the role build could not be read, and {entry} in knownPrincipals may name it" in answer.reason


@pytest.mark.parametrize(
    "entry",
    [
        f"{_HOME}/ci/builder",
        f"{_HOME}/ci/x*",
        f"{_HOME}/c*",
        f"{_HOME}/ci/buil?",
        "arn:aws:iam::222222222222:role/ci/*",
        "arn:aws:iam::222222222222:role/ci/build",
        "arn:aws-cn:iam::111111111111:role/ci/*",
        "arn:aws:iam::111111111111:user/ci/*",
    ],
)
def test_without_its_path_an_entry_that_fits_no_path_does_not_name_it(entry: str) -> None:
    assert listed_as([entry], _BUILD, None) is None


def test_an_entry_that_names_it_goes_before_one_that_may() -> None:
    assert listed_as([f"{_HOME}/ci/*", f"{_HOME}/ci/build"], _BUILD, None) == f"{_HOME}/ci/build"


@pytest.mark.parametrize(("entry", "listed"), [(f"{_HOME}/ci/*", True), (f"{_HOME}/cd/*", False)])
def test_with_its_path_every_entry_decides(entry: str, *, listed: bool) -> None:
    assert listed_as([entry], _BUILD, f"{_HOME}/ci/build") == (entry if listed else None)


@pytest.mark.parametrize(
    ("entry", "listed"), [("arn:aws:iam::*:user/people/*", True), ("arn:aws:iam::*:role/people/*", False)]
)
def test_a_user_has_its_path_always(entry: str, *, listed: bool) -> None:
    assert listed_as([entry], _ANN, None) == (entry if listed else None)
