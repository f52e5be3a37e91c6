"""What Security Hub is sent, and when: changes, a daily sign of life, and the end of a finding in any case."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.integration.responder.scene import IMAGE, REGION, Node, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def calls(
    scene: Scene,
    operation: str,
    refuse: tuple[str, int] | None = None,
    *,
    of: Any = None,  # noqa: ANN401 -- a client
) -> Iterator[list[str]]:
    """Yield the list that every call of `operation` is added to. With `refuse`, it is refused with that error.

    `of` is the client that calls, if it is not the one of our own Security Hub.
    """
    client: Any = of or scene.run().aws.client("securityhub", account=None, region=REGION)
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
    _set_status(scene, finding, "SUPPRESSED")


def _set_status(scene: Scene, finding: dict[str, Any], status: str) -> None:
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    scene.aws.client("securityhub").batch_update_findings(FindingIdentifiers=[identifier], Workflow={"Status": status})


def test_a_finding_planted_as_suppressed_silences_nothing_and_is_told_once(scene: Scene) -> None:
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
    (new,) = scene.told()
    assert new["edge"] == "new"
    assert "that suppression is not taken for yours, and silences nothing" in new["because"]
    scene.clock.forward(minutes=24 * 60 + 1)
    scene.recheck()
    changed = scene.allow(node)
    scene.recheck(changed)
    scene.clock.forward(minutes=6)
    scene.recheck()
    scene.forbid(node)
    scene.clock.forward(minutes=30)
    scene.respond(node.denied(scene.clock.now))
    later = scene.told()
    assert [each["edge"] for each in later] == ["reminder", "resolved", "back"]
    assert not any("not taken for yours" in each["because"] for each in later)


def test_what_people_suppress_after_a_planted_suppression_was_lifted_is_silent(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (finding,) = scene.in_hub(f"role/{node.role}")
    for status, expected in (("SUPPRESSED", []), ("NEW", ["reminder"]), ("SUPPRESSED", [])):
        scene.edges()
        _set_status(scene, finding, status)
        scene.clock.forward(minutes=24 * 60 + 1)
        scene.recheck()
        assert [edge for edge, _ in scene.edges()] == expected


def _delete_from_hub(scene: Scene) -> None:
    """Delete what Security Hub deletes: its findings."""
    client = scene.aws.client("securityhub")
    client.disable_security_hub()
    client.enable_security_hub()


@pytest.mark.parametrize("lost", [True, False])
def test_a_suppression_outlives_the_finding_in_security_hub(scene: Scene, *, lost: bool) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (finding,) = scene.in_hub(f"role/{node.role}")
    _suppress(scene, finding)
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=40 * 24 * 60)
    scene.recheck()
    scene.edges()
    if lost:
        _delete_from_hub(scene)
        assert scene.in_hub(f"role/{node.role}") == []
    scene.forbid(node)
    scene.respond(node.denied(scene.clock.now))
    scene.recheck()
    assert scene.edges() == []
    (again,) = scene.in_hub(f"role/{node.role}")
    assert (again["Workflow"]["Status"], again["RecordState"]) == ("SUPPRESSED", "ACTIVE")
    # Whoever lifts it is notified again.
    _set_status(scene, again, "NEW")
    scene.clock.forward(minutes=24 * 60 + 1)
    scene.recheck()
    assert [edge for edge, _ in scene.edges()] == ["reminder"]


def test_a_lost_suppression_that_cannot_be_set_again_stays_silent_and_is_set_later(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    _suppress(scene, scene.in_hub(f"role/{node.role}")[0])
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=40 * 24 * 60)
    scene.recheck()
    scene.edges()
    _delete_from_hub(scene)
    scene.forbid(node)
    with calls(scene, "BatchUpdateFindings", ("AccessDeniedException", 403)):
        scene.respond(node.denied(scene.clock.now))
        scene.clock.forward(minutes=1)
        scene.recheck()
    assert scene.in_hub(f"role/{node.role}")[0]["Workflow"]["Status"] == "NEW"
    scene.clock.forward(minutes=16)
    scene.recheck()
    assert scene.edges() == []
    assert scene.in_hub(f"role/{node.role}")[0]["Workflow"]["Status"] == "SUPPRESSED"


def test_a_suppressed_finding_is_told_again_when_other_repositories_fail(scene: Scene) -> None:
    node, other = scene.node_group(), scene.node_group()

    def fail(each: Node, *names: str) -> list[str]:
        arn = f"arn:aws:ecr:{REGION}:123456789012:repository/"
        scene.respond(*(each.denied(scene.clock.now, action=IMAGE, resource=arn + name) for name in names))
        scene.clock.forward(minutes=16)
        scene.recheck()
        scene.clock.forward(minutes=1)
        scene.recheck()
        return [edge for edge, _ in scene.edges()]

    assert fail(node, "one") == ["new"]
    assert fail(other, "one") == ["new"]
    _suppress(scene, scene.in_hub(f"role/{node.role}")[0])
    assert fail(node, "one") == []
    assert fail(node, "two") == ["worse"]
    assert fail(node, "three") == []
    assert fail(node, "four", "five", "six") == ["worse"]
    # Nobody has suppressed the other one, and people know of it.
    assert fail(other, "two") == []


def test_growth_before_anybody_knew_of_the_suppression_is_told(scene: Scene) -> None:
    node = scene.node_group()
    arn = f"arn:aws:ecr:{REGION}:123456789012:repository/"
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=f"{arn}one"))
    _suppress(scene, scene.in_hub(f"role/{node.role}")[0])
    scene.edges()
    with calls(scene, "GetFindings", ("InternalException", 500)):
        scene.clock.forward(minutes=16)
        scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=f"{arn}two"))
    scene.clock.forward(minutes=24 * 60)
    scene.recheck()
    scene.clock.forward(minutes=1)
    scene.recheck()
    (worse,) = scene.told()
    assert worse["edge"] == "worse"
    assert "now pulls of 2 repositories by 1 role or user fail" in worse["because"]


def test_a_pull_that_keeps_failing_is_imported_once_a_day(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    with calls(scene, "BatchImportFindings") as imports:
        for _ in range(20):
            scene.clock.forward(minutes=16)
            scene.respond(node.denied(scene.clock.now))
        assert imports == []
        scene.clock.forward(minutes=24 * 60)
        scene.respond(node.denied(scene.clock.now))
        assert len(imports) == 1


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
