"""Pull Responder as it is deployed: rules, queues, functions, table, topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from infra.audit_log_function import AuditLogFunction
from infra.change_rules import ChangeRules
from infra.dependency_layer import DependencyLayer
from infra.event_queue import EventQueue
from infra.event_rules import EventRules
from infra.finding_function import FindingFunction, Task
from infra.findings_table import FindingsTable
from infra.notification_topic import NotificationTopic
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct


class PullResponderStack(cdk.Stack):
    """Everything of one account and region. It needs no member account, and no bootstrap beyond CDK's own."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Pull Responder: why a pod on Amazon EKS cannot pull its image from Amazon ECR, and the fix",
        )
        diagnose_task, recheck_task = Task.diagnose(settings), Task.recheck()
        topic = NotificationTopic(self, "Notifications", email=settings.alert_email)
        topic.allow_alarms()
        table = FindingsTable(self, "Findings")
        events = EventQueue(
            self,
            "Events",
            settings=settings,
            batching_window_seconds=diagnose_task.batching_window_seconds,
            alarm_topic=topic.topic,
        )
        EventRules(self, "Rules", settings=settings, queue=events.queue, dead_letters=events.dead_letters)
        # A queue of its own: a flood of failures must not delay the news that one of them is over, nor the reverse.
        changes = EventQueue(
            self,
            "Changes",
            settings=settings,
            batching_window_seconds=recheck_task.batching_window_seconds,
            alarm_topic=topic.topic,
        )
        ChangeRules(self, "ChangeRules", settings=settings, queue=changes.queue, dead_letters=changes.dead_letters)
        layer = DependencyLayer(self, "Dependencies")
        diagnose = FindingFunction(
            self,
            "Diagnose",
            task=diagnose_task,
            settings=settings,
            layer=layer,
            queue=events.queue,
            topic=topic,
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
            table=table,
        )
        if settings.audit_log_clusters:
            AuditLogFunction(
                self,
                "AuditLog",
                settings=settings,
                layer=layer,
                queue=events.queue,
                dead_letters=events.dead_letters,
            )
        role_arns = f"{diagnose.role.role_arn},{recheck.role.role_arn}"
        for name, value, description in (
            ("TopicArn", topic.topic.topic_arn, "Where findings are published"),
            ("QueueUrl", events.queue.queue_url, "Where failures wait to be diagnosed"),
            ("DeadLetterQueueUrl", events.dead_letters.queue_url, "Where failures end that could not be handled"),
            ("ChangesQueueUrl", changes.queue.queue_url, "Where changes wait that may have mended something"),
            (
                "ChangesDeadLetterQueueUrl",
                changes.dead_letters.queue_url,
                "Where changes end that could not be handled",
            ),
            ("TableName", table.table_name, "Where findings are kept"),
            ("DiagnoseFunctionName", diagnose.function.function_name, "The function that diagnoses"),
            ("RecheckFunctionName", recheck.function.function_name, "The function that looks whether it is over"),
            ("ResponderRoleArns", role_arns, "The roles of these functions, which read other accounts"),
            (
                "MemberRoleCommand",
                (
                    "aws cloudformation deploy --template-file infra/member-role.yaml"
                    " --stack-name PullResponderMemberRole --capabilities CAPABILITY_NAMED_IAM"
                    f" --parameter-overrides ResponderRoleArns={role_arns} RoleName={settings.member_role_name}"
                ),
                "Run this with the credentials of another account to let the functions read there",
            ),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)
