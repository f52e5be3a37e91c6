"""Several causes of one problem are one message, and each message names the causes that are open beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.findings.store import StoreError
from pull_responder.responder.ledger import Ledger
from tests.integration.responder.scene import ACCOUNT, ADMIN, Node, Scene, change

if TYPE_CHECKING:
    from collections.abc import Iterable

LACKS, BOUNDARY = "role_lacks_pull_permissions", "permissions_boundary_blocks_pull"


@pytest.fixture
def node(scene: Scene) -> Node:
    """A node whose role has no policy, and a permissions boundary that allows no pull."""
    node, iam = scene.role(), scene.aws.client("iam")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    arn = iam.create_policy(PolicyName=f"guard-{node.role}", PolicyDocument=policy)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=node.role, PermissionsBoundary=arn)
    return node


def causes(message: dict[str, Any]) -> list[str]:
    return [each["cause"] for each in message["findings"]]


def others(message: dict[str, Any]) -> list[str]:
    return [each["cause"] for each in message["others"]]


def lift(scene: Scene, node: Node) -> dict[str, Any]:
    """Take the boundary away, and return CloudTrail's record of it."""
    scene.aws.client("iam").delete_role_permissions_boundary(RoleName=node.role)
    made = change("iam", "DeleteRolePermissionsBoundary", roleName=node.role)
    made["detail"]["userIdentity"] = {"type": "AssumedRole", "arn": ADMIN}
    return made


def after_the_hold_down(scene: Scene) -> list[dict[str, Any]]:
    scene.clock.forward(minutes=6)
    scene.recheck()
    return scene.told()


def test_both_causes_are_told_at_once_and_what_is_left_when_one_is_over(scene: Scene, node: Node) -> None:
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    assert (new["edge"], sorted(causes(new)), others(new)) == ("new", [BOUNDARY, LACKS], [])
    assert new["reach"]["events"] == 1
    assert all(each["remediation"]["commands"] for each in new["findings"])
    # Security Hub has a finding for each.
    assert len(scene.in_hub(f"role/{node.role}")) == 2

    scene.recheck(scene.allow(node))
    (one,) = after_the_hold_down(scene)
    assert (one["edge"], causes(one), others(one)) == ("resolved", [LACKS], [BOUNDARY])

    scene.recheck(lift(scene, node))
    (other,) = after_the_hold_down(scene)
    assert (other["edge"], causes(other), others(other)) == ("resolved", [BOUNDARY], [])
    assert new["problem"] == one["problem"] == other["problem"]


def test_a_digest_says_what_still_stops_the_pulls_of_what_is_resolved(scene: Scene, node: Node) -> None:
    alone = scene.role()
    scene.respond(node.denied(scene.clock.now), alone.denied(scene.clock.now), DIGEST_ABOVE="1")
    scene.told()
    scene.recheck(scene.allow(node), scene.allow(alone), DIGEST_ABOVE="1")
    scene.clock.forward(minutes=6)
    scene.recheck(DIGEST_ABOVE="1")
    (digest,) = scene.told()
    assert digest["headline"].startswith("2 resolved findings of 1 cause in ")
    assert " 1 of 2 is resolved only in part: another cause still stops the pulls. " in digest["headline"]
    assert "boundary" in digest["action"]
    assert len(digest["over"]) == 1


def test_what_ends_together_is_one_message(scene: Scene, node: Node) -> None:
    scene.respond(node.denied(scene.clock.now))
    scene.told()
    scene.recheck(lift(scene, node), scene.allow(node))
    (resolved,) = after_the_hold_down(scene)
    assert (resolved["edge"], sorted(causes(resolved)), others(resolved)) == ("resolved", [BOUNDARY, LACKS], [])


def test_a_message_reaches_no_less_far_than_each_of_its_findings(scene: Scene, node: Node) -> None:
    sessions = ["i-00000000000000001", "i-00000000000000002", node.instance]
    scene.respond(*(node.denied(scene.clock.now + at, session=each) for at, each in enumerate(sessions)))
    (new,) = scene.told()
    problem = new["problem"]
    before = new["reach"]
    assert (before["events"], before["nodes"]) == (3, sessions)
    # Its problem expires while its findings are open.
    scene.aws.client("dynamodb").delete_item(TableName=scene.table, Key={"id": {"S": problem}})
    scene.recheck(lift(scene, node), scene.allow(node))
    (resolved,) = after_the_hold_down(scene)
    assert (resolved["edge"], sorted(causes(resolved))) == ("resolved", [BOUNDARY, LACKS])
    assert (resolved["reach"]["events"], resolved["reach"]["nodes"]) == (3, sessions)


def test_a_cause_that_comes_later_names_the_one_that_was_told(scene: Scene) -> None:
    node, iam = scene.role(), scene.aws.client("iam")
    scene.respond(node.denied(scene.clock.now))
    (first,) = scene.told()
    arn = f"arn:aws:iam::{ACCOUNT}:policy/guard-late-{node.role}"
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}]}
    )
    iam.create_policy(PolicyName=f"guard-late-{node.role}", PolicyDocument=policy)
    iam.put_role_permissions_boundary(RoleName=node.role, PermissionsBoundary=arn)
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    (second,) = scene.told()
    assert (causes(second), others(second)) == ([BOUNDARY], [LACKS])
    assert second["problem"] == first["problem"]


def test_two_roles_are_two_problems(scene: Scene, node: Node) -> None:
    other = scene.role()
    scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now))
    assert sorted(len(each["findings"]) for each in scene.told()) == [1, 2]


def test_with_version_1_each_finding_has_its_own_document(scene: Scene, node: Node) -> None:
    scene.respond(node.denied(scene.clock.now), NOTIFICATION_SCHEMA="1.0")
    told = scene.told()
    assert sorted(each["finding"]["cause"] for each in told) == [BOUNDARY, LACKS]
    assert {each["version"] for each in told} == {"1.0"}


def test_if_the_other_causes_cannot_be_read_the_alert_goes_out_without_them(
    scene: Scene, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    scene.recheck(scene.allow(node))
    boundary = next(each["id"] for each in new["findings"] if each["cause"] == BOUNDARY)
    lives = Ledger.lives
    failed: list[str] = []

    def failing(ledger: Ledger, ids: Iterable[str]) -> object:
        if list(ids) == [boundary] and not failed:
            failed.append(boundary)
            raise StoreError("dynamodb:BatchGetItem failed")
        return lives(ledger, ids)

    monkeypatch.setattr(Ledger, "lives", failing)
    (resolved,) = after_the_hold_down(scene)
    assert (causes(resolved), resolved["others"]) == ([LACKS], None)
