from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.diagnosis import diagnose
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Stage, Symptom
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.registry_estate import (
    NO_DIGEST,
    amend,
    lifecycle,
    missing,
    of_cause,
    push,
    reasons,
    reported,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "image_not_found"
UNKNOWN_TAG = "failed to resolve reference: manifest unknown: Requested image not found"


@pytest.mark.cause(CAUSE, "fails")
def test_a_tag_that_is_not_there(estate: Estate) -> None:
    repository = estate.repository()
    for tag in ("1.2.3", "1.2.4", "latest"):
        push(estate, repository, tag)
    finding = of_cause(estate.diagnose(reported(estate, repository, UNKNOWN_TAG, tag="v1.2.3")), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsEcrContainerImage", f"{repository}:v1.2.3")
    assert f"{repository} has no image v1.2.3. The nearest tags are 1.2.3, 1.2.4." in finding.explanation
    assert "expired" not in finding.explanation
    assert "Use the tag 1.2.3 or 1.2.4 in the pod" in finding.remediation.summary


def test_the_newest_tags_are_named_with_their_times(estate: Estate) -> None:
    repository = estate.repository()
    for tag in ("build-7", "build-9", "build-8", "build-10"):
        push(estate, repository, tag)
    images = estate.client("ecr").describe_images(repositoryName=repository.resource.partition("/")[2])
    times = {each["imageTags"][0]: each["imagePushedAt"] for each in images["imageDetails"]}
    newest = sorted(times, key=lambda tag: (-times[tag].timestamp(), tag))[:3]
    finding = of_cause(estate.diagnose(reported(estate, repository, UNKNOWN_TAG, tag="main")), CAUSE)
    said = ", ".join(f"{tag} ({times[tag].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})" for tag in newest)
    assert f"Newest tags: {said}." in finding.evidence


def test_one_that_has_been_pushed_since_is_said_to_be_there(estate: Estate) -> None:
    repository = estate.repository()
    pull = reported(estate, repository, UNKNOWN_TAG, tag="1.2.3")
    assert estate.diagnose(pull).note == ""
    push(estate, repository, "1.2.3")
    fixed = estate.diagnose(pull)
    assert (fixed.findings, fixed.inconclusive) == ((), ())
    assert fixed.note == "The image is there now: it was pushed after this pull failed."
    assert estate.diagnose(pull, unreadable=["ecr:DescribeImages"]).note == ""


def test_a_missing_layer_is_not_explained_by_an_image_that_is_there(estate: Estate) -> None:
    """The manifest was given out before: the image has not come since."""
    repository = estate.repository()
    push(estate, repository, "1.2.3")
    pull = replace(reported(estate, repository, "fetching blob: blob unknown", tag="1.2.3"), stage=Stage.LAYER)
    diagnosis = estate.diagnose(pull)
    assert (pull.symptom, diagnosis.note, CAUSE in diagnosis.passed) == (Symptom.NOT_FOUND, "", True)
    assert "a part of the image was not found" in reasons(diagnosis)["pull_failing_unexplained"]


def test_a_digest_that_is_not_there_whatever_the_tag(estate: Estate) -> None:
    repository = estate.repository()
    pull = reported(estate, repository, UNKNOWN_TAG, tag="v1", digest=NO_DIGEST)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert finding.resource.id == f"{repository}/{NO_DIGEST}"


@pytest.mark.parametrize(
    ("selection", "blamed"),
    [
        ({"tagStatus": "tagged", "tagPrefixList": ["v"], "countType": "imageCountMoreThan", "countNumber": 1}, True),
        ({"tagStatus": "tagged", "tagPatternList": ["*1.2*"], "countType": "sinceImagePushed", "countNumber": 9}, True),
        ({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, True),
        ({"tagStatus": "tagged", "tagPrefixList": ["rc"], "countType": "imageCountMoreThan", "countNumber": 1}, False),
        ({"tagStatus": "tagged", "tagPatternList": ["v?.*"], "countType": "imageCountMoreThan"}, False),
        ({"tagStatus": "untagged", "countType": "sinceImagePushed", "countNumber": 1}, False),
    ],
)
def test_it_says_which_lifecycle_rule_may_have_expired_it(
    estate: Estate, selection: dict[str, Any], *, blamed: bool
) -> None:
    repository = estate.repository()
    lifecycle(estate, repository, {"tagStatus": "tagged", "tagPrefixList": ["x"], "countType": "none"}, selection)
    finding = of_cause(estate.diagnose(reported(estate, repository, UNKNOWN_TAG, tag="v1.2.3")), CAUSE)
    assert ("rule 2 (rule of 2), which expires" in finding.explanation) is blamed
    assert "rule 1" not in finding.explanation


@pytest.mark.cause(CAUSE, "passes")
def test_an_image_that_is_there_passes(estate: Estate) -> None:
    repository = estate.repository()
    digest = push(estate, repository, "v2")
    for pull in (
        reported(estate, repository, UNKNOWN_TAG, tag="v2"),
        reported(estate, repository, UNKNOWN_TAG, tag="gone", digest=digest, role=estate.role(name="b")),
    ):
        diagnosis = estate.diagnose(pull)
        assert diagnosis.findings == ()
        assert CAUSE in diagnosis.passed


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING"])
def test_an_archived_image_is_restored(estate: Estate, status: str) -> None:
    repository = estate.repository()
    digest = push(estate, repository, "v2")
    aws = estate.connect()
    amend(aws, "ecr", "DescribeImages", lambda answer: answer["imageDetails"][0].update(imageStatus=status))
    finding = of_cause(diagnose(reported(estate, repository, UNKNOWN_TAG, tag="v2"), PullFacts(Reader(aws))), CAUSE)
    assert "is in the archive" in finding.explanation
    restore = (
        *("aws", "ecr", "update-image-storage-class", "--registry-id", estate.account),
        *("--repository-name", "team/app", "--image-id", f"imageDigest={digest}"),
        *("--target-storage-class", "STANDARD", "--region", "us-east-1"),
    )
    assert finding.remediation.commands == ((restore,) if status == "ARCHIVED" else ())


def test_an_archived_image_that_is_listed_alone(estate: Estate) -> None:
    repository = estate.repository()
    digest = push(estate, repository, "v2")
    aws = estate.connect()
    amend(aws, "ecr", "DescribeImages", lambda answer: answer["imageDetails"].clear())
    finding = of_cause(diagnose(reported(estate, repository, UNKNOWN_TAG, tag="v2"), PullFacts(Reader(aws))), CAUSE)
    assert digest in str(finding.remediation.commands)


ATTESTATION = (
    "failed to extract layer sha256:aa: failed to get stream processor for application/vnd.in-toto+json: no processor "
    "for media-type: unknown"
)


def test_a_tag_that_points_to_an_attestation_points_to_no_image(estate: Estate) -> None:
    repository = estate.repository()
    diagnosis = estate.diagnose(replace(reported(estate, repository, ATTESTATION), observed_at=None))
    finding = of_cause(diagnosis, CAUSE)
    assert finding.resource.id == f"{repository}:v1"
    assert "is no container image: it holds application/vnd.in-toto+json" in finding.explanation
    assert finding.evidence == (f"kubelet said: {ATTESTATION}",)
    assert "--provenance=false" in finding.remediation.summary
    assert diagnosis.note == ""


@pytest.mark.parametrize(("failed_at", "broken"), [("2020-01-01T00:00:00Z", False), ("2099-01-01T00:00:00Z", True)])
def test_a_tag_that_was_pushed_again_may_point_to_an_image(estate: Estate, failed_at: str, *, broken: bool) -> None:
    pull = replace(reported(estate, estate.repository(), ATTESTATION), observed_at=failed_at)
    assert (CAUSE in {finding.cause for finding in estate.diagnose(pull).findings}) is broken


def test_an_attestation_that_cannot_be_read_is_not_claimed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), ATTESTATION)
    assert CAUSE in reasons(estate.diagnose(pull, unreadable=["ecr:DescribeImages"]))


def test_without_a_repository_no_image_is_missing(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, missing(estate, "team/app"), UNKNOWN_TAG))
    assert [finding.cause for finding in diagnosis.findings] == ["repository_not_found"]


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_cache_fetches_what_it_lacks(estate: Estate) -> None:
    estate.cache("quay")
    diagnosis = estate.diagnose(reported(estate, estate.repository(name="quay/app"), UNKNOWN_TAG, tag="v9"))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("denied", ["ecr:DescribeImages", "ecr:DescribePullThroughCacheRules"])
def test_of_what_cannot_be_read_nothing_is_claimed(estate: Estate, denied: str) -> None:
    pull = reported(estate, estate.repository(), UNKNOWN_TAG, tag="v9")
    diagnosis = estate.diagnose(pull, unreadable=[denied])
    assert denied in reasons(diagnosis)[CAUSE]
    assert CAUSE not in diagnosis.passed


def test_what_only_helps_may_be_unreadable(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), UNKNOWN_TAG, tag="v9")
    finding = of_cause(estate.diagnose(pull, unreadable=["ecr:ListImages", "ecr:GetLifecyclePolicy"]), CAUSE)
    unread = " ".join(line for line in finding.evidence if line.startswith("Not read"))
    assert "ecr:ListImages" in unread
    assert "ecr:GetLifecyclePolicy" in unread
