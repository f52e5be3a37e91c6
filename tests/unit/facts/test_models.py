"""What is read off the answers of EC2 and IAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.facts.ec2 import Instance
from pull_responder.facts.iam import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

TAGS: list[tuple[dict[str, str], str | None]] = [
    ({}, None),
    ({"kubernetes.io/cluster/prod": "owned"}, "prod"),
    ({"kubernetes.io/cluster/prod": "shared"}, "prod"),
    ({"kubernetes.io/cluster/prod": "false"}, None),
    ({"eks:cluster-name": "prod"}, "prod"),
    ({"eks:cluster-name": ""}, None),
    ({"aws:eks:cluster-name": "prod"}, "prod"),
    ({"eks:eks-cluster-name": "auto"}, "auto"),
    ({"alpha.eksctl.io/cluster-name": "prod"}, "prod"),
    ({"Cluster": "prod", "karpenter.sh/nodepool": "default"}, None),
]


@pytest.mark.parametrize(("tags", "cluster"), TAGS)
def test_the_cluster_of_an_instance(tags: dict[str, str], cluster: str | None) -> None:
    instance = Instance("i-1", "aws", "123456789012", "us-east-1", None, None, tags)
    assert instance.cluster == cluster


POOLS: list[tuple[dict[str, str], str | None]] = [
    ({"karpenter.sh/nodepool": "spot", "eks:eks-cluster-name": "prod"}, "spot"),
    ({"eks:kubernetes-node-pool-name": "general-purpose"}, "general-purpose"),
    ({"eks:nodegroup-name": "workers"}, None),
]


@pytest.mark.parametrize(("tags", "pool"), POOLS)
def test_the_node_pool_of_an_instance(tags: dict[str, str], pool: str | None) -> None:
    assert Instance("i-1", "aws", "123456789012", "us-east-1", None, None, tags).node_pool == pool


ID, VERSION = {"aws:ec2launchtemplate:id": "lt-1"}, {"aws:ec2launchtemplate:version": "3"}


@pytest.mark.parametrize(("tags", "template"), [(ID | VERSION, ("lt-1", "3")), (ID, None), (VERSION, None)])
def test_the_launch_template_of_an_instance(tags: dict[str, str], template: tuple[str, str] | None) -> None:
    assert Instance("i-1", "aws", "123456789012", "us-east-1", None, None, tags).template == template


@pytest.mark.parametrize(
    ("state", "subnet", "gone"),
    [("running", "subnet-1", False), ("terminated", None, True), ("shutting-down", "subnet-1", True)],
)
def test_whether_an_instance_is_gone(state: str, subnet: str | None, *, gone: bool) -> None:
    assert Instance("i-1", "aws", "123456789012", "us-east-1", None, subnet, state=state).is_gone is gone


ALLOW: dict[str, object] = {"Effect": "Allow", "Action": "sts:AssumeRole"}
TRUSTS: list[tuple[object, bool]] = [
    ([{**ALLOW, "Principal": {"Service": "ec2.amazonaws.com"}}], True),
    ({**ALLOW, "Principal": {"Service": ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com.cn"]}}, True),
    ([{**ALLOW, "Principal": {"Service": "ec2fleet.amazonaws.com"}}], False),
    ([{**ALLOW, "Principal": {"AWS": "ec2.amazonaws.com"}}], False),
    ([{**ALLOW, "Effect": "Deny", "Principal": {"Service": "ec2.amazonaws.com"}}], False),
    ([{**ALLOW, "Principal": "*"}], False),
    ("ec2.amazonaws.com", False),
    ([], False),
]


@pytest.mark.parametrize(("statement", "trusts"), TRUSTS)
def test_whether_a_role_trusts_ec2(statement: object, *, trusts: bool) -> None:
    policy: Mapping[str, object] = {"Version": "2012-10-17", "Statement": statement}
    role = Role("arn:aws:iam::123456789012:role/node", "node", "123456789012", policy, None)
    assert role.trusts("ec2") is trusts
