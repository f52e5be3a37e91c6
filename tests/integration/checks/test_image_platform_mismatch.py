from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.diagnosis import diagnose
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Symptom
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.registry_estate import amend, index, lifecycle, of_cause, push, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "image_platform_mismatch"
NO_MATCH = 'failed to pull and unpack image "X": no match for platform in manifest: not found'
PULLED_LATELY = {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30}


@pytest.mark.cause(CAUSE, "fails")
def test_an_image_without_the_nodes_platform(estate: Estate) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=index("linux/arm64", "windows/amd64", "unknown/unknown"))
    finding = of_cause(estate.diagnose(reported(estate, repository, NO_MATCH, tag="v2")), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsEcrContainerImage", f"{repository}:v2")
    assert finding.explanation == (
        "The image team/app:v2 has no manifest for linux/amd64. It has linux/arm64, windows/amd64."
    )
    assert f"kubelet said: {NO_MATCH}" in finding.evidence
    assert "Build team/app:v2 for linux/amd64" in finding.remediation.summary


def test_it_is_seen_before_anything_has_failed(estate: Estate) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=index("linux/arm64"))
    diagnosis = estate.diagnose(reported(estate, repository, symptom=Symptom.UNKNOWN, tag="v2"))
    # Nothing is said of a failure.
    evidence = {finding.cause: finding.evidence for finding in diagnosis.findings}
    assert evidence[CAUSE] == ("The manifest of team/app:v2 lists linux/arm64.",)


FITTING: dict[str, dict[str, Any] | None] = {
    "the node's platform among others": index("linux/arm64", "linux/amd64"),
    "the 32 bits that it runs too": index("linux/386"),
    "an entry without a platform": index("linux/arm64", ""),
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize("manifest", FITTING.values(), ids=FITTING)
def test_an_image_that_fits_now_passes(estate: Estate, manifest: dict[str, Any]) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=manifest)
    diagnosis = estate.diagnose(reported(estate, repository, NO_MATCH, tag="v2"))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed
    assert "has a manifest for the node's platform now" in diagnosis.note


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_single_manifest_is_fetched_by_every_node(estate: Estate) -> None:
    repository = estate.repository()
    diagnosis = estate.diagnose(reported(estate, repository, symptom=Symptom.UNKNOWN), unreadable=["ecr:BatchGetImage"])
    assert CAUSE in diagnosis.passed
    of_cause(estate.diagnose(reported(estate, repository, NO_MATCH, role=estate.role(name="other"))), CAUSE)


def test_an_arm_node(estate: Estate) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=index("linux/arm"))
    push(estate, repository, "v3", manifest=index("linux/amd64"))
    aws = estate.connect()
    arm = {"Architecture": "arm64"}
    amend(aws, "ec2", "DescribeInstances", lambda answer: answer["Reservations"][0]["Instances"][0].update(arm))
    pull = reported(estate, repository, NO_MATCH, tag="v3")
    assert "for linux/arm64." in of_cause(diagnose(pull, PullFacts(Reader(aws))), CAUSE).explanation
    runs_too = reported(estate, repository, NO_MATCH, tag="v2", role=estate.role(name="other"))
    assert CAUSE in diagnose(runs_too, PullFacts(Reader(aws))).passed


@pytest.mark.parametrize("symptom", [Symptom.UNKNOWN, Symptom.PLATFORM_MISMATCH])
def test_a_read_that_would_change_something_is_not_made(estate: Estate, symptom: Symptom) -> None:
    estate.cache("quay")
    cached, counted = estate.repository(name="quay/app"), estate.repository(name="team/app")
    for repository in (cached, counted):
        push(estate, repository, "v2", manifest=index("linux/arm64"))
    lifecycle(estate, counted, PULLED_LATELY)
    aws = estate.connect()
    read: list[str] = []
    amend(aws, "ecr", "BatchGetImage", lambda answer: read.append(answer["images"][0]["repositoryName"]))
    for number, repository in enumerate((cached, counted)):
        role = estate.role(name=f"node{number}")
        pull = reported(estate, repository, symptom=symptom, tag="v2", role=role)
        found = {finding.cause for finding in diagnose(pull, PullFacts(Reader(aws))).findings}
        assert (CAUSE in found) is (symptom is Symptom.PLATFORM_MISMATCH)
    # A node that has just pulled has set the time of the last pull itself.
    assert read == (["team/app"] if symptom is Symptom.PLATFORM_MISMATCH else [])


@pytest.mark.cause(CAUSE, "unread")
def test_a_manifest_that_cannot_be_read(estate: Estate) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=index("linux/arm64"))
    for denied in ("ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribePullThroughCacheRules"):
        asked = reported(estate, repository, symptom=Symptom.UNKNOWN, tag="v2", role=estate.role(name=denied[4:]))
        diagnosis = estate.diagnose(asked, unreadable=[denied])
        # What else the question finds explains it, too: the emulated subnet has no way out.
        undecided = {each.cause: each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
        assert denied in undecided[CAUSE]
        assert CAUSE not in {finding.cause for finding in diagnosis.findings}
        assert CAUSE not in diagnosis.passed
    pull = reported(estate, repository, NO_MATCH, tag="v2")
    finding = of_cause(estate.diagnose(pull, unreadable=["ecr:BatchGetImage"]), CAUSE)
    assert finding.evidence == (f"kubelet said: {NO_MATCH}",)


def test_a_node_whose_platform_is_not_known(estate: Estate) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=index("linux/arm64"))
    pull = reported(estate, repository, NO_MATCH, tag="v2")
    finding = of_cause(estate.diagnose(pull, unreadable=["ec2:*", "eks:*"]), CAUSE)
    assert "no manifest for the platform of the node. It has linux/arm64." in finding.explanation


def test_an_index_that_is_none(estate: Estate) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest={**index(), "manifests": "none"})
    asked = reported(estate, repository, symptom=Symptom.PLATFORM_MISMATCH, tag="v2")
    finding = of_cause(estate.diagnose(asked), CAUSE)
    assert finding.evidence == ("The pull failed with platform_mismatch.",)
