"""The part of pull_through_cache_failing that is about the upstream registry, not about the role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.model.pull import Symptom
from tests.integration.checks.estate import PULL, allow, because_no
from tests.integration.checks.registry_estate import missing, of_cause, push, reasons, reported

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn
    from tests.integration.checks.estate import Estate

CAUSE = "pull_through_cache_failing"
MAY_ALL = allow(*PULL, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
REFUSED = "UpstreamAccessDenied: The authentication to the upstream registry failed"
KUBELET = "denied: The authentication to the upstream registry failed. Verify that the credentials are correct"
IMPORT = "ecr:BatchImportUpstreamImage"
NOT_FOUND = "failed to resolve reference: docker-hub/app: name unknown: The repository does not exist"


def _rule(estate: Estate, **secret: str) -> str:
    """A rule docker-hub with a secret; its ARN."""
    made = estate.client("secretsmanager").create_secret(
        Name=f"ecr-pullthroughcache/hub-{estate.account}", SecretString="made up", **secret
    )
    arn: str = made["ARN"]
    estate.client("ecr").create_pull_through_cache_rule(
        ecrRepositoryPrefix="docker-hub", upstreamRegistryUrl="registry-1.docker.io", credentialArn=arn
    )
    return arn


@pytest.fixture
def cached(estate: Estate) -> Arn:
    return missing(estate, "docker-hub/app")


def test_a_secret_that_is_being_deleted_is_restored(estate: Estate, cached: Arn) -> None:
    secret = _rule(estate)
    estate.client("secretsmanager").delete_secret(SecretId=secret)
    pull = reported(estate, cached, NOT_FOUND, role=estate.role(MAY_ALL))
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(cached))
    assert f"The secret {secret} of the rule docker-hub is scheduled for deletion." in finding.explanation
    estate.run(finding.remediation)
    assert "whether registry-1.docker.io has it" in reasons(estate.diagnose(pull))[CAUSE]


def test_a_secret_that_is_gone(estate: Estate, cached: Arn) -> None:
    secret = _rule(estate)
    estate.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    finding = of_cause(estate.diagnose(reported(estate, cached, NOT_FOUND, role=estate.role(MAY_ALL))), CAUSE)
    assert f"The secret {secret} of the rule docker-hub does not exist" in finding.explanation
    assert finding.remediation.commands == ()


def test_a_secret_under_a_key_of_ones_own(estate: Estate, cached: Arn) -> None:
    key = estate.client("kms").create_key()["KeyMetadata"]["Arn"]
    _rule(estate, KmsKeyId=key)
    pull = reported(estate, cached, NOT_FOUND, role=estate.role(MAY_ALL))
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert f"is encrypted with the key {key}" in finding.explanation
    assert "alias/aws/secretsmanager" in finding.remediation.commands[0]


def test_both_faults_are_fixed_in_one_round(estate: Estate, cached: Arn) -> None:
    secret = _rule(estate)
    estate.client("secretsmanager").delete_secret(SecretId=secret)
    pull = reported(estate, cached, NOT_FOUND, role=estate.role(allow(*PULL)))
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert "may not call" in finding.explanation
    assert "scheduled for deletion" in finding.explanation
    estate.run(finding.remediation)
    assert "whether registry-1.docker.io has it" in reasons(estate.diagnose(pull))[CAUSE]


@pytest.mark.parametrize("told_by", ["event", "kubelet"])
def test_an_upstream_registry_that_refuses(estate: Estate, cached: Arn, told_by: str) -> None:
    secret = _rule(estate)
    pull = reported(
        estate,
        cached,
        KUBELET if told_by == "kubelet" else None,
        symptom=Symptom.NOT_FOUND,
        upstream_failure=REFUSED if told_by == "event" else None,
        role=estate.role(MAY_ALL),
    )
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert "could not fetch the image from registry-1.docker.io" in finding.explanation
    assert finding.evidence[-1] == (f"ECR said: {REFUSED}" if told_by == "event" else f"kubelet said: {KUBELET}")
    assert secret in finding.remediation.summary


def test_what_has_been_cached_since_is_no_fault_any_more(estate: Estate) -> None:
    _rule(estate)
    repository = estate.repository(name="docker-hub/app")
    push(estate, repository, "v2")
    role = estate.role(MAY_ALL)
    pull = reported(estate, repository, symptom=Symptom.NOT_FOUND, tag="v2", upstream_failure=REFUSED, role=role)
    assert estate.diagnose(pull).findings == ()
    # Another tag of the same repository is still to be fetched.
    other = reported(estate, repository, symptom=Symptom.NOT_FOUND, tag="v3", upstream_failure=REFUSED, role=role)
    of_cause(estate.diagnose(other), CAUSE)


def test_a_repository_of_no_cache_is_not_the_upstreams(estate: Estate) -> None:
    _rule(estate)
    pull = reported(estate, estate.repository(name="docker-hubble/app"), symptom=Symptom.NOT_FOUND, tag="v2")
    of_cause(estate.diagnose(pull), "image_not_found")


def test_a_secret_that_cannot_be_read_is_open(estate: Estate, cached: Arn) -> None:
    _rule(estate)
    pull = reported(estate, cached, NOT_FOUND, role=estate.role(MAY_ALL))
    diagnosis = estate.diagnose(pull, unreadable=["secretsmanager:DescribeSecret"])
    assert "secretsmanager:DescribeSecret" in reasons(diagnosis)[CAUSE]
    assert CAUSE not in diagnosis.passed


@pytest.mark.cause(CAUSE, "fails")
def test_a_refused_role_that_may_by_now_still_needs_the_secret(estate: Estate, cached: Arn) -> None:
    """ECR refuses the role first. Once the role is right, the next pull fails upstream, so both are told at once."""
    secret = _rule(estate)
    estate.client("secretsmanager").delete_secret(SecretId=secret)
    refused = because_no("identity-based policy", IMPORT)
    by_now = estate.denied(estate.role(MAY_ALL), cached, refused, action=IMPORT)
    finding = of_cause(estate.diagnose(by_now), CAUSE)
    assert f"The secret {secret} of the rule docker-hub is scheduled for deletion." in finding.explanation
    assert "may not call" not in finding.explanation
    lacking = estate.role(allow(*PULL), name="lacking")
    both = of_cause(estate.diagnose(estate.denied(lacking, cached, refused, action=IMPORT)), CAUSE)
    assert f"may not call {IMPORT}" in both.explanation
    assert f"The secret {secret} of the rule docker-hub is scheduled for deletion." in both.explanation
    assert len(both.remediation.commands) > len(finding.remediation.commands)
    estate.run(finding.remediation)
    assert CAUSE in estate.diagnose(by_now).passed


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_refused_role_of_a_repository_that_exists_leaves_the_secret_alone(estate: Estate) -> None:
    """The denial names no image, which may be cached by now."""
    secret = _rule(estate)
    estate.client("secretsmanager").delete_secret(SecretId=secret)
    there = estate.repository(name="docker-hub/app")
    refused = because_no("identity-based policy", IMPORT)
    assert CAUSE in estate.diagnose(estate.denied(estate.role(MAY_ALL), there, refused, action=IMPORT)).passed


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("unreadable", ["secretsmanager:DescribeSecret", "ecr:GetRepositoryPolicy"])
def test_a_refused_role_that_may_by_now_leaves_open_what_cannot_be_read(
    estate: Estate, cached: Arn, unreadable: str
) -> None:
    _rule(estate)
    refused = because_no("identity-based policy", IMPORT)
    pull = estate.denied(estate.role(MAY_ALL), cached, refused, action=IMPORT)
    diagnosis = estate.diagnose(pull, unreadable=[unreadable])
    assert diagnosis.findings == ()
    assert unreadable in reasons(diagnosis)[CAUSE]
