"""The function that sets up Security Hub when the stack is deployed, and what it sets up: insights, a custom action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from infra import scanner_answers as answers
from infra.change_rules import LOOK_AGAIN
from infra.responder_function import ResponderFunction
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

# Security Hub API Reference, CreateInsight: the grouping attributes are names of filters. User Guide, "Managed
# insights": AWS's own insights group by the account and by the resource. The function takes no other names than those
# that begin like these.
_GROUPED: Final = {
    "ByCause": ("Pull Responder: open findings by cause", "GeneratorId"),
    "ByAccount": ("Pull Responder: open findings by account", "AwsAccountId"),
    "ByResource": ("Pull Responder: open findings by resource", "ResourceId"),
}
_FILTERS: Final = {
    "GeneratorId": [{"Comparison": "PREFIX", "Value": "pull-responder/"}],
    "RecordState": [{"Comparison": "EQUALS", "Value": "ACTIVE"}],
}
_MEMORY_MEGABYTES: Final = 256
_TIMEOUT_SECONDS: Final = 60
# Where a run ends without an answer, Lambda makes two more, after one and two minutes (Lambda developer guide, "How
# Lambda handles errors and retries with asynchronous invocation"). CloudFormation would wait for an hour.
_PATIENCE_SECONDS: Final = 480


class HubSetup(ResponderFunction):
    """The function, and the custom resources that it serves. Where Security Hub is off, they are deployed all the same.

    `outcome` is known once the stack is deployed: "ready", or why something is not there.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name="hub_setup",
            description="Sets up insights and a custom action in AWS Security Hub when the stack is deployed",
            settings=settings,
            layer=layer,
            key=key,
            resources={},
            run=(),
            environment={},
            memory_size=_MEMORY_MEGABYTES,
            timeout_seconds=_TIMEOUT_SECONDS,
            concurrency_answer=answers.DEPLOYMENT_CONCURRENCY,
            function_answers=(answers.DEPLOYMENT_LETTERS,),
        )
        insights = [
            self._resource(name, "Insight", {"Name": title, "GroupByAttribute": attribute, "Filters": _FILTERS})
            for name, (title, attribute) in (_GROUPED.items() if settings.security_hub_insights else ())
        ]
        action = self._resource(
            "LookAgain",
            "Action",
            {
                "Id": LOOK_AGAIN,
                "Name": "Look again",
                "Description": "Check the findings of Pull Responder now",
                # So that one outcome is about all. And the action is looked at again where these change.
                "Others": [each.get_att_string("Outcome") for each in insights],
            },
        )
        self.outcome = action.get_att_string("Outcome")

    def _resource(self, name: str, kind: str, properties: Mapping[str, Any]) -> cdk.CustomResource:
        return cdk.CustomResource(
            self,
            name,
            resource_type=f"Custom::PullResponder{kind}",
            service_token=self.function.function_arn,
            service_timeout=cdk.Duration.seconds(_PATIENCE_SECONDS),
            properties=properties,
        )
