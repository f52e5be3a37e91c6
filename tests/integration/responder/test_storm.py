"""Thousands of events of a few problems: five findings, five notifications, five diagnoses, and not one event lost."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pull_responder.events.pod_failure import PodFailure
from pull_responder.findings.life import Life
from pull_responder.findings.problem import iso
from pull_responder.responder.recorder import Recorder
from pull_responder.responder.respond import Message, Responder
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION, TOKEN, Node, Scene

if TYPE_CHECKING:
    import pytest

    from pull_responder.diagnosis import Diagnosis

EVENTS = 4_000
PROBLEMS = 5
BATCH = 100
AT_ONCE = 8
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/web"


@dataclass
class Sent:
    """What has been sent of one problem."""

    node: Node
    ids: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)
    pods: set[str] = field(default_factory=set)


def event(number: int, sent: Sent, now: float, chance: random.Random) -> str:
    """Return the body of one event: of refused tokens, of refused images, or of a pod that waits for its image."""
    which = number % PROBLEMS
    session, at = f"i-{chance.randrange(40 * (which + 1)):017x}", now - chance.randrange(600)
    sent.ids.add(f"event-{number}")
    sent.times.add(iso(at))
    sent.nodes.add(session)
    if which == PROBLEMS - 1:
        pod = f"web-{chance.randrange(300)}"
        sent.pods.add(f"shop/{pod}")
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:v1"
        return PodFailure(
            account=ACCOUNT,
            message=f'Failed to pull image "{image}": unexpected status from HEAD request to https://{ACCOUNT}.dkr.ecr.'
            f"{REGION}.amazonaws.com/v2/shop/web/manifests/v1: 403 Forbidden",
            image=image,
            namespace="shop",
            pod=pod,
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{sent.node.role}/{session}",
            time=iso(at),
            event_id=f"event-{number}",
        ).body(region=REGION)
    denied = sent.node.denied(
        at, session=session, action=IMAGE if which % 2 else TOKEN, resource=REPOSITORY if which % 2 else "*"
    )
    denied["detail"]["eventID"] = f"event-{number}"
    return json.dumps(denied)


def test_thousands_of_events_of_five_problems(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)  # noqa: S311 -- the same storm each time
    sent = [Sent(scene.node_group()) for _ in range(PROBLEMS)]
    # A tenth of what arrives has arrived before, and the nodes of a role are a few dozen.
    bodies = [event(number, sent[number % PROBLEMS], scene.clock.now, chance) for number in range(EVENTS * 9 // 10)]
    bodies += chance.choices(bodies, k=EVENTS - len(bodies))
    chance.shuffle(bodies)
    diagnosed: list[str] = []
    record = Recorder.record

    def counted(recorder: Recorder, problem_id: str, diagnosis: Diagnosis, *, page: str) -> list[Life]:
        diagnosed.append(problem_id)
        return record(recorder, problem_id, diagnosis, page=page)

    monkeypatch.setattr(Recorder, "record", counted)
    messages = [Message(str(number), body) for number, body in enumerate(bodies)]
    batches = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        failed = list(pool.map(lambda batch: Responder(scene.run()).respond(batch), batches))

    assert failed == [[]] * len(batches)
    assert len(diagnosed) <= PROBLEMS
    assert scene.edges() == [("new", "role_lacks_pull_permissions")] * PROBLEMS
    scene.clock.forward(minutes=16)
    # The next recheck updates the reach.
    scene.recheck()
    lives = [
        each for each in scene.store.lives(scene.store.open_findings(limit=100)).values() if isinstance(each, Life)
    ]
    seen = {each.finding.resource.id.rpartition("/")[2]: each.reach for each in lives}
    assert len(lives) == PROBLEMS
    for each in sent:
        reach = seen[each.node.role]
        assert (reach.events, reach.node_count, reach.pod_count) == (len(each.ids), len(each.nodes), len(each.pods))
        assert (reach.first_seen_at, reach.last_seen_at) == (min(each.times), max(each.times))
        assert set(reach.nodes) <= each.nodes
        assert set(reach.pods) <= each.pods
        assert (len(reach.nodes), len(reach.pods)) == (20, min(20, len(each.pods)))
    assert sum(seen[each.node.role].events for each in sent) == EVENTS * 9 // 10
