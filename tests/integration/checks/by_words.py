"""What the causes have in common whose policies cannot be read from where the pull failed: AWS's words decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.checks.estate import (
    MANIFEST,
    NO_REASON,
    PULL_ONLY,
    TOKEN,
    because_no,
    explicit_deny,
    is_fixed_since,
    only,
    opened,
)

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding
    from pull_responder.model.arn import Arn
    from tests.integration.checks.estate import Estate, ReasonOf


def blamed(estate: Estate, cause: str, reason: str, *, session: str | None = None) -> tuple[Finding, Arn, Arn]:
    """The finding, the role and the repository of a pull that everything readable permits."""
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    pull = estate.denied(role, repository, reason, session=session or estate.instance())
    finding = only(estate.diagnose(pull), cause)
    assert pull.denial
    assert finding.evidence == (f"AWS said: {pull.denial.message}",)
    assert MANIFEST in finding.explanation
    assert str(role) in finding.explanation
    assert finding.remediation.commands == ()
    return finding, role, repository


def blamed_for_a_token(estate: Estate, cause: str, policy: ReasonOf, *, of_account: bool = False) -> None:
    role = estate.role(attach=[PULL_ONLY])
    finding = only(estate.diagnose(estate.denied(role, None, because_no(policy, TOKEN), action=TOKEN)), cause)
    blamed_resource = ("AwsAccount", f"AWS::::Account:{role.account}") if of_account else ("AwsIamRole", str(role))
    assert (finding.resource.type, finding.resource.id) == blamed_resource
    assert f"must allow {TOKEN}" in finding.remediation.summary


def believed_where_nothing_can_be_read(estate: Estate, cause: str, policy: ReasonOf) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    pull = estate.denied(role, repository, explicit_deny(policy))
    only(estate.diagnose(pull, unreadable=["iam:*", "ecr:*", "ec2:*", "eks:*"]), cause)


def open_after_an_older_message(estate: Estate, cause: str, why: str, *unreadable: str) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON), unreadable=unreadable)
    assert why in opened(diagnosis)[cause]
    assert cause not in diagnosis.passed


def not_needed_where_the_words_blame_another(estate: Estate, cause: str, *unreadable: str) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository()
    pull = estate.denied(role, repository, because_no("identity-based policy"))
    diagnosis = estate.diagnose(pull, unreadable=unreadable)
    assert is_fixed_since(diagnosis)
    assert cause in {each.cause for each in diagnosis.unchecked}
    assert cause not in diagnosis.passed
