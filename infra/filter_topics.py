"""The topics for subscribers with filter policies: one for notifications, one for alarms.

docs/adr/0074-topics-for-filters.md says why they exist.
"""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from infra.alarms import TELLS_WITHOUT_DATA
from infra.notification_topic import NotificationTopic


class FilterTopics(Construct):
    """Two topics, encrypted with `key`.

    - `filtered`: each notification as plain text with attributes
    - `alarms`: what the alarms under `scope` publish, which has no attributes. With `also_alarms`, they publish to the
      topic of notifications, and this one is added to their actions
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, also_alarms: bool = True) -> None:
        super().__init__(scope, construct_id)
        self.filtered = NotificationTopic(self, "Filtered", key=key).topic
        alarms = NotificationTopic(self, "Alarms", key=key)
        alarms.allow_alarms()
        self.alarms = alarms.topic
        if also_alarms:
            cdk.Aspects.of(scope).add(_AlsoNotify(self.alarms))


@jsii.implements(cdk.IAspect)
class _AlsoNotify:
    """Adds a topic to the actions of each alarm."""

    def __init__(self, topic: sns.ITopic) -> None:
        self._topic = topic

    def visit(self, node: IConstruct) -> None:
        """Add the topic if `node` is an alarm."""
        if isinstance(node, cloudwatch.Alarm):
            node.add_alarm_action(actions.SnsAction(self._topic))
            if node.node.id == TELLS_WITHOUT_DATA:
                node.add_insufficient_data_action(actions.SnsAction(self._topic))
