"""What the settings for an account's rules change in the template: table, key, VPC, concurrency, boundary, tags."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.sdk_data import read_operations
from infra.settings import Settings
from tests.infrastructure.conftest import KEPT_TABLE, NO_DEFAULTS, synthesize
from tests.infrastructure.test_permissions import as_list, rendered

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
KEY = NO_DEFAULTS.encryption_key_arn
FUNCTIONS = ("Diagnose", "Recheck", "AuditLog", "Examine", "HubSetup")
CHANGES_OF_INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
]


def statements(stack: Synthesized, function: str, effect: str = "Allow") -> list[dict[str, Any]]:
    _, role = stack.named("AWS::IAM::Role", f"{function}Role")
    return [
        {**each, "Action": as_list(each["Action"]), "Resource": [rendered(it) for it in as_list(each["Resource"])]}
        for policy in role["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
        if each["Effect"] == effect
    ]


def test_data_is_removed_only_where_that_is_said(stack: Synthesized, placed: Synthesized) -> None:
    for synthesized, policy, protected in ((stack, "Retain", True), (placed, "Delete", False)):
        ((name, table),) = synthesized.all_of("AWS::DynamoDB::GlobalTable").items()
        resource = synthesized.template["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, policy)
        assert table["Replicas"][0]["DeletionProtectionEnabled"] is protected


def test_nothing_but_the_table_outlives_the_stack(subscribed: Synthesized, placed: Synthesized) -> None:
    kept = {
        each["Type"]
        for each in subscribed.template["Resources"].values()
        if "Retain" in (each.get("DeletionPolicy"), each.get("UpdateReplacePolicy"))
    }
    assert kept == {"AWS::DynamoDB::GlobalTable"}
    assert "Retain" not in json.dumps(placed.template["Resources"])
    # Without a policy CloudFormation deletes (user guide, "DeletionPolicy attribute"), and CDK has one for what it
    # would keep.
    assert {each["DeletionPolicy"] for each in subscribed.template["Resources"].values() if "Key" in each["Type"]} == {
        "Delete"
    }


def test_a_table_has_the_name_that_it_is_given(stack: Synthesized, placed: Synthesized) -> None:
    # With a name, an update that replaces the table would fail: the name is taken.
    assert "TableName" not in stack.one_of("AWS::DynamoDB::GlobalTable")
    assert placed.one_of("AWS::DynamoDB::GlobalTable")["TableName"] == "findings"


def test_a_table_that_is_there_is_used_and_not_made(tmp_path: Path, stack: Synthesized) -> None:
    found = synthesize(tmp_path, Settings(table_name="old-findings", existing_table=True))
    assert found.all_of("AWS::DynamoDB::GlobalTable") == {}
    assert found.template["Outputs"]["TableName"]["Value"] == "old-findings"
    arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/old-findings"
    for function in ("Diagnose", "Recheck"):
        _, properties = found.named("AWS::Lambda::Function", function)
        assert properties["Environment"]["Variables"]["TABLE_NAME"] == "old-findings"
        reached = {
            resource
            for each in statements(found, function)
            if each["Action"][0].startswith("dynamodb:")
            for resource in each["Resource"]
        }
        assert reached == {arn, f"{arn}/index/due"}
    # All else is as it was: a deployment can go from one to the other.
    assert set(stack.template["Resources"]) - set(found.template["Resources"]) == {"Findings172CF60E"}


def test_with_a_key_of_ones_own_all_that_is_stored_is_encrypted_with_it(placed: Synthesized) -> None:
    assert placed.all_of("AWS::KMS::Key") == {}
    table = placed.one_of("AWS::DynamoDB::GlobalTable")
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert [each["SSESpecification"] for each in table["Replicas"]] == [{"KMSMasterKeyId": KEY}]
    for kind, property_name, number in (
        ("AWS::SQS::Queue", "KmsMasterKeyId", 4),
        ("AWS::SNS::Topic", "KmsMasterKeyId", 3),
        ("AWS::Logs::LogGroup", "KmsKeyId", 5),
    ):
        keys = [each[property_name] for each in placed.all_of(kind).values()]
        assert keys == [KEY] * number
    assert placed.one_of("AWS::Kinesis::Stream")["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": KEY}
    assert not any("SqsManagedSseEnabled" in each for each in placed.all_of("AWS::SQS::Queue").values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_may_use_that_key_and_no_other(function: str, placed: Synthesized) -> None:
    granted = [each for each in statements(placed, function) if "kms:DescribeKey" not in each["Action"]]
    used = [each for each in granted if any(action.startswith("kms:") for action in each["Action"])]
    if function == "HubSetup":
        assert used == []
    elif function == "Examine":  # it sends nothing
        assert [(each["Action"], each["Resource"]) for each in used] == [(["kms:Decrypt"], [KEY])]
    else:
        assert [(each["Action"], each["Resource"]) for each in used] == [
            (["kms:Decrypt", "kms:GenerateDataKey"], [KEY])
        ]


def test_without_a_key_the_function_of_audit_logs_uses_none(subscribed: Synthesized) -> None:
    assert "kms:" not in json.dumps(statements(subscribed, "AuditLog"))


def test_the_guide_has_the_statements_that_the_keys_policy_needs() -> None:
    import aws_cdk as cdk  # noqa: PLC0415 -- only this test needs it
    from aws_cdk import aws_kms as kms  # noqa: PLC0415

    from infra import key_policy_statements  # noqa: PLC0415

    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Keys")
    key = kms.Key(stack, "Key")
    for each in key_policy_statements():
        key.add_to_resource_policy(each)
    (resource,) = cdk.assertions.Template.from_stack(stack).find_resources("AWS::KMS::Key").values()
    places = {"AWS::Partition": "aws", "AWS::AccountId": "111111111111", "AWS::Region": "eu-west-1"}

    def filled_in(value: Any) -> Any:  # noqa: ANN401 -- JSON
        match value:
            case {"Ref": str(name)}:
                return places[name]
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(filled_in, parts))
            case dict():
                return {name: filled_in(each) for name, each in value.items()}
            case list():
                return [filled_in(each) for each in value]
            case _:
                return value

    _, _, after = OPERATIONS.partition("### A key of your own")
    documented = json.loads(after.partition("```json")[2].partition("```")[0])["Statement"]
    # The first lets IAM policies of the account decide. A new key has it.
    assert documented == filled_in(resource["Properties"]["KeyPolicy"]["Statement"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_in_a_vpc_lambda_may_attach_a_function_and_the_function_itself_may_not(
    function: str, placed: Synthesized, subscribed: Synthesized
) -> None:
    _, properties = placed.named("AWS::Lambda::Function", function)
    assert properties["VpcConfig"] == {
        "SubnetIds": ["subnet-0123456789abcdef0", "subnet-01234567"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
    }
    (attach,) = (each for each in statements(placed, function) if "ec2:CreateNetworkInterface" in each["Action"])
    managed = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", *CHANGES_OF_INTERFACES}
    assert (set(attach["Action"]), attach["Resource"]) == (managed, ["*"])
    (denied,) = (each for each in statements(placed, function, "Deny") if each["Action"] == CHANGES_OF_INTERFACES)
    assert (denied["Resource"], denied["Condition"]) == (["*"], {"Null": {"lambda:SourceFunctionArn": "false"}})
    for effect in ("Allow", "Deny"):
        assert "NetworkInterface" not in json.dumps(
            [each for each in statements(subscribed, function, effect) if "ec2:DescribeVpcs" not in each["Action"]]
        )


def test_the_guide_names_an_endpoint_for_each_service_that_the_functions_call() -> None:
    _, _, after = OPERATIONS.partition("### In a VPC")
    section = after.partition("\n### ")[0]
    assert [service for service in read_operations() if f"`{service}`" not in section] == []


def test_a_reservation_is_never_less_than_what_the_queue_runs_at_a_time(
    stack: Synthesized, placed: Synthesized
) -> None:
    for function, reserved, at_a_time in (("Diagnose", 4, 4), ("Recheck", 9, 5)):
        assert placed.named("AWS::Lambda::Function", function)[1]["ReservedConcurrentExecutions"] == reserved
        _, mapping = placed.named("AWS::Lambda::EventSourceMapping", function)
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": at_a_time}
    for function, reserved in (("AuditLog", 3), ("HubSetup", 1)):
        assert placed.named("AWS::Lambda::Function", function)[1]["ReservedConcurrentExecutions"] == reserved
    assert not any("ReservedConcurrentExecutions" in each for each in stack.all_of("AWS::Lambda::Function").values())


def test_every_role_has_the_boundary(stack: Synthesized, placed: Synthesized) -> None:
    roles = placed.all_of("AWS::IAM::Role").values()
    assert {each["PermissionsBoundary"] for each in roles} == {"arn:aws:iam::111111111111:policy/platform/limit"}
    assert not any("PermissionsBoundary" in each for each in stack.all_of("AWS::IAM::Role").values())


def test_the_policies_of_a_role_have_room_with_all_settings(placed: Synthesized) -> None:
    # IAM User Guide, "IAM and AWS STS quotas": a role's inline policies have 10,240 characters, without white space.
    for role in copy.deepcopy(placed.all_of("AWS::IAM::Role")).values():
        documents = [policy["PolicyDocument"] for policy in role["Policies"]]
        for statement in (each for document in documents for each in document["Statement"]):
            statement["Resource"] = [rendered(each) for each in as_list(statement["Resource"])]
        assert sum(len(json.dumps(each, separators=(",", ":"))) for each in documents) < 10_240


def test_all_that_can_have_tags_has_them(placed: Synthesized) -> None:
    tags = [{"Key": "cost center", "Value": "4711"}, {"Key": "team", "Value": "platform"}]
    for kind in (
        *("AWS::CloudWatch::Alarm", "AWS::Events::Rule", "AWS::IAM::Role", "AWS::Lambda::EventSourceMapping"),
        *("AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::SQS::Queue"),
        *("AWS::Events::EventBus", "AWS::Kinesis::Stream"),
    ):
        assert [each.get("Tags") for each in placed.all_of(kind).values() if each.get("Tags") != tags] == []
    assert placed.one_of("AWS::DynamoDB::GlobalTable")["Replicas"][0]["Tags"] == tags
    manifest = json.loads((placed.folder / "manifest.json").read_text())
    assert manifest["artifacts"]["PullResponder"]["properties"]["tags"] == {"team": "platform", "cost center": "4711"}


def test_scanners_are_given_no_answer_to_what_is_done(placed: Synthesized) -> None:
    """cdk-nag has found nothing without an answer in `placed`, or it would not have been synthesized."""
    asked = {
        skipped["id"]
        for each in placed.template["Resources"].values()
        for skipped in each.get("Metadata", {}).get("checkov", {}).get("skip", [])
    }
    assert asked == {"CKV_AWS_111", "CKV_AWS_116", "CKV_AWS_173", "CKV_AWS_18", "CKV_AWS_21"}


def test_a_table_that_is_there_goes_with_all_other_settings(tmp_path: Path) -> None:
    found = synthesize(tmp_path, KEPT_TABLE)
    assert found.all_of("AWS::DynamoDB::GlobalTable") == {}
    (used,) = (each for each in statements(found, "Diagnose") if "kms:Decrypt" in each["Action"])
    assert used["Resource"] == [KEY]
