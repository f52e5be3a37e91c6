"""Service control policies that can be read: we run in the management account, the nodes are in a member account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.checks.estate import because_no, explicit_deny, policy
from tests.integration.checks.organization import OURS, deny

if TYPE_CHECKING:
    from tests.integration.checks.organization import Organization


def test_a_deny_of_an_organizational_unit_is_quoted_and_the_role_exempted(organization: Organization) -> None:
    arn = organization.control(
        "no-ecr", {"Sid": "NoEcr", "Effect": "Deny", "Action": "ecr:Batch*", "Resource": "*"}, organization.nodes_unit
    )
    (finding,) = organization.diagnose().findings
    assert finding.cause == "scp_blocks_pull"
    assert (finding.resource.type, finding.resource.id, finding.account) == ("Other", arn, OURS)
    assert finding.explanation == (
        f"The service control policy {arn} denies ecr:BatchGetImage to the role "
        f"arn:aws:iam::{organization.nodes}:role/node."
    )
    assert f'{arn}, statement "NoEcr": ' in finding.evidence[0]
    remedy = finding.remediation
    assert (remedy.account, len(remedy.commands)) == (OURS, 1)
    organization.run(remedy.commands[0])
    assert organization.diagnose().findings == ()


def test_a_level_that_does_not_allow_is_named(organization: Organization) -> None:
    arn = organization.control(
        "s3-only", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, organization.nodes_unit
    )
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.nodes_unit)
    (finding,) = organization.diagnose(because_no("service control policy")).findings
    assert finding.cause == "scp_blocks_pull"
    assert any("at level 1 below the organization's root" in line for line in finding.evidence)
    assert arn in finding.remediation.summary


@pytest.mark.cause("scp_blocks_pull", "passes")
def test_full_access_at_every_level_passes(organization: Organization) -> None:
    diagnosis = organization.diagnose()
    assert diagnosis.findings == ()
    assert "scp_blocks_pull" in diagnosis.passed


def test_what_has_been_fixed_since_is_not_reported(organization: Organization) -> None:
    diagnosis = organization.diagnose(explicit_deny("service control policy"))
    assert diagnosis.findings == ()
    assert diagnosis.note


@pytest.mark.cause("scp_blocks_pull", "near_miss")
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
    organization.control("guard", statement, organization.nodes_unit)
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
        organization.nodes_unit,
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
    organization.client.attach_policy(PolicyId=made["Id"], TargetId=organization.nodes_unit)
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.nodes_unit)
    (finding,) = organization.diagnose().findings
    (command,) = finding.remediation.commands
    organization.run(command)
    assert organization.diagnose().findings == ()


def test_every_level_that_lacks_is_fixed_in_one_round(organization: Organization) -> None:
    statement = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    organization.control("unit", statement, organization.nodes_unit)
    organization.control("account", statement, organization.nodes)
    for target in (organization.nodes_unit, organization.nodes):
        organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=target)
    (finding,) = organization.diagnose().findings
    for command in finding.remediation.commands:
        organization.run(command)
    assert organization.diagnose().findings == ()


def test_a_level_of_aws_own_policies_alone_needs_a_person(organization: Organization) -> None:
    organization.control("unit", {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}, organization.nodes_unit)
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.nodes_unit)
    (finding,) = organization.diagnose().findings
    assert "at level 1 below the organization's root" in finding.evidence[0]
    assert finding.remediation.account == OURS


def test_a_level_that_was_read_is_certain_whatever_another_holds(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = organization.control("s3-only", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, organization.nodes)
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=organization.nodes)
    deny(monkeypatch, "list_policies_for_target", target=organization.root)
    (finding,) = organization.diagnose().findings
    assert finding.cause == "scp_blocks_pull"
    assert "at level 2 below the organization's root allows" in finding.evidence[0]
    assert finding.evidence[1].startswith(
        f"Another service control policy may stop the pull, too, but could not be read: "
        f"in account {OURS}: organizations:ListPoliciesForTarget failed"
    )
    assert arn in finding.remediation.summary
    organization.run(finding.remediation.commands[0])
    assert organization.diagnose().findings == ()


def test_a_policy_that_was_not_read_may_be_what_lacks(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization.control("s3-only", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, organization.nodes)
    deny(monkeypatch, "describe_policy", target="p-FullAWSAccess")
    diagnosis = organization.diagnose()
    assert diagnosis.findings == ()
    assert (
        "organizations:DescribePolicy"
        in {each.cause: each.reason for each in diagnosis.inconclusive}["scp_blocks_pull"]
    )


def test_a_policy_that_is_none_is_named(organization: Organization) -> None:
    arn = organization.control("odd", {"Effect": "Deny", "Actions": "ecr:*", "Resource": "*"}, organization.nodes)
    diagnosis = organization.diagnose()
    assert diagnosis.findings == ()
    reason = {each.cause: each.reason for each in diagnosis.inconclusive}["scp_blocks_pull"]
    assert reason == f'policy {arn}: Statement[0]: unknown element "Actions"'
