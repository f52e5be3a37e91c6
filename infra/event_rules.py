"""The EventBridge rules on failed pulls, and on changes that can make pulls fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from infra.queue_rules import QueueRules
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

# ECR's API calls are read-only management events. A rule in state ENABLED does not receive those.
# EventBridge user guide, "Receiving read-only management events from AWS services".
_STATE: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# CloudTrail records have the code AccessDenied. The ECR API gives its clients AccessDeniedException. Network activity
# events of VPC endpoints have VpceAccessDenied.
# EventBridge user guide, "AWS service events delivered via AWS CloudTrail".
_CALLS: Final = ["AWS API Call via CloudTrail", "AWS Network Activity Event via CloudTrail"]
_DENIED: Final = [{"prefix": "AccessDenied"}, {"prefix": "VpceAccessDenied"}]
# The reasons of kubelet's events that can be about an image.
_KUBERNETES_REASONS: Final = ["Failed", "FailedCreatePodSandBox", "BackOff"]


def _denied_calls(*names: str) -> events.EventPattern:
    return events.EventPattern(
        source=["aws.ecr"],
        detail_type=_CALLS,
        detail={"eventSource": ["ecr.amazonaws.com"], "eventName": list(names), "errorCode": _DENIED},
    )


# The EKS calls that change how nodes pull, by their names in the API. CloudTrail uses the same names.
_EKS_CHANGES: Final = [
    "CreateCluster",
    "CreateFargateProfile",
    "CreateNodegroup",
    "UpdateClusterConfig",
    "UpdateNodegroupConfig",
    "UpdateNodegroupVersion",
]

# One rule for each kind of failure: each has its own metrics, and can be disabled alone. A denied token stops every
# pull of its node. A denied image call stops the pulls of one repository. BatchCheckLayerAvailability is not in the
# list, because a pull does not fail without it.
_DENIALS: Final[Mapping[str, tuple[str, events.EventPattern]]] = {
    "EcrTokenDenied": ("A registry token was refused", _denied_calls("GetAuthorizationToken")),
    "EcrImageDenied": ("An image was refused", _denied_calls("BatchGetImage", "GetDownloadUrlForLayer")),
}
# What `pull-responder test-event` sends: pull_responder.events.trial has the same words. Whoever may call PutEvents can
# send it, too; the functions answer few.
_TEST: Final = events.EventPattern(
    source=["pull-responder.test"], detail_type=["Pull Responder test"], account=[cdk.Aws.ACCOUNT_ID]
)
# A rule in state ENABLED receives these: ECR's own events, and management events that are not read-only.
_CHANGES: Final[Mapping[str, tuple[str, events.EventPattern]]] = {
    "PullThroughCacheFailed": (
        "A pull through cache could not fetch an image",
        events.EventPattern(
            source=["aws.ecr"],
            detail_type=["ECR Pull Through Cache Action"],
            # The user guide shows the event of a success only. In EventBridge's schema the code and the reason of a
            # failure are optional. So the rule matches every status except success.
            detail={"sync-status": [{"anything-but": "SUCCESS"}]},
        ),
    ),
    # Events that EKS itself sends: Amazon EventBridge events reference, "Amazon Elastic Kubernetes Service events".
    "AddonFailed": (
        "An add-on could not be created or updated, or is degraded",
        events.EventPattern(
            source=["aws.eks"],
            detail_type=["EKS Addon Creation Failed", "EKS Addon Update Failed", "EKS Addon Health Degraded"],
        ),
    ),
    "EksChanged": (
        "A cluster, node group or Fargate profile was created or changed",
        events.EventPattern(
            source=["aws.eks"],
            detail_type=["AWS API Call via CloudTrail"],
            detail={
                "eventSource": ["eks.amazonaws.com"],
                "eventName": _EKS_CHANGES,
                "errorCode": [{"exists": False}],
            },
        ),
    ),
}


class EventRules(QueueRules):
    """Every rule on a failure, and the one on test events.

    `settings.health_check_rate` adds the schedule of health checks, `settings.forwarded_event_source` the rule on
    Kubernetes events.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, queue=queue, dead_letters=dead_letters)
        for name, (description, pattern) in _DENIALS.items():
            self.add_rule(name, description, pattern).state = _STATE
        for name, (description, pattern) in _CHANGES.items():
            self.add_rule(name, description, pattern)
        self.add_rule("TestEvent", "Somebody tests whether this deployment works", _TEST)
        if settings.forwarded_event_source:
            pattern = events.EventPattern(
                source=[settings.forwarded_event_source],
                account=[cdk.Aws.ACCOUNT_ID],
                detail={"reason": _KUBERNETES_REASONS},
            )
            self.add_rule("KubernetesEvents", "A forwarder put a Kubernetes event about an image on the bus", pattern)
        if settings.health_check_rate:
            description = "Time to check the health of node groups and Fargate profiles"
            self.add_schedule("HealthCheck", description, settings.health_check_rate)
