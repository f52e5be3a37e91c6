"""Answers of SNS, DynamoDB and Security Hub that are lost or broken lose nothing, and repeat no message for long."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError, SSLError

from pull_responder.findings.store import Store, StoreError
from pull_responder.publish import security_hub
from pull_responder.publish.sns import answers
from tests.integration.responder.scene import REGION, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.findings.finding import Finding

NEW = ("new", "role_lacks_pull_permissions")


@contextmanager
def through(scene: Scene, service: str, send: Callable[[Any, Callable[[Any], Any]], Any]) -> Iterator[None]:
    """Let `send` handle each HTTP request of the functions' own client; it gets the request and the real sender."""
    client: Any = scene.run().aws.client(service, account=None, region=REGION)
    session = client._endpoint.http_session
    original = session.send
    session.send = lambda request: send(request, original)
    try:
        yield
    finally:
        session.send = original


def lose(request: Any, send: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- botocore's request and answer
    """AWS takes the call, and its answer never arrives."""
    send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def break_off(request: Any, send: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as above
    """AWS takes the call, and the encrypted connection breaks before its answer arrives."""
    send(request)
    raise SSLError(endpoint_url=request.url, error=OSError("EOF occurred in violation of protocol"))


def hang(request: Any, _send: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as above
    """AWS takes nothing and answers nothing."""
    raise ReadTimeoutError(endpoint_url=request.url)


def garble(body: bytes) -> Callable[[Any, Callable[[Any], Any]], Any]:
    """AWS takes the call, and its answer of status 200 has this body."""

    def send(request: Any, original: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as above
        answer = original(request)
        answer._content = body
        return answer

    return send


@pytest.mark.parametrize("lost", [lose, break_off])
def test_ten_minutes_of_lost_answers_tell_at_most_twice(
    scene: Scene, lost: Callable[[Any, Callable[[Any], Any]], Any]
) -> None:
    node = scene.role()
    with through(scene, "sns", lost):
        scene.respond(node.denied(scene.clock.now))
        for _ in range(10):
            scene.clock.forward(minutes=1, seconds=1)
            scene.recheck()
        assert scene.edges() == [NEW]
    scene.clock.forward(minutes=1, seconds=1)
    scene.recheck()
    # It cannot be known that the first one was heard: once more, rather than never.
    assert scene.edges() == [NEW]
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert scene.edges() == []


def test_ten_minutes_of_a_hanging_topic_tell_in_the_next_minute(scene: Scene) -> None:
    node = scene.role()
    with through(scene, "sns", hang):
        scene.respond(node.denied(scene.clock.now))
        for _ in range(10):
            scene.clock.forward(minutes=1, seconds=1)
            scene.recheck()
    assert scene.edges() == []
    scene.clock.forward(minutes=1, seconds=1)
    scene.recheck()
    assert scene.edges() == [NEW]
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert scene.edges() == []


def _of_the_topic(send: Callable[[Any, Callable[[Any], Any]], Any]) -> Callable[[Any, Callable[[Any], Any]], Any]:
    """Let `send` handle Publish to the topic; all other calls are answered."""

    def choose(request: Any, original: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as above
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        return original(request) if b"does-not-exist" in body else send(request, original)

    return choose


def test_lost_answers_of_publish_alone_tell_at_most_twice(scene: Scene) -> None:
    node = scene.role()
    with through(scene, "sns", _of_the_topic(lose)):
        scene.respond(node.denied(scene.clock.now))
        for _ in range(20):
            scene.clock.forward(minutes=1, seconds=1)
            scene.recheck()
    scene.clock.forward(minutes=5)
    scene.recheck()
    assert scene.edges() == [NEW, NEW]
    # It counts as heard: its end is told.
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", "role_lacks_pull_permissions")]


def test_a_digest_whose_answers_are_lost_tells_at_most_twice(scene: Scene) -> None:
    nodes = [scene.role() for _ in range(3)]
    with through(scene, "sns", _of_the_topic(lose)):
        scene.respond(*(node.denied(scene.clock.now) for node in nodes), DIGEST_ABOVE="1")
        for _ in range(20):
            scene.clock.forward(minutes=1, seconds=1)
            scene.recheck(DIGEST_ABOVE="1")
    edges = [each["edge"] for each in scene.told()]
    assert edges == ["digest", "digest"]


@pytest.mark.parametrize("body", [b"", b"<html>busy", b"<PublishResponse/>", b"<ErrorResponse/>"])
def test_a_refusal_that_cannot_be_read_is_no_crash(scene: Scene, body: bytes) -> None:
    node, other = scene.role(), scene.role()

    def refuse(request: Any, original: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as above
        answer = original(request)
        answer.status_code = 403
        answer._content = body
        return answer

    with through(scene, "sns", refuse):
        assert scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now)) == []
    assert scene.edges() == [NEW, NEW]


def test_asking_whether_publish_is_answered_tells_nobody(scene: Scene) -> None:
    client: Any = scene.run().aws.client("sns", account=None, region=REGION)
    assert answers(client, scene.topic)
    with through(scene, "sns", hang):
        assert not answers(client, scene.topic)
    for body in (b"", b"<html>busy", b"<PublishResponse/>"):
        with through(scene, "sns", garble(body)):
            assert not answers(client, scene.topic)
    assert scene.edges() == []


@pytest.mark.parametrize("body", [b"", b"<html>busy", b"<PublishResponse/>"])
def test_an_answer_of_sns_that_cannot_be_read_stops_nobody_else(scene: Scene, body: bytes) -> None:
    node, other = scene.role(), scene.role()
    with through(scene, "sns", garble(body)):
        assert scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now)) == []
        assert scene.edges() == [NEW, NEW]
        scene.clock.forward(minutes=1, seconds=1)
        scene.recheck()
        assert scene.edges() == []


@pytest.mark.parametrize("refusals", [1, 6])
def test_a_table_that_refuses_after_publish_does_not_tell_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    node, save = scene.role(), Store.save
    told: list[object] = []

    def refusing(store: Store, life: Any) -> bool:  # noqa: ANN401 -- a Life
        if life.told and len(told) < refusals:
            told.append(life)
            raise StoreError("dynamodb:PutItem failed: ThrottlingException: slow down")
        return save(store, life)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "save", refusing)
        scene.respond(node.denied(scene.clock.now))
    assert len(told) == refusals
    for _ in range(3):
        scene.clock.forward(minutes=3)
        scene.recheck()
    assert scene.edges() == [NEW]


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"FindingsX": []}', b"<html>"])
def test_broken_answers_of_security_hub_keep_nobody_from_being_told(scene: Scene, body: bytes) -> None:
    node = scene.role()
    with through(scene, "securityhub", garble(body)):
        assert scene.respond(node.denied(scene.clock.now)) == []
        assert scene.edges() == [NEW]


