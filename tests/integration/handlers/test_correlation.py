"""From an event to its notification, each line of the log has one id, and the metrics say how long it took."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.handlers import diagnose
from tests.integration.handlers.test_diagnose import Context, batch, denial, failed, inbox, metrics, node

if TYPE_CHECKING:
    from tests.integration.handlers.test_diagnose import Inbox

__all__ = ["inbox", "node"]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the function logs, as CloudWatch Logs gets it."""
    stream = StringIO()
    monkeypatch.setattr(diagnose.logger.registered_handler, "stream", stream)
    return stream


def lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_event_can_be_followed_to_its_notification(inbox: Inbox, node: tuple[str, str], log: StringIO) -> None:
    event = denial(*node)
    event["detail"]["eventID"] = "11111111-2222-3333-4444-555555555555"
    assert failed(diagnose.handler(batch(event, denial("other-role", node[1])), Context())) == []

    logged = lines(log)
    (counted,) = [each for each in logged if each["message"] == "counted"]
    (problem,) = [each for each, event_id in counted["latest"].items() if event_id == event["detail"]["eventID"]]
    (diagnosed,) = [each for each in logged if each.get("event_id") == event["detail"]["eventID"]]
    assert (diagnosed["message"], diagnosed["correlation_id"]) == ("diagnosed", problem)
    (notified,) = [each for each in logged if each["message"] == "notified" and each["correlation_id"] == problem]
    assert notified["findings"] == diagnosed["findings"]
    assert (notified["edge"], notified["problems"]) == ("new", [problem])
    # What is about another problem has that one's id, and what is about none has none.
    others = {each["correlation_id"] for each in logged if each["message"] == "diagnosed"} - {problem}
    assert others == set(counted["problems"]) - {problem}
    assert "correlation_id" not in counted
    assert len(inbox.messages()) >= 1


def test_the_log_of_a_storm_names_some_of_its_problems(inbox: Inbox, node: tuple[str, str], log: StringIO) -> None:
    diagnose.handler(batch(*(denial(f"role-{number}", node[1]) for number in range(30))), Context())
    (counted,) = [each for each in lines(log) if each["message"] == "counted"]
    assert (len(counted["problems"]), len(counted["latest"]), counted["more"]) == (20, 20, 10)
    inbox.messages()


def test_metrics_say_by_what_and_how_soon(
    inbox: Inbox, node: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert failed(diagnose.handler(batch(denial(*node)), Context())) == []
    out = capsys.readouterr().out
    written = [json.loads(line) for line in out.splitlines() if '"FindingsOpened"' in line]
    by = {
        name: each[name]
        for each in written
        for name in ("cause", "account", "cluster")
        if [name in found for found in each["_aws"]["CloudWatchMetrics"][0]["Dimensions"]] == [True]
    }
    assert by == {"cause": "role_lacks_pull_permissions", "account": "123456789012", "cluster": "prod"}
    counted = metrics(out)
    assert counted["FindingsOpened"] == 1
    assert counted["Calls"] > 5
    assert "CallsThrottled" not in counted
    # An event of long ago counts as seen when it comes.
    assert 0 <= counted["NotificationSeconds"] < 60
    # It is opened once.
    assert failed(diagnose.handler(batch(denial(*node)), Context())) == []
    assert "FindingsOpened" not in capsys.readouterr().out
    inbox.messages()
