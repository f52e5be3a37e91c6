"""What could not be read for a while: looked at again each minute, told in the next one, and not for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.facts.reader import Reader
from pull_responder.findings.store import Store, StoreError
from pull_responder.model.unread import Unread
from tests.integration.responder.scene import IMAGE

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene

LACKS = "role_lacks_pull_permissions"
REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/app"


@dataclass
class Outage:
    """While `on`, no read of a role is answered. `asked` counts the questions. The next takes `seconds`, once."""

    on: bool = True
    asked: int = 0
    seconds: float = 0
    permissions: tuple[str, ...] = field(
        default=("iam:GetRole", "iam:ListAttachedRolePolicies", "ec2:DescribeInstances")
    )


@pytest.fixture
def outage(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Outage:
    made, ask = Outage(), Reader._ask

    def refuse(reader: Reader, permission: str, *arguments: Any) -> Any:  # noqa: ANN401 -- passed on
        if made.on and permission in made.permissions:
            made.asked += 1
            seconds, made.seconds = made.seconds, 0
            scene.clock.forward(seconds=seconds)
            return Unread(f"{permission} failed: ServiceUnavailable")
        return ask(reader, permission, *arguments)

    monkeypatch.setattr(Reader, "_ask", refuse)
    return made


def test_a_diagnosis_that_could_not_read_is_made_again_in_a_minute(scene: Scene, outage: Outage) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    assert scene.edges() == []
    for _ in range(10):
        scene.clock.forward(minutes=1)
        scene.recheck()
    assert scene.edges() == []
    outage.on = False
    scene.clock.forward(minutes=1)
    scene.recheck()
    assert ("new", LACKS) in scene.edges()


def test_a_problem_whose_reads_were_whole_is_not_diagnosed_again_because_those_of_another_were_not(
    scene: Scene, outage: Outage
) -> None:
    outage.permissions = ("iam:GetPolicyVersion", "iam:GetPolicy")
    node, guarded, iam = scene.role(), scene.role(), scene.aws.client("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    guard = iam.create_policy(PolicyName=f"guard-{guarded.role}", PolicyDocument=policy)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=guarded.role, PermissionsBoundary=guard)
    scene.allow(guarded)
    # The instance of the other is gone, which is undecided, and was read.
    gone = node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY, session="i-0abcdef1234567890")
    scene.respond(guarded.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY), gone)
    assert outage.asked
    assert scene.store.due_problems(before=scene.clock.now + 60, limit=9) == []


def test_a_diagnosis_whose_read_hung_is_made_again_by_the_next_run_of_the_minute(scene: Scene, outage: Outage) -> None:
    node = scene.role()
    began, outage.seconds = scene.clock.now, 26
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    assert (scene.edges(), scene.clock.now) == ([], began + 26)
    outage.on = False
    scene.clock.forward(seconds=60 - 26)
    scene.recheck()
    assert ("new", LACKS) in scene.edges()


def test_events_of_the_same_minute_use_up_no_look(scene: Scene, outage: Outage) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    asked = outage.asked
    scene.clock.forward(seconds=45)
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    assert outage.asked == asked
    outage.on = False
    scene.clock.forward(seconds=15)
    scene.recheck()
    assert ("new", LACKS) in scene.edges()


def test_what_can_never_be_read_is_asked_for_a_quarter_of_an_hour_only(scene: Scene, outage: Outage) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    for _ in range(16):
        scene.clock.forward(minutes=1)
        scene.recheck()
    asked = outage.asked
    for _ in range(5):
        scene.clock.forward(minutes=1)
        scene.recheck()
    assert outage.asked == asked


def test_a_look_after_a_change_that_could_not_read_is_made_again_in_a_minute(scene: Scene, outage: Outage) -> None:
    outage.on = False
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert ("new", LACKS) in scene.edges()
    change = scene.allow(node)
    outage.on = True
    scene.recheck(change)
    for _ in range(3):
        scene.clock.forward(minutes=1)
        scene.recheck()
    outage.on = False
    scene.clock.forward(minutes=1)
    scene.recheck()
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert ("resolved", LACKS) in scene.edges()


def test_a_look_whose_read_hung_is_made_again_by_the_next_run_of_the_minute(scene: Scene, outage: Outage) -> None:
    outage.on = False
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert ("new", LACKS) in scene.edges()
    change = scene.allow(node)
    outage.on, outage.seconds = True, 26
    began = scene.clock.now
    scene.recheck(change)
    assert scene.clock.now == began + 26
    outage.on = False
    scene.clock.forward(seconds=58 - 26)  # runs are a minute apart, not to the second
    scene.recheck()
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert ("resolved", LACKS) in scene.edges()


READS = ("listed_under", "due_notices", "due_findings", "problems", "due_problems")


@dataclass
class Refusals:
    """The next `left` calls of a method of the table fail."""

    left: int = 0

    def put_on(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        method = getattr(Store, name)

        def refuse(store: Store, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 -- passed on
            if self.left:
                self.left -= 1
                raise StoreError("ServiceUnavailable")
            return method(store, *arguments, **more)

        monkeypatch.setattr(Store, name, refuse)


@pytest.mark.parametrize("name", READS)
def test_a_table_that_refuses_a_read_of_a_look_for_a_moment_delays_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert ("new", LACKS) in scene.edges()
    change = scene.allow(node)
    refusals = Refusals(left=1)
    refusals.put_on(name, monkeypatch)
    scene.recheck(change)
    assert refusals.left == 0
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert ("resolved", LACKS) in scene.edges()


@pytest.mark.parametrize("name", ["problems", "save"])
def test_a_table_that_refuses_the_finding_of_a_change_for_longer_brings_the_change_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    node, other = scene.role(), scene.role()
    scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now))
    assert scene.edges() == [("new", LACKS), ("new", LACKS)]
    changes = [scene.allow(node), scene.allow(other)]
    refusals = Refusals(left=1_000)
    refusals.put_on(name, monkeypatch)
    with pytest.raises(StoreError):
        scene.recheck(*changes)
    refusals.left = 0
    scene.clock.forward(minutes=12)
    scene.recheck(*changes)
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert scene.edges() == [("resolved", LACKS), ("resolved", LACKS)]


def test_a_table_that_refuses_a_finding_that_no_change_concerns_stops_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert ("new", LACKS) in scene.edges()
    scene.allow(node)
    scene.clock.forward(minutes=15)
    refusals = Refusals(left=1_000)
    refusals.put_on("save", monkeypatch)
    scene.recheck()
    assert refusals.left < 1_000
    refusals.left = 0
    scene.clock.forward(minutes=1)
    scene.recheck()
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert ("resolved", LACKS) in scene.edges()


@pytest.mark.parametrize("times", [1, 3])
def test_a_table_that_refuses_for_a_moment_delays_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    save, left = Store.save_problem, [times]

    def refuse(store: Store, problem: Any) -> bool:  # noqa: ANN401 -- passed on
        if left[0]:
            left[0] -= 1
            raise StoreError("ServiceUnavailable")
        return save(store, problem)

    monkeypatch.setattr(Store, "save_problem", refuse)
    node = scene.role()
    assert scene.respond(node.denied(scene.clock.now)) == []
    assert ("new", LACKS) in scene.edges()


def test_a_table_that_refuses_longer_leaves_the_message_to_the_queue(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise StoreError("ServiceUnavailable")

    monkeypatch.setattr(Store, "save_problem", refuse)
    assert scene.respond(scene.role().denied(scene.clock.now)) == ["0"]
