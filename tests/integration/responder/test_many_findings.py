"""Many open findings: a change finds its own, one run at a time rechecks each, and all pulls of a finding must pass."""

from __future__ import annotations

import json
from threading import Event
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from pull_responder.diagnosis import diagnose
from pull_responder.events.change import Change, read_change
from pull_responder.findings.concern_keys import keys_of_finding
from pull_responder.findings.life import Life
from pull_responder.findings.store import Store, StoreError
from pull_responder.responder import later_looks
from pull_responder.responder import recheck as looks
from pull_responder.responder.recheck import Recheck
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION, Node, change, denial
from tests.integration.responder.test_resolving import FORWARDED, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.checks.check import Check
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts
    from tests.integration.responder.scene import Scene

LACKS: Final = "role_lacks_pull_permissions"
MISSING: Final = "image_not_found"
NOT_FOUND: Final = "not found"


def life_of(scene: Scene, node: Node) -> Life:
    (found,) = (each for each in open_lives(scene) if each.finding.resource.id.endswith(f"/{node.role}"))
    return found


def open_lives(scene: Scene) -> list[Life]:
    store = scene.store
    return [each for each in store.lives(store.open_findings(limit=500)).values() if isinstance(each, Life)]


def test_a_role_that_is_refused_for_twelve_repositories_is_mended_when_it_may_pull_all(scene: Scene) -> None:
    node, iam = scene.node_group(), scene.aws.client("iam")
    names = [f"team/{uuid4().hex[:8]}" for _ in range(12)]
    for name in names:
        scene.aws.client("ecr").create_repository(repositoryName=name)
    arns = [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}" for name in names]
    scene.respond(*(node.denied(scene.clock.now + at, action=IMAGE, resource=arn) for at, arn in enumerate(arns)))
    assert scene.edges() == [("new", LACKS)]

    def allow(*resources: str) -> None:
        actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        rules = [
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Effect": "Allow", "Action": actions, "Resource": resources},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": rules})
        iam.put_role_policy(RoleName=node.role, PolicyName="pull", PolicyDocument=document)
        scene.clock.forward(minutes=2)
        scene.recheck(change("iam", "PutRolePolicy", roleName=node.role, policyName="pull"))

    # The oldest failure, which the latest ten do not show, is still refused.
    allow(*arns[1:])
    assert life_of(scene, node).is_open
    allow(*arns)
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", LACKS)]


