"""Send our own events to the queue that the function `diagnose` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PERMISSIONS: Final = ("sqs:SendMessage",)

# Amazon SQS API Reference, SendMessageBatch: at most ten messages and 256 KiB together. Newer quotas are higher.
_MESSAGES: Final = 10
_BYTES: Final = 256 * 1024


class QueueError(Exception):
    """SQS refused some of the messages. The error says how many, and why the first one was refused."""


def send(client: SQSClient, queue_url: str, bodies: Sequence[str]) -> None:
    """Send every body, each of less than 256 KiB. Raises QueueError, and what the client raises.

    Messages that were sent before an error stay in the queue. It is safe to send all of them again: duplicate events
    are counted once.
    """
    for batch in _batches(bodies):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(at), "MessageBody": body} for at, body in enumerate(batch)
        ]
        failed = client.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        if failed:
            raise QueueError(f"{len(failed)} of {len(batch)} messages were refused: {failed[0]['Code']}")


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
