"""Spans for people, and since when a finding is broken."""

from __future__ import annotations

import pytest

from pull_responder.findings.clock import began_at, minute, span
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import Reach
from tests.unit.findings.lives import NOON

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"),
        (-HOUR, "less than a minute"),
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (MINUTE, "1 minute"),
        (90, "1 minute"),
        (119.9, "1 minute"),
        (2 * MINUTE, "2 minutes"),
        (20 * MINUTE - 1, "19 minutes"),
        (HOUR - 1, "59 minutes"),
        (HOUR, "1 hour"),
        (HOUR + 59, "1 hour"),
        (HOUR + 90, "1 hour 1 minute"),
        (HOUR + 50 * MINUTE, "1 hour 50 minutes"),
        (2 * HOUR + 30 * MINUTE, "2 hours 30 minutes"),
        (DAY - 1, "23 hours 59 minutes"),
        (DAY, "1 day"),
        (DAY + 59 * MINUTE, "1 day"),
        (DAY + 90 * MINUTE, "1 day 1 hour"),
        (DAY + 23 * HOUR, "1 day 23 hours"),
        (2 * DAY + 4 * HOUR + 59, "2 days 4 hours"),
        (9 * DAY + 2 * HOUR, "9 days 2 hours"),
    ],
)
def test_a_span_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_time_is_given_to_the_minute() -> None:
    assert minute(NOON + 59) == "2026-03-01 12:00 UTC"


@pytest.mark.parametrize(
    ("seen", "began"),
    [(None, 0), (-1, -1), (0, 0), (1, 0), (-HOUR, -HOUR), (-HOUR - 1, 0), (MINUTE, 0)],
)
def test_failures_began_with_the_first_that_was_seen_within_the_hour_before(seen: float | None, began: float) -> None:
    reach = Reach(events=1, first_seen_at=None if seen is None else iso(NOON + seen))
    assert began_at(reach, NOON) == NOON + began


def test_a_failure_in_the_very_second_in_which_the_finding_opened_counts() -> None:
    assert began_at(Reach(events=1, first_seen_at=iso(NOON)), NOON + 0.5) == NOON
