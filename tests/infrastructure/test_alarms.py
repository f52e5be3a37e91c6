"""Whether somebody hears of it when Pull Responder itself fails. docs/operations.md describes each alarm."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

ROOT = Path(__file__).resolve().parents[2]
# What a function counts and what is no error.
NO_ERRORS = {
    *("EventsReceived", "EventsSkipped", "PullsDiagnosed", "FindingsFound", "PullsInconclusive", "NotificationsSent"),
    *("SecurityHubImports", "Rechecks", "FindingsResolved", "AuditRecordsRead", "AuditFailuresQueued"),
    *("SuppressionsIgnored", "ChangesUnread", "TestEvents", "Examinations", "CanariesSent", "CanariesSeen"),
    *("Calls", "CallsThrottled"),
    # The finding itself says that it is not in its own account.
    "SecurityHubFallbacks",
}
# What is counted where an organization has members alone: tests/infrastructure/test_organization.py.
OF_MEMBERS = {"ForwardedEventsRefused"}


def alarms_on(stack: Synthesized, namespace: str, metric: str) -> list[dict[str, Any]]:
    """Return the alarms on a metric."""
    alarms = stack.all_of("AWS::CloudWatch::Alarm").values()
    return [each for each in alarms if (each.get("Namespace"), each.get("MetricName")) == (namespace, metric)]


def dimension(alarm: dict[str, Any]) -> Any:  # noqa: ANN401 -- text, or one of CloudFormation's functions
    (only,) = alarm["Dimensions"]
    return only["Value"]


def test_every_alarm_tells_the_topic_and_is_quiet_without_data(subscribed: Synthesized) -> None:
    (topic,) = subscribed.all_of("AWS::SNS::Topic")
    alarms = subscribed.all_of("AWS::CloudWatch::Alarm")
    assert len(alarms) > 30
    assert [name for name, each in alarms.items() if each["AlarmActions"] != [{"Ref": topic}]] == []
    (blind,) = [name for name, each in alarms.items() if each.get("MetricName") == "ResponderBlind"]
    assert [name for name, each in alarms.items() if each["TreatMissingData"] != "notBreaching"] == [blind]
    # A new one has no data either, which is no change of its state. Later it says that nobody looks.
    assert (alarms[blind]["TreatMissingData"], alarms[blind]["Period"]) == ("missing", 3600)
    assert alarms[blind]["InsufficientDataActions"] == [{"Ref": topic}]
    assert [name for name, each in alarms.items() if each["ComparisonOperator"] != "GreaterThanThreshold"] == []


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_a_function_that_cannot_run_raises_an_alarm(metric: str, subscribed: Synthesized) -> None:
    alarms = alarms_on(subscribed, "AWS/Lambda", metric)
    # What fails in a deployment is shown by CloudFormation, to whoever deploys.
    at_deployment, _ = subscribed.named("AWS::Lambda::Function", "HubSetup")
    functions = set(subscribed.all_of("AWS::Lambda::Function")) - {at_deployment}
    assert {each["Ref"] for each in map(dimension, alarms)} == functions
    assert {(each["Threshold"], each["Statistic"]) for each in alarms} == {(0, "Sum")}
    examine, _ = subscribed.named("AWS::Lambda::Function", "Examine")
    looks = {
        dimension(each)["Ref"]: (each["DatapointsToAlarm"], each["EvaluationPeriods"], each["Period"])
        for each in alarms
    }
    # A run of it that fails is not tried again, and the next one is in an hour.
    assert looks.pop(examine) == ((1, 1, 300) if metric == "Errors" else (2, 3, 300))
    assert set(looks.values()) == {(2, 3, 300)}


def test_an_audit_log_that_is_lost_raises_an_alarm(subscribed: Synthesized, stack: Synthesized) -> None:
    name, _ = subscribed.named("AWS::Lambda::Function", "AuditLog")
    (alarm,) = alarms_on(subscribed, "AWS/Lambda", "DeadLetterErrors")
    assert dimension(alarm) == {"Ref": name}
    assert alarms_on(stack, "AWS/Lambda", "DeadLetterErrors") == []


def test_messages_that_nobody_takes_raise_an_alarm(subscribed: Synthesized) -> None:
    alarms = alarms_on(subscribed, "AWS/SQS", "ApproximateAgeOfOldestMessage")
    queues = {subscribed.named("AWS::SQS::Queue", name)[0] for name in ("EventsQueue", "ChangesQueue")}
    assert {each["Fn::GetAtt"][0] for each in map(dimension, alarms)} == queues
    for alarm in alarms:
        queue = subscribed.all_of("AWS::SQS::Queue")[dimension(alarm)["Fn::GetAtt"][0]]
        # Longer than two failed attempts take, and far shorter than messages are kept.
        assert 2 * queue["VisibilityTimeout"] < alarm["Threshold"] < queue["MessageRetentionPeriod"] / 24
        assert alarm["Statistic"] == "Maximum"


def test_notifications_that_do_not_arrive_raise_an_alarm(stack: Synthesized) -> None:
    (topic,) = stack.all_of("AWS::SNS::Topic")
    (alarm,) = alarms_on(stack, "AWS/SNS", "NumberOfNotificationsFailed")
    assert dimension(alarm) == {"Fn::GetAtt": [topic, "TopicName"]}


def test_each_rule_that_loses_events_raises_an_alarm(subscribed: Synthesized) -> None:
    alarms = alarms_on(subscribed, "AWS/Events", "FailedInvocations")
    rules = [each["Name"] for each in subscribed.all_of("AWS::Events::Rule").values()]
    assert sorted(map(dimension, alarms)) == sorted(rules)


def counted() -> set[str]:
    """Return the names of the metrics that the functions' code counts: `….count("Name")`, `_count("Name", …)`."""
    names = set()
    for folder in ("handlers", "responder"):
        for path in (ROOT / "lambdas" / "pull_responder" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                    continue
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in {"count", "_count"}:
                    names.add(str(node.args[0].value))
    return names


def test_each_error_that_the_functions_count_raises_an_alarm(stack: Synthesized) -> None:
    errors = counted() - NO_ERRORS
    assert {"SecurityHubRejections", "NotificationsFailed", "DiagnosesFailed", "AuditBatchesUnusable"} <= errors
    alarms = [each for each in stack.all_of("AWS::CloudWatch::Alarm").values() if each["Namespace"] == "PullResponder"]
    assert {each["MetricName"] for each in alarms} == (errors - OF_MEMBERS) | {"ResponderBlind"}
    assert {dimension(each) for each in alarms} == {"pull-responder"}


def test_the_operators_guide_describes_every_alarm(subscribed: Synthesized) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    _, _, after = guide.partition("\n## Alarms\n")
    section = after.partition("\n## ")[0]
    metrics = {each["MetricName"] for each in subscribed.all_of("AWS::CloudWatch::Alarm").values()}
    assert [metric for metric in sorted(metrics) if f"`{metric}`" not in section] == []


def test_the_operators_guide_gives_the_price_of_all_alarms(stack: Synthesized) -> None:
    number = len(stack.all_of("AWS::CloudWatch::Alarm"))
    assert f"{number} alarms ${number / 10:.2f}: " in (ROOT / "docs" / "operations.md").read_text()
