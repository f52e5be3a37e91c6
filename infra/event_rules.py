"""The EventBridge rules that bring failures to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# Amazon ECR API calls are read-only management events, which a rule in state ENABLED does not get.
# EventBridge user guide, "Receiving read-only management events from AWS services".
_STATE: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# CloudTrail records show the first; the second is the name that the ECR API gives its clients.
_DENIED: Final = ["AccessDenied", "AccessDeniedException"]
# Reasons of kubelet's events that can be about an image.
_KUBERNETES_REASONS: Final = ["Failed", "FailedCreatePodSandBox", "BackOff"]


def _denied_calls(*names: str) -> Mapping[str, Any]:
    return {
        "source": ["aws.ecr"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["ecr.amazonaws.com"], "eventName": list(names), "errorCode": _DENIED},
    }


# CloudTrail gives its events the service's name of the API; these calls change how nodes come to pull.
_EKS_CHANGES: Final = [
    "CreateCluster",
    "CreateFargateProfile",
    "CreateNodegroup",
    "UpdateClusterConfig",
    "UpdateNodegroupConfig",
    "UpdateNodegroupVersion",
]

# One rule a kind of failure, so that each has its own metrics and can be switched off by itself: a denied token
# stops every pull of its node, a denied image call those of one repository. BatchCheckLayerAvailability is left
# out, because a pull does not fail without it.
_DENIALS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "EcrTokenDenied": ("A registry token was refused", _denied_calls("GetAuthorizationToken")),
    "EcrImageDenied": ("An image was refused", _denied_calls("BatchGetImage", "GetDownloadUrlForLayer")),
}
# What a rule in state ENABLED gets: ECR's own events, and management events that change something.
_CHANGES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "PullThroughCacheFailed": (
        "A pull through cache could not fetch an image",
        {
            "source": ["aws.ecr"],
            "detail-type": ["ECR Pull Through Cache Action"],
            # The user guide shows the event of a success alone, and EventBridge's schema has the failure's code and
            # reason as optional: what is no success is taken.
            "detail": {"sync-status": [{"anything-but": "SUCCESS"}]},
        },
    ),
    "EksChanged": (
        "A cluster, node group or Fargate profile was made or changed",
        {
            "source": ["aws.eks"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {
                "eventSource": ["eks.amazonaws.com"],
                "eventName": _EKS_CHANGES,
                "errorCode": [{"exists": False}],
            },
        },
    ),
}


class EventRules(Construct):
    """Every rule, with `queue` as its target and `dead_letters` for what cannot be delivered there."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._target = targets.SqsQueue(queue, dead_letter_queue=dead_letters, max_event_age=cdk.Duration.hours(24))
        for name, (description, pattern) in _DENIALS.items():
            resource = self._rule(name, description, pattern).node.default_child
            if not isinstance(resource, events.CfnRule):
                raise TypeError(f"a rule is a {type(resource).__name__}, not a CfnRule")
            resource.state = _STATE
        for name, (description, pattern) in _CHANGES.items():
            self._rule(name, description, pattern)
        if settings.forwarded_event_source:
            pattern = {
                "source": [settings.forwarded_event_source],
                "account": [cdk.Aws.ACCOUNT_ID],
                "detail": {"reason": _KUBERNETES_REASONS},
            }
            self._rule("KubernetesEvents", "A forwarder put a Kubernetes event about an image on the bus", pattern)
        if settings.health_check_rate:
            events.Rule(
                self,
                "HealthCheck",
                description="Time to look at the health of node groups and Fargate profiles",
                schedule=events.Schedule.expression(settings.health_check_rate),
                targets=[self._target],
            )

    def _rule(self, name: str, description: str, pattern: Mapping[str, Any]) -> events.Rule:
        return events.Rule(
            self,
            name,
            description=description,
            event_pattern=events.EventPattern(
                source=pattern["source"],
                account=pattern.get("account"),
                detail_type=pattern.get("detail-type"),
                detail=pattern["detail"],
            ),
            targets=[self._target],
        )
