"""The patterns of events about failed pulls, and about changes that can make pulls fail, as EventBridge reads them.

The rules of the stack have them, those of an organization's bus, and those of its members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.rule_pattern import CALL, RulePattern, succeeded

if TYPE_CHECKING:
    from collections.abc import Mapping

# CloudTrail records have the code AccessDenied. The ECR API gives its clients AccessDeniedException. Network activity
# events of VPC endpoints have VpceAccessDenied.
# EventBridge user guide, "AWS service events delivered via AWS CloudTrail".
_CALLS: Final = [CALL, "AWS Network Activity Event via CloudTrail"]
_DENIED: Final = [{"prefix": "AccessDenied"}, {"prefix": "VpceAccessDenied"}]
# The EKS calls that change how nodes pull, by their names in the API. CloudTrail uses the same names.
EKS_CHANGES: Final = [
    "CreateCluster",
    "CreateFargateProfile",
    "CreateNodegroup",
    "UpdateClusterConfig",
    "UpdateNodegroupConfig",
    "UpdateNodegroupVersion",
]


def _denied_calls(description: str, *names: str) -> RulePattern:
    return RulePattern(
        description,
        {
            "source": ["aws.ecr"],
            "detail-type": _CALLS,
            "detail": {"eventSource": ["ecr.amazonaws.com"], "eventName": list(names), "errorCode": _DENIED},
        },
        reads=True,
    )


# One rule for each kind of failure: each has its own metrics, and can be disabled alone. A denied token stops every
# pull of its node. A denied image call stops the pulls of one repository. BatchCheckLayerAvailability is not in the
# list, because a pull does not fail without it.
FAILURES: Final[Mapping[str, RulePattern]] = {
    "EcrTokenDenied": _denied_calls("A registry token was refused", "GetAuthorizationToken"),
    "EcrImageDenied": _denied_calls("An image was refused", "BatchGetImage", "GetDownloadUrlForLayer"),
    # A rule in state ENABLED receives these: ECR's own events, and management events that are not read-only.
    "PullThroughCacheFailed": RulePattern(
        "A pull through cache could not fetch an image",
        {
            "source": ["aws.ecr"],
            "detail-type": ["ECR Pull Through Cache Action"],
            # The user guide shows the event of a success only. In EventBridge's schema the code and the reason of a
            # failure are optional. So the rule matches every status except success.
            "detail": {"sync-status": [{"anything-but": "SUCCESS"}]},
        },
    ),
    # Events that EKS itself sends: Amazon EventBridge events reference, "Amazon Elastic Kubernetes Service events".
    "AddonFailed": RulePattern(
        "An add-on could not be created or updated, or is degraded",
        {
            "source": ["aws.eks"],
            "detail-type": ["EKS Addon Creation Failed", "EKS Addon Update Failed", "EKS Addon Health Degraded"],
        },
    ),
    "EksChanged": RulePattern(
        "A cluster, node group or Fargate profile was created or changed",
        {"source": ["aws.eks"], "detail-type": [CALL], "detail": succeeded("eks", EKS_CHANGES)},
    ),
}
# The reasons of kubelet's events that can be about an image.
KUBERNETES_REASONS: Final = ["Failed", "FailedCreatePodSandBox", "BackOff"]
KUBERNETES_EVENTS: Final = "A forwarder put a Kubernetes event about an image on the bus"
