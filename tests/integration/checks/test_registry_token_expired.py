from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.model.pull import Symptom
from tests.integration.checks.registry_estate import mentioned, of_cause, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "registry_token_expired"
OLD_TOKEN = "pulling from host X failed with status code [manifests v1]: denied: Your authorization token has expired."
OLD_CREDENTIALS = "ECR: UnrecognizedClientException: The security token included in the request is invalid."


@pytest.mark.cause(CAUSE, "fails")
def test_an_old_registry_token(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), OLD_TOKEN)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert finding.resource.type == "AwsEc2Instance"
    assert finding.resource.id.endswith(f":instance/{pull.node}")
    assert "for pod shop/web-0 is older than 12 hours" in finding.explanation
    assert "imagePullSecret" in finding.remediation.summary
    assert finding.evidence == (f"kubelet said: {OLD_TOKEN}",)


def test_old_credentials_of_the_node(estate: Estate) -> None:
    finding = of_cause(estate.diagnose(reported(estate, estate.repository(), OLD_CREDENTIALS)), CAUSE)
    assert "rejects the credentials" in finding.explanation
    assert "imagePullSecret" not in finding.remediation.summary


SIGNATURES = (
    "InvalidSignatureException: Signature expired: 20260301T194251Z is now earlier than 20260302T123951Z",
    "RequestExpired: Request has expired.",
)


@pytest.mark.parametrize("code", SIGNATURES)
def test_a_wrong_clock_is_no_secret_of_a_pod(estate: Estate, code: str) -> None:
    said = f"operation error ECR: GetAuthorizationToken, https response error StatusCode: 400, api error {code}"
    diagnosis = estate.diagnose(reported(estate, estate.repository(), said))
    assert [each.cause for each in diagnosis.findings] == ["credential_provider_failing"]
    (finding,) = diagnosis.findings
    assert CAUSE not in mentioned(diagnosis)
    assert "the node's clock is wrong" in finding.explanation
    assert "imagePullSecret" not in finding.explanation + finding.remediation.summary
    assert "correct its clock" in finding.remediation.summary


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_refusal_is_another_thing(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), "unexpected status: 403 Forbidden")
    assert pull.symptom is Symptom.ACCESS_DENIED
    diagnosis = estate.diagnose(pull)
    assert CAUSE not in mentioned(diagnosis)


@pytest.mark.cause(CAUSE, "unread")
def test_a_node_that_cannot_be_read_is_named_by_its_cluster(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), OLD_TOKEN)
    finding = of_cause(estate.diagnose(pull, unreadable=["ec2:*"]), CAUSE)
    assert finding.resource.id == f"arn:aws:eks:us-east-1:{estate.account}:cluster/prod"


@pytest.mark.cause(CAUSE, "passes")
def test_without_words_nothing_is_claimed(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), symptom=Symptom.UNKNOWN))
    assert CAUSE not in mentioned(diagnosis)
    assert CAUSE not in diagnosis.passed
