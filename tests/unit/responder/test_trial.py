"""A test event where AWS answers as the emulated one never does: what did not work is not said to."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from pull_responder.events.trial import Trial
from pull_responder.findings.store import StoreError
from pull_responder.findings.trial import (
    PACE,
    Answer,
    Outcome,
    Pace,
    Place,
    Record,
    item_id,
    pace_item,
    read_pace,
    read_record,
    record_item,
)
from pull_responder.model.arn import Arn
from pull_responder.responder.run import Run
from pull_responder.responder.trial import Trials
from pull_responder.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ACCOUNT, REGION, NOW = "111122223333", "eu-west-1", 1_800_000_000.25
ID = "0123456789abcdef" * 2
FINDING = f"pull-responder/test/{ACCOUNT}/{REGION}"
SHOWN = {"Id": FINDING, "UpdatedAt": "2027-01-15T08:00:00.250Z", "Workflow": {"Status": "NEW"}}


def refused(code: str, status: int = 403) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": cast("Any", {"HTTPStatusCode": status})}, "x"
    )


class Aws:
    """SNS and Security Hub, and the table."""

    region = REGION

    def __init__(self) -> None:
        self.items_: dict[str, dict[str, Any]] = {}
        self.published = 0
        self.updated = 0
        self.publishes: Exception | None = None
        self.imports: dict[str, Any] | Exception = {"SuccessCount": 1, "FailedCount": 0, "FailedFindings": []}
        self.listed: list[list[dict[str, Any]] | Exception] = [[SHOWN]]
        self.unprocessed: list[dict[str, Any]] = []
        self.loses: set[str] = set()
        self.writes = 0
        self.fails_at = 0

    def identity(self) -> Arn:
        return Arn("aws", "lambda", REGION, ACCOUNT, "function:diagnose")

    def client(self, *_: object, **__: object) -> Aws:
        return self

    def publish(self, **_: object) -> dict[str, str]:
        if self.publishes:
            raise self.publishes
        self.published += 1
        return {"MessageId": "1"}

    def batch_import_findings(self, **_: object) -> dict[str, Any]:
        if isinstance(self.imports, Exception):
            raise self.imports
        return self.imports

    def get_paginator(self, _: str) -> Any:  # noqa: ANN401 -- a paginator
        return SimpleNamespace(paginate=lambda **_: self._pages())

    def _pages(self) -> Iterator[dict[str, Any]]:
        listed = self.listed.pop(0) if len(self.listed) > 1 else self.listed[0]
        if isinstance(listed, Exception):
            raise listed
        yield {"Findings": listed}

    def batch_update_findings(self, **_: object) -> dict[str, Any]:
        self.updated += 1
        return {"ProcessedFindings": [], "UnprocessedFindings": self.unprocessed}

    def items(self, ids: Iterable[str]) -> dict[str, Any]:
        return {each: self.items_[each] for each in ids if each in self.items_ and each not in self.loses}

    def save_item(self, item: Mapping[str, Any], *, read: int) -> bool:
        self.writes += 1
        if self.writes == self.fails_at:
            raise StoreError("dynamodb:PutItem failed: AccessDeniedException")
        known = self.items_.get(item["id"]["S"])
        if int(known["version"]["N"] if known else 0) != read:
            return False
        self.items_[item["id"]["S"]] = dict(item)
        return True


class Counted:
    """What was counted and logged, and how long was waited."""

    def __init__(self) -> None:
        self.counts: dict[str, float] = {}
        self.waited = 0.0
        self.reasons: dict[str, int] = {}

    def add_metric(self, *, name: str, value: float, **_: object) -> None:
        self.counts[name] = self.counts.get(name, 0) + value

    def wait(self, seconds: float) -> None:
        self.waited += seconds

    def log(self, *_: object, reasons: dict[str, int] | None = None, **__: object) -> None:
        self.reasons |= reasons or {}


@dataclass
class Clock:
    """The seconds that are left of a run."""

    left: float


def answer(
    aws: Aws,
    *ids: str,
    settings: Settings | None = None,
    remaining: float = 60.0,
    clock: Clock | None = None,
    alone: bool = False,
) -> tuple[Record | None, Counted]:
    counted, time = Counted(), clock or Clock(remaining)

    def wait(seconds: float) -> None:
        counted.wait(seconds)
        time.left -= seconds if clock else 0

    log = SimpleNamespace(
        info=counted.log,
        warning=counted.log,
        error=counted.log,
        exception=counted.log,
        thread_safe_get_current_keys=dict,
        thread_safe_append_keys=counted.log,
        thread_safe_remove_keys=counted.log,
    )
    run = Run(
        settings=settings or Settings(topic_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"),
        aws=cast("Any", aws),
        store=cast("Any", aws),
        remaining=lambda: time.left,
        logger=cast("Any", log),
        metrics=cast("Any", counted),
        now=lambda: NOW,
        wait=wait,
    )
    Trials(run, alone=alone).answer([Trial(each) for each in ids or (ID,)])
    item = aws.items_.get(item_id(ids[0] if ids else ID))
    return read_record(item) if item else None, counted


def hub_of(record: Record | None) -> tuple[Outcome, str, str]:
    assert record
    assert record.is_done
    (station,) = (each for each in record.stations if each.place is Place.SECURITY_HUB)
    return station.outcome, station.action, station.reason


def test_all_works() -> None:
    record, counted = answer(aws := Aws())
    assert record
    assert {each.outcome for each in record.stations} == {Outcome.WORKED}
    assert (aws.published, aws.updated, counted.waited) == (1, 1, 0)


def test_a_finding_that_is_listed_later_is_resolved_then() -> None:
    aws = Aws()
    aws.listed = [[], [], [SHOWN]]
    record, counted = answer(aws)
    assert hub_of(record) == (Outcome.WORKED, "", "")
    assert (aws.updated, counted.waited) == (1, 2)


def test_a_finding_that_is_not_listed_is_not_said_to_be_resolved() -> None:
    aws = Aws()
    aws.listed = [[]]
    record, counted = answer(aws)
    assert hub_of(record) == (
        Outcome.WORKED,
        "",
        "it is not listed there yet, so its workflow status was left as it is",
    )
    assert (aws.updated, counted.waited) == (0, 4)


def test_a_status_that_people_set_is_left_alone() -> None:
    aws = Aws()
    aws.listed = [[SHOWN | {"Workflow": {"Status": "SUPPRESSED"}}]]
    record, _ = answer(aws)
    assert (hub_of(record)[0], aws.updated) == (Outcome.WORKED, 0)


@pytest.mark.parametrize(
    ("changed", "action", "reason"),
    [
        ({"imports": refused("AccessDeniedException")}, "securityhub:BatchImportFindings", "AccessDeniedException: no"),
        ({"imports": {"SuccessCount": 0, "FailedFindings": []}}, "securityhub:BatchImportFindings", "imported none"),
        ({"listed": [refused("AccessDeniedException")]}, "securityhub:GetFindings", "AccessDeniedException: no"),
        ({"listed": [[SHOWN | {"UpdatedAt": "2027-01-15T08:00:01Z"}]]}, "securityhub:BatchImportFindings", "later"),
        (
            {
                "unprocessed": [
                    {"FindingIdentifier": {"Id": FINDING}, "ErrorCode": "ConcurrentUpdateX", "ErrorMessage": "no"}
                ]
            },
            "securityhub:BatchUpdateFindings",
            "ConcurrentUpdateX: no",
        ),
    ],
)
def test_what_security_hub_refuses_is_named(changed: dict[str, Any], action: str, reason: str) -> None:
    aws = Aws()
    vars(aws).update(changed)
    record, counted = answer(aws)
    outcome, refused_action, said = hub_of(record)
    assert (outcome, refused_action) == (Outcome.REFUSED, action)
    assert reason in said
    assert counted.counts["SecurityHubRejections"] == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused("AuthorizationError"), "sns:Publish failed: AuthorizationError: no"),
        (refused("KMSAccessDenied", 400), "sns:Publish failed: KMSAccessDenied: no"),
        (refused("InternalError", 500), "it may have been sent: "),
        (ReadTimeoutError(endpoint_url="https://sns"), "it may have been sent: "),
    ],
)
def test_what_sns_refuses_is_named(error: Exception, reason: str) -> None:
    aws = Aws()
    aws.publishes = error
    record, counted = answer(aws)
    assert record
    assert record.stations[1].outcome is Outcome.REFUSED
    assert record.stations[1].reason.startswith(reason)
    assert counted.counts["NotificationsFailed"] == 1
    assert "NotificationsSent" not in counted.counts
    # Security Hub is tried all the same.
    assert hub_of(record)[0] is Outcome.WORKED


def test_an_item_that_is_not_given_back_is_no_proof_of_the_table() -> None:
    aws = Aws()
    aws.loses = {item_id(ID)}
    record, _ = answer(aws)
    assert record
    assert (record.stations[0].place, record.stations[0].outcome) == (Place.TABLE, Outcome.REFUSED)


@pytest.mark.parametrize(("write", "published"), [(1, 0), (2, 0), (3, 1)])
def test_a_write_that_fails_ends_the_test_and_is_never_said_to_be_done(write: int, published: int) -> None:
    aws = Aws()
    aws.fails_at = write
    record, counted = answer(aws)
    assert aws.published == published
    assert record is None or not record.is_done
    assert counted.counts["TableFailures"] == 1
    # It came neither too soon nor again.
    reason = {} if published else {"a test event that the findings table had to take first, and did not": 1}
    assert counted.reasons == reason


@pytest.mark.parametrize("write", [1, 2])
def test_a_repeated_write_that_meets_itself_is_no_other_test(write: int) -> None:
    """The SDK repeats a write whose answer was lost. The condition then fails: the item is there."""
    aws = Aws()
    save = aws.save_item

    def repeated(item: Mapping[str, Any], *, read: int) -> bool:
        written = save(item, read=read)
        return False if aws.writes == write else written

    aws.save_item = repeated  # type: ignore[method-assign]
    record, counted = answer(aws)
    assert record
    assert (record.is_done, aws.published, "EventsSkipped" in counted.counts) == (True, 1, False)
    assert read_pace(aws.items_[PACE]).answers == (Answer(NOW, ID),)


def test_a_record_of_another_run_is_not_taken_for_ones_own() -> None:
    aws = Aws()
    save = aws.save_item

    def overtaken(item: Mapping[str, Any], *, read: int) -> bool:
        if item["id"]["S"] == item_id(ID):
            aws.items_[item_id(ID)] = dict(record_item(Record(ID, began=NOW - 1)))
        return save(item, read=read)

    aws.save_item = overtaken  # type: ignore[method-assign]
    record, counted = answer(aws)
    assert record
    assert (record.is_done, aws.published, counted.counts["EventsSkipped"]) == (False, 0, 1)


def test_a_test_whose_record_was_not_written_is_not_answered_later() -> None:
    """The pace knows it: whoever sent it has heard that it failed."""
    aws = Aws()
    earlier = Pace((Answer(NOW - 300, ID),))
    aws.items_[PACE] = dict(pace_item(earlier, now=NOW))
    record, counted = answer(aws)
    assert (record, aws.published, counted.counts["EventsSkipped"]) == (None, 0, 1)


def test_two_runs_at_once_send_one_message() -> None:
    """The other one writes the pace between this one's read and its write."""
    aws = Aws()
    save = aws.save_item

    def overtaken(item: Mapping[str, Any], *, read: int) -> bool:
        if item["id"]["S"] == PACE and PACE not in aws.items_:
            aws.items_[PACE] = dict(pace_item(Pace((Answer(NOW, "f" * 32),)), now=NOW))
        return save(item, read=read)

    aws.save_item = overtaken  # type: ignore[method-assign]
    record, counted = answer(aws)
    assert (record, aws.published, counted.counts["EventsSkipped"]) == (None, 0, 1)


