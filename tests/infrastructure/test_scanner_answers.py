"""What scanners find is answered on the resource, with a reason. cdk-nag itself runs in test_stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra import scanner_answers
from infra.scanner_answers import Answer

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

ANSWERS = [each for each in vars(scanner_answers).values() if isinstance(each, Answer)]


@pytest.mark.parametrize(
    ("resource_type", "part", "checks"),
    [
        ("AWS::Logs::LogGroup", "", {"CKV_AWS_158"}),
        ("AWS::SQS::Queue", "", {"CKV_AWS_27"}),
        ("AWS::Lambda::Function", "Diagnose", {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"}),
        ("AWS::Lambda::Function", "Recheck", {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"}),
        # Its runs are asynchronous, and have dead letters.
        ("AWS::Lambda::Function", "AuditLog", {"CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_173"}),
        ("AWS::Lambda::Function", "HubSetup", {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"}),
        ("AWS::DynamoDB::GlobalTable", "", set()),
        ("AWS::SNS::Topic", "", set()),
    ],
)
def test_checkov_finds_its_answers_in_the_template(
    resource_type: str, part: str, checks: set[str], subscribed: Synthesized
) -> None:
    resources = {
        name: each
        for name, each in subscribed.template["Resources"].items()
        if each["Type"] == resource_type and part in name
    }
    assert resources
    for resource in resources.values():
        skipped = resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
        assert {each["id"] for each in skipped} == checks
        assert all(len(each["comment"].split()) > 5 for each in skipped)


def test_every_answer_is_to_a_question_of_a_scanner() -> None:
    assert len(ANSWERS) > 10
    assert [each for each in ANSWERS if not (each.nag or each.checkov) or not each.reason] == []
