from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks import by_words
from tests.integration.checks.estate import MANIFEST, because_no, explicit_deny

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "scp_blocks_pull"
READ = "organizations:DescribeOrganization"
POLICY = "arn:aws:organizations::999999999999:policy/o-abc/service_control_policy/p-12345678"


@pytest.mark.cause(CAUSE, "fails")
def test_words_that_name_the_policy(estate: Estate) -> None:
    finding, _, _ = by_words.blamed(estate, CAUSE, explicit_deny("service control policy", POLICY))
    assert (finding.resource.type, finding.resource.id) == ("Other", POLICY)
    assert finding.remediation.account == "999999999999"
    assert f"{POLICY} must not deny {MANIFEST}" in finding.remediation.summary


def test_words_that_do_not_name_it(estate: Estate) -> None:
    finding, _, _ = by_words.blamed(estate, CAUSE, because_no("service control policy"))
    assert (finding.resource.type, finding.resource.id) == ("AwsAccount", f"AWS::::Account:{estate.account}")
    assert finding.remediation.account == estate.account
    assert f"the service control policy must allow {MANIFEST}" in finding.remediation.summary


def test_a_token(estate: Estate) -> None:
    by_words.blamed_for_a_token(estate, CAUSE, "service control policy", of_account=True)


def test_words_where_nothing_can_be_read(estate: Estate) -> None:
    by_words.believed_where_nothing_can_be_read(estate, CAUSE, "service control policy")


@pytest.mark.cause(CAUSE, "unread")
def test_an_older_message(estate: Estate) -> None:
    by_words.open_after_an_older_message(estate, CAUSE, READ, READ)


def test_words_that_blame_another_policy(estate: Estate) -> None:
    by_words.not_needed_where_the_words_blame_another(estate, CAUSE, READ)
