"""Several faults at once, several accounts, and things that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.estate import (
    ALLOW_ALL,
    ALLOW_TOKEN,
    GONE_INSTANCE,
    LAYERS,
    MANIFEST,
    MEMBER_ROLE,
    NO_REASON,
    PULL,
    PULL_ONLY,
    TOKEN,
    allow,
    because_no,
    deny,
    explicit_deny,
    grant,
    is_fixed_since,
    only,
    opened,
    policy,
    refuse,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

BLAMED = because_no("identity-based policy")


def test_every_cause_that_would_stop_the_pull_is_reported_and_one_round_of_fixes_is_enough(estate: Estate) -> None:
    estate.member()
    boundary = estate.managed_policy(policy(allow("ecr:Get*"), deny(LAYERS)))
    role = estate.role(ALLOW_TOKEN, deny(MANIFEST), boundary=boundary)
    repository = estate.repository(refuse(str(role), LAYERS), account=estate.other)
    assert estate.may(role, repository) == {TOKEN}

    diagnosis = estate.diagnose(estate.denied(role, repository, explicit_deny("identity-based policy")))

    assert [finding.cause for finding in diagnosis.findings] == [
        "role_lacks_pull_permissions",
        "role_policy_denies_pull",
        "permissions_boundary_blocks_pull",
        "repository_policy_lacks_grant",
        "repository_policy_denies_pull",
    ]
    assert diagnosis.inconclusive == ()
    assert len({finding.id for finding in diagnosis.findings}) == 5
    for finding in diagnosis.findings:
        estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_the_role_lacks_and_the_repository_denies(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_TOKEN), estate.repository(refuse("*", MANIFEST))
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert [f.cause for f in diagnosis.findings] == ["role_lacks_pull_permissions", "repository_policy_denies_pull"]
    for finding in diagnosis.findings:
        estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_what_aws_blames_beside_what_can_be_read(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_TOKEN), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, explicit_deny("service control policy")))
    assert {f.cause for f in diagnosis.findings} == {"role_lacks_pull_permissions", "scp_blocks_pull"}


@pytest.mark.parametrize("reachable", [True, False], ids=["readable", "not assumable"])
def test_a_node_of_another_account(estate: Estate, *, reachable: bool) -> None:
    if reachable:
        estate.member()
    role, repository = estate.role(ALLOW_TOKEN, account=estate.other), estate.repository(grant(estate.other))
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED)), "role_lacks_pull_permissions")
    assert finding.account == finding.remediation.account == estate.other
    assert ("No statement" in finding.evidence[0]) is reachable
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_node_of_another_account_that_cannot_be_read_after_an_older_message(estate: Estate) -> None:
    role, repository = estate.role(account=estate.other), estate.repository(grant(estate.other))
    reasons = opened(estate.diagnose(estate.denied(role, repository, NO_REASON)))
    for cause in ("role_lacks_pull_permissions", "role_policy_denies_pull", "permissions_boundary_blocks_pull"):
        assert f"sts:AssumeRole of arn:aws:iam::{estate.other}:role/{MEMBER_ROLE} failed" in reasons[cause]


@pytest.mark.parametrize("reason", [BLAMED, explicit_deny("identity-based policy"), NO_REASON])
def test_a_role_that_no_longer_exists(estate: Estate, reason: str) -> None:
    repository = estate.repository()
    arn = f"arn:aws:sts::{estate.account}:assumed-role/gone/{estate.instance()}"
    diagnosis = estate.diagnose(estate.event(arn, repository, reason))
    gone = f"role gone does not exist in account {estate.account}"
    reasons = opened(diagnosis)
    assert reasons
    assert all(why == gone for cause, why in reasons.items() if cause != "endpoint_policy_blocks_pull")
    assert diagnosis.passed == ("repository_not_found",)


def test_a_role_and_a_node_that_no_longer_exist(estate: Estate) -> None:
    arn = f"arn:aws:sts::{estate.account}:assumed-role/gone/{GONE_INSTANCE}"
    diagnosis = estate.diagnose(estate.event(arn, estate.repository(), BLAMED))
    assert all("is gone" in reason for reason in opened(diagnosis).values())


def test_a_role_that_lacks_on_a_repository_that_no_longer_exists(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_TOKEN), estate.repository()
    pull = estate.denied(role, repository, NO_REASON)
    estate.aws.client("ecr", account=estate.account).delete_repository(repositoryName="team/app", force=True)
    diagnosis = estate.diagnose(pull)
    assert f"{MANIFEST}, {LAYERS}" in only(diagnosis, "role_lacks_pull_permissions").explanation
    reasons = {each.cause: each.reason for each in diagnosis.unchecked}
    assert "team/app does not exist" in reasons["repository_policy_denies_pull"]


@pytest.mark.parametrize(
    "arn", ["arn:aws:sts::ACCOUNT:assumed-role/node", "arn:aws-cn:sts::ACCOUNT:assumed-role/node/SESSION"]
)
def test_a_principal_whose_parts_do_not_fit_is_open(estate: Estate, arn: str) -> None:
    role, repository = estate.role(), estate.repository()
    estate.cluster().create_nodegroup(clusterName="prod", nodegroupName="ng", nodeRole=str(role), subnets=["subnet-1"])
    denied = arn.replace("ACCOUNT", estate.account).replace("SESSION", estate.instance())
    diagnosis = estate.diagnose(estate.event(denied, repository, BLAMED, role=role))
    assert diagnosis.findings == ()
    assert diagnosis.inconclusive


def test_a_repository_of_a_registry_that_nobody_lets_us_read(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED))
    assert is_fixed_since(diagnosis)
    assert "repository_policy_lacks_grant" in {each.cause for each in diagnosis.unchecked}


def test_findings_of_the_role_do_not_depend_on_the_words(estate: Estate) -> None:
    role, repository = estate.role(ALLOW_TOKEN), estate.repository()
    found = [
        only(estate.diagnose(estate.denied(role, repository, reason, session=session)), "role_lacks_pull_permissions")
        for reason, session in ((BLAMED, None), (NO_REASON, None))
    ]
    assert found[0].id == found[1].id


def test_a_repository_of_two_accounts_has_two_findings(estate: Estate) -> None:
    repository = estate.repository(refuse("*"), account=estate.other)
    estate.member()
    ids = set()
    for account in (estate.account, estate.other):
        role = estate.role(ALLOW_ALL, account=account)
        diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON))
        ids |= {f.id for f in diagnosis.findings if f.cause == "repository_policy_denies_pull"}
    assert len(ids) == 2


@pytest.mark.parametrize("versions", [1, 3, 4, 5])
@pytest.mark.parametrize(
    "order",
    [
        ["role_policy_denies_pull", "permissions_boundary_blocks_pull"],
        ["permissions_boundary_blocks_pull", "role_policy_denies_pull"],
        ["role_policy_denies_pull"],
        ["permissions_boundary_blocks_pull"],
    ],
    ids=["in order", "the other way round", "the policy's alone", "the boundary's alone"],
)
def test_a_policy_that_is_the_boundary_too_is_fixed_by_either_fix_and_by_both(
    estate: Estate, versions: int, order: list[str]
) -> None:
    document = policy(allow("s3:*", TOKEN, MANIFEST), deny("ecr:Batch*", "iam:*"))
    guard = estate.managed_policy(*[policy(ALLOW_ALL)] * (versions - 1), document)
    role = estate.role(attach=[guard, PULL_ONLY], boundary=guard)
    repository = estate.repository()
    assert estate.may(role, repository) == {TOKEN}

    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON))

    found = {finding.cause: finding for finding in diagnosis.findings}
    assert list(found) == ["role_policy_denies_pull", "permissions_boundary_blocks_pull"]
    assert "The policy is also the role's permissions boundary" in found["role_policy_denies_pull"].remediation.summary
    for cause in order:
        # IAM keeps five versions, which the emulator does not hold to.
        estate.run(found[cause].remediation)
        kept = estate.client("iam").list_policy_versions(PolicyArn=guard)["Versions"]
        assert len(kept) <= 5
    assert estate.may(role, repository) == set(PULL)
    assert not estate.diagnose(estate.denied(role, repository, NO_REASON)).findings
