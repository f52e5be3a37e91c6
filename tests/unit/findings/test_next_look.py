"""When a finding is due for its next look: before it is late, and not much more often than it has to be."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from pull_responder.findings.life import Life, mark_rechecked, open_or_update
from pull_responder.findings.next_look import next_look_at
from pull_responder.findings.notice import Edge
from pull_responder.settings import Settings
from tests.unit.findings.lives import NOON, SETTINGS, seen_on, tell
from tests.unit.publish.examples import FINDING


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


def _open(settings: Settings) -> Life:
    return open_or_update(None, FINDING, problem="problem/a", reach=seen_on(), now=NOON, settings=settings)


@pytest.mark.parametrize(
    ("minutes", "hours"), [(1, 24), (15, 24), (15, 1), (60, 1), (120, 2), (720, 24), (1_440, 24), (1_440, 1)]
)
def test_reminders_and_signs_of_life_come_with_the_first_run_after_they_are_due(minutes: int, hours: int) -> None:
    """A look just before the hour leaves them to no look that is an interval later."""
    settings = replace(SETTINGS, recheck_minutes=minutes, reminder_hours=hours)
    reminders, signs = [NOON], [NOON]
    # Told a few seconds after the diagnosis, as messages are.
    life = tell(_open(settings), NOON + 5)
    life = replace(life, hub_due=False, hub_at=NOON + 7)
    looks, now = 0, NOON
    while now < NOON + 50 * 3600:
        now = max(now + 60, -(-life.look_at // 60) * 60)
        life, looks = mark_rechecked(life, now=now, settings=settings), looks + 1
        if life.pending:
            assert life.pending.edge is Edge.REMINDER
            reminders.append(now)
            life = tell(life, now + 5)
        if life.hub_due:
            signs.append(now)
            life = replace(life, hub_due=False, hub_at=now + 7)
    assert {after - before for before, after in pairwise(reminders)} == {hours * 3600 + 60}
    assert {after - before for before, after in pairwise(signs)} == {24 * 3600 + 60}
    # Two looks more for each of them: one of the recheck shortly before, and one when it is due.
    every = max(60, next_look_at(0, settings))
    assert looks <= 50 * 3600 / every + 2 * (len(reminders) + len(signs))


def test_without_reminders_a_finding_is_not_looked_at_for_them() -> None:
    settings = replace(SETTINGS, recheck_minutes=1_440, reminder_hours=0)
    life = tell(_open(settings), NOON + 5)
    assert life.look_at == next_look_at(NOON, settings)