@pytest.mark.parametrize("remaining", [14.0, 40.0])
def test_without_time_nothing_is_begun(remaining: float) -> None:
    """A read of the table that hangs would end the run, and SQS would hand out its failures again."""
    aws = Aws()
    record, counted = answer(aws, remaining=remaining, alone=remaining < 40)
    assert (record, aws.writes, counted.counts["EventsSkipped"]) == (None, 0, 1)
    assert counted.reasons == {"a test event for which no time was left": 1}


@pytest.mark.parametrize(
    ("left", "places"),
    [
        (63.0, ["topic", "filtered_topic", "security_hub"]),
        (52.0, ["topic", "filtered_topic"]),
        (20.0, ["topic"]),
    ],
)
def test_topics_that_hang_leave_the_run_its_time(left: float, places: list[str]) -> None:
    """Each takes eleven seconds. What there was no time for is neither said to work nor to be refused."""
    aws = Aws()
    aws.publishes = ReadTimeoutError(endpoint_url="https://sns")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
    clock = Clock(left)
    publish = aws.publish

    def hang(**asked: object) -> dict[str, str]:
        clock.left -= 11
        return publish(**asked)

    aws.publish = hang  # type: ignore[method-assign]
    settings = Settings(topic_arn=topic, filtered_topic_arn=f"{topic}-filtered")
    # A run of its own: its table needs no more than a try.
    record, _ = answer(aws, settings=settings, clock=clock, alone=left < 40)
    assert record
    assert record.is_done
    tried = [str(each.place) for each in record.stations[1:] if each.outcome is not Outcome.NOT_TRIED]
    assert tried == places
    assert len(record.stations) == 4
    assert all(each.reason == "no time was left of the function's run" for each in record.stations[1 + len(places) :])


