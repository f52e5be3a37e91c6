"""The EventBridge rules that bring failures to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping

# Amazon ECR API calls are read-only management events, which a rule in state ENABLED does not get.
# EventBridge user guide, "Receiving read-only management events from AWS services".
_STATE: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# CloudTrail records show the first; the second is the name that the ECR API gives its clients.
_DENIED: Final = ["AccessDenied", "AccessDeniedException"]


def _denied_calls(*names: str) -> Mapping[str, Any]:
    return {
        "source": ["aws.ecr"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["ecr.amazonaws.com"], "eventName": list(names), "errorCode": _DENIED},
    }


# One rule a kind of failure, so that each has its own metrics and can be switched off by itself: a denied token
# stops every pull of its node, a denied image call those of one repository. BatchCheckLayerAvailability is left
# out, because a pull does not fail without it.
RULES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "EcrTokenDenied": ("A registry token was refused", _denied_calls("GetAuthorizationToken")),
    "EcrImageDenied": ("An image was refused", _denied_calls("BatchGetImage", "GetDownloadUrlForLayer")),
}


class EventRules(Construct):
    """Every rule of RULES, with `queue` as its target and `dead_letters` for what cannot be delivered there."""

    def __init__(self, scope: Construct, construct_id: str, *, queue: sqs.IQueue, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        for name, (description, pattern) in RULES.items():
            rule = events.Rule(
                self,
                name,
                description=description,
                event_pattern=events.EventPattern(
                    source=pattern["source"], detail_type=pattern["detail-type"], detail=pattern["detail"]
                ),
                targets=[targets.SqsQueue(queue, dead_letter_queue=dead_letters, max_event_age=cdk.Duration.hours(24))],
            )
            resource = rule.node.default_child
            if not isinstance(resource, events.CfnRule):
                raise TypeError(f"a rule is a {type(resource).__name__}, not a CfnRule")
            resource.state = _STATE
