"""E-mail subscriptions for ministack. Its SNS only logs them and sends nothing.

SNS sends the text that was published for the e-mail protocol, from the topic's display name (SNS Developer Guide,
"Email subscription setup and management"; API Reference, Publish and CreateTopic). The mail is stored with what
ministack's SES has sent. The unsubscribe link that SNS adds below is left out.
"""
# ruff: noqa: SLF001 -- ministack has no public names for any of this

from __future__ import annotations

import json
import urllib.request
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

_SENDER: Final = "no-reply@sns.amazonaws.com"
_KIND: Final = "SNS"
_SECONDS: Final = 10


def apply() -> None:
    """Patch ministack in this process. Call it before ministack's server starts."""
    sns: Any = import_module("ministack.services.sns")
    ses: Any = import_module("ministack.services.ses")
    topic_of, text_for = sns._topic_by_arn_any_scope, sns._resolve_message_for_protocol
    stock, matches = sns._fanout, sns._matches_filter_policy

    def fan_out(  # noqa: PLR0913, PLR0917 -- ministack's own signature
        topic_arn: str,
        message_id: str,
        message: str,
        subject: str,
        message_structure: str = "",
        message_attributes: dict[str, Any] | None = None,
        **group: str,
    ) -> None:
        stock(topic_arn, message_id, message, subject, message_structure, message_attributes, **group)
        topic = topic_of(topic_arn) or {"subscriptions": []}
        text = text_for(message, message_structure, "email")
        for subscription in topic["subscriptions"]:
            if subscription["protocol"] == "email" and matches(subscription, message_attributes or {}, text):
                ses.send_internal_email(
                    f"{topic['attributes'].get('DisplayName') or 'AWS Notifications'} <{_SENDER}>",
                    [subscription["endpoint"]],
                    subject,
                    text,
                    type_name=_KIND,
                    extra={"MessageId": message_id},
                )

    sns._fanout = fan_out


def sent_mail(aws: EmulatedAws) -> list[dict[str, Any]]:
    """Return the mail sent to e-mail subscriptions, in order: MessageId (SNS's), Source, To, Subject, BodyText."""
    url = f"{aws.environment['AWS_ENDPOINT_URL']}/_ministack/ses/messages"
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 -- a loopback address
        by_account = json.load(answer)["messages"]
    return [mail for mails in by_account.values() for mail in mails if mail["Type"] == _KIND]
