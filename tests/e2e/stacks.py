"""Stacks that CloudFormation deploys without the CDK command line, which takes seconds and which other tests run."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

from pull_responder.emulator.emulated_aws import REGION
from tests.e2e.conftest import PATIENCE_SECONDS
from tests.e2e.test_deployed_stack import trust

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws


class Stack:
    """A stack of the emulated AWS."""

    def __init__(self, aws: EmulatedAws, name: str) -> None:
        self.aws, self.name = aws, name
        self.ids: set[str] = set()

    def deploy(self, template: str, *, change: str = "create") -> dict[str, str]:
        """Deploy the template at this URL, and return the outputs."""
        self.start(template, change=change)
        self.wait(f"stack_{change}_complete")
        self.ids |= set(self.physical_ids().values())
        return self.outputs()

    def start(self, template: str, *, change: str) -> None:
        """Let CloudFormation begin to deploy the template at this URL."""
        begin = getattr(self.aws.client("cloudformation"), f"{change}_stack")
        begin(StackName=self.name, TemplateURL=template, Capabilities=["CAPABILITY_NAMED_IAM"])

    def wait(self, until: str) -> None:
        waiter = self.aws.client("cloudformation").get_waiter(until)
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": PATIENCE_SECONDS})

    def physical_ids(self) -> dict[str, str]:
        """Return the physical ids of the stack's resources, by their logical ids."""
        described = self.aws.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in described}

    def outputs(self) -> dict[str, str]:
        (stack,) = self.aws.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def delete(self) -> None:
        self.aws.client("cloudformation").delete_stack(StackName=self.name)
        self.wait("stack_delete_complete")

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


class Bucket:
    """The bucket that `cdk bootstrap` makes for packages and templates, with what else a deployment uses of it."""

    def __init__(self, aws: EmulatedAws) -> None:
        self._s3 = aws.client("s3")
        self._region = aws.region
        self._name = f"cdk-hnb659fds-assets-{aws.account}-{aws.region}"
        # S3 API reference, CreateBucket: us-east-1 is no location constraint.
        there = {} if aws.region == REGION else {"LocationConstraint": aws.region}
        self._s3.create_bucket(Bucket=self._name, **({"CreateBucketConfiguration": there} if there else {}))
        version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Type": "String", "Value": "31"}
        aws.client("ssm").put_parameter(**version, Overwrite=True)

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return its URL."""
        self._s3.put_object(Bucket=self._name, Key=key, Body=content)
        return f"https://s3.{self._region}.amazonaws.com/{self._name}/{key}"

    def put_assembly(self, folder: Path) -> dict[str, str]:
        """Store the packages and the templates that CDK has made, and return the templates' URLs by stack."""
        for each in folder.glob("asset.*"):
            self.put(f"{each.name.removeprefix('asset.')}.zip", zipped(each))
        templates = folder.glob("*.template.json")
        return {each.name.partition(".")[0]: self.put(each.name, each.read_bytes()) for each in templates}


class Inbox:
    """A queue that topics send to."""

    def __init__(self, aws: EmulatedAws, name: str) -> None:
        self._aws = aws
        self._arn = f"arn:aws:sqs:{aws.region}:{aws.account}:{name}"
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": self._arn}]})
        sqs = aws.client("sqs")
        self.url: str = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]

    def subscribe(self, topic: str) -> None:
        self._aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self._arn)


def make_cluster(aws: EmulatedAws, name: str, *roles: str) -> None:
    """Make a cluster with a node group for each of these roles, which may not pull."""
    iam, eks = aws.client("iam"), aws.client("eks")
    iam.create_role(RoleName=f"{name}-cluster", AssumeRolePolicyDocument=trust("eks.amazonaws.com"))
    owner, subnets = f"arn:aws:iam::{aws.account}:role/{name}-cluster", {"subnetIds": ["subnet-1"]}
    eks.create_cluster(name=name, roleArn=owner, resourcesVpcConfig=subnets)
    for role in roles:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
        arn = f"arn:aws:iam::{aws.account}:role/{role}"
        eks.create_nodegroup(clusterName=name, nodegroupName=role, subnets=["subnet-1"], nodeRole=arn)


def zipped(folder: Path, *parts: str) -> bytes:
    """Return a zip of what is in a folder; where `parts` are named, of these paths in it alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in parts or ("",):
            for each in (folder / part, *(folder / part).rglob("*")):
                archive.write(each, each.relative_to(folder))
    return buffer.getvalue()
