"""The stack, deployed by the real `cdk deploy` to the emulated AWS, and an estate of pulls that fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOT = Path(__file__).resolve().parents[2]
STACK = "PullResponder"
PATIENCE_SECONDS = 60
# What the stack is deployed with beside the defaults: every further source of failures, and no wait before "resolved".
AUDITED_CLUSTER = "e2e"
FORWARDED_SOURCE = "kubernetes.events"
ALL_DONE: dict[str, Any] = {"batchItemFailures": []}


@dataclass(frozen=True, slots=True)
class Deployed:
    """The deployed stack with a queue subscribed to its topic. `outputs` are the stack's."""

    aws: EmulatedAws
    outputs: dict[str, str]
    inbox: str

    def put(self, *details: dict[str, Any]) -> None:
        """Put CloudTrail records on the default bus, as EventBridge would get them from ECR."""
        entries = [
            {"Source": "aws.ecr", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
            for detail in details
        ]
        assert self.aws.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0

    def put_change(self, service: str, name: str, **asked: str) -> None:
        """Put the CloudTrail record of a call that succeeded on the default bus."""
        detail = {"eventSource": f"{service}.amazonaws.com", "eventName": name, "requestParameters": asked}
        entry = {
            "Source": f"aws.{service}",
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(detail),
        }
        assert self.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def invoke(self, *bodies: str, function: str = "Diagnose") -> dict[str, Any]:
        """Hand messages to a function as its queue does, and return its answer."""
        first = {"eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": "1"}}
        records = [{**first, "messageId": str(at), "body": body} for at, body in enumerate(bodies)]
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs[f"{function}FunctionName"], Payload=json.dumps({"Records": records})
        )
        text = answer["Payload"].read()
        assert "FunctionError" not in answer, text
        payload: dict[str, Any] = json.loads(text)
        return payload

    def notifications(self, *subjects: str) -> list[dict[str, Any]]:
        """Wait for a notification about each of `subjects`, a part of its message, and return them in that order."""
        seen: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            seen += [json.loads(body) for body in self.receive(self.inbox)]
            found = [next((each for each in seen if about in each["Message"]), None) for about in subjects]
            if all(found):
                return [each for each in found if each]
        raise AssertionError(f"no notification about {subjects} but {seen}\n{self.log()}")

    def receive(self, queue_url: str) -> list[str]:
        """Take what is in a queue, waiting a second for it."""
        sqs = self.aws.client("sqs")
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        )
        for message in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def findings(self, about: str) -> list[dict[str, Any]]:
        """What Security Hub stores with `about` in it. Filtered here, as there is no filter for text anywhere."""
        stored = self.aws.client("securityhub").get_findings()["Findings"]
        return [finding for finding in stored if about in json.dumps(finding, default=str)]

    def items(self, about: str) -> list[dict[str, Any]]:
        """The items of the findings table, of findings with `about` in them."""
        items = self.aws.client("dynamodb").scan(TableName=self.outputs["TableName"])["Items"]
        return [item for item in items if not item["id"]["S"].startswith("problem/") and about in json.dumps(item)]

    def log(self) -> str:
        """The end of what the emulator and the function wrote."""
        return self.aws.log.read_text(errors="replace")[-6000:]


@pytest.fixture(scope="session")
def deployed(aws: EmulatedAws, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    outputs = _deploy(aws, tmp_path_factory.mktemp("deploy"))
    aws.client("securityhub").enable_security_hub()
    sqs = aws.client("sqs")
    inbox = sqs.create_queue(QueueName="e2e-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": outputs["TopicArn"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=inbox, Attributes={"Policy": policy})
    aws.client("sns").subscribe(TopicArn=outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
    # A retry comes after the visibility timeout, which is minutes in the template.
    for queue in ("QueueUrl", "ChangesQueueUrl"):
        sqs.set_queue_attributes(QueueUrl=outputs[queue], Attributes={"VisibilityTimeout": "3"})
    stack = Deployed(aws, outputs, inbox)
    # The first invocation starts an interpreter, which takes longer than that.
    nothing = json.dumps({"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {}})
    assert stack.invoke(nothing) == stack.invoke(nothing, function="Recheck") == ALL_DONE
    return stack


def _deploy(aws: EmulatedAws, folder: Path) -> dict[str, str]:
    # EKS makes the log group when a cluster's audit log is switched on.
    aws.client("logs").create_log_group(logGroupName=f"/aws/eks/{AUDITED_CLUSTER}/cluster")
    configuration = json.loads((ROOT / "cdk.json").read_text())
    configuration["context"]["pullResponder"] |= {
        "auditLogClusters": [AUDITED_CLUSTER],
        "forwardedEventSource": FORWARDED_SOURCE,
        "holdDownMinutes": 0,
    }
    (folder / "cdk.json").write_text(json.dumps(configuration))
    # All of `cdk bootstrap` that this stack's deployment uses.
    aws.client("s3").create_bucket(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}")
    aws.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="31")
    outputs = folder / "outputs.json"
    # The home of whoever runs this, because it holds the cache that makes synthesis fast.
    environment = {
        **os.environ,
        **aws.environment,
        "HOME": os.environ.get("HOME", ""),
        "CDK_DISABLE_CLI_TELEMETRY": "1",
    }
    environment.pop("AWS_PROFILE", None)
    deployment = subprocess.run(  # noqa: S603 -- the CDK command line that package-lock.json pins
        [
            *(ROOT / "node_modules" / ".bin" / "cdk", "deploy", STACK, "--require-approval", "never"),
            *(
                "--app",
                f"{sys.executable} {ROOT / 'app.py'}",
                "--output",
                folder / "cdk.out",
                "--outputs-file",
                outputs,
            ),
            *("--method", "direct", "--no-notices", "--no-color"),
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert deployment.returncode == 0, deployment.stdout + deployment.stderr
    named: dict[str, str] = json.loads(outputs.read_text())[STACK]
    return named
