"""The function that diagnoses failed pulls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import permissions
from infra.dependency_layer import ARCHITECTURE, RUNTIME
from infra.notification_topic import NotificationTopic
from infra.permissions import Grant
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LAMBDAS: Final = Path(__file__).resolve().parent.parent / "lambdas"
# The terminal is no part of the deployed code; requirements come as the layer; the rest are leftovers of tools.
_NOT_DEPLOYED: Final = ["pull_responder/cli", "requirements.txt", "__pycache__", "*.pyc", "*.egg-info", ".*_cache"]

_LAMBDA_LOG_LEVELS: Final = {
    "DEBUG": lambda_.ApplicationLogLevel.DEBUG,
    "INFO": lambda_.ApplicationLogLevel.INFO,
    "WARNING": lambda_.ApplicationLogLevel.WARN,
    "ERROR": lambda_.ApplicationLogLevel.ERROR,
}


class DiagnoseFunction(Construct):
    """The function with its role and log, and the queue that feeds it.

    The role has what permissions.json declares, and beside it only what receiving from the queue and writing to the
    log takes.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only but for what every construct takes
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        queue: sqs.IQueue,
        topic: NotificationTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        log = logs.LogGroup(self, "Log", removal_policy=cdk.RemovalPolicy.DESTROY)
        resource = log.node.default_child
        if not isinstance(resource, logs.CfnLogGroup):
            raise TypeError(f"a log group is a {type(resource).__name__}, not a CfnLogGroup")
        # Set here because the construct takes a name for each number of days.
        resource.retention_in_days = settings.log_retention_days
        self.role = self._role(settings, log=log, queue=queue, topic=topic)
        self.function = lambda_.Function(
            self,
            "Function",
            description="Finds out why a pod on Amazon EKS cannot pull its image from Amazon ECR",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler="pull_responder.handlers.diagnose.handler",
            code=lambda_.Code.from_asset(str(_LAMBDAS), exclude=_NOT_DEPLOYED, ignore_mode=cdk.IgnoreMode.GIT),
            layers=[layer],
            memory_size=settings.memory_size,
            timeout=cdk.Duration.seconds(settings.timeout_seconds),
            environment=_environment(settings, topic.topic.topic_arn),
            role=self.role,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=_LAMBDA_LOG_LEVELS[settings.log_level],
        )
        cdk.Validations.of(self.function).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-L1",
                reason="The dependency layer is built for Python 3.13, which AWS supports until 2029",
            )
        )
        # Not `add_event_source`: that would widen the role by itself.
        lambda_.EventSourceMapping(
            self,
            "Events",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=settings.batch_size,
            max_batching_window=cdk.Duration.seconds(settings.batching_window_seconds),
            report_batch_item_failures=True,
        )

    def _role(self, settings: Settings, *, log: logs.LogGroup, queue: sqs.IQueue, topic: NotificationTopic) -> iam.Role:
        declared = permissions.declared("diagnose")
        granted = {
            purpose: permissions.grants(
                actions,
                partition=cdk.Aws.PARTITION,
                account=cdk.Aws.ACCOUNT_ID,
                region=cdk.Aws.REGION,
                topic=topic.topic.topic_arn,
                member_role=settings.member_role_name,
            )
            for purpose, actions in declared.items()
        }
        granted["run"] = (
            Grant(("logs:CreateLogStream", "logs:PutLogEvents"), (log.log_group_arn,)),
            # Lambda developer guide, "Using Lambda with Amazon SQS": what the event source needs.
            Grant(("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"), (queue.queue_arn,)),
            # SNS developer guide, "Key management": what publishing to an encrypted topic needs.
            Grant(("kms:Decrypt", "kms:GenerateDataKey"), (topic.key.key_arn,)),
        )
        role = iam.Role(
            self,
            "Role",
            description="What Pull Responder's diagnose function may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                purpose: iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=list(grant.actions), resources=list(grant.resources))
                        for grant in grants
                    ]
                )
                for purpose, grants in granted.items()
            },
        )
        _acknowledge_wildcards(role, [action for actions in declared.values() for action in actions], settings)
        return role


def _acknowledge_wildcards(role: iam.Role, actions: Iterable[str], settings: Settings) -> None:
    """Tell cdk-nag, for each resource with a wildcard, why it cannot be narrower."""
    for grant in permissions.grants(
        actions,
        # As cdk-nag writes what is known at deployment only.
        partition="<AWS::Partition>",
        account="<AWS::AccountId>",
        region="<AWS::Region>",
        topic="",
        member_role=settings.member_role_name,
    ):
        for resource in grant.resources:
            if "*" in resource:
                finding = f"AwsSolutions-IAM5[Resource::{resource}]"
                cdk.Validations.of(role).acknowledge(cdk.Acknowledgment(id=finding, reason=grant.reason))


def _environment(settings: Settings, topic_arn: str) -> Mapping[str, str]:
    return {
        "KNOWN_PRINCIPALS": json.dumps(settings.known_principals),
        "NOTIFY_MINIMUM_SEVERITY": settings.notify_minimum_severity,
        "POWERTOOLS_LOG_LEVEL": settings.log_level,
        "PULL_RESPONDER_MEMBER_ROLE": settings.member_role_name,
        "SECURITY_HUB_ENABLED": "true" if settings.security_hub else "false",
        "TOPIC_ARN": topic_arn,
    }
