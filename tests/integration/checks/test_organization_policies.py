"""Service and resource control policies that can be read, on moto: ministack has no organization of several accounts.

The responder runs in the management account here; the nodes are in a member account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.cloudtrail import read_envelope
from pull_responder.facts.aws import Aws
from pull_responder.facts.facts import Facts
from pull_responder.facts.reading import Reading
from pull_responder.model.pull import PullFailure
from tests.integration.checks.estate import MANIFEST, PULL, REGION, because_no, explicit_deny, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

MANAGEMENT = "123456789012"


@dataclass(frozen=True, slots=True)
class Organization:
    """A member account whose nodes may pull, as far as its own policies go, and the client of the organization."""

    client: Any
    root: str
    unit: str
    member: str
    instance: str

    def control(self, name: str, statement: dict[str, Any], target: str, kind: str = "SERVICE_CONTROL_POLICY") -> str:
        """Attach a new policy, and return its ARN."""
        made = self.client.create_policy(Content=json.dumps(policy(statement)), Description="", Name=name, Type=kind)[
            "Policy"
        ]["PolicySummary"]
        self.client.attach_policy(PolicyId=made["Id"], TargetId=target)
        arn: str = made["Arn"]
        return arn

    def diagnose(self, reason: str = "") -> Diagnosis:
        session = f"arn:aws:sts::{self.member}:assumed-role/node/{self.instance}"
        repository = f"arn:aws:ecr:{REGION}:{self.member}:repository/app"
        role = f"arn:aws:iam::{self.member}:role/node"
        pull = read_envelope(
            {
                "source": "aws.ecr",
                "region": REGION,
                "detail": {
                    "eventSource": "ecr.amazonaws.com",
                    "eventName": "BatchGetImage",
                    "errorCode": "AccessDenied",
                    "errorMessage": f"User: {session} is not authorized to perform: {MANIFEST} on resource: "
                    f"{repository}{reason}",
                    "userIdentity": {
                        "type": "AssumedRole",
                        "arn": session,
                        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": self.member}},
                    },
                },
            }
        )
        assert isinstance(pull, PullFailure)
        return diagnose(pull, Facts(Reading(Aws(boto3.session.Session(), member_role="PullResponderReadOnly"))))


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> Iterator[Organization]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        client = boto3.client("organizations", region_name=REGION)
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        unit = client.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
        member = client.create_account(AccountName="m", Email="m@example.com")["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit)
        yield Organization(client, root, unit, member, _node(member))


def _node(member: str) -> str:
    keys = boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{member}:role/admin", RoleSessionName="build")[
        "Credentials"
    ]
    session = boto3.session.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
    )
    trust = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    session.client("iam").create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps(trust))
    session.client("iam").put_role_policy(
        RoleName="node",
        PolicyName="pull",
        PolicyDocument=json.dumps(policy({"Effect": "Allow", "Action": list(PULL), "Resource": "*"})),
    )
    session.client("ecr").create_repository(repositoryName="app")
    tags = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    ec2: Any = session.client("ec2")
    made = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    instance: str = made["Instances"][0]["InstanceId"]
    return instance


def test_a_deny_of_an_organizational_unit_is_quoted_and_the_role_exempted(organization: Organization) -> None:
    arn = organization.control(
        "no-ecr", {"Sid": "NoEcr", "Effect": "Deny", "Action": "ecr:Batch*", "Resource": "*"}, organization.unit
    )
    (finding,) = organization.diagnose().findings
    assert finding.cause == "scp_blocks_pull"
    assert finding.resource.id == f"arn:aws:iam::{organization.member}:role/node"
    assert f"{arn}, statement NoEcr: " in finding.evidence[0]
    remedy = finding.remediation
    assert (remedy.account, len(remedy.commands)) == (MANAGEMENT, 1)
    command = remedy.commands[0]
    assert command[:3] == ("aws", "organizations", "update-policy")

    # What the command does, by the same API.
    organization.client.update_policy(
        PolicyId=command[command.index("--policy-id") + 1], Content=command[command.index("--content") + 1]
    )
    assert organization.diagnose().findings == ()


def test_a_level_that_does_not_allow_is_named(organization: Organization) -> None:
    arn = organization.control("s3-only", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, organization.unit)
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.unit)
    (finding,) = organization.diagnose(because_no("service control policy")).findings
    assert finding.cause == "scp_blocks_pull"
    assert any("at level 1 below the organization's root" in line for line in finding.evidence)
    assert arn in finding.remediation.summary


def test_full_access_at_every_level_passes(organization: Organization) -> None:
    diagnosis = organization.diagnose()
    assert diagnosis.findings == ()
    assert "scp_blocks_pull" in diagnosis.passed


def test_what_has_been_fixed_since_is_not_reported(organization: Organization) -> None:
    diagnosis = organization.diagnose(explicit_deny("service control policy"))
    assert diagnosis.findings == ()
    assert diagnosis.note


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Deny", "Action": "ecr:PutImage", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/other"},
        {
            "Effect": "Deny",
            "Action": "ecr:*",
            "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/node"}},
        },
    ],
    ids=["another action", "another repository", "all but this role"],
)
def test_a_deny_of_something_else_is_none(organization: Organization, statement: dict[str, Any]) -> None:
    organization.control("guard", statement, organization.unit)
    diagnosis = organization.diagnose()
    assert diagnosis.findings == ()
    assert "scp_blocks_pull" in diagnosis.passed


def test_an_organization_condition_is_decided(organization: Organization) -> None:
    organization.control(
        "our-organization",
        {
            "Effect": "Deny",
            "Action": "ecr:*",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-ours"}},
        },
        organization.unit,
    )
    (finding,) = organization.diagnose().findings
    assert finding.cause == "scp_blocks_pull"


def test_one_policy_that_denies_and_lacks_gets_one_update(organization: Organization) -> None:
    both = policy(
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:Batch*", "Resource": "*"},
    )
    made = organization.client.create_policy(
        Content=json.dumps(both), Description="", Name="both", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]
    organization.client.attach_policy(PolicyId=made["Id"], TargetId=organization.unit)
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.unit)
    (finding,) = organization.diagnose().findings
    (command,) = finding.remediation.commands
    organization.client.update_policy(PolicyId=made["Id"], Content=command[command.index("--content") + 1])
    assert organization.diagnose().findings == ()


def test_every_level_that_lacks_is_mended_in_one_round(organization: Organization) -> None:
    statement = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    organization.control("unit", statement, organization.unit)
    organization.control("account", statement, organization.member)
    for target in (organization.unit, organization.member):
        organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=target)
    (finding,) = organization.diagnose().findings
    for command in finding.remediation.commands:
        organization.client.update_policy(
            PolicyId=command[command.index("--policy-id") + 1], Content=command[command.index("--content") + 1]
        )
    assert organization.diagnose().findings == ()


def test_a_level_of_aws_own_policies_alone_needs_a_person(organization: Organization) -> None:
    organization.control("unit", {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}, organization.unit)
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.unit)
    (finding,) = organization.diagnose().findings
    assert "at level 1 below the organization's root" in finding.evidence[0]
    assert finding.remediation.account == MANAGEMENT
