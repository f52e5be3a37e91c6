"""Publish notifications to the SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.publish.notification import Notification, digest_notification, notice_notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sns import SNSClient

    from pull_responder.findings.notice import Notice

PERMISSIONS: Final = ("sns:Publish",)


def publish_notice(client: SNSClient, topic_arn: str, notice: Notice) -> str:
    """Publish `notice` to the topic, in all formats, and return the message's id.

    Raises what the client raises. The caller has to retry.
    """
    return _publish(client, topic_arn, notice_notification(notice))


def publish_digest(client: SNSClient, topic_arn: str, notices: Sequence[Notice]) -> str:
    """Publish one notification of all `notices`, at least one, and return the message's id.

    Raises what the client raises.
    """
    return _publish(client, topic_arn, digest_notification(notices))


def _publish(client: SNSClient, topic_arn: str, notification: Notification) -> str:
    answer = client.publish(
        TopicArn=topic_arn,
        Subject=notification.subject,
        Message=notification.message,
        MessageStructure="json",
        MessageAttributes=notification.attributes,
    )
    return answer["MessageId"]
