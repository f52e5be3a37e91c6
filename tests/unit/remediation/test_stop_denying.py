from __future__ import annotations

from typing import Any

import pytest

from pull_responder.remediation.ecr_actions import ECR_ACTIONS
from pull_responder.remediation.policy_edits import has_statements, stop_denying

REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
TOKEN, MANIFEST, LAYER = "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"
PULL = (TOKEN, MANIFEST, LAYER)
IN_DUBLIN = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _deny(**elements: object) -> dict[str, Any]:
    return {"Sid": "Guard", "Effect": "Deny", **elements}


ELSEWHERE = {"Sid": "PullResponderOtherRepositories", "Effect": "Deny"}

# The statement that denies, and the statements that replace it once the three pull actions are removed.
NARROWED = {
    "a literal goes, its neighbours stay": (
        _deny(Action=["ecr:PutImage", "ECR:batchgetimage", "s3:GetObject"], Resource=[REPOSITORY]),
        [_deny(Action=["ecr:PutImage", "s3:GetObject"], Resource=[REPOSITORY])],
    ),
    "a statement of pull actions alone goes": (_deny(Action=MANIFEST, Resource=REPOSITORY), []),
    "everything becomes everything but": (
        _deny(Action="*", Resource=[REPOSITORY], Condition=IN_DUBLIN),
        [_deny(NotAction=list(PULL), Resource=[REPOSITORY], Condition=IN_DUBLIN)],
    ),
    "everything in a list with more": (
        _deny(Action=["iam:*", "*"], Resource=[REPOSITORY]),
        [_deny(NotAction=list(PULL), Resource=[REPOSITORY])],
    ),
    "everything, service by service": (
        _deny(Action="*:*", Resource=[REPOSITORY]),
        [_deny(NotAction=list(PULL), Resource=[REPOSITORY])],
    ),
    "exceptions grow": (
        _deny(NotAction="sts:*", Resource=[REPOSITORY]),
        [_deny(NotAction=["sts:*", *PULL], Resource=[REPOSITORY])],
    ),
    "exceptions grow only by what is missing": (
        _deny(NotAction=["ecr:Batch*", TOKEN], Resource=[REPOSITORY]),
        [_deny(NotAction=["ecr:Batch*", TOKEN, LAYER], Resource=[REPOSITORY])],
    ),
    "exceptions on all resources": (
        _deny(NotAction="sts:*", Resource="*"),
        [
            _deny(NotAction=["sts:*", *PULL], Resource="*"),
            {**ELSEWHERE, "Action": [MANIFEST, LAYER], "NotResource": [REPOSITORY]},
        ],
    ),
    "what is no text stays": (
        _deny(Action=[5, MANIFEST], Resource=[REPOSITORY]),
        [_deny(Action=[5], Resource=[REPOSITORY])],
    ),
    "question marks match other actions": (
        _deny(Action="ecr:" + "?" * len("BatchGetImage"), Resource=[REPOSITORY]),
        [_deny(Action=["ecr:UntagResource"], Resource=[REPOSITORY])],
    ),
    "a wildcard becomes what else it matches": (
        _deny(Action=["ecr:Batch*", "ecr:PutImage"], Resource=[REPOSITORY]),
        [
            _deny(
                Action=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchDeleteImage",
                    "ecr:BatchGetRepositoryScanningConfiguration",
                    "ecr:BatchImportUpstreamImage",
                    "ecr:PutImage",
                ],
                Resource=[REPOSITORY],
            )
        ],
    ),
    "wildcards that overlap say a thing once": (
        _deny(Action=["ecr:BatchC*", "ecr:BatchG*", "ecr:BatchGetR*", "ecr:?atchGet*"], Resource=[REPOSITORY]),
        [
            _deny(
                Action=["ecr:BatchC*", "ecr:BatchGetRepositoryScanningConfiguration", "ecr:BatchGetR*"],
                Resource=[REPOSITORY],
            )
        ],
    ),
    "a question mark is a wildcard": (_deny(Action="ecr:BatchGetImag?", Resource=[REPOSITORY]), []),
    "the whole service becomes the rest of it": (
        _deny(Action="ecr:*", Resource=[REPOSITORY]),
        [_deny(Action=[action for action in ECR_ACTIONS if action not in PULL], Resource=[REPOSITORY])],
    ),
    "on all resources, every other repository stays denied": (
        _deny(Action=[MANIFEST, "ecr:PutImage"], Resource="*", Condition=IN_DUBLIN),
        [
            _deny(Action=["ecr:PutImage"], Resource="*", Condition=IN_DUBLIN),
            {**ELSEWHERE, "Action": [MANIFEST], "NotResource": [REPOSITORY], "Condition": IN_DUBLIN},
        ],
    ),
    "on all resources, a token is of no repository": (
        _deny(Action=["ecr:Get*Token", LAYER], Resource=["*"]),
        [{**ELSEWHERE, "Action": [LAYER], "NotResource": [REPOSITORY]}],
    ),
    "on all but some resources, one more is spared": (
        _deny(Action=LAYER, NotResource="arn:aws:ecr:*:*:repository/public/*"),
        [{**ELSEWHERE, "Action": [LAYER], "NotResource": ["arn:aws:ecr:*:*:repository/public/*", REPOSITORY]}],
    ),
    "whoever is denied stays denied elsewhere": (
        _deny(Principal="*", Action=MANIFEST, Resource="*"),
        [{**ELSEWHERE, "Principal": "*", "Action": [MANIFEST], "NotResource": [REPOSITORY]}],
    ),
    "what does not deny a pull stays": (
        _deny(Action=["ecr:PutImage", "ecr-public:*"], Resource="*"),
        [_deny(Action=["ecr:PutImage", "ecr-public:*"], Resource="*")],
    ),
}


