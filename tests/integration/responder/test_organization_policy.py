"""A policy of the organization that stops many roles is one finding, and is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.life import Life
from tests.integration.responder.scene import Node, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICY: Final = "arn:aws:organizations::999999999999:policy/o-abc/service_control_policy/p-12345678"
CAUSE: Final = "scp_blocks_pull"


def stopped(scene: Scene, node: Node, reason: str) -> dict[str, Any]:
    event = node.denied(scene.clock.now)
    detail = event["detail"]
    detail["errorMessage"] = detail["errorMessage"].partition(" because ")[0] + f" {reason}"
    return event


def denied_to(scene: Scene, *nodes: Node, policy: str = POLICY) -> list[dict[str, Any]]:
    reason = f"with an explicit deny in a service control policy: {policy}"
    return [stopped(scene, node, reason) for node in nodes]


def roles_with_permissions(scene: Scene, number: int, *, clusters: Sequence[str] = ("prod",)) -> list[Node]:
    nodes = [scene.role(cluster=clusters[at % len(clusters)]) for at in range(number)]
    for node in nodes:
        scene.allow(node)
    return nodes


def test_a_policy_that_stops_many_roles_is_told_once_with_the_roles_as_its_reach(scene: Scene) -> None:
    nodes = roles_with_permissions(scene, 12)

    scene.respond(*denied_to(scene, *nodes))

    (told,) = scene.told()
    finding = told["finding"]
    assert (told["edge"], finding["cause"], finding["resource"]) == ("new", CAUSE, {"type": "Other", "id": POLICY})
    (imported,) = scene.in_hub(POLICY)
    assert imported["FindingProviderFields"]["Severity"]["Label"] == "HIGH"
    life = scene.store.lives([finding["id"]])[finding["id"]]
    assert isinstance(life, Life)
    assert life.reach.principal_count == 12
    assert set(life.reach.principals) <= {f"123456789012/{node.role}" for node in nodes}
    # A command for one role would take twelve rounds.
    assert "to several roles" in life.finding.explanation
    assert "exempt all roles that pull for EKS" in life.finding.remediation.summary
    assert life.finding.remediation.commands == ()


def test_a_policy_that_stops_one_role_says_what_serves_that_role(scene: Scene) -> None:
    (node,) = roles_with_permissions(scene, 1)

    scene.respond(*denied_to(scene, node))

    (told,) = scene.told()
    assert f"role/{node.role}" in told["finding"]["explanation"]
    assert f"{POLICY} must not deny" in told["finding"]["remediation"]["summary"]


def test_a_second_cluster_makes_it_critical_and_a_further_role_of_the_same_is_told_to_nobody(scene: Scene) -> None:
    first, second, third = roles_with_permissions(scene, 3, clusters=["prod", "prod", "test"])
    scene.respond(*denied_to(scene, first))
    assert scene.edges() == [("new", CAUSE)]

    scene.respond(*denied_to(scene, second))
    assert scene.edges() == []

    scene.respond(*denied_to(scene, third))
    (worse,) = scene.told()
    assert (worse["edge"], worse["finding"]["severity"]) == ("worse", "CRITICAL")


def test_two_policies_are_two_findings_and_words_that_name_none_are_of_the_account(scene: Scene) -> None:
    first, second, third = roles_with_permissions(scene, 3)
    other = POLICY.replace("p-12345678", "p-87654321")

    scene.respond(
        *denied_to(scene, first),
        *denied_to(scene, second, policy=other),
        stopped(scene, third, "because no service control policy allows the ecr:GetAuthorizationToken action"),
    )

    assert {each["finding"]["resource"]["id"] for each in scene.told()} == {
        POLICY,
        other,
        "AWS::::Account:123456789012",
    }
