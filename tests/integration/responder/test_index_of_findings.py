"""An open finding stays listed, and a change is not lost, whatever other runs do or where a run dies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.findings.leases import seize
from pull_responder.findings.life import Life, resolve
from pull_responder.findings.store import Store
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.recheck import Recheck
from tests.integration.responder.scene import IMAGE
from tests.integration.responder.test_edges import REPOSITORY
from tests.integration.responder.test_many_findings import life_of, open_lives

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.integration.responder.scene import Node, Scene


def found(scene: Scene) -> tuple[Node, Life]:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.clock.forward(minutes=1)
    return node, life_of(scene, node)


def listed(scene: Scene, life: Life) -> dict[str, list[str]]:
    return {key: scene.store.listed_under([key], limit=9) for key in life.keys}


def test_a_run_that_wanted_to_close_a_finding_and_came_too_late_lists_it_again(scene: Scene) -> None:
    _, life = found(scene)
    run, other = scene.run(), Ledger(scene.run())
    unlist = run.store.unlist_under

    def see(known: Life | None) -> Life | None:
        return known and replace(known, looked_at=scene.clock.now + 1)

    def meet(keys: Iterable[str], finding_id: str) -> None:
        unlist(keys, finding_id)
        other.change(finding_id, see)

    def close(known: Life | None) -> Life | None:
        if known is None or known.looked_at > scene.clock.now:
            return known
        return resolve(known, because="It passes.", now=scene.clock.now, settings=run.settings)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run.store, "unlist_under", meet)
        after = Ledger(run).change(life.id, close)

    assert after is not None
    assert after.is_open
    assert listed(scene, life) == {key: [life.id] for key in life.keys}


def test_a_finding_whose_run_died_while_it_closed_it_is_listed_again_by_the_next_recheck(scene: Scene) -> None:
    node, life = found(scene)
    scene.clock.forward(minutes=16)
    Recheck(scene.run())._lease(life, by_change=False)
    scene.store.unlist_under(life.keys, life.id)

    scene.clock.forward(minutes=5)
    scene.recheck()
    assert life_of(scene, node).is_open
    assert listed(scene, life) == {key: [life.id] for key in life.keys}


def test_where_an_open_finding_is_listed_is_written_again_each_month_with_what_an_older_version_left_out(
    scene: Scene,
) -> None:
    node, life = found(scene)

    def expiry() -> set[int]:
        items = [
            scene.aws.client("dynamodb").get_item(TableName=scene.table, Key={"id": {"S": f"at/{key}/{life.id}"}})
            for key in life.keys
        ]
        return {int(each["Item"]["expires_at"]["N"]) for each in items}

    (first,) = expiry()
    scene.clock.forward(minutes=60 * 24 * 29)
    scene.recheck()
    assert expiry() == {first}
    scene.clock.forward(minutes=60 * 24 * 2)
    scene.recheck()
    (second,) = expiry()
    assert second == int(scene.clock.now) + (90 + 365) * 86_400
    # The version before wrote no time.
    assert scene.store.save(replace(life_of(scene, node), listed_at=0, look_at=0))
    scene.clock.forward(minutes=16)
    scene.recheck()
    (third,) = expiry()
    assert third > second


def test_a_change_that_a_run_had_no_time_for_outlives_the_recheck_that_was_under_way(scene: Scene) -> None:
    node, life = found(scene)
    one = Recheck(scene.run())
    taken = one._lease(life, by_change=True)
    look = one._looks.look

    def meet(known: Life) -> object:
        outcome = look(known)
        allowed = scene.allow(node)
        scene.seconds = 10.0
        scene.recheck(allowed)
        scene.seconds = 120.0
        return outcome

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one._looks, "look", meet)
        one._recheck_one(taken, by_change=True)

    scene.recheck()
    assert not [each for each in open_lives(scene) if each.is_open]


def test_a_change_during_a_recheck_that_crashes_is_seen_by_the_next_run(scene: Scene) -> None:
    node, life = found(scene)
    one = Recheck(scene.run())

    def crash(_: Life) -> object:
        scene.recheck(scene.allow(node))
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one._looks, "look", crash)
        assert one._try_recheck(life, by_change=True) is None

    scene.recheck()
    assert not [each for each in open_lives(scene) if each.is_open]


def test_a_change_is_checked_again_in_a_minute_if_a_diagnosis_was_recorded_meanwhile(scene: Scene) -> None:
    node, life = found(scene)
    allowed = scene.allow(node)
    one = Recheck(scene.run())
    look = one._looks.look

    def meet(known: Life) -> object:
        late = replace(life_of(scene, node), looked_at=scene.clock.now + 1, look_at=scene.clock.now + 900)
        assert scene.store.save(late)  # its diagnosis read AWS before the change
        return look(known)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one._looks, "look", meet)
        one._recheck_one(life, by_change=True)

    assert allowed
    assert life_of(scene, node).is_open
    scene.clock.forward(minutes=1)
    scene.clock.forward(seconds=1)
    scene.recheck()
    assert not [each for each in open_lives(scene) if each.is_open]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_what_a_diagnosis_finds_during_a_recheck_stays_open_whatever_its_clock_says(
    scene: Scene, seconds: float
) -> None:
    node, life = found(scene)
    scene.clock.forward(minutes=16)
    scene.allow(node)
    one = Recheck(scene.run())
    look = one._looks.look

    def meet(known: Life) -> object:
        gone = look(known)
        scene.forbid(node)
        scene.clock.forward(seconds=seconds)
        scene.respond(node.denied(scene.clock.now))
        scene.clock.forward(seconds=-seconds)
        return gone

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one._looks, "look", meet)
        one._recheck_one(life, by_change=False)

    assert life_of(scene, node).is_open


def test_a_recheck_whose_lease_a_diagnosis_took_writes_nothing_over_it(scene: Scene) -> None:
    node, life = found(scene)
    scene.clock.forward(minutes=16)
    one = Recheck(scene.run())
    look = one._looks.look

    def meet(known: Life) -> object:
        Ledger(scene.run()).change(
            life.id, lambda newest: newest and seize(newest, "other", until=scene.clock.now + 60)
        )
        scene.allow(node)
        return look(known)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one._looks, "look", meet)
        one._recheck_one(life, by_change=False)

    after = life_of(scene, node)
    assert after.is_open
    assert (after.leased_by, after.looked_at) == ("other", life.looked_at)
    assert listed(scene, life) == {key: [life.id] for key in life.keys}


def test_a_run_that_died_while_a_cause_that_it_found_ended_the_unexplained_failure_leaves_it_listed(
    scene: Scene,
) -> None:
    node = scene.role()
    for _ in range(4):
        scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY, session="i-0abcdef1234567890"))
        scene.clock.forward(minutes=16)
    (life,) = open_lives(scene)
    assert life.finding.cause == "pull_failing_unexplained"
    save = Store.save

    def die(store: Store, changed: Life) -> bool:
        if changed.id == life.id and not changed.is_open:
            raise KeyboardInterrupt
        return save(store, changed)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "save", die)
        with pytest.raises(KeyboardInterrupt):
            scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))

    scene.clock.forward(minutes=3)
    (unexplained,) = (each for each in open_lives(scene) if each.id == life.id)
    assert unexplained.is_open
    Recheck(scene.run())._recheck_one(unexplained, by_change=False)
    assert all(life.id in each for each in listed(scene, life).values())
    # The problem is due still.
    scene.recheck()
    assert not [each for each in open_lives(scene) if each.id == life.id and each.is_open]
