"""When the deployment is examined again: hourly while it is broken, less and less often while something is unread."""

from __future__ import annotations

import pytest

from pull_responder.findings.health import Examination, examination_item, read_examination

HOUR = 3600.0
AT = 1_790_000_000.0


def hours_until_due(examination: Examination) -> int:
    """The first of the hourly runs, some of which come a minute early, that examines."""
    return next(hour for hour in range(1, 49) if examination.is_due(AT + hour * HOUR - 60))


@pytest.mark.parametrize(
    ("unread", "hours"), [(0, 24), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 24), (2_000, 24)]
)
def test_what_stays_unread_is_looked_at_less_and_less_often(unread: int, hours: int) -> None:
    assert hours_until_due(Examination(at=AT, unread=unread)) == hours


def test_what_is_broken_is_looked_at_each_time() -> None:
    assert Examination(at=AT, blind_by=("trail: x",)).is_due(AT)


def test_what_made_it_blind_and_cannot_be_read_any_more_backs_off_too() -> None:
    assert hours_until_due(Examination(at=AT, blind_by=("trail: x",), unread=4)) == 8


def test_what_a_release_before_has_written_is_read() -> None:
    item = examination_item(Examination(at=AT, blind_by=("trail: x",)), now=AT)
    state = item["state"]["S"].replace(',"unread":0,"regions":[],"unsure":[]', "")
    assert "unread" not in state
    read = read_examination({**item, "state": {"S": state}})
    assert (read.blind_by, read.unread, read.regions) == (("trail: x",), 0, ())
    assert read.is_due(AT)
