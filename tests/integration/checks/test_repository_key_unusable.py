from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from tests.integration.checks.estate import arn_of, because_no, deny
from tests.integration.checks.registry_estate import of_cause, push, reasons, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "repository_key_unusable"
FORBIDDEN = "failed to resolve reference: unexpected status from HEAD request: 403 Forbidden"
BY_S3 = (
    "failed to pull and unpack image: failed to copy: httpReadSeeker: failed open: unexpected status from GET request "
    "to https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/aa/bb: 403 Forbidden\n"
    "<Error><Code>KMS.DisabledException</Code><Message>the key is disabled.</Message></Error>"
)


def _encrypted(estate: Estate) -> tuple[Arn, str]:
    """A repository that a new key encrypts, and the key's ARN."""
    key: str = estate.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"encryptionType": "KMS", "kmsKey": key}
    made = estate.client("ecr").create_repository(repositoryName="team/app", encryptionConfiguration=encryption)
    repository = arn_of(made["repository"]["repositoryArn"])
    push(estate, repository, "v1")
    return repository, key


@pytest.mark.cause(CAUSE, "fails")
def test_a_disabled_key(estate: Estate) -> None:
    repository, key = _encrypted(estate)
    estate.client("kms").disable_key(KeyId=key)
    pull = reported(estate, repository, FORBIDDEN)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsKmsKey", key)
    assert "is in state Disabled" in finding.explanation
    assert str(repository) in finding.explanation
    estate.run(finding.remediation)
    assert CAUSE in estate.diagnose(pull).passed


def test_a_key_that_is_to_be_deleted(estate: Estate) -> None:
    repository, key = _encrypted(estate)
    estate.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    pull = reported(estate, repository, FORBIDDEN)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert [command[2] for command in finding.remediation.commands] == ["cancel-key-deletion", "enable-key"]
    estate.run(finding.remediation)
    assert CAUSE in estate.diagnose(pull).passed


def test_a_key_that_is_gone(estate: Estate) -> None:
    gone = f"arn:aws:kms:us-east-1:{estate.account}:key/00000000-0000-0000-0000-000000000000"
    encryption = {"encryptionType": "KMS", "kmsKey": gone}
    made = estate.client("ecr").create_repository(repositoryName="team/app", encryptionConfiguration=encryption)
    pull = reported(estate, arn_of(made["repository"]["repositoryArn"]), FORBIDDEN)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert "is gone" in finding.explanation
    assert finding.remediation.commands == ()


@pytest.mark.cause(CAUSE, "passes")
def test_a_key_that_works_passes(estate: Estate) -> None:
    repository, _ = _encrypted(estate)
    diagnosis = estate.diagnose(reported(estate, repository, FORBIDDEN))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed


def test_without_a_key_there_is_nothing_to_look_at(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), FORBIDDEN), unreadable=["kms:*"])
    assert CAUSE not in {each.cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
    assert CAUSE not in diagnosis.passed


def test_it_is_reported_beside_what_aws_blamed(estate: Estate) -> None:
    repository, key = _encrypted(estate)
    estate.client("kms").disable_key(KeyId=key)
    role = estate.role(deny("ecr:BatchGetImage"))
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("identity-based policy")))
    assert {"role_lacks_pull_permissions", CAUSE} <= {finding.cause for finding in diagnosis.findings}


@pytest.mark.cause(CAUSE, "unread")
def test_a_key_that_cannot_be_read_is_open(estate: Estate) -> None:
    repository, _ = _encrypted(estate)
    diagnosis = estate.diagnose(reported(estate, repository, FORBIDDEN), unreadable=["kms:DescribeKey"])
    assert "kms:DescribeKey" in reasons(diagnosis)[CAUSE]


def test_where_s3_blames_the_key_one_that_cannot_be_read_may_be_the_explanation(estate: Estate) -> None:
    repository, key = _encrypted(estate)
    pull = reported(estate, repository, BY_S3)
    refused = estate.diagnose(pull, unreadable=["kms:DescribeKey"])
    assert [each.cause for each in refused.inconclusive] == [CAUSE]
    estate.client("kms").disable_key(KeyId=key)
    assert [each.cause for each in estate.diagnose(pull).findings] == [CAUSE]


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_timeout_is_no_matter_of_keys(estate: Estate) -> None:
    repository, key = _encrypted(estate)
    estate.client("kms").disable_key(KeyId=key)
    diagnosis = estate.diagnose(reported(estate, repository, symptom=Symptom.TIMEOUT))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}
