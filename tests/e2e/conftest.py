"""The stack, which the real `cdk deploy` deploys to the emulated AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOT = Path(__file__).resolve().parents[2]
STACK = "PullResponder"
PATIENCE_SECONDS = 60
# The settings other than the defaults: all optional sources of failures, and no delay before a finding is resolved.
AUDITED_CLUSTER = "e2e"
FORWARDED_SOURCE = "kubernetes.events"
# The files whose tests use the stack below.
SHARE_A_STACK = ("test_deployed_stack.py", "test_doctor.py")
ALL_DONE: dict[str, Any] = {"batchItemFailures": []}
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"})
"""Of an image, which every repository has: its absence would be a second cause."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The deployed stack.

    - `outputs`: the outputs of the stack, by name
    - `inbox`: the URL of a queue that is subscribed to the stack's topic
    """

    aws: EmulatedAws
    outputs: dict[str, str]
    inbox: str

    def put(self, *details: dict[str, Any]) -> None:
        """Put CloudTrail records of ECR calls on the default bus."""
        entries = [
            {"Source": "aws.ecr", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
            for detail in details
        ]
        assert self.aws.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0

    def put_change(self, service: str, name: str, **asked: str) -> None:
        """Put the CloudTrail record of a successful call on the default bus. `asked` are its request parameters."""
        detail = {"eventSource": f"{service}.amazonaws.com", "eventName": name, "requestParameters": asked}
        entry = {
            "Source": f"aws.{service}",
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(detail),
        }
        assert self.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def invoke(self, *bodies: str, function: str = "Diagnose") -> dict[str, Any]:
        """Invoke a function with messages, as its queue does, and return its answer."""
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
        """Wait for a notification with each of `subjects` in its message. Return them in this order."""
        seen: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            seen += [json.loads(body) for body in self.receive(self.inbox)]
            found = [next((each for each in seen if about in each["Message"]), None) for about in subjects]
            if all(found):
                return [each for each in found if each]
        raise AssertionError(f"no notification about {subjects} but {seen}\n{self.log()}")

    def receive(self, queue_url: str) -> list[str]:
        """Receive and delete the messages of a queue. Wait for them for a second."""
        sqs = self.aws.client("sqs")
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        )
        for message in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def findings(self, about: str, *, at: EmulatedAws | None = None) -> list[dict[str, Any]]:
        """Return the findings in Security Hub that contain `about`. Security Hub cannot filter by any text.

        They are those of the stack's account and region, or of another one.

        People are told first, so this waits until Security Hub has what the table has.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(item.get("queue") == {"S": "notice"} for item in self.items(about)) and time.monotonic() < deadline:
            pass
        stored = (at or self.aws).client("securityhub").get_findings()["Findings"]
        return [finding for finding in stored if about in json.dumps(finding, default=str)]

    def items(self, about: str) -> list[dict[str, Any]]:
        """Return the items of the table that are findings and contain `about`."""
        items = self.aws.client("dynamodb").scan(TableName=self.outputs["TableName"])["Items"]
        return [item for item in items if item["id"]["S"].startswith("pull-responder/") and about in json.dumps(item)]

    def log(self) -> str:
        """Return the last part of the log of the emulator and the functions."""
        return self.aws.log.read_text(errors="replace")[-6000:]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401 -- pytest-xdist has no types
    """Let one process have all tests of a file, and one all of SHARE_A_STACK. Each has an emulated AWS of its own."""

    def process_of(test: str) -> str:
        file = test.partition("::")[0]
        return STACK if file.endswith(SHARE_A_STACK) else file

    scheduler = import_module("xdist.scheduler.loadscope").LoadScopeScheduling(config, log)
    scheduler._split_scope = process_of
    return scheduler


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
    # SQS retries after the visibility timeout. In the template it is minutes.
    for queue in ("QueueUrl", "ChangesQueueUrl"):
        sqs.set_queue_attributes(QueueUrl=outputs[queue], Attributes={"VisibilityTimeout": "3"})
    stack = Deployed(aws, outputs, inbox)
    # Invoke each function once. The first invocation starts an interpreter, which takes longer than that timeout.
    nothing = json.dumps({"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {}})
    assert stack.invoke(nothing) == stack.invoke(nothing, function="Recheck") == ALL_DONE
    return stack


def _deploy(aws: EmulatedAws, folder: Path) -> dict[str, str]:
    # EKS creates the log group when audit logging of a cluster is switched on.
    aws.client("logs").create_log_group(logGroupName=f"/aws/eks/{AUDITED_CLUSTER}/cluster")
    shutil.copy(ROOT / "cdk.json", folder)
    settings = {
        "auditLogClusters": [AUDITED_CLUSTER],
        "forwardedEventSource": FORWARDED_SOURCE,
        "holdDownMinutes": 0,
        # The emulator knows no organization of its accounts.
        "readAccounts": ["111111111111"],
    }
    (folder / "pull-responder.json").write_text(json.dumps(settings))
    # The parts of `cdk bootstrap` that the deployment of this stack uses.
    aws.client("s3").create_bucket(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}")
    aws.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="31")
    outputs = folder / "outputs.json"
    # Keep the home folder, which has the cache that makes synthesis fast.
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
            # The tests are a burst of failures. Each of them waits for a notification of its own.
            *("-c", "pullResponder.digestAbove=1000"),
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
