"""Whether anybody is told of alarms, where they have a topic of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.doctor import Deployment, Result, alarms, find_deployment
from pull_responder.doctor.subscribers import CHECK
from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from tests.integration.doctor.estate import MAIL, REGION, STACK

if TYPE_CHECKING:
    from pull_responder.doctor.examination import Examination
    from tests.integration.doctor.conftest import Doctor


def examined(
    doctor: Doctor, patch: pytest.MonkeyPatch, alarm_topic: str, *, check: Examination = CHECK, **outputs: str
) -> list[Result]:
    """What a check says, where the stack lets its alarm publish to `alarm_topic`, and has these outputs, too."""
    for key, value in doctor.aws.environment.items():
        patch.setenv(key, value)
    reader = Reader(Aws.connect(member_role="Reader", region=REGION))
    found = find_deployment(reader, STACK, own=Arn("aws", "iam", "", ACCOUNT, "root"), region=REGION)
    assert isinstance(found, Deployment)
    alarm = found.resources["Alarm"]
    alarm = replace(alarm, properties={**alarm.properties, "AlarmActions": [alarm_topic]})
    resources, outputs = {**found.resources, "Alarm": alarm}, {**found.outputs, **outputs}
    return list(check.examine(replace(found, resources=resources, outputs=outputs), reader))


@pytest.fixture
def alarm_topic(doctor: Doctor) -> str:
    return str(doctor.client("sns").create_topic(Name="doctor-alarms")["TopicArn"])


def test_nobody_is_told_of_alarms(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, alarm_topic: str) -> None:
    mail, nobody = examined(doctor, monkeypatch, alarm_topic)
    assert (mail.subject, mail.state) == (f"subscriber {MAIL} by email", "works")
    assert (nobody.subject, nobody.state) == ("subscribers of the topic of alarms", "off")
    assert nobody.found == f"topic {alarm_topic} has none"
    assert nobody.meaning == "Nobody is told of alarms"


def test_whoever_is_told_of_alarms_has_to_confirm(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, alarm_topic: str
) -> None:
    sns = doctor.client("sns")
    waiting = sns.subscribe(TopicArn=alarm_topic, Protocol="email", Endpoint="call@example.com")
    try:
        results = examined(doctor, monkeypatch, alarm_topic)
    finally:
        sns.delete_topic(TopicArn=alarm_topic)
    (pending,) = [each for each in results if "call@example.com" in each.subject]
    assert waiting
    assert pending.meaning in ("This subscriber is told of no alarm", "")
    gone = examined(doctor, monkeypatch, alarm_topic)[1]
    assert (gone.state, gone.meaning) == ("broken", "Nobody is told of alarms")


def test_alarms_that_share_the_topic_are_not_asked_for_twice(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    results = examined(doctor, monkeypatch, doctor.physical("Topic"))
    assert [each.subject for each in results] == [f"subscriber {MAIL} by email"]


def test_an_alarm_that_lost_its_action_gets_its_own_topic_again(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, alarm_topic: str
) -> None:
    (own,) = examined(doctor, monkeypatch, alarm_topic, check=alarms.CHECK, AlarmsTopicArn=alarm_topic)
    assert own.found == f"it does not notify {alarm_topic}"
    assert own.step == "Give the alarm the topic of the output AlarmsTopicArn as its action again"
    (shared,) = examined(doctor, monkeypatch, alarm_topic, check=alarms.CHECK)
    assert shared.step == "Give the alarm the topic of the output TopicArn as its action again"
