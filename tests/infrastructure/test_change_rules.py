"""Which changes are told of, decided by an EventBridge matching engine."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.settings import Settings
from tests.infrastructure.conftest import Synthesized, synthesize
from tests.infrastructure.test_event_rules import rules_to

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

REMEDIATION = Path(__file__).resolve().parents[2] / "lambdas" / "pull_responder" / "remediation"
SERVICES = ("ec2", "ecr", "eks", "iam", "kms", "organizations", "secretsmanager")


def call(service: str, name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A call that succeeded, as EventBridge delivers it; `changed` are fields of its detail."""
    return {
        "version": "0",
        "id": "5b2e2e0c-0000-4000-8000-000000000000",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": "111111111111",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"eventSource": f"{service}.amazonaws.com", "eventName": name, "requestParameters": {}, **changed},
    }


def of_ecr(detail_type: str, **detail: str) -> dict[str, Any]:
    """An event that ECR itself sends; dashes in the names of fields are underscores here."""
    fields = {name.replace("_", "-"): value for name, value in detail.items()}
    return {**call("ecr", ""), "detail-type": detail_type, "detail": fields}


@pytest.mark.parametrize(
    ("what", "happened", "told_by"),
    [
        ("a policy attached", call("iam", "AttachRolePolicy"), "Roles"),
        ("a deny taken off", call("iam", "DetachRolePolicy"), "Roles"),
        ("a managed policy edited", call("iam", "CreatePolicyVersion"), "Roles"),
        ("a boundary replaced", call("iam", "PutRolePermissionsBoundary"), "Roles"),
        ("a role given to the nodes", call("iam", "AddRoleToInstanceProfile"), "Roles"),
        ("a call that was refused", call("iam", "AttachRolePolicy", errorCode="AccessDenied"), None),
        ("a policy of a user", call("iam", "AttachUserPolicy"), None),
        ("a read", call("iam", "GetRole"), None),
        ("a repository's policy", call("ecr", "SetRepositoryPolicy"), "Registries"),
        ("the registry's policy", call("ecr", "DeleteRegistryPolicy"), "Registries"),
        ("a repository of public ECR", call("ecr", "CreateRepository", eventSource="ecr-public.amazonaws.com"), None),
        ("a route", call("ec2", "ReplaceRoute"), "Routes"),
        ("a subnet that is gone", call("ec2", "DeleteSubnet"), "Routes"),
        ("a rule of a security group", call("ec2", "AuthorizeSecurityGroupEgress"), "Networks"),
        ("a rule taken away, which lets nothing through", call("ec2", "RevokeSecurityGroupEgress"), None),
        ("an endpoint", call("ec2", "CreateVpcEndpoint"), "Networks"),
        ("the VPC's DNS", call("ec2", "ModifyVpcAttribute"), "Networks"),
        ("the metadata endpoint", call("ec2", "ModifyInstanceMetadataOptions"), "Instances"),
        ("a node that is gone", call("ec2", "TerminateInstances"), "Instances"),
        ("a node that starts", call("ec2", "RunInstances"), None),
        ("a node group that is gone", call("eks", "DeleteNodegroup"), "Clusters"),
        ("a control policy", call("organizations", "DetachPolicy"), "Organizations"),
        ("a key", call("kms", "EnableKey"), "Keys"),
        ("a key that is used", call("kms", "Decrypt"), None),
        ("a secret", call("secretsmanager", "RestoreSecret"), "Secrets"),
        ("one who poses as IAM", {**call("iam", "AttachRolePolicy"), "source": "custom.iam"}, None),
        ("an image", of_ecr("ECR Image Action", action_type="PUSH", result="SUCCESS"), "ImagePushed"),
        ("an image that could not be pushed", of_ecr("ECR Image Action", action_type="PUSH", result="FAILURE"), None),
        ("an image that is gone", of_ecr("ECR Image Action", action_type="DELETE", result="SUCCESS"), None),
        ("a cache that works", of_ecr("ECR Pull Through Cache Action", sync_status="SUCCESS"), "CacheFetched"),
        ("one that does not", of_ecr("ECR Pull Through Cache Action", sync_status="FAILURE"), None),
    ],
)
def test_what_can_mend_a_fault_is_told_of(
    what: str, happened: dict[str, Any], told_by: str | None, stack: Synthesized, aws: EmulatedAws
) -> None:
    engine, text = aws.client("events"), json.dumps(happened)
    takers = [
        name
        for name, rule in rules_to("ChangesQueue", stack).items()
        if "EventPattern" in rule
        and engine.test_event_pattern(EventPattern=json.dumps(rule["EventPattern"]), Event=text)["Result"]
    ]
    assert len(takers) == (told_by is not None), what
    assert all(str(told_by) in taker for taker in takers), what


