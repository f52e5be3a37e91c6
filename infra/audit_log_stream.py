"""The stream of audit logs that an organization's other accounts and regions send."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import scanner_answers as answers
from infra.organization import AUDIT_LOGS_NAME, audit_logs_destination_name, audit_logs_role_name
from infra.permissions import Grant
from infra.scanner_answers import answer


class AuditLogStream(Construct):
    """A stream on demand, and the destination through which accounts of `organization_id` write to it.

    The destination is for log groups of this region. The template of members makes one for each other region, which
    leads to this stream with the same role: that is why both have names of their own. The stream keeps what it gets for
    24 hours, encrypted with `key`, or with Kinesis's own.

    - `stream`: the stream
    - `read`: what a function needs to read from it
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, organization_id: str | None, key: kms.IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.stream = kinesis.Stream(
            self,
            "Stream",
            stream_name=AUDIT_LOGS_NAME,
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.KMS if key else kinesis.StreamEncryption.MANAGED,
            encryption_key=key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        if key:
            answer(self.stream, answers.STREAM_KEY)
        # Nobody but who may pass this role can have CloudWatch Logs use it.
        role = iam.Role(
            self,
            "Role",
            role_name=audit_logs_role_name(stack.region),
            description="Lets CloudWatch Logs write audit logs to Pull Responder's stream",
            assumed_by=iam.ServicePrincipal("logs.amazonaws.com"),
            inline_policies={
                "write": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=list(grant.actions), resources=list(grant.resources))
                        for grant in (
                            Grant(("kinesis:PutRecord",), (self.stream.stream_arn,)),
                            # Kinesis Data Streams developer guide, "Permissions to use user-generated KMS keys".
                            *([Grant(("kms:GenerateDataKey",), (key.key_arn,))] if key else []),
                        )
                    ]
                )
            },
        )
        answer(role, answers.INLINE_POLICIES)
        name = audit_logs_destination_name(stack.region)
        destination = stack.format_arn(
            service="logs",
            resource="destination",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Organization",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "logs:PutSubscriptionFilter",
                    "Resource": destination,
                    "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization_id}},
                }
            ],
        }
        logs.CfnDestination(
            self,
            "Destination",
            destination_name=name,
            role_arn=role.role_arn,
            target_arn=self.stream.stream_arn,
            destination_policy=json.dumps(policy),
        )
        # Lambda developer guide, "Using Lambda with Kinesis": what the role needs, without enhanced fan-out. To decrypt
        # records it has what sending to the encrypted queue takes.
        reads = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
        self.read = Grant(tuple(f"kinesis:{each}" for each in reads), (self.stream.stream_arn,))
