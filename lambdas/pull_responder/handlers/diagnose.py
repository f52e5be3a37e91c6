"""The function `diagnose`: diagnoses a batch of queued events and notifies each finding once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from pull_responder.events.audit_log import events_of
from pull_responder.handlers.connection import connect, freeze_objects, run_of
from pull_responder.model.arn import Arn
from pull_responder.responder.respond import Message, Responder
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "pull-responder"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="PullResponder", service=SERVICE)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle the events of an SQS batch. The answer names the messages that SQS has to deliver again."""
    settings = read_settings(os.environ)
    aws = connect(settings, context.invoked_function_arn)
    run = run_of(settings, aws, context, logger=logger, metrics=metrics)
    function = Arn.parse(context.invoked_function_arn)
    account, region = (function.account, function.region) if function else (None, "")
    messages = [
        Message(str(record.get("messageId")), body)
        for record in event.get("Records", [])
        for body in events_of(str(record.get("body")), account=account, region=region)
    ]
    run.count("EventsReceived", len(messages))
    failed = Responder(run).respond(messages)
    run.count("MessagesFailed", len(failed))
    freeze_objects()
    return {"batchItemFailures": [{"itemIdentifier": each} for each in dict.fromkeys(failed)]}
