"""The test event: which messages are one, and what is believed of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.intake import Origins, read_body, read_text
from pull_responder.events.outcome import Skipped
from pull_responder.events.trial import DETAIL_TYPE, SOURCE, Trial, read_trial

ACCOUNT = "111122223333"
ID = "0123456789abcdef" * 2
NOW, TIME = 1_800_000_000.0, "2027-01-15T08:00:00Z"


def event(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    known = {"source": SOURCE, "detail-type": DETAIL_TYPE, "account": ACCOUNT, "time": TIME, "detail": {"id": ID}}
    return {**known, **changed}


def read(**changed: Any) -> Trial | Skipped | None:  # noqa: ANN401 -- JSON
    return read_trial(json.dumps(event(**changed)), account=ACCOUNT, now=NOW)


def test_the_id_is_all_that_is_read() -> None:
    assert read(detail={"id": ID, "title": "a fault"}) == Trial(ID)


@pytest.mark.parametrize(
    "time", ["2027-01-15T07:45:00Z", "2027-01-15T08:15:00Z", "2027-01-15T10:05:00+02:00", "2027-01-15T08:00:00"]
)
def test_a_test_of_the_last_quarter_of_an_hour_is_read(time: str) -> None:
    assert read(time=time) == Trial(ID)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("2027-01-15T07:44:59Z", "a test event that is older than 15 minutes"),
        ("2020-01-01T00:00:00Z", "a test event that is older than 15 minutes"),
        ("0001-01-01T00:00:00Z", "a test event that is older than 15 minutes"),
        ("2027-01-15T08:00:00+02:00", "a test event that is older than 15 minutes"),
        ("2027-01-15T08:15:01Z", "a test event that is dated more than 15 minutes ahead"),
        ("9999-12-31T23:59:59Z", "a test event that is dated more than 15 minutes ahead"),
        (None, "a test event without a time"),
        ("", "a test event without a time"),
        ("now", "a test event without a time"),
        (NOW, "a test event without a time"),
        (["2027-01-15T08:00:00Z"], "a test event without a time"),
        ("0001-01-01T00:00:00+14:00", "a test event without a time"),
    ],
)
def test_a_test_of_another_time_is_skipped(time: object, reason: str) -> None:
    """The queue keeps it for days, while the function stands still: nobody waits for it."""
    assert read(time=time) == Skipped(reason)


@pytest.mark.parametrize("own_id", [None, "", ID[:-1], f"{ID}0", ID.upper(), f"{ID}\n", 7, [ID], {"id": ID}])
def test_an_id_of_another_form_is_none(own_id: object) -> None:
    assert isinstance(read(detail={"id": own_id}), Skipped)


@pytest.mark.parametrize("account", [None, "", "222222222222", "no account", 111122223333])
def test_another_account_is_skipped(account: object) -> None:
    assert isinstance(read(account=account), Skipped)


def test_without_an_account_of_our_own_every_test_is_skipped() -> None:
    assert isinstance(read_trial(json.dumps(event()), account=None, now=NOW), Skipped)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(event(source="aws.ecr", detail={"repository": SOURCE})),
        json.dumps({"source": "custom", "detail": event()}),
        json.dumps([event()]),
        f"no JSON: {SOURCE}",
        '{"source": "pull-responder.tests"}',
        "",
    ],
)
def test_what_only_names_the_source_is_left_to_the_others(body: str) -> None:
    assert read_trial(body, account=ACCOUNT, now=NOW) is None


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_whatever_the_detail_is_nothing_is_raised(detail: object) -> None:
    assert isinstance(read(detail=detail), Skipped)


def test_to_a_reader_of_failures_it_is_none() -> None:
    """Not even where any source of Kubernetes events is accepted, as at the terminal."""
    disguised = json.dumps(event(detail={"id": ID, "reason": "Failed", "message": "Failed to pull image"}))
    (skipped,) = read_text(disguised)
    assert isinstance(skipped, Skipped)
    assert isinstance(read_body(disguised, origins=Origins(ACCOUNT, SOURCE)), Skipped)
