"""The function that reads image pull failures from the audit logs of EKS clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from infra import scanner_answers as answers
from infra.audit_log_pattern import FILTER_PATTERN
from infra.audit_log_stream import AuditLogStream
from infra.escape_hatch import cfn_resource
from infra.permissions import Grant
from infra.responder_function import ResponderFunction
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct

_MEMORY_MEGABYTES: Final = 256
# A batch takes seconds. The rest is for waiting while SQS fails: with the two retries of Lambda, more than ten minutes.
_TIMEOUT_SECONDS: Final = 240
# A record holds what CloudWatch Logs delivers at a time, which is at most 1 MB. Records of a shard wait for those that
# are tried again.
_STREAM_BATCH: Final = 100
_STREAM_WINDOW_SECONDS: Final = 5
_STREAM_RETRIES: Final = 5


class AuditLogFunction(ResponderFunction):
    """The function, and its subscription to the log group of each cluster in `settings.audit_log_clusters`.

    The function sends failures to `queue`. When a run fails, Lambda retries it, and then sends the batch to
    `dead_letters`. `stream`, if not None, is the stream of audit logs of the organization, which the function reads,
    too. Of a batch from it that fails, Lambda sends to `dead_letters` where it is in the stream, not what it holds.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        key: kms.IKey | None,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
        stream: AuditLogStream | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name="audit_log",
            description="Reads image pull failures from the audit logs of Amazon EKS clusters",
            settings=settings,
            layer=layer,
            key=key,
            resources={"queue": queue.queue_arn},
            # Lambda needs this to write to the dead-letter queue: Lambda developer guide, "Capturing records of
            # asynchronous invocations".
            run=(
                Grant(("sqs:SendMessage",), (dead_letters.queue_arn,)),
                # Sending to a queue with such a key needs these: SQS developer guide, "Key management".
                *([Grant(("kms:Decrypt", "kms:GenerateDataKey"), (key.key_arn,))] if key else []),
                *([stream.read] if stream else []),
            ),
            environment={"QUEUE_URL": queue.queue_url},
            memory_size=_MEMORY_MEGABYTES,
            timeout_seconds=_TIMEOUT_SECONDS,
            concurrency_answer=answers.LOG_CONCURRENCY,
        )
        # Not the construct's `dead_letter_queue`, which would add permissions to the role.
        function = cfn_resource(self.function, lambda_.CfnFunction)
        function.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=dead_letters.queue_arn)
        if stream:
            self._read_stream(stream, dead_letters)
        for cluster in settings.audit_log_clusters:
            self._subscribe(cluster)

    def _read_stream(self, stream: AuditLogStream, dead_letters: sqs.IQueue) -> None:
        """Let Lambda run the function for the stream's records. Not `add_event_source`: it would add permissions."""
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Stream",
            function_name=self.function.function_arn,
            event_source_arn=stream.stream.stream_arn,
            # What waits in the stream when the function is first deployed is read, too.
            starting_position="TRIM_HORIZON",
            batch_size=_STREAM_BATCH,
            maximum_batching_window_in_seconds=_STREAM_WINDOW_SECONDS,
            # The function names the first record that failed. Where it cannot, halves are tried.
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=_STREAM_RETRIES,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=dead_letters.queue_arn)
            ),
        )
        # Lambda checks the permissions when the mapping is made.
        mapping.node.add_dependency(self.role)

    def _subscribe(self, cluster: str) -> None:
        """Subscribe to a cluster's log group. EKS creates the log group; it is not part of this stack.

        The deployment fails when the log group does not exist, and when it already has two subscriptions.
        docs/operations.md says how to look first.
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
            f"{name} can have two subscriptions, and this is one. If it already has two, the deployment fails with "
            '"Resource limit exceeded". If audit logging is off, it fails with "log group does not exist". Look first: '
            f"aws logs describe-subscription-filters --log-group-name {name}",
        )
        # CloudWatch Logs invokes the function once when the subscription is created, so the permission comes first.
        subscription.add_dependency(permission)
