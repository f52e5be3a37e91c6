"""The function that diagnoses failed pulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.finding_function import FindingFunction
from infra.findings_table import FindingsTable
from infra.notification_topic import NotificationTopic
from infra.settings import Settings

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

# A run reads up to sixteen answers of AWS at a time. Ten runs empty a queue of thousands within minutes, and leave the
# account its share of what the APIs of IAM and EC2 answer a second; more would only wait for each other.
_MAX_CONCURRENCY: Final = 10


class DiagnoseFunction(FindingFunction):
    """The function, and what feeds it from the queue of failures."""

    def __init__(  # noqa: PLR0913 -- keyword-only but for what every construct takes
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        queue: sqs.IQueue,
        topic: NotificationTopic,
        table: FindingsTable,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name="diagnose",
            description="Finds out why a pod on Amazon EKS cannot pull its image from Amazon ECR",
            settings=settings,
            layer=layer,
            queue=queue,
            topic=topic,
            table=table,
            batch_size=settings.batch_size,
            batching_window_seconds=settings.batching_window_seconds,
            max_concurrency=_MAX_CONCURRENCY,
        )
