"""The function `audit_log`: reads clusters' audit records and queues an event for each failed image pull.

Those of our own account's clusters come from CloudWatch Logs, those of members' clusters through a Kinesis stream.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from pull_responder.events.audit_log import AuditBatch, Dropped, read_log_batch
from pull_responder.events.log_stream import NoPlaceError, StreamBatch, is_of_stream, read_stream_record
from pull_responder.events.outcome import UnusableEvent
from pull_responder.facts.aws import AWS_ERRORS, Aws
from pull_responder.handlers.garbage import freeze_imports
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish.event_queue import QueueError, send_patiently
from pull_responder.settings import MEMBER_ROLE, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """Queue every image pull failure in a batch of audit records.

    A batch that cannot be read is logged and counted; a retry would not help. Raises if the queue does not accept the
    events. Lambda then retries, and at last sends the batch to the dead-letter queue.

    Of a stream, the answer names the records that Lambda has to try again: those that cannot be read, which it notes at
    last in the destination for failures, and those whose events the queue did not take.
    """
    function = Arn.parse(context.invoked_function_arn)
    queue_url = os.environ.get("QUEUE_URL")
    if function is None or not queue_url:
        raise SettingError("QUEUE_URL is not set, or the function's own ARN cannot be read")

    def queue(bodies: Sequence[str]) -> None:
        if not bodies:
            return
        client = _aws(context.invoked_function_arn).client("sqs", account=None, region=function.region)
        if isinstance(client, Unread):
            raise QueueError(client.reason)
        left = context.get_remaining_time_in_millis
        send_patiently(client, queue_url, bodies, remaining=lambda: left() / 1000, wait=_wait)

    records = event.get("Records")
    if isinstance(records, list) and any(map(is_of_stream, records)):
        return {"batchItemFailures": [{"itemIdentifier": each} for each in _read_stream(records, queue)]}
    try:
        batch = read_log_batch(event, account=function.account)
    except UnusableEvent as unusable:
        _count("AuditBatchesUnusable", 1)
        logger.exception("a batch of audit records cannot be read", reason=str(unusable))
        return None
    queue([failure.body(region=function.region) for failure in batch.failures])
    _record_metrics([batch])
    return None


def _read_stream(records: Sequence[Mapping[str, Any]], queue: Callable[[Sequence[str]], None]) -> list[str]:
    """Queue the failures in records of a stream. Return the sequence numbers of the records to be tried again.

    Lambda tries again from the lowest of them on. What is queued twice by that is counted once.
    """
    failed: list[str] = []
    read: list[tuple[str, StreamBatch]] = []
    for record in records:
        # Lambda Developer Guide, "Using Lambda to process records from Amazon Kinesis Data Streams".
        number = str(record["kinesis"]["sequenceNumber"])
        try:
            read.append((number, read_stream_record(record)))
        except NoPlaceError as unusable:
            # Whoever subscribes a log group under another name must not stop what comes behind it.
            _count("AuditBatchesUnusable", 1)
            logger.warning("a batch of audit records does not say whose it is", reason=str(unusable))
        except UnusableEvent as unusable:
            _count("AuditBatchesUnusable", 1)
            logger.exception("a batch of audit records cannot be read", reason=str(unusable), sequence_number=number)
            failed.append(number)
    try:
        queue([body for _, each in read for body in each.bodies()])
    except (QueueError, *AWS_ERRORS) as error:
        logger.exception("the queue did not take the events of a stream", reason=str(error))
        failed += [number for number, each in read if each.failures]
    else:
        _record_metrics([each.batch for _, each in read])
    return failed


def _record_metrics(batches: Sequence[AuditBatch]) -> None:
    records, queued = sum(each.records for each in batches), sum(len(each.failures) for each in batches)
    dropped = sum((Counter(each.dropped) for each in batches), Counter())
    _count("AuditRecordsRead", records)
    _count("AuditFailuresQueued", queued)
    _count("AuditRecordsUnreadable", dropped.get(Dropped.UNREADABLE, 0))
    if queued or dropped:
        logger.info("read", records=records, queued=queued, dropped=dict(dropped))


def _count(name: str, number: int) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
