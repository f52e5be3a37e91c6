"""Publish notifications to the SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from pull_responder.publish.notification import Notification, digest_notification, notice_notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sns import SNSClient

    from pull_responder.findings.notice import Notice

PERMISSIONS: Final = ("sns:GetTopicAttributes", "sns:Publish")

_SERVER_ERROR: Final = 500


class UnclearPublishError(Exception):
    """SNS may have taken the message: the request was sent, and no readable answer came back."""


def publish_notice(client: SNSClient, topic_arn: str, notice: Notice) -> str:
    """Publish `notice` to the topic, in all formats, and return the message's id.

    Raises UnclearPublishError if SNS may have taken it. Otherwise raises what the client raises: SNS did not take it.
    The caller has to retry. The client must not: each retry of a message that SNS took is another message.
    """
    return _publish(client, topic_arn, notice_notification(notice))


def publish_digest(client: SNSClient, topic_arn: str, notices: Sequence[Notice]) -> str:
    """Publish one notification of all `notices`, at least one, and return the message's id.

    Raises as `publish_notice` does.
    """
    return _publish(client, topic_arn, digest_notification(notices))


def _publish(client: SNSClient, topic_arn: str, notification: Notification) -> str:
    try:
        answer = client.publish(
            TopicArn=topic_arn,
            Subject=notification.subject,
            Message=notification.message,
            MessageStructure="json",
            MessageAttributes=notification.attributes,
        )
        return answer["MessageId"]
    except ClientError as error:
        # With a status of 4xx, SNS says that it refused. With 5xx, it says only that something failed (Inference).
        if _status(error) < _SERVER_ERROR:
            raise
        raise UnclearPublishError(f"sns:Publish failed with status {_status(error)}") from error
    except ConnectTimeoutError:
        raise  # nothing was sent
    except (ConnectionClosedError, HTTPClientError, ReadTimeoutError, ResponseParserError, KeyError) as error:
        if isinstance(error, EndpointConnectionError | ProxyConnectionError | SSLError):
            raise  # nothing was sent
        raise UnclearPublishError(f"sns:Publish has no readable answer: {type(error).__name__}: {error}") from error


def answers(client: SNSClient, topic_arn: str) -> bool:
    """Return whether SNS answers about the topic. Before that, a message that was perhaps heard is not repeated."""
    try:
        return bool(client.get_topic_attributes(TopicArn=topic_arn).get("Attributes"))
    except ClientError as error:
        return _status(error) < _SERVER_ERROR
    except (BotoCoreError, KeyError, ResponseParserError):  # botocore raises KeyError for a missing result
        return False


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
