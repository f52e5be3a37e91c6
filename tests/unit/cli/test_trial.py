"""`pull-responder test-event` where AWS answers as the emulated one never does."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from pull_responder.cli.doctor_text import show_stations
from pull_responder.cli.trial_way import PERMISSIONS, Clock, try_way
from pull_responder.doctor import State
from pull_responder.doctor.deployment import PERMISSIONS as OF_THE_STACK
from pull_responder.doctor.resource import Resource
from pull_responder.findings.trial import (
    PACE,
    Answer,
    Outcome,
    Pace,
    Place,
    Record,
    Station,
    item_id,
    pace_item,
    record_item,
)
from pull_responder.model.arn import Arn
from tests.unit.doctor.answers import ACCOUNT, REGION, deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.doctor import Deployment, Result
    from pull_responder.facts.aws import Aws

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
NOW = 1_800_000_000.0
ID = "0123456789abcdef" * 2
OTHER = "f" * 32
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
DONE = Record(ID, NOW, (Station(Place.TABLE, Outcome.WORKED), Station(Place.TOPIC, Outcome.WORKED)), is_done=True)
CONFIRMED = {"SubscriptionArn": f"{TOPIC}:1", "Protocol": "sqs", "Endpoint": "queue"}
PENDING = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "ops@example.com"}


class Deployed:
    """A deployment that answers a test event as it is told."""

    def __init__(self, *answers: Record | ClientError | None, pace: Pace | None = None) -> None:
        self.answers = list(answers)
        self.pace = pace
        self.meanwhile: Pace | None = None
        self.sent: list[dict[str, Any]] = []
        self.date = ""
        self.at = 0.0
        self.failed: dict[str, str] = {}
        self.subscriptions = [CONFIRMED]
        self.waiting = 0
        self.meta = SimpleNamespace(service_model=SimpleNamespace(service_name="sns"))

    def __call__(self, *, seconds: float = 3, stack: Deployment | None = None) -> dict[str, Result]:
        def wait(more: float) -> None:
            self.at += more

        aws = SimpleNamespace(
            knows_identity=True,
            identity=lambda *_: Arn("aws", "sts", "", ACCOUNT, "assumed-role/x/y"),
            client=lambda *_, **__: self,
            ask=lambda *asked: asked[-1](),
            now=lambda: datetime.fromtimestamp(NOW, UTC),
        )
        clock = Clock(lambda: self.at, wait)
        found = try_way(stack or _stack(), cast("Aws", aws), ID, seconds=seconds, clock=clock)
        return {each.subject: each for each in found}

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's word
        self.sent += Entries
        self.pace = self.meanwhile or self.pace
        return {"FailedEntryCount": len(self.failed) and 1, "Entries": [self.failed or {"EventId": "1"}]}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 -- boto3's word
        (wanted,) = RequestItems["table"]["Keys"]
        if wanted["id"]["S"] == PACE:
            found = [pace_item(self.pace, now=NOW)] if self.pace else []
        else:
            assert wanted["id"]["S"] == item_id(ID)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, ClientError):
                raise answer
            found = [record_item(answer)] if answer else []
        headers = {"date": self.date} if self.date else {}
        meta = {"HTTPStatusCode": 200, "HTTPHeaders": headers}
        return {"Responses": {"table": found}, "UnprocessedKeys": {}, "ResponseMetadata": meta}

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return {"Attributes": dict.fromkeys(names, str(self.waiting))}

    def list_subscriptions_by_topic(self, **_: object) -> dict[str, Any]:
        return {"Subscriptions": self.subscriptions}

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 -- a paginator
        return SimpleNamespace(paginate=lambda **asked: [getattr(self, operation)(**asked)])


def _stack(*resources: Resource, **outputs: str) -> Deployment:
    rule = Resource("RulesTestEvent", "AWS::Events::Rule", "PullResponder-Rules-TestEvent")
    known = {"TableName": "table", "TopicArn": TOPIC, "QueueUrl": "https://queue", "DiagnoseFunctionName": "diagnose"}
    return deployment(rule, *resources, **{**known, **outputs})


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "BatchGetItem")


def test_the_docs_name_each_permission() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").partition("\n## A test event\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", section)) == {*PERMISSIONS, *OF_THE_STACK, "kms:Decrypt"}


def test_a_stack_without_the_rule_is_told_so_in_one_line_and_sent_nothing() -> None:
    deployed = Deployed(None)
    older = deployment(Resource("RulesEcrTokenDenied", "AWS::Events::Rule", "PullResponder-Rules-EcrTokenDenied"))

    (result,) = deployed(stack=replace(older, outputs={"TableName": "table"})).values()

    assert (result.state, result.subject) == (State.BROKEN, "rule for test events")
    assert "older version. Nothing was sent" in result.found
    assert deployed.sent == []


def test_a_stack_without_outputs_is_not_called_older() -> None:
    deployed = Deployed(None)

    (result,) = deployed(stack=_stack(TableName="")).values()

    assert (result.state, result.found, deployed.sent) == (State.UNREAD, "the stack has no output TableName", [])


def test_the_event_says_nothing_but_its_id() -> None:
    deployed = Deployed(DONE)

    assert all(each.state is State.WORKS for each in deployed().values())

    (entry,) = deployed.sent
    assert entry == {
        "Source": "pull-responder.test",
        "DetailType": "Pull Responder test",
        "Detail": f'{{"id": "{ID}"}}',
    }


def test_the_bus_is_the_rules() -> None:
    deployed = Deployed(DONE)
    rule = Resource("Rule", "AWS::Events::Rule", "X-Rules-TestEvent", {"EventBusName": "hub"})
    deployed(stack=replace(_stack(), resources={"Rule": rule}))
    assert deployed.sent[0]["EventBusName"] == "hub"


def test_an_entry_that_the_bus_refuses_was_not_sent() -> None:
    """PutEvents answers with status 200, and names the entries that failed."""
    deployed = Deployed(None)
    deployed.failed = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again\x1b[2J"}

    (result,) = deployed().values()

    assert (result.state, result.subject, deployed.at) == (State.BROKEN, "event bus", 0)
    assert result.found == "events:PutEvents failed: InternalFailure: try again"


def test_it_waits_for_the_end_of_the_test() -> None:
    deployed = Deployed(None, replace(DONE, is_done=False, stations=()), DONE)
    results = deployed(seconds=60)
    assert (deployed.at, {each.state for each in results.values()}) == (2, {State.WORKS})


def test_a_read_that_fails_once_is_made_again() -> None:
    deployed = Deployed(_refusal("InternalServerError"), DONE)
    assert {each.state for each in deployed().values()} == {State.WORKS}


def test_what_was_not_reached_is_not_said_to_work() -> None:
    deployed = Deployed(replace(DONE, is_done=False, stations=DONE.stations[:1]))

    results = deployed()

    assert results["function diagnose"].state is State.BROKEN
    assert "has not come to the end of the test within 3 seconds" in results["function diagnose"].found
    assert set(results) == {"rule and queue", "function diagnose", "table of findings", "left behind"}


@pytest.mark.parametrize(
    ("waiting", "words"), [(0, "its queue is empty: the rule has not brought it"), (2, "its queue holds 4 messages")]
)
def test_what_never_arrives_is_looked_for(waiting: int, words: str) -> None:
    deployed = Deployed(None)
    deployed.waiting = waiting

    (result,) = deployed().values()

    assert result.state is State.BROKEN
    assert words in result.found
    assert deployed.at == 3


def test_the_log_is_the_one_that_the_stack_has() -> None:
    properties = {"LoggingConfig": {"LogGroup": {"Ref": "Log"}}}
    function = Resource("Function", "AWS::Lambda::Function", "diagnose", properties)
    stack = _stack(function, Resource("Log", "AWS::Logs::LogGroup", "PullResponder-DiagnoseLog"))

    (result,) = Deployed(None)(stack=stack).values()

    assert [each[:4] for each in result.commands[1:]] == [("aws", "logs", "tail", "PullResponder-DiagnoseLog")]


def test_a_table_that_cannot_be_read_leaves_it_open_whether_it_arrived() -> None:
    (result,) = Deployed(_refusal("AccessDeniedException"))().values()
    assert (result.state, result.needs) == (State.UNREAD, ("dynamodb:BatchGetItem",))
    assert result.meaning == "Whether the event arrived is not shown"


@pytest.mark.parametrize(
    "pace", [Pace((Answer(NOW - 10),)), Pace(tuple(Answer(NOW - 3_000 + 100 * each) for each in range(10)))]
)
def test_beyond_one_a_minute_and_ten_an_hour_nothing_is_sent(pace: Pace) -> None:
    deployed = Deployed(None, pace=pace)

    (result,) = deployed().values()

    assert (result.state, deployed.sent) == (State.BROKEN, [])
    assert result.step == f"Test again in {int(pace.wait(NOW)) + 1} seconds"


@pytest.mark.parametrize("before", [None, Pace((Answer(NOW - 70, OTHER),))])
@pytest.mark.parametrize("ahead", [-120, 0, 120])
def test_another_test_that_was_answered_is_no_fault_of_the_deployment(before: Pace | None, ahead: float) -> None:
    """Whatever the clocks say: it is not in the pace that was read first, and its id is not ours."""
    deployed = Deployed(None, pace=before)
    deployed.meanwhile = Pace((*(before or Pace()).answers, Answer(NOW + ahead, OTHER)))
    (result,) = deployed().values()
    assert result.found.startswith("another test was answered meanwhile, and this one not")


@pytest.mark.parametrize("ahead", [-120, 0, 120])
def test_the_answer_to_ones_own_test_is_no_other_test(ahead: float) -> None:
    """The function writes the pace first, and then may be refused the rest."""
    deployed = Deployed(None)
    deployed.meanwhile = Pace((Answer(NOW + ahead, ID),))
    results = deployed()
    assert results["rule and queue"].state is State.WORKS
    assert results["function diagnose"].state is State.BROKEN
    assert results["function diagnose"].found == (
        "it took the event, and what came of it is not in the table after 3 seconds"
    )
    assert len(results) == 2


def test_a_new_time_without_an_id_proves_nothing() -> None:
    deployed = Deployed(None)
    deployed.meanwhile = Pace((Answer(NOW),))
    (result,) = deployed().values()
    assert result.found.startswith("the event was sent, and nothing of it is in the table")


def test_a_clock_that_is_ahead_does_not_hide_the_pace() -> None:
    """Our clock says NOW, and AWS's is two minutes behind: there, the last test was ten seconds ago."""
    deployed = Deployed(None, pace=Pace((Answer(NOW - 130, OTHER),)))
    deployed.date = format_datetime(datetime.fromtimestamp(NOW - 120, UTC), usegmt=True)
    (result,) = deployed().values()
    assert (result.subject, result.step, deployed.sent) == ("test", "Test again in 51 seconds", [])


