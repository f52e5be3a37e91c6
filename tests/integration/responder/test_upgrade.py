"""A table that release 0.2.0 has written: this release goes on with it, and 0.2.0 can read what this one writes.

tests/events/table_0_2_0.json was written by the code of 0.2.0: a role of nodes that may not pull, refused twice, told.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pull_responder.findings.problem import iso
from tests.integration.responder.scene import ACCOUNT, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.responder.scene import Scene

WRITTEN: Final = json.loads((Path(__file__).parents[2] / "events" / "table_0_2_0.json").read_text())
NODE: Final = Node("node-13fa4d3f", "i-1ab0125e3099ed31e")
LACKS: Final = "role_lacks_pull_permissions"


@pytest.fixture(autouse=True)
def upgraded(scene: Scene) -> Iterator[None]:
    """The table has what 0.2.0 has written, and the account the role that it is about."""
    items = json.loads(json.dumps(WRITTEN))
    for item in items:
        for value in item.values():
            if "B" in value:
                value["B"] = b64decode(value["B"])
        scene.aws.client("dynamodb").put_item(TableName=scene.table, Item=item)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    scene.aws.client("iam").create_role(RoleName=NODE.role, AssumeRolePolicyDocument=document)
    role, place = f"arn:aws:iam::{ACCOUNT}:role/{NODE.role}", {"subnetIds": ["subnet-0a1b2c3d4e5f60718"]}
    eks = scene.aws.client("eks")
    eks.create_cluster(name=NODE.role, roleArn=role, resourcesVpcConfig=place)
    eks.create_nodegroup(clusterName=NODE.role, nodegroupName="workers", subnets=place["subnetIds"], nodeRole=role)
    yield
    iam = scene.aws.client("iam")
    for each in iam.list_attached_role_policies(RoleName=NODE.role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=NODE.role, PolicyArn=each["PolicyArn"])
    iam.delete_role(RoleName=NODE.role)


def kept(scene: Scene, kind: str) -> dict[str, Any]:
    """Return the item of the table whose id begins with `kind`."""
    items = scene.aws.client("dynamodb").scan(TableName=scene.table)["Items"]
    (item,) = (each for each in items if each["id"]["S"].startswith(kind))
    return dict(item)


def test_what_was_open_goes_on_counts_on_and_is_told_once_when_it_is_over(scene: Scene) -> None:
    scene.clock.forward(minutes=20)
    scene.respond(NODE.denied(scene.clock.now))
    scene.recheck()
    # People know of it since 0.2.0.
    assert scene.edges() == []
    (finding,) = scene.in_hub(NODE.role)
    assert finding["ProductFields"]["pull-responder/events"] == "3"
    assert finding["FirstObservedAt"].startswith(iso(scene.clock.now - 20 * 60)[:16])

    scene.recheck(scene.allow(NODE))
    scene.clock.forward(minutes=6)
    scene.recheck()
    (told,) = scene.told()
    assert (told["edge"], told["finding"]["cause"], told["reach"]["events"]) == ("resolved", LACKS, 3)


def test_a_change_finds_it_after_one_recheck(scene: Scene) -> None:
    """Items of 0.2.0 are not listed for changes. The first look lists them."""
    scene.clock.forward(minutes=16)
    scene.recheck()
    changed = scene.allow(NODE)
    scene.clock.forward(minutes=1)
    scene.recheck(changed)
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", LACKS)]


def test_the_release_before_finds_all_that_it_reads(scene: Scene) -> None:
    scene.clock.forward(minutes=20)
    scene.respond(NODE.denied(scene.clock.now))
    older = {item["id"]["S"].partition("/")[0]: item for item in WRITTEN}
    for kind in ("pull-responder", "problem"):
        now = kept(scene, f"{kind}/")
        lost = {name for name, value in older[kind].items() if now.get(name, {}).keys() != value.keys()}
        # Whether an event was counted before is a count that may be too high by redeliveries of the upgrade's hours.
        assert lost <= {"marks", "node_marks", "nodes"}
    before, after = older["pull-responder"]["life"]["S"], kept(scene, "pull-responder/")["life"]["S"]
    assert list(changed(json.loads(before), json.loads(after))) == []


def changed(before: Any, after: Any, path: str = "life") -> Any:  # noqa: ANN401 -- JSON
    """Yield the places of `before` that `after` lacks, or where another type stands."""
    if before is None or after is None:
        return
    if type(before) is not type(after):
        yield path
    elif isinstance(before, dict):
        for name, value in before.items():
            if name in after:
                yield from changed(value, after[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
