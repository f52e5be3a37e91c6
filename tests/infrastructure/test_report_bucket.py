"""The bucket of reports: private, encrypted, over TLS only, and empty again in time. Without the setting, none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.infrastructure.conftest import NO_DEFAULTS
from tests.infrastructure.test_permissions import allowed, rendered

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

WRITERS = ("Diagnose", "Recheck")


def test_without_the_setting_there_is_no_bucket_and_nobody_may_write(stack: Synthesized) -> None:
    assert stack.all_of("AWS::S3::Bucket") == {}
    for name in WRITERS:
        role = stack.named("AWS::IAM::Role", f"{name}Role")[1]
        granting = [each for each in role["Policies"] if each["PolicyName"] != "limits"]
        assert "s3:PutObject" not in {action for policy in granting for action, _ in allowed(policy)}
        assert "REPORT_BUCKET" not in environment(stack, name)


def test_it_is_private_and_pages_expire(placed: Synthesized) -> None:
    bucket = placed.one_of("AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == NO_DEFAULTS.encryption_key_arn
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == NO_DEFAULTS.keep_days
    assert "Prefix" not in rule


def test_it_takes_no_request_without_tls(placed: Synthesized) -> None:
    statements = placed.one_of("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert {each["Effect"] for each in statements} == {"Deny"}
    conditions = [each["Condition"] for each in statements]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


@pytest.mark.parametrize("name", WRITERS)
def test_who_diagnoses_may_write_pages_and_nothing_else_there(name: str, placed: Synthesized) -> None:
    (bucket,) = placed.all_of("AWS::S3::Bucket")
    role = placed.named("AWS::IAM::Role", f"{name}Role")[1]
    (run,) = (policy for policy in role["Policies"] if policy["PolicyName"] == "run")
    of_s3 = {each for each in allowed(run) if each[0].startswith("s3:")}
    assert of_s3 == {("s3:PutObject", f"{bucket}.Arn/problems/*")}
    assert rendered(environment(placed, name)["REPORT_BUCKET"]) == bucket


def environment(found: Synthesized, name: str) -> dict[str, Any]:
    variables: dict[str, Any] = found.named("AWS::Lambda::Function", f"{name}Function")[1]["Environment"]["Variables"]
    return variables
