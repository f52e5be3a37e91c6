"""What holds for the rules of both queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.infrastructure.rules import rules_to

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

QUEUES = ("Events", "Changes")


def test_every_rule_sends_to_one_of_the_queues(subscribed: Synthesized) -> None:
    rules = [name for queue in QUEUES for name in rules_to(f"{queue}Queue", subscribed)]
    assert sorted(rules) == sorted(subscribed.all_of("AWS::Events::Rule"))


@pytest.mark.parametrize("queue", QUEUES)
def test_every_rule_keeps_what_it_cannot_deliver(queue: str, subscribed: Synthesized) -> None:
    dead_letters, _ = subscribed.named("AWS::SQS::Queue", f"{queue}DeadLetters")
    rules = rules_to(f"{queue}Queue", subscribed)
    assert rules
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
        assert "Input" not in target
        assert "InputPath" not in target


@pytest.mark.parametrize("queue", QUEUES)
def test_no_pattern_is_longer_than_eventbridge_accepts(queue: str, subscribed: Synthesized) -> None:
    # EventBridge user guide, "Amazon EventBridge quotas": 2,048 characters.
    patterns = {
        name: json.dumps(rule.get("EventPattern")) for name, rule in rules_to(f"{queue}Queue", subscribed).items()
    }
    assert {name: len(pattern) for name, pattern in patterns.items() if len(pattern) > 2_048} == {}


@pytest.mark.parametrize("name", ["Queue", "DeadLetters"])
@pytest.mark.parametrize("queue", QUEUES)
def test_only_its_rules_may_send_to_a_queue(queue: str, name: str, subscribed: Synthesized) -> None:
    logical_id, _ = subscribed.named("AWS::SQS::Queue", f"{queue}{name}")
    statements = [
        statement
        for policy in subscribed.all_of("AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": logical_id}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    senders = {statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0] for statement in allowed}
    assert senders == set(rules_to(f"{queue}Queue", subscribed))
    assert {statement["Principal"]["Service"] for statement in allowed} == {"events.amazonaws.com"}
    denied = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