def test_a_clock_that_is_behind_keeps_no_test_from_being_sent() -> None:
    deployed = Deployed(DONE, pace=Pace((Answer(NOW - 10, OTHER),)))
    deployed.date = format_datetime(datetime.fromtimestamp(NOW + 120, UTC), usegmt=True)
    assert {each.state for each in deployed().values()} == {State.WORKS}
    assert len(deployed.sent) == 1


def test_an_item_that_cannot_be_read_is_not_called_missing() -> None:
    deployed = Deployed(replace(DONE, stations=(Station(cast("Place", "moon"), Outcome.WORKED),)))
    (result,) = deployed().values()
    assert (result.state, result.found) == (State.UNREAD, f"this version cannot read the item {item_id(ID)}")


def test_what_there_was_no_time_for_is_not_said_to_work_or_to_fail() -> None:
    said = Station(Place.SECURITY_HUB, Outcome.NOT_TRIED, reason="no time was left")
    results = Deployed(replace(DONE, stations=(*DONE.stations, said)))()
    hub = results["Security Hub"]
    assert (hub.state, hub.found) == (State.UNREAD, "it was not tried: no time was left")
    assert "archived" not in results["left behind"].found


@pytest.mark.parametrize(
    ("subscriptions", "states"),
    [
        ([CONFIRMED, PENDING], {"subscribers": State.WORKS, "subscriber ops@example.com by email": State.BROKEN}),
        ([PENDING], {"subscriber ops@example.com by email": State.BROKEN}),
        ([], {"subscribers of the topic of notifications": State.OFF}),
    ],
)
def test_whom_the_topic_tells(subscriptions: list[dict[str, str]], states: dict[str, State]) -> None:
    deployed = Deployed(DONE)
    deployed.subscriptions = subscriptions

    results = deployed()

    assert {subject: each.state for subject, each in results.items() if subject.startswith("subscriber")} == states


