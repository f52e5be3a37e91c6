"""Where alarms are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.notification_topic import NotificationTopic

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from infra.filter_topics import FilterTopics
    from infra.settings import Settings


def alarm_topic(
    scope: Construct, *, settings: Settings, topic: NotificationTopic, filters: FilterTopics | None
) -> sns.ITopic:
    """Return the topic of alarms: that of notifications, or with `settings.alarms_topic` one of their own.

    With topics for filters there is one for alarms alone already. One that is made here has the key of `topic`.
    """
    if not settings.alarms_topic:
        topic.allow_alarms()
        return topic.topic
    if filters:
        return filters.alarms
    own = NotificationTopic(scope, "AlarmTopic", key=topic.key)
    own.allow_alarms()
    return own.topic
