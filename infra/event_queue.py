"""A queue between event rules and a function, with its dead-letter queue and an alarm."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import scanner_answers as answers
from infra.scanner_answers import answer
from infra.settings import Settings

# The visibility timeout is six times the function's timeout, plus the batching window: Lambda developer guide, "Using
# Lambda with Amazon SQS".
_VISIBILITY_FACTOR = 6
# The longest that SQS accepts (API reference, SetQueueAttributes), for both queues: what waits while the function
# cannot run must not be lost before anybody has looked. The two weeks of a dead letter count from when it was first
# sent (SQS developer guide, "Using dead-letter queues").
_RETENTION = cdk.Duration.days(14)


class EventQueue(Construct):
    """A queue of events, and a dead-letter queue with an alarm that notifies `alarm_topic`.

    `batching_window_seconds` is how long Lambda gathers messages for one run of the function. Both queues keep a
    message for two weeks. The dead-letter queue gets the messages that the function has failed on `maxReceiveCount`
    times, and those that EventBridge cannot deliver to the queue. `key`, if not None, encrypts both queues, instead of
    a key that SQS owns.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        batching_window_seconds: int,
        alarm_topic: sns.ITopic,
        key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        encryption = sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=encryption,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_RETENTION,
        )
        failures = sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=settings.max_receive_count)
        self.visibility_timeout_seconds = settings.timeout_seconds * _VISIBILITY_FACTOR + batching_window_seconds
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=encryption,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_RETENTION,
            visibility_timeout=cdk.Duration.seconds(self.visibility_timeout_seconds),
            dead_letter_queue=failures,
        )
        no_key = () if key else (answers.QUEUE_KEY,)
        answer(self.dead_letters, answers.DEAD_LETTERS, *no_key)
        answer(self.queue, *no_key)
        alarm = cloudwatch.Alarm(
            self,
            "DeadLettersAlarm",
            alarm_description="Pull Responder could not handle an event. Look at its dead-letter queue and its log",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(1), statistic="Maximum"
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(alarm_topic))
