"""Send our own events to the queue that the function `diagnose` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PERMISSIONS: Final = ("sqs:SendMessage",)

# Amazon SQS API Reference, SendMessageBatch: at most ten messages and 256 KiB together. Newer quotas are higher.
_MESSAGES: Final = 10
_BYTES: Final = 256 * 1024


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