@pytest.mark.parametrize(("statement", "expected"), NARROWED.values(), ids=NARROWED)
def test_the_pull_actions_are_removed_from_the_deny(statement: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    first = {"Sid": "First", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    last = {"Sid": "Last", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"}
    assert stop_denying(_document(first, statement, last), [1], PULL, REPOSITORY) == _document(first, *expected, last)


def test_only_the_given_actions_are_removed() -> None:
    after = stop_denying(_document(_deny(Action=[MANIFEST, LAYER], Resource=REPOSITORY)), [0], [LAYER], REPOSITORY)
    assert after == _document(_deny(Action=[MANIFEST], Resource=REPOSITORY))


def test_without_a_repository_there_is_no_deny_for_other_repositories() -> None:
    after = stop_denying(_document(_deny(Action=[MANIFEST, "s3:*"], Resource="*")), [0], PULL)
    assert after == _document(_deny(Action=["s3:*"], Resource="*"))


def test_elements_keep_their_place() -> None:
    after = stop_denying(_document(_deny(Action="*", Resource=[REPOSITORY], Condition=IN_DUBLIN)), [0], PULL)
    assert after is not None
    assert list(after["Statement"][0]) == ["Sid", "Effect", "NotAction", "Resource", "Condition"]


def test_a_single_statement_stays_single() -> None:
    document = {"Version": "2012-10-17", "Statement": _deny(Action=[MANIFEST, "s3:*"], Resource=REPOSITORY)}
    assert stop_denying(document, [0], PULL, REPOSITORY) == {
        "Version": "2012-10-17",
        "Statement": _deny(Action=["s3:*"], Resource=REPOSITORY),
    }


def test_several_statements_keep_sids_apart() -> None:
    after = stop_denying(
        _document(_deny(Action=MANIFEST, Resource="*"), _deny(Action=LAYER, Resource="*")), [0, 1], PULL, REPOSITORY
    )
    assert after is not None
    assert [(s["Sid"], s["Action"]) for s in after["Statement"]] == [
        ("PullResponderOtherRepositories", [MANIFEST]),
        ("PullResponderOtherRepositories2", [LAYER]),
    ]


def test_every_statement_may_be_removed() -> None:
    after = stop_denying(_document(_deny(Action=MANIFEST, Resource=REPOSITORY)), [0], PULL, REPOSITORY)
    assert after == _document()
    assert not has_statements(after)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param({"Effect": "Allow", "Action": "*", "Resource": "*"}, id="an allow"),
        pytest.param("Deny", id="no statement"),
        pytest.param(_deny(Action=["e*:BatchGetImage"], Resource="*"), id="a wildcard across services"),
    ],
)
def test_a_statement_that_cannot_be_edited_returns_none(statement: Any) -> None:  # noqa: ANN401 -- of any shape
    assert stop_denying(_document(statement), [0], PULL, REPOSITORY) is None
