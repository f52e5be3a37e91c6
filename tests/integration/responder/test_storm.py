"""Thousands of events of a few problems: five findings, five notifications, five diagnoses, and not one event lost."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pull_responder.findings.life import Life
from pull_responder.responder.respond import Message, Responder
from pull_responder.responder.settle import Settler

if TYPE_CHECKING:
    import pytest

    from pull_responder.diagnosis import Diagnosis
    from tests.integration.responder.scene import Scene

EVENTS = 10_000
PROBLEMS = 5
BATCH = 100
AT_ONCE = 8


def test_ten_thousand_events_of_five_problems(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)  # noqa: S311 -- the same storm each time
    nodes = [scene.node_group() for _ in range(PROBLEMS)]
    # A tenth of what arrives has arrived before, and the nodes of a role are a few dozen.
    events: list[dict[str, Any]] = []
    expected = [0] * PROBLEMS
    sessions: list[set[str]] = [set() for _ in nodes]
    for number in range(EVENTS * 9 // 10):
        which = number % PROBLEMS
        session = f"i-{chance.randrange(40 * (which + 1)):017x}"
        events.append(nodes[which].denied(scene.clock.now - chance.randrange(600), session=session))
        expected[which] += 1
        sessions[which].add(session)
    events += chance.choices(events, k=EVENTS - len(events))
    chance.shuffle(events)
    diagnosed: list[str] = []
    settle = Settler.settle

    def counted(settler: Settler, problem_id: str, diagnosis: Diagnosis) -> list[Life]:
        diagnosed.append(problem_id)
        return settle(settler, problem_id, diagnosis)

    monkeypatch.setattr(Settler, "settle", counted)
    messages = [Message(str(number), json.dumps(event)) for number, event in enumerate(events)]
    batches = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        failed = list(pool.map(lambda batch: Responder(scene.run()).respond(batch), batches))

    assert failed == [[]] * len(batches)
    assert len(diagnosed) <= PROBLEMS
    assert scene.edges() == [("new", "role_lacks_pull_permissions")] * PROBLEMS
    scene.clock.forward(minutes=16)
    # What follows is what anybody sees at the next look.
    scene.recheck()
    lives = [
        each for each in scene.store.lives(scene.store.open_findings(limit=100)).values() if isinstance(each, Life)
    ]
    seen = {each.finding.resource.id.rpartition("/")[2]: each.reach for each in lives}
    assert len(lives) == PROBLEMS
    for node, count, hit in zip(nodes, expected, sessions, strict=True):
        reach = seen[node.role]
        assert reach.events == count
        assert reach.node_count == len(hit)
        assert set(reach.nodes) <= hit
        assert len(reach.nodes) == 20
