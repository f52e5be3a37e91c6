"""Subscribers with filter policies are served whatever SNS does with attributes of messages of structure JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.responder.scene import ACCOUNT, REGION, Scene
from tests.integration.responder.test_broken_answers import hang, lose, through

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Filtered:
    """A topic for filters, and the queue of a subscriber of it."""

    scene: Scene
    topic: str
    url: str

    @property
    def setting(self) -> dict[str, str]:
        return {"FILTERED_TOPIC_ARN": self.topic}

    def subjects(self) -> list[str]:
        """Take the first word of each subject that has arrived."""
        sqs = self.scene.aws.client("sqs")
        words = []
        while batch := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                words.append(json.loads(message["Body"])["Subject"].split()[0])
        return words

    def failing(self, send: Callable[[Any, Callable[[Any], Any]], Any]) -> Callable[[Any, Callable[[Any], Any]], Any]:
        """Let `send` handle what is published to the topic for filters; all other calls are answered."""
        name = self.topic.rsplit(":", 1)[1].encode()

        def choose(request: Any, original: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- botocore's
            body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
            ours = name in body and b"does-not-exist" not in body
            return send(request, original) if ours else original(request)

        return choose


@pytest.fixture
def filtered(scene: Scene) -> Filtered:
    return _subscribe(scene, policy={"severity": ["HIGH"]})


def _subscribe(scene: Scene, *, policy: dict[str, Any]) -> Filtered:
    name = f"filtered-{uuid4().hex[:8]}"
    sns, sqs = scene.aws.client("sns"), scene.aws.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": document})["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": json.dumps(policy)})
    return Filtered(scene, topic, url)


def test_both_topics_get_each_notice_once(scene: Scene, filtered: Filtered) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now), **filtered.setting)
    for _ in range(3):
        scene.clock.forward(minutes=2)
        scene.recheck(**filtered.setting)
    assert [edge for edge, _ in scene.edges()] == ["new"]
    assert filtered.subjects() == ["[NEW]"]


def test_a_filter_on_attributes_keeps_out_what_it_does_not_name(scene: Scene) -> None:
    filtered = _subscribe(scene, policy={"severity": ["LOW"]})
    scene.respond(scene.role().denied(scene.clock.now), **filtered.setting)
    assert [edge for edge, _ in scene.edges()] == ["new"]
    assert filtered.subjects() == []


def test_a_digest_reaches_the_topic_for_filters_as_one_message(scene: Scene, filtered: Filtered) -> None:
    nodes = [scene.role() for _ in range(3)]
    scene.respond(*(node.denied(scene.clock.now) for node in nodes), DIGEST_ABOVE="1", **filtered.setting)
    scene.clock.forward(minutes=2)
    scene.recheck(DIGEST_ABOVE="1", **filtered.setting)
    assert [each["edge"] for each in scene.told()] == ["digest"]
    assert filtered.subjects() == ["[DIGEST]"]


@pytest.mark.parametrize(("fault", "arrives"), [(hang, ["[NEW]"]), (lose, ["[NEW]", "[NEW]"])])
def test_a_topic_for_filters_that_fails_keeps_nobody_else_and_gets_it_later(
    scene: Scene, filtered: Filtered, fault: Callable[[Any, Callable[[Any], Any]], Any], arrives: list[str]
) -> None:
    node = scene.role()
    with through(scene, "sns", filtered.failing(fault)):
        scene.respond(node.denied(scene.clock.now), **filtered.setting)
    for _ in range(3):
        scene.clock.forward(minutes=2)
        scene.recheck(**filtered.setting)
    assert [edge for edge, _ in scene.edges()] == ["new"]
    assert filtered.subjects() == arrives


def test_a_topic_for_filters_that_is_gone_holds_up_nothing(scene: Scene, filtered: Filtered) -> None:
    node = scene.role()
    gone = {"FILTERED_TOPIC_ARN": f"{filtered.topic}-gone"}
    scene.respond(node.denied(scene.clock.now), **gone)
    scene.recheck(scene.allow(node), **gone)
    for _ in range(30):
        scene.clock.forward(minutes=1, seconds=1)
        scene.recheck(**gone)
    assert [edge for edge, _ in scene.edges()] == ["new", "resolved"]
    (life,) = scene.store.lives([scene.in_hub(f"role/{node.role}")[0]["Id"]]).values()
    assert life.pending is None  # type: ignore[union-attr]  # it can be read


def test_lost_answers_of_the_topic_for_filters_tell_it_at_most_twice(scene: Scene, filtered: Filtered) -> None:
    node = scene.role()
    with through(scene, "sns", filtered.failing(lose)):
        scene.respond(node.denied(scene.clock.now), **filtered.setting)
        for _ in range(20):
            scene.clock.forward(minutes=1, seconds=1)
            scene.recheck(**filtered.setting)
    assert [edge for edge, _ in scene.edges()] == ["new"]
    assert filtered.subjects() == ["[NEW]", "[NEW]"]
