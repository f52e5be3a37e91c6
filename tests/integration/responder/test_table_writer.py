"""What whoever may write to the findings table can do, and cannot: docs/security.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene

NEW = ("new", "role_lacks_pull_permissions")


def write(scene: Scene, prefix: str, name: str, value: dict[str, Any]) -> None:
    """Set an attribute of the only item whose id begins with `prefix`."""
    client = scene.aws.client("dynamodb")
    (item,) = [each for each in client.scan(TableName=scene.table)["Items"] if str(each["id"]["S"]).startswith(prefix)]
    client.update_item(
        TableName=scene.table,
        Key={"id": item["id"]},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )


def life(scene: Scene) -> dict[str, Any]:
    """The only finding in the table, as it is stored."""
    items = scene.aws.client("dynamodb").scan(TableName=scene.table)["Items"]
    (text,) = [each["life"]["S"] for each in items if "life" in each]
    stored: dict[str, Any] = json.loads(text)
    return stored


def test_a_problem_that_is_written_as_quiet_is_not_diagnosed(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    write(scene, "problem/", "quiet_until", {"N": str(int(scene.clock.now) + 90 * 86_400)})
    scene.allow(node)
    scene.clock.forward(minutes=16)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", NEW[1])]
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [], "whoever wrote the item has hidden the failure"


def test_a_notice_that_is_written_is_sent_without_control_characters(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    stored = life(scene)
    stored["finding"]["remediation"]["summary"] = "Ask \x1b[31mmallory."
    stored["finding"]["remediation"]["commands"] = [["aws", "iam", "delete-role", "--role-name", "mine"]]
    stored["pending"] = {"edge": "worse", "because": "", "at": scene.clock.now, "due": scene.clock.now}
    id_ = stored["finding"]["id"]
    write(scene, id_, "life", {"S": json.dumps(stored)})
    write(scene, id_, "queue", {"S": "notice"})
    write(scene, id_, "look_at", {"N": str(int(scene.clock.now))})
    scene.clock.forward(seconds=60)
    scene.recheck()
    (worse,) = scene.told()
    assert worse["edge"] == "worse"
    assert "mallory" in worse["finding"]["remediation"]["summary"], "whoever wrote the item has put words into ours"
    assert worse["finding"]["remediation"]["commands"] == ["aws iam delete-role --role-name mine"]
    assert "\x1b" not in json.dumps(worse, ensure_ascii=False)


def test_a_text_that_is_written_into_a_finding_gives_way_to_what_is_read(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    stored = life(scene)
    stored["finding"]["remediation"]["summary"] = "Ask mallory."
    write(scene, stored["finding"]["id"], "life", {"S": json.dumps(stored)})
    scene.clock.forward(minutes=25 * 60)
    scene.recheck()
    (reminder,) = scene.told()
    assert reminder["edge"] == "reminder"
    assert "mallory" not in json.dumps(reminder)


def test_what_is_written_cannot_keep_a_fixed_finding_open(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    stored = life(scene)
    stored["finding"]["evidence"] = ["AWS said: it is still broken"]
    write(scene, stored["finding"]["id"], "life", {"S": json.dumps(stored)})
    scene.allow(node)
    scene.clock.forward(minutes=16)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", NEW[1])]
