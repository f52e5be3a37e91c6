"""What the policy of a customer managed key needs, so that it can be the setting `encryptionKeyArn`."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

_USE = ("kms:Decrypt", "kms:GenerateDataKey")


def key_policy_statements() -> list[iam.PolicyStatement]:
    """Return the statements, for a key of the account and region of the stack.

    They let AWS's services use the key for this account alone. The functions' roles have what they need in their own
    policies, which count where the key's policy lets IAM policies of the account decide, as that of each new key does.

    - alarms publish to an encrypted topic: SNS developer guide, "Key management"
    - rules send to encrypted queues: SQS developer guide, "Key management"
    - CloudWatch Logs encrypts log groups: CloudWatch Logs user guide, "Encrypt log data using AWS KMS"
    """
    ours = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
    groups = f"arn:{cdk.Aws.PARTITION}:logs:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:log-group:*"
    return [
        iam.PolicyStatement(
            sid="PullResponderAlarms",
            actions=list(_USE),
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=["*"],
            conditions=ours,
        ),
        iam.PolicyStatement(
            sid="PullResponderRules",
            actions=list(_USE),
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            resources=["*"],
            conditions=ours,
        ),
        iam.PolicyStatement(
            sid="PullResponderLogs",
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            principals=[iam.ServicePrincipal(f"logs.{cdk.Aws.REGION}.amazonaws.com")],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        ),
    ]
