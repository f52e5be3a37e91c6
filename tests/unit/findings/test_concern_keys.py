"""Every finding that a change concerns is listed under a key of the change, and few others are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.checks import CHECKS
from pull_responder.events.change import CACHE_ACTION, IMAGE_ACTION, SERVICES, Change
from pull_responder.events.eks_event import ADDON_RESTORED
from pull_responder.findings.concern import concerns
from pull_responder.findings.concern_keys import keys_of_change, keys_of_finding
from pull_responder.findings.finding import Finding
from pull_responder.model.verdict import Resource
from tests.unit.findings.test_concern import (
    GROUP,
    HERE,
    KEY,
    NODE,
    NODES,
    OTHER,
    REGISTRY,
    REPOSITORY,
    ROLE,
    SUBNET,
    THERE,
    UNKNOWN_PULLER,
    arn,
)

_ACCOUNTS: Final = st.sampled_from([NODES, REGISTRY, OTHER])
_NAMES: Final = st.sampled_from(["node", "other", "app", "base", "prod", NODE])
_RESOURCES: Final = st.sampled_from(
    [
        ("AwsIamRole", "iam", "role/eks/node"),
        ("AwsIamRole", "iam", "role/other"),
        ("AwsEcrRepository", "ecr", "repository/app"),
        ("AwsEcrRepository", "ecr", "repository/base"),
        ("AwsEc2Subnet", "ec2", "subnet/subnet-0a"),
        ("AwsEc2SecurityGroup", "ec2", "security-group/sg-0a"),
        ("AwsEc2Instance", "ec2", f"instance/{NODE}"),
        ("Other", "organizations", "policy/o-a/service_control_policy/p-a"),
        ("AwsEksCluster", "eks", "cluster/prod"),
    ]
)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    base = draw(st.sampled_from([ROLE, REPOSITORY]))
    kind, service, name = draw(_RESOURCES)
    account = draw(_ACCOUNTS)
    pull = replace(
        base.pull,
        repository=draw(st.none() | st.sampled_from(["app", "base"])),
        principal=draw(st.none() | st.just(base.pull.principal)),
        registry_account=draw(st.none() | _ACCOUNTS),
    )
    return replace(
        base,
        cause=draw(st.sampled_from([*(check.id for check in CHECKS), "cause_of_a_later_version"])),
        account=account,
        resource=Resource(kind, arn(service, name, account), account),
        pull=pull,
        cluster=draw(st.none() | st.sampled_from(["prod", "other"])),
    )


@st.composite
def changes(draw: st.DrawFn) -> Change:
    service = draw(st.sampled_from(sorted(SERVICES)))
    names = {"ecr": [IMAGE_ACTION, CACHE_ACTION, "SetRepositoryPolicy"], "eks": [ADDON_RESTORED, "UpdateClusterConfig"]}
    return Change(
        service,
        draw(st.sampled_from(names.get(service, ["ModifyInstanceMetadataOptions", "CreateRoute", "AttachRolePolicy"]))),
        draw(_ACCOUNTS),
        draw(st.sampled_from([HERE, THERE])),
        role=draw(st.none() | _NAMES) if service == "iam" else None,
        repository=draw(st.none() | _NAMES) if service == "ecr" else None,
        words=draw(st.frozensets(_NAMES, max_size=3)),
    )


@given(changes(), findings())
def test_what_a_change_concerns_is_listed_under_a_key_of_the_change(change: Change, finding: Finding) -> None:
    if concerns(change, finding):
        assert keys_of_change(change) & keys_of_finding(finding)


@pytest.mark.parametrize(
    "change",
    [
        Change("iam", "AttachRolePolicy", NODES, HERE, role="other"),
        Change("iam", "AttachRolePolicy", OTHER, HERE, role="node"),
        Change("kms", "EnableKey", NODES, HERE),
        Change("ec2", "CreateRoute", REGISTRY, HERE),
    ],
)
def test_a_change_of_another_role_account_or_service_does_not_read_the_finding(change: Change) -> None:
    finding = replace(ROLE, pull=replace(ROLE.pull, registry_account=NODES))
    assert not keys_of_change(change) & keys_of_finding(finding) - {"*/ec2"}


def test_a_change_asks_for_the_findings_of_its_repository_and_for_those_of_none() -> None:
    policy = Change("ecr", "SetRepositoryPolicy", REGISTRY, HERE, repository="app")
    named = {f"{REGISTRY}/ecr/app", f"{REGISTRY}/ecr/"}
    assert keys_of_change(policy) == {*named, f"{REGISTRY}/ecr//"}
    # A new image is news for those who pull from this repository alone.
    assert keys_of_change(replace(policy, name=IMAGE_ACTION)) == named
    assert keys_of_change(replace(policy, name="PutImage", repository=None)) == {f"{REGISTRY}/ecr"}


def keys(account: str, *names: str) -> set[str]:
    return {f"{account}/{name}" for name in names}


@pytest.mark.parametrize(
    ("finding", "anywhere", "here"),
    [
        # What the role may do is decided by policies of any repository, and a shared VPC's owner may be anybody.
        (
            ROLE,
            {"*/ec2", "*/organizations"},
            ["ec2", "ecr", "ecr/app", "ecr//", "eks", "iam", "iam/node"],
        ),
        (REPOSITORY, {"*/ec2", "*/organizations"}, ["ec2", "ecr", "ecr/app", "eks", "iam", "iam/node"]),
        (SUBNET, set(), ["ec2", "eks", "network-firewall", "route53resolver"]),
        (GROUP, {"*/ec2"}, ["ec2", "eks", "network-firewall", "route53resolver"]),
        (KEY, set(), ["ecr", "ecr/app", "ecr//", "eks", "kms"]),
        (
            replace(UNKNOWN_PULLER, cause="a_cause_of_tomorrow", pull=replace(UNKNOWN_PULLER.pull, repository=None)),
            {"*/ec2", "*/organizations"},
            [
                *("ec2", "ecr", "ecr/", "ecr//", "eks", "iam", "iam/", "kms"),
                *("network-firewall", "route53resolver", "secretsmanager"),
            ],
        ),
    ],
    ids=lambda each: each.cause if isinstance(each, Finding) else "",
)
def test_the_keys_of_a_finding(finding: Finding, anywhere: set[str], here: list[str]) -> None:
    assert keys_of_finding(finding) == anywhere | keys(NODES, *here) | keys(REGISTRY, *here)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (Change("organizations", "AttachPolicy", OTHER, HERE), {"*/organizations"}),
        (Change("iam", "AttachRolePolicy", NODES, HERE, role="node"), keys(NODES, "iam/node", "iam/")),
        (Change("iam", "CreatePolicyVersion", NODES, HERE), keys(NODES, "iam")),
        (Change("ec2", "CreateRoute", NODES, HERE), {"*/ec2", f"{NODES}/ec2"}),
        (Change("ec2", "TerminateInstances", NODES, HERE), keys(NODES, "ec2")),
        (Change("kms", "EnableKey", NODES, HERE), keys(NODES, "kms")),
    ],
)
def test_the_keys_of_a_change(change: Change, asked: set[str]) -> None:
    assert keys_of_change(change) == asked


def test_a_finding_has_few_keys() -> None:
    assert len(keys_of_finding(ROLE)) <= 20
