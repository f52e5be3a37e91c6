"""Problems that wait are diagnosed for as long as a run has time, in a fair order, and keep their place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.events.pod_failure import PodFailure
from pull_responder.findings.problem import iso
from pull_responder.findings.store import Store, StoreError
from pull_responder.responder import diagnoser, respond
from pull_responder.responder.recheck import Recheck
from pull_responder.responder.recorder import Recorder
from pull_responder.responder.respond import Message, Responder
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION, Scene, change

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.life import Life
    from pull_responder.model.pull import PullFailure

# How many problems a run leases at a time. Deployed it is more.
LEASED = 4
MANY = 2 * LEASED + 3


@pytest.fixture(autouse=True)
def few_leased(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (diagnoser, respond):
        monkeypatch.setattr(module, "MOST_LEASED", LEASED)


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> list[PullFailure]:
    """What has been diagnosed, in this order."""
    pulls: list[PullFailure] = []
    record = Recorder.record

    def noted(recorder: Recorder, problem_id: str, diagnosis: Diagnosis, *, page: str) -> list[Life]:
        pulls.append(diagnosis.pull)
        return record(recorder, problem_id, diagnosis, page=page)

    monkeypatch.setattr(Recorder, "record", noted)
    return pulls


def denials(scene: Scene, number: int) -> list[dict[str, Any]]:
    """Refused pulls of one role from many repositories: each is a problem of its own."""
    node = scene.node_group()
    return [
        node.denied(
            scene.clock.now + each,
            action=IMAGE,
            resource=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/made-up/{each:03}",
        )
        for each in range(number)
    ]


def pods(scene: Scene, number: int, *, pod: str = "made-up") -> list[str]:
    """Statuses of one pod that names an image after the other."""
    return [
        PodFailure(
            account=ACCOUNT,
            message="manifest unknown: not found",
            image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:{pod}-{each}",
            namespace="shop",
            pod=pod,
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0",
            time=iso(scene.clock.now - 600 + each),
            event_id=f"{pod}-{each}",
        ).body(region=REGION)
        for each in range(number)
    ]


def test_one_run_diagnoses_all_that_wait(scene: Scene, diagnosed: list[PullFailure]) -> None:
    responder = Responder(scene.run())
    messages = [Message(str(at), json.dumps(each)) for at, each in enumerate(denials(scene, MANY))]
    assert responder.respond(messages) == []
    assert len(diagnosed) == LEASED
    assert responder.diagnose_waiting() == {}
    assert len({each.repository for each in diagnosed}) == len(diagnosed) == MANY
    assert scene.store.due_problems(before=scene.clock.now + 3600, limit=MANY) == []


def test_the_function_recheck_diagnoses_all_that_wait(scene: Scene, diagnosed: list[PullFailure]) -> None:
    scene.seconds = 10
    scene.respond(*denials(scene, MANY))
    assert diagnosed == []
    scene.seconds = 120
    scene.recheck()
    assert len({each.repository for each in diagnosed}) == len(diagnosed) == MANY


def test_a_run_that_left_nothing_waiting_does_not_look_for_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.seconds = 10
    scene.respond(*denials(scene, 1))
    scene.seconds = 120

    def fail(*_: object, **__: object) -> list[str]:
        raise AssertionError("it looked")

    monkeypatch.setattr(Store, "due_problems", fail)
    responder = Responder(scene.run())
    responder.respond([])
    assert responder.diagnose_waiting() == {}


def test_a_problem_that_fails_again_keeps_its_place(scene: Scene, diagnosed: list[PullFailure]) -> None:
    events = denials(scene, 2)
    scene.seconds = 10
    scene.respond(events[0])
    scene.clock.forward(seconds=30)
    scene.respond(events[1])
    first, second = scene.store.due_problems(before=scene.clock.now, limit=9)
    scene.clock.forward(seconds=30)
    again = {**events[0], "detail": {**events[0]["detail"], "eventID": "again"}}
    scene.respond(again)
    assert scene.store.due_problems(before=scene.clock.now, limit=9) == [first, second]
    assert scene.store.problems([first])[first].count == 2
    assert diagnosed == []
    scene.seconds = 120
    scene.recheck()
    assert [each.repository for each in diagnosed] == ["made-up/000", "made-up/001"]


def test_many_that_wait_in_one_batch_keep_their_places_too(scene: Scene) -> None:
    events = denials(scene, MANY)
    scene.seconds = 10
    scene.respond(*events)
    began = scene.clock.now
    scene.clock.forward(seconds=30)
    scene.respond(*({**each, "detail": {**each["detail"], "eventID": f"again-{at}"}} for at, each in enumerate(events)))
    ids = scene.store.due_problems(before=scene.clock.now, limit=MANY)
    assert {each.look_at for each in scene.store.problems(ids).values()} == {began}


def test_a_denial_is_diagnosed_before_older_statuses_of_pods(scene: Scene, diagnosed: list[PullFailure]) -> None:
    bodies = [*pods(scene, MANY), json.dumps(denials(scene, 1)[0])]
    Responder(scene.run()).respond([Message(str(at), body) for at, body in enumerate(bodies)])
    assert diagnosed[0].repository == "made-up/000"
    assert len(diagnosed) == LEASED


def test_another_pod_does_not_wait_for_one_with_many_images(scene: Scene, diagnosed: list[PullFailure]) -> None:
    bodies = [*pods(scene, MANY), *pods(scene, 1, pod="web")]
    Responder(scene.run()).respond([Message(str(at), body) for at, body in enumerate(bodies)])
    assert "web" in [each.pod for each in diagnosed[:2]]


def test_what_came_last_is_in_the_line_however_long_it_is(
    scene: Scene, diagnosed: list[PullFailure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnoser, "_MOST_IN_LINE", 6)
    monkeypatch.setattr(diagnoser, "_MOST_NEWEST", 2)
    scene.seconds = 10
    old = pods(scene, 12)
    Responder(scene.run()).respond([Message(str(at), body) for at, body in enumerate(old)])
    scene.clock.forward(seconds=30)
    scene.respond(*denials(scene, 1))
    scene.seconds = 120
    scene.recheck()
    assert diagnosed[0].repository == "made-up/000"
    assert len(diagnosed) == 13


def test_a_run_whose_lease_was_lost_to_another_takes_the_next(scene: Scene, diagnosed: list[PullFailure]) -> None:
    scene.seconds = 10
    scene.respond(*denials(scene, MANY))
    scene.seconds = 120
    now = scene.clock.now
    ids = scene.store.due_problems(before=now, limit=LEASED)
    for problem in scene.store.problems(ids).values():
        assert scene.store.save_problem(replace(problem, leased_by="other", leased_until=now + 60))
    # The index still lists them, as it does when another run has leased them just now.
    scene.recheck()
    assert len(diagnosed) == MANY - LEASED
    assert {each.leased_by for each in scene.store.problems(ids).values()} == {"other"}


def test_a_table_that_fails_while_what_waits_is_read_fails_no_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    responder = Responder(scene.run())
    messages = [Message(str(at), json.dumps(each)) for at, each in enumerate(denials(scene, MANY))]
    assert responder.respond(messages) == []

    def fail(*_: object, **__: object) -> list[str]:
        raise StoreError("dynamodb:Query failed")

    monkeypatch.setattr(Store, "due_problems", fail)
    assert responder.diagnose_waiting() == {}


def test_rechecks_leave_time_for_what_waits(
    scene: Scene, diagnosed: list[PullFailure], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(5):
        scene.respond(scene.role().denied(scene.clock.now + each))
    scene.clock.forward(minutes=16)
    scene.seconds = 10
    scene.respond(*denials(scene, 1))
    scene.seconds = 120
    diagnosed.clear()
    recheck_one, looked = Recheck._recheck_one, []

    def slow(recheck: Recheck, life: Life, *, by_change: bool) -> Life:
        looked.append(life.id)
        scene.seconds -= 30
        return recheck_one(recheck, life, by_change=by_change)

    monkeypatch.setattr(Recheck, "_recheck_one", slow)
    scene.recheck()
    # After a fourth, no time would be left for what waits.
    assert len(looked) == 3
    assert [each.repository for each in diagnosed] == ["made-up/000"]
    # The others are due still.
    scene.seconds = 120
    scene.recheck()
    assert len(set(looked)) == 5


@pytest.mark.parametrize("seconds", [30, 45, 60, 80, 120])
def test_a_short_run_looks_at_open_findings_and_diagnoses_what_waits(scene: Scene, seconds: float) -> None:
    """`timeoutSeconds` is 30 or more. Some problem and some inspection wait in each run."""
    scene.seconds = seconds
    node, group, new = scene.role(), scene.node_group(), scene.role()
    scene.respond(node.denied(scene.clock.now))
    # No time is left for these two.
    scene.seconds = 10.0
    scene.respond(new.denied(scene.clock.now))
    scene.respond(change("eks", "UpdateNodegroupConfig", name=group.role, nodegroupName="workers"))
    scene.told()
    scene.allow(node)
    scene.clock.forward(minutes=16)
    scene.seconds = seconds
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ARCHIVED"
    told = {each["finding"]["resource"]["id"].rpartition("/")[2] for each in scene.told()}
    assert told == {group.role, new.role}


def test_with_too_little_time_left_nothing_is_looked_at(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.allow(node)
    scene.clock.forward(minutes=16)
    scene.seconds = 10.0
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ACTIVE"
