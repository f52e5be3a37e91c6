"""One run at a time rechecks a finding, and a change that comes meanwhile is not lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pull_responder.findings.leases import has_lease, lease, make_due, release, seize
from pull_responder.findings.life import Life
from pull_responder.findings.next_look import next_look_at
from tests.unit.findings.lives import NOON, SETTINGS, close, find, look

ONE, OTHER = "one", "other"
DUE: Final = replace(find(None, NOON - 900), look_at=NOON)


def leased(life: Life, run: str, *, now: float = NOON, by_change: bool = False) -> Life:
    return lease(life, run, now=now, until=now + 100, by_change=by_change)


def test_a_due_finding_is_leased_to_one_run() -> None:
    life = leased(DUE, ONE)
    assert has_lease(life, ONE, NOON)
    assert leased(life, OTHER) == life
    assert not has_lease(life, OTHER, NOON)
    # Nobody else is told that it is due, until the run must have ended.
    assert replace(life, pending=None, hub_due=False).due_at == NOON + 100
    assert has_lease(leased(life, OTHER, now=NOON + 100), OTHER, NOON + 100)


def test_a_finding_that_is_not_due_is_leased_after_a_change_only() -> None:
    life = replace(DUE, look_at=NOON + 60)
    assert leased(life, ONE) == life
    assert has_lease(leased(life, ONE, by_change=True), ONE, NOON)


def test_a_change_during_a_recheck_makes_it_due_again_when_that_ends() -> None:
    asked = leased(leased(DUE, ONE), OTHER, by_change=True)
    assert has_lease(asked, ONE, NOON)
    done = release(look(asked, NOON + 5), ONE, now=NOON + 5)
    assert (done.look_at, done.again, done.leased_by, done.leased_until) == (NOON + 5, False, "", 0)


def test_without_a_change_the_next_recheck_is_the_scheduled_one() -> None:
    done = release(look(leased(DUE, ONE), NOON + 5), ONE, now=NOON + 5)
    assert done.look_at == next_look_at(NOON + 5, SETTINGS)


def test_a_change_during_a_recheck_whose_run_dies_makes_it_due_when_the_lease_expires() -> None:
    later = replace(DUE, look_at=NOON + 9_000)
    asked = leased(leased(later, ONE, by_change=True), OTHER, by_change=True)
    assert replace(asked, pending=None, hub_due=False).due_at == NOON + 100


def test_a_run_releases_its_own_lease_only() -> None:
    life = leased(DUE, ONE)
    assert release(life, OTHER, now=NOON) == life


def test_who_knows_that_it_is_over_takes_the_lease_and_lists_anew_what_another_run_may_have_deleted() -> None:
    life = replace(leased(DUE, ONE), keys=("key",))
    seized = seize(life, OTHER, until=NOON + 50)
    assert has_lease(seized, OTHER, NOON)
    assert not has_lease(seized, ONE, NOON)
    assert seized.keys == ()
    assert release(seized, ONE, now=NOON) == seized
    assert seize(replace(DUE, keys=("key",)), ONE, until=NOON + 50).keys == ("key",)


def test_a_resolved_finding_is_leased_to_nobody() -> None:
    over = close(DUE, NOON)
    assert seize(over, ONE, until=NOON + 50) == over
    assert leased(over, ONE, by_change=True) == over
    assert not has_lease(replace(over, leased_by=ONE, leased_until=NOON + 9), ONE, NOON)


def test_a_change_that_no_time_was_left_for_makes_it_due_at_once() -> None:
    asked = make_due(replace(DUE, look_at=NOON + 900), now=NOON)
    assert (asked.look_at, asked.again) == (0, False)
    over = close(DUE, NOON)
    assert make_due(over, now=NOON) == over


def test_a_lease_is_over_when_it_expires() -> None:
    life = leased(DUE, ONE)
    assert has_lease(life, ONE, NOON + 99)
    assert not has_lease(life, ONE, NOON + 100)
    assert make_due(life, now=NOON + 99).again
    assert not make_due(life, now=NOON + 100).again


def test_a_change_that_no_time_was_left_for_outlives_a_recheck_that_began_before_it() -> None:
    asked = make_due(leased(DUE, ONE), now=NOON)
    done = release(look(asked, NOON + 5), ONE, now=NOON + 5)
    assert done.look_at == NOON + 5


def test_who_takes_over_from_a_run_that_died_lists_the_finding_anew() -> None:
    life = leased(replace(DUE, keys=("a", "b")), ONE)
    assert leased(life, ONE, now=NOON + 50).keys == ("a", "b")
    assert leased(life, OTHER, now=NOON + 50).keys == ("a", "b")
    assert leased(life, OTHER, now=NOON + 100).keys == ()
