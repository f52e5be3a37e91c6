"""ECR's event about a pull through cache that could not fetch."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pull_responder.events.intake import Inspection, Origins, Skipped, UnusableEvent, read_body
from pull_responder.events.pull_through_cache_action import read_cache_action
from pull_responder.model.pull import PullFailure, Stage, Symptom

FAILED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "events" / "pull_through_cache_failed.json").read_text()
)


def read(event: dict[str, Any]) -> PullFailure | Inspection | Skipped:
    return read_body(json.dumps(event), origins=Origins("111111111111"))


def changed(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    event = copy.deepcopy(FAILED)
    event["detail"] = {name: value for name, value in {**event["detail"], **fields}.items() if value is not None}
    return event


def test_a_failure_names_the_repository_and_what_the_upstream_said() -> None:
    pull = read(FAILED)
    assert isinstance(pull, PullFailure)
    assert pull.upstream_failure == "UpstreamAccessDenied: The upstream registry refused the credentials"
    assert pull.image == "111111111111.dkr.ecr.us-west-2.amazonaws.com/docker-hub/library/alpine:3.17.2"
    assert (pull.symptom, pull.stage, pull.principal) == (Symptom.UNKNOWN, Stage.MANIFEST, None)
    assert (pull.account, pull.observed_at) == ("111111111111", "2026-03-01T12:00:00Z")


def test_an_event_without_resources_is_of_its_own_account() -> None:
    pull = read({**FAILED, "resources": []})
    assert isinstance(pull, PullFailure)
    assert (pull.registry_account, pull.region) == ("111111111111", "us-west-2")


def test_the_region_is_that_of_the_repository() -> None:
    pull = read({**FAILED, "region": "eu-west-1"})
    assert isinstance(pull, PullFailure)
    assert pull.region == "us-west-2"


def test_a_code_alone_is_enough_and_secrets_stay_behind() -> None:
    pull = read(changed(**{"failure-reason": "https://user:hunter2@registry\n\x1b[31mx", "failure-code": "X"}))
    assert isinstance(pull, PullFailure)
    assert pull.upstream_failure == "X: https://[redacted]@registry x"
    pull = read(changed(**{"failure-reason": None, "failure-code": "X"}))
    assert isinstance(pull, PullFailure)
    assert pull.upstream_failure == "X"


@pytest.mark.parametrize("status", ["FAILED", "FAILURE"])
def test_a_status_is_enough(status: str) -> None:
    pull = read(changed(**{"sync-status": status, "failure-reason": None, "failure-code": None}))
    assert isinstance(pull, PullFailure)
    assert pull.upstream_failure == f"sync-status {status}"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            changed(**{"sync-status": "IN_PROGRESS", "failure-code": None, "failure-reason": None}),
            "a pull through cache action that ended in IN_PROGRESS",
        ),
        (
            changed(**{"sync-status": "SUCCESS", "failure-code": None, "failure-reason": None}),
            "a pull through cache action that ended in SUCCESS",
        ),
        (
            changed(**{"sync-status": None, "failure-code": None, "failure-reason": None}),
            "a pull through cache action that ended in (no status)",
        ),
        (
            changed(**{"repository-name": "Not A Repository"}),
            "a failed pull through cache action that does not name its repository",
        ),
    ],
)
def test_what_is_no_failure_of_a_repository_is_skipped(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)


def test_a_detail_that_is_no_object_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^body\.detail is not an object but null$"):
        read({**FAILED, "detail": None})


OF_OTHER = "arn:aws:ecr:us-east-1:222222222222:repository/docker-hub/library/alpine"


@pytest.mark.parametrize(
    ("resources", "account", "region"),
    [
        ([OF_OTHER], "222222222222", "us-east-1"),
        (
            ["no ARN", 7, "arn:aws:s3:::bucket", "arn:aws:iam::333333333333:role/x", OF_OTHER],
            "222222222222",
            "us-east-1",
        ),
        (["arn:aws:ecr:us-east-1:me:repository/a", "arn:aws:s3:::bucket"], "111111111111", "us-west-2"),
    ],
)
def test_the_registry_is_that_of_the_repository(resources: list[object], account: str, region: str) -> None:
    pull = read({**FAILED, "resources": resources})
    assert isinstance(pull, PullFailure)
    assert (pull.registry_account, pull.region, pull.account) == (account, region, "111111111111")


@pytest.mark.parametrize("place", ["account", "region"])
def test_a_failure_of_no_place_is_skipped(place: str) -> None:
    nowhere = Skipped("a failed pull through cache action that does not name its repository")
    assert read({**FAILED, "resources": [], place: None}) == nowhere


@pytest.mark.parametrize(("code", "reason"), [("X", None), (None, "Y")])
def test_a_code_or_a_reason_is_a_failure_whatever_the_status(code: str | None, reason: str | None) -> None:
    pull = read(changed(**{"sync-status": "DONE", "failure-code": code, "failure-reason": reason}))
    assert isinstance(pull, PullFailure)
    assert pull.upstream_failure == (code or reason)


def test_a_failure_is_of_the_image_by_its_digest_and_known_by_the_events_id() -> None:
    digest = "sha256:" + "0f" * 32
    pull = read({**changed(**{"image-tag": None, "image-digest": digest}), "id": "e-1"})
    assert isinstance(pull, PullFailure)
    assert (pull.tag, pull.digest, pull.event_id) == (None, digest, "e-1")


def test_what_the_upstream_said_is_cut() -> None:
    pull = read(changed(**{"failure-code": "X", "failure-reason": "y" * 5_000}))
    assert isinstance(pull, PullFailure)
    assert pull.upstream_failure == "X: " + "y" * 1_021
    skipped = read(changed(**{"sync-status": "S" * 100, "failure-code": None, "failure-reason": None}))
    assert skipped == Skipped(f"a pull through cache action that ended in {'S' * 80}")


def test_where_a_detail_is_malformed_is_said_by_itself() -> None:
    with pytest.raises(UnusableEvent, match=r"^detail is not an object but null$"):
        read_cache_action({})
