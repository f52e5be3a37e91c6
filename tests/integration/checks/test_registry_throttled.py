from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.model.pull import Symptom
from tests.integration.checks.registry_estate import mentioned, missing, of_cause, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "registry_throttled"
TOO_MANY = "failed to copy: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests"
UPSTREAM = "UpstreamTooManyRequests: You have reached your pull rate limit"


@pytest.mark.cause(CAUSE, "fails")
def test_a_registry_that_is_asked_too_often(estate: Estate) -> None:
    repository = estate.repository()
    finding = of_cause(estate.diagnose(reported(estate, repository, TOO_MANY)), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(repository))
    assert finding.explanation == "Amazon ECR answered that there are too many requests."
    assert finding.evidence == (f"kubelet said: {TOO_MANY}",)


def test_an_upstream_registry_that_is_asked_too_often(estate: Estate) -> None:
    estate.cache("quay")
    pull = reported(estate, missing(estate, "quay/app"), symptom=Symptom.THROTTLED, upstream_failure=UPSTREAM)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert "quay.io behind its pull through cache" in finding.explanation
    assert finding.evidence == (f"ECR said: {UPSTREAM}",)
    # The cache itself is not blamed for it, whatever the symptom that the event was given.
    unknown = reported(
        estate,
        missing(estate, "quay/app"),
        symptom=Symptom.UNKNOWN,
        upstream_failure=UPSTREAM,
        role=estate.role(name="b"),
    )
    causes = {each.cause for each in estate.diagnose(unknown).findings}
    assert CAUSE in causes
    assert "pull_through_cache_failing" not in causes


def test_a_token_has_no_repository(estate: Estate) -> None:
    finding = of_cause(estate.diagnose(reported(estate, None, symptom=Symptom.THROTTLED)), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsAccount", f"AWS::::Account:{estate.account}")


@pytest.mark.cause(CAUSE, "near_miss")
def test_kubelets_own_limit_is_not_the_registrys(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), "pull QPS exceeded")
    assert pull.symptom is Symptom.KUBELET_THROTTLED
    assert estate.diagnose(pull).findings == ()


@pytest.mark.cause(CAUSE, "passes")
def test_without_words_nothing_is_claimed(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), symptom=Symptom.UNKNOWN))
    assert CAUSE not in mentioned(diagnosis)
    assert CAUSE not in diagnosis.passed


@pytest.mark.cause(CAUSE, "unread")
def test_nothing_readable_is_needed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), TOO_MANY)
    of_cause(estate.diagnose(pull, unreadable=["ecr:*", "iam:*", "ec2:*"]), CAUSE)
