"""The EventBridge rules on failed pulls, and on changes that can make pulls fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from infra.failure_patterns import FAILURES, KUBERNETES_EVENTS, KUBERNETES_REASONS
from infra.queue_rules import QueueRules
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct

# What `pull-responder test-event` sends: pull_responder.events.trial has the same words. Whoever may call PutEvents can
# send it, too; the functions answer few.
_TEST: Final = events.EventPattern(
    source=["pull-responder.test"], detail_type=["Pull Responder test"], account=[cdk.Aws.ACCOUNT_ID]
)


class EventRules(QueueRules):
    """Every rule on a failure, and the one on test events.

    `settings.health_check_rate` adds the schedule of health checks, `settings.forwarded_event_source` the rule on
    Kubernetes events.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, queue=queue, dead_letters=dead_letters)
        for name, rule in FAILURES.items():
            self.add(name, rule)
        self.add_rule("TestEvent", "Somebody tests whether this deployment works", _TEST)
        if settings.forwarded_event_source:
            pattern = events.EventPattern(
                source=[settings.forwarded_event_source],
                account=[cdk.Aws.ACCOUNT_ID],
                detail={"reason": KUBERNETES_REASONS},
            )
            self.add_rule("KubernetesEvents", KUBERNETES_EVENTS, pattern)
        if settings.health_check_rate:
            description = "Time to check the health of node groups and Fargate profiles"
            self.add_schedule("HealthCheck", description, settings.health_check_rate)
