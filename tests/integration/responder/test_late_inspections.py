"""An inspection that a run has no time for waits in the table, and uses up no delivery of its message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.findings.left_inspection import LeftInspection
from pull_responder.responder.recorder import Recorder
from tests.integration.responder.scene import Node, Scene, change

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.eks_change import Inspection
    from pull_responder.findings.life import Life

NEW = ("new", "role_lacks_pull_permissions")
FAR = 1e12


def left(scene: Scene) -> list[LeftInspection]:
    every = scene.store.left_inspections(before=FAR, limit=9)
    return [each for each in every if isinstance(each, LeftInspection)]


def changed(node: Node) -> dict[str, object]:
    return change("eks", "UpdateNodegroupConfig", name=node.role, nodegroupName="workers")


def test_an_inspection_that_came_too_late_in_its_run_is_made_by_the_next_recheck(scene: Scene) -> None:
    event = changed(scene.node_group())
    scene.seconds = 10.0
    # SQS delivers it twice.
    assert scene.respond(event) == scene.respond(event) == []
    assert (len(left(scene)), scene.edges()) == (1, [])
    scene.seconds = 120.0
    scene.clock.forward(minutes=1)
    scene.recheck()
    assert NEW in scene.edges()
    assert left(scene) == []


def test_an_inspection_goes_on_where_the_last_run_ended(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = scene.node_group(), scene.node_group()
    role = f"arn:aws:iam::123456789012:role/{other.role}"
    scene.aws.client("eks").create_nodegroup(
        clusterName=one.role, nodegroupName="zone-b", subnets=["subnet-0a1b2c3d4e5f60718"], nodeRole=role
    )
    record, asked = Recorder.record_inspection, []

    def note(recorder: Recorder, diagnosis: Diagnosis, inspection: Inspection) -> list[Life]:
        asked.append((inspection.node_group, diagnosis.pull.repository))
        # No time is left after the first.
        scene.seconds = 10.0
        return record(recorder, diagnosis, inspection)

    monkeypatch.setattr(Recorder, "record_inspection", note)
    assert scene.respond(change("eks", "UpdateClusterConfig", name=one.role)) == []
    while left(scene):
        assert len(asked) < 40
        scene.seconds = 120.0
        scene.clock.forward(minutes=3)
        scene.recheck()
    assert {group for group, _ in asked} >= {"workers", "zone-b"}
    assert len(asked) == len(set(asked)) > 2


def test_an_inspection_that_crashes_each_time_is_dropped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> list[Life]:
        raise ZeroDivisionError

    scene.seconds = 10.0
    assert scene.respond(changed(scene.node_group())) == []
    scene.seconds = 120.0
    monkeypatch.setattr(Recorder, "record_inspection", crash)
    for _ in range(5):
        scene.clock.forward(minutes=3)
        with pytest.raises(ZeroDivisionError):
            scene.recheck()
    scene.clock.forward(minutes=3)
    scene.recheck()
    assert left(scene) == []


def test_an_inspection_that_another_run_has_is_not_made_twice(scene: Scene) -> None:
    scene.seconds = 10.0
    assert scene.respond(changed(scene.node_group())) == []
    (one,) = left(scene)
    assert scene.store.save_left(replace(one, look_at=scene.clock.now + 60))
    # The run that read it before comes too late.
    assert not scene.store.save_left(replace(one, tries=1))
    scene.seconds = 120.0
    scene.recheck()
    assert (len(left(scene)), scene.edges()) == (1, [])
    scene.clock.forward(minutes=2)
    scene.recheck()
    assert (left(scene), scene.edges()) == ([], [NEW])


def test_an_inspection_that_was_edited_by_hand_is_set_aside(scene: Scene) -> None:
    scene.seconds = 10.0
    event = changed(scene.node_group())
    assert scene.respond(event) == []
    (one,) = left(scene)
    scene.seconds = 120.0
    scene.aws.client("dynamodb").update_item(
        TableName=scene.table,
        Key={"id": {"S": one.id}},
        UpdateExpression="SET inspection = :mine",
        ExpressionAttributeValues={":mine": {"S": "{"}},
    )
    scene.recheck()
    # It is out of the queue, and there for people to look at.
    assert scene.store.left_inspections(before=FAR, limit=9) == []
    assert scene.edges() == []
    # Nobody goes on with it, so a delivery that comes too late goes back to its queue.
    scene.seconds = 10.0
    assert len(scene.respond(event)) == 1
