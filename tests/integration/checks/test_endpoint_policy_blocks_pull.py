from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks import by_words
from tests.integration.checks.estate import MANIFEST, because_no, explicit_deny

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "endpoint_policy_blocks_pull"
TRANSITIVELY = " with an explicit deny in a service control policy transitively through a VPC endpoint policy"


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize(
    ("reason", "change"),
    [
        (because_no("VPC endpoint policy"), "must allow"),
        (explicit_deny("VPC endpoint policy"), "must not deny"),
        (TRANSITIVELY, "must not deny"),
    ],
    ids=["implicit", "explicit", "through another policy"],
)
def test_words(estate: Estate, reason: str, change: str) -> None:
    finding, role, _ = by_words.blamed(estate, CAUSE, reason)
    assert (finding.resource.type, finding.resource.id) == ("AwsIamRole", str(role))
    assert finding.remediation.account == estate.account
    assert f"that policy {change} {MANIFEST}" in finding.remediation.summary


def test_a_token(estate: Estate) -> None:
    by_words.blamed_for_a_token(estate, CAUSE, "VPC endpoint policy")


def test_words_where_nothing_can_be_read(estate: Estate) -> None:
    by_words.believed_where_nothing_can_be_read(estate, CAUSE, "VPC endpoint policy")


@pytest.mark.cause(CAUSE, "unread")
def test_an_older_message(estate: Estate) -> None:
    by_words.open_after_an_older_message(estate, CAUSE, "a VPC endpoint")


def test_words_that_blame_another_policy(estate: Estate) -> None:
    by_words.not_needed_where_the_words_blame_another(estate, CAUSE)
