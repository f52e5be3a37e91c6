from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.registry_estate import mentioned, reported

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding
    from tests.integration.checks.estate import Estate

CAUSE = "credential_provider_failing"
EXECING = "error execing credential provider plugin ecr-credential-provider for image x: fork/exec /etc/eks/ecr: "
NO_CREDENTIALS = (
    "unexpected status from HEAD request to https://x/v2/a/manifests/v1: 401 Unauthorized: no basic auth credentials"
)


def of_provider(diagnosis: Diagnosis) -> Finding:
    """Its finding. The estate's nodes have no way to ECR either, which a pull without credentials is told, too."""
    (finding,) = [each for each in diagnosis.findings if each.cause == CAUSE]
    return finding


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("why", ["no such file or directory", "permission denied", "exec format error"])
def test_a_provider_that_cannot_run(estate: Estate, why: str) -> None:
    pull = reported(estate, estate.repository(), EXECING + why)
    finding = of_provider(estate.diagnose(pull))
    assert finding.explanation.startswith("kubelet cannot run its ECR credential provider")
    assert finding.resource.id.endswith(f":instance/{pull.node}")
    assert "EKS optimized AMI" in finding.remediation.summary


def test_a_credential_helper_that_is_missing_is_not_kubelets_provider(estate: Estate) -> None:
    said = (
        'error getting credentials - err: exec: "docker-credential-ecr-login": executable file not found in $PATH, '
        "out: ``"
    )
    finding = of_provider(estate.diagnose(reported(estate, estate.repository(), said)))
    assert finding.explanation.startswith("The node cannot run its credential helper")
    assert "docker-credential-ecr-login" in finding.remediation.summary


def test_a_credential_helper_that_ran_and_found_nothing_is_not_said_to_be_missing(estate: Estate) -> None:
    said = "error getting credentials - err: exit status 1, out: `credentials not found in native keychain`"
    diagnosis = estate.diagnose(reported(estate, estate.repository(), said))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}
    assert CAUSE in {each.cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}


def test_without_such_words_it_is_what_is_left_and_what_to_look_at_is_said(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), NO_CREDENTIALS))
    open_ = {each.cause: each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
    assert "journalctl -u kubelet" in open_[CAUSE]
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_provider_that_ran_and_was_refused_is_another_cause(estate: Estate) -> None:
    said = (
        f"{EXECING}exit status 1: operation error ECR: GetAuthorizationToken, api error AccessDeniedException: denied"
    )
    assert CAUSE not in {
        finding.cause for finding in estate.diagnose(reported(estate, estate.repository(), said)).findings
    }


@pytest.mark.cause(CAUSE, "unread")
def test_nothing_readable_is_needed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), EXECING + "permission denied")
    assert of_provider(estate.diagnose(pull, unreadable=["ecr:*", "ec2:*", "iam:*", "eks:*"]))


@pytest.mark.cause(CAUSE, "passes")
def test_credentials_that_were_shown_say_nothing_of_the_provider(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), "403 Forbidden"))
    assert CAUSE not in mentioned(diagnosis)
