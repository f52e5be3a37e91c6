"""What the functions that find, remember and tell have alike: their environment, their role and their queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.findings_table import FindingsTable
from infra.notification_topic import NotificationTopic
from infra.permissions import Grant
from infra.responder_function import ResponderFunction
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


class FindingFunction(ResponderFunction):
    """A function that reads accounts, keeps findings in `table` and publishes them, fed by `queue`.

    At most `max_concurrency` of it run at a time, each with up to `batch_size` messages that were gathered for
    `batching_window_seconds`.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only but for what every construct takes
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        queue: sqs.IQueue,
        topic: NotificationTopic,
        table: FindingsTable,
        batch_size: int,
        batching_window_seconds: int,
        max_concurrency: int,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name=name,
            description=description,
            settings=settings,
            layer=layer,
            resources={
                "topic": topic.topic.topic_arn,
                "member_role": settings.member_role_name,
                "table": table.table_arn,
                "table_index": table.due_index_arn,
            },
            run=(
                # Lambda developer guide, "Using Lambda with Amazon SQS": what the event source needs.
                Grant(("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"), (queue.queue_arn,)),
                # SNS developer guide, "Key management": what publishing to an encrypted topic needs.
                Grant(("kms:Decrypt", "kms:GenerateDataKey"), (topic.key.key_arn,)),
            ),
            environment=_environment(settings, topic_arn=topic.topic.topic_arn, table_name=table.table_name),
            memory_size=settings.memory_size,
            timeout_seconds=settings.timeout_seconds,
        )
        # Not `add_event_source`: that would widen the role by itself.
        lambda_.EventSourceMapping(
            self,
            "Events",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            max_batching_window=cdk.Duration.seconds(batching_window_seconds),
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )


def _environment(settings: Settings, *, topic_arn: str, table_name: str) -> Mapping[str, str]:
    environment = {
        "DIGEST_ABOVE": str(settings.digest_above),
        "HOLD_DOWN_MINUTES": str(settings.hold_down_minutes),
        "KEEP_DAYS": str(settings.keep_days),
        "KNOWN_PRINCIPALS": json.dumps(settings.known_principals),
        "NOTIFY_MINIMUM_SEVERITY": settings.notify_minimum_severity,
        "PULL_RESPONDER_MEMBER_ROLE": settings.member_role_name,
        "QUIET_MINUTES": str(settings.quiet_minutes),
        "RECHECK_MINUTES": str(settings.recheck_minutes),
        "REMINDER_HOURS": str(settings.reminder_hours),
        "SECURITY_HUB_ENABLED": "true" if settings.security_hub else "false",
        "STOPPED_MINUTES": str(settings.stopped_minutes),
        "TABLE_NAME": table_name,
        "TOPIC_ARN": topic_arn,
        "UNEXPLAINED_MINUTES": str(settings.unexplained_minutes),
        "UNEXPLAINED_REPEATS": str(settings.unexplained_repeats),
    }
    if settings.aws_registries:
        environment["PULL_RESPONDER_AWS_REGISTRIES"] = json.dumps(settings.aws_registries)
    if settings.organization_account:
        environment["PULL_RESPONDER_ORGANIZATION_ACCOUNT"] = settings.organization_account
    if settings.forwarded_event_source:
        environment["FORWARDED_EVENT_SOURCE"] = settings.forwarded_event_source
    return environment
