"""The doctor's look at the members of an organization, on the emulated AWS, as a terminal and as a function."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from pull_responder.doctor import members
from pull_responder.doctor.deployment import Deployment
from pull_responder.doctor.resource import Resource
from pull_responder.doctor.result import Result, State
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import render
from pull_responder.settings import IMPORT_ROLE, MEMBER_ROLE
from tests.integration.responder.member import ORGANIZATION, Member
from tests.integration.responder.scene import ACCOUNT, REGION

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

FUNCTION_ROLE = f"PullResponder-examine-{REGION}"
INSTANCES = f"aws cloudformation create-stack-instances --stack-set-name PullResponderMembers --regions {REGION}"
# What the template for members trusts. The emulated STS knows no organization, so no role here can have it and work.
CONDITION = {
    "ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/PullResponder-*-{REGION}"]},
    "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
}


def deployment(*accounts: str, findings_in: str = "member", **environment: str) -> Deployment:
    variables = {
        "PULL_RESPONDER_ORGANIZATION_ID": ORGANIZATION,
        "PULL_RESPONDER_FINDINGS_IN": findings_in,
        "PULL_RESPONDER_READ_ACCOUNTS": json.dumps(accounts),
        **environment,
    }
    function = Resource("Diagnose", "AWS::Lambda::Function", "diagnose", {"Environment": {"Variables": variables}})
    return Deployment(
        stack="PullResponder",
        status="CREATE_COMPLETE",
        partition="aws",
        account=ACCOUNT,
        region=REGION,
        resources={"Diagnose": function},
        outputs={"DiagnoseFunctionName": "diagnose", "StackInstancesCommand": INSTANCES},
    )


@pytest.fixture
def terminal(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """AWS as an operator has it: the root of our account, whom members of these tests let in."""
    for key, value in aws.environment.items():
        monkeypatch.setenv(key, value)
    return Aws.connect(member_role=MEMBER_ROLE)


@pytest.fixture
def function(aws: EmulatedAws, terminal: Aws) -> Aws:
    """AWS as the examination in the stack has it: in a role that members trust by its name."""
    del terminal
    iam = aws.client("iam")
    allowed = {"Effect": "Allow", "Action": ["sts:AssumeRole", "organizations:*"], "Resource": "*"}
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    try:
        iam.create_role(
            RoleName=FUNCTION_ROLE,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]}),
        )
    except ClientError as error:
        assert error.response["Error"]["Code"] == "EntityAlreadyExists"  # noqa: PT017 -- of the test before
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=FUNCTION_ROLE, PolicyName="assume", PolicyDocument=document)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{FUNCTION_ROLE}"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="examine")["Credentials"]
    session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
    return Aws(session, member_role=MEMBER_ROLE)


def examine(aws: Aws, patient: Deployment) -> list[Result]:
    return list(members.CHECK.examine(patient, Reader(aws)))


def about(results: list[Result], subject: str) -> list[Result]:
    return [each for each in results if subject in each.subject]


def answered(aws: Aws, operation: str, answer: dict[str, Any]) -> None:
    """Have an operation answered that the emulated AWS does not know, or does not refuse."""
    service, name = operation.split(".")
    client: Any = aws.client(service, account=None, region=REGION)
    status = 403 if "Error" in answer else 200

    def reply(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse("", status, HTTPHeaders(), None), answer

    client.meta.events.register(f"before-call.{service}.{name}", reply)


def test_without_an_organization_there_is_nothing_to_look_at(terminal: Aws) -> None:
    (alone,) = examine(terminal, deployment("222222222222", PULL_RESPONDER_ORGANIZATION_ID="", findings_in="hub"))
    assert (alone.subject, alone.state) == ("members", State.WORKS)


def test_where_the_settings_are_not_known_nothing_is_said_to_work(terminal: Aws) -> None:
    unknown = replace(deployment(), resources={}, template=Unread("cloudformation:GetTemplate failed"))
    (members_,) = examine(terminal, unknown)
    assert (members_.state, members_.found) == (State.UNREAD, "cloudformation:GetTemplate failed")


def test_what_names_the_members_and_is_not_readable_is_unread(terminal: Aws) -> None:
    refused = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}, "ResponseMetadata": {}}
    answered(terminal, "organizations.ListAccounts", refused)
    accounts, stack_set, unhealthy = examine(terminal, deployment())
    assert (accounts.subject, accounts.state) == ("accounts of the organization", State.UNREAD)
    assert "organizations:ListAccounts failed" in accounts.found
    assert (stack_set.subject, stack_set.state) == ("StackSet PullResponderMembers", State.UNREAD)
    # What nothing reads in members is said, whatever else is known of them.
    assert (unhealthy.state, "not read on a schedule" in unhealthy.found) == (State.OFF, True)


def test_a_member_that_lets_a_function_in_is_looked_at(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    member.readable()
    member.importable()
    member.security_hub(REGION)
    results = examine(function, deployment(member.id))
    # Both roles trust the whole account, as the emulated STS needs it.
    faults = [each for each in results if each.subject.startswith("role ")]
    assert [(each.subject, each.state) for each in faults] == [
        (f"role {MEMBER_ROLE} of account {member.id}", State.BROKEN),
        (f"role {IMPORT_ROLE} of account {member.id}", State.BROKEN),
    ]
    for each in faults:
        assert f"it trusts account {ACCOUNT} without the condition aws:PrincipalOrgID for {ORGANIZATION}" in each.found
        assert each.account == member.id
    assert about(results, "Security Hub") == []


def test_the_command_puts_back_the_trust_of_the_template(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    member.readable()
    (fault,) = about(examine(function, deployment(member.id, findings_in="hub")), f"role {MEMBER_ROLE}")
    (command,) = fault.commands
    document = json.loads(command[command.index("--policy-document") + 1])
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert statement["Condition"] == CONDITION
    member.client("iam").update_assume_role_policy(RoleName=MEMBER_ROLE, PolicyDocument=json.dumps(document))


def test_a_member_whose_roles_trust_the_functions_alone_works(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    member.readable()
    member.importable()
    member.security_hub(REGION)
    names = [f"arn:aws:iam::{ACCOUNT}:role/{FUNCTION_ROLE}"]
    statement = {"Effect": "Allow", "Principal": {"AWS": names}, "Action": "sts:AssumeRole"}
    for role in (MEMBER_ROLE, IMPORT_ROLE):
        member.client("iam").update_assume_role_policy(
            RoleName=role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
    (whole,) = about(examine(function, deployment(member.id)), member.id)
    assert (whole.subject, whole.state) == (f"account {member.id}", State.WORKS)


def test_a_role_for_importing_that_is_missing_is_said(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    member.readable()
    member.security_hub(REGION)
    (lost,) = about(examine(function, deployment(member.id)), f"role {IMPORT_ROLE}")
    assert (lost.state, lost.found) == (State.BROKEN, "there is no such role")
    assert lost.meaning == f"Findings of account {member.id} are in Security Hub of account {ACCOUNT}"
    assert [render(each) for each in lost.commands] == [INSTANCES]
    assert about(examine(function, deployment(member.id, findings_in="hub")), f"role {IMPORT_ROLE}") == []


def test_security_hub_that_is_off_in_a_member_is_said_and_mended(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    member.readable()
    member.importable()
    (off,) = about(examine(function, deployment(member.id)), "Security Hub")
    assert (off.subject, off.state, off.account) == (
        f"Security Hub of account {member.id} in {REGION}",
        State.BROKEN,
        member.id,
    )
    assert [render(each) for each in off.commands] == [
        f"aws securityhub enable-security-hub --region {REGION} --no-enable-default-standards"
    ]
    member.security_hub(REGION)
    assert about(examine(function, deployment(member.id)), "Security Hub") == []


def test_a_member_that_lets_no_function_in_is_broken(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    (shut,) = about(examine(function, deployment(member.id)), member.id)
    assert (shut.subject, shut.state) == (f"account {member.id}", State.BROKEN)
    assert f"sts:AssumeRole of arn:aws:iam::{member.id}:role/{MEMBER_ROLE} failed" in shut.found
    assert [render(each) for each in shut.commands] == [INSTANCES]


def test_at_a_terminal_a_refusal_is_no_proof(aws: EmulatedAws, terminal: Aws) -> None:
    member = Member(aws)
    (shut,) = about(examine(terminal, deployment(member.id)), member.id)
    assert (shut.state, shut.commands) == (State.UNREAD, ())
    assert shut.step.startswith("Its roles trust the hub's functions alone")


def test_a_stack_set_that_is_half_rolled_out_is_said(aws: EmulatedAws, function: Aws) -> None:
    member = Member(aws)
    member.readable()
    summary = {"StackSetId": "PullResponderMembers:1", "OrganizationalUnitId": "ou-abcd-12345678"}
    stacks = [
        {**summary, "Account": member.id, "Region": REGION, "Status": "CURRENT"},
        {
            **summary,
            "Account": member.id,
            "Region": "eu-west-1",
            "Status": "OUTDATED",
            "StatusReason": "Account is not\nsubscribed",
            "StackInstanceStatus": {"DetailedStatus": "FAILED"},
        },
    ]
    answered(function, "cloudformation.ListStackInstances", {"Summaries": stacks})
    results = examine(function, deployment(member.id))
    (failed,) = about(results, "stack of PullResponderMembers")
    assert (failed.subject, failed.state) == (
        f"stack of PullResponderMembers in account {member.id}, eu-west-1",
        State.BROKEN,
    )
    assert failed.found == "OUTDATED: Account is not subscribed"
    (command,) = map(render, failed.commands)
    assert command == (
        "aws cloudformation update-stack-instances --stack-set-name PullResponderMembers --deployment-targets "
        f"OrganizationalUnitIds=ou-abcd-12345678,Accounts={member.id},AccountFilterType=INTERSECTION "
        f"--regions eu-west-1 --call-as DELEGATED_ADMIN --region {REGION}"
    )
    # Security Hub is looked at where the account is a member.
    assert [each.subject.rpartition(" ")[2] for each in about(results, "Security Hub")] == [REGION, "eu-west-1"]
