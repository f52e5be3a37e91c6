"""What is remembered of a SUPPRESSED in Security Hub."""

from __future__ import annotations

import math

import pytest

from pull_responder.findings.suppression import Suppression, suppression_after

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
        (None, "SUPPRESSED", 31 * DAY, Suppression.PLANTED),
        (Suppression.PLANTED, "SUPPRESSED", DAY, Suppression.PLANTED),
        (Suppression.PLANTED_TOLD, "SUPPRESSED", DAY, Suppression.PLANTED_TOLD),
        (Suppression.PLANTED_TOLD, "NEW", DAY, None),
    ],
)
def test_what_is_remembered(
    known: Suppression | None, status: str | None, imported: float, after: Suppression | None
) -> None:
    assert suppression_after(known, status, imported=imported) is after


def test_what_is_not_peoples_silences_nothing() -> None:
    assert [each for each in Suppression if each.silences] == [Suppression.PEOPLE, Suppression.LOST]
