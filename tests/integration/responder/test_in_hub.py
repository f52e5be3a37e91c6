"""What Security Hub is sent, and when: changes, a daily sign of life, and the end of a finding in any case."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.integration.responder.scene import REGION, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def calls(scene: Scene, operation: str, refuse: tuple[str, int] | None = None) -> Iterator[list[str]]:
    """Yield the list that every call of `operation` is added to. With `refuse`, it is refused with that error."""
    client: Any = scene.run().aws.client("securityhub", account=None, region=REGION)
    made: list[str] = []

    def note(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        made.append(operation)
        if refuse is None:
            return None
        code, status = refuse
        error = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return AWSResponse(client.meta.endpoint_url, status, HTTPHeaders(), None), error

    name = f"before-call.securityhub.{operation}"
    client.meta.events.register(name, note)
    try:
        yield made
    finally:
        client.meta.events.unregister(name, note)


@pytest.mark.parametrize("operation", ["BatchImportFindings", "BatchUpdateFindings"])
@pytest.mark.parametrize("refusal", [("AccessDeniedException", 403), ("InvalidAccessException", 401)])
def test_a_finding_that_closes_while_security_hub_refuses_is_archived_later(
    scene: Scene, operation: str, refusal: tuple[str, int]
) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    changed = scene.allow(node)
    with calls(scene, operation, refusal) as refused:
        scene.recheck(changed)
        scene.clock.forward(minutes=10)
        scene.recheck()
    assert refused
    scene.clock.forward(minutes=16)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ARCHIVED"
    assert finding["Workflow"]["Status"] == "RESOLVED"
    with calls(scene, "BatchImportFindings") as more:
        scene.clock.forward(minutes=60)
        scene.recheck()
    assert more == []


def test_an_unchanged_finding_is_imported_once_a_day(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    with calls(scene, "BatchImportFindings") as imports:
        for look in range(95):
            scene.clock.forward(minutes=15, seconds=1)
            if look < 94:
                scene.recheck()
        assert imports == []
        scene.clock.forward(minutes=15)
        scene.recheck()
        assert len(imports) == 1
        scene.clock.forward(minutes=16)
        scene.recheck()
        assert len(imports) == 1


def test_a_changed_finding_is_imported_at_once(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    scene.clock.forward(minutes=16)
    with calls(scene, "BatchImportFindings") as imports:
        scene.respond(node.denied(scene.clock.now, session="i-0123456789abcdef0"))
        assert len(imports) == 1


def _suppress(scene: Scene, finding: dict[str, Any]) -> None:
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    scene.aws.client("securityhub").batch_update_findings(
        FindingIdentifiers=[identifier], Workflow={"Status": "SUPPRESSED"}
    )


def test_a_finding_planted_as_suppressed_does_not_silence_the_first_alert(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == ["new"]
    (finding,) = scene.in_hub(f"role/{node.role}")
    _suppress(scene, finding)
    # Another deployment's table has never seen it: for it, the finding was there before its own.
    table = scene.aws.client("dynamodb")
    table.delete_item(TableName=scene.table, Key={"id": {"S": finding["Id"]}})
    for problem in table.scan(TableName=scene.table)["Items"]:
        table.delete_item(TableName=scene.table, Key={"id": problem["id"]})
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == ["new"]


def test_a_suppressed_finding_is_told_again_when_it_grows_by_a_step(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == ["new"]
    _suppress(scene, scene.in_hub(f"role/{node.role}")[0])
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now, session="i-0123456789abcdef0"))
    assert scene.edges() == []
    scene.clock.forward(minutes=16)
    scene.respond(*(node.denied(scene.clock.now, session=f"i-{number:017x}") for number in range(12)))
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == ["worse"]
