from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.diagnosis import diagnose
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import PULL_ONLY, because_no, grant
from tests.integration.checks.registry_estate import missing, of_cause, reasons, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "repository_not_found"
BLAMED = because_no("resource-based policy")
FORBIDDEN = (
    'failed to resolve reference "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1": unexpected status from '
    "HEAD request to https://111111111111.dkr.ecr.us-east-1.amazonaws.com/v2/team/app/manifests/v1: 403 Forbidden"
)
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


def test_another_symptom_is_not_examined(estate: Estate) -> None:
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
    assert list(reasons(diagnosis)) == [CAUSE]
    assert "name, its tag or the region is what is left" in reasons(diagnosis)[CAUSE]
    assert diagnosis.note == ""


def test_a_refusal_by_what_aws_owns_leaves_its_name(estate: Estate) -> None:
    """With all else allowed, 403 is not "nothing wrong": AWS answers so where the name does not exist."""
    owned = Arn("aws", "ecr", "us-east-1", "602401143452", "repository/eks/coredmz")
    diagnosis = estate.diagnose(reported(estate, owned, FORBIDDEN))
    why = reasons(diagnosis)[CAUSE]
    assert "602401143452 belongs to AWS" in why
    assert "name, its tag or the region" in why
    denied = estate.diagnose(estate.denied(estate.role(attach=[PULL_ONLY], name="other"), owned, BLAMED))
    assert "name, its tag or the region" in reasons(denied)[CAUSE]


def test_a_role_that_may_not_pull_explains_a_refusal_by_what_aws_owns(estate: Estate) -> None:
    owned = Arn("aws", "ecr", "us-east-1", "602401143452", "repository/eks/coredns")
    diagnosis = estate.diagnose(reported(estate, owned, FORBIDDEN, role=estate.role()))
    assert [finding.cause for finding in diagnosis.findings] == ["role_lacks_pull_permissions"]
    assert diagnosis.inconclusive == ()


def test_another_accounts_repository_that_does_not_exist_answers_403(estate: Estate) -> None:
    estate.member()
    repository = Arn("aws", "ecr", "us-east-1", estate.other, "repository/team/app")
    for pull in (
        reported(estate, repository, FORBIDDEN),
        estate.denied(estate.role(attach=[PULL_ONLY], name="other"), repository, BLAMED),
    ):
        diagnosis = estate.diagnose(pull)
        finding = of_cause(diagnosis, CAUSE)
        assert (finding.resource.id, finding.account) == (str(repository), estate.other)
        assert finding.explanation == f"Account {estate.other} has no repository team/app in us-east-1."
        assert diagnosis.inconclusive == ()
    estate.repository(grant(f"arn:aws:iam::{estate.account}:root"), account=estate.other)
    assert CAUSE in estate.diagnose(pull).passed


def test_an_unreadable_registry_may_lack_the_name_or_the_grant(estate: Estate) -> None:
    repository = Arn("aws", "ecr", "us-east-1", estate.other, "repository/team/app")
    diagnosis = estate.diagnose(estate.denied(estate.role(attach=[PULL_ONLY]), repository, BLAMED))
    finding = of_cause(diagnosis, "repository_policy_lacks_grant")
    assert "AWS refuses a repository that does not exist there in the same words" in finding.explanation
    without_words = estate.diagnose(
        reported(estate, repository, FORBIDDEN, role=estate.role(name="b", attach=[PULL_ONLY]))
    )
    assert {CAUSE, "repository_policy_lacks_grant"} <= set(reasons(without_words))


def test_within_one_account_a_missing_repository_does_not_explain_a_refusal(estate: Estate) -> None:
    """ECR would have answered 404, so whatever refused this pull is still looked for."""
    repository = missing(estate, "team/app")
    diagnosis = estate.diagnose(reported(estate, repository, FORBIDDEN), unreadable=["iam:ListAttachedRolePolicies"])
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}
    assert "role_lacks_pull_permissions" in {each.cause for each in diagnosis.inconclusive}


def test_a_name_that_cloudtrail_may_have_cut_is_not_called_missing(estate: Estate) -> None:
    estate.member()
    repository = Arn("aws", "ecr", "us-east-1", estate.other, "repository/team/ap")
    diagnosis = estate.diagnose(estate.denied(estate.role(), repository))
    assert CAUSE not in {finding.cause for finding in diagnosis.findings}
    assert CAUSE not in diagnosis.passed


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
    assert (named.findings, named.note) == ((), "")
    assert [each.cause for each in named.inconclusive] == [CAUSE]
    assert "registry 123123123123 belongs to AWS, and cannot be read" in named.inconclusive[0].reason
    assert CAUSE in reasons(estate.diagnose(pull))


def _asked_regions(aws: Aws) -> list[str]:
    """The regions in which repositories are looked for from now on."""
    asked: list[str] = []

    def note(context: dict[str, Any], **_: object) -> None:
        asked.append(context["client_region"])

    aws._session.events.register("before-call.ecr.DescribeRepositories", note)
    return asked


def _enable_only(aws: Aws, *regions: str) -> None:
    def answer(**_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        return AWSResponse("", 200, HTTPHeaders(), None), {"Regions": [{"RegionName": each} for each in regions]}

    aws._session.events.register("before-call.ec2.DescribeRegions", answer)


def test_it_looks_in_enabled_regions_only(estate: Estate) -> None:
    for region in ("ap-southeast-2", "eu-west-1"):
        estate.aws.client("ecr", account=estate.account, region=region).create_repository(repositoryName="team/app")
    aws = estate.connect()
    _enable_only(aws, "us-east-1", "eu-west-1", "us-west-2")
    asked = _asked_regions(aws)
    pull = reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)
    finding = of_cause(diagnose(pull, PullFacts(Reader(aws))), CAUSE)
    assert "It exists in eu-west-1." in finding.explanation
    assert set(asked) == {"us-east-1", "eu-west-1", "us-west-2"}


def test_where_the_regions_cannot_be_read_it_says_so(estate: Estate) -> None:
    aws = estate.connect("ec2:DescribeRegions")
    asked = _asked_regions(aws)
    pull = reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)
    finding = of_cause(diagnose(pull, PullFacts(Reader(aws))), CAUSE)
    assert finding.explanation == f"Account {estate.account} has no repository team/app in us-east-1."
    assert any(
        each.startswith("Whether it is in another region is not known: ec2:DescribeRegions failed: ")
        for each in finding.evidence
    )
    assert set(asked) == {"us-east-1"}


def test_a_later_look_asks_for_no_other_region_and_no_other_name(estate: Estate) -> None:
    aws = estate.connect()
    asked = _asked_regions(aws)
    pull = reported(estate, missing(estate, "team/app"), UNKNOWN_NAME)
    finding = of_cause(diagnose(pull, PullFacts(Reader(aws, is_later_look=True))), CAUSE)
    assert finding.resource.id.endswith(":repository/team/app")
    assert asked == ["us-east-1"]
