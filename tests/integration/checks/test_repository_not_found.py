from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.diagnosis import diagnose
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.registry_estate import missing, of_cause, reasons, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "repository_not_found"
UNKNOWN_NAME = "failed to resolve reference: name unknown: The repository with name 'team/app' does not exist"


@pytest.mark.cause(CAUSE, "fails")
def test_a_repository_that_is_nowhere(estate: Estate) -> None:
    repository = missing(estate, "team/app")
    finding = of_cause(estate.diagnose(reported(estate, repository, UNKNOWN_NAME)), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsEcrRepository", str(repository))
    assert finding.explanation == f"Account {estate.account} has no repository team/app in us-east-1."
    assert finding.remediation.commands == ()
    assert "create the repository team/app" in finding.remediation.summary


def test_it_says_in_which_other_region_it_is(estate: Estate) -> None:
    for region in ("ap-southeast-2", "eu-west-1"):
        estate.aws.client("ecr", account=estate.account, region=region).create_repository(repositoryName="team/app")
    finding = of_cause(estate.diagnose(reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)), CAUSE)
    assert "It exists in ap-southeast-2 and eu-west-1." in finding.explanation
    assert f"{estate.account}.dkr.ecr.eu-west-1.amazonaws.com/team/app" in finding.remediation.summary


def test_it_says_which_names_are_near(estate: Estate) -> None:
    for name in ("team/appp", "other/app", "unrelated"):
        estate.repository(name=name)
    finding = of_cause(estate.diagnose(reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)), CAUSE)
    assert "Similar names there: team/appp and other/app." in finding.explanation
    assert "unrelated" not in finding.explanation + " ".join(finding.evidence) + finding.remediation.summary


@pytest.mark.cause(CAUSE, "passes")
def test_one_that_exists_now_passes(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), UNKNOWN_NAME))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "near_miss")
def test_one_that_a_cache_makes_is_not_missing(estate: Estate) -> None:
    estate.cache("quay")
    diagnosis = estate.diagnose(reported(estate, missing(estate, "quay/app"), symptom=Symptom.UNKNOWN))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}
    assert CAUSE not in diagnosis.passed


def test_another_symptom_is_not_looked_at(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, missing(estate, "team/app"), symptom=Symptom.THROTTLED))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}


@pytest.mark.cause(CAUSE, "unread")
def test_of_a_registry_that_cannot_be_read_nothing_is_claimed(estate: Estate) -> None:
    pull = reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)
    diagnosis = estate.diagnose(pull, unreadable=["ecr:DescribeRepositories"])
    assert "ecr:DescribeRepositories" in reasons(diagnosis)[CAUSE]
    diagnosis = estate.diagnose(pull, unreadable=["ecr:DescribePullThroughCacheRules"])
    assert "ecr:DescribePullThroughCacheRules" in reasons(diagnosis)[CAUSE]


def test_nothing_can_be_missing_from_what_aws_owns(estate: Estate) -> None:
    addons = missing(estate, "eks/coredns")
    owned = type(addons)("aws", "ecr", "us-east-1", "602401143452", addons.resource)
    diagnosis = estate.diagnose(reported(estate, owned, UNKNOWN_NAME))
    # It cannot be read, so "nothing wrong" would be more than is known.
    assert list(reasons(diagnosis)) == ["pull_failing_unexplained"]
    assert "name, tag or region" in reasons(diagnosis)["pull_failing_unexplained"]


def test_told_without_a_role_it_is_the_same_finding(estate: Estate) -> None:
    pull = reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)
    by_role = of_cause(estate.diagnose(pull), CAUSE)
    by_node = of_cause(estate.diagnose(replace(pull, principal=None)), CAUSE)
    assert by_role.id == by_node.id


def test_of_a_registry_that_the_operator_names_as_awss_nothing_is_asked(estate: Estate) -> None:
    repository = Arn("aws", "ecr", "us-east-1", "123123123123", "repository/eks/kube-proxy")
    pull = reported(estate, repository, UNKNOWN_NAME)
    aws = Aws(estate.session(), member_role="PullResponderReadOnly", aws_registries=["123123123123"])
    named = diagnose(pull, PullFacts(Reader(aws)))
    assert (list(reasons(named)), named.note) == (["pull_failing_unexplained"], "")
    assert {each.reason for each in named.unchecked} == {"registry 123123123123 belongs to AWS, and cannot be read"}
    assert CAUSE in reasons(estate.diagnose(pull))
