"""The stack: event rules, queues, functions, the table of findings and the topic of notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from infra.alarms import Alarms
from infra.audit_log_function import AuditLogFunction
from infra.change_rules import ChangeRules
from infra.dependency_layer import DependencyLayer
from infra.event_queue import EventQueue
from infra.event_rules import EventRules
from infra.filter_topics import FilterTopics
from infra.finding_function import FindingFunction, Task
from infra.findings_table import FindingsTable
from infra.hub_setup import HubSetup
from infra.notification_topic import NotificationTopic
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct


class PullResponderStack(cdk.Stack):
    """Pull Responder in one account and region.

    It needs `cdk bootstrap`, and nothing in other accounts. The output `MemberRoleCommand` is the command that lets it
    read another account.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Pull Responder: why a pod on Amazon EKS cannot pull its image from Amazon ECR, and the fix",
        )
        diagnose_task, recheck_task = Task.diagnose(settings), Task.recheck()
        topic = NotificationTopic(self, "Notifications", email=settings.alert_email)
        topic.allow_alarms()
        filters = FilterTopics(self, "Filters", key=topic.key) if settings.filter_topics else None
        filtered = filters.filtered if filters else None
        table = FindingsTable(self, "Findings")
        events = EventQueue(
            self,
            "Events",
            settings=settings,
            batching_window_seconds=diagnose_task.batching_window_seconds,
            alarm_topic=topic.topic,
        )
        event_rules = EventRules(self, "Rules", settings=settings, queue=events.queue, dead_letters=events.dead_letters)
        # Two queues, so that many failures do not delay rechecks, and many changes do not delay diagnoses.
        changes = EventQueue(
            self,
            "Changes",
            settings=settings,
            batching_window_seconds=recheck_task.batching_window_seconds,
            alarm_topic=topic.topic,
        )
        change_rules = ChangeRules(
            self, "ChangeRules", settings=settings, queue=changes.queue, dead_letters=changes.dead_letters
        )
        layer = DependencyLayer(self, "Dependencies")
        diagnose = FindingFunction(
            self,
            "Diagnose",
            task=diagnose_task,
            settings=settings,
            layer=layer,
            queue=events.queue,
            topic=topic,
            filtered=filtered,
            table=table,
        )
        recheck = FindingFunction(
            self,
            "Recheck",
            task=recheck_task,
            settings=settings,
            layer=layer,
            queue=changes.queue,
            topic=topic,
            filtered=filtered,
            table=table,
        )
        alarms = Alarms(self, "Alarms", topic=topic.topic)
        alarms.watch_queue("Events", events)
        alarms.watch_queue("Changes", changes)
        alarms.watch_function("Diagnose", diagnose.function)
        alarms.watch_function("Recheck", recheck.function)
        alarms.watch_topic(topic.topic)
        alarms.watch_rules((*event_rules.names, *change_rules.names))
        alarms.watch_own_metrics()
        if settings.audit_log_clusters:
            audit_log = AuditLogFunction(
                self,
                "AuditLog",
                settings=settings,
                layer=layer,
                queue=events.queue,
                dead_letters=events.dead_letters,
            )
            alarms.watch_asynchronous_function("AuditLog", audit_log.function)
        hub = HubSetup(self, "HubSetup", settings=settings, layer=layer) if settings.security_hub else None
        # What refuses one of the functions is not a stranger's refusal to the other.
        for each in (diagnose, recheck):
            each.name_own_roles(diagnose.role, recheck.role)
        role_arns = f"{diagnose.role.role_arn},{recheck.role.role_arn}"
        for name, value, description in (
            ("TopicArn", topic.topic.topic_arn, "The topic of notifications"),
            ("QueueUrl", events.queue.queue_url, "The queue of failures to diagnose"),
            (
                "DeadLetterQueueUrl",
                events.dead_letters.queue_url,
                "The dead-letter queue of failures that could not be handled",
            ),
            ("ChangesQueueUrl", changes.queue.queue_url, "The queue of changes that may have fixed a fault"),
            (
                "ChangesDeadLetterQueueUrl",
                changes.dead_letters.queue_url,
                "The dead-letter queue of changes that could not be handled",
            ),
            ("TableName", table.table_name, "The table of findings"),
            ("DiagnoseFunctionName", diagnose.function.function_name, "The function that diagnoses"),
            (
                "RecheckFunctionName",
                recheck.function.function_name,
                "The function that checks whether open findings are fixed",
            ),
            ("ResponderRoleArns", role_arns, "The roles of both functions, with which they read other accounts"),
            (
                "MemberRoleCommand",
                (
                    "aws cloudformation deploy --template-file infra/member-role.yaml"
                    " --stack-name PullResponderMemberRole --capabilities CAPABILITY_NAMED_IAM"
                    f" --parameter-overrides ResponderRoleArns={role_arns} RoleName={settings.member_role_name}"
                ),
                (
                    "Run this with the credentials of another account to let the functions read there. If another stack"
                    " reads that account, too, join the ResponderRoleArns of both by a comma, or that stack loses it"
                ),
            ),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)
        if settings.alert_email:
            cdk.CfnOutput(
                self,
                "ConfirmTheMail",
                value=settings.alert_email,
                description=(
                    "SNS has sent this address a link. Until somebody follows it, nothing is mailed; the link holds for"
                    " three days, and a deployment does not send another"
                ),
            )
        if hub:
            cdk.CfnOutput(
                self,
                "SecurityHubSetup",
                value=hub.outcome,
                description='"ready", or why the insights and the action "Look again" are not in Security Hub',
            )
        if filters:
            for name, arn, description in (
                (
                    "FilteredTopicArn",
                    filters.filtered.topic_arn,
                    "The topic of notifications for filters",
                ),
                ("AlarmsTopicArn", filters.alarms.topic_arn, "The topic of alarms alone"),
            ):
                cdk.CfnOutput(self, name, value=arn, description=description)
