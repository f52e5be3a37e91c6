"""A notice that SNS took, or may have taken, without saying so, and one that the topic for filters did not get."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.findings.life import (
    Life,
    claim,
    counts_as_heard,
    mark_notified,
    mark_perhaps_notified,
    mark_told,
    retry_later,
)
from pull_responder.findings.notice import Edge
from tests.unit.findings.lives import NOON, RUN, close, find, tell


def claimed(life: Life | None = None, now: float = NOON) -> Life:
    return claim(life or find(None, NOON), now, RUN)


def test_a_notice_without_a_readable_answer_is_sent_once_more_and_then_counts_as_heard() -> None:
    life = claimed()
    assert not counts_as_heard(life)
    once = mark_perhaps_notified(life, NOON)
    assert once.pending is not None
    assert (once.pending.unclear, once.pending.perhaps_heard, once.pending.claimant) == (1, True, "")
    assert (once.told, once.pending.due) == (None, NOON + 40)
    again = claimed(once, NOON + 40)
    assert counts_as_heard(again)
    twice = mark_perhaps_notified(again, NOON + 40)
    assert twice.pending is None
    assert twice == mark_notified(again, NOON + 40)


def test_what_grew_meanwhile_is_measured_by_what_was_sent() -> None:
    sent = claimed(mark_perhaps_notified(claimed(), NOON), NOON + 40)
    grown = find(sent, NOON + 41, nodes=100)
    told = mark_perhaps_notified(grown, NOON + 42, sent=sent)
    assert told.told is not None
    assert told.told.step == 0


def test_without_a_pending_notice_nothing_is_unclear() -> None:
    life = tell(find(None, NOON), NOON)
    assert not counts_as_heard(life)
    assert mark_perhaps_notified(life, NOON + 1) is life


def test_only_the_topic_for_filters_still_has_to_get_it() -> None:
    life = claimed()
    told = mark_told(life, NOON, sent=life, unclear=False)
    assert told.told == mark_notified(life, NOON).told
    assert told.pending is not None
    assert (told.pending.edge, told.pending.told, told.pending.perhaps_heard) == (Edge.NEW, True, True)
    assert (told.pending.unclear, told.pending.before) == (0, ())
    assert (told.pending.claimant, told.pending.due) == ("", NOON + 40)
    # People have heard of it, so they hear of its end.
    over = close(told, NOON + 60)
    assert over.pending is not None
    assert over.pending.edge is Edge.RESOLVED


def test_runs_that_died_before_people_heard_are_forgotten() -> None:
    life = claim(claim(find(None, NOON), NOON, "first"), NOON + 60, RUN)
    assert life.pending is not None
    assert life.pending.before == ("first",)
    told = mark_told(life, NOON + 60, sent=life, unclear=False)
    assert told.pending is not None
    assert told.pending.before == ()


def test_the_topic_for_filters_gets_it_at_most_twice_without_a_readable_answer() -> None:
    life = claimed()
    once = mark_told(life, NOON, sent=life, unclear=True)
    assert once.pending is not None
    assert once.pending.unclear == 1
    again = claimed(once, NOON + 40)
    assert mark_told(again, NOON + 40, sent=again, unclear=True).pending is None
    # A clear refusal is no answer that it may have taken.
    refused = mark_told(again, NOON + 40, sent=again, unclear=False)
    assert refused.pending is not None
    assert refused.pending.unclear == 1


def test_unclear_answers_of_the_other_topics_do_not_count_for_the_one_for_filters() -> None:
    life = claimed(mark_perhaps_notified(claimed(), NOON), NOON + 40)
    told = mark_told(life, NOON + 40, sent=life, unclear=True)
    assert told.pending is not None
    assert told.pending.unclear == 1


@pytest.mark.parametrize(("tries", "is_pending"), [(14, True), (15, True), (16, False)])
def test_after_a_quarter_of_an_hour_the_topic_for_filters_is_left_out(tries: int, *, is_pending: bool) -> None:
    life = claimed()
    assert life.pending is not None
    life = replace(life, pending=replace(life.pending, tries=tries))
    assert (mark_told(life, NOON, sent=life, unclear=False).pending is not None) is is_pending


def test_a_newer_notice_is_not_held_up_by_the_topic_for_filters() -> None:
    sent = claimed()
    over = close(sent, NOON + 1)
    told = mark_told(over, NOON + 2, sent=sent, unclear=True)
    assert told == mark_notified(over, NOON + 2, sent=sent)
    assert told.pending == over.pending


def test_nothing_is_due_for_filters_where_nothing_is_pending() -> None:
    sent = claimed()
    heard = mark_notified(sent, NOON + 1)
    told = mark_told(heard, NOON + 2, sent=sent, unclear=False)
    assert told == mark_notified(heard, NOON + 2, sent=sent)
    assert retry_later(told, NOON + 3) is told
