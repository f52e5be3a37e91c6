"""Messages that SQS does not confirm count as lost, so that the caller sends them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.publish.event_queue import QueueError, send

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws


def test_confirmed_messages_are_sent(aws: EmulatedAws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"events-{uuid4().hex[:8]}")["QueueUrl"]
    send(sqs, url, [str(number) for number in range(12)])
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][
        "ApproximateNumberOfMessages"
    ] == ("12")


@pytest.mark.parametrize("kept", [{}, {"Successful": []}, {"Successful": [{"Id": "0"}]}, {"Successful": [{}, {}]}])
def test_an_answer_that_does_not_name_a_message_loses_none(aws: EmulatedAws, kept: dict[str, Any]) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"events-{uuid4().hex[:8]}")["QueueUrl"]

    def shorten(parsed: dict[str, Any], **_: object) -> None:
        parsed.clear()
        parsed.update(kept)

    sqs.meta.events.register("after-call.sqs.SendMessageBatch", shorten)
    with pytest.raises(QueueError, match="does not name"):
        send(sqs, url, ["one", "two"])
