"""The function that looks once a day whether this deployment works, and the canary that it sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from infra import permissions
from infra import scanner_answers as answers
from infra.escape_hatch import cfn_resource
from infra.findings_table import ExistingTable, FindingsTable
from infra.organization import function_role_name
from infra.permissions import Grant
from infra.queue_rules import rule_prefix
from infra.responder_function import ResponderFunction
from infra.scanner_answers import answer
from infra.setting_checks import causes_by_severity
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

# Of functions that are made after this one's role. They know that role, so its own policies cannot name them.
_OF_FUNCTIONS: Final = ("lambda:GetFunction", "lambda:GetPolicy")
# pull_responder.events.canary has the same words.
_CANARY_CALL: Final = "ecr:BatchGetImage"
_CANARY_REPOSITORIES: Final = "pull-responder-canary/*"
_MEMORY_MEGABYTES: Final = 512
# An examination makes some two hundred calls, twenty at a time. A service that hangs costs 33 seconds.
_TIMEOUT_SECONDS: Final = 180


class ExamineFunction(ResponderFunction):
    """The function, and the rule that wakes it every hour.

    It examines once a day, and every hour while something is broken
    (docs/adr/0161-examined-once-a-day-and-hourly-while-blind.md). It reads what `pull-responder doctor` reads, and
    writes into `table`: `recheck` tells people what it finds. Its role may not make the call that is its canary, and
    denies it, so that no other policy can allow it.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        key: kms.IKey | None,
        topic: sns.ITopic,
        table: FindingsTable | ExistingTable,
        queue: sqs.IQueue,
        queues: Sequence[sqs.IQueue],
        alarm_topic: sns.ITopic,
    ) -> None:
        stack = cdk.Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            name="examine",
            description="Looks once a day whether Pull Responder itself works, and whether events arrive",
            settings=settings,
            layer=layer,
            key=key,
            # As members trust the hub's functions: the examination reads there what the terminal may not.
            role_name=function_role_name("examine", cdk.Aws.REGION) if settings.organization_id else None,
            resources={
                "topics": tuple({each.node.path: each.topic_arn for each in (topic, alarm_topic)}.values()),
                "member_role": settings.member_role_name,
                "table": table.table_arn,
                "stack": stack.stack_name,
                "rules": _rules(scope, settings),
                "queues": tuple(each.queue_arn for each in queues),
            },
            # DynamoDB developer guide, "Encryption at rest usage notes": to read and write a table that another
            # principal made takes kms:Decrypt.
            run=[Grant(("kms:Decrypt",), (key.key_arn,))] if key else (),
            environment={
                "CANARY_ENABLED": "true" if settings.canary else "false",
                "HOLD_DOWN_MINUTES": str(settings.hold_down_minutes),
                "KEEP_DAYS": str(settings.keep_days),
                "PULL_RESPONDER_MEMBER_ROLE": settings.member_role_name,
                "QUEUE_URL": queue.queue_url,
                "RECHECK_MINUTES": str(settings.recheck_minutes),
                "REMINDER_HOURS": str(settings.reminder_hours),
                "STACK_NAME": stack.stack_name,
                "TABLE_NAME": table.table_name,
                "TOPIC_ARN": topic.topic_arn,
                **_optional(settings),
            },
            memory_size=_MEMORY_MEGABYTES,
            timeout_seconds=_TIMEOUT_SECONDS,
            concurrency_answer=answers.SCHEDULE_CONCURRENCY,
            function_answers=(answers.SCHEDULE_LETTERS,),
            granted_later=_OF_FUNCTIONS,
        )
        self.rule_name = f"{rule_prefix(self)}Examine-Hour"
        self._wake()

    def let_read(self, *functions: lambda_.IFunction) -> None:
        """Let it read how `functions` are, and how it is itself. The first of them is the one that diagnoses."""
        self.function.add_environment("DIAGNOSE_FUNCTION_NAME", functions[0].function_name)
        arns = [each.function_arn for each in (*functions, self.function)]
        grants = permissions.grants(_OF_FUNCTIONS, function=tuple(arns))
        canaries = cdk.Stack.of(self).format_arn(
            service="ecr", region="*", resource="repository", resource_name=_CANARY_REPOSITORIES
        )
        policy = iam.Policy(
            self,
            "Functions",
            roles=[self.role],
            statements=[
                *(iam.PolicyStatement(actions=list(each.actions), resources=list(each.resources)) for each in grants),
                iam.PolicyStatement(effect=iam.Effect.DENY, actions=[_CANARY_CALL], resources=[canaries]),
            ],
        )
        answer(policy, answers.INLINE_POLICIES)

    def _wake(self) -> None:
        rule = events.Rule(
            self,
            "Hour",
            rule_name=self.rule_name,
            description="Time to look whether Pull Responder itself works",
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
        )
        answer(rule, answers.SCHEDULE_TARGET)
        cfn_resource(rule, events.CfnRule).targets = [
            events.CfnRule.TargetProperty(
                id="Examine",
                arn=self.function.function_arn,
                # What is late is of no use: the next hour brings another one.
                retry_policy=events.CfnRule.RetryPolicyProperty(maximum_event_age_in_seconds=600),
            )
        ]
        self.function.add_permission(
            "Wake", principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rule.rule_arn
        )
        # The same: the next hour brings another run, and an alarm says of each that fails.
        late = cdk.Duration.minutes(10)
        runs = lambda_.EventInvokeConfig(self, "Runs", function=self.function, retry_attempts=0, max_event_age=late)
        answer(runs, answers.SCHEDULE_DESTINATION)


def _rules(scope: Construct, settings: Settings) -> tuple[str, ...]:
    """Return the ARNs of the rules that it reads: the stack's, and in an organization those of other regions."""
    own = "arn:{partition}:events:{region}:{account}:rule"
    elsewhere = ("arn:{partition}:events:*:{account}:rule/*",) if settings.organization_id else ()
    return (f"{own}/*/{rule_prefix(scope)}*", f"{own}/{rule_prefix(scope)}*", *elsewhere)


def _optional(settings: Settings) -> dict[str, str]:
    """Return the variables of settings that may be empty."""
    given = {}
    if settings.severities:
        given["CAUSE_SEVERITIES"] = json.dumps(causes_by_severity(settings.severities), separators=(",", ":"))
    if settings.organization_account:
        given["PULL_RESPONDER_ORGANIZATION_ACCOUNT"] = settings.organization_account
    if settings.read_accounts:
        given["PULL_RESPONDER_READ_ACCOUNTS"] = json.dumps(settings.read_accounts)
    if settings.organization_id:
        given["PULL_RESPONDER_ORGANIZATION_ID"] = settings.organization_id
    return given
