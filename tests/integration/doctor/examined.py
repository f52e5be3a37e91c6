"""The function `examine` on the doctor's patient, with a clock that a test can turn, and a role that may do no more."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics

from pull_responder.checks.responder_is_blind import CHECK
from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.emulator.findings_table import create_table
from pull_responder.facts.aws import Aws
from pull_responder.findings.health import canary_item_id, read_canary_item
from pull_responder.findings.life import Life
from pull_responder.findings.problem import iso
from pull_responder.model.arn import Arn
from pull_responder.permissions import declared_permissions
from pull_responder.responder.examination import Deployed, Examiner, Report
from pull_responder.responder.recheck import Recheck
from pull_responder.responder.run import Run, store_of
from pull_responder.settings import read_settings
from tests.integration.doctor.estate import REGION, STACK
from tests.integration.responder.scene import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pull_responder.findings.health import Canary
    from tests.integration.doctor.conftest import Doctor

    Deliver = Callable[..., list[str]]

HOUR = 60
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:diagnose"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}
CANARIES = f"arn:aws:ecr:*:{ACCOUNT}:repository/pull-responder-canary/*"


def may(*, canary_refused: bool = True) -> dict[str, Any]:
    """The policy of the function's role: what it declares, and no canary."""
    declared = declared_permissions()["examine"]
    allowed = sorted({action for actions in declared.values() for action in actions})
    allowed.append("ecr:*")
    allow = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": CANARIES}
    return {"Version": "2012-10-17", "Statement": [allow, *([deny] if canary_refused else [])]}


@dataclass
class Examined:
    """The deployment, which examines itself."""

    doctor: Doctor
    patch: pytest.MonkeyPatch
    name: str = field(default_factory=lambda: f"examine-{uuid4().hex[:8]}")
    clock: Clock = field(default_factory=Clock)
    topic: str = ""
    inbox: str = ""
    as_role: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        client = self.doctor.client
        create_table(client("dynamodb"), self.name)
        self.topic = client("sns").create_topic(Name=self.name)["TopicArn"]
        self.inbox = client("sqs").create_queue(QueueName=self.name)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client("sqs").set_queue_attributes(QueueUrl=self.inbox, Attributes={"Policy": policy})
        client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        client("iam").create_role(RoleName=self.name, Path="/responder/", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.let(may())
        session = client("sts").assume_role(RoleArn=self.role_arn, RoleSessionName="examine")["Credentials"]
        self.as_role = {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    @property
    def environment(self) -> dict[str, str]:
        """The administrator's credentials, in the patient's region."""
        return {**self.doctor.aws.environment, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}

    @property
    def role_arn(self) -> str:
        """The role of the function."""
        return f"arn:aws:iam::{ACCOUNT}:role/responder/{self.name}"

    def let(self, policy: dict[str, Any]) -> None:
        """Give the role this policy."""
        document = json.dumps(policy)
        self.doctor.client("iam").put_role_policy(RoleName=self.name, PolicyName="may", PolicyDocument=document)

    def run(self, *, as_role: bool, **settings: str) -> Run:
        """Return an invocation of a function in the patient's region."""
        for key, value in self.environment.items():
            self.patch.setenv(key, value)
        if as_role:
            for key, value in self.as_role.items():
                self.patch.setenv(key, value)
        chosen = read_settings({**os.environ, "TABLE_NAME": self.name, "TOPIC_ARN": self.topic, **settings})
        connected = Aws.connect(member_role=chosen.member_role, assume_proves_membership=True)
        run = Run(
            settings=chosen,
            aws=connected,
            store=store_of(connected, chosen),
            remaining=lambda: 120.0,
            logger=Logger(service="pull-responder"),
            metrics=Metrics(namespace="PullResponder", service="pull-responder"),
            now=self.clock,
            wait=lambda _: None,
        )
        assert connected.client("iam", account=None, region=REGION)
        self.patch.delenv("AWS_SESSION_TOKEN", raising=False)
        for key, value in self.environment.items():
            self.patch.setenv(key, value)
        return run

    def __call__(self, *, sends_canaries: bool = True, stack: str = STACK, **settings: str) -> Report:
        """Wake the function."""
        outputs = {"DiagnoseFunctionName": self.doctor.physical("Function"), "QueueUrl": self.doctor.physical("Queue")}
        own = Arn("aws", "lambda", REGION, ACCOUNT, "function:examine")
        run = self.run(as_role=True, **settings)
        return Examiner(run, Deployed(stack, own, outputs), sends_canaries=sends_canaries).examine()

    def recheck(self, **settings: str) -> None:
        """Wake the function `recheck`, which tells people."""
        Recheck(self.run(as_role=False, **settings)).recheck([])

    def told(self) -> list[dict[str, Any]]:
        """Take what has been published since the last time."""
        sqs, received = self.doctor.client("sqs"), []
        while batch := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
                received.append(json.loads(json.loads(message["Body"])["Message"]))
        return received

    @property
    def life(self) -> Life | None:
        """The finding that the responder is blind."""
        items = self.doctor.client("dynamodb").scan(TableName=self.name)["Items"]
        ids = [each["id"]["S"] for each in items if each["id"]["S"].startswith(f"pull-responder/{CHECK.id}/")]
        assert len(ids) <= 1
        found = self.run(as_role=False).store.lives(ids).get(ids[0]) if ids else None
        assert found is None or isinstance(found, Life)
        return found

    @property
    def canary(self) -> Canary:
        """What the table says of the canaries."""
        return self.canary_of(REGION)

    def canary_of(self, region: str) -> Canary:
        """What the table says of the canaries of a region."""
        item_id = canary_item_id(region)
        return read_canary_item(self.run(as_role=False).store.items([item_id]).get(item_id), region)

    def record(self, *, at: str = REGION, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- fields of an event
        """CloudTrail's record of the newest canary of a region, as a rule on refused pulls delivers it."""
        newest = self.canary_of(at).newest
        assert newest
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.name}/examine"
        repository = f"arn:aws:ecr:{at}:{ACCOUNT}:repository/pull-responder-canary/{newest.id}"
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ecr",
            "account": ACCOUNT,
            "time": iso(newest.at),
            "region": at,
            "resources": [],
            "detail": {
                "eventSource": "ecr.amazonaws.com",
                "eventName": "BatchGetImage",
                "eventID": str(uuid4()),
                "awsRegion": at,
                "eventTime": iso(newest.at),
                "errorCode": "AccessDenied",
                "errorMessage": f"User: {arn} is not authorized to perform: ecr:BatchGetImage on resource: "
                f"{repository} with an explicit deny in an identity-based policy",
                "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
            },
            **changed,
        }


def said(report: Report, check: str) -> list[tuple[str, str]]:
    """The states of a check's results, with what was found."""
    return [(each.state.value, each.found) for each in report.results if each.check == check]
