"""The doctor on a whole deployment: what it prints, its exit status, and what it cannot read."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from pull_responder.doctor import CHECKS, PERMISSIONS
from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.integration.doctor.estate import DENIED_RULE, OTHER_CLUSTER, REGION, STACK

if TYPE_CHECKING:
    from tests.integration.doctor.conftest import Doctor

# Security Hub is emulated by moto, which knows no IAM. This account is in no organization: its policies are not read.
NOT_REFUSED = {
    "securityhub:DescribeHub",
    *(each for each in PERMISSIONS if each.startswith("organizations:")),
}
# Reads that are made only once another one has shown something, and those that come before all.
FIRST = {
    *("cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources"),
    "cloudwatch:GetMetricStatistics",
}


def test_a_healthy_deployment_works(doctor: Doctor) -> None:
    report = doctor()

    assert report.status == 0, report.states()
    assert set(report.states()) == {"works"}
    assert {each["check"] for each in report.results} == {check.id for check in CHECKS}
    assert {(each["stack"], each["account"], each["region"]) for each in report.results} == {(STACK, ACCOUNT, REGION)}
    assert not any(each["commands"] or each["meaning"] or each["needs"] for each in report.results)


def test_text_shows_what_is_broken_with_a_command_that_can_be_copied(doctor: Doctor) -> None:
    doctor.client("events").disable_rule(Name=DENIED_RULE)

    report = doctor("--stack", STACK, "--region", REGION)

    lines = [line.strip() for line in report.out.splitlines()]
    assert report.status == 1
    assert lines[0] == f"Stack      {STACK}, account {ACCOUNT}, region {REGION}"
    assert lines[2:4] == [
        f"Broken     rule {DENIED_RULE}: it is disabled",
        'Means      This will not be seen: "A registry token was refused"',
    ]
    assert "Works      stack DoctorsPatient: CREATE_COMPLETE" in lines[4:]
    assert lines[-1].startswith("Result     works: ")
    assert lines[-1].endswith(", broken: 1")
    (command,) = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    assert shlex.split(command)[:3] == ["aws", "events", "put-rule"]
    doctor.run([command])
    assert doctor("--stack", STACK, "--region", REGION).status == 0


def test_settings_that_leave_something_out_are_named_and_are_no_fault(doctor: Doctor) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/doctor-cluster"
    eks = doctor.client("eks")
    eks.create_cluster(name=OTHER_CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    try:
        report = doctor()
    finally:
        eks.delete_cluster(name=OTHER_CLUSTER)

    other = report.about("audit_logs", "other clusters")
    assert (report.status, other["state"]) == (0, "off")
    assert other["found"] == f"their audit logs are not read: {OTHER_CLUSTER}"
    assert other["meaning"].startswith("Of these clusters this will not be seen: denials by endpoint policies")


def denied(doctor: Doctor, *actions: str) -> dict[str, str]:
    """Return the environment of somebody who may do everything but `actions`."""
    iam, name = doctor.client("iam"), "doctor-reader"
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    if not any(each["RoleName"] == name for each in iam.list_roles()["Roles"]):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": list(actions), "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="reads", PolicyDocument=policy)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    keys = doctor.client("sts").assume_role(RoleArn=arn, RoleSessionName="doctor")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def test_nothing_is_said_to_work_that_was_not_read(doctor: Doctor) -> None:
    refused = set(PERMISSIONS) - FIRST - NOT_REFUSED

    report = doctor(environment=denied(doctor, *refused))

    assert report.status == 3
    working = [each for each in report.results if each["state"] == "works"]
    unread = [each for each in report.results if each["state"] == "unread"]
    assert len(working) + len(unread) == len(report.results)
    of_members = {"forwarding", "members"}
    assert {each["check"] for each in working} == {"stack", "security_hub", "organization", "sdk", *of_members}
    assert all(each["meaning"] and each["needs"] for each in unread)


@pytest.mark.parametrize(
    ("action", "checks"),
    [
        ("cloudtrail:GetEventSelectors", {"trail"}),
        ("cloudtrail:GetTrailStatus", {"trail"}),
        ("events:ListTargetsByRule", {"rules"}),
        ("dynamodb:DescribeTimeToLive", {"table"}),
        (
            "cloudformation:GetTemplate",
            {"audit_logs", "forwarding", "members", "queues", "rules", "sdk", "security_hub", "stack"},
        ),
    ],
)
def test_one_read_that_is_refused_leaves_open_what_it_decides(doctor: Doctor, action: str, checks: set[str]) -> None:
    report = doctor(environment=denied(doctor, action))

    unread = [each for each in report.results if each["state"] == "unread"]
    assert (report.status, {each["check"] for each in unread}) == (3, checks)
    assert {need for each in unread for need in each["needs"]} == {action}
    assert all(action in each["found"] and action in each["next"] for each in unread)


def test_a_stack_that_may_not_be_read_is_no_missing_stack(doctor: Doctor) -> None:
    report = doctor(environment=denied(doctor, "cloudformation:DescribeStacks"))

    (result,) = report.results
    assert (report.status, result["state"], result["needs"]) == (3, "unread", ["cloudformation:DescribeStacks"])


def test_a_stack_that_is_not_there_is_one_line(doctor: Doctor) -> None:
    report = doctor("--stack", "Elsewhere", "--region", REGION)

    assert (report.status, report.out) == (2, "")
    what_to_do = "give --stack or --region, or deploy it"
    assert report.err == f"pull-responder: account {ACCOUNT} has no stack Elsewhere in {REGION}: {what_to_do}\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--stack", "two words"), "--stack is not the name of a stack"),
        (("--profile", "nobody"), "there is no profile 'nobody': run `aws configure --profile nobody`"),
        (("--region", "nowhere-1"), "nowhere-1"),
    ],
)
def test_options_that_are_unusable_are_one_line(doctor: Doctor, arguments: tuple[str, ...], error: str) -> None:
    report = doctor(*arguments)

    assert (report.status, report.out, report.err.count("\n")) == (2, "", 1)
    assert error in report.err
