"""A deployed responder on the emulated AWS, with a clock that a test can turn."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics

from pull_responder.events.change import Change, read_change
from pull_responder.events.look_again import LookAgain
from pull_responder.facts.aws import Aws
from pull_responder.findings.problem import iso
from pull_responder.responder.recheck import Recheck
from pull_responder.responder.respond import Message, Responder
from pull_responder.responder.run import Run, store_of
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws
    from pull_responder.findings.store import Store

ACCOUNT = "123456789012"
REGION = "us-east-1"
TOKEN = "GetAuthorizationToken"
IMAGE = "BatchGetImage"
# 2026-03-01T12:00:00Z, where the clock begins.
NOON = 1_772_366_400.0
ADMIN = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/jo"
PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"


@dataclass
class Clock:
    """The time in seconds since 1970, which passes only when a test says so."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def forward(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.now += minutes * 60 + seconds


@dataclass
class Scene:
    """The functions of one deployment, and the queue that gets their notifications."""

    aws: EmulatedAws
    topic: str
    inbox: str
    table: str
    clock: Clock = field(default_factory=Clock)
    seconds: float = 120.0
    connected: Aws | None = None

    def run(self, **settings: str) -> Run:
        """Return a new invocation, with `settings` beside those of the deployment."""
        environment = {**os.environ, "TOPIC_ARN": self.topic, "TABLE_NAME": self.table, **settings}
        chosen = read_settings(environment)
        if self.connected is None:
            self.connected = Aws.connect(
                member_role=chosen.member_role,
                read_accounts=chosen.read_accounts,
                assume_proves_membership=True,
            )
        return Run(
            settings=chosen,
            aws=self.connected,
            store=store_of(self.connected, chosen),
            remaining=lambda: self.seconds,
            logger=Logger(service="pull-responder"),
            metrics=Metrics(namespace="PullResponder", service="pull-responder"),
            now=self.clock,
            wait=lambda _: None,
        )

    def respond(self, *events: dict[str, Any], **settings: str) -> list[str]:
        """Hand `events` to the function `diagnose` as one batch; return the ids of messages that failed."""
        messages = [Message(str(number), json.dumps(event)) for number, event in enumerate(events)]
        return Responder(self.run(**settings)).respond(messages)

    def recheck(self, *changes: dict[str, Any], **settings: str) -> None:
        """Wake the function `recheck`, with records of changes or other events that it takes, or without."""
        organization = "PULL_RESPONDER_ORGANIZATION_ID" in settings
        read = [read_change(json.dumps(change), account=ACCOUNT, organization=organization) for change in changes]
        asked = [each for look in read if isinstance(look, LookAgain) for each in look.findings]
        Recheck(self.run(**settings)).recheck([each for each in read if isinstance(each, Change)], asked=asked)

    def told(self) -> list[dict[str, Any]]:
        """Take what has been published since the last time, as queues get it: the JSON documents.

        `finding` and `because` are added to each: those of its worst finding.
        """
        sqs = self.aws.client("sqs")
        received: list[dict[str, Any]] = []
        while batch := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
                document = json.loads(json.loads(message["Body"])["Message"])
                worst = document["findings"][0] if document["edge"] != "digest" and "findings" in document else {}
                received.append(({"finding": worst, "because": worst["because"]} if worst else {}) | document)
        return received

    def edges(self) -> list[tuple[str, str]]:
        """Take what has been published since the last time: the edge and the cause of each finding of each message."""
        return [
            (each["edge"], finding["cause"])
            for each in self.told()
            for finding in each.get("findings") or [each["finding"]]
        ]

    def in_hub(self, resource: str) -> list[dict[str, Any]]:
        """Return Security Hub's findings whose first resource ends in `resource`."""
        pages = self.aws.client("securityhub").get_paginator("get_findings").paginate()
        findings = [finding for page in pages for finding in page["Findings"]]
        return [each for each in findings if each["Resources"][0]["Id"].endswith(resource)]

    @property
    def store(self) -> Store:
        return self.run().store

    def role(self, *, cluster: str | None = "prod") -> Node:
        """Make a role that may do nothing, and an instance with a cluster's tag that has it.

        Without `cluster`, the cluster has the role's name.
        """
        role = f"node-{uuid4().hex[:8]}"
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        self.aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        tags = [{"Key": "eks:cluster-name", "Value": cluster or role}, {"Key": "eks:nodegroup-name", "Value": role}]
        instance = self.aws.client("ec2").run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )["Instances"][0]
        return Node(role, instance["InstanceId"])

    def node_group(self) -> Node:
        """Make a role that may do nothing and a node group that has it, so that all its sessions are of nodes."""
        node, eks = self.role(cluster=None), self.aws.client("eks")
        place = {"subnetIds": ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]}
        role = f"arn:aws:iam::{ACCOUNT}:role/{node.role}"
        eks.create_cluster(name=node.role, roleArn=role, resourcesVpcConfig=place)
        eks.create_nodegroup(clusterName=node.role, nodegroupName="workers", subnets=place["subnetIds"], nodeRole=role)
        return node

    def stranger(self) -> str:
        """Make a role that builds images, and pulls for no cluster; return its name."""
        role = f"build-{uuid4().hex[:8]}"
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        self.aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        return role

    def allow(self, node: Node) -> dict[str, Any]:
        """Give the node's role what it needs, and return CloudTrail's record of the change."""
        self.aws.client("iam").attach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)
        made = change("iam", "AttachRolePolicy", roleName=node.role, policyArn=PULL_ONLY)
        made["detail"] |= {"eventTime": iso(self.clock.now), "userIdentity": {"type": "AssumedRole", "arn": ADMIN}}
        return made

    def forbid(self, node: Node) -> None:
        """Take it away again."""
        self.aws.client("iam").detach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)


@dataclass(frozen=True)
class Node:
    """A node's role and instance."""

    role: str
    instance: str

    def denied(
        self, at: float, *, action: str = TOKEN, resource: str = "*", session: str | None = None
    ) -> dict[str, Any]:
        """Return the event of a refused call by this node, or by another of the same role."""
        return denial(self.role, session or self.instance, at=at, action=action, resource=resource)


def denial(role: str, session: str, *, at: float, action: str = TOKEN, resource: str = "*") -> dict[str, Any]:
    """Return CloudTrail's event of a refused call, as a queue gets it."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": iso(at),
        "region": REGION,
        "resources": [],
        "detail": {
            "eventSource": "ecr.amazonaws.com",
            "eventName": action,
            "eventID": str(uuid4()),
            "awsRegion": REGION,
            "eventTime": iso(at),
            "errorCode": "AccessDenied",
            "errorMessage": f"User: {arn} is not authorized to perform: ecr:{action} on resource: {resource} because "
            f"no identity-based policy allows the ecr:{action} action",
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
        },
    }


def change(service: str, call: str, /, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Return CloudTrail's event of a call that changed something."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": ACCOUNT,
        "time": "2026-03-01T12:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "eventSource": f"{service}.amazonaws.com",
            "eventName": call,
            "eventID": str(uuid4()),
            "awsRegion": REGION,
            "eventTime": "2026-03-01T12:00:00Z",
            "recipientAccountId": ACCOUNT,
            "requestParameters": parameters,
        },
    }
