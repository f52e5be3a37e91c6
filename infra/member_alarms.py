"""The rule that tells subscribers of alarms in an organization's other accounts and regions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import scanner_answers as answers
from infra.organization import BUS_NAME, alarm_name
from infra.queue_rules import short_name
from infra.scanner_answers import answer

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADVICE: Final = "docs/organization.md says what to do"


class MemberAlarms(Construct):
    """A rule on the organization's bus that publishes each alarm of a member to `topics`, encrypted with `key`.

    The rule matches one name of an alarm, and the message has none of a member's words: an alarm's description, and the
    reason of a state that was set by hand, can be any text. The message has the names of CloudWatch's own messages.

    The rule publishes with a role. Without one, the topics' policies would have to let every rule of EventBridge
    publish: they can have no condition for it (docs/adr/0152-alarms-of-members.md).

    - `name`: the rule's name
    """

    def __init__(self, scope: Construct, construct_id: str, *, topics: Iterable[sns.ITopic], key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        arns = [each.topic_arn for each in topics]
        role = iam.Role(
            self,
            "Role",
            description="Lets EventBridge publish alarms of other accounts and regions of the organization",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            inline_policies={
                "publish": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["sns:Publish"], resources=arns),
                        # SNS developer guide, "Key management".
                        iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn]),
                    ]
                )
            },
        )
        answer(role, answers.INLINE_POLICIES)
        alarm = alarm_name(stack.account, stack.region)
        message = events.CfnRule.InputTransformerProperty(
            input_paths_map={each: f"$.{each}" for each in ("account", "region", "time")},
            input_template=_message(
                AlarmName=alarm,
                AlarmDescription=f"Pull Responder: events of <account> in <region> were not forwarded. {_ADVICE}",
                AWSAccountId="<account>",
                NewStateValue="ALARM",
                Region="<region>",
                StateChangeTime="<time>",
            ),
        )
        self.name = f"{short_name(stack)}-{construct_id}"
        rule = events.CfnRule(
            self,
            "Rule",
            name=self.name,
            description="Another account or region of the organization could not forward an event",
            event_bus_name=BUS_NAME,
            state="ENABLED",
            event_pattern={
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "detail": {"alarmName": [alarm], "state": {"value": ["ALARM"]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id=f"Topic{number}", arn=arn, role_arn=role.role_arn, input_transformer=message
                )
                for number, arn in enumerate(arns)
            ],
        )
        answer(rule, answers.TOLD_BY_RULE)


def _message(**fields: str) -> str:
    """Return the template of a JSON object. In it, a value that is a variable alone has no quotes.

    EventBridge user guide, "Transforming Amazon EventBridge target input".
    """
    places = {f'"<{each}>"': f"<{each}>" for each in ("account", "region", "time")}
    text = json.dumps(fields)
    for quoted, bare in places.items():
        text = text.replace(quoted, bare)
    return text
