"""An organization: the hub tells what happens in its accounts, and the account at fault has it in its Security Hub.

The StackSet is not there: its template is deployed in each account and region by itself.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import pytest

from infra import PullResponderStack, Settings
from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.e2e.conftest import PATIENCE_SECONDS, ROOT, Deployed
from tests.e2e.stacks import Bucket, Inbox, Stack, make_cluster
from tests.e2e.test_deployed_stack import INSTANCE, NO_IDENTITY_POLICY, PULL_ONLY, denied_pull
from tests.unit.events.audit_records import RECORD, container, record

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

# No account of other tests. The hub is not in the region where the events of IAM are.
HUB, OUTSIDER = "444444444444", "999999999999"
HOME, GLOBAL = "eu-west-3", "us-east-1"
CLUSTER: Final = "members"
LOG_GROUP: Final = f"/aws/eks/{CLUSTER}/cluster"
DENIED, AUDITED, OTHER, AT_HUB = "member-denied", "member-audited", "member-other", "hub-node"


@dataclass(frozen=True, slots=True)
class Organization:
    """The hub's stack, and two members: `first` has Security Hub on, and `second` has not."""

    hub: Deployed
    first: str
    second: str

    def at(self, account: str, region: str) -> EmulatedAws:
        return self.hub.aws.at(account=account, region=region)

    def put(self, account: str, region: str, detail: dict[str, Any]) -> None:
        """Put a record of CloudTrail on the default bus of an account and region, as AWS does."""
        source = detail["eventSource"].partition(".")[0]
        text = json.dumps({"recipientAccountId": account, **detail}).replace(ACCOUNT, account)
        entry = {"Source": f"aws.{source}", "DetailType": "AWS API Call via CloudTrail", "Detail": text}
        assert self.at(account, region).client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def mend(self, account: str, role: str) -> None:
        """Let a role pull. IAM's events are in one region, wherever the role is used."""
        asked = {"roleName": role, "policyArn": PULL_ONLY}
        self.at(account, GLOBAL).client("iam").attach_role_policy(RoleName=role, PolicyArn=PULL_ONLY)
        detail = {"eventSource": "iam.amazonaws.com", "eventName": "AttachRolePolicy", "requestParameters": asked}
        self.put(account, GLOBAL, {**detail, "awsRegion": GLOBAL})


def denied(role: str, region: str = HOME) -> dict[str, Any]:
    return denied_pull("members/app", role=role, reason=NO_IDENTITY_POLICY, region=region)


@pytest.fixture(scope="module")
def organization(aws: EmulatedAws, tmp_path_factory: pytest.TempPathFactory) -> Organization:
    home = aws.at(account=HUB, region=HOME)
    organizations = home.client("organizations")
    first, second = (
        organizations.create_account(Email=f"{each}@example.com", AccountName=each)["CreateAccountStatus"]["AccountId"]
        for each in ("first", "second")
    )
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("organization")), analytics_reporting=False)
    settings = Settings(
        organization_id=organizations.describe_organization()["Organization"]["Id"],
        findings_in="member",
        member_audit_logs=True,
        hold_down_minutes=0,
        digest_above=1000,
    )
    PullResponderStack(app, "PullResponder", settings=settings)
    urls = Bucket(home).put_assembly(Path(app.synth().directory))
    outputs = Stack(home, "PullResponder").deploy(urls["PullResponder"])
    inbox = Inbox(home, "members-inbox")
    inbox.subscribe(outputs["TopicArn"])

    for place, roles in (
        (aws.at(account=first, region=HOME), (DENIED, OTHER)),
        (aws.at(account=second, region=GLOBAL), (AUDITED,)),
        (aws.at(account=HUB, region=GLOBAL), (AT_HUB,)),
    ):
        make_cluster(place, CLUSTER, *roles)
        place.client("ecr").create_repository(repositoryName="members/app")
        place.client("logs").create_log_group(logGroupName=LOG_GROUP)
    for account in (HUB, first):
        aws.at(account=account, region=HOME).client("securityhub").enable_security_hub()
    # The hub's own account comes first, because the others send their audit logs to it.
    for account in (HUB, first, second, OUTSIDER):
        for region in (HOME, GLOBAL):
            cluster = CLUSTER if (account, region) == (second, GLOBAL) else ""
            deploy_member(aws.at(account=account, region=region), outputs["StackSetCommand"], cluster)
    return Organization(Deployed(home, outputs, inbox.url), first, second)


