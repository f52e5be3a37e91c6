"""`pull-responder test-event` against a stack on the emulated AWS, whose function runs while the terminal waits."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.cli import trial
from pull_responder.cli.main import main
from pull_responder.cli.trial_way import Clock
from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.facts.aws import Aws
from pull_responder.handlers import diagnose
from pull_responder.handlers.connection import disconnect
from tests.integration.handlers.test_diagnose import Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pull_responder.emulator.emulated_aws import EmulatedAws

REGION, STACK = "eu-north-1", "Tried"
RULE = f"{STACK}-Rules-TestEvent"


def template() -> dict[str, Any]:
    send = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    pattern = {"source": ["pull-responder.test"], "detail-type": ["Pull Responder test"], "account": [ACCOUNT]}
    queues = [{"Ref": "Queue"}, {"Ref": "Inbox"}]
    document = {"Version": "2012-10-17", "Statement": [send]}
    return {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Inbox": {"Type": "AWS::SQS::Queue"},
            "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": queues, "PolicyDocument": document}},
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Name": RULE,
                    "EventPattern": pattern,
                    "Targets": [{"Id": "Queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "sqs",
                    "Endpoint": {"Fn::GetAtt": ["Inbox", "Arn"]},
                },
            },
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "BillingMode": "PAY_PER_REQUEST",
                },
            },
        },
        "Outputs": {
            "TopicArn": {"Value": {"Ref": "Topic"}},
            "TableName": {"Value": {"Ref": "Table"}},
            "QueueUrl": {"Value": {"Ref": "Queue"}},
            "InboxUrl": {"Value": {"Ref": "Inbox"}},
            "DiagnoseFunctionName": {"Value": "diagnose"},
        },
    }


@dataclass
class Report:
    """What the command printed."""

    status: object
    out: str
    err: str

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """What it says by subject, with --format json."""
        return {each["subject"]: each for each in map(json.loads, self.out.splitlines())}


@dataclass
class Terminal:
    """The command, and the function that runs while it waits. No time passes but what it waits."""

    aws: EmulatedAws
    outputs: Mapping[str, str]
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    runs: bool = True
    at: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:  # noqa: ANN401 -- the client's type follows from `service`
        return self.aws.client(service, region=REGION)

    def wait(self, seconds: float) -> None:
        self.at += seconds
        if self.runs:
            self.run_function()

    def run_function(self) -> None:
        """Give the function what is in its queue, as its event source mapping does."""
        queue = self.outputs["QueueUrl"]
        taken = self.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        records = [{"messageId": each["MessageId"], "body": each["Body"]} for each in taken]
        if not records:
            return
        self.taken += [each["Body"] for each in taken]
        context = Context(invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:diagnose")
        given = {
            **self.aws.environment,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "TABLE_NAME": self.outputs["TableName"],
            "TOPIC_ARN": self.outputs["TopicArn"],
            **self.environment,
        }
        with self.patch.context() as patch:
            for key, value in given.items():
                patch.setenv(key, value)
            disconnect()
            assert diagnose.handler({"Records": records}, context) == {"batchItemFailures": []}
        for each in taken:
            self.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Report:
        """Run the command. Without arguments it prints JSON."""
        for key, value in {**self.aws.environment, **(environment or {})}.items():
            self.patch.setenv(key, value)
        given = arguments or ("-o", "json")
        self.patch.setattr(sys, "argv", ["pull-responder", "test-event", "--stack", STACK, "--region", REGION, *given])
        self.patch.setattr(trial, "CLOCK", Clock(lambda: self.at, self.wait))
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capture.readouterr()
        # The function logs to the same standard output.
        lines = [each for each in out.splitlines() if not ('"_aws"' in each or '"level"' in each)]
        return Report(ended.value.code, "".join(f"{each}\n" for each in lines), err)

    def messages(self) -> list[dict[str, Any]]:
        found = self.client("sqs").receive_message(QueueUrl=self.outputs["InboxUrl"], MaxNumberOfMessages=10)
        for each in found.get("Messages", []):
            self.client("sqs").delete_message(QueueUrl=self.outputs["InboxUrl"], ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"]) for each in found.get("Messages", [])]

    def items(self) -> list[str]:
        return [each["id"]["S"] for each in self.client("dynamodb").scan(TableName=self.outputs["TableName"])["Items"]]


@pytest.fixture(scope="module")
def outputs(aws: EmulatedAws) -> dict[str, str]:
    """The outputs of the stack, once it is deployed."""
    cloudformation = aws.client("cloudformation", region=REGION)
    made = cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template()))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=made["StackId"], WaiterConfig={"Delay": 1})
    aws.client("securityhub", region=REGION).enable_security_hub()
    (found,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


@pytest.fixture
def terminal(
    aws: EmulatedAws,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Terminal]:
    """A terminal, and a deployment that was not tested before."""
    diagnose.metrics.clear_metrics()
    terminal = Terminal(aws, outputs, monkeypatch, capsys)
    yield terminal
    for each in terminal.items():
        terminal.client("dynamodb").delete_item(TableName=outputs["TableName"], Key={"id": {"S": each}})
    for queue in ("QueueUrl", "InboxUrl"):
        terminal.client("sqs").purge_queue(QueueUrl=outputs[queue])
    disconnect()


def denied(terminal: Terminal, *actions: str) -> dict[str, str]:
    """Return the environment of somebody who may do everything but `actions`."""
    iam, name = terminal.client("iam"), "trier"
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    if not any(each["RoleName"] == name for each in iam.list_roles()["Roles"]):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": list(actions), "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="tries", PolicyDocument=policy)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    keys = terminal.client("sts").assume_role(RoleArn=arn, RoleSessionName="trier")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def test_it_says_what_works_station_by_station_and_what_it_leaves_behind(terminal: Terminal) -> None:
    report = terminal("--timeout", "30")

    lines = [each.rstrip() for each in report.out.splitlines()]
    assert report.status == 0, report.out
    assert lines[0] == f"Stack      {STACK}, account {ACCOUNT}, region {REGION}"
    assert [each.split(":")[0] for each in lines[1:-2]] == [
        "Works      rule and queue",
        "Works      function diagnose",
        "Works      table of findings",
        "Works      topic of notifications",
        "Works      Security Hub",
        "Works      subscribers",
        "Works      left behind",
    ]
    assert lines[-1] == "Result     each of these worked, or is left out by the settings"
    own, pace = sorted(terminal.items())
    assert lines[-3].endswith(
        f"the items {own} and {pace}, which expire within the hour, and the archived finding in Security Hub"
    )
    assert pace == "test/pace"
    (message,) = terminal.messages()
    assert message["Subject"].startswith("[TEST] ")


def test_where_it_stopped_is_named_with_what_was_refused(terminal: Terminal) -> None:
    terminal.environment = {"TOPIC_ARN": f"{terminal.outputs['TopicArn']}-gone"}

    report = terminal()

    topic = report.results["topic of notifications"]
    assert (report.status, topic["state"]) == (1, "broken")
    assert topic["found"].startswith("sns:Publish failed: ")
    assert "NotFound" in topic["found"]
    assert topic["commands"] == [f"pull-responder doctor --stack {STACK} --region {REGION}"]
    # Whom the topic would have told was not asked.
    others = {subject for subject, each in report.results.items() if each["state"] == "works"}
    assert others == {"rule and queue", "function diagnose", "table of findings", "Security Hub", "left behind"}


def test_an_event_that_nobody_takes_is_waited_for_no_longer_than_asked(terminal: Terminal) -> None:
    terminal.runs = False

    report = terminal("-o", "json", "--timeout", "7")

    (lost,) = report.results.values()
    assert (report.status, lost["state"], terminal.at) == (1, "broken", 7)
    assert "nothing of it is in the table after 7 seconds; its queue holds 1 messages" in lost["found"]
    assert lost["commands"][0] == f"pull-responder doctor --stack {STACK} --region {REGION}"


def test_an_event_that_no_rule_takes_is_lost_before_the_queue(terminal: Terminal) -> None:
    events = terminal.client("events")
    events.disable_rule(Name=RULE)
    try:
        report = terminal("-o", "json", "--timeout", "3")
    finally:
        events.enable_rule(Name=RULE)

    (lost,) = report.results.values()
    assert (report.status, lost["state"]) == (1, "broken")
    assert "its queue is empty: the rule has not brought it" in lost["found"]


def test_a_second_test_within_the_minute_is_not_sent(terminal: Terminal) -> None:
    assert terminal().status == 0
    report = terminal()

    (refused,) = report.results.values()
    assert (report.status, refused["state"], terminal.at) == (1, "broken", 1)
    assert "Nothing was sent" in refused["found"]
    assert refused["next"].startswith("Test again in ")
    assert len(terminal.messages()) == 1


@pytest.mark.parametrize(
    ("action", "subject"), [("events:PutEvents", "event bus"), ("dynamodb:BatchGetItem", "table of findings")]
)
def test_what_may_not_be_asked_is_said_and_nothing_is_proved(action: str, subject: str, terminal: Terminal) -> None:
    report = terminal(environment=denied(terminal, action))

    (refused,) = report.results.values()
    assert (report.status, refused["subject"], refused["state"]) == (1, subject, "unread")
    assert refused["needs"] == [action]
    assert "othing was sent" in refused["meaning"]
    assert terminal.messages() == []


def test_a_terminal_whose_clock_is_wrong_asks_the_tables(terminal: Terminal) -> None:
    assert terminal().status == 0
    later = datetime.now(UTC) + timedelta(minutes=2)
    with terminal.patch.context() as patch:
        patch.setattr(Aws, "__init__", partialmethod(Aws.__init__, now=lambda: later))
        report = terminal()

    (refused,) = report.results.values()
    assert "one test a minute and ten an hour. Nothing was sent" in refused["found"]
    assert len(terminal.messages()) == 1


def test_a_test_that_is_delivered_again_after_its_end_is_told_once(terminal: Terminal) -> None:
    assert terminal().status == 0
    (body,) = terminal.taken
    terminal.client("dynamodb").delete_item(TableName=terminal.outputs["TableName"], Key={"id": {"S": "test/pace"}})
    terminal.client("sqs").send_message(QueueUrl=terminal.outputs["QueueUrl"], MessageBody=body)
    terminal.run_function()
    assert len(terminal.messages()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--timeout", "0"), "--timeout"),
        (("--timeout", "901"), "--timeout"),
        (("--stack", "no such name"), "not the name of a stack"),
        (("--stack", "Missing"), "has no stack Missing"),
    ],
)
def test_bad_usage_is_one_line(arguments: tuple[str, ...], words: str, terminal: Terminal) -> None:
    report = terminal(*arguments)

    assert (report.status, report.out) == (2, "")
    assert report.err.count("\n") == 1
    assert words in report.err