def garble_field(name: str, value: object) -> Callable[[Any, Callable[[Any], Any]], Any]:
    """AWS takes the call, and this field of each finding in its answer has this value."""

    def send(request: Any, original: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as above
        answer = original(request)
        body = json.loads(answer.content)
        for each in body.get("Findings", []):
            each[name] = value
        answer._content = json.dumps(body).encode()
        return answer

    return send


@pytest.mark.parametrize("value", [5, {"a": 1}, None, "x" * 9_999])
@pytest.mark.parametrize("name", ["UpdatedAt", "Workflow", "Id"])
def test_a_broken_field_in_an_answer_of_security_hub_stops_no_run(scene: Scene, name: str, value: object) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    change = scene.allow(node)
    with through(scene, "securityhub", garble_field(name, value)):
        scene.clock.forward(minutes=16)
        scene.recheck(change)
        scene.clock.forward(minutes=6)
        scene.recheck()
    assert [edge for edge, _ in scene.edges()] == ["new", "resolved"]


def test_a_finding_that_cannot_be_made_for_security_hub_takes_no_other_with_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, other = scene.role(), scene.role()
    make = security_hub.to_asff

    def fail(finding: Finding, **known: Any) -> Any:  # noqa: ANN401 -- as of `to_asff`
        if node.role in finding.resource.id:
            raise ValueError("year 10000 is out of range")
        return make(finding, **known)

    with monkeypatch.context() as patched:
        patched.setattr(security_hub, "to_asff", fail)
        scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now))
        assert scene.edges() == [NEW, NEW]
        assert [len(scene.in_hub(f"role/{each.role}")) for each in (node, other)] == [0, 1]
    scene.clock.forward(minutes=2)
    scene.recheck()
    scene.clock.forward(minutes=14)
    scene.recheck()
    assert len(scene.in_hub(f"role/{node.role}")) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"<html>"])
def test_broken_answers_of_the_table_bring_the_messages_back(scene: Scene, body: bytes) -> None:
    node = scene.role()
    event = node.denied(scene.clock.now)
    with through(scene, "dynamodb", garble(body)):
        assert scene.respond(event) == ["0"]
    scene.clock.forward(minutes=3)
    scene.respond(event)
    scene.recheck()
    assert scene.edges() == [NEW]
