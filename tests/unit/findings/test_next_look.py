"""When a finding is due for its next look: before it is late, and not much more often than it has to be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pull_responder.findings.next_look import next_look_at
from pull_responder.settings import Settings

NOON = 1_772_366_400.0


@pytest.mark.parametrize(
    ("minutes", "rate", "due_after"),
    [
        (15, 1, 13),
        (60, 1, 58),
        (15, 5, 9),
        # Never earlier than after half of the time.
        (4, 1, 2),
        (2, 1, 1),
        (1, 1, 0.5),
        (15, 10, 7.5),
        (15, 60, 7.5),
        (1_440, 1_440, 720),
    ],
)
def test_a_finding_is_due_before_it_is_late(minutes: int, rate: int, due_after: float) -> None:
    settings = Settings(recheck_minutes=minutes, recheck_rate_minutes=rate)
    assert next_look_at(NOON, settings) == NOON + due_after * 60


@pytest.mark.parametrize("began", range(0, 60, 7))
@pytest.mark.parametrize("turn", [0, 20, 59])
@pytest.mark.parametrize(("minutes", "rate", "most"), [(15, 1, 15), (4, 1, 4), (30, 10, 30), (2, 1, 3), (1, 1, 3)])
def test_with_its_wait_for_the_schedule_and_its_turn_it_is_looked_at_in_time(
    minutes: int, rate: int, most: int, turn: int, began: int
) -> None:
    """With less than four minutes, half of them may be shorter than these waits."""
    settings = Settings(recheck_minutes=minutes, recheck_rate_minutes=rate)
    looks = [NOON + began]
    for number in range(200):
        run = NOON + number * rate * 60
        if next_look_at(looks[-1], settings) <= run:
            looks.append(run + turn)
    waits = [after - before for before, after in pairwise(looks)]
    assert max(waits) <= most * 60
    assert min(waits[1:]) >= min(minutes * 30, (minutes - rate - 2) * 60)
