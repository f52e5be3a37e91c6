"""EventBridge rules of a synthesized stack, and whether they match an event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.infrastructure.conftest import Synthesized

ACCOUNT: Final = "111111111111"


def event(source: str, detail: dict[str, Any], detail_type: str = "AWS API Call via CloudTrail") -> dict[str, Any]:
    """Return an event as EventBridge delivers it, by default CloudTrail's record of a call."""
    return {
        "version": "0",
        "id": "5b2e2e0c-0000-4000-8000-000000000000",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }


def rules_to(queue: str, stack: Synthesized) -> dict[str, dict[str, Any]]:
    """Return the rules whose target is the queue with `queue` in its logical id, by their logical ids."""
    name, _ = stack.named("AWS::SQS::Queue", queue)
    rules = stack.all_of("AWS::Events::Rule").items()
    return {rule: each for rule, each in rules if each["Targets"][0]["Arn"] == {"Fn::GetAtt": [name, "Arn"]}}


def matching_rules(queue: str, happened: dict[str, Any], stack: Synthesized, aws: EmulatedAws) -> list[str]:
    """Return the logical ids of the rules to `queue` that match an event. An EventBridge engine decides."""
    engine, text = aws.client("events"), json.dumps(happened)
    patterns = {
        name: json.dumps(rule["EventPattern"]).replace('{"Ref": "AWS::AccountId"}', f'"{ACCOUNT}"')
        for name, rule in rules_to(queue, stack).items()
        if "EventPattern" in rule
    }
    return [
        name
        for name, pattern in patterns.items()
        if engine.test_event_pattern(EventPattern=pattern, Event=text)["Result"]
    ]
