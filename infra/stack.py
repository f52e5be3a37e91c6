"""The stack of one Pull Responder and nothing else, with its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from infra.responder import PullResponder
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct


class PullResponderStack(cdk.Stack):
    """A stack with a PullResponder, which is `responder`. The outputs say what an operator needs to know of it.

    `env`, `stack_name`, `synthesizer` and `termination_protection` are those of cdk.Stack.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings | None = None,
        env: cdk.Environment | None = None,
        stack_name: str | None = None,
        synthesizer: cdk.IStackSynthesizer | None = None,
        termination_protection: bool | None = None,
    ) -> None:
        settings = settings or Settings()
        super().__init__(
            scope,
            construct_id,
            tags=dict(settings.tags),
            description="Pull Responder: why a pod on Amazon EKS cannot pull its image from Amazon ECR, and the fix",
            env=env,
            stack_name=stack_name,
            synthesizer=synthesizer,
            termination_protection=termination_protection,
        )
        # CDK leaves "Default" out of logical ids: the resources have the same ones as when they stood in the stack
        # itself. Any other name would replace all of them, the table and the topic too.
        self.responder = PullResponder(self, "Default", settings=settings)
        self._say_what_is_there(self.responder)
        self._say_what_is_optional(self.responder, settings)

    def _say_what_is_there(self, responder: PullResponder) -> None:
        for name, value, description in (
            ("TopicArn", responder.topic.topic_arn, "The topic of notifications"),
            ("QueueUrl", responder.events.queue.queue_url, "The queue of failures to diagnose"),
            (
                "DeadLetterQueueUrl",
                responder.events.dead_letters.queue_url,
                "The dead-letter queue of failures that could not be handled",
            ),
            ("ChangesQueueUrl", responder.changes.queue.queue_url, "The queue of changes that may have fixed a fault"),
            (
                "ChangesDeadLetterQueueUrl",
                responder.changes.dead_letters.queue_url,
                "The dead-letter queue of changes that could not be handled",
            ),
            ("TableName", responder.table.table_name, "The table of findings"),
            ("DiagnoseFunctionName", responder.diagnose.function.function_name, "The function that diagnoses"),
            (
                "RecheckFunctionName",
                responder.recheck.function.function_name,
                "The function that checks whether open findings are fixed",
            ),
            (
                "ResponderRoleArns",
                responder.role_arns,
                "The roles of both functions, with which they read other accounts",
            ),
            (
                "MemberRoleCommand",
                responder.member_role_command,
                (
                    "Run this with the credentials of another account to let the functions read there. If another stack"
                    " reads that account, too, join the ResponderRoleArns of both by a comma, or that stack loses it"
                ),
            ),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)

    def _say_what_is_optional(self, responder: PullResponder, settings: Settings) -> None:
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
        if responder.organization:
            for name, value, description in (
                ("EventBusArn", responder.organization.bus_arn, "The bus that members forward their events to"),
                (
                    "StackSetCommand",
                    responder.organization.stack_set_command,
                    "Run this in the root of the repository. In the management account, --call-as SELF",
                ),
                (
                    "StackInstancesCommand",
                    responder.organization.stack_instances_command,
                    "Run this next, with your organizational units and all regions that have clusters or registries",
                ),
            ):
                cdk.CfnOutput(self, name, value=value, description=description)
        if responder.hub:
            cdk.CfnOutput(
                self,
                "SecurityHubSetup",
                value=responder.hub.outcome,
                description='"ready", or why the insights and the action "Look again" are not in Security Hub',
            )
        if responder.filters:
            for name, arn, description in (
                (
                    "FilteredTopicArn",
                    responder.filters.filtered.topic_arn,
                    "The topic of notifications for filters",
                ),
                ("AlarmsTopicArn", responder.filters.alarms.topic_arn, "The topic of alarms alone"),
            ):
                cdk.CfnOutput(self, name, value=arn, description=description)
