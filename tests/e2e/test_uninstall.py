"""A stack that is deleted leaves its table or nothing, as its settings say, and a new one goes on with the table."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import pytest

from infra import PullResponderStack, Settings
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from tests.e2e.conftest import ALL_DONE, PATIENCE_SECONDS, Deployed
from tests.e2e.test_deployed_stack import NO_IDENTITY_POLICY, denied_pull, envelope, trust

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

CLUSTER = "uninstalled"
TOLD, NEW = "uninstalled-node", "uninstalled-new-node"
TABLE = "uninstalled-findings"
BUCKET: Final = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
# CloudFormation gets what `cdk deploy` would send. The command line itself takes seconds, and other tests run it.
SETTINGS = Settings(table_name=TABLE, security_hub=False, read_accounts=("111111111111",), quiet_minutes=1)


@pytest.fixture(scope="module", autouse=True)
def estate(aws: EmulatedAws) -> None:
    iam, eks = aws.client("iam"), aws.client("eks")
    iam.create_role(RoleName=f"{CLUSTER}-cluster", AssumeRolePolicyDocument=trust("eks.amazonaws.com"))
    subnets = {"subnetIds": ["subnet-1"]}
    role = f"arn:aws:iam::{ACCOUNT}:role/{CLUSTER}-cluster"
    eks.create_cluster(name=CLUSTER, roleArn=role, resourcesVpcConfig=subnets)
    for name in (TOLD, NEW):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        eks.create_nodegroup(clusterName=CLUSTER, nodegroupName=name, subnets=["subnet-1"], nodeRole=arn)
    aws.client("ecr").create_repository(repositoryName="uninstalled/app")
    # The parts of `cdk bootstrap` that a deployment uses.
    aws.client("s3").create_bucket(Bucket=BUCKET)
    aws.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="31", Overwrite=True)


@pytest.fixture(scope="module")
def templates(aws: EmulatedAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The URLs of the stacks' templates, by their names. One synthesis makes all, and the assets are in the bucket."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("uninstalled")), analytics_reporting=False)
    PullResponderStack(app, "First", settings=SETTINGS)
    PullResponderStack(app, "Second", settings=replace(SETTINGS, existing_table=True))
    PullResponderStack(app, "Removed", stack_name="First", settings=replace(SETTINGS, remove_data=True))
    assembly = Path(app.synth().directory)
    s3 = aws.client("s3")
    for each in assembly.glob("asset.*"):
        s3.put_object(Bucket=BUCKET, Key=f"{each.name.removeprefix('asset.')}.zip", Body=zipped(each))
    for each in assembly.glob("*.template.json"):
        s3.put_object(Bucket=BUCKET, Key=each.name, Body=each.read_bytes())
    return {
        each.name.partition(".")[0]: f"https://s3.{REGION}.amazonaws.com/{BUCKET}/{each.name}"
        for each in assembly.glob("*.template.json")
    }


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each in folder.rglob("*"):
            archive.write(each, each.relative_to(folder))
    return buffer.getvalue()


class Stack:
    """A stack of the emulated AWS."""

    def __init__(self, aws: EmulatedAws, name: str) -> None:
        self.aws, self.name = aws, name
        self.ids: set[str] = set()

    def deploy(self, template: str, *, change: str = "create") -> dict[str, str]:
        """Deploy the template at this URL, and return the outputs."""
        cloudformation = self.aws.client("cloudformation")
        getattr(cloudformation, f"{change}_stack")(
            StackName=self.name, TemplateURL=template, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        self._wait(change)
        resources = cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        self.ids |= {each["PhysicalResourceId"] for each in resources}
        (stack,) = cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def delete(self) -> None:
        self.aws.client("cloudformation").delete_stack(StackName=self.name)
        self._wait("delete")

    def left(self) -> list[str]:
        """Return what there still is of what the stack ever had."""
        client = self.aws.client
        there = [
            *client("dynamodb").list_tables()["TableNames"],
            *(each["TopicArn"] for each in client("sns").list_topics()["Topics"]),
            *client("sqs").list_queues().get("QueueUrls", []),
            *(each["FunctionName"] for each in client("lambda").list_functions()["Functions"]),
            *(each["RoleName"] for each in client("iam").list_roles()["Roles"]),
            *(each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]),
            *(each["Name"] for each in client("events").list_rules()["Rules"]),
            *(each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        ]
        return sorted(self.ids.intersection(there))

    def _wait(self, change: str) -> None:
        waiter = self.aws.client("cloudformation").get_waiter(f"stack_{change}_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": PATIENCE_SECONDS})


def messages_until(deployed: Deployed, role: str) -> list[dict[str, Any]]:
    """Return all notifications up to the one about a role."""
    seen: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(role in each["Message"] for each in seen) and time.monotonic() < deadline:
        seen += [json.loads(body) for body in deployed.receive(deployed.inbox)]
    return seen


def test_a_stack_leaves_its_table_and_the_next_one_tells_nothing_twice(
    aws: EmulatedAws, templates: dict[str, str]
) -> None:
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uninstalled-inbox"
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
    sqs = aws.client("sqs")
    inbox = sqs.create_queue(QueueName="uninstalled-inbox", Attributes={"Policy": policy})["QueueUrl"]

    def watched(outputs: dict[str, str]) -> Deployed:
        aws.client("sns").subscribe(TopicArn=outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
        return Deployed(aws, outputs, inbox)

    first = Stack(aws, "First")
    deployed = watched(first.deploy(templates["First"]))
    told = envelope(denied_pull("uninstalled/app", role=TOLD, reason=NO_IDENTITY_POLICY))
    assert deployed.invoke(told) == ALL_DONE
    (mail,) = messages_until(deployed, TOLD)
    assert mail["MessageAttributes"]["status"]["Value"] == "new"
    assert len(first.left()) > 50
    first.delete()
    assert first.left() == [TABLE]

    second = Stack(aws, "Second")
    deployed = watched(second.deploy(templates["Second"]))
    assert deployed.outputs["TableName"] == TABLE
    assert deployed.invoke(told) == ALL_DONE
    assert deployed.invoke(envelope(denied_pull("uninstalled/app", role=NEW, reason=NO_IDENTITY_POLICY))) == ALL_DONE
    (mail,) = messages_until(deployed, NEW)
    assert TOLD not in mail["Message"]
    second.delete()
    assert second.left() == []
    assert TABLE in aws.client("dynamodb").list_tables()["TableNames"]


def test_with_remove_data_nothing_is_left(aws: EmulatedAws, templates: dict[str, str]) -> None:
    dynamodb, stack = aws.client("dynamodb"), Stack(aws, "First")
    if TABLE in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=TABLE)
    stack.deploy(templates["First"])
    # Deletion protection asks for this deployment. The emulator does not have it for this type of table.
    stack.deploy(templates["Removed"], change="update")
    assert TABLE in stack.left()
    stack.delete()
    assert stack.left() == []
    assert TABLE not in dynamodb.list_tables()["TableNames"]
