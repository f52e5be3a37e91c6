"""What the doctor's checks declare, and what the docs say of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pull_responder.doctor import CHECKS, PERMISSIONS
from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import unread
from pull_responder.facts.aws import describe_failure
from tests.unit.doctor.test_answers import refused

ROOT = Path(__file__).parents[3]
OPERATIONS = ROOT / "docs" / "operations.md"
DOCTOR = ROOT / "lambdas" / "pull_responder" / "doctor"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_docs_name_each_check_with_its_permissions(check: Examination) -> None:
    (row,) = [line for line in OPERATIONS.read_text().splitlines() if line.startswith(f"| `{check.id}` |")]
    assert row.endswith(f"| {', '.join(f'`{each}`' for each in check.permissions)} |")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_declares_that_it_can_blind(check: Examination) -> None:
    source = (DOCTOR / f"{check.id}.py").read_text()
    assert check.can_blind is ("blinds=" in source)


def test_the_doctor_only_reads() -> None:
    verbs = {each.partition(":")[2] for each in PERMISSIONS}
    assert all(verb.startswith(("Describe", "Get", "List")) for verb in verbs)


def test_an_unread_thing_names_the_permission_and_whose_it_is() -> None:
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/Operator/me is not authorized to perform: sqs:GetQueueAttributes"
        " because no identity-based policy allows the sqs:GetQueueAttributes action"
    )
    result = unread(
        "queues", "queue x", describe_failure("sqs:GetQueueAttributes", refused("AccessDenied", message)), "?"
    )

    assert result.needs == ("sqs:GetQueueAttributes",)
    assert result.step == "Grant sqs:GetQueueAttributes to role Operator in account 111122223333."


def test_what_may_pass_is_to_be_looked_at_again_by_the_doctor_itself() -> None:
    result = unread("queues", "queue x", describe_failure("sqs:GetQueueAttributes", refused("Throttling", "slow")), "?")
    assert (result.needs, result.step) == ((), "Run `pull-responder doctor` again in a few minutes.")
