"""The period of `report`: what people type, and what they typed wrong."""

from __future__ import annotations

import click
import pytest

from pull_responder.cli.period import Period, period

# 2026-03-01T12:00:00Z.
NOW = 1_772_366_400.0
DAY = 86_400.0
MIDNIGHT = NOW - DAY / 2


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("30d", None, Period(NOW - 30 * DAY, NOW)),
        ("12h", None, Period(NOW - 12 * 3_600, NOW)),
        ("2w", "2026-02-28", Period(MIDNIGHT - 14 * DAY, MIDNIGHT)),
        ("2026-02-27", "2026-02-28", Period(MIDNIGHT - 2 * DAY, MIDNIGHT)),
        ("2026-03-01", "2026-03-01", Period(MIDNIGHT, NOW)),
        ("2026-03-01T13:00+02:00", None, Period(NOW - 3_600, NOW)),
        ("2026-03-01T11:00", "2099-01-01T00:00Z", Period(NOW - 3_600, NOW)),
        (" 2026-03-01 11:00Z ", None, Period(NOW - 3_600, NOW)),
    ],
)
def test_what_people_type(since: str, until: str | None, found: Period) -> None:
    assert period(since, until, now=NOW) == found


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (
            "yesterday",
            None,
            "--since is not a date as 2026-11-30 or a time as 2026-11-30T12:00Z, or so long ago",
        ),
        ("30", None, "--since is not a date"),
        ("", None, "--since is not a date"),
        ("2026-02-30", None, "--since is not a date"),
        ("20260301", None, "--since is not a date"),
        ("1d", "soon", "--until is not a date as 2026-11-30 or a time as 2026-11-30T12:00Z"),
        ("2026-03-02", None, "--since is not in the past"),
        ("0d", None, "--since is not in the past"),
        ("99999w", None, "--since is not in the past"),
        ("2026-02-02", "2026-02-01", "--since is not before --until"),
        ("1d", "9999-12-31", ""),
        ("0001-01-01", None, "--since is not"),
    ],
)
def test_what_is_no_period(since: str, until: str | None, words: str) -> None:
    if not words:
        assert period(since, until, now=NOW).until == NOW
        return
    with pytest.raises(click.UsageError) as error:
        period(since, until, now=NOW)
    assert words in str(error.value)
