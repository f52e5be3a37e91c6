"""More policies and node groups than fit a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pull_responder.facts.iam import PolicyText
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_uses import compute_uses
from pull_responder.pulls.pull_facts import PullFacts
from tests.unit.facts.conftest import ACCOUNT, REGION, TRUST, document

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

MANY = [f"policy-{number}" for number in range(7)]


def _short_pages(watched: Watched, call: str, size: str) -> None:
    """AWS may answer with shorter pages than asked for; moto's are long."""

    def shorten(params: dict[str, int], **_: object) -> None:
        params.setdefault(size, 3)

    watched.session.events.register(f"provide-client-params.{call}", shorten)


def test_all_pages_of_policies_are_read(watched: Watched) -> None:
    _short_pages(watched, "iam.ListAttachedRolePolicies", "MaxItems")
    iam = watched.client("iam")
    iam.create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps(TRUST))
    for name in MANY:
        iam.put_role_policy(RoleName="node", PolicyName=name, PolicyDocument=document(action=f"s3:{name}"))
        arn = iam.create_policy(PolicyName=name, PolicyDocument=document(action=f"sqs:{name}"))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="node", PolicyArn=arn)

    policies = PullFacts(Reader(watched.aws)).identity_policies(ACCOUNT, REGION, "node")

    assert isinstance(policies, tuple)
    texts = [each for each in policies if isinstance(each, PolicyText)]
    assert len(texts) == len(policies)
    read = {(text.name, text.arn is None, text.document["Statement"][0]["Action"]) for text in texts}
    assert read == {(name, True, f"s3:{name}") for name in MANY} | {(name, False, f"sqs:{name}") for name in MANY}
    assert [name for name, _ in watched.calls].count("ListAttachedRolePolicies") == 3


def test_all_pages_of_clusters_and_node_groups_are_read(watched: Watched) -> None:
    _short_pages(watched, "eks.ListClusters", "maxResults")
    _short_pages(watched, "eks.ListNodegroups", "maxResults")
    eks = watched.client("eks")
    role = f"arn:aws:iam::{ACCOUNT}:role/eks/node"
    for name in MANY:
        eks.create_cluster(name=name, roleArn=f"arn:aws:iam::{ACCOUNT}:role/cluster", resourcesVpcConfig={})
    for name in MANY:
        node_role = role if name == MANY[-1] else f"{role}-{name}"
        eks.create_nodegroup(clusterName=MANY[-1], nodegroupName=name, nodeRole=node_role, subnets=["subnet-1"])

    uses = compute_uses(PullFacts(Reader(watched.aws)), ACCOUNT, REGION, "node")

    assert not isinstance(uses, Unread)
    assert [(use.cluster, use.name) for use in uses.found] == [(MANY[-1], MANY[-1])]
    assert uses.unread == ()
    assert [name for name, _ in watched.calls].count("ListClusters") == 3
