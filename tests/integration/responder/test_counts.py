"""Counts of a problem with many pods, and of a finding with many problems: exact, also when a run dies anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from pull_responder.events.pod_failure import PodFailure
from pull_responder.findings import life, problem
from pull_responder.findings.store import Store, StoreError
from pull_responder.responder import ledger
from pull_responder.responder.recorder import Recorder
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION, Node, Scene, change
from tests.integration.responder.test_crashes import NEW, Died, die_after, die_before
from tests.integration.responder.test_many_findings import life_of, open_lives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pull_responder.findings.life import Life

FEW: Final = 5


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a problem's item hold five names, and a finding's five problems: more are counted elsewhere."""
    monkeypatch.setattr(problem, "INLINE_NAMES", FEW)
    monkeypatch.setattr(life, "_MOST_PROBLEMS", FEW)
    monkeypatch.setattr(ledger, "_MOST_IN_LIFE", FEW)


def pods(scene: Scene, node: Node, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Statuses of pods of one node, all of which are refused the same image."""
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:v1"
    events = [
        PodFailure(
            account=ACCOUNT,
            message=f'Failed to pull image "{image}": unexpected status from HEAD request to https://{ACCOUNT}.dkr.ecr.'
            f"{REGION}.amazonaws.com/v2/shop/web/manifests/v1: 403 Forbidden",
            image=image,
            namespace="shop",
            pod=f"web-{number}",
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{node.role}/{node.instance}",
            time=problem.iso(scene.clock.now),
            event_id=f"event-{number}",
        ).body(region=REGION)
        for number in numbers
    ]
    return [json.loads(each) for each in events]


def counts(life: Life) -> tuple[int, int, int]:
    return life.reach.events, life.reach.pod_count, life.reach.node_count


def test_hundreds_of_pods_are_counted_once_and_days_later_too(scene: Scene) -> None:
    node = scene.node_group()
    events = pods(scene, node, range(300))
    assert scene.respond(*events[:150]) == []
    assert counts(life_of(scene, node)) == (150, 150, 1)
    assert scene.respond(*events[150:]) == []

    scene.clock.forward(minutes=50)
    (later,) = pods(scene, node, [300])
    scene.respond(later)
    assert counts(life_of(scene, node)) == (301, 301, 1)

    scene.clock.forward(minutes=60 * 24 * 3)
    scene.respond(*events, later)
    scene.respond(*pods(scene, node, [301]))
    assert counts(life_of(scene, node)) == (302, 302, 1)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("die", "owner", "name", "at"),
    [
        (die_before, Store, "save_problem", 1),  # nothing is on record
        (die_after, Store, "save_problem", 1),  # the problem is leased, and nothing is counted
        (die_before, Store, "save_page", 1),
        (die_after, Store, "save_page", 1),  # some events are counted
        (die_before, Recorder, "record", 1),  # all are
        (die_before, Store, "save_problem", 2),  # the finding is on record, and the problem still leased
        (die_after, Store, "save_problem", 2),
    ],
)
@pytest.mark.parametrize("paged_before", [False, True])
def test_a_run_that_dies_loses_no_count_and_doubles_none(  # noqa: PLR0913, PLR0917 -- where it dies
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    die: Callable[..., Callable[[], None]],
    owner: object,
    name: str,
    at: int,
    *,
    paged_before: bool,
) -> None:
    node, numbers = scene.node_group(), range(100, 112)
    if paged_before:
        scene.respond(*pods(scene, node, range(8)))
        assert scene.edges() == [NEW]
        scene.clock.forward(minutes=50)
    events, before = pods(scene, node, numbers), 8 * paged_before
    undo = die(monkeypatch, owner, name, at=at)
    with pytest.raises(Died):
        scene.respond(*events)
    undo()
    # The queue brings the messages again after its visibility timeout, and `recheck` runs every minute.
    scene.clock.forward(minutes=3)
    scene.respond(*events)
    scene.recheck()
    scene.clock.forward(minutes=50)
    scene.respond(*events, *pods(scene, node, [999]))
    assert counts(life_of(scene, node)) == (before + 13, before + 13, 1)
    told = [each["edge"] for each in scene.told()]
    assert told.count("new") == 1 - paged_before
    assert told.count("worse") <= 1


@pytest.mark.usefixtures("few")
def test_what_the_table_did_not_take_comes_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    node = scene.node_group()
    scene.respond(*pods(scene, node, range(8)))
    events = pods(scene, node, range(100, 103))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "save_page", fail)
        assert sorted(scene.respond(*events)) == ["0", "1", "2"]
    assert scene.respond(*events) == []
    scene.clock.forward(minutes=50)
    scene.respond(*pods(scene, node, [999]))
    assert counts(life_of(scene, node)) == (12, 12, 1)


@pytest.mark.usefixtures("few")
def test_in_the_quiet_period_an_event_costs_one_write_of_a_page(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    node = scene.node_group()
    scene.respond(*pods(scene, node, range(8)))
    (again,) = pods(scene, node, [3])
    again["id"] = "event-3-again"
    written: list[str] = []
    write = Store._write

    def noted(store: Store, item: Any, read: int) -> bool:  # noqa: ANN401
        written.append(item["id"]["S"])
        return write(store, item, read)

    monkeypatch.setattr(Store, "_write", noted)
    scene.respond(again)
    (page,) = written
    assert page.startswith("page/")


def repositories(scene: Scene, number: int) -> list[str]:
    names = [f"team/{uuid4().hex[:8]}" for _ in range(number)]
    for name in names:
        scene.aws.client("ecr").create_repository(repositoryName=name)
    return [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}" for name in names]


@pytest.mark.usefixtures("few")
def test_all_problems_of_a_finding_are_counted_and_asked(scene: Scene) -> None:
    node, arns = scene.node_group(), repositories(scene, 3 * FEW)
    for at in range(0, len(arns), FEW):
        scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=arn) for arn in arns[at : at + FEW]))
        scene.clock.forward(minutes=1)
    found = life_of(scene, node)
    assert (len(found.problems), found.reach.events, found.reach.repository_count) == (FEW, 15, 15)
    scene.told()

    def allow(*resources: str) -> None:
        actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        rules = [
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Effect": "Allow", "Action": actions, "Resource": resources},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": rules})
        scene.aws.client("iam").put_role_policy(RoleName=node.role, PolicyName="pull", PolicyDocument=document)
        scene.clock.forward(minutes=2)
        scene.recheck(change("iam", "PutRolePolicy", roleName=node.role, policyName="pull"))

    # The first failure is not among those that the finding's own item names.
    allow(*arns[1:])
    assert life_of(scene, node).is_open
    allow(*arns)
    scene.clock.forward(minutes=6)
    scene.recheck()
    (told,) = scene.told()
    assert (told["edge"], told["reach"]["events"]) == ("resolved", 15)


@pytest.mark.usefixtures("few")
def test_a_finding_of_more_problems_than_are_asked_says_more_and_waits_until_nothing_is_seen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_MOST_PROBLEMS", FEW + 1)
    node, arns = scene.node_group(), repositories(scene, FEW + 3)
    for each in (arns[:FEW], arns[FEW:], arns[:1]):
        scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=arn) for arn in each))
        scene.clock.forward(minutes=16)
    mended = scene.allow(node)
    scene.recheck(mended)
    found = life_of(scene, node)
    assert found.is_open
    assert "repositories" in found.reach.more
    assert found.reach.words("repositories").startswith("more than ")
    scene.clock.forward(minutes=60)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.told()
    assert not any(each.finding.resource.id.endswith(node.role) for each in open_lives(scene) if each.is_open)


@pytest.mark.usefixtures("few")
def test_a_problem_that_expired_lowers_no_count_of_an_open_finding(scene: Scene) -> None:
    node, arns = scene.node_group(), repositories(scene, 4)
    scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=arn) for arn in arns[:3]))
    first = life_of(scene, node)
    scene.aws.client("dynamodb").delete_item(TableName=scene.table, Key={"id": {"S": first.problems[0]}})
    scene.clock.forward(minutes=1)
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=arns[3]))
    after = life_of(scene, node)
    assert (after.reach.events, after.reach.repository_count) == (3, 3)
    assert after.reach.first_seen_at == first.reach.first_seen_at


def fail(*_: object, **__: object) -> bool:
    raise StoreError("the table is busy")
