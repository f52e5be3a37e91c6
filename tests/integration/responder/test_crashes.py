"""A run can die anywhere: another run sends its notice, and at most one notice is sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.findings.store import Store, StoreError
from pull_responder.publish import sns
from pull_responder.responder import notifier, recorder
from pull_responder.responder.later_looks import LaterLooks
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.lives import change_lives
from pull_responder.responder.notifier import Notifier
from pull_responder.responder.recorder import Recorder
from tests.integration.responder.scene import Scene, change

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.life import Life

NEW = ("new", "role_lacks_pull_permissions")


class Died(BaseException):
    """The function was stopped at this point."""


def die_before(
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    *,
    at: int = 1,
) -> Callable[[], None]:
    """Stop the run when it is about to call `name` for the `at`-th time; the answer undoes it."""
    original, calls = getattr(owner, name), []

    def dying(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 -- whatever it is given
        calls.append(name)
        if len(calls) == at:
            raise Died
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, dying)
    return lambda: monkeypatch.setattr(owner, name, original)


def die_after(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, *, at: int = 1) -> Callable[[], None]:
    """Stop the run as soon as `name` has been called for the `at`-th time."""
    original, calls = getattr(owner, name), []

    def dying(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 -- as above
        answer = original(*arguments, **options)
        calls.append(name)
        if len(calls) == at:
            raise Died
        return answer

    monkeypatch.setattr(owner, name, dying)
    return lambda: monkeypatch.setattr(owner, name, original)


@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [
        (Ledger, "change_problems", 1),  # nothing is on record: the queue brings the message again
        (recorder, "open_or_update", 1),  # the problem is leased, and nothing has been found yet
        (Ledger, "change_problem", 1),  # the finding is on record, and its problem is still leased
        (notifier, "may_notify", 1),  # the problem is at rest, and nothing is told
        (sns, "publish_notice", 1),  # Security Hub has it, and people have not
    ],
)
def test_another_run_sends_the_notice_of_a_run_that_died_before(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    at: int,
) -> None:
    node = scene.role()
    event = node.denied(scene.clock.now)
    undo = die_before(monkeypatch, owner, name, at=at)
    with pytest.raises(Died):
        scene.respond(event)
    undo()
    assert scene.told() == []
    # The queue brings the message again after its visibility timeout, and `recheck` runs every minute.
    scene.clock.forward(minutes=3)
    scene.recheck()
    scene.respond(event)
    scene.recheck()
    assert scene.edges() == [NEW]
    scene.clock.forward(minutes=20)
    scene.recheck()
    assert scene.edges() == []
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["ProductFields"]["pull-responder/events"] == "1"


def test_without_the_queue_recheck_alone_sends_the_notice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    node = scene.role()
    undo = die_before(monkeypatch, recorder, "open_or_update")
    with pytest.raises(Died):
        scene.respond(node.denied(scene.clock.now))
    undo()
    scene.recheck()
    assert scene.edges() == []  # whoever holds the lease may still be at it
    scene.clock.forward(minutes=3)
    scene.recheck()
    assert scene.edges() == [NEW]


def test_the_notice_of_a_run_that_died_after_sending_is_sent_once_more_and_never_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = scene.role()
    event = node.denied(scene.clock.now)
    undo = die_after(monkeypatch, sns, "publish_notice")
    with pytest.raises(Died):
        scene.respond(event)
    undo()
    assert scene.edges() == [NEW]
    for _ in range(5):
        scene.clock.forward(minutes=3)
        scene.respond(event)
        scene.recheck()
    assert scene.edges() == [NEW]


def test_what_the_table_refused_is_recorded_before_the_next_is_told_so_a_run_that_dies_repeats_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run tells people after every few rechecks, and may die long before it has done all of them."""
    roles = [scene.role(), scene.role()]
    scene.respond(*(each.denied(scene.clock.now) for each in roles))
    assert len(scene.told()) == 2
    scene.recheck(*map(scene.allow, roles))
    scene.clock.forward(minutes=6)
    run = scene.run()
    ledger = Ledger(run)
    notifier = Notifier(run, ledger)
    ids = scene.store.due_notices(before=scene.clock.now, limit=9)
    claimed, _ = change_lives(run, ledger, dict.fromkeys(ids, notifier.claim))
    first, second = claimed.values()
    change_item = Ledger.change
    refused: list[str] = []

    def refuse_once(ledger: Ledger, finding_id: str, step: Callable[[Life | None], Life | None]) -> Life | None:
        if finding_id == first.id and not refused:
            refused.append(finding_id)
            raise StoreError("dynamodb:PutItem failed: ThrottlingException: slow down")
        return change_item(ledger, finding_id, step)

    monkeypatch.setattr(Ledger, "change", refuse_once)
    notifier.tell([first])
    assert refused
    notifier.tell([second])
    # It dies here: `finish` is never called.
    assert [edge for edge, _ in scene.edges()] == ["resolved", "resolved"]
    for _ in range(5):
        scene.clock.forward(minutes=3)
        scene.recheck()
    assert scene.edges() == []


