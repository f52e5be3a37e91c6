"""What has arrived with those who are told: mail from the topic, and findings in Security Hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.cli.demo.estate import MAIL_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.cli.demo.estate import Estate

# What SNS sends from, under the topic's display name: SNS Developer Guide, "Email subscription setup and management".
_SENDER: Final = f"{MAIL_NAME} <no-reply@sns.amazonaws.com>"
_WAIT_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Mail:
    """A notification as a mail reader shows it; `attributes` are what subscriptions filter by."""

    sender: str
    subject: str
    body: str
    attributes: Mapping[str, str]


def take_mail(estate: Estate, *, expected: int) -> tuple[Mail, ...]:
    """Take all mail out of the inbox. Waits a moment only while less than `expected` has come."""
    sqs = estate.aws.client("sqs")
    mails: list[Mail] = []
    while True:
        wait = _WAIT_SECONDS if len(mails) < expected else 0
        answer = sqs.receive_message(QueueUrl=estate.inbox_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
        messages = answer.get("Messages", [])
        if not messages:
            return tuple(mails)
        for message in messages:
            sqs.delete_message(QueueUrl=estate.inbox_url, ReceiptHandle=message["ReceiptHandle"])
            mails.append(_mail(json.loads(message["Body"])))


def _mail(notification: Mapping[str, Any]) -> Mail:
    attributes = {name: each["Value"] for name, each in notification.get("MessageAttributes", {}).items()}
    return Mail(_SENDER, notification.get("Subject", ""), notification["Message"], attributes)


def stored_findings(estate: Estate) -> dict[str, dict[str, Any]]:
    """Return the findings that Security Hub stores, by their ids."""
    return {each["Id"]: each for each in estate.aws.client("securityhub").get_findings()["Findings"]}
