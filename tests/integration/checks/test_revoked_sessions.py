"""Policies that ask when a session's credentials were issued: what counts is whether credentials of now may pull."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.checks.estate import (
    ALLOW_ALL,
    NO_REASON,
    PULL_ONLY,
    allow,
    deny,
    explicit_deny,
    is_fixed_since,
    only,
    policy,
)

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from tests.integration.checks.estate import Estate, Statement

# The pull was refused at 12:00; it is 14:00 now.
ISSUED, REVOKED, NOW = "2026-03-01T06:00:00Z", "2026-03-01T10:00:00.000Z", datetime(2026, 3, 1, 14, tzinfo=UTC)
CAUSE = "role_policy_denies_pull"
BLAMED = explicit_deny("identity-based policy")


def issued(operator: str, when: str) -> dict[str, Any]:
    return {"Condition": {operator: {"aws:TokenIssueTime": when}}}


def diagnose(
    estate: Estate, statement: Statement, *, issued_at: str | None = ISSUED, reason: str = BLAMED
) -> Diagnosis:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    # As the console writes it: IAM User Guide, "Revoke IAM role temporary security credentials".
    estate.put_inline(role, "AWSRevokeOlderSessions", policy(statement))
    return estate.diagnose(estate.denied(role, repository, reason, issued=issued_at), now=NOW)


@pytest.mark.parametrize("reason", [BLAMED, NO_REASON], ids=["blamed", "older message"])
def test_a_revoked_session_is_no_lasting_cause(estate: Estate, reason: str) -> None:
    diagnosis = diagnose(estate, deny("*", **issued("DateLessThan", REVOKED)), reason=reason)
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed
    if reason == BLAMED:
        assert diagnosis.inconclusive == ()
        assert (
            "AWS refused credentials issued at 2026-03-01T06:00:00Z, because inline policy AWSRevokeOlderSessions "
            "denies credentials that old. The policies that could be read allow this pull with new credentials."
            in diagnosis.note
        )
        assert "has changed since" not in diagnosis.note


def test_a_revocation_after_the_refusal_is_none_either(estate: Estate) -> None:
    diagnosis = diagnose(estate, deny("*", **issued("DateLessThan", "2026-03-01T13:00:00Z")))
    assert "inline policy AWSRevokeOlderSessions denies" in diagnosis.note


def test_sessions_that_nobody_can_have_yet(estate: Estate) -> None:
    finding = only(diagnose(estate, deny("ecr:*", **issued("DateLessThan", "2026-04-01T00:00:00Z"))), CAUSE)
    assert finding.evidence[0].startswith("inline policy AWSRevokeOlderSessions, statement 0")


def test_a_session_that_is_new_enough_was_refused_by_something_else(estate: Estate) -> None:
    diagnosis = diagnose(estate, deny("*", **issued("DateLessThan", REVOKED)), issued_at="2026-03-01T11:00:00Z")
    assert is_fixed_since(diagnosis)


def test_without_the_time_of_issue_the_next_session_decides_all_the_same(estate: Estate) -> None:
    assert is_fixed_since(diagnose(estate, deny("*", **issued("DateLessThan", REVOKED)), issued_at=None))


def test_a_lasting_deny_beside_a_revocation_is_reported(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_ALL, deny("ecr:Batch*")), estate.repository()
    estate.put_inline(role, "AWSRevokeOlderSessions", policy(deny("*", **issued("DateLessThan", REVOKED))))
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED, issued=ISSUED), now=NOW), CAUSE)
    assert [line.split(",")[0] for line in finding.evidence[:-1]] == ["inline policy inline1"]
    (command,) = finding.remediation.commands
    assert "AWSRevokeOlderSessions" not in command


def test_an_allow_for_new_sessions_alone(estate: Estate) -> None:
    role = estate.role(allow("ecr:*", **issued("DateGreaterThan", REVOKED)))
    pull = estate.denied(role, estate.repository(), BLAMED, issued=ISSUED)
    assert is_fixed_since(estate.diagnose(pull, now=NOW))
    before = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert only(estate.diagnose(pull, now=before), "role_lacks_pull_permissions")
