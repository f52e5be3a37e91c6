"""One notification in all its formats, as one call publishes it.

SNS picks the text for each protocol by its name, and "default" for those that are not named (SNS API Reference,
Publish, MessageStructure). All of them count together towards what a message may take.

- `email`: text for people.
- `sms`: one line.
- `https`: for Amazon Q Developer in chat applications, which subscribes by it; any other webhook gets the same.
- `default`: the JSON document, for sqs, lambda, firehose, http, email-json and application.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.publish import as_text
from pull_responder.publish.as_document import digest_document, notice_document
from pull_responder.publish.attributes import digest_values, message_attributes, notice_values
from pull_responder.publish.chat import chat_digest, chat_notification

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    from pull_responder.findings.notice import Notice

# 256 KiB with the attributes (SNS API Reference, Publish); a little is kept for how SNS counts.
_BYTES: Final = 256 * 1024 - 4096
# What evidence, commands and a digest's findings may take each, from what is best to what always fits.
_ROOMS: Final = (32 * 1024, 16 * 1024, 8 * 1024, 4 * 1024, 2 * 1024, 1024)


@dataclass(frozen=True, slots=True)
class Notification:
    """What is published: the subject of the e-mail, what to filter by, and the text by protocol."""

    subject: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    texts: Mapping[str, str]

    @property
    def message(self) -> str:
        """The texts as MessageStructure "json" takes them."""
        return _json(self.texts)

    @property
    def size(self) -> int:
        """The bytes that the message and its attributes take."""
        attributes = (
            len(name.encode()) + len(each["DataType"]) + len(each["StringValue"].encode())
            for name, each in self.attributes.items()
        )
        return len(self.message.encode()) + sum(attributes)


def notice_notification(notice: Notice) -> Notification:
    """Return the notification of one notice, within what SNS takes."""
    return _fitted(
        lambda room: Notification(
            as_text.subject(notice),
            message_attributes(notice_values(notice)),
            _texts(
                notice_document(notice, room=room),
                email=as_text.body(notice, room=room),
                sms=as_text.subject(notice),
                chat=chat_notification(notice),
            ),
        )
    )


def digest_notification(notices: Sequence[Notice]) -> Notification:
    """Return the one notification of `notices`, at least one, within what SNS takes."""
    return _fitted(
        lambda room: Notification(
            as_text.digest_subject(notices),
            message_attributes(digest_values(notices)),
            _texts(
                digest_document(notices, room=room),
                email=as_text.digest_body(notices, room=room),
                sms=as_text.digest_subject(notices),
                chat=chat_digest(notices),
            ),
        )
    )


def _texts(document: Mapping[str, Any], *, email: str, sms: str, chat: Mapping[str, Any]) -> dict[str, str]:
    return {"default": _json(document), "email": email, "sms": sms, "https": _json(chat)}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fitted(build: Callable[[int], Notification]) -> Notification:
    notifications = map(build, _ROOMS)
    notification = next(notifications)
    while notification.size > _BYTES and (smaller := next(notifications, None)):
        notification = smaller
    return notification