def test_what_worked_but_for_something_says_so() -> None:
    hub = Station(Place.SECURITY_HUB, Outcome.WORKED, reason="it is not listed there yet")
    results = Deployed(replace(DONE, stations=(hub,)))()
    assert results["Security Hub"].found.endswith("archived: it is not listed there yet")


@pytest.mark.parametrize(("place", "name"), [(Place.SECURITY_HUB, "Security Hub"), (Place.TABLE, "table of findings")])
def test_what_was_refused_is_one_line_with_its_action(place: Place, name: str) -> None:
    said = Station(place, Outcome.REFUSED, "sns:Publish", "AccessDenied: \x1b[2J\nWorks      all of it")

    results = Deployed(replace(DONE, stations=(said,)))()

    assert results[name].state is State.BROKEN
    lines = _printed(results)
    assert not any(line.startswith("Works      all") for line in lines)
    assert any("sns:Publish failed: AccessDenied:" in line for line in lines)
    assert lines[-1] == f"Result     failed at: {name}"
    assert all(line.isprintable() for line in lines)


def test_what_the_settings_leave_out_is_no_failure() -> None:
    hub = Station(Place.SECURITY_HUB, Outcome.OFF)
    results = Deployed(replace(DONE, stations=(*DONE.stations, hub)))()
    assert results["Security Hub"].state is State.OFF
    assert _printed(results)[-1] == "Result     each of these worked, or is left out by the settings"


def _printed(results: dict[str, Result]) -> list[str]:
    out = io.StringIO()
    console: Console = Console(file=out, markup=False, highlight=False, emoji=False, width=200)
    show: Callable[..., None] = show_stations
    show(console, list(results.values()), stack="PullResponder", account=ACCOUNT, region=REGION)
    return out.getvalue().rstrip("\n").split("\n")