def test_what_security_hub_took_and_nobody_looked_at_is_not_said_to_work() -> None:
    aws = Aws()
    clock = Clock(60.0)

    def slow(**_: object) -> dict[str, Any]:
        clock.left -= 30
        return {"SuccessCount": 1, "FailedCount": 0, "FailedFindings": []}

    aws.batch_import_findings = slow  # type: ignore[method-assign]
    record, _ = answer(aws, clock=clock)
    assert hub_of(record)[0] is Outcome.NOT_TRIED
    assert hub_of(record)[2].startswith("it took the finding, and was not asked for it: no time")


def test_security_hub_that_fails_again_and_again_leaves_the_run_its_time() -> None:
    aws = Aws()
    aws.imports = refused("InternalException", 500)
    clock = Clock(60.0)
    record, counted = answer(aws, clock=clock)
    assert hub_of(record)[0] is Outcome.REFUSED
    assert counted.waited <= 20
    assert clock.left >= 40


def test_one_answer_takes_no_more_reads_for_a_thousand_tests() -> None:
    aws = Aws()
    reads: list[int] = []
    items = aws.items

    def read(ids: Iterable[str]) -> dict[str, Any]:
        wanted = list(ids)
        reads.append(len(wanted))
        return items(wanted)

    aws.items = read  # type: ignore[method-assign]
    _, counted = answer(aws, *(f"{number:032x}" for number in range(1_000)))
    assert (aws.published, len(reads), max(reads)) == (1, 2, 21)
    assert (counted.counts["TestEvents"], counted.counts["EventsSkipped"]) == (1_000, 999)
