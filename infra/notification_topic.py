"""The SNS topic of notifications."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra import scanner_answers as answers
from infra.scanner_answers import answer


class NotificationTopic(Construct):
    """A topic that is encrypted at rest and accepts TLS only. `email`, if not None, is subscribed to it.

    With `key`, the topic is encrypted with that key. Otherwise the stack creates one, which goes with the stack:
    nothing that stays is encrypted with it. With the AWS managed key, alarms could not publish to the topic (SNS
    developer guide, "Key management").
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, email: str | None = None, key: kms.IKey | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.IKey = key or kms.Key(
            self,
            "Key",
            description="Encrypts Pull Responder's notifications",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(self, "Topic", display_name="Pull Responder", master_key=self.key, enforce_ssl=True)
        if email is not None:
            answer(self.topic.add_subscription(subscriptions.EmailSubscription(email)), answers.MAIL)

    def allow_alarms(self) -> None:
        """Allow CloudWatch alarms of this account to publish, in the policies of the topic and of its key.

        The policy of a key that does not belong to the app stays as it is: infra/key_policy.py has what it needs.
        """
        alarms = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(actions=["sns:Publish"], principals=[alarms], resources=[self.topic.topic_arn])
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], principals=[alarms], resources=["*"])
        )
