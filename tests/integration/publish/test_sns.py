"""Notifications through an emulated topic to all kinds of subscribers that the emulator delivers to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.findings.alert import Alert
from pull_responder.findings.notice import Edge
from pull_responder.model.verdict import Severity
from pull_responder.publish.as_document import alert_document
from pull_responder.publish.chat import chat_notification
from pull_responder.publish.digest_chat import chat_digest
from pull_responder.publish.digest_document import digest_document
from pull_responder.publish.notification import alert_notification
from pull_responder.publish.sns import publish_digest, publish_notice
from tests.unit.publish.examples import FINDING
from tests.unit.publish.notices import ALERT, BOTH, NOTICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOM = 32 * 1024
RESOLVED = replace(NOTICE, edge=Edge.RESOLVED, because="The role allows the pull now.")


@dataclass(frozen=True)
class Topic:
    """A topic of the test's own, and what subscribes to it."""

    arn: str
    sns: Any
    sqs: Any

    def queue(self, *, filter_policy: dict[str, Any] | None = None, **attributes: str) -> str:
        """Subscribe a new queue and return its URL."""
        name = f"subscriber-{uuid4().hex[:8]}"
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        url: str = self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
        if filter_policy:
            attributes["FilterPolicy"] = json.dumps(filter_policy)
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def received(self, url: str) -> list[dict[str, Any]]:
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    @contextmanager
    def webhook(self, protocol: str) -> Iterator[Queue[dict[str, Any]]]:
        """Subscribe a web server on the loopback interface, and yield what it is sent."""
        arrived: Queue[dict[str, Any]] = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                arrived.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            endpoint = f"http://127.0.0.1:{server.server_port}/"
            self.sns.subscribe(TopicArn=self.arn, Protocol=protocol, Endpoint=endpoint)
            self.sns.confirm_subscription(TopicArn=self.arn, Token=arrived.get(timeout=30)["Token"])
            yield arrived
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def topic(aws: EmulatedAws) -> Topic:
    sns = aws.client("sns")
    return Topic(sns.create_topic(Name=f"findings-{uuid4().hex[:8]}")["TopicArn"], sns, aws.client("sqs"))


def test_a_queue_gets_the_document(topic: Topic) -> None:
    everything = topic.queue()

    message_id = publish_notice(topic.sns, topic.arn, ALERT)

    [message] = topic.received(everything)
    assert message["MessageId"] == message_id
    assert message["Subject"] == (
        "[NEW] HIGH: role lacks pull permissions (payments/api, cluster prod, 111111111111 eu-west-1)"
    )
    assert json.loads(message["Message"]) == alert_document(ALERT, room=ROOM)


def test_a_queue_with_raw_delivery_gets_the_document_alone(topic: Topic) -> None:
    raw = topic.queue(RawMessageDelivery="true")

    publish_notice(topic.sns, topic.arn, ALERT)

    assert topic.received(raw) == [alert_document(ALERT, room=ROOM)]


def test_https_gets_the_chat_format_and_http_the_document(topic: Topic) -> None:
    with topic.webhook("https") as chat, topic.webhook("http") as plain:
        publish_notice(topic.sns, topic.arn, ALERT)

        assert json.loads(chat.get(timeout=30)["Message"]) == chat_notification(ALERT)
        assert json.loads(plain.get(timeout=30)["Message"]) == alert_document(ALERT, room=ROOM)

        publish_digest(topic.sns, topic.arn, [NOTICE, RESOLVED])

        assert json.loads(chat.get(timeout=30)["Message"]) == chat_digest([NOTICE, RESOLVED])


@pytest.mark.parametrize(
    "filter_policy",
    [
        {"severity": ["HIGH", "CRITICAL"], "cluster": ["prod"]},
        {"cause": [{"prefix": "role_"}], "account": ["111111111111"], "region": ["eu-west-1"]},
        {"cluster": [{"anything-but": ["dev"]}]},
    ],
)
def test_who_got_the_alert_gets_the_resolution(topic: Topic, filter_policy: dict[str, Any]) -> None:
    filtered = topic.queue(filter_policy=filter_policy)
    elsewhere = replace(FINDING, severity=Severity.LOW, cluster="dev", cause="no_route_to_ecr")

    for notice in (NOTICE, RESOLVED):
        publish_notice(topic.sns, topic.arn, Alert.alone(notice))
        publish_notice(topic.sns, topic.arn, Alert.alone(replace(notice, finding=elsewhere)))

    told = [json.loads(message["Message"]) for message in topic.received(filtered)]
    assert [(each["edge"], each["findings"][0]["cause"]) for each in told] == [
        ("new", "role_lacks_pull_permissions"),
        ("resolved", "role_lacks_pull_permissions"),
    ]


def test_an_alert_of_two_causes_reaches_whom_each_of_them_would_have_reached(topic: Topic) -> None:
    by_cause = [topic.queue(filter_policy={"cause": [each.finding.cause]}) for each in BOTH.notices]
    neither = topic.queue(filter_policy={"cause": ["no_route_to_ecr"]})

    publish_notice(topic.sns, topic.arn, BOTH)

    assert [len(topic.received(each)) for each in (*by_cause, neither)] == [1, 1, 0]


def test_a_subscriber_may_leave_out_what_is_resolved(topic: Topic) -> None:
    alerts = topic.queue(filter_policy={"status": [{"anything-but": ["resolved", "reminder"]}]})

    for notice in (NOTICE, RESOLVED):
        publish_notice(topic.sns, topic.arn, Alert.alone(notice))
    publish_digest(topic.sns, topic.arn, [NOTICE])

    assert [json.loads(message["Message"])["edge"] for message in topic.received(alerts)] == ["new", "digest"]


