"""The function `diagnose`: from a batch of queued events to notifications and Security Hub findings."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from pull_responder.facts.aws import Aws
from pull_responder.model.arn import Arn
from pull_responder.responder import Responder
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "pull-responder"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="PullResponder", service=SERVICE)


@cache
def _aws(member_role: str, function_arn: str) -> Aws:
    # Kept between invocations: creating clients takes longer than using them.
    return Aws.connect(member_role=member_role, identity=Arn.parse(function_arn))


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Diagnose each event of an SQS batch; the answer names the messages to be tried again."""
    settings = read_settings(os.environ)
    responder = Responder(
        settings,
        _aws(settings.member_role, context.invoked_function_arn),
        remaining=lambda: context.get_remaining_time_in_millis() / 1000,
        logger=logger,
        metrics=metrics,
    )

    responder.gather(str(record.get("body")) for record in event.get("Records", []))

    def respond(record: SQSRecord) -> None:
        responder.respond(record.body, received=int(record.attributes.approximate_receive_count or 1))

    processor = BatchProcessor(
        EventType.SQS,
        raise_on_entire_batch_failure=False,
        logger=logger,  # type: ignore[arg-type]  # Powertools' own Logger is meant, and typed as the standard one
    )
    answer = process_partial_response(event=event, record_handler=respond, processor=processor, context=context)
    metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=len(processor.fail_messages))
    return answer
