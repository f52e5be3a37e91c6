"""What an examination makes of the one before: where a read failed, and where another run was quicker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.doctor import examine
from tests.integration.doctor.estate import TRAIL
from tests.integration.doctor.examined import HOUR, Examined
from tests.integration.doctor.test_examine import is_open

if TYPE_CHECKING:
    from tests.integration.doctor.conftest import Doctor


@pytest.fixture
def examined(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> Examined:
    return Examined(doctor, monkeypatch)


def allowed_but(*refused: str) -> dict[str, Any]:
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    if refused:
        statements.append({"Effect": "Deny", "Action": list(refused), "Resource": "*"})  # type: ignore[dict-item]
    return {"Version": "2012-10-17", "Statement": statements}


@pytest.mark.parametrize(
    ("thing", "refused"),
    [
        ("policy", "sqs:GetQueueAttributes"),
        ("policy", "cloudformation:GetTemplate"),
        ("mapping", "lambda:GetEventSourceMapping"),
        ("mapping", "cloudformation:GetTemplate"),
    ],
)
def test_what_made_it_blind_lasts_while_it_cannot_be_read(
    examined: Examined, doctor: Doctor, thing: str, refused: str
) -> None:
    queue, mapping = doctor.physical("Queue"), doctor.physical("Mapping")
    lambda_, sqs = doctor.client("lambda"), doctor.client("sqs")
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    examined.let(allowed_but())
    if thing == "policy":
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    else:
        lambda_.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        assert examined(sends_canaries=False).is_blind
        examined.let(allowed_but(refused))
        examined.clock.forward(minutes=HOUR)
        report = examined(sends_canaries=False)
        assert [each for each in report.results if each.state == "unread"]
        assert report.is_blind
        assert is_open(examined)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)
    examined.let(allowed_but())
    examined.clock.forward(minutes=HOUR)
    assert not examined(sends_canaries=False).is_blind
    assert not is_open(examined)


@pytest.mark.parametrize(
    ("refused", "is_again"),
    [
        ("cloudformation:DescribeStacks", True),
        ("cloudtrail:DescribeTrails", True),
        ("sqs:GetQueueAttributes", True),
        # No alarm shows whether it sees.
        ("cloudwatch:DescribeAlarms", False),
    ],
)
def test_what_could_not_be_read_is_looked_at_again_within_the_hour(
    examined: Examined, refused: str, *, is_again: bool
) -> None:
    examined.let(allowed_but(refused))
    report = examined(sends_canaries=False)
    assert [each for each in report.results if each.state == "unread"]
    assert not report.is_blind
    examined.let(allowed_but())
    examined.clock.forward(minutes=HOUR)
    assert bool(examined(sends_canaries=False).results) is is_again
    examined.clock.forward(minutes=HOUR)
    assert examined(sends_canaries=False).results == ()


def test_of_two_runs_at_once_the_later_one_opens_nothing(
    examined: Examined, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    trails = doctor.client("cloudtrail")
    runs = 0

    def overtaken(*given: Any) -> Any:  # noqa: ANN401 -- those of examine
        nonlocal runs
        runs += 1
        seen = examine(*given)
        if runs == 1:
            # The trail logs again, and another run says so before this one has written what it saw.
            trails.start_logging(Name=TRAIL)
            assert not examined(sends_canaries=False).is_blind
        return seen

    monkeypatch.setattr("pull_responder.responder.examination.examine", overtaken)
    trails.stop_logging(Name=TRAIL)
    try:
        assert examined(sends_canaries=False).is_blind
    finally:
        trails.start_logging(Name=TRAIL)
    assert runs == 2
    assert examined.life is None


def test_what_stays_unread_is_looked_at_less_and_less_often_until_it_is_read(examined: Examined) -> None:
    examined.let(allowed_but("cloudtrail:DescribeTrails"))
    looked = [hour for hour in range(40) if _hour_later(examined)]
    assert looked == [0, 1, 3, 7, 15, 31]
    examined.let(allowed_but())
    looked = [hour for hour in range(40) if _hour_later(examined)]
    # Once it was read, a day later.
    assert looked == [15, 39]


def test_what_is_broken_is_looked_at_hourly_whatever_else_is_unread(examined: Examined, doctor: Doctor) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    examined.let(allowed_but("sqs:GetQueueAttributes"))
    try:
        assert [bool(_hour_later(examined)) for _ in range(6)] == [True] * 6
    finally:
        doctor.client("cloudtrail").start_logging(Name=TRAIL)


def _hour_later(examined: Examined) -> int:
    """Wake the function, and return how many results it has."""
    results = examined(sends_canaries=False).results
    examined.clock.forward(minutes=HOUR)
    return len(results)