def test_a_run_that_has_no_time_left_does_not_go_through_all_pulls_and_leaves_the_finding_open(scene: Scene) -> None:
    node = scene.role()
    arns = [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/{number}" for number in range(3)]
    scene.respond(*(node.denied(scene.clock.now + at, action=IMAGE, resource=arn) for at, arn in enumerate(arns)))
    life, asked = life_of(scene, node), []
    assert len(life.problems) == len(arns)
    scene.allow(node)
    scene.seconds = 8.0

    with pytest.MonkeyPatch.context() as patched:

        def note(pull: PullFailure, facts: PullFacts, *, checks: Sequence[Check]) -> Diagnosis:
            asked.append(pull)
            return diagnose(pull, facts, checks=checks)

        patched.setattr(later_looks, "diagnose", note)
        outcome = Recheck(scene.run())._looks.look(life)

    assert len(asked) == 1
    assert not outcome.gone_because


def test_an_image_is_over_when_its_pods_have_stopped_failing_and_not_before(scene: Scene) -> None:
    node, name = scene.node_group(), f"team/{uuid4().hex[:8]}"
    scene.allow(node)
    scene.aws.client("ecr").create_repository(repositoryName=name)
    scene.respond(said(node, name, NOT_FOUND, at=scene.clock.now), **FORWARDED)
    assert scene.edges() == [("new", MISSING)]

    scene.clock.forward(minutes=50)
    scene.respond(said(node, name, NOT_FOUND, at=scene.clock.now), **FORWARDED)
    scene.clock.forward(minutes=50)
    scene.recheck(**FORWARDED)
    assert scene.edges() == []

    scene.clock.forward(minutes=16)
    scene.recheck(**FORWARDED)
    scene.clock.forward(minutes=6)
    scene.recheck(**FORWARDED)
    (told,) = scene.told()
    assert (told["edge"], told["finding"]["cause"]) == ("resolved", MISSING)
    assert "60 minutes" in told["because"]


def test_a_change_reads_only_the_findings_that_it_may_concern(scene: Scene) -> None:
    mine, *others = (scene.role() for _ in range(12))
    scene.respond(*(each.denied(scene.clock.now) for each in (mine, *others)))
    scene.clock.forward(minutes=1)
    mended, run = read_change(json.dumps(scene.allow(mine)), account=ACCOUNT), scene.run()
    assert isinstance(mended, Change)
    read: list[str] = []
    lives = run.store.lives

    with pytest.MonkeyPatch.context() as patched:

        def note(ids: list[str]) -> object:
            read.extend(ids)
            return lives(ids)

        patched.setattr(run.store, "lives", note)
        Recheck(run).recheck([mended])

    assert set(read) == {life_id(scene, mine)}
    assert not any(each.finding.resource.id.endswith(mine.role) for each in open_lives(scene) if each.is_open)
    assert sum(each.is_open for each in open_lives(scene)) == len(others)


def life_id(scene: Scene, node: Node) -> str:
    (found,) = scene.in_hub(f"role/{node.role}")
    return str(found["Id"])


def test_a_resolved_finding_is_listed_no_longer_and_one_that_is_back_is_listed_again(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    life = life_of(scene, node)
    assert set(life.keys) == keys_of_finding(life.finding)
    assert scene.store.listed_under([f"{ACCOUNT}/iam/{node.role}"], limit=9) == [life.id]

    scene.recheck(scene.allow(node))
    assert scene.store.listed_under(life.keys, limit=99) == []

    scene.forbid(node)
    scene.clock.forward(minutes=20)
    scene.respond(node.denied(scene.clock.now))
    assert scene.store.listed_under([f"{ACCOUNT}/iam/{node.role}"], limit=9) == [life.id]


def test_two_runs_do_not_look_at_the_same_finding(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.edges()
    scene.allow(node)
    scene.clock.forward(minutes=16)
    one, other = Recheck(scene.run()), Recheck(scene.run())
    life = life_of(scene, node)

    taken = one._lease(life, by_change=False)
    other.recheck([])
    assert life_of(scene, node).is_open
    assert life_of(scene, node).looked_at == life.looked_at

    one._recheck_one(taken, by_change=False)
    assert not [each for each in open_lives(scene) if each.is_open]


def test_an_item_that_cannot_be_read_nor_set_aside_holds_up_no_other_finding(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_and_mended(scene, 2)
    spoilt, other = open_lives(scene)
    scene.aws.client("dynamodb").update_item(
        TableName=scene.table,
        Key={"id": {"S": spoilt.id}},
        UpdateExpression="SET life = :life",
        ExpressionAttributeValues={":life": {"S": "{"}},
    )

    def fail(*_: object) -> None:
        raise StoreError("dynamodb:UpdateItem failed")

    monkeypatch.setattr(Store, "set_aside", fail)
    scene.recheck(HOLD_DOWN_MINUTES="0")
    assert [each["finding"]["id"] for each in scene.told()] == [other.id]


def broken_and_mended(scene: Scene, number: int) -> list[Node]:
    """Roles of which people were told that they may not pull, and that may since, at the time of the next recheck."""
    nodes = [scene.role() for _ in range(number)]
    scene.respond(*(each.denied(scene.clock.now) for each in nodes))
    assert scene.edges() == [("new", LACKS)] * number
    for each in nodes:
        scene.allow(each)
    scene.clock.forward(minutes=16)
    return nodes


def test_people_hear_of_the_first_that_works_again_before_the_last_is_rechecked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_RECHECKS_A_NOTICE", 2)
    broken_and_mended(scene, 5)
    last = scene.store.due_findings(before=scene.clock.now, limit=9)[-1]
    recheck = Recheck(scene.run(HOLD_DOWN_MINUTES="0"))
    look, tell, heard, told = recheck._recheck_one, recheck._notifier.tell, Event(), []

    def hear(lives: Sequence[Life]) -> None:
        tell(lives)
        heard.set()

    def note(life: Life, *, by_change: bool) -> Life:
        if life.id == last:
            assert heard.wait(20)
            told.extend(scene.edges())
        return look(life, by_change=by_change)

    monkeypatch.setattr(recheck, "_recheck_one", note)
    monkeypatch.setattr(recheck._notifier, "tell", hear)
    recheck.recheck([])
    assert len(told) >= 2
    assert len([*told, *scene.edges()]) == 5


def test_a_run_that_dies_between_two_notices_loses_none_and_tells_none_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_RECHECKS_A_NOTICE", 2)
    broken_and_mended(scene, 5)
    fourth = scene.store.due_findings(before=scene.clock.now, limit=9)[3]
    recheck = Recheck(scene.run(HOLD_DOWN_MINUTES="0"))
    look = recheck._recheck_one

    def die(life: Life, *, by_change: bool) -> Life:
        if life.id == fourth:
            raise KeyboardInterrupt
        return look(life, by_change=by_change)

    with monkeypatch.context() as patched:
        patched.setattr(recheck, "_recheck_one", die)
        with pytest.raises(KeyboardInterrupt):
            recheck.recheck([])
    told = [each["finding"]["resource"]["id"] for each in scene.told()]
    assert len(told) == 2
    scene.clock.forward(minutes=3)
    scene.recheck(HOLD_DOWN_MINUTES="0")
    told += [each["finding"]["resource"]["id"] for each in scene.told()]
    assert len(told) == len(set(told)) == 5
    assert not [each for each in open_lives(scene) if each.hub_due]


def test_the_findings_of_one_problem_are_told_together_wherever_the_run_notifies(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_RECHECKS_A_NOTICE", 1)
    node = scene.role()
    iam = scene.aws.client("iam")
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    boundary = iam.create_policy(PolicyName=f"b-{uuid4().hex[:8]}", PolicyDocument=json.dumps(nothing))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=node.role, PermissionsBoundary=boundary)
    scene.respond(node.denied(scene.clock.now))
    assert sorted(scene.edges()) == [("new", "permissions_boundary_blocks_pull"), ("new", LACKS)]
    iam.delete_role_permissions_boundary(RoleName=node.role)
    scene.allow(node)
    scene.clock.forward(minutes=16)
    scene.recheck(HOLD_DOWN_MINUTES="0")
    (told,) = scene.told()
    assert len(told["findings"]) == 2


def test_strangers_wait_behind_the_others(scene: Scene) -> None:
    node, stranger = scene.node_group(), scene.stranger()
    scene.respond(denial(stranger, "build", at=scene.clock.now), node.denied(scene.clock.now))
    scene.clock.forward(minutes=16)
    order: list[str] = []
    recheck = Recheck(scene.run())
    look = recheck._recheck_one

    with pytest.MonkeyPatch.context() as patched:

        def note(life: Life, *, by_change: bool) -> Life:
            order.append(life.finding.cause)
            return look(life, by_change=by_change)

        patched.setattr(recheck, "_recheck_one", note)
        recheck.recheck([])

    assert order == [LACKS, "unexpected_principal_denied"]
