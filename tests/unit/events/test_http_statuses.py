"""HTTP statuses: their reason phrases as Go's net/http writes them, where runtimes write them, and what they mean."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from pull_responder.events.http_statuses import API_STATUSES, GATEWAY_STATUSES, STATUS_TEXTS, STATUSES
from pull_responder.events.kubelet_link import read_status
from pull_responder.model.pull import Symptom

# What Python calls otherwise than Go, and what ECR says for a status.
OTHERWISE = {"not authorized": "401", "rate exceeded": "429"}


@pytest.mark.parametrize("text", sorted(set(STATUS_TEXTS) - set(OTHERWISE)))
def test_a_reason_phrase_is_that_of_its_status(text: str) -> None:
    phrase = HTTPStatus(int(STATUS_TEXTS[text])).phrase.lower()
    assert phrase.replace("-", " ") == text.replace("-", " ")


@pytest.mark.parametrize(
    "status", [300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 405, 406, 407, 408, 409, 410, 421, 426, 429, 451]
)
def test_every_status_that_a_registry_or_a_proxy_answers_with_is_read(status: int) -> None:
    assert STATUS_TEXTS[HTTPStatus(status).phrase.lower()] == str(status)


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 505, 511])
def test_every_failure_of_a_server_is_read(status: int) -> None:
    assert STATUS_TEXTS[HTTPStatus(status).phrase.lower()] == str(status)


@pytest.mark.parametrize(("text", "status"), OTHERWISE.items())
def test_the_words_of_ecr(text: str, status: str) -> None:
    assert STATUS_TEXTS[text] == status


@pytest.mark.parametrize(
    "place",
    [
        "unexpected status",
        "unexpected status code",
        "unsupported status code",
        "unexpected head status code",
        "unexpected http status",
        "received unexpected http status",
        "pulling from host 111111111111.dkr.ecr.us-east-1.amazonaws.com failed with status code",
        "pulling from host 111111111111.dkr.ecr.us-east-1.amazonaws.com failed with unexpected status code",
        "invalid status code from registry",
        "error parsing http",
        "statuscode",
    ],
)
def test_a_status_stands_after_these_words_and_in_the_next_link(place: str) -> None:
    words = place.split()
    assert read_status([*words, "403", "forbidden"], []) == read_status(["403", "forbidden"], words) == "403"
    assert read_status(["x", *words, "403"], []) is None


def test_no_status_of_a_gateway_is_one_of_aws_or_beyond_those_of_http() -> None:
    assert sorted(GATEWAY_STATUSES) == [str(status) for status in range(520, 600)]


@pytest.mark.parametrize(
    ("statuses", "symptom"),
    [
        (["400", "405", "500", "501", "502", "503", "504", "505", "510", "512", "519"], Symptom.REGISTRY_ERROR),
        (["407", "511", "520", "530", "561", "599"], Symptom.PROXY_FAILED),
        (["401"], Symptom.NOT_AUTHENTICATED),
        (["403"], Symptom.ACCESS_DENIED),
        (["404"], Symptom.NOT_FOUND),
        (["429"], Symptom.THROTTLED),
    ],
)
def test_what_a_status_says_of_the_registry(statuses: list[str], symptom: Symptom) -> None:
    assert {STATUSES[status].symptom for status in statuses} == {symptom}
    of_api = [status for status in statuses if status not in {"400", "404", "405"}]
    assert [API_STATUSES.get(status) for status in statuses] == [
        STATUSES[status] if status in of_api else None for status in statuses
    ]


@pytest.mark.parametrize("status", ["200", "206", "402", "406", "408", "409", "416", "600"])
def test_a_status_that_says_nothing_of_the_pull_has_no_meaning(status: str) -> None:
    assert status not in STATUSES
