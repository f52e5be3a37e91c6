"""The daily examination: what makes the responder blind, who is told, what mends it, and what ends it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_lambda_powertools import Metrics

from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.findings.alert import Alert
from pull_responder.findings.life import notice
from pull_responder.findings.store import StoreError
from pull_responder.publish.as_text import body, subject
from pull_responder.remediation.shell import render
from tests.integration.doctor.estate import DENIED_RULE, REGION, TRAIL
from tests.integration.doctor.examined import HOUR, Examined, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.doctor.conftest import Doctor

CAUSE = "responder_is_blind"
READS = f"a trail that logs read-only management events of ECR in {REGION}"
MOVE = f"aws cloudtrail start-logging --name arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL} --region {REGION}"


@pytest.fixture
def examined(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> Examined:
    return Examined(doctor, monkeypatch)


def gauges(out: str, name: str) -> dict[str, float]:
    """The values of a metric by check; of one without, by ""."""
    written = [json.loads(line) for line in out.splitlines() if line.startswith('{"_aws"') or '"_aws"' in line]
    found = [each for each in written if name in each]
    return {each.get("check", ""): each[name][0] if isinstance(each[name], list) else each[name] for each in found}


def is_open(examined: Examined) -> bool:
    life = examined.life
    assert life
    return life.is_open


@pytest.mark.cause(CAUSE, "fails")
def test_a_stopped_trail_is_told_with_the_command_that_starts_it(
    examined: Examined, doctor: Doctor, example: Callable[..., None]
) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    assert examined(sends_canaries=False).is_blind
    examined.recheck()

    (alert,) = examined.told()
    (told,) = alert["findings"]
    assert (alert["edge"], told["cause"], told["severity"]) == ("new", CAUSE, "MEDIUM")
    assert told["resource"] == {"type": "AwsAccount", "id": f"AWS::::Account:{ACCOUNT}"}
    assert told["account"] == ACCOUNT
    assert told["evidence"][0].startswith(f"{READS}: ")
    assert "Refused pulls will not be seen" in told["explanation"]
    assert told["remediation"]["commands"] == [MOVE]
    (in_hub,) = [
        each
        for each in doctor.client("securityhub").get_findings()["Findings"]
        if each["GeneratorId"] == f"pull-responder/{CAUSE}" and each["RecordState"] == "ACTIVE"
    ]
    assert in_hub["Severity"]["Label"] == "MEDIUM"
    life = examined.life
    assert life
    example(f"aws cloudtrail stop-logging --name {TRAIL} --region {REGION}", None, life.finding)

    doctor.run(told["remediation"]["commands"])
    # Within the hour it looks again, and people hear of the end after the hold-down.
    examined.clock.forward(minutes=HOUR)
    assert not examined(sends_canaries=False).is_blind
    examined.clock.forward(minutes=6)
    examined.recheck()
    (over,) = examined.told()
    assert over["edge"] == "resolved"
    assert over["findings"][0]["because"].startswith("Pull Responder sees failed pulls again, as read at ")


@pytest.mark.cause(CAUSE, "passes")
def test_a_deployment_that_works_opens_nothing_and_is_examined_once_a_day(
    examined: Examined, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    report = examined(sends_canaries=False)
    out = capsys.readouterr().out
    assert [each for each in report.results if each.state.value != "works"] == []
    assert examined.life is None
    assert set(gauges(out, "ThingsBroken").values()) == {0}
    assert set(gauges(out, "ThingsBroken")) == {each.check for each in report.results}
    for _ in range(23):
        examined.clock.forward(minutes=HOUR)
        assert examined(sends_canaries=False).results == ()
    examined.clock.forward(minutes=HOUR)
    assert examined(sends_canaries=False).results


@pytest.mark.cause(CAUSE, "near_miss")
def test_what_is_broken_elsewhere_blinds_nobody(
    examined: Examined, doctor: Doctor, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = doctor.physical("Clock")
    doctor.client("events").disable_rule(Name=clock)
    mail = doctor.client("sns").list_subscriptions_by_topic(TopicArn=doctor.physical("Topic"))["Subscriptions"]
    try:
        report = examined(sends_canaries=False)
    finally:
        doctor.client("events").enable_rule(Name=clock)
    assert mail
    assert ("broken", "it is disabled") in said(report, "rules")
    assert not report.is_blind
    assert examined.life is None
    assert gauges(capsys.readouterr().out, "ThingsBroken")["rules"] == 1


@pytest.mark.cause(CAUSE, "unread")
def test_what_cannot_be_read_neither_blinds_nor_lets_see(examined: Examined, doctor: Doctor) -> None:
    refused = {"Effect": "Deny", "Action": ["cloudtrail:*", "events:*"], "Resource": "*"}
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    unreadable = {"Version": "2012-10-17", "Statement": [allowed, refused]}
    examined.let(unreadable)
    report = examined(sends_canaries=False)
    assert {state for state, _ in said(report, "trail")} == {"unread"}
    assert not report.is_blind
    assert examined.life is None

    examined.let({"Version": "2012-10-17", "Statement": [allowed]})
    doctor.client("events").disable_rule(Name=DENIED_RULE)
    examined.clock.forward(minutes=24 * HOUR)
    try:
        assert examined(sends_canaries=False).is_blind
        # The rule works again, and nobody can read that.
        examined.let(unreadable)
    finally:
        command = doctor().about("rules", DENIED_RULE)["commands"]
        doctor.run(command)
    examined.clock.forward(minutes=HOUR)
    assert examined(sends_canaries=False).is_blind
    assert is_open(examined) is True
    examined.let({"Version": "2012-10-17", "Statement": [allowed]})
    examined.clock.forward(minutes=HOUR)
    assert not examined(sends_canaries=False).is_blind
    assert is_open(examined) is False


def test_hours_without_a_failed_pull_do_not_end_it(examined: Examined, doctor: Doctor) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    try:
        examined(sends_canaries=False)
        for _ in range(25):
            examined.recheck()
            examined.clock.forward(minutes=HOUR)
            examined(sends_canaries=False)
        examined.recheck()
    finally:
        doctor.client("cloudtrail").start_logging(Name=TRAIL)
    assert [each["edge"] for each in examined.told()] == ["new", "reminder"]


def test_every_thing_on_the_way_blinds(examined: Examined, doctor: Doctor) -> None:
    function, queue = doctor.physical("Function"), doctor.physical("Queue")
    lambda_, sqs = doctor.client("lambda"), doctor.client("sqs")
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    doctor.client("events").disable_rule(Name=DENIED_RULE)
    lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    lambda_.update_event_source_mapping(UUID=doctor.physical("Mapping"), Enabled=False)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    try:
        report = examined(sends_canaries=False)
        blinded = {each.subject for each in report.results if each.blinds}
        life = examined.life
        assert life
        doctor.run(map(render, life.finding.remediation.commands))
        examined.clock.forward(minutes=HOUR)
        assert not examined(sends_canaries=False).is_blind
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    assert blinded == {
        f"rule {DENIED_RULE}",
        f"function {function}",
        f"policy of queue {queue.rpartition('/')[2]}",
        next(each for each in blinded if each.startswith("event source mapping ")),
    }


def test_a_stack_that_cannot_be_read_decides_nothing(examined: Examined, doctor: Doctor) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    try:
        assert examined(sends_canaries=False).is_blind
        examined.clock.forward(minutes=HOUR)
        report = examined(sends_canaries=False, stack="SomebodyElses")
    finally:
        doctor.client("cloudtrail").start_logging(Name=TRAIL)
    assert said(report, "stack") == [("unread", "there is no stack SomebodyElses")]
    assert report.is_blind
    life = examined.life
    assert life
    assert life.is_open


def test_without_the_table_it_is_counted_all_the_same(
    examined: Examined, doctor: Doctor, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor.client("dynamodb").delete_table(TableName=examined.name)
    # Metrics without a dimension are written at the end of a run of the handler. All instances hold the same.
    kept = Metrics(namespace="PullResponder", service="pull-responder")
    kept.clear_metrics()
    with pytest.raises(StoreError):
        examined(sends_canaries=False)
    assert gauges(capsys.readouterr().out, "ThingsBroken")["trail"] == 0
    # What made it blind before is in the table. So it is not known that it sees.
    assert (kept.metric_set["Examinations"]["Value"], "ResponderBlind" in kept.metric_set) == ([1.0], False)
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    try:
        with pytest.raises(StoreError):
            examined(sends_canaries=False)
    finally:
        doctor.client("cloudtrail").start_logging(Name=TRAIL)
    assert gauges(capsys.readouterr().out, "ThingsBroken")["trail"] == 2
    assert kept.metric_set["ResponderBlind"]["Value"] == [1.0]


def test_what_people_read(examined: Examined, doctor: Doctor) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    try:
        examined(sends_canaries=False)
    finally:
        doctor.client("cloudtrail").start_logging(Name=TRAIL)
    life = examined.life
    assert life
    alert = Alert.alone(notice(life))
    assert subject(alert) == f"[NEW] MEDIUM: responder is blind ({ACCOUNT} {REGION})"
    first, *rest = body(alert, room=10_000).splitlines()
    assert first == (
        f"NEW MEDIUM: Pull Responder does not see failed pulls (AWS::::Account:{ACCOUNT}). "
        "Pods may fail to pull, and nobody is told."
    )
    assert rest[:3] == ["Do this: Run the commands, one after the other.", *rest[1:2], f"  {MOVE}"]
