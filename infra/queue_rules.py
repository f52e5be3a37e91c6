"""EventBridge rules that send what they match to a queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class QueueRules(Construct):
    """A group of rules with one target, `queue`. Events that EventBridge cannot deliver go to `dead_letters`."""

    def __init__(self, scope: Construct, construct_id: str, *, queue: sqs.IQueue, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        self._target = targets.SqsQueue(queue, dead_letter_queue=dead_letters, max_event_age=cdk.Duration.hours(24))

    def add_rule(self, name: str, description: str, pattern: events.EventPattern) -> events.Rule:
        """Add a rule that sends each event that matches `pattern`. Its construct id is `name`."""
        return events.Rule(self, name, description=description, event_pattern=pattern, targets=[self._target])

    def add_schedule(self, name: str, description: str, rate: str) -> None:
        """Add a rule that sends an event at `rate`, such as "rate(1 hour)". Its construct id is `name`."""
        schedule = events.Schedule.expression(rate)
        events.Rule(self, name, description=description, schedule=schedule, targets=[self._target])