def calls(stack: Synthesized) -> dict[str, list[str]]:
    """The names of the calls that the rules take, by service."""
    named: dict[str, list[str]] = {service: [] for service in SERVICES}
    for rule in rules_to("ChangesQueue", stack).values():
        pattern = rule.get("EventPattern", {})
        if "eventName" in pattern.get("detail", {}):
            (source,) = pattern["source"]
            assert pattern["detail"]["eventSource"] == [f"{source.removeprefix('aws.')}.amazonaws.com"]
            named[source.removeprefix("aws.")] += pattern["detail"]["eventName"]
    return named


def test_every_call_is_one_that_the_service_has(stack: Synthesized) -> None:
    for service, names in calls(stack).items():
        known = boto3.client(service, region_name="us-east-1").meta.service_model.operation_names  # type: ignore[call-overload]  # the stubs know literals only
        assert sorted(set(names) - set(known)) == [], service
        assert len(names) == len(set(names)), service


def test_every_command_of_a_fix_is_told_of(stack: Synthesized) -> None:
    known = {name for names in calls(stack).values() for name in names}
    all_known = {
        name
        for service in SERVICES
        for name in boto3.client(service, region_name="us-east-1").meta.service_model.operation_names  # type: ignore[call-overload]  # the stubs know literals only
    }
    words = {
        node.value
        for file in REMEDIATION.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z0-9-]+", node.value)
    }
    commands = {"".join(part.capitalize() for part in word.split("-")) for word in words} & all_known
    assert {"AttachRolePolicy", "CreateVpcEndpoint", "CancelKeyDeletion", "UpdateSecret"} <= commands
    # It makes room for the version that is told of.
    assert sorted(commands - known) == ["DeletePolicyVersion"]


def test_no_pattern_is_longer_than_eventbridge_takes(stack: Synthesized) -> None:
    # EventBridge user guide, "Amazon EventBridge quotas": 2,048 characters.
    lengths = {
        name: len(json.dumps(rule.get("EventPattern")))
        for name, rule in rules_to("ChangesQueue", stack).items()
        if len(json.dumps(rule.get("EventPattern"))) > 2_048
    }
    assert lengths == {}


def test_findings_are_looked_at_as_often_as_the_settings_say(stack: Synthesized, tmp_path: Path) -> None:
    (clock,) = (rule for name, rule in rules_to("ChangesQueue", stack).items() if "Clock" in name)
    assert clock["ScheduleExpression"] == "rate(1 minute)"
    seldom = synthesize(tmp_path, Settings(recheck_rate="rate(5 minutes)"))
    (clock,) = (rule for name, rule in rules_to("ChangesQueue", seldom).items() if "Clock" in name)
    assert clock["ScheduleExpression"] == "rate(5 minutes)"


def test_every_rule_keeps_what_it_cannot_deliver(stack: Synthesized) -> None:
    dead_letters, _ = stack.named("AWS::SQS::Queue", "ChangesDeadLetters")
    rules = rules_to("ChangesQueue", stack)
    assert len(rules) + len(rules_to("EventsQueue", stack)) == len(stack.all_of("AWS::Events::Rule"))
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
        assert rule["State"] == "ENABLED"
        assert "Input" not in target
        assert "InputPath" not in target


@pytest.mark.parametrize("name", ["ChangesQueue", "ChangesDeadLetters"])
def test_only_these_rules_may_send_to_a_queue(name: str, stack: Synthesized) -> None:
    queue, _ = stack.named("AWS::SQS::Queue", name)
    statements = [
        statement
        for policy in stack.all_of("AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    senders = {statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0] for statement in allowed}
    assert senders == set(rules_to("ChangesQueue", stack))
    assert {statement["Principal"]["Service"] for statement in allowed} == {"events.amazonaws.com"}
