"""Which notices are sent by themselves and which share a digest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.findings.burst import Burst, Plan, Side, Telling, plan, put_off_until, read_burst, side_of
from pull_responder.findings.notice import Edge
from tests.unit.findings.lives import NOON

ABOVE = 10
ROLE = "new role_lacks_pull_permissions"
OTHER = "new repository_not_found"


def some(number: int, kind: str = ROLE, *, first: int = 0, put_off: bool = False, tries: int = 1) -> list[Telling]:
    return [Telling(f"{kind}/{first + each}", kind, put_off=put_off, tries=tries) for each in range(number)]


def ids(tellings: list[Telling]) -> tuple[str, ...]:
    return tuple(each.id for each in tellings)


def at(burst: Burst, notices: list[Telling], seconds: float = 0, *, waiting: int = 0) -> tuple[Burst, Plan]:
    return plan(burst, notices, now=NOON + seconds, waiting=waiting, above=ABOVE)


def test_few_are_sent_by_themselves() -> None:
    _, planned = at(Burst(), some(ABOVE))
    assert planned == Plan(alone=ids(some(ABOVE)))


def test_one_more_makes_a_digest_at_once() -> None:
    burst, planned = at(Burst(), some(ABOVE + 1))
    assert planned == Plan(digest=ids(some(ABOVE + 1)))
    assert (burst.digests, burst.digest_at) == (1, NOON)


def test_what_waits_counts_like_what_is_here() -> None:
    notices = some(2)
    _, planned = at(Burst(), notices, waiting=ABOVE - 1)
    assert planned == Plan(digest=ids(notices))
    _, planned = at(Burst(), notices, waiting=ABOVE - 2)
    assert planned == Plan(alone=ids(notices))


def test_the_first_of_its_kind_is_sent_by_itself_among_many() -> None:
    _, planned = at(Burst(), [*some(19), *some(1, OTHER)], waiting=900)
    assert planned == Plan(alone=ids(some(1, OTHER)), digest=ids(some(19)))


def test_another_kind_is_sent_by_itself_between_two_digests() -> None:
    burst, _ = at(Burst(), some(20), waiting=900)
    burst, planned = at(burst, [*some(9, first=20), *some(2, OTHER)], 30, waiting=900)
    assert planned.alone == (f"{OTHER}/0",)
    assert planned.digest == ()
    assert planned.later == (*ids(some(9, first=20)), f"{OTHER}/1")
    assert planned.due == NOON + 120
    _, planned = at(burst, some(1, OTHER, first=2), 60)
    assert planned.alone == ()


def test_many_kinds_are_not_all_sent_by_themselves() -> None:
    burst, _ = at(Burst(), some(20), waiting=900)
    alone = []
    for number in range(12):
        burst, planned = at(burst, some(1, f"new cause_{number}"), number)
        alone += [*planned.alone]
    assert len(alone) == 5


def test_the_digest_that_is_due_takes_along_what_is_new() -> None:
    burst, _ = at(Burst(), some(20))
    waited = some(100, first=20, put_off=True, tries=2)
    burst, planned = at(burst, [*waited, *some(3, first=200)], 125)
    assert planned == Plan(digest=(*ids(waited), *ids(some(3, first=200))))
    assert burst.digests == 2
    _, planned = at(burst, some(1, first=300), 130)
    assert planned.due == NOON + 125 + 240


def test_two_runs_at_once_do_not_send_two_digests() -> None:
    burst, _ = at(Burst(), some(20))
    burst, planned = at(burst, some(50, first=20, put_off=True, tries=2), 120)
    assert planned.digest
    _, planned = at(burst, some(50, first=70, put_off=True, tries=2), 121)
    assert planned == Plan(later=ids(some(50, first=70)), due=NOON + 120 + 240)


def test_what_was_put_off_too_often_is_sent() -> None:
    burst = Burst(at=NOON, level=20, digests=3, digest_at=NOON)
    _, planned = at(burst, some(2, put_off=True, tries=5), 1)
    assert planned.digest == ids(some(2))
    _, planned = at(burst, some(2, put_off=True, tries=4), 1)
    assert planned.later == ids(some(2))


def test_what_was_refused_is_sent_by_itself_or_if_it_is_much_in_a_digest() -> None:
    burst = Burst(at=NOON, level=20, digests=3, digest_at=NOON - 600, kinds=(ROLE,))
    _, planned = at(burst, some(3, tries=2))
    assert planned == Plan(alone=ids(some(3)))
    _, planned = at(burst, some(30, tries=2))
    assert planned == Plan(digest=ids(some(30)))


def test_as_many_as_may_be_told_one_by_one_are_told_so_also_the_second_time() -> None:
    _, planned = at(Burst(), some(ABOVE, tries=2))
    assert planned == Plan(alone=ids(some(ABOVE)))


def test_what_was_refused_and_what_is_new_are_both_told() -> None:
    _, planned = at(Burst(), [*some(1, tries=2), *some(1, OTHER)])
    assert planned == Plan(alone=(f"{ROLE}/0", f"{OTHER}/0"))


@pytest.mark.parametrize(("seconds", "is_sent"), [(-1, False), (0, False), (44, False), (45, True)])
def test_shortly_after_a_digest_no_other_run_sends_one(seconds: float, *, is_sent: bool) -> None:
    burst = Burst(at=NOON, level=20, digests=3, digest_at=NOON)
    _, planned = plan(burst, some(2, put_off=True, tries=2), now=NOON + seconds, waiting=900, above=ABOVE)
    assert bool(planned.digest) is is_sent


def test_a_digest_that_is_overdue_is_a_second_away() -> None:
    burst = Burst(at=NOON, level=20, digests=3, digest_at=NOON - 3600, kinds=(ROLE,))
    _, planned = at(burst, some(1))
    assert planned == Plan(later=(f"{ROLE}/0",), due=NOON + 1)


def test_a_burst_that_is_over_is_written_over_its_own_item() -> None:
    after, _ = at(Burst(version=4, at=NOON - 9000, level=1), some(1))
    assert after == Burst(version=4, at=NOON, level=1, kinds=(ROLE,))


@pytest.mark.parametrize(
    ("burst", "kind", "seconds", "until"),
    [
        (Burst(), ROLE, 0, None),
        (Burst(at=NOON, level=3, kinds=(ROLE,)), ROLE, 0, None),
        (Burst(at=NOON, level=20, kinds=(ROLE,), digests=1, digest_at=NOON), OTHER, 0, None),
        (Burst(at=NOON, level=20, kinds=(ROLE,), digests=1, digest_at=NOON), ROLE, 0, 120),
        (Burst(at=NOON, level=20, kinds=(ROLE,), digests=1, digest_at=NOON), ROLE, 118.5, 120),
        (Burst(at=NOON, level=20, kinds=(ROLE,), digests=1, digest_at=NOON), ROLE, 119, None),
        (Burst(at=NOON, level=20, kinds=(ROLE,), digests=1, digest_at=NOON), ROLE, 300, None),
    ],
)
def test_a_new_notice_waits_for_a_digest_that_is_to_come_with_its_kind(
    burst: Burst, kind: str, seconds: float, until: float | None
) -> None:
    assert put_off_until(burst, kind, NOON + seconds) == (until and NOON + until)


def test_a_single_one_too_many_waits_for_the_end_of_the_minute() -> None:
    burst, _ = at(Burst(), some(ABOVE), 10)
    burst, planned = at(burst, some(1, first=50), 20)
    assert planned == Plan(later=(f"{ROLE}/50",), due=NOON + 65)


def test_ten_minutes_without_a_notice_end_a_burst() -> None:
    burst, _ = at(Burst(), some(500), waiting=500)
    _, planned = at(burst, some(1, first=900), 599)
    assert planned.later
    _, planned = at(burst, some(1, first=900), 600)
    assert planned == Plan(alone=(f"{ROLE}/900",))


def test_a_time_to_come_holds_up_nothing() -> None:
    burst = Burst(at=NOON + 9e9, level=1e9, kinds=(ROLE,), alone=10**9, digests=10**9, digest_at=NOON + 9e9)
    after, planned = at(burst, some(1))
    assert planned == Plan(later=(f"{ROLE}/0",), due=NOON + 15 * 60)
    assert after.at == NOON
    _, planned = at(after, some(1, put_off=True, tries=2), 15 * 60)
    assert planned.digest


def test_one_finding_every_minute_is_no_burst() -> None:
    burst = Burst()
    for minute in range(120):
        burst, planned = at(burst, some(1, first=minute), minute * 60)
        assert planned.alone


def test_a_storm_holds_up_nothing_that_comes_one_by_one_afterwards() -> None:
    burst, _ = at(Burst(), some(20), waiting=900)
    told = []
    for time in range(9, 60, 9):
        burst, planned = at(burst, some(1, first=time), time * 60)
        told.append(bool(planned.alone))
    assert told == [False, *[True] * 5]


def delays(kinds: list[str], *, apart: float) -> list[float]:
    """Return after how many seconds each of `kinds` is told that come one by one after a storm, when nothing waits."""
    burst, _ = at(Burst(), some(20), waiting=900)
    came: dict[str, float] = {}
    told: dict[str, float] = {}
    put_off: list[tuple[float, Telling]] = []
    left = list(kinds)
    now = NOON
    while left or put_off:
        now += 60
        due = [each for when, each in put_off if when <= now]
        put_off = [(when, each) for when, each in put_off if when > now]
        fresh = some(1, left.pop(0), first=100 + len(came)) if left and now - NOON >= apart * (len(came) + 1) else []
        came |= {each.id: now for each in fresh}
        if due or fresh:
            burst, planned = plan(burst, [*due, *fresh], now=now, waiting=0, above=ABOVE)
            again = {each.id: replace(each, put_off=True, tries=each.tries + 1) for each in [*due, *fresh]}
            told |= dict.fromkeys((*planned.alone, *planned.digest), now)
            put_off += [(planned.due, again[each]) for each in planned.later]
    return [told[each] - came[each] for each in came]


@pytest.mark.parametrize("apart", [300, 540, 660])
def test_after_a_storm_what_comes_one_by_one_waits_only_while_the_storm_is_remembered(apart: int) -> None:
    """Six hours after it, each is told at once: also when none of them is ten minutes after the last one."""
    number = 6 * 3600 // apart
    after = delays([ROLE] * number, apart=apart)
    assert after[:1] == [0] or after[0] < 15 * 60
    assert after[600 // apart + 1 :] == [0] * (number - 600 // apart - 1)


def test_after_a_storm_new_causes_are_told_at_once_however_many_there_are() -> None:
    assert delays([f"new cause_{number}" for number in range(30)], apart=540) == [0] * 30


def drain(kinds: list[str], *, apart: float, waiting: int) -> int:
    """Return how many messages a backlog of `kinds` gives, which brings one notice every `apart` seconds."""
    burst, messages, now, number = Burst(), 0, NOON, 0
    put_off: list[tuple[float, Telling]] = []
    left = list(kinds)
    while left or put_off:
        due = [each for when, each in put_off if when <= now]
        put_off = [(when, each) for when, each in put_off if when > now]
        fresh = some(1, left.pop(0), first=number) if left else []
        number += 1
        if due or fresh:
            burst, planned = plan(burst, [*due, *fresh], now=now, waiting=waiting, above=ABOVE)
            messages += len(planned.alone) + bool(planned.digest)
            again = {each.id: replace(each, put_off=True, tries=each.tries + 1) for each in [*due, *fresh]}
            put_off += [(planned.due, again[each]) for each in planned.later]
        now += apart
    return messages


@pytest.mark.parametrize("apart", [45, 60, 150, 400])
def test_a_backlog_that_drains_one_by_one_is_not_a_message_each(apart: int) -> None:
    assert drain([ROLE] * (3_000 // apart), apart=apart, waiting=50) <= 8


def test_a_slow_backlog_of_several_causes_has_few_messages_too() -> None:
    assert drain([ROLE, *[OTHER, ROLE] * 20], apart=60, waiting=50) <= 8


@pytest.mark.parametrize("apart", [45, 60, 150, 400])
def test_what_comes_one_by_one_with_nothing_behind_it_is_a_message_each(apart: int) -> None:
    """It is no backlog: nobody would know when to stop waiting for more."""
    assert drain([ROLE] * (3_000 // apart), apart=apart, waiting=0) == 3_000 // apart


def test_few_that_waited_for_nothing_are_forgotten_as_soon_as_before() -> None:
    burst, _ = at(Burst(), some(3))
    _, planned = at(burst, some(ABOVE, first=50), 90)
    assert planned == Plan(alone=ids(some(ABOVE, first=50)))


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40), st.booleans()), min_size=1, max_size=40),
    st.integers(0, 1_000),
)
def test_each_notice_is_planned_once_and_a_storm_of_one_kind_has_few_messages(
    runs: list[tuple[int, int, bool]], waiting: int
) -> None:
    """Runs come some seconds apart. What was put off is handed to the first run after it is due."""
    burst, now, messages, number = Burst(), NOON, 0, 0
    put_off: list[tuple[float, Telling]] = []
    told: list[str] = []
    for seconds, count, is_recheck in [*runs, *[(60, 0, True)] * 60]:
        now += seconds
        due = [each for when, each in put_off if when <= now] if is_recheck else []
        put_off = [(when, each) for when, each in put_off if each not in due]
        fresh = some(count, first=number)
        number += count
        if not (due or fresh):
            continue
        burst, planned = plan(burst, [*due, *fresh], now=now, waiting=waiting + 2 * ABOVE, above=ABOVE)
        again = {each.id: replace(each, put_off=True, tries=each.tries + 1) for each in [*due, *fresh]}
        assert sorted([*planned.alone, *planned.digest, *planned.later]) == sorted(again)
        assert planned.due > now or not planned.later
        put_off += [(planned.due, again[each]) for each in planned.later]
        told += [*planned.alone, *planned.digest]
        messages += len(planned.alone) + bool(planned.digest)
    assert sorted(told) == sorted(each.id for each in some(number))
    # It lasts for 40 minutes at most.
    assert messages <= 7


def test_what_is_over_is_paced_by_itself() -> None:
    assert [side_of(edge) for edge in Edge] == [Side.BROKEN] * 4 + [Side.OVER]


def test_a_burst_is_read_as_it_was_written() -> None:
    burst = Burst(4, NOON, 3.5, (ROLE, OTHER), 1, 2, NOON - 60)
    assert read_burst(burst.dump(), version=4) == burst
    assert read_burst(Burst().dump(), version=0) == Burst()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"at": "x"}', Burst(at=float("inf")).dump(), Burst(digests=-1).dump(), "[" * 100_000],
)
def test_a_burst_that_cannot_be_read_is_a_new_one(text: str) -> None:
    assert read_burst(text, version=7) == Burst(7)
