"""What real container clients say, each read as what was wrong: on the terminal, and on the way that is deployed.

The clients (containerd 1.6 to 2.1, CRI-O 1.30 and 1.36, dockerd 20.10 to 28.5, ECR's credential helper) pulled from a
registry that was made to fail in one way at a time. Where a client's words fit several readings, `also_…` has others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.events.pod_failure import PodFailure, read_pod_failure
from pull_responder.model.pull import PullFailure

FILE: Final = Path(__file__).parents[2] / "events" / "client_messages.jsonl"
SEEN: Final = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def accepted(seen: dict[str, Any], key: str) -> list[str | None]:
    also = seen.get(f"also_{key}", [])
    return [seen.get(key), *(also if isinstance(also, list) else [also])]


def named(seen: dict[str, Any]) -> str:
    return f"{seen['client']} {seen['version']} {seen['fault']}"


@pytest.mark.parametrize("seen", SEEN, ids=named)
def test_a_message_is_read_as_what_was_wrong(seen: dict[str, Any]) -> None:
    read = read_message(seen["message"])
    assert read.symptom in accepted(seen, "symptom")
    assert read.stage in accepted(seen, "stage")
    assert (str(read.image) if read.image else None) in accepted(seen, "image")


@pytest.mark.parametrize("seen", [each for each in SEEN if each.get("image")], ids=named)
def test_the_deployed_way_reads_the_same_and_lets_no_signature_through(seen: dict[str, Any]) -> None:
    raw: KubeletMessage = read_message(seen["message"])
    failure = PodFailure(account="111111111111", message=seen["message"])
    pull = read_pod_failure(json.loads(failure.body(region="us-east-1")))
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.stage, pull.denial) == (raw.symptom, raw.stage, raw.denial)
    assert "X-Amz-Signature=" not in (pull.message or "")
    assert "SECRETTOKEN" not in (pull.message or "")