def test_filter_policies_match_also_what_is_not_known(topic: Topic) -> None:
    not_dev = topic.queue(filter_policy={"cluster": [{"anything-but": ["dev"]}]})
    unknown = topic.queue(filter_policy={"cluster": ["unknown"]})

    publish_notice(topic.sns, topic.arn, Alert.alone(replace(NOTICE, finding=replace(FINDING, cluster=None))))

    assert len(topic.received(not_dev)) == len(topic.received(unknown)) == 1


@pytest.mark.parametrize(
    ("filter_policy", "reached"),
    [
        ({"severity": ["CRITICAL"]}, True),
        ({"severity": ["HIGH"]}, True),
        ({"severity": ["LOW"]}, False),
        ({"cause": ["no_route_to_ecr"], "cluster": ["dev"]}, True),
        ({"cluster": ["prod", "stage"]}, True),
        ({"cluster": [{"anything-but": ["prod"]}]}, True),
        ({"cluster": [{"anything-but": ["prod", "dev"]}]}, False),
        # Each by another finding: a digest reaches too many rather than too few.
        ({"cause": ["no_route_to_ecr"], "cluster": ["prod"]}, True),
    ],
)
def test_a_digest_reaches_whom_one_of_its_findings_would_have_reached(
    topic: Topic, filter_policy: dict[str, Any], *, reached: bool
) -> None:
    filtered = topic.queue(filter_policy=filter_policy)
    other = replace(FINDING, severity=Severity.CRITICAL, cluster="dev", cause="no_route_to_ecr")
    digest = [NOTICE, replace(NOTICE, finding=other)]

    publish_digest(topic.sns, topic.arn, digest)

    documents = [json.loads(message["Message"]) for message in topic.received(filtered)]
    assert documents == ([digest_document(digest, room=ROOM)] if reached else [])


def test_the_document_can_be_filtered_by_too(topic: Topic) -> None:
    """For subscribers of JSON, by the same words as the attributes."""
    policy = {"attributes": {"severity": ["HIGH"], "status": ["resolved", "digest"]}}
    by_body = topic.queue(filter_policy=policy, FilterPolicyScope="MessageBody")

    publish_notice(topic.sns, topic.arn, ALERT)
    publish_notice(topic.sns, topic.arn, Alert.alone(RESOLVED))
    publish_digest(topic.sns, topic.arn, [NOTICE])

    assert [json.loads(message["Message"])["edge"] for message in topic.received(by_body)] == ["resolved", "digest"]


def test_a_policy_on_the_body_accepts_the_same_in_both_readings(topic: Topic) -> None:
    """SNS may apply it to the text of the protocol, as the emulator does, or to the whole message."""
    policy = {"attributes": {"severity": ["HIGH"], "cluster": [{"anything-but": ["dev"]}]}}
    by_text = topic.queue(filter_policy=policy, FilterPolicyScope="MessageBody")
    by_message = topic.queue(filter_policy=policy, FilterPolicyScope="MessageBody")
    low = replace(NOTICE, finding=replace(FINDING, severity=Severity.LOW))

    for notice in (NOTICE, low):
        publish_notice(topic.sns, topic.arn, Alert.alone(notice))
    assert [json.loads(message["Message"])["edge"] for message in topic.received(by_text)] == ["new"]
    topic.received(by_message)

    for notice in (NOTICE, low):
        topic.sns.publish(
            TopicArn=topic.arn, Message=alert_notification(Alert.alone(notice)).message
        )  # a string: seen as a whole
    assert len(topic.received(by_message)) == 1


def test_an_alarm_passes_a_policy_on_neither_and_the_chat_format_a_policy_on_both(topic: Topic) -> None:
    places = [{"attributes": {"severity": ["HIGH"]}}, {"metadata": {"additionalContext": {"severity": ["HIGH"]}}}]
    either = topic.queue(filter_policy={"$or": places}, FilterPolicyScope="MessageBody")
    by_attributes = topic.queue(filter_policy={"severity": [{"exists": False}]})

    topic.sns.publish(TopicArn=topic.arn, Message=json.dumps({"AlarmName": "DeadLetters"}))
    topic.sns.publish(TopicArn=topic.arn, Message=json.dumps(chat_notification(ALERT)))

    assert [json.loads(each["Message"])["source"] for each in topic.received(either)] == ["custom"]
    assert topic.received(by_attributes) == []


def test_the_longest_messages_are_taken(topic: Topic) -> None:
    everything = topic.queue()
    fix = replace(FINDING.remediation, summary="容" * 9_000, commands=(("aws", "x" * 30_000),) * 5)
    finding = replace(FINDING, explanation="容" * 9_000, evidence=('"🐳' * 3_000,) * 90, remediation=fix)
    notice = replace(NOTICE, finding=finding)

    publish_notice(topic.sns, topic.arn, Alert.alone(notice))
    publish_digest(topic.sns, topic.arn, [notice] * 100)

    told = [json.loads(message["Message"]) for message in topic.received(everything)]
    assert [each["edge"] for each in told] == ["new", "digest"]
    assert told[0]["omitted"]["evidence"] + len(told[0]["findings"][0]["evidence"]) == 90
    assert told[1]["omitted"]["findings"] + len(told[1]["findings"]) == 100


def test_a_topic_that_is_gone_is_the_callers_to_deal_with(topic: Topic) -> None:
    with pytest.raises(ClientError) as raised:
        publish_notice(topic.sns, f"{topic.arn}-gone", ALERT)

    assert raised.value.response["Error"]["Code"] in {"NotFound", "NotFoundException"}
