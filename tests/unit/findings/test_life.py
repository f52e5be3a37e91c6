"""Which notice of a finding is pending as it opens, is notified, is resolved and comes back."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from pull_responder.findings.burst import Burst, Plan
from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.left_inspection import LeftInspection
from pull_responder.findings.life import (
    LastNotice,
    Life,
    Pending,
    claim,
    expires_at,
    is_claimed_by,
    magnitude,
    mark_notified,
    mark_rechecked,
    notice,
    open_or_update,
    postpone,
    resolve,
    retry_later,
)
from pull_responder.findings.next_look import next_look_at
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.pages import Page
from pull_responder.findings.problem import Problem, iso
from pull_responder.findings.reach import Reach
from pull_responder.model.pull import PullFailure, Stage, Symptom
from tests.unit.findings.lives import GRAVER, HAPPENINGS, NOON, RUN, SETTINGS, close, find, grave, look, seen_on, tell
from tests.unit.publish.examples import FINDING, PULL

DAY = 24 * 60

# What happens in which minute, and which notice is pending then. Each story begins when the finding opens at noon.
STORIES: dict[str, list[tuple[float, str, str | None]]] = {
    "new": [(0, "told", None), (15, "found", None), (30, "looked at", None), (45, "found", None)],
    "a notice that is refused stays": [(0, "refused", "new"), (1, "found", "new"), (1, "told", None)],
    "a notice that is put off stays": [(0, "put off", "new"), (1, "found on 10 nodes", "new"), (2, "told", None)],
    "it reaches further by a step": [
        (0, "told", None),
        (15, "found on 9 nodes", None),
        (30, "found on 10 nodes", "worse"),
        (30, "told", None),
        (45, "found on 99 nodes", None),
        (60, "found on 100 nodes", "worse"),
    ],
    "it reaches more pods": [(0, "told", None), (15, "found on 10 pods", "worse"), (15, "told", None)],
    "fewer again is no news, nor as many as before": [
        (0, "told", None),
        (15, "found on 10 nodes", "worse"),
        (15, "told", None),
        (30, "found", None),
        (45, "found on 10 nodes", None),
    ],
    "it becomes more severe": [(0, "told", None), (15, "found, now critical", "worse"), (15, "told", None)],
    "it grew before it was told": [(0, "found on 100 nodes", "new"), (0, "told", None), (1, "found on 99 nodes", None)],
    "fixed": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (16, "told", "resolved"),
        (20, "told", None),
        (35, "passed", None),
        (2 * DAY, "looked at", None),
    ],
    "back within the hold-down": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (19, "found", None),
        (34, "found", None),
    ],
    "back after people heard that it was over": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (20, "told", None),
        (60, "found", "back"),
        (60, "told", None),
        (75, "found", None),
        (90, "passed", "resolved"),
    ],
    "back while a run may be telling that it is over": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (20, "claimed", "resolved"),
        (20.5, "found", "back"),
    ],
    "over again while a run may be telling that it was over before": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (20, "claimed", "resolved"),
        (20.5, "found", "back"),
        (20.6, "passed", "resolved"),
    ],
    "over again before anybody heard that it is back": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (20, "told", None),
        (60, "found", "back"),
        (61, "passed", None),
    ],
    "worse after it is back counts from then": [
        (0, "told", None),
        (1, "found on 10 nodes", "worse"),
        (1, "told", None),
        (15, "passed", "resolved"),
        (20, "told", None),
        (60, "found", "back"),
        (60, "told", None),
        (75, "found on 10 nodes", "worse"),
    ],
    "resolved before anybody was notified": [(1, "passed", None), (30, "looked at", None)],
    "resolved before anybody was notified, then back": [(1, "passed", None), (30, "found", "back")],
    "resolved while a run may be sending the notice": [(0, "claimed", "new"), (0.5, "passed", "resolved")],
    "over and back while a run that was to tell of it died": [
        (0, "claimed", "new"),
        (0.5, "passed", "resolved"),
        (3, "found", "new"),
    ],
    "over after a run died that may have told of it, and another was refused": [
        (0, "claimed", "new"),
        (2, "refused", "new"),
        (3, "passed", "resolved"),
    ],
    "back after a run died that may have told that it is over, and another was refused": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (20, "claimed", "resolved"),
        (22, "refused", "resolved"),
        (23, "found", "back"),
    ],
    "over and back while a run that was to tell that it is back died": [
        (0, "told", None),
        (15, "passed", "resolved"),
        (20, "told", None),
        (60, "found", "back"),
        (60, "claimed", "back"),
        (60.5, "passed", "resolved"),
        (63, "found", "back"),
    ],
    "refused and resolved before anybody was notified": [(0, "refused", "new"), (3, "passed", None)],
    "put off and resolved before anybody was notified": [(0, "put off", "new"), (0.5, "passed", None)],
    "kept back from the beginning": [
        (0, "kept back", None),
        (15, "found on 100 nodes", "worse"),
        (15, "kept back", None),
        (30, "passed", None),
    ],
    "heard, and a later notice kept back": [
        (0, "told", None),
        (DAY, "looked at", "reminder"),
        (DAY, "kept back", None),
        (DAY + 15, "passed", "resolved"),
    ],
    "open for long": [
        (0, "told", None),
        (DAY - 1, "looked at", None),
        (DAY, "looked at", "reminder"),
        (DAY, "told", None),
        (2 * DAY - 1, "looked at", None),
        (2 * DAY, "looked at", "reminder"),
    ],
    "worse counts as a reminder": [
        (0, "told", None),
        (DAY - 60, "found on 10 nodes", "worse"),
        (DAY - 60, "told", None),
        (DAY + 60, "looked at", None),
    ],
    "what is to be told is told before anything else": [
        (0, "looked at", "new"),
        (2 * DAY, "looked at", "new"),
        (2 * DAY, "told", None),
        (2 * DAY + 15, "found on 10 nodes", "worse"),
        (4 * DAY, "looked at", "worse"),
        (4 * DAY, "told", None),
        (6 * DAY, "looked at", "reminder"),
        (6 * DAY, "found on 100 nodes", "reminder"),
    ],
}


def at(minute: float) -> float:
    return NOON + minute * 60


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_which_notice_is_pending(story: list[tuple[float, str, str | None]]) -> None:
    life = find(None, NOON)
    assert life.pending is not None
    assert life.pending.edge is Edge.NEW
    for minute, happening, expected in story:
        life = HAPPENINGS[happening](life, at(minute))
        to_tell = life.pending.edge.value if life.pending else None
        assert (minute, happening, to_tell) == (minute, happening, expected)


@pytest.mark.parametrize(
    ("nodes", "pods", "expected"),
    [(0, 0, 0), (1, 1, 0), (9, 9, 0), (10, 1, 1), (1, 10, 1), (99, 99, 1), (100, 3, 2), (999, 0, 2), (1000, 0, 3)],
)
def test_a_step_is_a_power_of_ten_of_pods_or_nodes(nodes: int, pods: int, expected: int) -> None:
    assert magnitude(seen_on(nodes=nodes, pods=pods)) == expected


def test_a_worse_notice_says_what_has_grown_and_since_when_it_is_open() -> None:
    life = tell(find(None, NOON), NOON)
    worse = HAPPENINGS["found on 10 nodes"](life, at(15))
    told = notice(worse)
    assert told.because == "Since the last notification: from 1 to 10 nodes."
    assert (told.at, told.opened_at) == ("2026-03-01T12:15:00Z", "2026-03-01T12:00:00Z")
    assert "from HIGH to CRITICAL" in notice(HAPPENINGS["found, now critical"](life, at(15))).because


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (Reach(events=10, node_count=10), "now 10 nodes"),
        (Reach(events=10, pod_count=10), "now 10 pods"),
        (
            Reach(events=10, pod_count=10_000, node_count=1, more=("pods",)),
            "now more than 10,000 pods, now 1 node",
        ),
    ],
)
def test_a_worse_notice_says_no_number_that_is_not_known(reach: Reach, words: str) -> None:
    life = tell(find(None, NOON), NOON)
    assert life.told
    earlier = replace(life.told, pods=0, nodes=0)  # as an earlier version wrote it
    worse = look(replace(life, told=earlier, reach=reach), NOON + 60)

    assert notice(worse).because == f"Since the last notification: {words}."


def test_a_worse_notice_says_what_it_was_before() -> None:
    life = replace(tell(find(None, NOON), NOON), reach=Reach(events=3, pod_count=12, node_count=2))
    life = tell(look(life, NOON + 60), NOON + 60)
    worse = look(replace(life, reach=Reach(events=9, pod_count=240, node_count=2)), NOON + 120)

    assert notice(worse).because == "Since the last notification: from 12 to 240 pods."


def test_a_notice_that_is_back_says_when_and_why_it_had_been_resolved() -> None:
    life = tell(close(tell(find(None, NOON), NOON), at(10)), at(15))
    back = find(life, at(60))
    told = notice(back)
    assert told.because == "It had been resolved at 2026-03-01 12:10 UTC, as found then: It passes now."
    assert told.opened_at == "2026-03-01T13:00:00Z"
    assert back.created_at == NOON
    assert (back.resolved_at, back.because) == (0, "")


def test_a_notice_that_a_run_may_have_sent_before_it_died_is_sent_again_without_more_words() -> None:
    life = find(close(claim(find(None, NOON), NOON, RUN), at(0.5)), at(3))
    assert life.pending is not None
    assert (life.pending.edge, life.pending.because, life.pending.perhaps_heard) == (Edge.NEW, "", True)
    # So people hear of its end, too.
    assert notice(close(life, at(4))).edge is Edge.RESOLVED


def test_a_finding_of_which_nobody_knows_when_it_was_resolved_is_back_without_more_words() -> None:
    over = replace(tell(close(tell(find(None, NOON), NOON), at(10)), at(15)), resolved_at=0)
    assert notice(find(over, at(60))).because == ""


def test_a_finding_that_flaps_says_so_after_why_it_had_been_resolved() -> None:
    life, minute = tell(find(None, NOON), NOON), 0
    for minute in (60, 120):
        life = find(tell(close(life, at(minute)), at(minute + 20)), at(minute + 30))
        life = life if minute == 120 else tell(life, at(minute + 30))
    assert notice(life).because.startswith(
        "It had been resolved at 2026-03-01 14:00 UTC, as found then: It passes now. "
        "It is flapping: after it was resolved it came "
    )


@pytest.mark.parametrize(("minutes", "counts"), [(1.5, False), (4, True)])
def test_what_was_over_for_a_moment_before_anybody_was_told_did_not_come_back(minutes: float, *, counts: bool) -> None:
    over = close(find(None, NOON), at(1))
    assert find(over, at(minutes)).breaks == ((at(minutes),) if counts else ())
    heard = tell(close(tell(find(None, NOON), NOON), at(1)), at(6))
    assert find(heard, at(6.5)).breaks == (at(6.5),)
    # Nobody has heard of the end yet, but a run may be telling.
    telling = claim(close(tell(find(None, NOON), NOON), at(1)), at(6), RUN)
    assert find(telling, at(2)).breaks == (at(2),)


def test_what_grew_in_two_ways_is_one_sentence() -> None:
    worse = open_or_update(
        tell(find(None, NOON), NOON),
        GRAVER,
        problem="problem/a",
        reach=seen_on(nodes=10),
        now=at(15),
        settings=SETTINGS,
    )
    assert notice(worse).because == ("Since the last notification: from HIGH to CRITICAL, from 1 to 10 nodes.")


def test_that_more_repositories_fail_is_no_news_of_a_finding_that_nobody_suppressed() -> None:
    life = tell(find(None, NOON), NOON)
    grown = replace(life, reach=replace(life.reach, repository_count=20, principal_count=20))
    assert look(grown, at(15)).pending is None


def test_what_grew_while_nobody_knew_that_it_was_suppressed_is_not_told_away_by_a_reminder() -> None:
    """The reminder is withheld, so people know of what failed on the day of the last notice."""
    told = tell(find(None, NOON), NOON)
    grown = replace(told, reach=replace(told.reach, repository_count=20, principal_count=1))
    kept = HAPPENINGS["kept back"](look(grown, at(DAY)), at(DAY))
    assert kept.told is not None
    assert kept.told.breadth == 0
    # A notice of growth that is withheld says what has grown, to whom it is shown in Security Hub.
    worse = replace(grown, reach=replace(grown.reach, node_count=100))
    kept = HAPPENINGS["kept back"](look(worse, at(15)), at(15))
    assert kept.told is not None
    assert kept.told.breadth == grown.reach.breadth
    sent = tell(look(grown, at(DAY)), at(DAY))
    assert sent.told is not None
    assert sent.told.breadth == grown.reach.breadth


def test_a_reminder_says_nothing_but_that_it_is_open() -> None:
    told = notice(look(tell(find(None, NOON), NOON), at(DAY)))
    assert (told.edge, told.because, told.at) == (Edge.REMINDER, "", "2026-03-02T12:00:00Z")


def test_a_notice_says_since_when_by_what_and_what_could_not_be_read() -> None:
    deed = Deed("DetachRolePolicy", "arn:aws:iam::111111111111:user/jo", iso(NOON - 90))
    life = replace(
        find(None, NOON),
        reach=Reach(events=3, first_seen_at=iso(NOON - 60)),
        broken_by=deed,
        changes_unread="the call was denied",
        deeds=(deed,),
    )
    new = notice(life)
    assert (new.since, new.opened_at) == (iso(NOON - 60), iso(NOON))
    assert (new.broken_by, new.changes_unread, new.fixed_by) == (deed, "the call was denied", ())
    assert notice(close(tell(life, NOON), at(5))).fixed_by == (deed,)


def test_what_came_back_says_by_what_it_had_been_fixed() -> None:
    deed = Deed("AttachRolePolicy", "arn:aws:iam::111111111111:user/jo", iso(NOON + 240), policy="PullOnly")
    later = replace(deed, policy="Logs")
    life = replace(tell(find(None, NOON), NOON), deeds=(deed, later))
    over = resolve(life, because=f"It passes now; {deed.words}.", now=at(5), settings=SETTINGS)

    # Only the call that the words about the end tell of.
    assert notice(find(tell(over, at(10)), at(60))).fixed_by == (deed,)


def test_without_a_pending_notice_there_is_none() -> None:
    with pytest.raises(ValueError, match=r"role_lacks_pull_permissions"):
        notice(tell(find(None, NOON), NOON))


def test_reminders_can_be_turned_off() -> None:
    life = tell(find(None, NOON), NOON)
    never = replace(SETTINGS, reminder_hours=0)
    assert mark_rechecked(life, now=at(100 * DAY), settings=never).pending is None


def test_without_a_hold_down_the_resolution_is_notified_at_once() -> None:
    life = resolve(tell(find(None, NOON), NOON), because="", now=at(5), settings=replace(SETTINGS, hold_down_minutes=0))
    assert claim(life, at(5), RUN) != life


def test_resolving_a_resolved_finding_changes_nothing() -> None:
    life = close(tell(find(None, NOON), NOON), at(5))
    assert resolve(life, because="Something else.", now=at(6), settings=SETTINGS) == life


def test_the_newest_finding_and_its_reach_are_kept() -> None:
    newer = replace(FINDING, explanation="Something else is lacking.")
    reach = Reach(events=7, pod_count=3)
    life = open_or_update(find(None, NOON), newer, problem="problem/b", reach=reach, now=at(15), settings=SETTINGS)
    assert life.finding == newer
    assert life.reach == reach
    assert life.problems == ("problem/a", "problem/b")
    assert (life.looked_at, life.look_at) == (at(15), at(28))


def test_a_new_finding_was_looked_at_when_it_was_found() -> None:
    life = find(None, NOON)
    assert (life.looked_at, life.look_at, life.created_at, life.opened_at) == (
        *(NOON, next_look_at(NOON, SETTINGS), NOON, NOON),
    )


def test_a_problem_is_listed_once_and_an_inspection_lists_none() -> None:
    life = find(find(None, NOON), at(15))
    assert life.problems == ("problem/a",)
    inspected = open_or_update(life, FINDING, problem=None, reach=Reach(), now=at(30), settings=SETTINGS)
    assert inspected.problems == ("problem/a",)
    first = open_or_update(None, FINDING, problem=None, reach=Reach(), now=NOON, settings=SETTINGS)
    assert first.problems == ()


def updated(before: PullFailure, pull: PullFailure) -> PullFailure:
    """The pull that a finding shows after a diagnosis of another one."""
    life = replace(find(None, NOON), finding=replace(FINDING, pull=before))
    found = replace(FINDING, pull=pull)
    life = open_or_update(life, found, problem="problem/a", reach=Reach(), now=at(15), settings=SETTINGS)
    return life.finding.pull


def test_the_words_of_aws_and_the_pod_of_an_earlier_failure_are_kept() -> None:
    bare = replace(
        PULL, denial=None, principal=None, symptom=Symptom.UNKNOWN, stage=None, pod=None, namespace=None, message=None
    )
    before = replace(PULL, message="denied: no", stage=Stage.LAYER)
    assert updated(before, bare) == before
    assert updated(before, replace(bare, message="i/o timeout")) == replace(before, message="i/o timeout")
    # What the newer failure tells by itself stands, and all that AWS says is of one error.
    newer = replace(PULL, pod="web-0", namespace="shop", stage=Stage.MANIFEST)
    assert updated(before, newer) == newer
    no_pod = replace(newer, pod=None, namespace=None)
    assert updated(before, no_pod) == replace(before, stage=Stage.MANIFEST)
    no_denial = replace(newer, denial=None, principal=None, symptom=Symptom.TIMEOUT)
    assert updated(before, no_denial) == replace(before, pod="web-0", namespace="shop", message=newer.message)
    assert updated(bare, bare) == bare


@pytest.mark.parametrize("place", [{"repository": "other"}, {"registry_account": "9" * 12}, {"region": "eu-west-2"}])
def test_nothing_is_kept_of_a_failure_on_another_repository(place: dict[str, str]) -> None:
    bare = replace(PULL, denial=None, principal=None, symptom=Symptom.UNKNOWN, pod=None, namespace=None)
    assert updated(replace(PULL, **place), bare) == bare  # type: ignore[arg-type]


def test_of_many_problems_the_latest_are_kept() -> None:
    life = find(None, NOON)
    for number in range(110):
        life = open_or_update(life, FINDING, problem=f"problem/{number}", reach=Reach(), now=NOON, settings=SETTINGS)
    assert life.problems == tuple(f"problem/{number}" for number in range(10, 110))


def test_only_one_run_has_a_notice_at_a_time() -> None:
    life = find(None, NOON)
    first = claim(life, NOON, "first")
    assert is_claimed_by(first, "first", NOON)
    second = claim(first, NOON + 1, "second")
    assert second == first
    assert not is_claimed_by(second, "second", NOON + 1)


def test_the_notice_of_a_run_that_died_is_taken_over() -> None:
    first = claim(find(None, NOON), NOON, "first")
    assert first.pending is not None
    expiry = first.pending.claimed_until
    assert first.due_at == expiry
    assert claim(first, expiry - 1, "second") == first
    second = claim(first, expiry, "second")
    assert is_claimed_by(second, "second", expiry)
    assert not is_claimed_by(first, "first", expiry)
    assert second.pending is not None
    assert (second.pending.edge, second.pending.tries) == (Edge.NEW, 2)


def test_a_claim_lasts_as_long_as_the_run_asked_for() -> None:
    life = claim(find(None, NOON), NOON, "first", seconds=125)
    assert is_claimed_by(life, "first", NOON + 124)
    assert claim(life, NOON + 124, "second") == life
    assert is_claimed_by(claim(life, NOON + 125, "second"), "second", NOON + 125)


def test_nothing_is_claimed_before_it_is_due() -> None:
    life = close(tell(find(None, NOON), NOON), at(10))
    assert claim(life, at(15) - 1, RUN) == life
    assert is_claimed_by(claim(life, at(15), RUN), RUN, at(15))


def test_a_notice_that_cannot_be_sent_is_retried_within_the_minute_then_with_growing_delays_up_to_an_hour() -> None:
    life, now = find(None, NOON), NOON
    waits = []
    for _ in range(23):
        life = retry_later(claim(life, now, RUN), now)
        assert life.pending is not None
        assert (life.pending.edge, life.pending.claimant) == (Edge.NEW, "")
        waits.append(life.pending.due - now)
        now = life.pending.due
    assert waits == [*[40] * 15, *[60 * minutes for minutes in (2, 4, 8, 16, 32, 60, 60, 60)]]


def test_a_notice_that_is_put_off_or_refused_is_claimed_by_nobody() -> None:
    for life in (
        postpone(claim(find(None, NOON), NOON, RUN), NOON + 65),
        HAPPENINGS["refused"](find(None, NOON), NOON),
    ):
        assert life.pending is not None
        assert (life.pending.claimed_until, life.pending.claimant) == (0, "")


def test_any_run_can_claim_a_postponed_notice_when_it_is_due() -> None:
    life = postpone(claim(find(None, NOON), NOON, RUN), NOON + 65)
    assert claim(life, NOON + 64, RUN) == life
    taken = claim(life, NOON + 65, "another")
    assert is_claimed_by(taken, "another", NOON + 65)
    assert taken.pending is not None
    assert taken.pending.digest


def test_recording_a_sent_notice_keeps_a_newer_one() -> None:
    first = tell(find(None, NOON), NOON)
    sent = claim(HAPPENINGS["found on 10 nodes"](first, at(1)), at(1), "slow")
    since = close(sent, at(2))
    told = mark_notified(since, at(2), sent=sent)
    assert told.pending == since.pending
    assert notice(told).edge is Edge.RESOLVED


def test_a_notice_sent_before_the_finding_came_back_is_not_recorded() -> None:
    sent = claim(close(tell(find(None, NOON), NOON), at(1)), at(6), "slow")
    back = find(sent, at(6.5))
    assert mark_notified(back, at(7), sent=sent) == back


def test_growth_while_a_notice_was_sent_is_notified() -> None:
    sent = claim(find(None, NOON), NOON, "slow")
    grown = HAPPENINGS["found on 100 nodes"](sent, at(0.5))
    told = mark_notified(grown, at(0.6), sent=sent)
    assert told.pending is None
    worse = HAPPENINGS["found on 100 nodes"](told, at(15))
    assert worse.pending is not None
    assert worse.pending.edge is Edge.WORSE


def test_the_next_notice_waits_for_the_claim_on_the_one_before() -> None:
    sent = claim(close(tell(find(None, NOON), NOON), at(1)), at(6), "slow")
    back = find(sent, at(6.5))
    assert sent.pending is not None
    assert claim(back, sent.pending.claimed_until - 1, "quick") == back
    assert is_claimed_by(claim(back, sent.pending.claimed_until, "quick"), "quick", sent.pending.claimed_until)


@pytest.mark.parametrize(
    ("life", "due"),
    [
        (find(None, NOON), NOON),
        (tell(find(None, NOON), NOON), at(2)),
        (replace(tell(find(None, NOON), NOON), hub_due=False), at(13)),
        (close(tell(find(None, NOON), NOON), at(5)), at(7)),
        (replace(close(tell(find(None, NOON), NOON), at(5)), hub_due=False), at(10)),
        (replace(close(find(None, NOON), at(5)), hub_due=False), None),
    ],
    ids=["to be told", "Security Hub was to hear", "open", "Security Hub is to hear", "people are to hear", "over"],
)
def test_when_a_run_has_to_handle_it(life: Life, due: float | None) -> None:
    assert life.due_at == due


def test_a_finding_expires_after_it_is_resolved_and_notified() -> None:
    life = tell(find(None, NOON), NOON)
    assert expires_at(life, SETTINGS) is None
    over = close(life, at(5))
    assert expires_at(over, SETTINGS) is None
    told = tell(over, at(10))
    assert expires_at(told, SETTINGS) is None
    assert expires_at(replace(tell(find(None, NOON), NOON), hub_due=False), SETTINGS) is None
    assert expires_at(replace(over, hub_due=False), SETTINGS) is None
    assert expires_at(replace(told, hub_due=False), SETTINGS) == at(5) + 90 * 86_400


def test_an_update_that_a_run_does_not_complete_is_retried_after_two_minutes() -> None:
    calm = replace(tell(find(None, NOON), NOON), hub_due=False, hub_at=NOON)
    assert find(None, NOON).hub_retry_at == NOON + 120
    assert grave(calm, at(15)).hub_retry_at == at(17)
    assert look(calm, NOON + 86_400).hub_retry_at == NOON + 86_520
    # One that waits already does not wait longer.
    waiting = replace(calm, hub_due=True, hub_retry_at=NOON + 5)
    assert look(waiting, NOON + 86_400).hub_retry_at == NOON + 5


def _is_imported(before: int, after: int) -> bool:
    """Whether Security Hub gets an update when the nodes become more."""
    calm = replace(tell(find(None, NOON, nodes=before), NOON), hub_due=False)
    return find(calm, at(15), nodes=after).hub_due


def test_what_could_not_be_read_is_looked_at_in_the_next_minutes_for_a_quarter_of_an_hour() -> None:
    life, now, looks = tell(find(None, NOON), NOON), NOON, []
    for _ in range(17):
        life = mark_rechecked(life, now=now, settings=SETTINGS, unread=True)
        looks.append(life.look_at - now)
        now += 60
    assert looks == [*[15] * 15, *[13 * 60] * 2]
    life = look(life, now)
    assert (life.look_at, life.looked_at, life.unread_looks) == (now + 13 * 60, now, 0)
    assert mark_rechecked(life, now=now, settings=SETTINGS, unread=True).look_at == now + 15


def test_a_look_that_is_due_sooner_anyhow_is_not_put_off() -> None:
    often = replace(SETTINGS, recheck_minutes=0)
    assert mark_rechecked(tell(find(None, NOON), NOON), now=NOON, settings=often, unread=True).look_at == NOON


def test_every_change_goes_to_security_hub() -> None:
    calm = replace(tell(find(None, NOON), NOON), hub_due=False)
    assert not find(calm, at(15)).hub_due
    # The number of events alone is no change that anybody acts on.
    assert not find(replace(calm, reach=replace(calm.reach, events=calm.reach.events + 1)), at(15)).hub_due
    assert [nodes for nodes in range(2, 30) if _is_imported(nodes - 1, nodes)] == [2, 6, 21]
    assert grave(calm, at(15)).hub_due
    assert find(replace(calm, hub_at=NOON), NOON + 86_400).hub_due
    assert not look(replace(calm, hub_at=NOON), NOON + 86_399).hub_due
    assert look(replace(calm, hub_at=NOON), NOON + 86_400).hub_due
    over = replace(close(tell(calm, NOON), NOON), hub_due=False, hub_at=NOON)
    assert not look(over, NOON + 86_400).hub_due
    assert close(calm, at(15)).hub_due
    assert not look(calm, at(15)).hub_due


@pytest.mark.parametrize(
    "kind", [Life, Pending, LastNotice, Problem, Page, Burst, Plan, Reach, LeftInspection, Finding]
)
def test_what_does_not_apply_is_0_and_not_so(kind: Any) -> None:  # noqa: ANN401 -- any dataclass
    assert {each.default for each in fields(kind) if isinstance(each.default, int | float)} <= {0}
    assert {each.default for each in fields(kind) if isinstance(each.default, str)} <= {""}


@pytest.mark.parametrize("kind", [Life, Pending, LastNotice, Problem, Page, Reach, Finding, Notice])
def test_what_may_be_unknown_is_so_unless_told(kind: Any) -> None:  # noqa: ANN401 -- any dataclass
    optional = [each for each in fields(kind) if str(each.type).endswith("| None") and each.default is not MISSING]
    assert [each.name for each in optional if each.default is not None] == []
