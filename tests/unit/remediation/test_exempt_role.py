from __future__ import annotations

from typing import Any

import pytest

from pull_responder.remediation.policy_edits import exempt_role, has_statements

ROLE = "arn:aws:iam::111111111111:role/nodes/blue"
GREEN = "arn:aws:iam::111111111111:role/green"
ROOT = "arn:aws:iam::111111111111:root"
OTHER_ROOT = "arn:aws:iam::222222222222:root"
SESSION = "arn:aws:sts::111111111111:assumed-role/blue/i-0123456789abcdef0"
FROM_OUTSIDE = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
EXCEPT_ROLE = {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}


def _deny(**elements: object) -> dict[str, Any]:
    return {"Sid": "Guard", "Effect": "Deny", "Action": "ecr:*", **elements}


# The statement that denies, and the statements that replace it once the role is exempt.
EXEMPTED = {
    "everyone, but not the role": (_deny(Principal="*"), [_deny(Principal="*", Condition=EXCEPT_ROLE)]),
    "everyone, in the long form": (
        _deny(Principal={"AWS": "*"}),
        [_deny(Principal={"AWS": "*"}, Condition=EXCEPT_ROLE)],
    ),
    "its account, but not the role": (
        _deny(Principal={"AWS": ROOT}),
        [_deny(Principal={"AWS": ROOT}, Condition=EXCEPT_ROLE)],
    ),
    "its account by number": (
        _deny(Principal={"AWS": ["111111111111"]}),
        [_deny(Principal={"AWS": ["111111111111"]}, Condition=EXCEPT_ROLE)],
    ),
    "one of its sessions": (
        _deny(Principal={"AWS": SESSION}),
        [_deny(Principal={"AWS": SESSION}, Condition=EXCEPT_ROLE)],
    ),
    "all but some": (
        _deny(NotPrincipal={"AWS": [ROOT, GREEN]}),
        [_deny(NotPrincipal={"AWS": [ROOT, GREEN]}, Condition=EXCEPT_ROLE)],
    ),
    "a role in a list leaves it": (
        _deny(Principal={"AWS": [GREEN, ROLE, OTHER_ROOT]}),
        [_deny(Principal={"AWS": [GREEN, OTHER_ROOT]})],
    ),
    "the role alone": (_deny(Principal={"AWS": ROLE}), []),
    "the role beside a service": (
        _deny(Principal={"AWS": ROLE, "Service": "codebuild.amazonaws.com"}),
        [_deny(Principal={"Service": "codebuild.amazonaws.com"})],
    ),
    "the role and its account": (
        _deny(Principal={"AWS": [ROLE, ROOT]}),
        [_deny(Principal={"AWS": [ROLE, ROOT]}, Condition=EXCEPT_ROLE)],
    ),
    "the role and its account by number": (
        _deny(Principal={"AWS": [ROLE, "111111111111"]}),
        [_deny(Principal={"AWS": [ROLE, "111111111111"]}, Condition=EXCEPT_ROLE)],
    ),
    "the role and one of its sessions": (
        _deny(Principal={"AWS": [ROLE, SESSION]}),
        [_deny(Principal={"AWS": [ROLE, SESSION]}, Condition=EXCEPT_ROLE)],
    ),
    "the role and everybody": (
        _deny(Principal={"AWS": [ROLE, "*"]}),
        [_deny(Principal={"AWS": [ROLE, "*"]}, Condition=EXCEPT_ROLE)],
    ),
    "the role and what is no name": (
        _deny(Principal={"AWS": [ROLE, 5]}),
        [_deny(Principal={"AWS": [ROLE, 5]}, Condition=EXCEPT_ROLE)],
    ),
    "another condition stays": (
        _deny(Principal="*", Condition=FROM_OUTSIDE),
        [_deny(Principal="*", Condition={**FROM_OUTSIDE, **EXCEPT_ROLE})],
    ),
    "one role is spared already": (
        _deny(Principal="*", Condition={"ArnNotEquals": {"aws:principalarn": GREEN}}),
        [_deny(Principal="*", Condition={"ArnNotEquals": {"aws:principalarn": [GREEN, ROLE]}})],
    ),
    "patterns are spared already": (
        _deny(Principal="*", Condition={"ArnNotLike": {"aws:PrincipalArn": [GREEN, "arn:aws:iam::*:role/ci-*"]}}),
        [
            _deny(
                Principal="*", Condition={"ArnNotLike": {"aws:PrincipalArn": [GREEN, "arn:aws:iam::*:role/ci-*", ROLE]}}
            )
        ],
    ),
    "the operator is there for another key": (
        _deny(Principal="*", Condition={"ArnNotEquals": {"aws:SourceArn": OTHER_ROOT}}),
        [_deny(Principal="*", Condition={"ArnNotEquals": {"aws:SourceArn": OTHER_ROOT, "aws:PrincipalArn": ROLE}})],
    ),
    "a condition that spares none": (
        _deny(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": [ROLE, GREEN]}}),
        [_deny(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": [ROLE, GREEN]}, **EXCEPT_ROLE})],
    ),
}


@pytest.mark.parametrize(("statement", "expected"), EXEMPTED.values(), ids=EXEMPTED)
def test_the_role_is_exempted(statement: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    first, last = _deny(Sid="First", Principal="*"), _deny(Sid="Last", Principal={"AWS": ROLE})
    before = {"Version": "2008-10-17", "Statement": [first, statement, last]}
    assert exempt_role(before, [1], ROLE) == {"Version": "2008-10-17", "Statement": [first, *expected, last]}


def test_of_a_role_without_an_arn_nobody_knows_who_covers_it() -> None:
    statement = _deny(Principal={"AWS": ["blue", GREEN]})
    exempt = {**statement, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "blue"}}}
    assert exempt_role({"Statement": [statement]}, [0], "blue") == {"Statement": [exempt]}


def test_every_statement_may_be_removed() -> None:
    after = exempt_role({"Statement": _deny(Principal={"AWS": [ROLE]})}, [0], ROLE)
    assert after is not None
    assert not has_statements(after)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param({"Effect": "Allow", "Principal": "*", "Action": "*"}, id="an allow"),
        pytest.param(_deny(Principal="*", Condition=["odd"]), id="a condition that is none"),
        pytest.param(_deny(Principal="*", Condition={"ArnNotEquals": "odd"}), id="an operator without keys"),
        pytest.param(None, id="no statement"),
    ],
)
def test_a_statement_that_cannot_be_edited_returns_none(statement: Any) -> None:  # noqa: ANN401 -- of any shape
    assert exempt_role({"Statement": [statement]}, [0], ROLE) is None
