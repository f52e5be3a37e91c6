"""Audit logs of an organization's members, as the template sends them: on the emulated AWS."""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

TEMPLATE: Final = (Path(__file__).parents[2] / "infra" / "member.yaml").read_text(encoding="utf-8")
# No account of other tests. The member's clusters are in another region than the hub.
HUB, HOME, AWAY = "676767676767", "eu-west-1", "us-west-2"
CLUSTER, BY_HAND = "/aws/eks/prod/cluster", "/aws/eks/staging/cluster"


def policy(action: str, **more: Any) -> str:  # noqa: ANN401 -- JSON
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


@dataclass(frozen=True, slots=True)
class Organization:
    """A hub whose stream is in its region, and a member with a cluster that is subscribed."""

    aws: EmulatedAws
    id: str
    member: str

    def client(self, service: str, account: str, region: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return self.aws.client(service, account=account, region=region)

    def deploy(self, account: str, region: str, name: str, **changed: str) -> None:
        """Deploy the template, with audit logs, to one account and region."""
        values = {
            "HubAccount": HUB,
            "HubRegion": HOME,
            "OrganizationId": self.id,
            "RolesRegion": HOME,
            "AuditLogs": "on",
            **changed,
        }
        cloudformation = self.client("cloudformation", account, region)
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=TEMPLATE,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def role(self, name: str, service: str, grant: str, account: str) -> str:
        """Make a role of a service that may do what `grant` says, and return its ARN."""
        iam = self.client("iam", account, HOME)
        trust = policy("sts:AssumeRole", Principal={"Service": service})
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=grant)
        return arn


@pytest.fixture(scope="module")
def organization(aws: EmulatedAws) -> Organization:
    organizations = aws.client("organizations", account=HUB)
    created = organizations.create_account(Email="member@example.com", AccountName="member")
    made = Organization(
        aws,
        organizations.describe_organization()["Organization"]["Id"],
        created["CreateAccountStatus"]["AccountId"],
    )
    # What the hub's stack makes.
    made.client("kinesis", HUB, HOME).create_stream(StreamName="PullResponderAuditLogs", ShardCount=1)
    made.role(f"PullResponderAuditLogs-{HOME}", "logs.amazonaws.com", policy("kinesis:PutRecord", Resource="*"), HUB)
    for group in (CLUSTER, BY_HAND):
        made.client("logs", made.member, AWAY).create_log_group(logGroupName=group)
    made.deploy(HUB, AWAY, "Members")
    made.deploy(made.member, AWAY, "Members", AuditLogCluster1="prod")
    return made


def in_stream(organization: Organization) -> list[dict[str, Any]]:
    kinesis = organization.client("kinesis", HUB, HOME)
    stream = {"StreamName": "PullResponderAuditLogs"}
    (shard,) = kinesis.list_shards(**stream)["Shards"]
    iterator = kinesis.get_shard_iterator(**stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [json.loads(gzip.decompress(each["Data"])) for each in records]


def test_a_cluster_that_is_named_sends_what_waits_to_the_hub(organization: Organization) -> None:
    logs = organization.client("logs", organization.member, AWAY)
    logs.create_log_stream(logGroupName=CLUSTER, logStreamName="audit")
    now = int(time.time() * 1000)
    lines = [{"timestamp": now, "message": each} for each in ("nothing to see", "waiting: ErrImagePull")]
    logs.put_log_events(logGroupName=CLUSTER, logStreamName="audit", logEvents=lines)
    (sent,) = in_stream(organization)
    assert (sent["owner"], sent["subscriptionFilters"]) == (organization.member, [f"PullResponder-{AWAY}"])
    assert [each["message"] for each in sent["logEvents"]] == ["waiting: ErrImagePull"]


def test_the_subscription_has_a_role_of_its_own_account(organization: Organization) -> None:
    logs = organization.client("logs", organization.member, AWAY)
    (subscription,) = logs.describe_subscription_filters(logGroupName=CLUSTER)["subscriptionFilters"]
    owner, _, name = subscription["roleArn"].partition(":role/")
    assert owner == f"arn:aws:iam::{organization.member}"
    iam = organization.client("iam", organization.member, AWAY)
    (trust,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "logs.amazonaws.com"}
    (policy_name,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    (may,) = iam.get_role_policy(RoleName=name, PolicyName=policy_name)["PolicyDocument"]["Statement"]
    assert (may["Action"], may["Resource"]) == (
        "logs:PutLogEvents",
        f"arn:aws:logs:{AWAY}:{organization.member}:log-group:/aws/eks/*",
    )


SEND: Final = policy("logs:PutLogEvents", Resource="*")


@pytest.mark.parametrize(
    ("name", "service", "grant", "owner", "taken"),
    [
        ("nothing", "", "", "member", False),
        ("by-hand", "logs.amazonaws.com", SEND, "member", True),
        ("of-another-service", "events.amazonaws.com", SEND, "member", False),
        (
            "for-other-logs",
            "logs.amazonaws.com",
            policy("logs:PutLogEvents", Resource="*:log-group:x:*"),
            "member",
            False,
        ),
        ("of-the-hub", "logs.amazonaws.com", SEND, "hub", False),
    ],
)
def test_a_filter_that_is_made_by_hand_needs_such_a_role(  # noqa: PLR0913, PLR0917 -- one case
    name: str,
    service: str,
    grant: str,
    owner: str,
    taken: bool,  # noqa: FBT001
    organization: Organization,
) -> None:
    account = HUB if owner == "hub" else organization.member
    role = {"roleArn": organization.role(name, service, grant, account)} if service else {}
    logs = organization.client("logs", organization.member, AWAY)
    asked = {
        "logGroupName": BY_HAND,
        "filterName": f"PullResponder-{AWAY}",
        "filterPattern": "?ErrImagePull",
        "destinationArn": f"arn:aws:logs:{AWAY}:{HUB}:destination:PullResponderAuditLogs-{HOME}",
        **role,
    }
    if taken:
        logs.put_subscription_filter(**asked)
        logs.delete_subscription_filter(logGroupName=BY_HAND, filterName=asked["filterName"])
    else:
        with pytest.raises(ClientError, match="Check if the destination is valid"):
            logs.put_subscription_filter(**asked)
    assert logs.describe_subscription_filters(logGroupName=BY_HAND)["subscriptionFilters"] == []


def test_two_hubs_in_one_account_have_a_destination_each(organization: Organization) -> None:
    """In a region that is neither's. Each leads to the stream in its own region."""
    region = "ap-southeast-2"
    organization.deploy(HUB, region, "MembersOfHome")
    organization.deploy(HUB, region, "MembersOfAway", HubRegion=AWAY, RolesRegion=AWAY)
    found = organization.client("logs", HUB, region).describe_destinations()["destinations"]
    assert {each["destinationName"]: each["targetArn"] for each in found} == {
        f"PullResponderAuditLogs-{hub}": f"arn:aws:kinesis:{hub}:{HUB}:stream/PullResponderAuditLogs"
        for hub in (HOME, AWAY)
    }
