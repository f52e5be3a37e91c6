"""What the terminal knows of the causes without loading the checks is what the checks say."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check
from pull_responder.generate import known
from pull_responder.known_causes import KnownCause, known_causes
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.pulls.pull_facts import PullFacts

STALE = "lambdas/pull_responder/known_causes.json is stale: run `make generate`"


def test_every_cause_is_known_in_the_order_of_the_checks() -> None:
    assert [each.check.id for each in known_causes()] == [check.id for check in CHECKS], STALE


@pytest.mark.parametrize(
    ("cause", "check"), list(zip(known_causes(), CHECKS, strict=False)), ids=[c.id for c in CHECKS]
)
def test_all_of_a_check_is_known_but_its_code(cause: KnownCause, check: Check) -> None:
    assert cause.description == check.description, STALE
    for each in fields(Check):
        if each.name != "examine":
            assert getattr(cause.check, each.name) == getattr(check, each.name), f"{each.name}: {STALE}"


def test_a_known_check_examines_as_its_file_does() -> None:
    (cause,) = (each for each in known_causes() if each.check.id == "pull_failing_unexplained")
    pull = PullFailure(Symptom.TIMEOUT, None, "us-east-1")
    verdict = cause.check.examine(pull, PullFacts.__new__(PullFacts))
    assert verdict.reason == "only the deployed responder knows that a pull keeps failing"


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes has no form"):
        known._as_list(b"")
