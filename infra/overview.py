"""What shows at a glance how Pull Responder does: a dashboard, and saved queries of the functions' logs.

The dashboard has the metrics of AWS and those that the functions write: docs/operations.md, "Metrics". Source of the
queries' words: CloudWatch Logs User Guide, "CloudWatch Logs Insights query syntax". The functions log JSON, whose keys
Insights finds by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_

    from infra.event_queue import EventQueue
    from infra.findings_table import ExistingTable, FindingsTable

_NAMESPACE: Final = "PullResponder"
_OWN: Final = {"service": "pull-responder"}
_HOUR: Final = cdk.Duration.hours(1)
_WIDTH: Final = 12
_HEIGHT: Final = 6

# Each line of the functions' logs that is about a failure has its problem as `correlation_id`. The lines "counted" and
# "diagnosed" have the id of its latest event.
QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "What came of one event": (
        "fields @timestamp, message, correlation_id, event_id, findings, reason",
        'filter @message like "EVENT_ID" or correlation_id = "PROBLEM"',
        "sort @timestamp asc",
        "limit 200",
    ),
    "Diagnoses by cluster": (
        'filter message = "diagnosed"',
        "stats count(*) as diagnoses, count_distinct(correlation_id) as problems by cluster",
        "sort diagnoses desc",
    ),
    "What was not decided": (
        'filter message = "diagnosed" and ispresent(inconclusive)',
        "fields @timestamp, correlation_id, image, cluster, @message",
        "sort @timestamp desc",
        "limit 100",
    ),
    "What people were told": (
        'filter message = "notified"',
        "fields @timestamp, edge, correlation_id, seconds, @message",
        "sort @timestamp desc",
        "limit 100",
    ),
    "Errors": (
        'filter level in ["ERROR", "CRITICAL"]',
        "fields @timestamp, message, reason, about, correlation_id, exception",
        "sort @timestamp desc",
        "limit 100",
    ),
    "What does not work": (
        'filter message = "not as it should be"',
        "fields @timestamp, check, subject, state, found, meaning",
        "sort @timestamp desc",
        "limit 100",
    ),
}
"""The saved queries, by name: what each line of the query says."""


class Overview(Construct):
    """The saved queries, and the dashboard if `has_dashboard`."""

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.Function],
        queues: Mapping[str, EventQueue],
        table: FindingsTable | ExistingTable,
        has_dashboard: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        groups = [each.log_group for each in functions.values()]
        for name, lines in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                "".join(word.capitalize() for word in name.split()),
                name=f"{cdk.Aws.STACK_NAME}/{name}",
                query_string="\n| ".join(lines),
                log_group_names=[each.log_group_name for each in groups],
            )
        if has_dashboard:
            self._dashboard(functions, queues, table)

    def _dashboard(
        self,
        functions: Mapping[str, lambda_.Function],
        queues: Mapping[str, EventQueue],
        table: FindingsTable | ExistingTable,
    ) -> None:
        blind = _own("ResponderBlind", statistic="Maximum")
        sees = "Whether events can arrive (0: they can), and canaries"
        latency = [_own("NotificationSeconds", statistic=each) for each in ("p50", "p90", "Maximum")]
        calls = [_own("Calls"), _own("CallsThrottled")]
        of_lambda = [each.metric_throttles(period=_HOUR, label=f"{name} throttled") for name, each in functions.items()]
        waiting = [
            each.queue.metric_approximate_age_of_oldest_message(period=_HOUR, label=f"{name}, oldest in seconds")
            for name, each in queues.items()
        ]
        letters = [
            each.dead_letters.metric_approximate_number_of_messages_visible(period=_HOUR, label=f"{name}, dead letters")
            for name, each in queues.items()
        ]
        durations = [
            each.metric_duration(period=_HOUR, statistic="Sum", label=f"{name}, milliseconds")
            for name, each in functions.items()
        ]
        units = [
            _of_table(table.table_name, each) for each in ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
        ]
        sent = [
            each.queue.metric_number_of_messages_received(period=_HOUR, label=f"{name}, received")
            for name, each in queues.items()
        ]
        failures = (
            "MessagesFailed",
            "DiagnosesFailed",
            "NotificationsFailed",
            "SecurityHubRejections",
            "TableFailures",
        )
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.days(7))
        rows: Sequence[Sequence[cloudwatch.IWidget]] = (
            (
                _graph(sees, [blind, _own("CanariesSent"), _own("CanariesSeen")]),
                _by("What does not work, by check", "ThingsBroken", "check", statistic="Maximum"),
            ),
            (
                _graph("Events and problems", [_own("EventsReceived"), _own("PullsDiagnosed"), _own("EventsSkipped")]),
                _graph("Seconds from a failure to its first notification", latency),
            ),
            (
                _by("Findings opened, by cause", "FindingsOpened", "cause"),
                _by("Findings opened, by account", "FindingsOpened", "account"),
            ),
            (
                _by("Findings opened, by cluster", "FindingsOpened", "cluster"),
                _graph("Notifications", [_own("NotificationsSent"), _own("FindingsResolved")]),
            ),
            (
                _graph("Calls to AWS, and those that were throttled", [*calls, *of_lambda]),
                _graph("What waits", waiting, right=letters),
            ),
            (
                _graph("Failures of Pull Responder itself", [_own(each) for each in failures]),
                _graph("What costs: run time, messages, units of the table", [*durations, *sent], right=units),
            ),
        )
        for row in rows:
            dashboard.add_widgets(*row)


def _own(name: str, *, statistic: str = "Sum") -> cloudwatch.IMetric:
    label = name if statistic == "Sum" else f"{name} {statistic}"
    return cloudwatch.Metric(
        namespace=_NAMESPACE, metric_name=name, dimensions_map=_OWN, statistic=statistic, period=_HOUR, label=label
    )


def _of_table(table: str, name: str) -> cloudwatch.IMetric:
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=name,
        dimensions_map={"TableName": table},
        statistic="Sum",
        period=_HOUR,
        label=name,
    )


def _graph(
    title: str, left: Sequence[cloudwatch.IMetric], *, right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=list(left), right=list(right), width=_WIDTH, height=_HEIGHT)


def _by(title: str, name: str, dimension: str, *, statistic: str = "Sum") -> cloudwatch.IWidget:
    """Return a graph with a line for each value of a dimension, whichever there are.

    CloudWatch User Guide, "CloudWatch search expression syntax".
    """
    schema = f"{{{_NAMESPACE},service,{dimension}}}"
    search = f"SEARCH('{schema} MetricName=\"{name}\"', '{statistic}', {_HOUR.to_seconds()})"
    lines = cloudwatch.MathExpression(expression=search, label="", using_metrics={}, period=_HOUR)
    return cloudwatch.GraphWidget(title=title, left=[lines], width=_WIDTH, height=_HEIGHT)
