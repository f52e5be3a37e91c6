"""The custom action "Look again" of Security Hub: the findings that people choose are rechecked at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.responder.scene import ACCOUNT
from tests.unit.events.test_look_again import event

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene


def chosen(*ids: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event(*ids, account=ACCOUNT))
    return body


def test_a_finding_that_is_fixed_is_resolved_at_once_and_others_are_left_alone(scene: Scene) -> None:
    one, other = scene.role(), scene.role()
    scene.respond(one.denied(scene.clock.now), other.denied(scene.clock.now))
    ids = {each["finding"]["resource"]["id"].rpartition("/")[2]: each["finding"]["id"] for each in scene.told()}
    scene.allow(one)
    scene.allow(other)
    scene.clock.forward(minutes=1)
    scene.recheck()
    assert [life.is_open for life in scene.store.lives(ids.values()).values()] == [True, True]  # type: ignore[union-attr]

    scene.recheck(chosen(ids[one.role]))

    lives = scene.store.lives(ids.values())
    assert not lives[ids[one.role]].is_open  # type: ignore[union-attr]
    assert lives[ids[other.role]].is_open  # type: ignore[union-attr]


def test_a_finding_that_is_not_fixed_stays_open_without_a_message(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (told,) = scene.told()
    scene.clock.forward(minutes=1)
    unknown = f"{told['finding']['id'][:-4]}0000"

    scene.recheck(chosen(told["finding"]["id"], unknown))

    assert scene.told() == []
    life = scene.store.lives([told["finding"]["id"]])[told["finding"]["id"]]
    assert (life.is_open, life.looked_at) == (True, scene.clock.now)  # type: ignore[union-attr]
