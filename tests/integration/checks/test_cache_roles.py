"""The role with which ECR fetches from another registry of ECR, and what a first pull through a cache may lack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.pulls import cache_role
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import (
    ALLOW_ALL,
    PULL,
    REGION,
    allow,
    arn_of,
    because_no,
    deny,
    grant,
    is_fixed_since,
    only,
    refuse,
)
from tests.integration.checks.registry_estate import missing, of_cause, reasons, reported

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn
    from pull_responder.model.pull import PullFailure
    from tests.integration.checks.estate import Estate

CAUSE = "pull_through_cache_failing"
SERVICE = "pullthroughcache.ecr.amazonaws.com"
FETCHED = (*PULL[1:], "ecr:BatchImportUpstreamImage", "ecr:GetImageCopyStatus")
MAY_FETCH = allow(PULL[0], *FETCHED)
TAG = "ecr:TagResource"
NOT_FOUND = "failed to resolve reference: name unknown: The repository does not exist"


def _role(estate: Estate, *may: dict[str, Any], trusted: str = "pullthroughcache.ecr") -> Arn:
    return estate.role(*may, name="cache", path="/", trusted=(trusted,))


def _rule(estate: Estate, role: Arn, *, prefix: str = "base", upstream_prefix: str | None = None) -> None:
    more = {"upstreamRepositoryPrefix": upstream_prefix} if upstream_prefix else {}
    estate.client("ecr").create_pull_through_cache_rule(
        ecrRepositoryPrefix=prefix,
        upstreamRegistryUrl=f"{estate.other}.dkr.ecr.{REGION}.amazonaws.com",
        customRoleArn=str(role),
        **more,
    )


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.cause("unexpected_principal_denied", "passes")
def test_the_rules_role_is_no_stranger_and_gets_what_it_lacks(estate: Estate) -> None:
    role = _role(estate)
    _rule(estate, role)
    estate.member()
    upstream = estate.repository(grant(f"arn:aws:iam::{estate.account}:root", *FETCHED), account=estate.other)
    pull = estate.denied(role, upstream, because_no("identity-based policy"), session="ecr-ptc")
    finding = only(estate.diagnose(pull), CAUSE)
    # It is the fault of the cached repository, whoever pulls from it.
    assert finding.resource.id == f"arn:aws:ecr:{REGION}:{estate.account}:repository/base/team/app"
    assert f"ECR fetches from {upstream} with the role {role} of the rule base" in finding.explanation
    assert (
        "its identity-based policy does not allow ecr:GetAuthorizationToken, ecr:BatchGetImage" in finding.explanation
    )
    assert f"AWS said: {pull.denial and pull.denial.message}" in finding.evidence
    estate.run(finding.remediation)
    assert is_fixed_since(estate.diagnose(pull))


def test_the_upstream_repositorys_policy(estate: Estate) -> None:
    role = _role(estate, MAY_FETCH)
    _rule(estate, role)
    estate.member()
    upstream = estate.repository(grant("arn:aws:iam::999999999999:root"), account=estate.other)
    pull = estate.denied(role, upstream, because_no("resource-based policy"), session="ecr-ptc")
    finding = only(estate.diagnose(pull), CAUSE)
    assert "the upstream repository's resource-based policy does not allow ecr:BatchGetImage" in finding.explanation
    assert finding.remediation.account == estate.other
    estate.run(finding.remediation)
    assert is_fixed_since(estate.diagnose(pull))


def test_a_deny_of_the_upstream_repository_is_for_its_owner_to_change(estate: Estate) -> None:
    role = _role(estate, MAY_FETCH)
    _rule(estate, role)
    estate.member()
    account = f"arn:aws:iam::{estate.account}:root"
    upstream = estate.repository(grant(account, *FETCHED), refuse(account), account=estate.other)
    finding = only(estate.diagnose(estate.denied(role, upstream, session="ecr-ptc")), CAUSE)
    assert finding.remediation.commands == ()
    assert f"Ask the owner of account {estate.other}" in finding.remediation.summary


def test_a_trust_policy_that_leaves_the_service_out(estate: Estate) -> None:
    role = _role(estate, MAY_FETCH, trusted="codebuild")
    _rule(estate, role)
    estate.member()
    upstream = estate.repository(grant(f"arn:aws:iam::{estate.account}:root", *FETCHED), account=estate.other)
    pull = estate.denied(role, upstream, session="ecr-ptc")
    finding = only(estate.diagnose(pull), CAUSE)
    assert f"its trust policy does not let {SERVICE} assume it" in finding.explanation
    estate.run(finding.remediation)
    assert is_fixed_since(estate.diagnose(pull))


@pytest.mark.parametrize(
    ("prefix", "upstream_prefix", "cached", "upstream"),
    [
        ("base", None, "base/team/app", "team/app"),
        ("base", "ROOT", "base/team/app", "team/app"),
        ("base", "team", "base/app", "team/app"),
        ("ROOT", "team", "app", "team/app"),
        ("ROOT", None, "team/app", "team/app"),
        ("ROOT", "ROOT", "team/app", "team/app"),
    ],
)
def test_the_prefixes_of_both_sides(
    estate: Estate, prefix: str, upstream_prefix: str | None, cached: str, upstream: str
) -> None:
    role = _role(estate, MAY_FETCH)
    _rule(estate, role, prefix=prefix, upstream_prefix=upstream_prefix)
    estate.member()
    source = estate.repository(name=upstream, account=estate.other)
    # ECR's own refusal names the upstream repository, and a node's pull the cached one. Both are one finding.
    refused = of_cause(estate.diagnose(estate.denied(role, source, session="ecr-ptc")), CAUSE)
    node = estate.role(ALLOW_ALL)
    pulled = of_cause(estate.diagnose(reported(estate, missing(estate, cached), NOT_FOUND, role=node)), CAUSE)
    assert refused.id == pulled.id
    assert f"ECR fetches from {source} with the role {role}" in pulled.explanation
    assert "the upstream repository's resource-based policy does not allow" in pulled.explanation


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_role_that_may_fetch_leaves_the_image_open(estate: Estate) -> None:
    role = _role(estate, MAY_FETCH)
    _rule(estate, role)
    estate.member()
    estate.repository(grant(f"arn:aws:iam::{estate.account}:root", *FETCHED), account=estate.other)
    pull = reported(estate, missing(estate, "base/team/app"), NOT_FOUND, role=estate.role(ALLOW_ALL))
    assert f"whether {estate.other}.dkr.ecr" in reasons(estate.diagnose(pull))[CAUSE]


@pytest.mark.cause(CAUSE, "unread")
def test_an_upstream_account_that_cannot_be_read(estate: Estate) -> None:
    role = _role(estate, MAY_FETCH)
    _rule(estate, role)
    upstream = estate.repository(account=estate.other)
    pull = reported(estate, missing(estate, "base/team/app"), NOT_FOUND, role=estate.role(ALLOW_ALL))
    assert "sts:AssumeRole" in reasons(estate.diagnose(pull))[CAUSE]
    # AWS's own words decide then.
    refused = estate.denied(role, upstream, because_no("resource-based policy"), session="ecr-ptc")
    finding = only(estate.diagnose(refused), CAUSE)
    assert "AWS refused it ecr:BatchGetImage" in finding.explanation
    assert finding.remediation.commands == ()
    assert f'"AWS": "arn:aws:iam::{estate.account}:root"' in finding.remediation.summary


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("trusted", ["pullthroughcache.ecr", "codebuild"])
def test_rules_that_cannot_be_read_leave_it_open(estate: Estate, trusted: str) -> None:
    """The finding is the cached repository's, and only the rule tells which that is: nothing else is blamed instead."""
    role = _role(estate, trusted=trusted)
    _rule(estate, role)
    estate.member()
    upstream = estate.repository(account=estate.other)
    pull = estate.denied(role, upstream, because_no("identity-based policy"), session="ecr-ptc")
    diagnosis = estate.diagnose(pull, unreadable=["ecr:DescribePullThroughCacheRules"])
    assert diagnosis.findings == ()
    assert all("ecr:DescribePullThroughCacheRules" in reason for reason in reasons(diagnosis).values())
    expected = CAUSE if trusted == "pullthroughcache.ecr" else "unexpected_principal_denied"
    assert expected in reasons(diagnosis)
    assert only(estate.diagnose(pull), CAUSE).resource.id.endswith(f"{estate.account}:repository/base/team/app")


