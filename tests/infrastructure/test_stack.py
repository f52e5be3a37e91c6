from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks

from infra.settings import Settings
from infra.stack import PullResponderStack
from pull_responder.events.audit_log import REASONS
from tests.infrastructure.conftest import Synthesized, synthesize

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The stack with no setting left at its default."""
    return synthesize(
        tmp_path_factory.mktemp("other"),
        Settings(
            alert_email="ops@example.com",
            notify_minimum_severity="HIGH",
            known_principals=("arn:aws:iam::111111111111:role/build",),
            security_hub=False,
            audit_log_clusters=("prod",),
            forwarded_event_source="kubernetes.events",
            health_check_rate="rate(2 hours)",
            member_role_name="Reader",
            memory_size=1024,
            timeout_seconds=30,
            batch_size=100,
            batching_window_seconds=7,
            max_receive_count=2,
            log_level="WARNING",
            log_retention_days=365,
        ),
    )


def function_of(stack: Synthesized) -> dict[str, Any]:
    return stack.named("AWS::Lambda::Function", "Diagnose")[1]


def test_the_function(stack: Synthesized, other: Synthesized) -> None:
    function = function_of(stack)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == "pull_responder.handlers.diagnose.handler"
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert (function["MemorySize"], function["Timeout"]) == (512, 120)
    assert (function_of(other)["MemorySize"], function_of(other)["Timeout"]) == (1024, 30)
    assert function_of(other)["LoggingConfig"]["ApplicationLogLevel"] == "WARN"
    assert "VpcConfig" not in function


def test_the_function_is_told_its_settings(stack: Synthesized, other: Synthesized) -> None:
    (topic,) = stack.all_of("AWS::SNS::Topic")
    assert function_of(stack)["Environment"]["Variables"] == {
        "KNOWN_PRINCIPALS": "[]",
        "NOTIFY_MINIMUM_SEVERITY": "LOW",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "PULL_RESPONDER_MEMBER_ROLE": "PullResponderReadOnly",
        "SECURITY_HUB_ENABLED": "true",
        "TOPIC_ARN": {"Ref": topic},
    }
    told = function_of(other)["Environment"]["Variables"]
    assert json.loads(told["KNOWN_PRINCIPALS"]) == ["arn:aws:iam::111111111111:role/build"]
    assert (told["NOTIFY_MINIMUM_SEVERITY"], told["SECURITY_HUB_ENABLED"]) == ("HIGH", "false")
    assert (told["PULL_RESPONDER_MEMBER_ROLE"], told["POWERTOOLS_LOG_LEVEL"]) == ("Reader", "WARNING")
    assert told["FORWARDED_EVENT_SOURCE"] == "kubernetes.events"


def test_each_audit_log_that_is_named_is_subscribed_to(subscribed: Synthesized) -> None:
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
        # Filter pattern syntax: terms with a question mark are alternatives, and nothing else may stand beside them.
        terms = each["FilterPattern"].split()
        assert {term[0] for term in terms} == {"?"}
        assert {term[1:] for term in terms} == REASONS


def test_only_the_logs_that_are_named_may_invoke_the_function(subscribed: Synthesized) -> None:
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
        # CloudWatch Logs tries the function when it is subscribed.
        assert name in subscription["DependsOn"]
    assert len(permissions) == 2


def test_without_clusters_no_log_is_read(stack: Synthesized) -> None:
    assert stack.all_of("AWS::Logs::SubscriptionFilter") == {}
    assert [name for name in stack.all_of("AWS::Lambda::Function") if "AuditLog" in name] == []


def test_the_log_goes_after_its_retention(stack: Synthesized, other: Synthesized) -> None:
    (log,) = stack.all_of("AWS::Logs::LogGroup")
    assert function_of(stack)["LoggingConfig"]["LogGroup"] == {"Ref": log}
    assert stack.one_of("AWS::Logs::LogGroup")["RetentionInDays"] == 30
    assert {each["RetentionInDays"] for each in other.all_of("AWS::Logs::LogGroup").values()} == {365}


def test_the_function_receives_batches_and_answers_for_each_message(stack: Synthesized, other: Synthesized) -> None:
    queue, _ = stack.named("AWS::SQS::Queue", "EventsQueue")
    mapping = stack.one_of("AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (25, 5)
    mapping = other.one_of("AWS::Lambda::EventSourceMapping")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 7)


def test_a_message_that_keeps_failing_is_kept_aside(stack: Synthesized, other: Synthesized) -> None:
    dead_letters, kept = stack.named("AWS::SQS::Queue", "EventsDeadLetters")
    _, queue = stack.named("AWS::SQS::Queue", "EventsQueue")
    arn = {"Fn::GetAtt": [dead_letters, "Arn"]}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": 5}
    assert queue["VisibilityTimeout"] == 6 * 120 + 5
    assert kept["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is kept["SqsManagedSseEnabled"] is True
    _, queue = other.named("AWS::SQS::Queue", "EventsQueue")
    assert (queue["RedrivePolicy"]["maxReceiveCount"], queue["VisibilityTimeout"]) == (2, 6 * 30 + 7)


def test_the_first_dead_letter_raises_an_alarm_at_the_topic(stack: Synthesized) -> None:
    dead_letters, _ = stack.named("AWS::SQS::Queue", "EventsDeadLetters")
    (topic,) = stack.all_of("AWS::SNS::Topic")
    alarm = stack.one_of("AWS::CloudWatch::Alarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [dead_letters, "QueueName"]}}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"]) == (
        "GreaterThanThreshold",
        0,
        1,
    )
    assert alarm["AlarmActions"] == [{"Ref": topic}]


def test_the_topic_is_encrypted_and_takes_tls_only(stack: Synthesized) -> None:
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


def test_mail_is_sent_to_who_is_named(stack: Synthesized, other: Synthesized) -> None:
    assert stack.all_of("AWS::SNS::Subscription") == {}
    subscription = other.one_of("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")


def test_the_findings_table_outlives_the_stack(stack: Synthesized) -> None:
    ((name, table),) = stack.all_of("AWS::DynamoDB::GlobalTable").items()
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    (replica,) = table["Replicas"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    resource = stack.template["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_outputs_say_how_to_let_it_read_another_account(stack: Synthesized) -> None:
    outputs = stack.template["Outputs"]
    assert set(outputs) == {
        *("TopicArn", "QueueUrl", "DeadLetterQueueUrl", "DiagnoseFunctionName", "DiagnoseRoleArn", "MemberRoleCommand"),
    }
    role, _ = stack.named("AWS::IAM::Role", "DiagnoseRole")
    assert outputs["DiagnoseRoleArn"]["Value"] == {"Fn::GetAtt": [role, "Arn"]}
    before, arn, after = outputs["MemberRoleCommand"]["Value"]["Fn::Join"][1]
    assert "--template-file infra/member-role.yaml" in before
    assert before.endswith("ResponderRoleArn=")
    assert (arn, after) == ({"Fn::GetAtt": [role, "Arn"]}, " RoleName=PullResponderReadOnly")


def asset_of(stack: Synthesized, properties: dict[str, Any]) -> Path:
    return stack.folder / f"asset.{properties['S3Key'].removesuffix('.zip')}"


def test_the_deployed_code_is_the_runtime_code_only(stack: Synthesized) -> None:
    asset = asset_of(stack, function_of(stack)["Code"])
    assert [each.name for each in asset.iterdir()] == ["pull_responder"]
    deployed = {each.name for each in (asset / "pull_responder").iterdir()}
    assert {"handlers", "events", "facts", "checks", "authorization", "findings", "publish", "model"} <= deployed
    assert "cli" not in deployed
    files = [each for each in asset.rglob("*") if each.is_file()]
    assert {each.suffix for each in files} <= {".py", ".json", ".typed"}
    assert not any("__pycache__" in each.parts for each in asset.rglob("*"))


def test_the_layer_holds_the_dependencies_and_nothing_of_this_machine(stack: Synthesized) -> None:
    layer = stack.one_of("AWS::Lambda::LayerVersion")
    assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == (["python3.13"], ["arm64"])
    asset = asset_of(stack, layer["Content"])
    assert [each.name for each in asset.iterdir()] == ["python"]
    assert (asset / "python" / "aws_lambda_powertools" / "logging" / "__init__.py").is_file()
    assert not (asset / "python" / "bin").exists()
    assert not (asset / "python" / "boto3").exists()
    assert [each for each in asset.rglob("*") if each.name == "RECORD" or each.suffix in {".so", ".pyc"}] == []


def nag(folder: Path, *, with_fault: bool) -> None:
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    settings = Settings(audit_log_clusters=("prod",), forwarded_event_source="kubernetes.events")
    stack = PullResponderStack(app, "PullResponder", settings=settings)
    if with_fault:
        sqs.Queue(stack, "TakesPlainHttp")
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def test_aws_solutions_checks_find_nothing(tmp_path: Path) -> None:
    nag(tmp_path, with_fault=False)


def test_aws_solutions_checks_would_find_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Validation"):
        nag(tmp_path, with_fault=True)
