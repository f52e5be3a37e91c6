"""What holds for the rules of both queues."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.infrastructure.rules import rules_to

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

QUEUES = ("Events", "Changes")


def test_every_rule_sends_to_one_of_the_queues(subscribed: Synthesized) -> None:
    rules = [name for queue in QUEUES for name in rules_to(f"{queue}Queue", subscribed)]
    every = subscribed.all_of("AWS::Events::Rule")
    (hour,) = set(every) - set(rules)
    assert len(rules) == len(every) - 1
    function, _ = subscribed.named("AWS::Lambda::Function", "Examine")
    assert [each["Arn"] for each in every[hour]["Targets"]] == [{"Fn::GetAtt": [function, "Arn"]}]


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


def statements_of(logical_id: str, stack: Synthesized) -> list[dict[str, Any]]:
    return [
        statement
        for policy in stack.all_of("AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": logical_id}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def text_of(value: Any) -> str:  # noqa: ANN401 -- text, or one of CloudFormation's functions
    """Return a value of the template as text, with the name of each pseudo parameter in its place."""
    return "".join(each if isinstance(each, str) else f"<{each['Ref']}>" for each in value["Fn::Join"][1])


@pytest.mark.parametrize("name", ["Queue", "DeadLetters"])
@pytest.mark.parametrize("queue", QUEUES)
def test_only_its_rules_may_send_to_a_queue(queue: str, name: str, subscribed: Synthesized) -> None:
    logical_id, _ = subscribed.named("AWS::SQS::Queue", f"{queue}{name}")
    statements = statements_of(logical_id, subscribed)
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert allowed["Resource"] == {"Fn::GetAtt": [logical_id, "Arn"]}
    assert set(allowed["Condition"]) == {"StringEquals", "ArnLike"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    pattern = text_of(allowed["Condition"]["ArnLike"]["aws:SourceArn"])
    before, star, after = pattern.partition("*")
    assert (star, after) == ("*", "")
    arn = "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/"
    rules = {name: arn + each["Name"] for name, each in subscribed.all_of("AWS::Events::Rule").items()}
    assert {name for name, each in rules.items() if each.startswith(before)} == set(
        rules_to(f"{queue}Queue", subscribed)
    )
    denied = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


@pytest.mark.parametrize("name", ["Queue", "DeadLetters"])
@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_policy_is_within_the_quotas_of_sqs(queue: str, name: str, subscribed: Synthesized) -> None:
    # SQS developer guide, "Amazon SQS policy quotas". We count conditions over all statements, the stricter reading.
    logical_id, _ = subscribed.named("AWS::SQS::Queue", f"{queue}{name}")
    statements = statements_of(logical_id, subscribed)
    conditions = [key for each in statements for operator in each["Condition"].values() for key in operator]
    assert 0 < len(statements) <= 20
    assert 0 < len(conditions) <= 10
    # The names that CloudFormation fills in are at most as long as what stands for them here, and ARNs of queues.
    assert len(json.dumps(statements)) <= 8_192


def test_the_name_of_a_rule_is_no_longer_than_eventbridge_accepts(subscribed: Synthesized) -> None:
    # EventBridge API reference, PutRule.
    names = [each["Name"] for each in subscribed.all_of("AWS::Events::Rule").values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if len(name) > 64 or not re.fullmatch(r"[.A-Za-z0-9_-]+", name)] == []
