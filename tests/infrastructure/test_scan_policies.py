"""Which policies parliament gets to see, and what comes of its findings. It runs itself in `make synth`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra import scan_policies
from infra.scan_policies import ANSWERS, main, policies, read_template

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infrastructure.conftest import Synthesized

STATEMENT = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


def test_each_policy_of_the_stack_is_seen_with_arns(subscribed: Synthesized) -> None:
    seen = list(policies(subscribed.template))
    roles, queues = subscribed.all_of("AWS::IAM::Role"), subscribed.all_of("AWS::SQS::QueuePolicy")
    assert {name for name, _ in seen} >= {*roles, *queues}
    for _, policy in seen:
        for statement in policy["Statement"]:
            resources = statement["Resource"]
            for each in resources if isinstance(resources, list) else [resources]:
                assert each == "*" or each.startswith("arn:aws:"), each


def test_short_forms_of_functions_are_read(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      PolicyDocument:
        Statement:
          - Resource: [!GetAtt Queue.Arn, !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/x"]
            Condition: {ArnEquals: {aws:SourceArn: !Ref TopicArn}}
"""
    )
    ((name, policy),) = policies(read_template(str(template)))
    (statement,) = policy["Statement"]
    assert name == "QueuePolicy"
    assert statement["Resource"] == ["arn:aws:sqs:us-east-1:123456789012:x", "arn:aws:iam::123456789012:role/x"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:x"}}


@pytest.mark.parametrize(
    ("found", "printed"),
    [
        ([*ANSWERS], ""),
        ([*ANSWERS, ("UNKNOWN_ACTION", "sqs:Fly")], "{path}: Role: UNKNOWN_ACTION: sqs:Fly\n"),
        ([*ANSWERS][1:], "parliament no longer finds UNKNOWN_ACTION: ecr:GetSigningConfiguration\n"),
    ],
)
def test_what_is_not_answered_fails_and_so_does_an_answer_to_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: list[tuple[str, str]],
    printed: str,
) -> None:
    path = tmp_path / "template.json"
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [STATEMENT]}}]}}
    path.write_text(json.dumps({"Resources": {"Role": role}}))
    monkeypatch.setattr(scan_policies, "findings", lambda _: found)
    assert main([str(path)]) == (1 if printed else 0)
    assert capsys.readouterr().out == printed.format(path=path)
