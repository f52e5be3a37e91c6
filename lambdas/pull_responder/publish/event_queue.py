"""Send our own events to the queue that the function `diagnose` reads."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pull_responder.publish.backoff import is_retryable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PERMISSIONS: Final = ("sqs:SendMessage",)

# Amazon SQS API Reference, SendMessageBatch: at most ten messages and 256 KiB together. Newer quotas are higher.
_MESSAGES: Final = 10
_BYTES: Final = 256 * 1024
# Lambda tries an invocation again twice within three minutes, and then gives it up. So each try waits for SQS as long
# as it can.
_PAUSE_SECONDS: Final = 10.0
# Three attempts of a hanging SQS take 24 seconds.
_SECONDS_TO_END: Final = 30.0
# An answer of 4xx that may be another one in a minute, besides throttling.
_PASSING: Final = ("AccessDenied",)

_logger = logging.getLogger(__name__)


class QueueError(Exception):
    """SQS refused messages, or did not confirm them. The error says how many, and why the first one was refused."""


def send(client: SQSClient, queue_url: str, bodies: Sequence[str]) -> None:
    """Send every body, each of less than 256 KiB. Raises QueueError, and what the client raises.

    Messages that were sent before an error stay in the queue. It is safe to send all of them again: duplicate events
    are counted once.
    """
    for batch in _batches(bodies):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(at), "MessageBody": body} for at, body in enumerate(batch)
        ]
        _send_batch(client, queue_url, entries)


def send_patiently(
    client: SQSClient,
    queue_url: str,
    bodies: Sequence[str],
    *,
    remaining: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Send as `send` does, again while SQS fails and may recover.

    `remaining` returns the seconds that the run has left, and `wait` waits for some. Raises as `send` does.
    """
    while True:
        try:
            return send(client, queue_url, bodies)
        except (QueueError, BotoCoreError, ClientError) as error:
            if remaining() < _SECONDS_TO_END + _PAUSE_SECONDS or not _may_pass(error):
                raise
            _logger.warning("the queue did not take the events: %s", str(error)[:400])
        wait(_PAUSE_SECONDS)


def _may_pass(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return True
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    return is_retryable(code, status) or code.startswith(_PASSING)


def _send_batch(client: SQSClient, queue_url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]) -> None:
    try:
        answer = client.send_message_batch(QueueUrl=queue_url, Entries=entries)
    except ResponseParserError as error:
        raise QueueError(f"the answer about {len(entries)} messages cannot be read") from error
    failed = answer.get("Failed", [])
    if failed:
        raise QueueError(f"{len(failed)} of {len(entries)} messages were refused: {failed[0].get('Code')}")
    # The answer names each message (API Reference, SendMessageBatch). What it does not name may be lost.
    unnamed = {each["Id"] for each in entries} - {each.get("Id") for each in answer.get("Successful", [])}
    if unnamed:
        raise QueueError(f"the answer does not name {len(unnamed)} of {len(entries)} messages")


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == _MESSAGES or size + length > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
