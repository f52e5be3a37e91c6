from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from tests.integration.checks.estate import ALLOW_TOKEN, PULL, PULL_ONLY, allow, because_no, deny
from tests.integration.checks.registry_estate import missing, of_cause, reasons, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "pull_through_cache_failing"
IMPORT, CREATE = "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"


@pytest.fixture
def cached(estate: Estate) -> Arn:
    """A repository under a pull through cache rule that does not exist before its first pull."""
    estate.cache("quay")
    return Arn("aws", "ecr", "us-east-1", estate.account, "repository/quay/team/app")


@pytest.mark.cause(CAUSE, "fails")
def test_a_role_that_may_not_create_stops_the_first_pull(estate: Estate, cached: Arn) -> None:
    role = estate.role(attach=[PULL_ONLY])
    diagnosis = estate.diagnose(estate.denied(role, cached, because_no("identity-based policy", CREATE), action=CREATE))
    (finding,) = diagnosis.findings
    assert finding.cause == CAUSE
    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(cached))
    # The managed policy allows the import, and not the creation.
    assert f"may not call {CREATE}, so" in finding.explanation
    estate.run(finding.remediation)
    fixed = estate.diagnose(estate.denied(role, cached, because_no("identity-based policy", CREATE), action=CREATE))
    assert fixed.findings == ()
    assert CAUSE in fixed.passed


def test_a_role_that_may_do_neither_lacks_both(estate: Estate, cached: Arn) -> None:
    role = estate.role(allow(*PULL))
    (finding,) = estate.diagnose(
        estate.denied(role, cached, because_no("identity-based policy", IMPORT), action=IMPORT)
    ).findings
    assert finding.cause == CAUSE
    assert f"{IMPORT}, {CREATE}" in finding.explanation or f"{CREATE}, {IMPORT}" in finding.explanation


@pytest.mark.cause(CAUSE, "passes")
def test_a_role_that_may_do_both_passes(estate: Estate, cached: Arn) -> None:
    role = estate.role(allow(*PULL, IMPORT, CREATE))
    diagnosis = estate.diagnose(estate.denied(role, cached, because_no("identity-based policy", IMPORT), action=IMPORT))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed


def test_the_registry_policy_may_grant_instead(estate: Estate, cached: Arn) -> None:
    role = estate.role(allow(*PULL))
    estate.set_registry_policy(
        {"Effect": "Allow", "Principal": {"AWS": str(role)}, "Action": [IMPORT, CREATE], "Resource": "*"}, scope="V1"
    )
    diagnosis = estate.diagnose(estate.denied(role, cached, because_no("identity-based policy", IMPORT), action=IMPORT))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed


def test_what_is_cached_is_pulled_without(estate: Estate) -> None:
    estate.cache("quay")
    repository = estate.repository(name="quay/team/app")
    role = estate.role(ALLOW_TOKEN, deny(IMPORT))
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("identity-based policy")))
    assert [finding.cause for finding in diagnosis.findings] == ["role_lacks_pull_permissions"]
    assert CAUSE not in [each.cause for each in diagnosis.inconclusive]


@pytest.mark.cause(CAUSE, "near_miss")
def test_another_prefix_is_no_cache(estate: Estate) -> None:
    estate.cache("quay")
    elsewhere = Arn("aws", "ecr", "us-east-1", estate.account, "repository/quayside/app")
    role = estate.role(attach=[PULL_ONLY])
    diagnosis = estate.diagnose(estate.denied(role, elsewhere))
    assert CAUSE not in [finding.cause for finding in diagnosis.findings]


def test_rules_that_cannot_be_read_are_not_needed_where_aws_names_the_action(estate: Estate, cached: Arn) -> None:
    role = estate.role(attach=[PULL_ONLY])
    pull = estate.denied(role, cached, because_no("identity-based policy", CREATE), action=CREATE)
    finding = of_cause(estate.diagnose(pull, unreadable=["ecr:DescribePullThroughCacheRules"]), CAUSE)
    assert f"may not call {CREATE}, so" in finding.explanation


@pytest.mark.parametrize("reason", ["", because_no("identity-based policy", IMPORT)])
def test_the_words_of_aws_decide_where_nothing_can_be_read(estate: Estate, cached: Arn, reason: str) -> None:
    pull = estate.denied(estate.role(allow(*PULL)), cached, reason, action=IMPORT)
    unreadable = ["ecr:DescribePullThroughCacheRules", "ecr:GetRepositoryPolicy", "iam:ListRolePolicies"]
    finding = of_cause(estate.diagnose(pull, unreadable=unreadable), CAUSE)
    assert f"may not call {IMPORT}, so" in finding.explanation
    assert finding.evidence[-1].startswith("AWS said: ")
    assert finding.remediation.commands == ()


def test_what_is_granted_by_now_outranks_the_words_of_aws(estate: Estate, cached: Arn) -> None:
    role = estate.role(allow(*PULL, IMPORT, CREATE))
    diagnosis = estate.diagnose(
        estate.denied(role, cached, because_no("identity-based policy", IMPORT), action=IMPORT),
        unreadable=["ecr:DescribePullThroughCacheRules"],
    )
    assert diagnosis.findings == ()
    # The rule also tells how ECR signs in upstream, so the cause stays open until it can be read.
    assert list(reasons(diagnosis)) == [CAUSE]
    assert "ecr:DescribePullThroughCacheRules" in reasons(diagnosis)[CAUSE]


@pytest.mark.cause(CAUSE, "unread")
def test_without_the_words_of_aws_rules_that_cannot_be_read_leave_it_open(estate: Estate, cached: Arn) -> None:
    pull = reported(estate, cached, "failed to resolve reference: x: name unknown: The repository does not exist")
    diagnosis = estate.diagnose(pull, unreadable=["ecr:DescribePullThroughCacheRules"])
    assert "ecr:DescribePullThroughCacheRules" in reasons(diagnosis)[CAUSE]


def test_the_same_fault_reported_without_a_role_is_the_same_finding(estate: Estate) -> None:
    estate.cache("quay")
    told = reported(estate, missing(estate, "quay/app"), symptom=Symptom.NOT_FOUND, upstream_failure="Refused: no")
    of_role = of_cause(estate.diagnose(told), CAUSE)
    of_nobody = of_cause(estate.diagnose(replace(told, principal=None, node=None)), CAUSE)
    assert of_role.id == of_nobody.id
