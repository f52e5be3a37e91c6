"""Alarms that say when Pull Responder itself fails: without them, nobody would know that nothing is seen any more.

Each publishes to the topic of notifications when it goes off. docs/operations.md says what each means and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sns as sns

    from infra.event_queue import EventQueue

TELLS_WITHOUT_DATA: Final = "Blind"
"""The construct id of the alarm that also acts when it has no data."""

_PERIOD: Final = cdk.Duration.minutes(5)
# The stream keeps records for 24 hours. A quarter of that leaves time to look.
_STREAM_HOURS: Final = 6
_MILLISECONDS_OF_AN_HOUR: Final = 3_600_000
# The errors that the functions count themselves, with the alarm's description. pull_responder.handlers has the
# namespace and the dimension. Errors in a run itself have the alarm on the function's errors.
_OWN_NAMESPACE: Final = "PullResponder"
_OWN_DIMENSION: Final = {"service": "pull-responder"}
_OWN_ERRORS: Final[Mapping[str, str]] = {
    "MessagesFailed": "Messages could not be handled. They are tried again, and end as dead letters",
    "DiagnosesFailed": "A diagnosis ended in an error of Pull Responder itself",
    "LooksFailed": "A recheck ended in an error of Pull Responder itself",
    "NotificationsFailed": "SNS did not accept a notification",
    "SecurityHubRejections": "Security Hub did not accept findings",
    "TableFailures": "The findings table did not answer",
    "ItemsUnusable": "The findings table holds an item that cannot be read",
    "AuditRecordsUnreadable": "A record of an audit log could not be read",
    "AuditBatchesUnusable": "What CloudWatch Logs delivered of an audit log could not be read",
}
# Those that a hub of an organization counts besides.
_ERRORS_OF_MEMBERS: Final[Mapping[str, str]] = {
    "ForwardedEventsRefused": "Events that name another account than the one that sent them were refused",
}


class Alarms(Construct):
    """The alarms. Each method adds those on one part of the stack. All publish to `topic`."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        self._action = actions.SnsAction(topic)

    def watch_function(self, name: str, function: lambda_.IFunction, *, is_tried_again: bool = True) -> None:
        """Add alarms on a function's runs that fail, and on those that Lambda refuses or drops.

        `is_tried_again` says whether a run that failed is.
        """
        # A failed run is tried again. One alone is no reason to wake anybody: two of three periods.
        datapoints, periods = 2, 3
        # Of a function that runs once an hour, two of three periods never have a failure.
        failed = (datapoints, periods) if is_tried_again else (1, 1)
        self._add(
            f"{name}Errors",
            f"The function {name} fails",
            function.metric_errors(period=_PERIOD, statistic="Sum"),
            datapoints=failed[0],
            periods=failed[1],
        )
        self._add(
            f"{name}Throttles",
            f"Lambda has no room to run the function {name}",
            function.metric_throttles(period=_PERIOD, statistic="Sum"),
            datapoints=datapoints,
            periods=periods,
        )

    def watch_asynchronous_function(self, name: str, function: lambda_.IFunction) -> None:
        """Add those of `watch_function`, and one on events that Lambda could not put among the dead letters."""
        self.watch_function(name, function)
        lost = function.metric("DeadLetterErrors", period=_PERIOD, statistic="Sum")
        self._add(f"{name}Lost", f"What the function {name} could not handle is lost", lost)

    def watch_stream(self, name: str, function: lambda_.IFunction) -> None:
        """Add an alarm on records of a stream that the function does not get to."""
        age = function.metric("IteratorAge", period=_PERIOD, statistic="Maximum")
        longest = _STREAM_HOURS * _MILLISECONDS_OF_AN_HOUR
        self._add(f"{name}Behind", f"The function {name} does not keep up with its stream", age, threshold=longest)

    def watch_queue(self, name: str, events: EventQueue) -> None:
        """Add an alarm on messages that nobody takes, such as when the event source mapping is disabled."""
        age = events.queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="Maximum")
        # Two failed attempts take two visibility timeouts. SQS leaves out of this metric what was received three times.
        longest = events.visibility_timeout_seconds * 3
        self._add(f"{name}Waiting", f"The messages in the queue of {name} are not handled", age, threshold=longest)

    def watch_topic(self, topic: sns.ITopic) -> None:
        """Add an alarm on notifications that SNS could not deliver to a subscriber."""
        failed = topic.metric_number_of_notifications_failed(period=_PERIOD, statistic="Sum")
        self._add("Undelivered", "SNS could not deliver a notification to a subscriber", failed)

    def watch_rules(self, names: Iterable[str], *, bus_name: str | None = None) -> None:
        """Add for each rule an alarm on events that EventBridge could neither deliver nor put among the dead letters.

        `bus_name` is the bus that the rules are on, if it is not the default bus. EventBridge has this metric by rule
        only, and by bus and rule for other buses (user guide, "Monitoring Amazon EventBridge").
        """
        for name in names:
            failed = cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": name, **({"EventBusName": bus_name} if bus_name else {})},
                period=_PERIOD,
                statistic="Sum",
            )
            self._add(f"Rule{name}", f"Events of the rule {name} are lost", failed)

    def watch_own_metrics(self, *, has_members: bool = False) -> None:
        """Add an alarm on each kind of error that the functions count, with those of a hub if it `has_members`."""
        errors = {**_OWN_ERRORS, **(_ERRORS_OF_MEMBERS if has_members else {})}
        for name, description in errors.items():
            counted = cloudwatch.Metric(
                namespace=_OWN_NAMESPACE,
                metric_name=name,
                dimensions_map=_OWN_DIMENSION,
                period=_PERIOD,
                statistic="Sum",
            )
            self._add(name, description, counted)

    def watch_examination(self, function: lambda_.IFunction, *, rule: str) -> None:
        """Add the alarms on the function that looks whether all works, and on what it sees.

        That on events that cannot arrive also goes off when nobody has looked for some hours.

        The function that looks writes the metric every hour. Without data the alarm is in state INSUFFICIENT_DATA, as a
        new one is. CloudWatch acts when a state changes (User Guide, "Alarm actions").
        """
        self.watch_function("Examine", function, is_tried_again=False)
        self.watch_rules([rule])
        counted = cloudwatch.Metric(
            namespace=_OWN_NAMESPACE,
            metric_name="ResponderBlind",
            dimensions_map=_OWN_DIMENSION,
            period=cdk.Duration.hours(1),
            statistic="Maximum",
        )
        alarm = self._add(
            TELLS_WITHOUT_DATA,
            "Events cannot arrive, or nobody has looked for hours whether they can",
            counted,
            missing=cloudwatch.TreatMissingData.MISSING,
        )
        alarm.add_insufficient_data_action(self._action)

    def _add(  # noqa: PLR0913 -- all but the first three have defaults
        self,
        name: str,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: int = 0,
        datapoints: int = 1,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f'Pull Responder: {description}. docs/operations.md, "Alarms", says what to do',
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            datapoints_to_alarm=datapoints,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        return alarm
