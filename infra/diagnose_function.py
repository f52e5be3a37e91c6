"""The function that diagnoses failed pulls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.notification_topic import NotificationTopic
from infra.permissions import Grant
from infra.responder_function import ResponderFunction
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


class DiagnoseFunction(ResponderFunction):
    """The function, and the queue that feeds it."""

    def __init__(  # noqa: PLR0913 -- keyword-only but for what every construct takes
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        queue: sqs.IQueue,
        topic: NotificationTopic,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name="diagnose",
            description="Finds out why a pod on Amazon EKS cannot pull its image from Amazon ECR",
            settings=settings,
            layer=layer,
            resources={"topic": topic.topic.topic_arn, "member_role": settings.member_role_name},
            run=(
                # Lambda developer guide, "Using Lambda with Amazon SQS": what the event source needs.
                Grant(("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"), (queue.queue_arn,)),
                # SNS developer guide, "Key management": what publishing to an encrypted topic needs.
                Grant(("kms:Decrypt", "kms:GenerateDataKey"), (topic.key.key_arn,)),
            ),
            environment=_environment(settings, topic.topic.topic_arn),
            memory_size=settings.memory_size,
            timeout_seconds=settings.timeout_seconds,
        )
        # Not `add_event_source`: that would widen the role by itself.
        lambda_.EventSourceMapping(
            self,
            "Events",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=settings.batch_size,
            max_batching_window=cdk.Duration.seconds(settings.batching_window_seconds),
            report_batch_item_failures=True,
        )


def _environment(settings: Settings, topic_arn: str) -> Mapping[str, str]:
    environment = {
        "KNOWN_PRINCIPALS": json.dumps(settings.known_principals),
        "NOTIFY_MINIMUM_SEVERITY": settings.notify_minimum_severity,
        "PULL_RESPONDER_MEMBER_ROLE": settings.member_role_name,
        "SECURITY_HUB_ENABLED": "true" if settings.security_hub else "false",
        "TOPIC_ARN": topic_arn,
    }
    if settings.forwarded_event_source:
        environment["FORWARDED_EVENT_SOURCE"] = settings.forwarded_event_source
    return environment
