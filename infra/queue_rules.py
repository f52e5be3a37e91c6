"""EventBridge rules that send what they match to a queue."""

from __future__ import annotations

import hashlib
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.escape_hatch import cfn_resource
from infra.rule_pattern import RulePattern

_MAXIMUM_EVENT_AGE = cdk.Duration.hours(24)
# EventBridge API reference, PutRule: a name has 64 characters. The name of a stack has up to 128. This leaves room for
# what follows it.
_LONGEST_NAME: Final = 35


class QueueRules(Construct):
    """A group of rules with one target, `queue`. Events that EventBridge cannot deliver go to `dead_letters`.

    The rules are on the default bus, or on that with the name `bus_name`. `names` are the names of the rules.

    The name of each rule begins with that of the stack and `construct_id`. So one statement in the policy of each
    queue is enough for all rules of the group: a queue policy has at most 20 statements and 10 conditions (SQS
    developer guide, "Amazon SQS policy quotas"). The targets of aws_events_targets would add one for each rule.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
        bus_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bus_name = bus_name
        self.names: list[str] = []
        self._prefix = f"{short_name(cdk.Stack.of(self))}-{construct_id}-"
        self._target = events.CfnRule.TargetProperty(
            id="Queue",
            arn=queue.queue_arn,
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
            retry_policy=events.CfnRule.RetryPolicyProperty(
                maximum_event_age_in_seconds=_MAXIMUM_EVENT_AGE.to_seconds()
            ),
        )
        for each in (queue, dead_letters):
            each.add_to_resource_policy(self._allow_rules(each))

    def add(self, name: str, rule: RulePattern) -> None:
        """Add a rule that sends each event that matches the pattern. Its construct id is `name`."""
        members = {key.replace("-", "_"): value for key, value in rule.pattern.items()}
        self.add_rule(name, rule.description, events.EventPattern(**members)).state = rule.state

    def add_rule(self, name: str, description: str, pattern: events.EventPattern) -> events.CfnRule:
        """Add a rule that sends each event that matches `pattern`. Its construct id is `name`."""
        rule = events.Rule(self, name, rule_name=self._name(name), description=description, event_pattern=pattern)
        return self._send_to_queue(rule)

    def add_schedule(self, name: str, description: str, rate: str) -> events.CfnRule:
        """Add a rule that sends an event at `rate`, such as "rate(1 hour)". Its construct id is `name`."""
        schedule = events.Schedule.expression(rate)
        rule = events.Rule(self, name, rule_name=self._name(name), description=description, schedule=schedule)
        return self._send_to_queue(rule)

    def _name(self, name: str) -> str:
        self.names.append(self._prefix + name)
        return self.names[-1]

    def _send_to_queue(self, rule: events.Rule) -> events.CfnRule:
        resource = cfn_resource(rule, events.CfnRule)
        resource.targets = [self._target]
        resource.event_bus_name = self._bus_name
        return resource

    def _allow_rules(self, queue: sqs.IQueue) -> iam.PolicyStatement:
        stack = cdk.Stack.of(self)
        # EventBridge user guide, "Amazon Resource Names (ARNs)": the ARN of a rule on another bus has the bus's name.
        names = f"{self._bus_name}/{self._prefix}*" if self._bus_name else f"{self._prefix}*"
        rules = stack.format_arn(service="events", resource="rule", resource_name=names)
        # EventBridge user guide, "Using resource-based policies": Amazon SQS permissions.
        return iam.PolicyStatement(
            sid=f"Send{self.node.id}",
            actions=["sqs:SendMessage"],
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            resources=[queue.queue_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": rules},
            },
        )


def short_name(stack: cdk.Stack) -> str:
    """Return the stack's name, and of a long one its beginning and a hash.

    A nested stack has no name before it is deployed. Where it stands in the app is unique, too.
    """
    name = stack.node.addr if cdk.Token.is_unresolved(stack.stack_name) else stack.stack_name
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
