"""Publish notifications to the SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
from botocore.parsers import ResponseParserError

from pull_responder.findings.alert import Alert
from pull_responder.publish.notification import Notification, alert_notification, digest_notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sns import SNSClient

    from pull_responder.findings.notice import Notice
    from pull_responder.publish.style import Style

PERMISSIONS: Final = ("sns:Publish",)

_SERVER_ERROR: Final = 500
# Makes the name of a topic that does not exist. The role may publish to one topic, so SNS answers with status 403.
_NO_TOPIC: Final = "-does-not-exist"


class UnclearPublishError(Exception):
    """SNS may have taken the message: the request was sent, and no readable answer came back."""


def publish_notice(client: SNSClient, topic_arn: str, alert: Alert, style: Style | None = None) -> str:
    """Publish `alert` to the topic, in all formats, and return the message's id.

    Raises UnclearPublishError if SNS may have taken it. Otherwise raises what the client raises: SNS did not take it.
    The caller has to retry. The client must not: each retry of a message that SNS took is another message.
    """
    return _publish(client, topic_arn, alert_notification(alert, style))


def publish_digest(client: SNSClient, topic_arn: str, notices: Sequence[Notice], style: Style | None = None) -> str:
    """Publish one notification of all `notices`, at least one, and return the message's id.

    Raises as `publish_notice` does.
    """
    return _publish(client, topic_arn, digest_notification(notices, style))


def publish_text(client: SNSClient, topic_arn: str, about: Alert | Sequence[Notice], style: Style | None = None) -> str:
    """Publish one notification of an alert or a digest as text for people, the same for all protocols, with attributes.

    SNS applies filter policies on attributes to such messages, and delivers the attributes (Developer Guide, "Message
    attributes"). Returns the message's id, and raises as `publish_notice` does.
    """
    one = alert_notification(about, style) if isinstance(about, Alert) else digest_notification(about, style)
    return _publish_mail(client, topic_arn, one)


def publish_test(client: SNSClient, topic_arn: str, notification: Notification, *, for_filters: bool = False) -> str:
    """Publish the notification of a test event, and return the message's id.

    With `for_filters`, it is text for people as `publish_text` sends it. Raises as `publish_notice` does.
    """
    if not for_filters:
        return _publish(client, topic_arn, notification)
    return _publish_mail(client, topic_arn, notification)


def _publish_mail(client: SNSClient, topic_arn: str, notification: Notification) -> str:
    return _call(
        client,
        TopicArn=topic_arn,
        Subject=notification.subject,
        Message=notification.texts["email"],
        MessageAttributes=notification.attributes,
    )


def _publish(client: SNSClient, topic_arn: str, notification: Notification) -> str:
    return _call(
        client,
        TopicArn=topic_arn,
        Subject=notification.subject,
        Message=notification.message,
        MessageStructure="json",
        MessageAttributes=notification.attributes,
    )


def _call(client: SNSClient, **request: Any) -> str:  # noqa: ANN401 -- the parameters of Publish
    try:
        return client.publish(**request)["MessageId"]
    except ClientError as error:
        # With a status of 4xx, SNS says that it refused. With 5xx, it says only that something failed (Inference).
        if _is_refusal(error):
            raise
        raise UnclearPublishError(f"sns:Publish failed with status {_status(error)}") from error
    except (HTTPClientError, SSLError, ResponseParserError, KeyError) as error:
        # Where no connection was made, nothing was sent. The SDK's errors for that are none of these, but for SSLError:
        # it stands for a handshake that failed, and for a connection that broke when the request was sent.
        raise UnclearPublishError(f"sns:Publish has no readable answer: {type(error).__name__}: {error}") from error


def answers(client: SNSClient, topic_arn: str) -> bool:
    """Return whether the answers of Publish arrive. Before that, a message that was perhaps heard is not repeated.

    It publishes to a topic that does not exist, so nobody gets anything, and SNS refuses: that is an answer. Another
    call, such as GetTopicAttributes, may be answered while Publish is not.
    """
    try:
        return "MessageId" in client.publish(TopicArn=f"{topic_arn}{_NO_TOPIC}", Message="Does SNS answer?")
    except ClientError as error:
        return _is_refusal(error)
    except (BotoCoreError, KeyError, ResponseParserError):  # botocore raises KeyError for a missing result
        return False


def _is_refusal(error: ClientError) -> bool:
    """Whether SNS says that it refused. Without an error code in it, the answer could not be read."""
    return _status(error) < _SERVER_ERROR and bool(error.response.get("Error", {}).get("Code"))


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
