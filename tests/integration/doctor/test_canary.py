"""The canary: a refused call of our own, whose record has to come through rules and queue. Nobody else can send it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.integration.doctor.estate import REGION
from tests.integration.doctor.examined import HOUR, may, said
from tests.integration.handlers.test_diagnose import metrics

if TYPE_CHECKING:
    from tests.integration.doctor.examined import Deliver, Examined


def findings(examined: Examined) -> list[str]:
    items = examined.doctor.client("dynamodb").scan(TableName=examined.name)["Items"]
    return [each["id"]["S"] for each in items if not each["id"]["S"].startswith("health/")]


def evidence(examined: Examined) -> list[str]:
    life = examined.life
    assert life
    return list(life.finding.evidence)


def test_a_record_that_comes_proves_the_way_and_is_told_to_nobody(
    examined: Examined, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    first = examined()
    assert said(first, "canary") == [("unread", "no record has come yet, and it is not late")]
    examined.clock.forward(minutes=4)
    capsys.readouterr()

    assert deliver(examined.record()) == []

    counted = metrics(capsys.readouterr().out)
    assert counted["CanariesSeen"] == 1
    assert not {"EventsReceived", "PullsDiagnosed", "FindingsFound", "EventsSkipped"} & set(counted)
    assert findings(examined) == []
    assert examined.told() == []
    # The next one is sent, and judged, a day later.
    sent = examined.canary.newest
    for _ in range(23):
        examined.clock.forward(minutes=HOUR)
        assert examined().results == ()
    assert examined.canary.newest == sent
    examined.clock.forward(minutes=HOUR)
    assert said(examined(), "canary") == [("works", "the last record of a refused call came after 240 seconds")]
    assert examined.canary.newest != sent


@pytest.mark.cause("responder_is_blind", "fails")
def test_two_records_that_do_not_come_make_it_blind_until_one_comes(examined: Examined, deliver: Deliver) -> None:
    examined()
    examined.clock.forward(minutes=HOUR)
    # One that is lost proves nothing: CloudTrail gets events on a best effort basis.
    assert not examined().is_blind
    assert examined.life is None
    examined.clock.forward(minutes=HOUR)
    assert examined().is_blind
    examined.recheck()
    (alert,) = examined.told()
    (told,) = alert["findings"]
    assert (alert["edge"], told["cause"], told["severity"]) == ("new", "responder_is_blind", "MEDIUM")
    missing = "CloudTrail's records of two or more refused calls, one after the other, have not come in 30 minutes"
    assert told["evidence"] == [f"the way of a refused call in {REGION}: {missing}."]
    assert "pull-responder doctor" in told["remediation"]["summary"]
    examined.clock.forward(minutes=HOUR)
    assert examined().is_blind
    # A third that is missing changes no word: Security Hub would get the finding again each hour.
    assert evidence(examined) == told["evidence"]

    examined.clock.forward(minutes=5)
    assert deliver(examined.record()) == []
    examined.clock.forward(minutes=55)
    assert not examined().is_blind
    examined.clock.forward(minutes=6)
    examined.recheck()
    assert [each["edge"] for each in examined.told()] == ["resolved"]


def test_a_record_that_comes_late_is_said_and_blinds_nobody(examined: Examined, deliver: Deliver) -> None:
    examined()
    examined.clock.forward(minutes=45)
    assert deliver(examined.record()) == []
    examined.clock.forward(minutes=24 * HOUR - 45)
    report = examined()
    assert said(report, "canary") == [("broken", "the last record of a refused call came after 45 minutes")]
    assert not report.is_blind


def test_a_record_of_the_call_before_the_last_counts(examined: Examined, deliver: Deliver) -> None:
    examined()
    late = examined.record()
    examined.clock.forward(minutes=HOUR)
    examined()
    assert deliver(late) == []
    assert examined.canary.missing == 0
    # And coming once more, after that of the last call, it changes nothing.
    assert deliver(examined.record()) == []
    newest = examined.canary
    assert deliver(late, late) == []
    assert examined.canary == newest


def test_a_call_that_is_not_refused_proves_nothing(examined: Examined) -> None:
    examined.let(may(canary_refused=False))
    report = examined()
    ((state, why),) = said(report, "canary")
    assert (state, why.startswith("ecr:BatchGetImage failed: RepositoryNotFoundException")) == ("unread", True)
    assert examined.canary.newest is None
    # After calls that were refused, it is neither waited for nor counted as missing.
    examined.let(may())
    examined.clock.forward(minutes=HOUR)
    examined()
    examined.let(may(canary_refused=False))
    for _ in range(5):
        examined.clock.forward(minutes=HOUR)
        assert not examined().is_blind
    assert examined.canary.missing == 0


def _by(record: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(record).replace(before, after))
    return changed


# What a record of a canary has, and what that of somebody else has in its place.
STRANGERS = {
    "another role": ("assumed-role/ROLE/", "assumed-role/other/"),
    "a user of the role's name": (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ROLE/examine",
        f"arn:aws:iam::{ACCOUNT}:user/ROLE",
    ),
    "the role's name in another account": (f"sts::{ACCOUNT}:assumed-role", "sts::999999999999:assumed-role"),
    "a forwarded event of another account": (f'"account": "{ACCOUNT}"', '"account": "999999999999"'),
    "an event of somebody's own source": ('"source": "aws.ecr"', '"source": "my.canary"'),
    "another repository": ("pull-responder-canary/", "team/pull-responder-canary/"),
    "another registry": (f"ecr:{REGION}:{ACCOUNT}:repository", f"ecr:{REGION}:999999999999:repository"),
    "another call": ("BatchGetImage", "GetDownloadUrlForLayer"),
}


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_can_neither_fake_nor_silence(
    examined: Examined, deliver: Deliver, who: str, capsys: pytest.CaptureFixture[str]
) -> None:
    examined()
    before = examined.canary
    had, has = (each.replace("ROLE", examined.name) for each in STRANGERS[who])
    forged = _by(examined.record(), had, has)
    capsys.readouterr()
    deliver(forged)
    assert examined.canary == before
    assert metrics(capsys.readouterr().out)["EventsReceived"] == 1


def test_our_role_with_an_id_that_we_did_not_make_is_counted_and_no_more(
    examined: Examined, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    examined()
    before = examined.canary
    assert before.newest
    capsys.readouterr()
    assert deliver(_by(examined.record(), before.newest.id, uuid4().hex)) == []
    counted = metrics(capsys.readouterr().out)
    assert (counted["CanariesSeen"], counted["EventsSkipped"]) == (1, 1)
    assert examined.canary == before
    assert findings(examined) == []


def test_a_record_that_the_table_does_not_take_comes_again(
    examined: Examined, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    examined()
    record = examined.record()
    examined.doctor.client("dynamodb").delete_table(TableName=examined.name)
    capsys.readouterr()
    assert deliver(record) == ["message-0"]
    assert metrics(capsys.readouterr().out)["TableFailures"] == 1
