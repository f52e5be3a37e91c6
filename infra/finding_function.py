"""The functions that open and resolve findings: `diagnose` and `recheck`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from infra import scanner_answers as answers
from infra.findings_table import ExistingTable, FindingsTable
from infra.notification_topic import NotificationTopic
from infra.organization import function_role_name
from infra.permissions import Grant
from infra.report_bucket import ReportBucket
from infra.responder_function import ResponderFunction
from infra.scanner_answers import answer
from infra.setting_checks import causes_by_severity
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct


# Declared, and granted where there is a bucket.
_OF_REPORTS: Final = ("s3:PutObject",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one of the functions does, and how Lambda feeds it from its queue.

    - `name`: the function's module in `pull_responder.handlers`, and its key in permissions.json
    - `description`: the function's description in AWS
    - `batch_size`: how many messages one run takes at most
    - `batching_window_seconds`: how long Lambda gathers messages for one run
    - `max_concurrency`: how many runs take from the queue at the same time
    """

    name: str
    description: str
    batch_size: int
    batching_window_seconds: int
    max_concurrency: int

    @classmethod
    def diagnose(cls, settings: Settings) -> Task:
        """Return the task of diagnosing failed pulls."""
        return cls(
            name="diagnose",
            description="Finds out why a pod on Amazon EKS cannot pull its image from Amazon ECR",
            batch_size=settings.batch_size,
            batching_window_seconds=settings.batching_window_seconds,
            # One run diagnoses about five problems a second, and four of them reach the calls that EC2 allows an
            # account per second. The others take what comes meanwhile (docs/adr/0097-all-that-is-due.md).
            max_concurrency=10,
        )

    @classmethod
    def recheck(cls) -> Task:
        """Return the task of looking at open findings again."""
        return cls(
            name="recheck",
            description="Checks whether the causes of open findings are gone",
            batch_size=100,
            # A tool such as CloudFormation makes many changes in a few seconds. One run handles all of them.
            batching_window_seconds=5,
            # The schedule wakes one run a minute, and each ends within two. So at most three look at what is due, and
            # two are free for changes (docs/adr/0115-changes-do-not-wait-for-the-schedule.md).
            max_concurrency=5,
        )


class FindingFunction(ResponderFunction):
    """A function that does `task`: it takes events from `queue`, keeps findings in `table` and notifies `topic`.

    `filtered`, if not None, is the topic for filters by attributes, which is notified, too. `reports`, if not None,
    gets the page of each diagnosis.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        task: Task,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        key: kms.IKey | None,
        queue: sqs.IQueue,
        topic: NotificationTopic,
        filtered: sns.ITopic | None,
        table: FindingsTable | ExistingTable,
        reports: ReportBucket | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name=task.name,
            description=task.description,
            settings=settings,
            layer=layer,
            key=key,
            role_name=function_role_name(task.name, cdk.Aws.REGION) if settings.organization_id else None,
            resources={
                "topic": topic.topic.topic_arn,
                "member_role": settings.member_role_name,
                "table": table.table_arn,
                "table_index": table.due_index_arn,
            },
            granted_later=_OF_REPORTS,
            run=(
                # The event source needs these: Lambda developer guide, "Using Lambda with Amazon SQS".
                Grant(("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"), (queue.queue_arn,)),
                # Publishing to an encrypted topic needs these: SNS developer guide, "Key management". Where the
                # settings give the key, the queue and the table have it, too. To receive, and to read and write a table
                # that another principal made, takes kms:Decrypt (SQS developer guide, "Key management"; DynamoDB
                # developer guide, "Encryption at rest usage notes").
                Grant(("kms:Decrypt", "kms:GenerateDataKey"), (topic.key.key_arn,)),
                *([Grant(("sns:Publish",), (filtered.topic_arn,))] if filtered else []),
                *([Grant(_OF_REPORTS, (reports.pages_arn,))] if reports else []),
            ),
            environment={
                **_environment(settings, topic_arn=topic.topic.topic_arn, table_name=table.table_name),
                **({"FILTERED_TOPIC_ARN": filtered.topic_arn} if filtered else {}),
                **({"REPORT_BUCKET": reports.bucket_name} if reports else {}),
            },
            memory_size=settings.memory_size,
            timeout_seconds=settings.timeout_seconds,
            concurrency_answer=answers.CONCURRENCY,
            function_answers=(answers.SYNCHRONOUS,),
        )
        if reports:
            reports.acknowledge_pages(self.role)
        # Not `add_event_source`, which would add permissions to the role.
        mapping = lambda_.EventSourceMapping(
            self,
            "Events",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=task.batch_size,
            max_batching_window=cdk.Duration.seconds(task.batching_window_seconds),
            # More than Lambda keeps for the function would be throttled, and messages would end as dead letters.
            max_concurrency=min(
                task.max_concurrency, settings.reserved_concurrency.get(task.name, task.max_concurrency)
            ),
            report_batch_item_failures=True,
        )
        answer(mapping, answers.MAPPING)

    def name_own_roles(self, *roles: iam.IRole) -> None:
        """Tell the function the roles of all functions: a refusal of one of them is nobody's pull."""
        arns = cdk.Stack.of(self).to_json_string([role.role_arn for role in roles])
        self.function.add_environment("PULL_RESPONDER_ROLE_ARNS", arns)

    def expect_canaries(self, role: iam.IRole) -> None:
        """Tell the function the role whose refused calls are canaries."""
        self.function.add_environment("CANARY_ROLE_ARN", role.role_arn)


