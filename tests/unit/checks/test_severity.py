"""The severity of a cause is that of what is broken: an image, one repository, or what many pulls share."""

from __future__ import annotations

import pytest

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check
from pull_responder.model.verdict import Severity

OF_AN_IMAGE = {"image_not_found", "image_platform_mismatch", "repository_not_found"}
OF_ONE_REPOSITORY = {
    "repository_policy_denies_pull",
    "repository_policy_lacks_grant",
    "repository_key_unusable",
    "pull_through_cache_failing",
}
BY_WORDS_OR_BY_SOMEBODY = {
    "registry_throttled": Severity.MEDIUM,
    "registry_unavailable": Severity.MEDIUM,
    "pull_failing_unexplained": Severity.MEDIUM,
    "responder_is_blind": Severity.MEDIUM,
    "unexpected_principal_denied": Severity.INFORMATIONAL,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_severity_of_a_cause(check: Check) -> None:
    wanted = BY_WORDS_OR_BY_SOMEBODY.get(check.id, Severity.HIGH)
    if check.id in OF_AN_IMAGE:
        wanted = Severity.LOW
    elif check.id in OF_ONE_REPOSITORY:
        wanted = Severity.MEDIUM
    assert check.severity is wanted
