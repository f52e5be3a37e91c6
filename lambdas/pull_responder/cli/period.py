"""A period that options name: its beginning as a date, a time, or so long ago; its end as a date or a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import click

from pull_responder.findings.problem import seconds_of

_AGO: Final = re.compile(r"(\d{1,5})([hdw])", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SECONDS: Final = {"h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to `until`, in seconds since 1970."""

    since: float
    until: float


def period(since: str, until: str | None, *, now: float) -> Period:
    """Return the period of the options --since and --until. Raises click.UsageError if they are none.

    A date is a day in UTC: as the beginning its first moment, as the end its last. A time without an offset is UTC.
    """
    end = now if until is None else min(_time(until, "--until", end=True), now)
    if ago := _AGO.fullmatch(since.strip()):
        begin = end - int(ago[1]) * _SECONDS[ago[2]]
    else:
        begin = _time(since, "--since", end=False)
    if not 0 <= begin < end:
        raise click.UsageError("--since is not before --until" if until else "--since is not in the past")
    return Period(begin, end)


def _time(text: str, option: str, *, end: bool) -> float:
    text = text.strip()
    is_date, is_time = bool(_DATE.fullmatch(text)), "T" in text or " " in text
    found = seconds_of(text) if is_date or is_time else None
    if found is None:
        form = "a date as 2026-11-30 or a time as 2026-11-30T12:00Z"
        also = ", or so long ago as 30d, 12h or 4w" if option == "--since" else ""
        raise click.UsageError(f"{option} is not {form}{also}")
    return found + _SECONDS["d"] if is_date and end else found
