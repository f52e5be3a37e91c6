"""More policies and node groups than fit a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pull_responder.facts import ec2
from pull_responder.facts.endpoints import read_prefix_list
from pull_responder.facts.iam import PolicyText
from pull_responder.facts.network import read_vpc_parts
from pull_responder.facts.pod_interface import read_pod_interface
from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace, read_security_groups
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_uses import compute_uses
from pull_responder.pulls.pull_facts import PullFacts
from tests.unit.facts.conftest import ACCOUNT, REGION, TRUST, document

if TYPE_CHECKING:
    from botocore.model import OperationModel

    from tests.unit.facts.conftest import Watched

MANY = [f"policy-{number}" for number in range(7)]


def _short_pages(watched: Watched, call: str, size: str, *, forced: bool = False) -> None:
    """AWS may answer with shorter pages than asked for; moto's are long."""

    def shorten(params: dict[str, int], **_: object) -> None:
        if forced:
            params[size] = 5
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


def test_ec2_is_asked_for_pages_of_a_size_that_it_takes(watched: Watched) -> None:
    sizes: dict[str, int | None] = {}

    def note(params: dict[str, Any], model: OperationModel, **_: object) -> None:
        size = params["body"].get("MaxResults")
        sizes[model.name] = size
        assert model.input_shape
        if model.input_shape.members.get("MaxResults") is None:
            return
        if any(".1" in name and "Id" in name and not name.startswith("Filter") for name in params["body"]):
            assert size is None, "EC2 refuses a page size beside ids"
            return
        bounds = model.input_shape.members["MaxResults"].metadata
        assert bounds.get("min", 5) <= size <= bounds.get("max", 1000), model.name

    watched.session.events.register("before-call.ec2", note)
    (found, *_) = watched.client("ec2").describe_vpcs()["Vpcs"]
    reader = Reader(watched.aws)
    parts = read_vpc_parts(reader, ACCOUNT, REGION, found["VpcId"])
    assert parts.vpc.cidrs
    assert not isinstance(parts.subnets, Unread)
    assert not isinstance(ec2.read_running_instances(reader, ACCOUNT, REGION, {"vpc-id": ("vpc-1",)}), Unread)
    read_pod_interface(reader, VpcPlace(ACCOUNT, REGION, found["VpcId"]), "10.0.0.1")
    read_prefix_list(reader, VpcPlace(ACCOUNT, REGION, found["VpcId"]), "pl-1", "")
    assert sizes.pop("DescribeVpcs") is None
    assert "DescribeVpcAttribute" in sizes
    assert {name for name, size in sizes.items() if size is None} == {"DescribeVpcAttribute"}
    assert len(sizes) >= 13


def test_the_pages_of_ec2_are_read_to_the_end(watched: Watched) -> None:
    client = watched.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number in range(12):
        client.create_security_group(GroupName=f"g{number}", Description="x", VpcId=vpc)
    _short_pages(watched, "ec2.DescribeSecurityGroups", "MaxResults", forced=True)
    groups = read_security_groups(Reader(watched.aws), VpcPlace(ACCOUNT, REGION, vpc))
    assert not isinstance(groups, Unread)
    assert len(groups) == 13