def test_rules_of_one_region_that_cannot_be_read(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of our own region covers the image, but one of the upstream registry's own region may cover it, too."""
    role = _role(estate)
    _rule(estate, role)
    estate.member()
    upstream = estate.repository(account=estate.other)
    pull = estate.denied(role, upstream, because_no("identity-based policy"), session="ecr-ptc")
    elsewhere = "eu-west-1"
    read = PullFacts.cache_rules
    unread = Unread("ecr:DescribePullThroughCacheRules failed: ThrottlingException: slow down")

    def fail(failing: str) -> None:
        monkeypatch.setattr(PullFacts, "cache_rules", lambda *where: unread if where[2] == failing else read(*where))

    monkeypatch.setattr(cache_role, "node_regions", lambda *_: (elsewhere, REGION))
    fail(elsewhere)
    diagnosis = estate.diagnose(pull)
    assert diagnosis.findings == ()
    assert "ThrottlingException" in reasons(diagnosis)[CAUSE]
    # What comes after the rule that covers it cannot change the answer.
    monkeypatch.setattr(cache_role, "node_regions", lambda *_: (REGION, elsewhere))
    assert only(estate.diagnose(pull), CAUSE).resource.id.endswith(f"{estate.account}:repository/base/team/app")


@pytest.mark.cause(CAUSE, "fails")
def test_a_role_that_only_its_trust_policy_connects_with_a_cache(estate: Estate) -> None:
    role = _role(estate)
    upstream = estate.repository(account=estate.other)
    pull = estate.denied(role, upstream, because_no("identity-based policy"), session="ecr-ptc")
    finding = only(estate.diagnose(pull), CAUSE)
    assert finding.resource.id == str(upstream)
    # A role that neither a rule nor its trust policy connects with a cache is another's.
    build = estate.role(name="build", trusted=("codebuild",))
    only(estate.diagnose(estate.denied(build, upstream, session="b")), "unexpected_principal_denied")


def test_a_role_in_another_account_of_the_same_name_is_not_the_rules(estate: Estate) -> None:
    role = _role(estate, trusted="codebuild")
    namesake = arn_of(f"arn:aws:iam::{estate.other}:role/cache")
    _rule(estate, namesake)
    only(estate.diagnose(estate.denied(role, estate.repository(), session="b")), "unexpected_principal_denied")


def test_a_refused_tag_on_a_first_pull(estate: Estate) -> None:
    estate.cache("quay")
    cached = missing(estate, "quay/team/app")
    role = estate.role(allow(*PULL, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"))
    pull = estate.denied(role, cached, because_no("identity-based policy", TAG), action=TAG)
    assert pull.symptom is Symptom.ACCESS_DENIED
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert f"may not call {TAG}, so" in finding.explanation
    document = json.loads(
        finding.remediation.commands[0][finding.remediation.commands[0].index("--policy-document") + 1]
    )
    assert document["Statement"][0]["Action"] == [TAG]
    estate.run(finding.remediation)
    fixed = estate.diagnose(pull)
    assert fixed.findings == ()
    assert CAUSE in fixed.passed


def test_a_refused_tag_is_told_with_what_else_a_first_pull_lacks(estate: Estate) -> None:
    estate.cache("quay")
    role = estate.role(allow(*PULL))
    pull = estate.denied(role, missing(estate, "quay/app"), because_no("identity-based policy", TAG), action=TAG)
    explanation = of_cause(estate.diagnose(pull), CAUSE).explanation
    assert all(action in explanation for action in (TAG, "ecr:CreateRepository", "ecr:BatchImportUpstreamImage"))


def test_tags_that_a_policy_asks_for_may_be_those_of_the_template(estate: Estate) -> None:
    estate.cache("quay")
    tagged = allow(TAG, Condition={"StringEquals": {"aws:RequestTag/team": "a"}})
    role = estate.role(allow(*PULL, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"), tagged)
    pull = estate.denied(role, missing(estate, "quay/app"), "", action=TAG)
    assert [each.cause for each in estate.diagnose(pull).findings] == [CAUSE]


def test_a_refused_tag_outside_a_cache_is_no_caches(estate: Estate) -> None:
    role = estate.role(allow(*PULL))
    pull = estate.denied(role, missing(estate, "plain/app"), because_no("identity-based policy", TAG), action=TAG)
    assert CAUSE not in {each.cause for each in estate.diagnose(pull).findings}


def test_a_policy_that_denies_the_rules_role(estate: Estate) -> None:
    role = _role(estate, MAY_FETCH, deny("ecr:BatchGetImage"))
    _rule(estate, role)
    estate.member()
    upstream = estate.repository(grant(f"arn:aws:iam::{estate.account}:root", *FETCHED), account=estate.other)
    finding = only(estate.diagnose(estate.denied(role, upstream, session="ecr-ptc")), CAUSE)
    assert "its identity-based policy denies ecr:BatchGetImage" in finding.explanation
    assert "must not deny ecr:BatchGetImage" in finding.remediation.summary


def _pulled_first(estate: Estate) -> PullFailure:
    """A first pull through a cache of a public registry, by a role that may do everything."""
    estate.cache("quay")
    return estate.denied(estate.role(ALLOW_ALL), missing(estate, "quay/team/app"))


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_deny_that_stops_the_pull_itself_is_not_reported_again_for_the_cache(estate: Estate) -> None:
    pull = _pulled_first(estate)
    estate.set_registry_policy(refuse("*", "ecr:*", Resource="*"))
    diagnosis = estate.diagnose(pull)
    assert {finding.cause for finding in diagnosis.findings} == {"registry_policy_denies_pull"}


def test_a_deny_of_the_caches_actions_alone_is_for_who_owns_that_policy(estate: Estate) -> None:
    pull = _pulled_first(estate)
    estate.set_registry_policy(refuse("*", "ecr:BatchImportUpstreamImage", Resource="*"))
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert "may not call ecr:BatchImportUpstreamImage" in finding.explanation
    assert "in the policy of the repository or of its registry" in finding.remediation.summary
    assert finding.remediation.commands == ()


@pytest.mark.cause(CAUSE, "unread")
def test_a_role_in_another_account_than_the_cache_is_not_called_right(estate: Estate) -> None:
    """AWS wants it in the registry's account, and does not say what becomes of another one."""
    estate.member()
    elsewhere = estate.role(MAY_FETCH, name="cache", path="/", trusted=("pullthroughcache.ecr",), account=estate.other)
    _rule(estate, elsewhere)
    estate.repository(account=estate.other)
    may = allow(*PULL, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
    refused = because_no("identity-based policy", "ecr:BatchImportUpstreamImage")
    pull = estate.denied(
        estate.role(may), missing(estate, "base/team/app"), refused, action="ecr:BatchImportUpstreamImage"
    )
    diagnosis = estate.diagnose(pull)
    assert diagnosis.findings == ()
    expected = f"is in account {estate.other}, and AWS wants it in the account of the registry, {estate.account}"
    assert expected in reasons(diagnosis)[CAUSE]