def _environment(settings: Settings, *, topic_arn: str, table_name: str) -> Mapping[str, str]:
    """Return the variables that pull_responder.settings.read_settings reads. All values are text, lists are JSON."""
    environment = {
        "DIGEST_ABOVE": str(settings.digest_above),
        "HOLD_DOWN_MINUTES": str(settings.hold_down_minutes),
        "KEEP_DAYS": str(settings.keep_days),
        "LOOK_UP_CHANGES": "true" if settings.look_up_changes else "false",
        "KNOWN_PRINCIPALS": json.dumps(settings.known_principals),
        "NOTIFY_MINIMUM_SEVERITY": settings.notify_minimum_severity,
        "NOTIFICATION_SCHEMA": settings.notification_schema,
        "PULL_RESPONDER_MEMBER_ROLE": settings.member_role_name,
        "QUIET_MINUTES": str(settings.quiet_minutes),
        "RECHECK_MINUTES": str(settings.recheck_minutes),
        "RECHECK_RATE_MINUTES": str(settings.recheck_rate_minutes),
        "REMINDER_HOURS": str(settings.reminder_hours),
        "SECURITY_HUB_ENABLED": "true" if settings.security_hub else "false",
        "STOPPED_MINUTES": str(settings.stopped_minutes),
        "TABLE_NAME": table_name,
        "TOPIC_ARN": topic_arn,
        "UNEXPLAINED_MINUTES": str(settings.unexplained_minutes),
        "UNEXPLAINED_REPEATS": str(settings.unexplained_repeats),
    }
    if settings.severities:
        environment["CAUSE_SEVERITIES"] = json.dumps(causes_by_severity(settings.severities), separators=(",", ":"))
    if settings.runbook_url:
        environment["RUNBOOK_URL"] = settings.runbook_url
    if settings.aws_registries:
        environment["PULL_RESPONDER_AWS_REGISTRIES"] = json.dumps(settings.aws_registries)
    if settings.read_accounts:
        environment["PULL_RESPONDER_READ_ACCOUNTS"] = json.dumps(settings.read_accounts)
    if settings.organization_account:
        environment["PULL_RESPONDER_ORGANIZATION_ACCOUNT"] = settings.organization_account
    if settings.organization_id:
        environment |= {
            "PULL_RESPONDER_ORGANIZATION_ID": settings.organization_id,
            "PULL_RESPONDER_FINDINGS_IN": settings.findings_in,
            "PULL_RESPONDER_IMPORT_ROLE": settings.import_role_name,
        }
    if settings.member_regions:
        environment["PULL_RESPONDER_MEMBER_REGIONS"] = json.dumps(settings.member_regions)
    if settings.forwarded_event_source:
        environment["FORWARDED_EVENT_SOURCE"] = settings.forwarded_event_source
    return environment
