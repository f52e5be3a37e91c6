"""The function `diagnose`: diagnoses a batch of queued events and notifies each finding once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

from pull_responder.events.audit_log import events_of_batch, is_batch
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.trial import Trial, read_trial
from pull_responder.handlers.connection import connect, run_of
from pull_responder.handlers.garbage import freeze_imports, freeze_objects
from pull_responder.model.arn import Arn
from pull_responder.responder.respond import Message, Responder
from pull_responder.responder.trial import Trials
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pull_responder.responder.run import Run

SERVICE = "pull-responder"

# With fewer seconds left, a batch is left to another invocation. The largest takes about a second.
_SECONDS_TO_UNPACK = 5.0
# What diagnoses leave of the run for the batches behind them. A message that is handed back for lack of time comes
# nearer to the dead-letter queue, and nothing is wrong with it. What is recorded late is diagnosed by `recheck`.
_SECONDS_FOR_BATCHES = 20.0

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="PullResponder", service=SERVICE)
freeze_imports()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle the events of an SQS batch. The answer names the messages that SQS has to deliver again."""
    settings = read_settings(os.environ)
    aws = connect(settings, context.invoked_function_arn)
    run = run_of(settings, aws, context, logger=logger, metrics=metrics)
    messages = [Message(str(each.get("messageId")), str(each.get("body"))) for each in event.get("Records", [])]
    single: list[Message] = []
    batches: list[Message] = []
    trials: list[Trial | Skipped] = []
    own = Arn.parse(context.invoked_function_arn)
    for each in messages:
        if trial := read_trial(each.body, account=own.account if own else None, now=run.now()):
            trials.append(trial)
        else:
            (batches if is_batch(each.body) else single).append(each)
    responder = Responder(run)
    run.count("EventsReceived", len(single))
    failed = responder.respond(single, keep=_SECONDS_FOR_BATCHES if batches else 0)
    # A whole batch costs far more to read than one event. It must not delay the others.
    for number, each in enumerate(batches, 1):
        keep = _SECONDS_FOR_BATCHES if number < len(batches) else 0
        if not _respond_to_batch(each, responder, run, context, keep=keep):
            failed.append(each.id)
    # What waits is in the table, and no message waits for it.
    responder.diagnose_waiting()
    # Last: nobody's pull waits for a test, and it is never handed back.
    Trials(run, alone=not (single or batches)).answer(trials)
    run.count("MessagesFailed", len(failed))
    freeze_objects()
    return {"batchItemFailures": [{"itemIdentifier": each} for each in dict.fromkeys(failed)]}


def _respond_to_batch(message: Message, responder: Responder, run: Run, context: LambdaContext, *, keep: float) -> bool:
    """Handle a dead letter of the function `audit_log`. Return whether all its events are handled.

    Its diagnoses leave `keep` seconds of the run.
    """
    if run.remaining() < _SECONDS_TO_UNPACK:
        return False
    function = Arn.parse(context.invoked_function_arn)
    account, region = (function.account, function.region) if function else (None, "")
    try:
        bodies = events_of_batch(message.body, account=account, region=region)
        run.count("EventsReceived", len(bodies))
        return not responder.respond([Message(message.id, body) for body in bodies], keep=keep)
    except UnusableEvent as unusable:
        logger.warning("a message is not a usable event", message_id=message.id, reason=str(unusable))
    except Exception:
        # Only this message fails: SQS delivers it again, and at last it goes to the dead-letter queue.
        logger.exception("a batch of audit records could not be handled", message_id=message.id)
    return False
