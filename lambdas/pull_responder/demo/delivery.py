"""What was delivered and stored: mail, Security Hub's findings and the findings table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pull_responder.demo.estate import TABLE
from pull_responder.emulator.mail import sent_mail
from pull_responder.findings.life import Life
from pull_responder.findings.pages import page_ids, total_of
from pull_responder.findings.store import Store
from pull_responder.findings.tally import reach_of
from pull_responder.publish.attributes import DIGEST
from pull_responder.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pull_responder.demo.estate import DemoEstate
    from pull_responder.findings.reach import Reach


@dataclass(frozen=True, slots=True)
class Mail:
    """A notification: the e-mail as it was sent, and the same message as queues get it.

    - `attributes` are the message attributes, by which subscriptions filter.
    - `document` is the JSON document.
    """

    sender: str
    subject: str
    body: str
    attributes: Mapping[str, str]
    document: Mapping[str, Any]

    @property
    def about(self) -> tuple[str, str]:
        """The change that the document names, and the id of the worst finding that changed."""
        return self.document["edge"], self.findings[0]["id"] if self.findings else ""

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        """The findings that changed, the worst first. Those of a digest have a short form, and are left out."""
        return () if self.document["edge"] == DIGEST else self.document["findings"]


class Inbox:
    """Everything that the topic delivers."""

    def __init__(self, estate: DemoEstate) -> None:
        self._estate = estate
        self._taken = 0

    def take(self) -> tuple[Mail, ...]:
        """Return what was delivered since the last call. The emulated topic delivers before publishing returns."""
        queued = {each["MessageId"]: each for each in self._messages()}
        sent = sent_mail(self._estate.aws)
        new, self._taken = sent[self._taken :], len(sent)
        return tuple(_mail(each, queued[each["MessageId"]]) for each in new)

    def _messages(self) -> Iterable[Mapping[str, Any]]:
        sqs, url = self._estate.aws.client("sqs"), self._estate.inbox_url
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield json.loads(message["Body"])


def _mail(sent: Mapping[str, Any], queued: Mapping[str, Any]) -> Mail:
    attributes = {name: each["Value"] for name, each in queued["MessageAttributes"].items()}
    return Mail(sent["Source"], sent["Subject"], sent["BodyText"], attributes, json.loads(queued["Message"]))


def stored_findings(estate: DemoEstate) -> dict[str, dict[str, Any]]:
    """Return the findings that Security Hub stores, by id."""
    pages = estate.aws.client("securityhub").get_paginator("get_findings").paginate()
    return {each["Id"]: each for page in pages for each in page["Findings"]}


def recorded_reach(estate: DemoEstate, finding_ids: Iterable[str]) -> Reach:
    """Return the reach of the findings together, as the table records it."""
    store = Store(estate.aws.client("dynamodb"), TABLE, Settings())
    lives = [each for each in store.lives(finding_ids).values() if isinstance(each, Life)]
    problems = store.problems(problem for life in lives for problem in life.problems).values()
    return reach_of(total_of(each, store.pages(page_ids(each.id)) if each.paged else {}) for each in problems)
