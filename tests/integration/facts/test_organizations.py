"""An organization on moto: its root, two organizational units below each other, and an account in the lower one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from pull_responder.facts.aws import Aws
from pull_responder.facts.iam import PolicyText
from pull_responder.facts.organizations import AccountPlace, ControlPolicies, Organization
from pull_responder.facts.reader import Reader
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

MANAGEMENT = "123456789012"
REGION = "us-east-1"
DENY = {"Version": "2012-10-17", "Statement": [{"Sid": "NoEcr", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"}]}


@dataclass(frozen=True, slots=True)
class Tree:
    organization: str
    root: str
    upper: str
    lower: str
    member: str
    client: Any


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        client = boto3.client("organizations", region_name=REGION)
        organization = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        root = client.list_roots()["Roots"][0]["Id"]
        client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        upper = client.create_organizational_unit(ParentId=root, Name="upper")["OrganizationalUnit"]["Id"]
        lower = client.create_organizational_unit(ParentId=upper, Name="lower")["OrganizationalUnit"]["Id"]
        status = client.create_account(AccountName="member", Email="member@example.com")["CreateAccountStatus"]
        member = status["AccountId"]
        client.move_account(AccountId=member, SourceParentId=root, DestinationParentId=lower)
        yield Tree(organization, root, upper, lower, member, client)


def facts() -> PullFacts:
    return PullFacts(Reader(Aws(boto3.session.Session(), member_role="PullResponderReadOnly")))


def test_an_account_knows_its_organization(tree: Tree) -> None:
    assert facts().organization(tree.member, REGION) == Organization(tree.organization, MANAGEMENT)


def test_the_path_leads_from_the_root_to_the_account(tree: Tree) -> None:
    place = facts().organization_path(tree.member, REGION)
    assert place == AccountPlace((tree.root, tree.upper, tree.lower, tree.member), MANAGEMENT)
    assert isinstance(place, AccountPlace)
    assert place.organization_path(tree.organization) == f"{tree.organization}/{tree.root}/{tree.upper}/{tree.lower}/"


def test_service_control_policies_are_read_level_by_level(tree: Tree) -> None:
    policy = tree.client.create_policy(
        Content=json.dumps(DENY), Description="", Name="no-ecr", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]
    tree.client.attach_policy(PolicyId=policy["Id"], TargetId=tree.upper)
    found = facts().control_policies(tree.member, REGION, "SERVICE_CONTROL_POLICY")
    assert isinstance(found, ControlPolicies)
    assert found.complete
    levels = [[text for text in level if isinstance(text, PolicyText)] for level in found.levels]
    assert [sorted(text.name for text in level) for level in levels] == [
        ["FullAWSAccess"],
        ["FullAWSAccess", "no-ecr"],
        ["FullAWSAccess"],
        ["FullAWSAccess"],
    ]
    (ours,) = [text for level in levels for text in level if text.name == "no-ecr"]
    assert (ours.arn, ours.document, ours.is_aws_managed) == (policy["Arn"], DENY, False)


def test_the_management_account_is_under_none(tree: Tree) -> None:
    assert facts().control_policies(MANAGEMENT, REGION, "SERVICE_CONTROL_POLICY") is None
    assert facts().control_policies(tree.member, REGION, "RESOURCE_CONTROL_POLICY") == ControlPolicies((), MANAGEMENT)


def test_outside_of_an_organization_there_are_none() -> None:
    with mock_aws():
        assert facts().organization(MANAGEMENT, REGION) is None
        assert facts().control_policies(MANAGEMENT, REGION, "SERVICE_CONTROL_POLICY") is None
