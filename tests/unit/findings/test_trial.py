"""The items of test events: how many are answered, and what is read of an item that somebody else wrote."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.findings.trial import (
    MOST_AN_HOUR,
    Answer,
    Outcome,
    Pace,
    Place,
    Record,
    Station,
    pace_item,
    read_pace,
    read_record,
    record_item,
)

NOW = 1_800_000_000.0
ID = "0" * 32
RECORD = Record(
    ID,
    NOW,
    (Station(Place.TABLE, Outcome.WORKED), Station(Place.TOPIC, Outcome.REFUSED, "sns:Publish", "AccessDenied: no")),
    is_done=True,
    version=1,
)


def test_one_a_minute() -> None:
    pace = Pace().add(Answer(NOW, ID))
    assert (Pace().wait(NOW), pace.wait(NOW), pace.wait(NOW + 59), pace.wait(NOW + 60)) == (0, 60, 1, 0)


def test_ten_an_hour() -> None:
    pace = Pace()
    for number in range(MOST_AN_HOUR):
        at = NOW + 100 * number
        assert pace.wait(at) == 0
        pace = pace.add(Answer(at))
    last = NOW + 100 * (MOST_AN_HOUR - 1)
    assert pace.wait(last + 60) == NOW + 3_600 - last - 60
    assert pace.wait(NOW + 3_599) == 1
    assert pace.wait(NOW + 3_600) == 0
    # No more is kept than counts.
    assert len(pace.add(Answer(NOW + 3_600)).answers) == MOST_AN_HOUR


@given(st.lists(st.floats(0, 7_200), max_size=60))
def test_whenever_they_come_no_minute_has_two_and_no_hour_eleven(times: list[float]) -> None:
    pace, answered = Pace(), []
    for at in sorted(times):
        if not pace.wait(NOW + at):
            pace = pace.add(Answer(NOW + at))
            answered.append(NOW + at)
    assert all(after - before >= 60 for before, after in pairwise(answered))
    assert all(after - before >= 3_600 for before, after in zip(answered, answered[MOST_AN_HOUR:], strict=False))


def test_a_time_to_come_holds_up_nothing() -> None:
    assert Pace(tuple(map(Answer, (NOW + 10_000, float("inf"), float("nan"), 1e300)))).wait(NOW) == 0


def test_a_pace_is_read_as_it_was_written() -> None:
    pace = Pace((Answer(NOW - 70, "1" * 32), Answer(NOW, ID)), version=3)
    read = read_pace(pace_item(pace, now=NOW))
    assert read == Pace(pace.answers, version=4)
    assert (read.has(ID), read.has("2" * 32)) == (True, False)


@pytest.mark.parametrize("ids", [None, "", "7", "{}", "[]", '["x", "y"]', "[" * 100_000])
def test_a_time_counts_though_nobody_knows_whose_it_is(ids: str | None) -> None:
    """An older function writes no ids, and somebody else may write anything."""
    item = pace_item(Pace((Answer(NOW, ID),)), now=NOW)
    item = {name: value for name, value in item.items() if name != "ids"}
    read = read_pace(item if ids is None else {**item, "ids": {"S": ids}})
    assert read.answers == (Answer(NOW),)
    assert read.wait(NOW + 1) == 59


@pytest.mark.parametrize("times", ["", "{}", "[[]]", '["x"]', "7", "null", "[" * 100_000])
def test_a_pace_that_cannot_be_read_counts_for_nothing(times: str) -> None:
    assert read_pace({"version": {"N": "2"}, "times": {"S": times}}) == Pace(version=2)
    assert read_pace({}) == Pace()


def test_a_record_is_read_as_it_was_written() -> None:
    read = read_record(record_item(RECORD))
    assert read == Record(ID, NOW, RECORD.stations, is_done=True, version=2)


@pytest.mark.parametrize(
    "changed",
    [
        {"stations": {"S": '[{"place":"moon","outcome":"worked"}]'}},
        {"stations": {"S": '[{"place":"topic","outcome":"worked","reason":7}]'}},
        {"stations": {"S": "{"}},
        {"stations": {"S": "7"}},
        {"stations": {"N": "7"}},
        {"began": {"N": "x"}},
        {"done": {"S": "yes"}},
    ],
)
def test_a_record_that_somebody_else_wrote_is_none(changed: dict[str, Any]) -> None:
    assert read_record({**record_item(RECORD), **changed}) is None


def test_an_item_that_is_not_there_is_none() -> None:
    assert read_record({}) is None
