"""The function that looks whether what was found is over."""

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

# A tool such as CloudFormation makes many changes in a few seconds: one look does for all of them.
BATCHING_WINDOW_SECONDS: Final = 5
_BATCH_SIZE: Final = 100
# The fewest that Lambda takes (API reference, ScalingConfig). Nobody waits for a look, and each one reads as much as a
# diagnosis does, from the same allowance of calls a second.
_MAX_CONCURRENCY: Final = 2


class RecheckFunction(FindingFunction):
    """The function, and what feeds it from the queue of changes."""

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
            name="recheck",
            description="Looks whether the causes that Pull Responder has found are gone",
            settings=settings,
            layer=layer,
            queue=queue,
            topic=topic,
            table=table,
            batch_size=_BATCH_SIZE,
            batching_window_seconds=BATCHING_WINDOW_SECONDS,
            max_concurrency=_MAX_CONCURRENCY,
        )
