from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.emulator.findings_table import create_table
from pull_responder.handlers import diagnose
from pull_responder.handlers.connection import disconnect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

ACCOUNT = "123456789012"


@dataclass
class Context:
    """What the handler uses of Lambda's context."""

    function_name: str = "diagnose"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:diagnose"
    aws_request_id: str = "4f1e7a0c-0000-4000-8000-000000000000"
    milliseconds_left: int = 120_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds_left


@dataclass
class Inbox:
    """A queue that is subscribed to the topic, and the table of findings."""

    topic_arn: str
    queue_url: str
    client: Any
    table: str

    def messages(self) -> list[dict[str, Any]]:
        received: list[dict[str, Any]] = []
        while batch := self.client.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in batch:
                self.client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                received.append(json.loads(message["Body"]))
        return received


@pytest.fixture
def inbox(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """The environment of a deployed function, and where its notifications arrive."""
    name = f"inbox-{uuid4().hex[:8]}"
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    delivery = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}",
            }
        ],
    }
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps(delivery)})["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
    for key, value in aws.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("TOPIC_ARN", topic)
    monkeypatch.setenv("TABLE_NAME", create_table(aws.client("dynamodb"), name))
    aws.client("securityhub").enable_security_hub()
    disconnect()
    # Powertools keeps one set of metrics a process: what another test has counted is not this one's.
    diagnose.metrics.clear_metrics()
    yield Inbox(topic, url, sqs, name)
    disconnect()


@pytest.fixture
def node(aws: EmulatedAws) -> tuple[str, str]:
    """A node of a cluster whose role may do nothing: the role's name and the instance's id."""
    role = f"node-{uuid4().hex[:8]}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    tags = [{"Key": "eks:cluster-name", "Value": "prod"}, {"Key": "eks:nodegroup-name", "Value": "workers"}]
    instances = aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    return role, instances["Instances"][0]["InstanceId"]


def denial(role: str, session: str, *, action: str = "GetAuthorizationToken", resource: str = "*") -> dict[str, Any]:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": "2026-03-01T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventSource": "ecr.amazonaws.com",
            "eventName": action,
            "awsRegion": "us-east-1",
            "eventTime": "2026-03-01T12:00:00Z",
            "errorCode": "AccessDenied",
            "errorMessage": f"User: {arn} is not authorized to perform: ecr:{action} on resource: {resource} because "
            f"no identity-based policy allows the ecr:{action} action",
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
        },
    }


def batch(*bodies: object) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:events",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer: Any) -> list[str]:  # noqa: ANN401 -- Powertools types it as a TypedDict
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def told(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings in a notification, as queues get it, the worst first."""
    findings: list[dict[str, Any]] = json.loads(message["Message"])["findings"]
    return findings


def metrics(output: str) -> dict[str, float]:
    counted: dict[str, float] = {}
    for line in output.splitlines():
        document = json.loads(line)
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            counted |= {each["Name"]: sum(document[each["Name"]]) for each in directive["Metrics"]}
    return counted


def imported(aws: EmulatedAws, role: str) -> list[dict[str, Any]]:
    pages = aws.client("securityhub").get_paginator("get_findings").paginate()
    findings = [finding for page in pages for finding in page["Findings"]]
    return [each for each in findings if each["Resources"][0]["Id"].endswith(f"role/{role}")]


def test_a_denial_becomes_a_message_and_a_finding(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    role, instance = node
    assert failed(diagnose.handler(batch(denial(role, instance)), Context())) == []

    (message,) = inbox.messages()
    assert message["Subject"] == f"[NEW] HIGH: role lacks pull permissions (role/{role}, prod, {ACCOUNT} us-east-1)"
    (finding,) = told(message)
    assert any(f"--role-name {role} " in command for command in finding["remediation"]["commands"])
    assert {key: value["Value"] for key, value in message["MessageAttributes"].items()} == {
        "severity": "HIGH",
        "cause": "role_lacks_pull_permissions",
        "cluster": "prod",
        "account": ACCOUNT,
        "region": "us-east-1",
        "status": "new",
    }
    (finding,) = imported(aws, role)
    assert finding["GeneratorId"] == "pull-responder/role_lacks_pull_permissions"
    assert finding["Compliance"]["Status"] == "FAILED"
    assert {(each["Type"], each["Id"]) for each in finding["Resources"]} == {
        ("AwsIamRole", f"arn:aws:iam::{ACCOUNT}:role/{role}"),
        ("AwsEksCluster", f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod"),
        ("AwsEc2Instance", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{instance}"),
    }
    counted = metrics(capsys.readouterr().out)
    assert counted["FindingsFound"] == counted["NotificationsSent"] == counted["SecurityHubImports"] == 1


def test_a_poison_message_fails_alone(inbox: Inbox, node: tuple[str, str]) -> None:
    role, instance = node
    event = batch("{not json", denial(role, instance), '["no event"]')
    assert failed(diagnose.handler(event, Context())) == ["message-0", "message-2"]
    assert len(inbox.messages()) == 1


def test_one_problem_is_notified_once_in_a_batch(inbox: Inbox, node: tuple[str, str]) -> None:
    role, instance = node
    answer = diagnose.handler(batch(*(denial(role, instance) for _ in range(5))), Context())
    assert failed(answer) == []
    assert len(inbox.messages()) == 1


def test_what_is_below_the_threshold_goes_to_security_hub_only(aws: EmulatedAws, inbox: Inbox) -> None:
    role = f"build-{uuid4().hex[:8]}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    assert failed(diagnose.handler(batch(denial(role, "AWSCodeBuild-1")), Context())) == []
    assert inbox.messages() == []
    (finding,) = imported(aws, role)
    assert finding["GeneratorId"] == "pull-responder/unexpected_principal_denied"
    assert finding["Severity"]["Label"] == "INFORMATIONAL"


def test_an_event_that_is_not_ours_is_done_with(inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    event = denial("anyone", "session", action="PutImage")
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert inbox.messages() == []
    assert metrics(capsys.readouterr().out)["EventsSkipped"] == 1


def test_security_hub_out_of_reach_stops_no_notification(
    inbox: Inbox,
    node: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Port 9 of the loopback interface takes no connections.
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECURITYHUB", "http://127.0.0.1:9")
    role, instance = node
    assert failed(diagnose.handler(batch(denial(role, instance)), Context())) == []
    assert len(inbox.messages()) == 1
    assert metrics(capsys.readouterr().out)["SecurityHubRejections"] == 1
    (refusal,) = [each for each in caplog.records if each.message == "security hub cannot be reached"]
    assert "Could not connect to the endpoint" in vars(refusal)["reason"]


def test_without_time_the_problem_waits_for_the_next_recheck(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str]
) -> None:
    role, instance = node
    answer = diagnose.handler(batch(denial(role, instance)), Context(milliseconds_left=10_000))
    assert failed(answer) == []
    assert inbox.messages() == []
    (item,) = aws.client("dynamodb").scan(TableName=inbox.table)["Items"]
    assert item["queue"] == {"S": "problem"}
    assert item["count"] == {"N": "1"}
