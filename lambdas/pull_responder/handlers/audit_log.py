"""The function `audit_log`: reads a cluster's audit records and queues an event for each failed image pull."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.events.audit_log import AuditBatch, Dropped, read_log_batch
from pull_responder.events.outcome import UnusableEvent
from pull_responder.facts.aws import Aws
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish.backoff import is_retryable
from pull_responder.publish.event_queue import QueueError, send
from pull_responder.settings import MEMBER_ROLE, SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_sqs import SQSClient

SERVICE = "pull-responder"
# Lambda tries again twice within three minutes, and then gives the batch up. So each try waits for SQS as long as it
# can.
_PAUSE_SECONDS: Final = 10.0
# Three attempts of a hanging SQS take 24 seconds.
_SECONDS_TO_END: Final = 30.0
# An answer of 4xx that may be another one in a minute, besides throttling.
_PASSING: Final = ("AccessDenied",)

logger = Logger(service=SERVICE)
_wait = time.sleep
metrics = Metrics(namespace="PullResponder", service=SERVICE)


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
        _send_patiently(client, queue_url, bodies, context)
    _record_metrics(batch)


def _send_patiently(client: SQSClient, queue_url: str, bodies: Sequence[str], context: LambdaContext) -> None:
    """Send the events, again while SQS fails and may recover and the run has time. Raises as `send` does."""
    while True:
        try:
            return send(client, queue_url, bodies)
        except (QueueError, BotoCoreError, ClientError) as error:
            left = context.get_remaining_time_in_millis() / 1000
            if left < _SECONDS_TO_END + _PAUSE_SECONDS or not _may_pass(error):
                raise
            logger.warning("the queue did not take the events", reason=str(error)[:400])
        _wait(_PAUSE_SECONDS)


def _may_pass(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return True
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    return is_retryable(code, status) or code.startswith(_PASSING)


def _record_metrics(batch: AuditBatch) -> None:
    _count("AuditRecordsRead", batch.records)
    _count("AuditFailuresQueued", len(batch.failures))
    _count("AuditRecordsUnreadable", batch.dropped.get(Dropped.UNREADABLE, 0))
    if batch.failures or batch.dropped:
        logger.info("read", records=batch.records, queued=len(batch.failures), dropped=dict(batch.dropped))


def _count(name: str, number: int) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
