"""Notifications through an emulated topic to subscribed queues."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pull_responder.publish.sns import body, publish_notification, subject
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sns import SNSClient

REGION = "eu-west-1"


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Iterator[SNSClient]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sns", region_name=REGION)


def subscribe(sns: SNSClient, topic: str, name: str, filter_policy: dict[str, Any] | None = None) -> str:
    """Subscribe a new queue and return its URL."""
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url


def received(url: str) -> list[dict[str, Any]]:
    answer = boto3.client("sqs", region_name=REGION).receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_subscriber_gets_subject_text_and_attributes(sns: SNSClient) -> None:
    topic = sns.create_topic(Name="findings")["TopicArn"]
    queue = subscribe(sns, topic, "everything")

    message_id = publish_notification(sns, topic, FINDING)

    [message] = received(queue)
    assert message["MessageId"] == message_id
    assert message["Subject"] == subject(FINDING)
    assert message["Message"] == body(FINDING)
    assert message["MessageAttributes"] == {
        "severity": {"Type": "String", "Value": "HIGH"},
        "cause": {"Type": "String", "Value": "role_lacks_pull_permissions"},
        "cluster": {"Type": "String", "Value": "prod"},
        "account": {"Type": "String", "Value": "111111111111"},
        "region": {"Type": "String", "Value": "eu-west-1"},
        "status": {"Type": "String", "Value": "new"},
    }


def test_filter_policies_match_also_what_is_not_known(sns: SNSClient) -> None:
    topic = sns.create_topic(Name="findings")["TopicArn"]
    prod = subscribe(sns, topic, "prod", {"cluster": ["prod"], "severity": ["HIGH", "CRITICAL"]})
    not_dev = subscribe(sns, topic, "not-dev", {"cluster": [{"anything-but": ["dev"]}]})
    unknown = subscribe(sns, topic, "unknown", {"cluster": ["unknown"]})

    publish_notification(sns, topic, FINDING)
    publish_notification(sns, topic, replace(FINDING, cluster="dev"))
    publish_notification(sns, topic, replace(FINDING, cluster=None))

    clusters = {
        name: sorted(message["MessageAttributes"]["cluster"]["Value"] for message in received(queue))
        for name, queue in {"prod": prod, "not-dev": not_dev, "unknown": unknown}.items()
    }
    assert clusters == {"prod": ["prod"], "not-dev": ["prod", "unknown"], "unknown": ["unknown"]}


def test_the_longest_message_is_taken(sns: SNSClient) -> None:
    topic = sns.create_topic(Name="findings")["TopicArn"]
    queue = subscribe(sns, topic, "everything")
    fix = replace(FINDING.remediation, summary="容" * 9_000, commands=(("aws", "x" * 95_000),))
    finding = replace(FINDING, explanation="容" * 9_000, evidence=("🐳" * 3_000,) * 90, remediation=fix)

    publish_notification(sns, topic, finding)

    assert [message["Message"] for message in received(queue)] == [body(finding)]


def test_a_topic_that_is_gone_is_the_callers_to_deal_with(sns: SNSClient) -> None:
    with pytest.raises(ClientError) as raised:
        publish_notification(sns, f"arn:aws:sns:{REGION}:123456789012:gone", FINDING)

    assert raised.value.response["Error"]["Code"] in {"NotFound", "NotFoundException"}
