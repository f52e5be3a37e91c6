"""The function that picks image pull failures out of the clusters' audit logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from infra.escape_hatch import cfn_resource
from infra.permissions import Grant
from infra.responder_function import ResponderFunction
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct

# Records that hold one of these words. A term pattern, as JSON patterns see only numbered elements of an array, and
# OR is all that "?" terms can be joined by; what else holds such a word is sorted out by the function. No regular
# expression, because a log group takes five patterns with them (CloudWatch Logs User Guide, "Filter pattern syntax").
FILTER_PATTERN: Final = "?ErrImagePull ?ImagePullBackOff ?InvalidImageName ?RegistryUnavailable"

_MEMORY_SIZE: Final = 256
_TIMEOUT_SECONDS: Final = 60


class AuditLogFunction(ResponderFunction):
    """The function, subscribed to the log group of every cluster that the settings name.

    A batch that it cannot hand on is tried again by Lambda, and then kept in `dead_letters`.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only but for what every construct takes
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name="audit_log",
            description="Picks image pull failures out of the audit logs of Amazon EKS clusters",
            settings=settings,
            layer=layer,
            resources={"queue": queue.queue_arn},
            # Lambda developer guide, "Capturing records of asynchronous invocations": what a dead-letter queue needs.
            run=(Grant(("sqs:SendMessage",), (dead_letters.queue_arn,)),),
            environment={"QUEUE_URL": queue.queue_url},
            memory_size=_MEMORY_SIZE,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        # Not the construct's `dead_letter_queue`, which would add permissions to the role.
        function = cfn_resource(self.function, lambda_.CfnFunction)
        function.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=dead_letters.queue_arn)
        for cluster in settings.audit_log_clusters:
            self._subscribe(cluster)

    def _subscribe(self, cluster: str) -> None:
        """Subscribe to a cluster's log group, which EKS has made and which is none of this stack's.

        Deployment fails where the log group does not exist, or has its two subscriptions already: docs/operations.md
        says how to look.
        """
        name = f"/aws/eks/{cluster}/cluster"
        arn = f"arn:{cdk.Aws.PARTITION}:logs:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:log-group:{name}:*"
        permission = lambda_.CfnPermission(
            self,
            f"Invoke{cluster}",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="logs.amazonaws.com",
            source_account=cdk.Aws.ACCOUNT_ID,
            source_arn=arn,
        )
        subscription = logs.CfnSubscriptionFilter(
            self,
            f"Subscription{cluster}",
            destination_arn=self.function.function_arn,
            filter_name="pull-responder",
            filter_pattern=FILTER_PATTERN,
            log_group_name=name,
        )
        cdk.Annotations.of(subscription).add_info_v2(
            f"pull-responder:audit-log:{cluster}",
            f"{name} takes two subscriptions, and this is one. If both are taken, the deployment fails here with "
            '"Resource limit exceeded"; if audit logging is off, with "log group does not exist". See first: '
            f"aws logs describe-subscription-filters --log-group-name {name}",
        )
        # CloudWatch Logs tries the function when it is subscribed.
        subscription.add_dependency(permission)
