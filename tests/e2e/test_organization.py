"""An organization: the hub tells what happens in its accounts, and the account at fault has it in its Security Hub.

The StackSet is not there: its template is deployed in each account and region by itself.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import pytest

from infra import PullResponderStack, Settings
from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.e2e.conftest import MANIFEST, PATIENCE_SECONDS, ROOT, Deployed
from tests.e2e.stacks import Bucket, Inbox, Stack, make_cluster
from tests.e2e.test_deployed_stack import INSTANCE, NO_IDENTITY_POLICY, PULL_ONLY, denied_pull
from tests.integration.doctor.conftest import Doctor
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
        member_regions=(GLOBAL,),
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
        place.client("ecr").put_image(repositoryName="members/app", imageTag="v1", imageManifest=MANIFEST)
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


def _examine(hub: Deployed) -> dict[str, tuple[str, str]]:
    """Wake the function `examine`. Return the state of what it found, and what that is, by subject."""
    answer = hub.aws.client("lambda").invoke(FunctionName=hub.outputs["ExamineFunctionName"], Payload="{}")
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, (said, hub.log())
    return {each["subject"]: (each["state"], each["found"]) for each in said["results"]}


def _canary(hub: Deployed, region: str) -> dict[str, Any]:
    key = {"id": {"S": f"health/canary/{region}"}}
    item = hub.aws.client("dynamodb").get_item(TableName=hub.outputs["TableName"], Key=key)["Item"]
    state: dict[str, Any] = json.loads(item["state"]["S"])
    return state


def _recheck(hub: Deployed) -> None:
    assert hub.invoke(json.dumps({"source": "aws.events", "detail-type": "Scheduled Event"}), function="Recheck")


def test_the_canary_of_another_region_comes_and_a_region_that_forwards_nothing_is_named(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub, there = organization.hub, organization.at(HUB, GLOBAL)
    own = replace(there, environment={**there.environment, "AWS_ACCESS_KEY_ID": HUB})
    doctor = Doctor(own, monkeypatch, capsys)
    # What is else on the way of an event works.
    hub.aws.client("s3").create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": HOME})
    hub.aws.client("cloudtrail").create_trail(Name="trail", S3BucketName="trail")
    hub.aws.client("cloudtrail").start_logging(Name="trail")
    way, forwarded = f"the way of a refused call in {GLOBAL}", f"forwarding of refused pulls from {GLOBAL}"
    first = _examine(hub)
    assert first[way] == ("unread", "no record has come yet, and it is not late")
    assert first[forwarded][0] == "works"

    # The emulator has no CloudTrail that records calls, so the record is put in its place.
    (sent,) = _canary(hub, GLOBAL)["sent"]
    caller = f"arn:aws:sts::{HUB}:assumed-role/PullResponder-examine-{HOME}/examine"
    repository = f"arn:aws:ecr:{GLOBAL}:{HUB}:repository/pull-responder-canary/{sent['id']}"
    organization.put(
        HUB,
        GLOBAL,
        {
            "eventSource": "ecr.amazonaws.com",
            "eventName": "BatchGetImage",
            "awsRegion": GLOBAL,
            "errorCode": "AccessDenied",
            "errorMessage": f"User: {caller} is not authorized to perform: ecr:BatchGetImage on resource: {repository} "
            "with an explicit deny in an identity-based policy",
            "userIdentity": {"type": "AssumedRole", "arn": caller, "accountId": HUB},
        },
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _canary(hub, GLOBAL)["arrived"] != sent["id"] and time.monotonic() < deadline:
        pass
    assert _canary(hub, GLOBAL)["arrived"] == sent["id"], hub.log()
    assert hub.findings("pull-responder-canary") == []

    bus = f"arn:aws:events:{HOME}:{HUB}:event-bus/pull-responder"
    rules = there.client("events").list_rule_names_by_target(TargetArn=bus)["RuleNames"]
    (rule,) = [each for each in rules if "EcrDenied" in each]
    there.client("events").disable_rule(Name=rule)
    _look_again(hub)
    assert _examine(hub)[forwarded] == ("broken", f"rule {rule} of account {HUB} there is disabled")
    _recheck(hub)
    (alert,) = hub.notifications("responder_is_blind")
    (told,) = json.loads(alert["Message"])["findings"]
    assert told["explanation"].startswith(f"In {GLOBAL}, what an event has to pass broke: {forwarded}.")

    doctor.run(told["remediation"]["commands"])
    mended = _examine(hub)
    assert mended[forwarded][0] == "works", mended
    assert mended[way][0] == "works"
    _recheck(hub)
    hub.notifications("sees failed pulls again")


def _look_again(hub: Deployed) -> None:
    """Let the last examination be long ago."""
    table, key = hub.outputs["TableName"], {"id": {"S": "health/examination"}}
    client = hub.aws.client("dynamodb")
    item = client.get_item(TableName=table, Key=key)["Item"]
    state = json.dumps({**json.loads(item["state"]["S"]), "at": 0.0})
    client.put_item(TableName=table, Item={**item, "state": {"S": state}})