def test_a_topic_that_is_gone_keeps_the_alert_until_it_is_there(scene: Scene) -> None:
    node = scene.role()
    assert scene.respond(node.denied(scene.clock.now), TOPIC_ARN=scene.topic + "-that-was-deleted") == []
    assert scene.told() == []
    scene.recheck()
    assert scene.told() == []  # not before its time
    scene.clock.forward(minutes=2)
    scene.recheck()
    assert scene.edges() == [NEW]


def test_a_table_that_does_not_answer_brings_the_messages_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    node, other = scene.role(), scene.role()
    save = Store.save_problem

    def throttled(store: Store, problem: Any) -> bool:  # noqa: ANN401 -- a Problem
        if problem.pull and problem.pull.principal.name == node.role:
            raise StoreError("dynamodb:PutItem failed: ThrottlingException: slow down")
        return save(store, problem)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "save_problem", throttled)
        assert scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now)) == ["0"]
    (told,) = scene.told()
    assert told["finding"]["resource"]["id"].endswith(other.role)
    assert scene.respond(node.denied(scene.clock.now)) == []
    assert scene.edges() == [NEW]


def test_two_runs_at_once_notify_once(scene: Scene) -> None:
    node = scene.role()
    first, second = (
        node.denied(scene.clock.now),
        node.denied(
            scene.clock.now, action="BatchGetImage", resource=("arn:aws:ecr:us-east-1:123456789012:repository/shop/web")
        ),
    )
    # Two problems, of a token and of an image, that have the same cause.
    scene.respond(first)
    scene.respond(second)
    assert scene.edges() == [NEW]
    scene.clock.forward(minutes=16)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["ProductFields"]["pull-responder/events"] == "2"


def test_a_diagnosis_that_crashes_does_not_stop_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, other = scene.role(), scene.role()
    record = Recorder.record

    def crash(recorder: Recorder, problem_id: str, diagnosis: Diagnosis, *, page: str) -> list[Life]:
        if diagnosis.pull.principal and diagnosis.pull.principal.name == poison.role:
            raise ZeroDivisionError
        return record(recorder, problem_id, diagnosis, page=page)

    monkeypatch.setattr(Recorder, "record", crash)
    assert scene.respond(poison.denied(scene.clock.now), other.denied(scene.clock.now)) == ["0"]
    (told,) = scene.told()
    assert told["finding"]["resource"]["id"].endswith(other.role)
    # It is tried a few times more, and then waits for its next failure.
    crashes = 0
    for _ in range(10):
        scene.clock.forward(minutes=3)
        try:
            scene.recheck()
        except ZeroDivisionError:
            crashes += 1
    assert crashes == 4


def test_a_recheck_that_crashes_does_not_stop_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    poison, other = scene.role(), scene.role()
    scene.respond(poison.denied(scene.clock.now))
    scene.clock.forward(seconds=1)
    scene.respond(other.denied(scene.clock.now))
    assert scene.edges() == [NEW, NEW]
    look = LaterLooks.look

    def crash(looks: LaterLooks, life: Life) -> object:
        if life.finding.resource.id.endswith(poison.role):
            raise ZeroDivisionError
        return look(looks, life)

    monkeypatch.setattr(LaterLooks, "look", crash)
    scene.allow(other)
    scene.clock.forward(minutes=16)
    with pytest.raises(ZeroDivisionError):
        scene.recheck()
    # Not at once again: the crash waits for its turn, as the others do.
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", NEW[1])]


def test_an_inspection_that_crashes_comes_back_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> list[Life]:
        raise ZeroDivisionError

    monkeypatch.setattr(Recorder, "record_inspection", crash)
    node = scene.node_group()
    changed = change("eks", "UpdateNodegroupConfig", name=node.role, nodegroupName="workers")
    assert scene.respond(changed, node.denied(scene.clock.now)) == ["0"]
    assert scene.edges() == [NEW]


def test_a_failure_edited_by_hand_is_counted_and_waits_for_its_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node = scene.role()
    undo = die_before(monkeypatch, recorder, "open_or_update")
    with pytest.raises(Died):
        scene.respond(node.denied(scene.clock.now))
    undo()
    scene.clock.forward(minutes=3)
    (problem,) = scene.store.due_problems(before=scene.clock.now, limit=10)
    scene.aws.client("dynamodb").update_item(
        TableName=scene.table,
        Key={"id": {"S": problem}},
        UpdateExpression="SET pull = :pull",
        ExpressionAttributeValues={":pull": {"S": "{mine now"}},
    )
    scene.recheck()
    assert [each.message for each in caplog.records if "cannot be read" in each.message] == [
        "the failure of a problem cannot be read"
    ]
    assert scene.store.due_problems(before=scene.clock.now + 3600, limit=10) == []
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
