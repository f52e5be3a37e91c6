"""What an inspection found of nodes without a node group: looked at by their role, and closed when it is over."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from pull_responder.findings.life import Life
from pull_responder.model.unread import Unread
from tests.integration.responder.scene import ACCOUNT, REGION, Node, Scene, change

if TYPE_CHECKING:
    from collections.abc import Iterator

LACKS = "role_lacks_pull_permissions"
NO_ROUTE = "no_route_to_ecr"


@dataclass(frozen=True)
class Pool:
    """Karpenter's nodes of one role in a cluster of their own, one of which runs."""

    cluster: str
    node: Node

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.node.role}"

    def changed(self) -> dict[str, object]:
        return change("eks", "UpdateClusterConfig", name=self.cluster)


@pytest.fixture
def pool(scene: Scene) -> Pool:
    cluster, subnet = f"prod-{uuid4().hex[:8]}", subnet_of(scene)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{scene.role().role}"
    scene.aws.client("eks").create_cluster(name=cluster, roleArn=arn, resourcesVpcConfig={"subnetIds": [subnet]})
    return another(scene, cluster)


def another(scene: Scene, cluster: str) -> Pool:
    """A pool whose role may do nothing."""
    role = scene.role().role
    pool = Pool(cluster, Node(role, ""))
    iam = scene.aws.client("iam")
    iam.create_instance_profile(InstanceProfileName=role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    scene.aws.client("eks").create_access_entry(clusterName=cluster, principalArn=pool.role_arn, type="EC2_LINUX")
    made = scene.aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet_of(scene),
        IamInstanceProfile={"Name": role},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": f"kubernetes.io/cluster/{cluster}", "Value": "owned"}]}
        ],
    )
    return Pool(cluster, Node(role, made["Instances"][0]["InstanceId"]))


def subnet_of(scene: Scene) -> str:
    subnet: str = scene.aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    return subnet


@contextmanager
def refused(scene: Scene, service: str, operation: str) -> Iterator[None]:
    """Refuse one of the responder's reads."""
    client = scene.run().aws.client(service, account=None, region=REGION)
    assert not isinstance(client, Unread)

    def refuse(**_: object) -> tuple[AWSResponse, dict[str, object]]:
        error = {"Code": "AccessDenied", "Message": "refused"}
        return AWSResponse("", 403, HTTPHeaders(), None), {"Error": error, "ResponseMetadata": {}}

    client.meta.events.register(f"before-call.{service}.{operation}", refuse)
    yield
    client.meta.events.unregister(f"before-call.{service}.{operation}", refuse)


def lives(scene: Scene) -> list[Life]:
    """What is open."""
    ids = scene.store.open_findings(limit=100)
    return [read for read in scene.store.lives(ids).values() if isinstance(read, Life)]


def look_after(scene: Scene, minutes: float) -> list[tuple[str, str]]:
    """Let `minutes` pass, look, look again when what was resolved then is told, and return what was told."""
    for passing in (minutes, 6):
        scene.clock.forward(minutes=passing)
        scene.recheck()
    return scene.edges()


def test_a_role_of_karpenters_nodes_is_over_when_it_may_pull_and_not_while_that_cannot_be_read(
    scene: Scene, pool: Pool
) -> None:
    scene.respond(pool.changed())
    assert sorted(scene.edges()) == [("new", NO_ROUTE), ("new", LACKS)]
    (role,) = [each for each in lives(scene) if each.finding.cause == LACKS]
    assert role.inspection is not None
    assert (role.inspection.cluster, role.inspection.role_arn) == (pool.cluster, pool.role_arn)
    scene.allow(pool.node)
    reads = (("ec2", "DescribeInstances"), ("eks", "DescribeCluster"), ("iam", "ListAttachedRolePolicies"))
    for service, operation in reads:
        with refused(scene, service, operation):
            assert look_after(scene, 16) == []
    assert look_after(scene, 16) == [("resolved", LACKS)]


def test_nodes_that_are_gone_end_what_was_found_of_their_way_and_not_what_was_found_of_their_role(
    scene: Scene, pool: Pool
) -> None:
    scene.respond(pool.changed())
    assert sorted(scene.edges()) == [("new", NO_ROUTE), ("new", LACKS)]
    scene.aws.client("ec2").terminate_instances(InstanceIds=[pool.node.instance])
    scene.clock.forward(minutes=16)
    with refused(scene, "ec2", "DescribeInstances"):
        scene.recheck()
    assert look_after(scene, 16) == [("resolved", NO_ROUTE)]
    scene.aws.client("eks").delete_access_entry(clusterName=pool.cluster, principalArn=pool.role_arn)
    assert look_after(scene, 16) == [("resolved", LACKS)]


def test_what_is_found_of_two_pools_is_over_when_it_is_over_for_both(scene: Scene, pool: Pool) -> None:
    second = another(scene, pool.cluster)
    scene.respond(pool.changed())
    assert sorted(scene.edges()) == [("new", NO_ROUTE), ("new", LACKS), ("new", LACKS)]
    (way,) = [each for each in lives(scene) if each.finding.cause == NO_ROUTE]
    assert way.inspection is not None
    assert (way.inspection.cluster, way.inspection.role_arn) == (pool.cluster, None)
    ec2 = scene.aws.client("ec2")
    ec2.terminate_instances(InstanceIds=[pool.node.instance])
    assert look_after(scene, 16) == []
    ec2.terminate_instances(InstanceIds=[second.node.instance])
    # Their roles may join the cluster still, and no node shows its way.
    assert look_after(scene, 16) == [("resolved", NO_ROUTE)]
