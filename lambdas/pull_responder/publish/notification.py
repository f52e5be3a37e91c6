"""One notification in all its formats, for one call of sns:Publish.

SNS picks the text by the name of the subscriber's protocol, and "default" for the other protocols (SNS API Reference,
Publish, MessageStructure). All texts together count towards the size limit of a message.

- `email`: text for people.
- `sms`: one or two lines, two parts of a text message at most.
- `https`: for Amazon Q Developer in chat applications, which subscribes by https. Other webhooks get the same.
- `default`: the JSON document, for sqs, lambda, firehose, http, email-json and application.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pull_responder.publish import as_document, as_document_1, as_sms, as_text, digest_document, digest_text
from pull_responder.publish.attributes import alert_values, digest_values, message_attributes
from pull_responder.publish.chat import chat_notification
from pull_responder.publish.digest_chat import chat_digest
from pull_responder.publish.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.notice import Notice

# 256 KiB with the attributes (SNS API Reference, Publish), less a reserve for how SNS counts.
_BYTES: Final = 256 * 1024 - 4096
# Bytes for evidence, commands and a digest's findings each. The first is best; the last always fits.
_ROOMS: Final = (32 * 1024, 16 * 1024, 8 * 1024, 4 * 1024, 2 * 1024, 1024)


@dataclass(frozen=True, slots=True)
class Notification:
    """What is published: the subject of the e-mail, the message attributes, and the text by protocol.

    `values` are the values of the attributes, as the document has them.
    """

    subject: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    texts: Mapping[str, str]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The texts in the format of MessageStructure "json", and the values of the attributes.

        SNS's guide does not say whether a filter policy on the body sees the whole message or one protocol's text. The
        document has `attributes` in the same place, so such a policy accepts the same messages either way. SNS ignores
        keys that are no protocols, and values that are no strings (API Reference, Publish).
        """
        return _json({**self.texts, "attributes": self.values})

    @property
    def size(self) -> int:
        """The size of the message and its attributes in bytes."""
        attributes = (
            len(name.encode()) + len(each["DataType"]) + len(each["StringValue"].encode())
            for name, each in self.attributes.items()
        )
        return len(self.message.encode()) + sum(attributes)


def alert_notification(alert: Alert, style: Style | None = None) -> Notification:
    """Return the notification of one alert, within SNS's size limit."""
    style = style or Style()
    is_old = style.schema == as_document_1.VERSION
    values = alert_values(alert, in_part=not is_old)
    sms, chat = as_sms.alert_text(alert), chat_notification(alert, style)

    def build(room: int) -> Notification:
        document = as_document_1.notice_document(alert, room=room) if is_old else None
        return Notification(
            as_text.subject(alert),
            message_attributes(values),
            _texts(
                document or as_document.alert_document(alert, room=room, style=style),
                email=as_text.body(alert, room=room, style=style),
                sms=sms,
                chat=chat,
            ),
            values,
        )

    return _fit(build)


def digest_notification(notices: Sequence[Notice], style: Style | None = None) -> Notification:
    """Return one notification of all `notices`, at least one, within SNS's size limit."""
    style = style or Style()
    values = digest_values(notices)
    sms, chat = as_sms.digest_text(notices), chat_digest(notices, style)
    is_old = style.schema == as_document_1.VERSION
    return _fit(
        lambda room: Notification(
            digest_text.digest_subject(notices),
            message_attributes(values),
            _texts(
                as_document_1.digest_document(notices, room=room)
                if is_old
                else digest_document.digest_document(notices, room=room, style=style),
                email=digest_text.digest_body(notices, room=room, style=style),
                sms=sms,
                chat=chat,
            ),
            values,
        )
    )


def _texts(document: Mapping[str, Any], *, email: str, sms: str, chat: Mapping[str, Any]) -> dict[str, str]:
    return {"default": _json(document), "email": email, "sms": sms, "https": _json(chat)}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fit(build: Callable[[int], Notification]) -> Notification:
    notifications = map(build, _ROOMS)
    notification = next(notifications)
    while notification.size > _BYTES and (smaller := next(notifications, None)):
        notification = smaller
    return notification
