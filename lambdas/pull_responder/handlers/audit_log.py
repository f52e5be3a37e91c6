"""The function `audit_log`: reads a cluster's audit records and queues an event for each failed image pull."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from pull_responder.events.audit_log import AuditBatch, Dropped, read_log_batch
from pull_responder.events.outcome import UnusableEvent
from pull_responder.facts.aws import Aws
from pull_responder.handlers.garbage import freeze_imports
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish.event_queue import QueueError, send_patiently
from pull_responder.settings import MEMBER_ROLE, SettingError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "pull-responder"

_wait = time.sleep

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="PullResponder", service=SERVICE)
freeze_imports()


@cache
def _aws(function_arn: str) -> Aws:
    return Aws.connect(member_role=MEMBER_ROLE, identity=Arn.parse(function_arn))


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Queue every image pull failure in a batch of audit records.

    A batch that cannot be read is logged and counted; a retry would not help. Raises if the queue does not accept the
    events. Lambda then retries, and at last sends the batch to the dead-letter queue.
    """
    function = Arn.parse(context.invoked_function_arn)
    queue_url = os.environ.get("QUEUE_URL")
    if function is None or not queue_url:
        raise SettingError("QUEUE_URL is not set, or the function's own ARN cannot be read")
    try:
        batch = read_log_batch(event, account=function.account)
    except UnusableEvent as unusable:
        _count("AuditBatchesUnusable", 1)
        logger.exception("a batch of audit records cannot be read", reason=str(unusable))
        return
    bodies = [failure.body(region=function.region) for failure in batch.failures]
    if bodies:
        client = _aws(context.invoked_function_arn).client("sqs", account=None, region=function.region)
        if isinstance(client, Unread):
            raise QueueError(client.reason)
        left = context.get_remaining_time_in_millis
        send_patiently(client, queue_url, bodies, remaining=lambda: left() / 1000, wait=_wait)
    _record_metrics(batch)


def _record_metrics(batch: AuditBatch) -> None:
    _count("AuditRecordsRead", batch.records)
    _count("AuditFailuresQueued", len(batch.failures))
    _count("AuditRecordsUnreadable", batch.dropped.get(Dropped.UNREADABLE, 0))
    if batch.failures or batch.dropped:
        logger.info("read", records=batch.records, queued=len(batch.failures), dropped=dict(batch.dropped))


def _count(name: str, number: int) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
