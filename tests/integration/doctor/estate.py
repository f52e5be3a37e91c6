"""A small stack with one thing of each kind that the real one has, deployed by CloudFormation to the emulated AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pull_responder.emulator.emulated_aws import ACCOUNT

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

# A region of its own: other tests stop trails and switch Security Hub on and off.
REGION = "eu-central-1"
STACK = "DoctorsPatient"
CLUSTER = "doctor-audited"
OTHER_CLUSTER = "doctor-quiet"
GROUP = f"/aws/eks/{CLUSTER}/cluster"
TRAIL = "doctor-trail"
MAIL = "ops@example.com"
PATTERN = "?ErrImagePull ?ImagePullBackOff"
ALL_MANAGEMENT = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
DENIED_RULE = f"{STACK}-Rules-EcrTokenDenied"
CLOCK_RULE = f"{STACK}-ChangeRules-Clock"

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
_ATTRIBUTES = {"id": "S", "queue": "S", "look_at": "N"}
_TARGET = {"Id": "Queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}


def _rule(name: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 -- a template is any JSON
    return {"Type": "AWS::Events::Rule", "Properties": {"Name": name, "Targets": [_TARGET], **properties}}


def _policy(queue: str) -> dict[str, Any]:
    statement = {
        "Sid": "SendRules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": document}}


def template() -> dict[str, Any]:
    """The template, with the shapes that CDK writes."""
    function = {
        "Description": "Finds out why a pull fails",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    return {}\n"},
        "Environment": {"Variables": {"SECURITY_HUB_ENABLED": "true", "TOPIC_ARN": {"Ref": "Topic"}}},
    }
    table = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("id", "S"), ("queue", "S"), ("look_at", "N"))
        ],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "queue", "KeyType": "HASH"},
                    {"AttributeName": "look_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "Replicas": [{"Region": {"Ref": "AWS::Region"}}],
    }
    alarm = {
        "AlarmDescription": "Pull Responder: The function Diagnose fails",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 300,
        "Statistic": "Sum",
        "Threshold": 0,
        "AlarmActions": [{"Ref": "Topic"}],
    }
    source = ["arn:", {"Ref": "AWS::Partition"}, ":logs:", {"Ref": "AWS::Region"}, f":{ACCOUNT}:log-group:{GROUP}:*"]
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
        "Principal": "logs.amazonaws.com",
        "SourceAccount": {"Ref": "AWS::AccountId"},
        "SourceArn": {"Fn::Join": ["", source]},
    }
    layer = {"Description": "The packages, with boto3 1.43.1", "Content": {"S3Bucket": "b", "S3Key": "k"}}
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 5}
    pattern = {"source": ["aws.ecr"], "detail": {"eventName": ["GetAuthorizationToken"]}}
    return {
        "Resources": {
            "DeadLetters": {"Type": "AWS::SQS::Queue"},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": redrive, "VisibilityTimeout": 725}},
            "QueuePolicy": _policy("Queue"),
            "DeadLettersPolicy": _policy("DeadLetters"),
            "Denied": _rule(
                DENIED_RULE, Description="A registry token was refused", State=ALL_MANAGEMENT, EventPattern=pattern
            ),
            "Clock": _rule(
                CLOCK_RULE, Description="Time to recheck", State="ENABLED", ScheduleExpression="rate(1 hour)"
            ),
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _TRUST}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            # The SDK of whoever runs the doctor counts for nothing here: only that the layer tells its own.
            "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": layer},
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "Enabled": True,
                },
            },
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
            "Mail": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": MAIL},
            },
            "Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
            "Invoke": {"Type": "AWS::Lambda::Permission", "Properties": permission},
            "Subscription": {
                "Type": "AWS::Logs::SubscriptionFilter",
                "Properties": {
                    "LogGroupName": GROUP,
                    "FilterName": "pull-responder",
                    "FilterPattern": PATTERN,
                    "DestinationArn": {"Fn::GetAtt": ["Function", "Arn"]},
                },
            },
        },
        "Outputs": {
            "TopicArn": {"Value": {"Ref": "Topic"}},
            "TableName": {"Value": {"Ref": "Table"}},
            "DiagnoseFunctionName": {"Value": {"Ref": "Function"}},
            "SecurityHubSetup": {"Value": "ready"},
        },
    }


def deploy(aws: EmulatedAws) -> None:
    """Deploy the stack, and all that it needs besides: a trail, an audited cluster, Security Hub."""

    def client(service: str) -> Any:  # noqa: ANN401 -- the client's type follows from `service`
        return aws.client(service, region=REGION)

    client("logs").create_log_group(logGroupName=GROUP)
    made = client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(template()), Capabilities=["CAPABILITY_IAM"]
    )
    client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=made["StackId"], WaiterConfig={"Delay": 1}
    )
    # The emulator ignores the time to live in a template.
    table = client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId="Table")
    client("dynamodb").update_time_to_live(
        TableName=table["StackResourceDetail"]["PhysicalResourceId"],
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
    )
    client("s3").create_bucket(Bucket=TRAIL, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("cloudtrail").create_trail(Name=TRAIL, S3BucketName=TRAIL)
    client("cloudtrail").start_logging(Name=TRAIL)
    client("securityhub").enable_security_hub()
    role = f"arn:aws:iam::{ACCOUNT}:role/doctor-cluster"
    client("iam").create_role(RoleName="doctor-cluster", AssumeRolePolicyDocument=json.dumps(_TRUST))
    audit = {"clusterLogging": [{"types": ["audit"], "enabled": True}]}
    client("eks").create_cluster(
        name=CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]}, logging=audit
    )
