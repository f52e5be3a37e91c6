"""What handles events and tells of findings: queues, functions, the table, subscribers, Security Hub, alarms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.integration.doctor.estate import MAIL, REGION

if TYPE_CHECKING:
    from tests.integration.doctor.conftest import Doctor


def test_dead_letters(doctor: Doctor) -> None:
    sqs, url = doctor.client("sqs"), doctor.physical("DeadLetters")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        letters = doctor().about("queues", "dead-letter queue D" if False else url.rpartition("/")[2])
    finally:
        sqs.purge_queue(QueueUrl=url)
    assert letters
