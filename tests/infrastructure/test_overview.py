"""The dashboard and the saved queries show what the functions write. Alarms have the topic that the settings say."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.overview import QUERIES
from infra.settings import Settings
from tests.infrastructure.conftest import synthesize

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

PACKAGE = Path(__file__).resolve().parents[2] / "lambdas" / "pull_responder"
LEVELS = {"info", "warning", "error", "exception"}
WRITERS = {"count", "count_by", "gauge", "measure", "_count"}
# What Lambda and Powertools write into each line, and what Insights finds by itself (CloudWatch Logs User Guide,
# "Supported logs and discovered fields").
OF_LAMBDA = {"timestamp", "message", "level", "exception", "type", "status"}


def written() -> set[str]:
    """The metrics that the functions write."""
    names = set()
    for path in (*PACKAGE.glob("handlers/*.py"), *PACKAGE.glob("responder/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node, "func", None)
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in WRITERS and node.args and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                names.add(str(node.args[0].value))  # type: ignore[attr-defined]
    return names


def logged() -> tuple[set[str], set[str]]:
    """The words of the functions' log lines, and the names of what stands beside them."""
    words, names = set(), {"correlation_id"}
    for path in (*PACKAGE.glob("handlers/*.py"), *PACKAGE.glob("responder/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS
            if is_call and node.args and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                words.add(str(node.args[0].value))  # type: ignore[attr-defined]
                names |= {each.arg for each in node.keywords if each.arg}  # type: ignore[attr-defined]
    return words, names


def body(stack: Synthesized) -> dict[str, Any]:
    """The dashboard, with "…" for what is known at deployment only."""
    parts = stack.one_of("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    text = "".join(each if isinstance(each, str) else "X" for each in parts)
    read: dict[str, Any] = json.loads(text)
    return read


def test_the_dashboard_shows_metrics_that_are_written(stack: Synthesized) -> None:
    widgets = body(stack)["widgets"]
    own = {
        metric[1] for widget in widgets for metric in widget["properties"]["metrics"] if metric[0] == "PullResponder"
    }
    searched = set(re.findall(r'MetricName=\\?"(\w+)\\?"', json.dumps(widgets).replace('\\\\"', '"')))
    assert {"ResponderBlind", "EventsReceived", "NotificationSeconds", "Calls", "CallsThrottled"} <= own
    assert searched == {"FindingsOpened", "ThingsBroken"}
    assert own | searched <= written()
    titles = [each["properties"]["title"] for each in widgets]
    for what in ("cause", "account", "cluster", "Seconds from a failure", "throttled", "costs", "Events and problems"):
        assert any(what in title for title in titles), what


def test_no_dashboard_where_that_is_said(tmp_path: Path) -> None:
    without = synthesize(tmp_path, Settings(dashboard=False))
    assert without.all_of("AWS::CloudWatch::Dashboard") == {}
    assert len(without.all_of("AWS::Logs::QueryDefinition")) == len(QUERIES)


def test_the_saved_queries_ask_the_log_of_each_function(subscribed: Synthesized) -> None:
    groups = {
        subscribed.named("AWS::Logs::LogGroup", each)[0] for each in ("Diagnose", "Recheck", "Examine", "AuditLog")
    }
    asked = [
        {group["Ref"] for group in each["LogGroupNames"]}
        for each in subscribed.all_of("AWS::Logs::QueryDefinition").values()
    ]
    assert asked == [groups] * len(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_asks_for_what_is_logged(name: str, stack: Synthesized) -> None:
    words, names = logged()
    lines = QUERIES[name]
    for quoted in re.findall(r'(?<!\w)message = "([^"]+)"', " ".join(lines)):
        assert quoted in words
    fields = {
        field.strip()
        for line in lines
        if line.startswith("fields ")
        for field in line.removeprefix("fields ").split(",")
    }
    assert {each for each in fields if not each.startswith("@")} <= names | OF_LAMBDA
    queries = stack.all_of("AWS::Logs::QueryDefinition").values()
    (deployed,) = [each for each in queries if json.dumps(each["Name"]).rstrip('"}]').endswith(f"/{name}")]
    assert deployed["QueryString"] == "\n| ".join(lines)
    assert len(deployed["LogGroupNames"]) == 3


@pytest.mark.parametrize("filters", [False, True])
def test_alarms_have_a_topic_of_their_own_where_that_is_said(*, filters: bool, tmp_path: Path) -> None:
    stack = synthesize(tmp_path, Settings(alarms_topic=True, filter_topics=filters))
    (topic, _) = stack.named("AWS::SNS::Topic", "FiltersAlarms" if filters else "AlarmTopic")
    alarms = stack.all_of("AWS::CloudWatch::Alarm")
    assert {json.dumps(each["AlarmActions"]) for each in alarms.values()} == {json.dumps([{"Ref": topic}])}
    assert stack.template["Outputs"]["AlarmsTopicArn"]["Value"] == {"Ref": topic}
    # CloudWatch may publish there, and no longer to the topic of notifications.
    allowed = {
        json.dumps(policy["Topics"])
        for policy in stack.all_of("AWS::SNS::TopicPolicy").values()
        if "cloudwatch.amazonaws.com" in json.dumps(policy)
    }
    assert allowed == {json.dumps([{"Ref": topic}])}
    policies = stack.named("AWS::IAM::Role", "ExamineRole")[1]["Policies"]
    (read,) = [each["PolicyDocument"]["Statement"] for each in policies if each["PolicyName"] == "read"]
    (subscribers,) = [each for each in read if "sns:ListSubscriptionsByTopic" in json.dumps(each["Action"])]
    assert {"Ref": topic} in subscribers["Resource"]
    assert len(subscribers["Resource"]) == 2
