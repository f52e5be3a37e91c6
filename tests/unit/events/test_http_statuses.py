"""Reason phrases of HTTP as Go's net/http writes them: each stands for its status."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from pull_responder.events.http_statuses import STATUS_TEXTS

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
