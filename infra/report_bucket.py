"""The bucket for the pages of diagnoses, to which notifications link (ADR 186)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra import scanner_answers as answers
from infra.escape_hatch import cfn_resource
from infra.permissions import SCOPES
from infra.scanner_answers import answer
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct

# pull_responder.publish.report_pages.
FOLDER = "problems"


class ReportBucket(s3.Bucket):
    """A private bucket, which takes requests over TLS only and deletes a page `settings.keep_days` after it came.

    `key`, if not None, encrypts it, instead of a key of S3. It stays when the stack is deleted: CloudFormation deletes
    no bucket that holds something. Its pages expire all the same.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey | None = None) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(settings.keep_days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        answer(self, answers.NO_VERSIONS, answers.NO_ACCESS_LOG, *([] if key else [answers.BUCKET_KEY]))

    @property
    def pages_arn(self) -> str:
        """The ARN that stands for all pages."""
        return self.arn_for_objects(f"{FOLDER}/*")

    def acknowledge_pages(self, role: iam.IRole) -> None:
        """Give cdk-nag the reason why `role` may write all pages."""
        name = cdk.Stack.of(self).resolve(cfn_resource(self, s3.CfnBucket).logical_id)
        finding = f"AwsSolutions-IAM5[Resource::<{name}.Arn>/{FOLDER}/*]"
        reason = SCOPES["s3:PutObject"].reason
        cdk.Validations.of(role).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))