def deploy_member(place: EmulatedAws, command: str, cluster: str) -> None:
    """Deploy the template of the StackSet's `command` with its parameters, as the StackSet would."""
    asked = dict(re.findall(r"ParameterKey=(\w+),ParameterValue=(\S+)", command))
    (template,) = re.findall(r"--template-body file://(\S+)", command)
    place.client("cloudformation").create_stack(
        StackName="PullResponderMembers",
        TemplateBody=(ROOT / template).read_text(),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in (asked | {"AuditLogCluster1": cluster}).items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    Stack(place, "PullResponderMembers").wait("stack_create_complete")


def test_a_denial_in_a_member_ends_in_its_security_hub_and_in_the_hubs_topic(organization: Organization) -> None:
    hub, first = organization.hub, organization.first
    role, place = f"arn:aws:iam::{first}:role/{DENIED}", organization.at(first, HOME)
    organization.put(first, HOME, denied(DENIED))

    (alert,) = hub.notifications(role)
    said = {name: each["Value"] for name, each in alert["MessageAttributes"].items()}
    assert (said["status"], said["cause"]) == ("new", "role_lacks_pull_permissions")
    assert (said["account"], said["region"], said["cluster"]) == (first, HOME, CLUSTER)
    assert alert["TopicArn"] == hub.outputs["TopicArn"]
    (finding,) = hub.findings(role, at=place)
    assert finding["ProductArn"] == f"arn:aws:securityhub:{HOME}:{first}:product/{first}/default"
    assert (finding["AwsAccountId"], finding["Compliance"]["Status"]) == (first, "FAILED")

    organization.mend(first, DENIED)

    (over,) = hub.notifications(role)
    assert over["MessageAttributes"]["status"]["Value"] == "resolved"
    (finding,) = hub.findings(role, at=place)
    assert (finding["Compliance"]["Status"], finding["RecordState"]) == ("PASSED", "ARCHIVED")
    # Nothing of a member is in the hub's own Security Hub.
    assert hub.findings(role) == []


def test_a_failure_in_the_audit_log_of_a_member_without_security_hub_is_in_the_hubs(
    organization: Organization,
) -> None:
    """Its log group is in another region than the stream."""
    hub, second = organization.hub, organization.second
    logs, role = organization.at(second, GLOBAL).client("logs"), f"arn:aws:iam::{second}:role/{AUDITED}"
    stream = "kube-apiserver-audit-0123456789abcdef"
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=stream)
    session = f"arn:aws:sts::{second}:assumed-role/{AUDITED}/{INSTANCE}"
    image = f"{second}.dkr.ecr.{GLOBAL}.amazonaws.com/members/app:v1"
    waiting = record(container(image), user={**RECORD["user"], "extra": {"arn": [session]}})
    lines = ["a line without any of the words", json.dumps(waiting)]
    logs.put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": int(time.time() * 1000) + at, "message": line} for at, line in enumerate(lines)],
    )

    (alert,) = hub.notifications(role)
    said = {name: each["Value"] for name, each in alert["MessageAttributes"].items()}
    assert (said["status"], said["cause"]) == ("new", "role_lacks_pull_permissions")
    assert (said["account"], said["region"], said["cluster"]) == (second, GLOBAL, CLUSTER)
    assert f"Account {second} is not subscribed to AWS Security Hub" in alert["Message"]
    (finding,) = hub.findings(role)
    assert finding["AwsAccountId"] == HUB
    assert "InvalidAccessException" in finding["ProductFields"]["pull-responder/here-because"]

    organization.mend(second, AUDITED)

    (over,) = hub.notifications(role)
    assert over["MessageAttributes"]["status"]["Value"] == "resolved"
    (finding,) = hub.findings(role)
    assert finding["Compliance"]["Status"] == "PASSED"


def test_the_hubs_own_account_is_a_member_in_other_regions(organization: Organization) -> None:
    hub, role = organization.hub, f"arn:aws:iam::{HUB}:role/{AT_HUB}"
    organization.put(HUB, GLOBAL, denied(AT_HUB, GLOBAL))

    (alert,) = hub.notifications(role)
    assert alert["MessageAttributes"]["region"]["Value"] == GLOBAL
    (finding,) = hub.findings(role)
    assert finding["ProductArn"] == f"arn:aws:securityhub:{HOME}:{HUB}:product/{HUB}/default"


def test_neither_a_lie_nor_an_account_outside_of_the_organization_is_heard(organization: Organization) -> None:
    hub, first, second = organization.hub, organization.first, organization.second
    organization.put(first, HOME, {**denied("lied-about"), "recipientAccountId": second})
    organization.put(OUTSIDER, HOME, denied("outside"))
    organization.put(first, HOME, denied(OTHER))

    (alert,) = hub.notifications(f"role/{OTHER}")
    assert alert["MessageAttributes"]["account"]["Value"] == first
    # A run writes what it has counted when it ends.
    refused, dead, deadline = '"ForwardedEventsRefused":[1.0]', list[str](), time.monotonic() + PATIENCE_SECONDS
    while refused not in hub.aws.log.read_text() and time.monotonic() < deadline:
        dead += hub.receive(hub.outputs["DeadLetterQueueUrl"])
    assert refused in hub.aws.log.read_text()
    assert dead == []
    items = json.dumps(hub.aws.client("dynamodb").scan(TableName=hub.outputs["TableName"])["Items"], default=str)
    assert OTHER in items
    assert [each for each in ("lied-about", "outside", OUTSIDER) if each in items] == []


def test_an_alarm_of_a_member_is_told(organization: Organization) -> None:
    hub, name = organization.hub, f"PullResponder-{HUB}-{HOME}-undelivered"
    detail = {"alarmName": name, "state": {"value": "ALARM"}}
    entry = {"Source": "aws.cloudwatch", "DetailType": "CloudWatch Alarm State Change", "Detail": json.dumps(detail)}
    organization.at(organization.second, HOME).client("events").put_events(Entries=[entry])

    (told,) = hub.notifications(name)
    assert organization.second in told["Message"]
