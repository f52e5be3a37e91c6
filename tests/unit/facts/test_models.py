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
