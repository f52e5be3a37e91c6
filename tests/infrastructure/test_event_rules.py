"""What the rules take, decided by an EventBridge matching engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pull_responder.cli.emulator.emulated_aws import EmulatedAws
    from tests.infrastructure.conftest import Synthesized


def event(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A denied BatchGetImage as EventBridge delivers it; `changed` are fields of its detail."""
    return {
        "version": "0",
        "id": "5b2e2e0c-0000-4000-8000-000000000000",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": "111111111111",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "eventSource": "ecr.amazonaws.com",
            "eventName": "BatchGetImage",
            "errorCode": "AccessDenied",
            "errorMessage": "User: x is not authorized to perform: ecr:BatchGetImage on resource: y",
            "userIdentity": {"type": "AssumedRole"},
            **changed,
        },
    }


SUCCEEDED = event()
del SUCCEEDED["detail"]["errorCode"]
IMAGE, TOKEN = "EcrImageDenied", "EcrTokenDenied"


@pytest.mark.parametrize(
    ("what", "happened", "taken_by"),
    [
        ("denied manifest", event(), {IMAGE}),
        ("denied manifest, as the API calls it", event(errorCode="AccessDeniedException"), {IMAGE}),
        ("denied layer", event(eventName="GetDownloadUrlForLayer"), {IMAGE}),
        ("denied token", event(eventName="GetAuthorizationToken"), {TOKEN}),
        (
            "denied token, as the API calls it",
            event(eventName="GetAuthorizationToken", errorCode="AccessDeniedException"),
            {TOKEN},
        ),
        ("a pull that succeeded", SUCCEEDED, set()),
        ("no error", event(errorCode=None), set()),
        ("another error", event(errorCode="RepositoryNotFoundException"), set()),
        ("an error that only begins alike", event(errorCode="AccessDeniedByPolicyException"), set()),
        ("another case", event(errorCode="accessdenied"), set()),
        ("a call that a pull does without", event(eventName="BatchCheckLayerAvailability"), set()),
        ("a push", event(eventName="PutImage"), set()),
        ("a name that only begins alike", event(eventName="BatchGetImageScanResults"), set()),
        ("public ECR", event(eventSource="ecr-public.amazonaws.com"), set()),
        ("another service", {**event(), "source": "aws.eks"}, set()),
        ("one who poses as ECR", {**event(), "source": "custom.ecr"}, set()),
        ("ECR's own event", {**event(), "detail-type": "ECR Image Action"}, set()),
        ("a console sign-in", {**event(), "detail-type": "AWS Console Sign In via CloudTrail"}, set()),
    ],
)
def test_a_rule_takes_denied_pulls_and_nothing_else(
    what: str, happened: dict[str, Any], taken_by: set[str], stack: Synthesized, aws: EmulatedAws
) -> None:
    engine, text = aws.client("events"), json.dumps(happened)
    patterns = {name: json.dumps(rule["EventPattern"]) for name, rule in stack.all_of("AWS::Events::Rule").items()}
    takers = {
        name
        for name, pattern in patterns.items()
        if engine.test_event_pattern(EventPattern=pattern, Event=text)["Result"]
    }
    assert {name for name in (IMAGE, TOKEN) if any(name in taker for taker in takers)} == taken_by, what
    assert len(takers) == len(taken_by), what


def test_every_rule_gets_read_only_management_events_and_keeps_what_it_cannot_deliver(stack: Synthesized) -> None:
    queue, _ = stack.named("AWS::SQS::Queue", "EventsQueue")
    dead_letters, _ = stack.named("AWS::SQS::Queue", "EventsDeadLetters")
    rules = stack.all_of("AWS::Events::Rule")
    assert len(rules) == 2
    for rule in rules.values():
        assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
        assert "Input" not in target
        assert "InputPath" not in target


@pytest.mark.parametrize("name", ["EventsQueue", "EventsDeadLetters"])
def test_only_these_rules_may_send_to_a_queue(name: str, stack: Synthesized) -> None:
    queue, _ = stack.named("AWS::SQS::Queue", name)
    statements = [
        statement
        for policy in stack.all_of("AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    senders = {statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0] for statement in allowed}
    assert senders == set(stack.all_of("AWS::Events::Rule"))
    assert {statement["Principal"]["Service"] for statement in allowed} == {"events.amazonaws.com"}
    denied = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
