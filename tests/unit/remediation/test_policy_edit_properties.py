"""Properties of every edit, for any document. This file has its own code to decide what a statement denies."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pull_responder.remediation.ecr_actions import ECR_ACTIONS, REPOSITORY_ACTIONS
from pull_responder.remediation.policy_edits import allow, exempt_role, stop_denying

REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
NEIGHBOUR = "arn:aws:ecr:eu-west-1:123456789012:repository/team/db"
ROLE, GREEN = "arn:aws:iam::111111111111:role/blue", "arn:aws:iam::111111111111:role/green"
ASKED = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
REQUESTS = [
    (action, resource)
    for action in (*ECR_ACTIONS, "s3:GetObject", "ecr-public:BatchGetImage")
    for resource in ([REPOSITORY, NEIGHBOUR] if action in REPOSITORY_ACTIONS else ["*"])
]

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
anything = st.recursive(
    scalars | st.sampled_from(["Deny", "*", "ecr:*", ROLE, REPOSITORY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Sid", "Effect", "Action", "NotAction", "Resource", "Principal", "AWS", "Condition"])
            | st.sampled_from(["NotResource", "NotPrincipal", "ArnNotEquals", "aws:PrincipalArn", "Statement"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
documents = st.fixed_dictionaries({}, optional={"Version": scalars, "Id": scalars, "Statement": anything})

patterns = st.sampled_from(
    ["*", "ecr:*", "ecr:Batch*", "ecr:Get*", "ECR:GETAUTH*", "ecr:?utImage", "s3:*", "ecr-public:*", *ASKED]
)
resources = st.sampled_from(["*", ["*"], REPOSITORY, [NEIGHBOUR, REPOSITORY], "arn:aws:ecr:*:*:repository/*"])


@st.composite
def denies(draw: st.DrawFn) -> dict[str, Any]:
    actions: Any = draw(patterns | st.lists(patterns, min_size=1, max_size=4))
    return {
        "Effect": "Deny",
        draw(st.sampled_from(["Action", "NotAction"])): actions,
        draw(st.sampled_from(["Resource", "NotResource"])): draw(resources),
    }


def _list(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON
    return value if isinstance(value, list) else [value]


# The spellings of "every repository" among the generated resources.
EVERY_REPOSITORY = {"*", "arn:aws:ecr:*:*:repository/*"}


def _like(value: str, patterns: object, flags: int = 0) -> bool:
    regexes = [re.escape(p).replace(r"\*", ".*").replace(r"\?", ".") for p in _list(patterns)]
    return any(re.fullmatch(regex, value, flags) for regex in regexes)


def _denied(document: dict[str, Any], action: str, resource: str) -> bool:
    def hits(statement: dict[str, Any]) -> bool:
        acts = _like(action, statement.get("Action", statement.get("NotAction")), re.IGNORECASE)
        on = _like(resource, statement.get("Resource", statement.get("NotResource")))
        return acts == ("Action" in statement) and on == ("Resource" in statement)

    return any(hits(statement) for statement in document["Statement"])


@given(denies())
def test_exactly_the_given_actions_are_no_longer_denied(statement: dict[str, Any]) -> None:
    before = {"Version": "2012-10-17", "Statement": [statement]}

    after = stop_denying(before, [0], ASKED, REPOSITORY)

    assert after is not None
    everywhere = "NotResource" in statement or not EVERY_REPOSITORY.isdisjoint(_list(statement["Resource"]))
    for action, resource in REQUESTS:
        asked = action in ASKED and (resource != NEIGHBOUR or not everywhere)
        assert _denied(after, action, resource) == (_denied(before, action, resource) and not asked), (action, resource)


@given(documents, st.sets(st.integers(0, 3)))
def test_no_edit_raises_or_changes_its_input(document: dict[str, Any], indexes: set[int]) -> None:
    before = json.dumps(document)
    for after in (
        allow(document, actions=ASKED, resources=["*"]),
        stop_denying(document, indexes, ASKED, REPOSITORY),
        exempt_role(document, indexes, ROLE),
    ):
        json.dumps(after)
    assert json.dumps(document) == before


@given(documents)
def test_other_statements_are_unchanged(document: dict[str, Any]) -> None:
    statements = _list(document.get("Statement", []))
    grown = allow(document, actions=ASKED, resources=["*"])
    assert grown["Statement"][:-1] == statements
    for after in (grown, stop_denying(document, [], ASKED, REPOSITORY), exempt_role(document, [], ROLE)):
        assert after is not None
        assert {key: after.get(key) for key in ("Version", "Id")} == {
            key: document.get(key) for key in ("Version", "Id")
        }
    for after in (stop_denying(document, [], ASKED, REPOSITORY), exempt_role(document, [], ROLE)):
        assert after is not None
        assert _list(after["Statement"]) == statements


principals = st.sampled_from(["*", ROLE, GREEN, "111111111111", "222222222222", "arn:aws:iam::111111111111:root"])
spared = st.sampled_from([ROLE, GREEN]) | st.lists(st.sampled_from([ROLE, GREEN]), min_size=1, max_size=2)


@given(
    st.lists(principals, min_size=1, max_size=3),
    st.none() | st.dictionaries(st.sampled_from(["ArnNotEquals", "ArnNotLike", "ArnEquals"]), spared, min_size=1),
)
def test_only_the_role_is_exempted(names: list[str], operators: dict[str, Any] | None) -> None:
    statement: dict[str, Any] = {"Effect": "Deny", "Principal": {"AWS": names}, "Action": "ecr:*"}
    if operators is not None:
        statement["Condition"] = {operator: {"aws:PrincipalArn": values} for operator, values in operators.items()}

    after = exempt_role({"Statement": [statement]}, [0], ROLE)

    assert after is not None
    assert not _denied_to(after, ROLE)
    assert _denied_to(after, GREEN) == _denied_to({"Statement": [statement]}, GREEN)


def _denied_to(document: dict[str, Any], role: str) -> bool:
    def hits(statement: dict[str, Any]) -> bool:
        covers = {"*", role, "111111111111", "arn:aws:iam::111111111111:root"} & set(statement["Principal"]["AWS"])
        conditions = (
            (role in _list(keys["aws:PrincipalArn"])) == (operator == "ArnEquals")
            for operator, keys in statement.get("Condition", {}).items()
        )
        return bool(covers) and all(conditions)

    return any(hits(statement) for statement in document["Statement"])


def test_a_pattern_with_many_stars_is_matched_quickly() -> None:
    action = "ecr:" + "*a" * 5_000
    document = {"Statement": [{"Effect": "Deny", "Action": [action, "ecr:BatchGetImage"], "Resource": REPOSITORY}]}
    assert stop_denying(document, [0], ASKED, REPOSITORY) == {
        "Statement": [{"Effect": "Deny", "Action": [action], "Resource": REPOSITORY}]
    }
