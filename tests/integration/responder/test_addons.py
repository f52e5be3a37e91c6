"""What an add-on's event found: joined with other signals, and closed by what can be read and never by a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.findings.life import Life
from tests.integration.responder.scene import ACCOUNT, REGION, Node, change

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene

LACKS = "role_lacks_pull_permissions"
DEGRADED, RESTORED = "EKS Addon Health Degraded", "EKS Addon Health Restored"


def addon_event(detail_type: str, cluster: str, addon: str = "coredns") -> dict[str, Any]:
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:addon/{cluster}/{addon}/{uuid4()}"
    envelope = {"source": "aws.eks", "detail-type": detail_type, "time": "2026-03-01T12:00:00Z", "resources": [arn]}
    return {**envelope, "id": str(uuid4()), "account": ACCOUNT, "region": REGION, "detail": {}}


@pytest.fixture
def node(scene: Scene) -> Node:
    """A node group whose role may do nothing; its cluster has the role's name, and the add-on coredns."""
    node = scene.node_group()
    scene.aws.client("eks").create_addon(clusterName=node.role, addonName="coredns")
    return node


def open_life(scene: Scene) -> Life:
    ids = scene.store.open_findings(limit=100)
    (life,) = [
        each for each in scene.store.lives(ids).values() if isinstance(each, Life) and each.finding.cause == LACKS
    ]
    return life


def told_of_role(scene: Scene) -> list[str]:
    return [edge for edge, cause in scene.edges() if cause == LACKS]


def test_restored_closes_what_is_mended_and_at_once(scene: Scene, node: Node) -> None:
    scene.respond(addon_event(DEGRADED, node.role))
    assert told_of_role(scene) == ["new"]
    life = open_life(scene)
    assert life.inspection is not None
    assert (life.inspection.cluster, life.inspection.node_group) == (node.role, "workers")
    assert (life.inspection.addons, life.inspection.only_addons) == (("coredns",), True)
    scene.allow(node)
    scene.clock.forward(seconds=30)
    scene.recheck(addon_event(RESTORED, node.role))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert told_of_role(scene) == ["resolved"]


def test_restored_is_only_a_word_while_the_fault_can_be_read(scene: Scene, node: Node) -> None:
    scene.respond(addon_event(DEGRADED, node.role))
    scene.clock.forward(seconds=30)
    scene.recheck(addon_event(RESTORED, node.role))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert told_of_role(scene) == ["new"]
    assert open_life(scene).is_open


def test_restored_in_another_cluster_does_not_look(scene: Scene, node: Node) -> None:
    scene.respond(addon_event(DEGRADED, node.role))
    scene.allow(node)
    scene.clock.forward(seconds=30)
    scene.recheck(addon_event(RESTORED, "other"))
    assert open_life(scene).is_open


def test_add_ons_and_a_change_of_the_cluster_are_looked_at_together(scene: Scene, node: Node) -> None:
    scene.respond(addon_event(DEGRADED, node.role))
    scene.respond(addon_event(DEGRADED, node.role, "vpc-cni"))
    life = open_life(scene)
    assert life.inspection is not None
    assert (life.inspection.addons, life.inspection.only_addons) == (("coredns", "vpc-cni"), True)
    scene.respond(change("eks", "UpdateNodegroupVersion", name=node.role, nodegroupName="workers"))
    life = open_life(scene)
    assert life.inspection is not None
    assert (life.inspection.node_group, set(life.inspection.addons)) == ("workers", {"coredns", "vpc-cni"})
    assert not life.inspection.only_addons
    assert told_of_role(scene) == ["new"]


def test_a_deleted_add_on_leaves_the_fault_of_the_nodes_open(scene: Scene, node: Node) -> None:
    scene.respond(addon_event(DEGRADED, node.role))
    scene.aws.client("eks").delete_addon(clusterName=node.role, addonName="coredns")
    scene.clock.forward(minutes=16)
    scene.recheck()
    assert open_life(scene).is_open
