from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.model.arn import Arn
from pull_responder.model.pull import Stage
from tests.integration.checks.registry_estate import mentioned, of_cause, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "registry_unavailable"
ANSWERED = (
    "unexpected status from HEAD request to https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/a/manifests/v1: "
)
OF_S3 = "failed to copy: httpReadSeeker: failed open: unexpected status code "
BUCKET = "https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/a"


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Service Unavailable", "405 Method Not Allowed"])
def test_an_error_of_the_registry(estate: Estate, status: str) -> None:
    repository = estate.repository()
    diagnosis = estate.diagnose(reported(estate, repository, ANSWERED + status))
    finding = of_cause(diagnosis, CAUSE)
    assert (finding.resource.id, finding.severity) == (str(repository), "MEDIUM")
    assert finding.explanation.startswith("The registry answered with a server error")
    assert mentioned(diagnosis) == {CAUSE}


def test_an_error_of_the_layers_storage_is_called_that(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), f"{OF_S3}{BUCKET}: 503 Slow Down")
    finding = of_cause(estate.diagnose(replace(pull, stage=Stage.LAYER)), CAUSE)
    assert finding.explanation.startswith("Amazon S3, where ECR keeps the layers,")


@pytest.mark.cause(CAUSE, "near_miss")
@pytest.mark.parametrize("status", ["404 Not Found", "429 Too Many Requests", "403 Forbidden"])
def test_an_answer_about_the_request_is_no_error_of_the_registry(estate: Estate, status: str) -> None:
    assert CAUSE not in mentioned(estate.diagnose(reported(estate, estate.repository(), ANSWERED + status)))


@pytest.mark.cause(CAUSE, "unread")
def test_nothing_readable_is_needed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), ANSWERED + "502 Bad Gateway")
    assert of_cause(estate.diagnose(pull, unreadable=["ecr:*", "ec2:*", "iam:*", "eks:*"]), CAUSE)


@pytest.mark.cause(CAUSE, "passes")
def test_another_failure_is_not_this_one(estate: Estate) -> None:
    assert CAUSE not in mentioned(
        estate.diagnose(reported(estate, estate.repository(), "denied: Your authorization token has expired."))
    )


def test_of_awss_own_registry_nothing_is_said_to_be_unread(estate: Estate) -> None:
    owned = Arn("aws", "ecr", "us-east-1", "602401143452", "repository/eks/kube-proxy")
    diagnosis = estate.diagnose(reported(estate, owned, "failed to pull: something that nobody has seen"))
    assert "repository_policy_denies_pull" in {each.cause for each in diagnosis.unchecked}
    assert CAUSE not in {each.cause for each in diagnosis.unchecked}
