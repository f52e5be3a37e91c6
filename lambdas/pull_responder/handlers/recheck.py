"""The function `recheck`: checks open findings again, after changes that can have fixed them and on a schedule."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics

from pull_responder.events.change import Change, Wakeup, read_change
from pull_responder.events.look_again import LookAgain
from pull_responder.events.outcome import Refused, Skipped, UnusableEvent
from pull_responder.findings.store import StoreError
from pull_responder.handlers.connection import connect, run_of
from pull_responder.handlers.garbage import freeze_imports
from pull_responder.model.unread import Unread
from pull_responder.responder.recheck import Recheck
from pull_responder.responder.refused import log_refused
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "pull-responder"
# Of a run that the schedule woke. It wakes the next one after a minute. So with a long timeout, too, only a few of them
# are under way at the same time, and other runs are free for changes.
_MOST_SECONDS: Final = 120.0

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="PullResponder", service=SERVICE)
freeze_imports()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Recheck the findings that the changes of an SQS batch concern, and those that are due.

    The answer names the messages that SQS has to deliver again.
    """
    settings = read_settings(os.environ)
    aws = connect(settings, context.invoked_function_arn)
    run = run_of(settings, aws, context, logger=logger, metrics=metrics)
    identity = aws.identity()
    account = None if isinstance(identity, Unread) else identity.account
    changes: list[Change] = []
    asked: list[str] = []
    on_schedule = False
    usable: list[str] = []
    failed: list[str] = []
    skipped: Counter[str] = Counter()
    refused: list[Refused] = []
    for record in event.get("Records", []):
        message = str(record.get("messageId"))
        try:
            change = read_change(
                str(record.get("body")), account=account, organization=settings.organization_id is not None
            )
        except UnusableEvent as unusable:
            logger.warning("a message is not a usable event", message_id=message, reason=str(unusable))
            failed.append(message)
            continue
        usable.append(message)
        if isinstance(change, Change):
            changes.append(change)
        elif isinstance(change, LookAgain):
            asked += change.findings
        elif isinstance(change, Wakeup):
            on_schedule = True
        elif isinstance(change, Refused):
            refused.append(change)
        elif isinstance(change, Skipped):
            skipped[change.reason] += 1
    if skipped:
        logger.info("skipped", reasons=dict(skipped.most_common(20)))
    log_refused(run, refused)
    run.count("Rechecks")
    try:
        rechecks = Recheck(run.within(_MOST_SECONDS) if on_schedule else run)
        rechecks.recheck(list(dict.fromkeys(changes)), asked=asked, on_schedule=on_schedule)
    except StoreError as error:
        run.count("TableFailures")
        logger.warning("the findings table did not answer", reason=str(error))
        failed += usable
    run.count("MessagesFailed", len(failed))
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
