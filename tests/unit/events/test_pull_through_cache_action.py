"""ECR's event about a pull through cache that could not fetch."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pull_responder.events.intake import Inspection, Origins, Skipped, UnusableEvent, read_body
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
