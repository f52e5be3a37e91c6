"""What is remembered of a SUPPRESSED in Security Hub."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pull_responder.findings.life import notice, remember_suppression
from pull_responder.findings.notice import Edge
from pull_responder.findings.suppression import Suppression, suppression_after
from tests.unit.findings.lives import NOON, close, find, tell

DAY = 86_400.0


@pytest.mark.parametrize(
    ("known", "status", "imported", "after"),
    [
        # Nobody suppressed it.
        (None, None, math.inf, None),
        (None, "NEW", DAY, None),
        (None, "NOTIFIED", DAY, None),
        # People did, and lifted it.
        (None, "SUPPRESSED", DAY, Suppression.PEOPLE),
        (Suppression.PEOPLE, "SUPPRESSED", DAY, Suppression.PEOPLE),
        (Suppression.PEOPLE, "SUPPRESSED", math.inf, Suppression.PEOPLE),
        (Suppression.PEOPLE, "NEW", DAY, None),
        # Security Hub has deleted it.
        (Suppression.PEOPLE, None, 40 * DAY, Suppression.LOST),
        (Suppression.LOST, None, 40 * DAY, Suppression.LOST),
        (Suppression.LOST, "NEW", 0, Suppression.LOST),
        (Suppression.LOST, "SUPPRESSED", DAY, Suppression.PEOPLE),
        (Suppression.LOST, "RESOLVED", DAY, None),
        # It was there before ours, or after ours was deleted.
        (None, "SUPPRESSED", math.inf, Suppression.PLANTED),
        (None, "SUPPRESSED", 30 * DAY, Suppression.PEOPLE),
        (None, "SUPPRESSED", 30 * DAY + 1, Suppression.PLANTED),
        (Suppression.PLANTED, "SUPPRESSED", DAY, Suppression.PLANTED),
        (Suppression.PLANTED_TOLD, "SUPPRESSED", DAY, Suppression.PLANTED_TOLD),
        (Suppression.PLANTED_TOLD, "NEW", DAY, None),
    ],
)
def test_what_is_remembered(
    known: Suppression | None, status: str | None, imported: float, after: Suppression | None
) -> None:
    assert suppression_after(known, status, imported=imported) is after


def test_what_grew_while_it_was_suppressed_is_told_once_that_is_known() -> None:
    """Whoever suppressed it knew of one repository, and people are told that more fail."""
    told = tell(find(None, NOON), NOON)
    grown = replace(told, reach=replace(told.reach, repository_count=20, principal_count=2))
    assert remember_suppression(grown, NOON + 60, None) is grown
    known = remember_suppression(grown, NOON + 60, Suppression.PEOPLE)
    assert known.suppression is Suppression.PEOPLE
    assert notice(known).edge is Edge.WORSE
    assert notice(known).because == (
        "Since the last notification: now pulls of 20 repositories by 2 roles or users fail."
    )
    assert remember_suppression(known, NOON + 61, Suppression.PEOPLE) is known
    by_one = replace(grown, reach=replace(grown.reach, principal_count=1))
    assert notice(remember_suppression(by_one, NOON + 60, Suppression.PEOPLE)).because.endswith("by 1 role or user fail.")
    as_broad = replace(told, reach=replace(told.reach, repository_count=1, principal_count=1))
    assert remember_suppression(as_broad, NOON + 60, Suppression.PEOPLE).pending is None
    planted = remember_suppression(grown, NOON + 60, Suppression.PLANTED)
    assert (planted.suppression, planted.pending) == (Suppression.PLANTED, None)
    lifted = remember_suppression(replace(known, pending=None), NOON + 61, None)
    assert (lifted.suppression, lifted.pending) == (None, None)


def test_of_a_finding_that_is_over_nothing_gets_worse() -> None:
    over = replace(close(tell(find(None, NOON), NOON), NOON + 1), pending=None)
    grown = replace(over, reach=replace(over.reach, repository_count=20, principal_count=2))
    known = remember_suppression(grown, NOON + 60, Suppression.PEOPLE)
    assert (known.suppression, known.pending) == (Suppression.PEOPLE, None)


def test_what_is_not_peoples_silences_nothing() -> None:
    assert [each for each in Suppression if each.silences] == [Suppression.PEOPLE, Suppression.LOST]
