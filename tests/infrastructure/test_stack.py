from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_sqs as sqs
from botocore.model import StructureShape
from moto import mock_aws

from infra.scanner_answers import add_scanners
from infra.settings import Settings
from infra.stack import PullResponderStack
from pull_responder.emulator.findings_table import create_table
from pull_responder.events.audit_log import REASONS
from pull_responder.handlers import hub_setup
from pull_responder.publish.hub_setup import OWN_ACTION, OWN_NAME, Insight
from tests.infrastructure.conftest import NO_DEFAULTS, Synthesized, synthesize

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The stack with every setting different from its default."""
    return synthesize(tmp_path_factory.mktemp("other"), NO_DEFAULTS)


def function_of(stack: Synthesized, name: str = "Diagnose") -> dict[str, Any]:
    return stack.named("AWS::Lambda::Function", name)[1]


@pytest.mark.parametrize("name", ["Diagnose", "Recheck"])
def test_the_function(name: str, stack: Synthesized, other: Synthesized) -> None:
    function = function_of(stack, name)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == f"pull_responder.handlers.{name.lower()}.handler"
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert (function["MemorySize"], function["Timeout"]) == (1024, 120)
    assert (function_of(other, name)["MemorySize"], function_of(other, name)["Timeout"]) == (2048, 30)
    assert function_of(other, name)["LoggingConfig"]["ApplicationLogLevel"] == "WARN"
    assert "VpcConfig" not in function


@pytest.mark.parametrize("name", ["Diagnose", "Recheck"])
def test_the_settings_are_in_the_environment_of_the_function(name: str, stack: Synthesized, other: Synthesized) -> None:
    (topic,) = stack.all_of("AWS::SNS::Topic")
    (table,) = stack.all_of("AWS::DynamoDB::GlobalTable")
    examine = {"Fn::GetAtt": [stack.named("AWS::IAM::Role", "ExamineRole")[0], "Arn"]}
    # Canaries come by the queue of failures.
    only = {"CANARY_ROLE_ARN": examine} if name == "Diagnose" else {}
    assert function_of(stack, name)["Environment"]["Variables"] == {
        **only,
        "DIGEST_ABOVE": "10",
        "HOLD_DOWN_MINUTES": "5",
        "KEEP_DAYS": "90",
        "KNOWN_PRINCIPALS": "[]",
        "NOTIFICATION_SCHEMA": "2.0",
        "NOTIFY_MINIMUM_SEVERITY": "LOW",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "PULL_RESPONDER_MEMBER_ROLE": "PullResponderReadOnly",
        "PULL_RESPONDER_ROLE_ARNS": {
            "Fn::Join": [
                "",
                [
                    '["',
                    {"Fn::GetAtt": [stack.named("AWS::IAM::Role", "DiagnoseRole")[0], "Arn"]},
                    '","',
                    {"Fn::GetAtt": [stack.named("AWS::IAM::Role", "RecheckRole")[0], "Arn"]},
                    '","',
                    examine,
                    '"]',
                ],
            ]
        },
        "QUIET_MINUTES": "15",
        "RECHECK_MINUTES": "15",
        "RECHECK_RATE_MINUTES": "1",
        "REMINDER_HOURS": "24",
        "SECURITY_HUB_ENABLED": "true",
        "LOOK_UP_CHANGES": "true",
        "STOPPED_MINUTES": "60",
        "TABLE_NAME": {"Ref": table},
        "TOPIC_ARN": {"Ref": topic},
        "UNEXPLAINED_MINUTES": "30",
        "UNEXPLAINED_REPEATS": "20",
    }
    values = function_of(other, name)["Environment"]["Variables"]
    assert (values["QUIET_MINUTES"], values["HOLD_DOWN_MINUTES"], values["REMINDER_HOURS"]) == ("5", "0", "0")
    assert (values["UNEXPLAINED_MINUTES"], values["UNEXPLAINED_REPEATS"], values["DIGEST_ABOVE"]) == ("20", "9", "3")
    assert (values["STOPPED_MINUTES"], values["RECHECK_MINUTES"], values["KEEP_DAYS"]) == ("30", "7", "30")
    assert values["RECHECK_RATE_MINUTES"] == "5"
    assert json.loads(values["KNOWN_PRINCIPALS"]) == ["arn:aws:iam::111111111111:role/build"]
    assert (values["NOTIFY_MINIMUM_SEVERITY"], values["SECURITY_HUB_ENABLED"]) == ("HIGH", "false")
    assert (values["PULL_RESPONDER_MEMBER_ROLE"], values["POWERTOOLS_LOG_LEVEL"]) == ("Reader", "WARNING")
    assert values["PULL_RESPONDER_ORGANIZATION_ACCOUNT"] == "012345678901"
    assert json.loads(values["PULL_RESPONDER_AWS_REGISTRIES"]) == ["123456789012", "210987654321"]
    assert values["FORWARDED_EVENT_SOURCE"] == "kubernetes.events"
    assert (values["NOTIFICATION_SCHEMA"], values["RUNBOOK_URL"]) == ("1.0", "https://wiki.example.com/pulls/{cause}")


def test_insights_and_the_action_are_set_up_by_a_function_and_not_by_resources_that_can_fail(
    stack: Synthesized,
) -> None:
    assert not [each["Type"] for each in stack.template["Resources"].values() if "SecurityHub" in each["Type"]]
    name, function = stack.named("AWS::Lambda::Function", "HubSetup")
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == f"{hub_setup.__name__}.handler"
    assert (function["MemorySize"], function["Timeout"]) == (256, 60)
    # Nobody but CloudFormation has a reason to invoke it, and it needs no permission on the function.
    assert not [each for each in stack.all_of("AWS::Lambda::Permission").values() if name in json.dumps(each)]

    insights = stack.all_of(hub_setup.INSIGHT)
    groups = [each["GroupByAttribute"] for each in insights.values()]
    assert groups == ["GeneratorId", "AwsAccountId", "ResourceId"]
    filters = boto3.client("securityhub", region_name="eu-west-1").meta.service_model.shape_for(
        "AwsSecurityFindingFilters"
    )
    assert isinstance(filters, StructureShape)
    assert set(groups) <= set(filters.members)
    for each in insights.values():
        assert Insight(each["Name"], each["GroupByAttribute"], each["Filters"]).is_ours
        assert each["Name"].startswith(OWN_NAME)
        assert each["Filters"] == {
            "GeneratorId": [{"Comparison": "PREFIX", "Value": "pull-responder/"}],
            "RecordState": [{"Comparison": "EQUALS", "Value": "ACTIVE"}],
        }
    action = stack.one_of(hub_setup.ACTION)
    # API Reference, CreateActionTarget.
    assert len(action["Name"]) <= 20
    assert re.fullmatch(rf"{OWN_ACTION}[A-Za-z0-9]{{1,7}}", action["Id"])
    for each in (action, *insights.values()):
        assert each["ServiceToken"] == {"Fn::GetAtt": [name, "Arn"]}
        # Three runs, and what Lambda waits between them.
        assert int(each["ServiceTimeout"]) > 3 * function["Timeout"] + 60 + 120


def test_what_a_deployment_says_of_security_hub_is_about_all_that_it_sets_up(stack: Synthesized) -> None:
    (look,) = stack.all_of(hub_setup.ACTION)
    assert stack.template["Outputs"]["SecurityHubSetup"]["Value"] == {"Fn::GetAtt": [look, "Outcome"]}
    others = [{"Fn::GetAtt": [each, "Outcome"]} for each in stack.all_of(hub_setup.INSIGHT)]
    assert stack.one_of(hub_setup.ACTION)["Others"] == others


def test_insights_and_all_of_security_hub_can_be_left_out(other: Synthesized, tmp_path: Path) -> None:
    assert "HubSetup" not in json.dumps(other.template)
    without = synthesize(tmp_path, Settings(security_hub_insights=False))
    assert not without.all_of(hub_setup.INSIGHT)
    assert without.one_of(hub_setup.ACTION)["Others"] == []


def test_the_address_that_has_to_be_confirmed_is_said_after_the_deployment(
    stack: Synthesized, other: Synthesized
) -> None:
    assert "ConfirmTheMail" not in stack.template["Outputs"]
    assert "Until somebody follows it, nothing is mailed" in other.template["Outputs"]["ConfirmTheMail"]["Description"]


def test_filters_have_a_topic_of_plain_text_and_alarms_one_of_their_own(stack: Synthesized, other: Synthesized) -> None:
    assert len(stack.all_of("AWS::SNS::Topic")) == 1
    filtered, filtered_topic = other.named("AWS::SNS::Topic", "FiltersFiltered")
    alarms, alarms_topic = other.named("AWS::SNS::Topic", "FiltersAlarms")
    everything, topic = other.named("AWS::SNS::Topic", "Notifications")
    # Another logical id would replace a topic that people are subscribed to.
    assert (filtered, alarms) == ("FiltersFilteredTopic80599590", "FiltersAlarmsTopicA643046D")
    for each in (filtered_topic, alarms_topic):
        assert each["KmsMasterKeyId"] == topic["KmsMasterKeyId"]
    every_alarm = other.all_of("AWS::CloudWatch::Alarm").values()
    assert every_alarm
    for alarm in every_alarm:
        assert alarm["AlarmActions"] == [{"Ref": everything}, {"Ref": alarms}]
    (policy,) = (
        each["PolicyDocument"]["Statement"]
        for each in other.all_of("AWS::SNS::TopicPolicy").values()
        if each["Topics"] == [{"Ref": alarms}]
    )
    assert [each["Action"] for each in policy if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}] == [
        "sns:Publish"
    ]
    for name in ("Diagnose", "Recheck"):
        assert function_of(other, name)["Environment"]["Variables"]["FILTERED_TOPIC_ARN"] == {"Ref": filtered}
        role = other.named("AWS::IAM::Role", f"{name}Role")[1]
        (run,) = (each["PolicyDocument"] for each in role["Policies"] if each["PolicyName"] == "run")
        publish = [each["Resource"] for each in run["Statement"] if each["Action"] == "sns:Publish"]
        assert publish == [{"Ref": filtered}]
    outputs = other.template["Outputs"]
    assert outputs["FilteredTopicArn"]["Value"] == {"Ref": filtered}
    assert outputs["AlarmsTopicArn"]["Value"] == {"Ref": alarms}


def test_synthesis_warns_of_the_limit_of_two_subscriptions(subscribed: Synthesized) -> None:
    written = json.loads((subscribed.folder / "manifest.json").read_text())["artifacts"]["PullResponder"]
    metadata = written.get("metadata") or json.loads(
        (subscribed.folder / written["additionalMetadataFile"]).read_text()
    )
    infos = [each["data"] for entries in metadata.values() for each in entries if each["type"] == "aws:cdk:info"]
    for cluster in ("prod", "test"):
        (about,) = [text for text in infos if f"/aws/eks/{cluster}/cluster can have two subscriptions" in text]
        assert f"describe-subscription-filters --log-group-name /aws/eks/{cluster}/cluster" in about
        assert "Resource limit exceeded" in about


def test_the_function_is_subscribed_to_each_audit_log(subscribed: Synthesized) -> None:
    name, function = subscribed.named("AWS::Lambda::Function", "AuditLog")
    queue, _ = subscribed.named("AWS::SQS::Queue", "EventsQueue")
    dead_letters, _ = subscribed.named("AWS::SQS::Queue", "EventsDeadLetters")
    assert function["Handler"] == "pull_responder.handlers.audit_log.handler"
    assert function["Environment"]["Variables"]["QUEUE_URL"] == {"Ref": queue}
    assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]}}
    arn = {"Fn::GetAtt": [name, "Arn"]}
    filters = subscribed.all_of("AWS::Logs::SubscriptionFilter")
    assert sorted(each["LogGroupName"] for each in filters.values()) == [
        "/aws/eks/prod/cluster",
        "/aws/eks/test/cluster",
    ]
    for each in filters.values():
        assert each["DestinationArn"] == arn
        # Filter pattern syntax: terms with a question mark are alternatives, if all terms have one.
        terms = each["FilterPattern"].split()
        assert {term[0] for term in terms} == {"?"}
        assert {term[1:] for term in terms} == REASONS


def test_only_the_subscribed_logs_may_invoke_the_function(subscribed: Synthesized) -> None:
    permissions = subscribed.all_of("AWS::Lambda::Permission")
    account = {"Ref": "AWS::AccountId"}
    for cluster in ("prod", "test"):
        ((name, permission),) = ((name, each) for name, each in permissions.items() if f"Invoke{cluster}" in name)
        assert (permission["Principal"], permission["SourceAccount"]) == ("logs.amazonaws.com", account)
        assert permission["SourceArn"]["Fn::Join"][1][-1] == f":log-group:/aws/eks/{cluster}/cluster:*"
        (subscription,) = (
            each
            for each in subscribed.template["Resources"].values()
            if each["Properties"].get("LogGroupName") == f"/aws/eks/{cluster}/cluster"
        )
        # CloudWatch Logs invokes the function once when the subscription is created.
        assert name in subscription["DependsOn"]
    (hour,) = [name for name in subscribed.all_of("AWS::Events::Rule") if name.startswith("ExamineHour")]
    (wake,) = [each for each in permissions.values() if each["Principal"] == "events.amazonaws.com"]
    assert wake["SourceArn"] == {"Fn::GetAtt": [hour, "Arn"]}
    assert wake["FunctionName"]["Fn::GetAtt"][0] == subscribed.named("AWS::Lambda::Function", "Examine")[0]
    assert len(permissions) == 3


def test_without_clusters_no_log_is_read(stack: Synthesized) -> None:
    assert stack.all_of("AWS::Logs::SubscriptionFilter") == {}
    assert [name for name in stack.all_of("AWS::Lambda::Function") if "AuditLog" in name] == []


def test_logs_have_a_retention(stack: Synthesized, other: Synthesized) -> None:
    for name in ("Diagnose", "Recheck"):
        log, properties = stack.named("AWS::Logs::LogGroup", name)
        assert function_of(stack, name)["LoggingConfig"]["LogGroup"] == {"Ref": log}
        assert properties["RetentionInDays"] == 30
    assert {each["RetentionInDays"] for each in other.all_of("AWS::Logs::LogGroup").values()} == {365}


def test_diagnose_receives_batches_and_reports_each_failed_message(stack: Synthesized, other: Synthesized) -> None:
    queue, _ = stack.named("AWS::SQS::Queue", "EventsQueue")
    _, mapping = stack.named("AWS::Lambda::EventSourceMapping", "Diagnose")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (2000, 5)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}
    _, mapping = other.named("AWS::Lambda::EventSourceMapping", "Diagnose")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 7)


def test_recheck_receives_batches_with_a_low_concurrency(stack: Synthesized) -> None:
    queue, _ = stack.named("AWS::SQS::Queue", "ChangesQueue")
    _, mapping = stack.named("AWS::Lambda::EventSourceMapping", "Recheck")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 5)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


@pytest.mark.parametrize("name", ["Events", "Changes"])
def test_a_message_that_keeps_failing_goes_to_the_dead_letter_queue(
    name: str, stack: Synthesized, other: Synthesized
) -> None:
    dead_letters, kept = stack.named("AWS::SQS::Queue", f"{name}DeadLetters")
    _, queue = stack.named("AWS::SQS::Queue", f"{name}Queue")
    arn = {"Fn::GetAtt": [dead_letters, "Arn"]}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": 5}
    assert queue["VisibilityTimeout"] == 6 * 120 + 5
    assert queue["MessageRetentionPeriod"] == kept["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is kept["SqsManagedSseEnabled"] is True
    _, queue = other.named("AWS::SQS::Queue", f"{name}Queue")
    window = {"Events": 7, "Changes": 5}[name]
    assert (queue["RedrivePolicy"]["maxReceiveCount"], queue["VisibilityTimeout"]) == (2, 6 * 30 + window)


@pytest.mark.parametrize("name", ["Events", "Changes"])
def test_the_first_dead_letter_raises_an_alarm(name: str, stack: Synthesized) -> None:
    dead_letters, _ = stack.named("AWS::SQS::Queue", f"{name}DeadLetters")
    (topic,) = stack.all_of("AWS::SNS::Topic")
    _, alarm = stack.named("AWS::CloudWatch::Alarm", f"{name}DeadLettersAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [dead_letters, "QueueName"]}}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"]) == (
        "GreaterThanThreshold",
        0,
        1,
    )
    assert alarm["AlarmActions"] == [{"Ref": topic}]


def test_the_topic_is_encrypted_and_accepts_tls_only(stack: Synthesized) -> None:
    ((key, key_properties),) = stack.all_of("AWS::KMS::Key").items()
    assert stack.one_of("AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert key_properties["EnableKeyRotation"] is True
    statements = stack.one_of("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    denied = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [(each["Principal"], each["Condition"]) for each in denied] == [
        ("*", {"Bool": {"aws:SecureTransport": "false"}})
    ]


def test_alarms_of_this_account_may_publish_to_the_encrypted_topic(stack: Synthesized) -> None:
    alarms = {"Service": "cloudwatch.amazonaws.com"}
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    policies = (stack.one_of("AWS::SNS::TopicPolicy")["PolicyDocument"], stack.one_of("AWS::KMS::Key")["KeyPolicy"])
    actions = []
    for policy in policies:
        (statement,) = (each for each in policy["Statement"] if each["Principal"] == alarms)
        assert statement["Condition"] == ours
        actions.append(statement["Action"])
    assert actions == ["sns:Publish", ["kms:Decrypt", "kms:GenerateDataKey"]]


def test_a_subscriber_is_given_nothing_but_messages(stack: Synthesized, other: Synthesized) -> None:
    """The topics let nobody in but alarms, which publish. Who may subscribe is for the account's own policies."""
    for each in (stack, other):
        policies = each.all_of("AWS::SNS::TopicPolicy").values()
        allowed = [s for policy in policies for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert {json.dumps(s["Principal"]) for s in allowed} == {'{"Service": "cloudwatch.amazonaws.com"}'}
        assert {s["Action"] for s in allowed} == {"sns:Publish"}


def test_only_the_functions_that_find_may_write_to_the_table(subscribed: Synthesized) -> None:
    writers = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:*")
    granted = {
        name
        for kind in ("AWS::IAM::Role", "AWS::IAM::Policy")
        for name, properties in subscribed.all_of(kind).items()
        if any(f'"{action}"' in json.dumps(properties) for action in writers)
    }
    parts = ("DiagnoseRole", "RecheckRole", "ExamineRole")
    assert granted == {subscribed.named("AWS::IAM::Role", part)[0] for part in parts}
    table = next(iter(subscribed.all_of("AWS::DynamoDB::GlobalTable").values()))
    assert "ResourcePolicy" not in json.dumps(table)


def test_the_topic_sends_mail_to_the_address_in_the_settings(stack: Synthesized, other: Synthesized) -> None:
    assert stack.all_of("AWS::SNS::Subscription") == {}
    subscription = other.one_of("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")


def test_the_findings_table_outlives_the_stack(stack: Synthesized) -> None:
    ((name, table),) = stack.all_of("AWS::DynamoDB::GlobalTable").items()
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("due", {"ProjectionType": "KEYS_ONLY"})
    assert index["KeySchema"] == [
        {"AttributeName": "queue", "KeyType": "HASH"},
        {"AttributeName": "look_at", "KeyType": "RANGE"},
    ]
    assert {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]} == {
        "id": "S",
        "queue": "S",
        "look_at": "N",
    }
    (replica,) = table["Replicas"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert replica["DeletionProtectionEnabled"] is True
    resource = stack.template["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_table_of_the_tests_and_the_demo_is_the_same(stack: Synthesized) -> None:
    table = stack.one_of("AWS::DynamoDB::GlobalTable")
    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        emulated = client.describe_table(TableName=create_table(client, "findings"))["Table"]
    assert emulated["KeySchema"] == table["KeySchema"]
    assert emulated["BillingModeSummary"]["BillingMode"] == table["BillingMode"]
    by_name = {each["AttributeName"]: each for each in emulated["AttributeDefinitions"]}
    assert by_name == {each["AttributeName"]: each for each in table["AttributeDefinitions"]}
    (index,), (deployed,) = emulated["GlobalSecondaryIndexes"], table["GlobalSecondaryIndexes"]
    assert {name: index.get(name) for name in deployed} == deployed


def test_the_outputs_have_the_command_for_another_account(stack: Synthesized) -> None:
    outputs = stack.template["Outputs"]
    assert set(outputs) == {
        *("TopicArn", "QueueUrl", "DeadLetterQueueUrl", "ChangesQueueUrl", "ChangesDeadLetterQueueUrl", "TableName"),
        *("DiagnoseFunctionName", "RecheckFunctionName", "ExamineFunctionName"),
        *("ResponderRoleArns", "MemberRoleCommand"),
        "SecurityHubSetup",
    }
    names = [stack.named("AWS::IAM::Role", part)[0] for part in ("DiagnoseRole", "RecheckRole")]
    roles: list[Any] = [{"Fn::GetAtt": [name, "Arn"]} for name in names]
    assert outputs["ResponderRoleArns"]["Value"] == {"Fn::Join": ["", [roles[0], ",", roles[1]]]}
    before, *arns, after = outputs["MemberRoleCommand"]["Value"]["Fn::Join"][1]
    assert "--template-file infra/member-role.yaml" in before
    assert before.endswith("ResponderRoleArns=")
    assert (arns, after) == ([roles[0], ",", roles[1]], " RoleName=PullResponderReadOnly")
    # An account has one role of this name. The command of a second stack would replace whom it trusts.
    assert "join the ResponderRoleArns of both by a comma" in outputs["MemberRoleCommand"]["Description"]


def asset_of(stack: Synthesized, properties: dict[str, Any]) -> Path:
    return stack.folder / f"asset.{properties['S3Key'].removesuffix('.zip')}"


def test_the_deployed_code_is_the_runtime_code_only(stack: Synthesized) -> None:
    asset = asset_of(stack, function_of(stack)["Code"])
    assert [each.name for each in asset.iterdir()] == ["pull_responder"]
    deployed = {each.name for each in (asset / "pull_responder").iterdir()}
    assert {"handlers", "events", "facts", "checks", "authorization", "findings", "publish", "model"} <= deployed
    assert not {"cli", "demo", "emulator", "generate"} & deployed
    others = [each.name for each in asset.rglob("*") if each.is_file() and each.suffix not in (".py", ".pyc")]
    assert sorted(others) == ["page.css", "page.js"]


def test_the_layer_holds_the_dependencies_and_nothing_of_this_machine(stack: Synthesized) -> None:
    layer = stack.one_of("AWS::Lambda::LayerVersion")
    assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == (["python3.13"], ["arm64"])
    assert layer["Description"].endswith(f", with boto3 {boto3.__version__}")
    asset = asset_of(stack, layer["Content"])
    assert [each.name for each in asset.iterdir()] == ["python"]
    assert (asset / "python" / "aws_lambda_powertools" / "logging" / "__init__.py").is_file()
    assert not (asset / "python" / "bin").exists()
    assert not (asset / "python" / "aws_lambda_powertools" / "event_handler").exists()
    assert (asset / "python" / "boto3" / "session.py").is_file()
    assert not (asset / "python" / "botocore" / "data" / "rds").exists()
    files = [each for each in asset.rglob("*") if each.is_file()]
    assert [each for each in files if each.name == "RECORD" or each.suffix == ".so"] == []
    # All is Python: nothing depends on the processor.
    wheels = [each.read_text() for each in files if each.name == "WHEEL"]
    assert wheels
    assert [each for each in wheels if "-none-any" not in each or "Root-Is-Purelib: true" not in each] == []


def test_the_functions_code_and_their_layer_are_small(stack: Synthesized) -> None:
    # Lambda quotas: 250 MB with all layers. This keeps far below: what is larger takes longer to load.
    contents = (stack.one_of("AWS::Lambda::LayerVersion")["Content"], function_of(stack)["Code"])
    files = [each for content in contents for each in asset_of(stack, content).rglob("*") if each.is_file()]
    assert sum(each.stat().st_size for each in files) < 15_000_000


def nag(folder: Path, *, with_fault: bool) -> None:
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    settings = Settings(
        alert_email="ops@example.com", audit_log_clusters=("prod",), forwarded_event_source="kubernetes.events"
    )
    stack = PullResponderStack(app, "PullResponder", settings=settings)
    if with_fault:
        sqs.Queue(stack, "AcceptsPlainHttp")
    add_scanners(app)
    app.synth()


def test_cdk_nag_finds_nothing_without_an_answer(tmp_path: Path) -> None:
    nag(tmp_path, with_fault=False)


def test_cdk_nag_would_find_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Validation"):
        nag(tmp_path, with_fault=True)
