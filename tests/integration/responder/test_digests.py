"""A digest is sent once: what it says is neither lost nor told twice, wherever its run dies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.findings.life import Life, Pending
from pull_responder.findings.notice import Edge
from pull_responder.findings.problem import Problem
from pull_responder.findings.store import Store, StoreError
from pull_responder.publish import sns
from pull_responder.responder import notifier
from pull_responder.responder.digest_marks import DigestMarks
from tests.integration.responder.scene import Scene
from tests.integration.responder.test_crashes import Died, die_after, die_before

if TYPE_CHECKING:
    from collections.abc import Callable

NEW = ("new", "role_lacks_pull_permissions")
NUMBER = 5
FEW = {"DIGEST_ABOVE": "2"}


def lives(scene: Scene) -> list[Life]:
    found = scene.store.lives(scene.store.open_findings(limit=100)).values()
    return [each for each in found if isinstance(each, Life)]


def fail_until(scene: Scene, undo: Callable[[], None]) -> None:
    """Let five roles fail in a run that dies, and let its claims run out."""
    nodes = [scene.role() for _ in range(NUMBER)]
    with pytest.raises(Died):
        scene.respond(*(node.denied(scene.clock.now) for node in nodes), **FEW)
    undo()
    scene.clock.forward(minutes=3)


def number_told(scene: Scene) -> list[int]:
    """How many findings each message is about that people have got since the last time."""
    return [len(each["findings"]) if each["edge"] == "digest" else 1 for each in scene.told()]


def test_a_run_that_dies_after_its_digest_was_sent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # Before it records a single one of the notices.
    fail_until(scene, die_before(monkeypatch, notifier, "change_lives"))
    assert number_told(scene) == [NUMBER]
    for _ in range(3):
        scene.recheck(**FEW)
        scene.clock.forward(minutes=3)
    assert number_told(scene) == []
    assert [(life.pending, life.told and life.told.silently) for life in lives(scene)] == [(None, False)] * NUMBER


def test_a_run_that_dies_after_it_took_over_a_digest_that_was_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_until(scene, die_before(monkeypatch, notifier, "change_lives"))
    assert number_told(scene) == [NUMBER]
    undo = die_before(monkeypatch, DigestMarks, "sent_before")
    with pytest.raises(Died):
        scene.recheck(**FEW)
    undo()
    for _ in range(3):
        scene.clock.forward(minutes=3)
        scene.recheck(**FEW)
    assert number_told(scene) == []
    assert [life.pending for life in lives(scene)] == [None] * NUMBER


def test_two_runs_whose_digests_overlap_lose_none(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # One dies after its digest. Another, which diagnoses other roles meanwhile, takes over nothing of it.
    first = [scene.role() for _ in range(NUMBER)]
    undo = die_before(monkeypatch, notifier, "change_lives")
    with pytest.raises(Died):
        scene.respond(*(node.denied(scene.clock.now) for node in first), **FEW)
    undo()
    scene.respond(*(scene.role().denied(scene.clock.now) for _ in range(NUMBER)), **FEW)
    for _ in range(5):
        scene.clock.forward(minutes=3)
        scene.recheck(**FEW)
    assert sum(number_told(scene)) == 2 * NUMBER
    assert [life.pending for life in lives(scene)] == [None] * 2 * NUMBER


def test_a_run_that_dies_before_its_digest_was_sent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_until(scene, die_before(monkeypatch, sns, "publish_digest"))
    assert number_told(scene) == []
    for _ in range(3):
        scene.recheck(**FEW)
        scene.clock.forward(minutes=3)
    assert number_told(scene) == [NUMBER]
    assert [life.pending for life in lives(scene)] == [None] * NUMBER


def test_a_run_that_dies_between_the_digest_and_its_marks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_until(scene, die_after(monkeypatch, sns, "publish_digest"))
    scene.recheck(**FEW)
    scene.clock.forward(minutes=3)
    scene.recheck(**FEW)
    # Better twice than never.
    assert number_told(scene) == [NUMBER, NUMBER]


def test_a_later_notice_of_the_same_finding_is_not_taken_for_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_until(scene, die_before(monkeypatch, notifier, "change_lives"))
    assert number_told(scene) == [NUMBER]
    life = lives(scene)[0]
    assert life.pending is not None
    claimant = life.pending.claimant
    scene.recheck(**FEW)
    # The same run has claimed another notice of it, and died before it sent that.
    life = lives(scene)[0]
    now = scene.clock.now
    worse = Pending(Edge.WORSE, "It grew.", now, now, claimed_until=now + 60, claimant=claimant, tries=1)
    assert scene.store.save(replace(life, pending=worse))
    scene.clock.forward(minutes=3)
    scene.recheck(**FEW)
    assert scene.edges() == [("worse", NEW[1])]


def test_marks_that_cannot_be_written_or_read_cost_a_second_digest_and_no_notice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise StoreError("dynamodb:PutItem failed")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save_told", fail)
        fail_until(scene, die_before(patch, notifier, "change_lives"))
    with monkeypatch.context() as patch:
        patch.setattr(Store, "told", fail)
        scene.recheck(**FEW)
    assert number_told(scene) == [NUMBER, NUMBER]


def test_a_burst_that_cannot_be_read_holds_up_no_notice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise StoreError("dynamodb:BatchGetItem failed")

    monkeypatch.setattr(Store, "burst", fail)
    scene.respond(scene.role().denied(scene.clock.now), **FEW)
    assert scene.edges() == [NEW]
    scene.respond(*(scene.role().denied(scene.clock.now) for _ in range(3)), **FEW)
    assert number_told(scene) == [3]


@pytest.mark.parametrize(("unread_tries", "messages"), [(0, [2]), (1, [1, 1])])
def test_a_problem_that_waits_because_something_cannot_be_read_is_no_backlog(
    scene: Scene, unread_tries: int, messages: list[int]
) -> None:
    for number in range(40):
        waits = Problem(f"problem/{number}", count=1, look_at=scene.clock.now + 15, unread_tries=unread_tries)
        assert scene.store.save_problem(waits)
    scene.respond(*(scene.role().denied(scene.clock.now) for _ in range(2)), **FEW)
    assert number_told(scene) == messages


def test_what_waits_behind_problems_that_cannot_be_read_is_backlog(scene: Scene) -> None:
    """However many they are: a role that may read nothing leaves the problems of a whole account undecided."""
    store, unread = scene.store, 350
    for number in range(unread + 2):
        tries = int(number < unread)
        waits = Problem(f"problem/{number}", count=1, look_at=scene.clock.now + number / 1_000, unread_tries=tries)
        assert store.save_problem(waits)
    scene.respond(scene.role().denied(scene.clock.now), scene.role().denied(scene.clock.now), **FEW)
    assert number_told(scene) == [2]


def test_what_ends_together_is_told_in_one_digest(scene: Scene) -> None:
    nodes = [scene.role() for _ in range(NUMBER)]
    scene.respond(*(node.denied(scene.clock.now) for node in nodes), **FEW)
    assert number_told(scene) == [NUMBER]
    # They are found to be over one after the other, and each is due by itself.
    for node in nodes:
        scene.clock.forward(seconds=20)
        scene.recheck(scene.allow(node), **FEW)
    messages = []
    for _ in range(30):
        scene.clock.forward(minutes=1)
        scene.recheck(**FEW)
        messages += number_told(scene)
    assert sum(messages) == NUMBER
    assert len(messages) <= 2


def test_what_gets_worse_together_is_told_in_one_digest(scene: Scene) -> None:
    nodes = [scene.role() for _ in range(NUMBER)]
    scene.respond(*(node.denied(scene.clock.now) for node in nodes), **FEW)
    assert number_told(scene) == [NUMBER]
    scene.clock.forward(minutes=1)
    more = [f"i-{number:017x}" for number in range(10)]
    scene.respond(*(node.denied(scene.clock.now - 1, session=each) for node in nodes for each in more), **FEW)
    scene.clock.forward(minutes=16)
    scene.respond(*(node.denied(scene.clock.now) for node in nodes), **FEW)
    (digest,) = scene.told()
    assert {each["edge"] for each in digest["findings"]} == {"worse"}
    assert len(digest["findings"]) == NUMBER


def test_reminders_share_a_digest(scene: Scene) -> None:
    nodes = [scene.role() for _ in range(NUMBER)]
    scene.respond(*(node.denied(scene.clock.now) for node in nodes), **FEW)
    assert number_told(scene) == [NUMBER]
    scene.clock.forward(minutes=24 * 60 + 1)
    scene.recheck(**FEW)
    (digest,) = scene.told()
    assert {each["edge"] for each in digest["findings"]} == {"reminder"}
