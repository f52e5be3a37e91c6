"""The event bus that the other accounts and regions of an organization forward their events to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.change_patterns import CHANGES
from infra.event_queue import EventQueue
from infra.failure_patterns import FAILURES, KUBERNETES_EVENTS, KUBERNETES_REASONS
from infra.member_alarms import MemberAlarms
from infra.member_commands import stack_instances_command, stack_set_command
from infra.organization import BUS_NAME
from infra.queue_rules import QueueRules
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable


class OrganizationBus(Construct):
    """The bus, with the rules of the default bus on it, and a rule on the members' alarms.

    Only principals of the organization `settings.organization_id` may send to the bus. EventBridge itself writes into
    an event which account and region sent it, and lets nobody send events of AWS but AWS. The rules have the same
    patterns and the same queues as those of the default bus. Not here are schedules, which EventBridge has for the
    default bus only, test events and the action of Security Hub, which are for the account that the stack is in.

    - `bus_arn`: the bus
    - `names`: the names of its rules
    - `stack_set_command`, `stack_instances_command`: what sets up the members, for the root of this repository
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        events_queue: EventQueue,
        changes_queue: EventQueue,
        alarm_topics: Iterable[sns.ITopic],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.bus_arn = stack.format_arn(service="events", resource="event-bus", resource_name=BUS_NAME)
        # The property of the bus itself, so that there is no moment at which the bus has no policy.
        bus = events.CfnEventBus(
            self,
            "EventBus",
            name=BUS_NAME,
            description="Pull Responder gets the events of the organization's other accounts and regions here",
            policy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Organization",
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "events:PutEvents",
                        "Resource": self.bus_arn,
                        "Condition": {"StringEquals": {"aws:PrincipalOrgID": settings.organization_id}},
                    }
                ],
            },
        )
        failures, changes = (
            QueueRules(self, name, queue=each.queue, dead_letters=each.dead_letters, bus_name=BUS_NAME)
            for name, each in (("Bus", events_queue), ("BusChanges", changes_queue))
        )
        for name, rule in FAILURES.items():
            failures.add(name, rule)
        if settings.forwarded_event_source:
            pattern = events.EventPattern(
                source=[settings.forwarded_event_source], detail={"reason": KUBERNETES_REASONS}
            )
            failures.add_rule("KubernetesEvents", KUBERNETES_EVENTS, pattern)
        for name, rule in CHANGES.items():
            changes.add(name, rule)
        alarms = MemberAlarms(self, "MemberAlarms", topics=alarm_topics, key=key)
        for rules in (failures, changes, alarms):
            rules.node.add_dependency(bus)
        self.stack_set_command = stack_set_command(settings, account=stack.account, region=stack.region)
        self.stack_instances_command = stack_instances_command(settings, region=stack.region)
        self.names = (*failures.names, *changes.names, alarms.name)
