"""Every fix is run as a person would, by a shell with the AWS CLI: the pull is denied before and allowed after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.remediation import ecr, iam
from pull_responder.remediation.iam import ManagedPolicy
from pull_responder.remediation.policy_edits import allow_pull, stop_denying
from tests.integration.checks.estate import (
    ALLOW_ALL,
    LAYERS,
    MANIFEST,
    PULL,
    TOKEN,
    allow,
    arn_of,
    name_of,
    policy,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Document, Estate, Statement

# Not the region that the AWS CLI and botocore fall back on: a command has to name it.
REGION = "eu-central-1"


@pytest.fixture
def estate(estate: Estate) -> Estate:
    return replace(estate, region=REGION)


def _deny(actions: Any, resource: Any = "*") -> Statement:  # noqa: ANN401 -- a string or a list, as policies have it
    return {"Effect": "Deny", "Action": actions, "Resource": resource}


def _managed_policy(estate: Estate, *documents: Document) -> ManagedPolicy:
    """A customer managed policy with a version for each document. The last one is the default."""
    arn = estate.managed_policy(*documents)
    versions = estate.client("iam").list_policy_versions(PolicyArn=arn)["Versions"]
    default = next(version["VersionId"] for version in versions if version["IsDefaultVersion"])
    return ManagedPolicy(arn_of(arn), tuple(version["VersionId"] for version in versions), default)


@pytest.mark.parametrize("fargate", [False, True], ids=["node", "fargate"])
def test_attaching_the_managed_policy(estate: Estate, *, fargate: bool) -> None:
    repository, role = estate.repository(), estate.role()
    assert estate.may(role, repository) == set()
    estate.run(iam.attach_pull_policy(role, region=REGION, fargate=fargate))
    assert estate.may(role, repository) == set(PULL)


def test_adding_an_inline_policy_for_what_is_missing(estate: Estate) -> None:
    repository, neighbour = estate.repository(), estate.repository(name="team/db")
    role = estate.role(allow(LAYERS), name="-o,brien=x@y")
    assert estate.may(role, repository) == {LAYERS}
    estate.run(iam.add_inline_policy(role, region=REGION, actions=[TOKEN, MANIFEST], repository_arn=str(repository)))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {LAYERS, TOKEN}


def test_a_second_inline_policy_leaves_the_first(estate: Estate) -> None:
    repository, neighbour, role = estate.repository(), estate.repository(name="team/db"), estate.role()
    taken: list[str] = []
    for target in (repository, neighbour):
        estate.run(
            iam.add_inline_policy(
                role, region=REGION, actions=PULL, repository_arn=str(target), taken_names=tuple(taken)
            )
        )
        taken = estate.client("iam").list_role_policies(RoleName=name_of(role))["PolicyNames"]
    assert estate.may(role, repository) == estate.may(role, neighbour) == set(PULL)


@pytest.mark.parametrize("actions", ["*", "ecr:*", ["ecr:Batch*", "ecr:Get*"], list(PULL)], ids=str)
def test_narrowing_an_inline_policy_that_denies(estate: Estate, actions: object) -> None:
    repository, neighbour = estate.repository(), estate.repository(name="team/db")
    document = policy(ALLOW_ALL, _deny(actions))
    role = estate.role()
    estate.put_inline(role, "inline0", document)
    assert estate.may(role, repository) == set()
    edited = stop_denying(document, [1], PULL, str(repository))
    estate.run(iam.replace_inline_policy(role, region=REGION, policy_name="inline0", document=edited))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN}


def test_deleting_an_inline_policy_that_only_denies(estate: Estate) -> None:
    repository = estate.repository()
    statement = _deny(list(PULL), [str(repository)])
    role, document = estate.role(ALLOW_ALL, statement), policy(statement)
    assert estate.may(role, repository) == {TOKEN}
    edited = stop_denying(document, [0], PULL, str(repository))
    estate.run(iam.replace_inline_policy(role, region=REGION, policy_name="inline1", document=edited))
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.parametrize("versions", [1, 5])
def test_narrowing_a_customer_managed_policy(estate: Estate, versions: int) -> None:
    repository, neighbour = estate.repository(), estate.repository(name="team/db")
    document = policy(_deny(["ecr:*", "iam:*"]))
    guard = _managed_policy(estate, *[policy(ALLOW_ALL)] * (versions - 1), document)
    role = estate.role(ALLOW_ALL, attach=[str(guard.arn)])
    assert len(guard.versions) == versions
    assert estate.may(role, repository) == set()
    edited = stop_denying(document, [0], PULL, str(repository))
    estate.run(iam.replace_managed_policy(role, guard, region=REGION, document=edited))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN}
    kept = estate.client("iam").list_policy_versions(PolicyArn=str(guard.arn))["Versions"]
    assert {version["VersionId"] for version in kept} == (
        {"v1", "v2"} if versions == 1 else {"v2", "v3", "v4", "v5", "v6"}
    )


def test_detaching_a_policy_of_aws(estate: Estate) -> None:
    deny_all = ManagedPolicy(arn_of("arn:aws:iam::aws:policy/AWSDenyAll"), ("v1",), "v1")
    repository, role = estate.repository(), estate.role(ALLOW_ALL, attach=[str(deny_all.arn)])
    assert estate.may(role, repository) == set()
    estate.run(iam.replace_managed_policy(role, deny_all, region=REGION, document=None))
    assert estate.may(role, repository) == set(PULL)


def test_widening_a_boundary_that_does_not_allow(estate: Estate) -> None:
    repository, neighbour = estate.repository(), estate.repository(name="team/db")
    document = policy(allow("s3:*", TOKEN))
    boundary = _managed_policy(estate, document)
    role = estate.role(ALLOW_ALL, boundary=str(boundary.arn))
    assert estate.may(role, repository) == {TOKEN}
    edited = allow_pull(document, actions=[MANIFEST, LAYERS], repository_arn=str(repository))
    fix = iam.widen_boundary(role, boundary, region=REGION, actions=[MANIFEST, LAYERS], document=edited)
    estate.run(fix)
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN}


def test_narrowing_a_boundary_that_denies(estate: Estate) -> None:
    document = policy(ALLOW_ALL, _deny("ecr:BatchGet*"))
    boundary = _managed_policy(estate, document)
    repository, role = estate.repository(), estate.role(ALLOW_ALL, boundary=str(boundary.arn))
    assert estate.may(role, repository) == {TOKEN, LAYERS}
    edited = stop_denying(document, [1], PULL, str(repository))
    estate.run(iam.widen_boundary(role, boundary, region=REGION, actions=[MANIFEST], document=edited))
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.parametrize("has_policy", [False, True])
def test_granting_another_account(estate: Estate, *, has_policy: bool) -> None:
    repository = estate.repository()
    push = {"Sid": "Push", "Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage"}
    if has_policy:
        estate.set_policy(repository, push)
    role = estate.role(ALLOW_ALL, account=estate.other)
    # A third account, which no other test uses: ours with another first digit.
    stranger = estate.role(ALLOW_ALL, account=f"9{estate.account[1:]}")
    assert estate.may(role, repository) == {TOKEN}
    estate.run(
        ecr.grant_account(repository, document=policy(push) if has_policy else None, pulling_account=estate.other)
    )
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(stranger, repository) == {TOKEN}


DENIERS = {
    "everyone": "*",
    "everyone, in the long form": {"AWS": "*"},
    "the account": {"AWS": "arn:aws:iam::ACCOUNT:root"},
    "the role": {"AWS": ["arn:aws:iam::444444444444:root", "ROLE"]},
    "the role alone": {"AWS": "ROLE"},
}


@pytest.mark.parametrize("principal", DENIERS.values(), ids=DENIERS)
def test_exempting_a_role_from_a_repository_policy(estate: Estate, principal: object) -> None:
    repository, role = estate.repository(), estate.role(ALLOW_ALL)
    bystander = estate.role(ALLOW_ALL, name="bystander")
    statement = estate.fill_in({"Effect": "Deny", "Principal": principal, "Action": "ecr:*"}, ROLE=str(role))
    estate.set_policy(repository, statement)
    denied_to_others = estate.may(bystander, repository)
    assert estate.may(role, repository) == {TOKEN}
    estate.run(ecr.exempt_role(repository, document=policy(statement), statements=[0], role=role))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(bystander, repository) == denied_to_others
