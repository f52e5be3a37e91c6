"""Many open findings: each is looked at in time, and a change reaches its finding within a minute whatever else is due.

The deployed handlers run with the deployed concurrency, by the emulated clock of bench/lambda_time.py. `make bench`
does the same with two thousand, which takes too long for a test.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bench import lambda_time, open_findings
from bench.open_findings import RECHECK_MINUTES, OpenFindings, play
from pull_responder import diagnosis
from pull_responder.events.change import Change, read_change
from pull_responder.events.cloudtrail import read_envelope
from pull_responder.findings.problem import Problem
from pull_responder.handlers import connection, recheck
from pull_responder.model.pull import PullFailure
from pull_responder.responder import diagnoser
from pull_responder.responder.recheck import Recheck
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.diagnosis import Diagnosis
    from tests.integration.responder.scene import Scene

_FINDINGS = 20
_CHANGES = 2


def test_each_is_looked_at_in_time_and_a_change_reaches_its_own(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", scene.table)
    monkeypatch.setenv("TOPIC_ARN", scene.topic)
    monkeypatch.setattr(open_findings, "CHANGES", _CHANGES)
    # Nothing happens in between but the minutes.
    monkeypatch.setattr(open_findings, "_OPENED_WITHIN", 13)
    connection.disconnect()
    findings = OpenFindings(scene.aws, _FINDINGS)
    result = play(findings, minutes=6)
    findings.forget_repositories()

    assert (result.late, result.throttled) == (0, 0)
    assert len(result.looks) == _FINDINGS - _CHANGES
    assert max(result.gaps) <= RECHECK_MINUTES * 60
    assert len(result.reached) == _CHANGES
    assert max(result.reached) <= 60


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        (["tick"], True),
        (["change"], False),
        (["change", "tick"], True),
    ],
)
def test_what_is_due_is_left_to_the_schedule(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, bodies: Sequence[str], *, expected: bool
) -> None:
    """A run that a change woke ends with that change. Else many changes would keep all runs busy with what is due."""
    monkeypatch.setenv("TABLE_NAME", scene.table)
    monkeypatch.setenv("TOPIC_ARN", scene.topic)
    connection.disconnect()
    asked: list[bool] = []

    def note(_: Recheck, changes: Sequence[Any], *, on_schedule: bool, **__: Any) -> None:  # noqa: ANN401
        asked.append(on_schedule)
        assert bool(changes) == ("change" in bodies)

    monkeypatch.setattr(Recheck, "recheck", note)
    events = {"tick": lambda_time.TICK, "change": json.dumps(scene.allow(scene.role()))}
    records = [{"messageId": str(at), "body": events[each]} for at, each in enumerate(bodies)]
    recheck.handler({"Records": records}, _Context())
    assert asked == [expected]
    connection.disconnect()


@pytest.mark.parametrize(
    ("bodies", "seconds"),
    [
        (["tick"], 120),
        (["change"], 900),
        (["change", "tick"], 120),
    ],
)
def test_with_a_long_timeout_the_schedule_has_two_minutes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, bodies: Sequence[str], seconds: float
) -> None:
    """Else all runs would be busy with what is due, and a change would wait for a quarter of an hour."""
    monkeypatch.setenv("TABLE_NAME", scene.table)
    monkeypatch.setenv("TOPIC_ARN", scene.topic)
    connection.disconnect()
    context = _Context(seconds=900)
    left: list[float] = []

    def note(rechecks: Recheck, *_: Any, **__: Any) -> None:  # noqa: ANN401
        left.append(rechecks._run.remaining())
        context.seconds -= 100
        left.append(rechecks._run.remaining())

    monkeypatch.setattr(Recheck, "recheck", note)
    events = {"tick": lambda_time.TICK, "change": json.dumps(scene.allow(scene.role()))}
    records = [{"messageId": str(at), "body": events[each]} for at, each in enumerate(bodies)]
    recheck.handler({"Records": records}, context)
    assert left == [seconds, seconds - 100]
    connection.disconnect()


def test_a_run_of_the_schedule_with_a_long_timeout_leaves_diagnoses_to_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE_NAME", scene.table)
    monkeypatch.setenv("TOPIC_ARN", scene.topic)
    connection.disconnect()
    context = _Context(seconds=900)
    # One at a time, ten seconds each.
    monkeypatch.setattr(diagnoser, "MOST_LEASED", 1)
    diagnose = diagnosis.diagnose

    def slowly(*given: Any) -> Diagnosis:  # noqa: ANN401
        context.seconds -= 10
        return diagnose(*given)

    monkeypatch.setattr(diagnoser, "diagnose", slowly)
    node = scene.node_group()
    began = time.time() - 60
    for number in range(14):
        repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app/{number}"
        pull = read_envelope(node.denied(began, action=IMAGE, resource=repository))
        assert isinstance(pull, PullFailure)
        waits = Problem(f"problem/{number}", count=1, look_at=began + number, last_seen=began, pull=pull)
        assert scene.store.save_problem(waits)
    recheck.handler({"Records": [{"messageId": "1", "body": lambda_time.TICK}]}, context)
    left = scene.store.due_problems(before=time.time(), limit=99)
    assert 900 - context.seconds <= 120
    assert left == ["problem/11", "problem/12", "problem/13"]
    connection.disconnect()


@dataclass
class _Context:
    seconds: float = 120.0
    function_name = "recheck"
    memory_limit_in_mb = 512
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:recheck"

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


def test_a_run_for_a_change_leaves_what_is_due(scene: Scene) -> None:
    mine, other = scene.role(), scene.role()
    scene.respond(mine.denied(scene.clock.now), other.denied(scene.clock.now))
    scene.clock.forward(minutes=20)
    # Mended, and no event tells of it.
    scene.allow(other)
    changed = scene.allow(mine)
    read = read_change(json.dumps(changed), account=ACCOUNT)
    assert isinstance(read, Change)
    Recheck(scene.run()).recheck([read], on_schedule=False)
    assert [each.role for each in (mine, other) if _is_open(scene, each.role)] == [other.role]
    scene.recheck()
    assert not _is_open(scene, other.role)


def _is_open(scene: Scene, role: str) -> bool:
    (finding,) = scene.in_hub(f"role/{role}")
    return bool(finding["RecordState"] == "ACTIVE")
