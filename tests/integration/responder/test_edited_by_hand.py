"""A finding that somebody has edited in Security Hub: what is theirs stays, and people are told all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.responder.scene import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.integration.responder.scene import Node, Scene


def edit(scene: Scene, node: Node, **changes: Any) -> None:  # noqa: ANN401 -- the parameters of the call
    (finding,) = scene.in_hub(f"role/{node.role}")
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    scene.aws.client("securityhub").batch_update_findings(FindingIdentifiers=[identifier], **changes)


def test_what_somebody_has_changed_stays_through_worse_resolved_and_back(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    edit(
        scene,
        node,
        Note={"Text": "asked the owner", "UpdatedBy": "jane"},
        Severity={"Label": "LOW"},
        UserDefinedFields={"ticket": "42"},
        Types=["Software and Configuration Checks"],
        Workflow={"Status": "NOTIFIED"},
    )
    scene.clock.forward(minutes=16)
    scene.respond(*(node.denied(scene.clock.now, session=f"i-{number:017x}") for number in range(11)))
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["ProductFields"]["pull-responder/node-count"] == "12"
    assert finding["Severity"]["Label"] == "LOW"
    # What is told of is our own severity: an edit in Security Hub is the view of one person there.
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    told = scene.told()
    assert [each["edge"] for each in told] == ["new", "worse", "resolved"]
    assert "LOW" not in {each["severity"] for each in told}
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ARCHIVED"
    assert finding["Workflow"]["Status"] == "NOTIFIED"
    kept = (finding["Note"]["Text"], finding["Severity"]["Label"], finding["UserDefinedFields"], finding["Types"])
    assert kept == ("asked the owner", "LOW", {"ticket": "42"}, ["Software and Configuration Checks"])


def test_a_finding_that_somebody_has_resolved_by_hand_is_told_again_when_it_comes_back(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    edit(scene, node, Workflow={"Status": "RESOLVED"}, Note={"Text": "mended, I think", "UpdatedBy": "jane"})
    # It still fails, which Security Hub shows, whatever its status says.
    scene.clock.forward(minutes=16)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ACTIVE", "RESOLVED")
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    scene.clock.forward(minutes=30)
    scene.forbid(node)
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == ["new", "resolved", "back"]
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert (finding["RecordState"], finding["Note"]["Text"]) == ("ACTIVE", "mended, I think")


def write(scene: Scene, node: Node, **changes: Any) -> None:  # noqa: ANN401 -- the fields of a finding
    """Import our finding again with `changes`, as whoever has BatchImportFindings in the account can."""
    (finding,) = scene.in_hub(f"role/{node.role}")
    kept = {key: value for key, value in finding.items() if key not in ("Workflow", "Note", "UserDefinedFields")}
    answer = scene.aws.client("securityhub").batch_import_findings(Findings=[{**kept, **changes}])
    assert answer["SuccessCount"] == 1


# The last one is later than all that our clock gives for years, and Security Hub ignores what is not newer.
@pytest.mark.parametrize("updated_at", ["2026-03-01T12:10:00Z", "2026-03-01T12:16:30Z", "2099-01-01T00:00:00Z"])
def test_texts_that_somebody_has_changed_are_ours_again_with_the_next_import(scene: Scene, updated_at: str) -> None:
    """No call of an operator changes a title or description, except an import under our id."""
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    (before,) = scene.in_hub(f"role/{node.role}")
    write(scene, node, Title="All is well", Description="Do nothing.", UpdatedAt=updated_at)
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["Title"] == "All is well"
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now, session="i-0123456789abcdef0"))
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["Title"] == before["Title"]
    assert "Do nothing." not in finding["Description"]
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert (finding["RecordState"], finding["Description"][:10]) == ("ARCHIVED", "Resolved: ")
    told = scene.told()
    assert [each["edge"] for each in told] == ["new", "resolved"]
    assert all(each["finding"]["title"] != "All is well" for each in told)


@pytest.mark.parametrize(
    ("updated_at", "state"),
    [
        # Nothing that Security Hub takes is later than these two.
        ("9999-12-31T23:59:59-18:00", "ACTIVE"),
        ("9999-12-31T23:59:59.999999Z", "ACTIVE"),
        ("9999-12-31T23:59:59.998Z", "ARCHIVED"),
        ("0001-01-01T00:00:00+18:00", "ARCHIVED"),
    ],
)
def test_a_date_at_the_end_of_the_calendar_keeps_nobody_from_being_told(
    scene: Scene, caplog: pytest.LogCaptureFixture, updated_at: str, state: str
) -> None:
    node, other = scene.node_group(), scene.node_group()
    scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now))
    write(scene, node, UpdatedAt=updated_at)
    scene.clock.forward(minutes=16)
    scene.recheck(scene.allow(node))
    # The record of this change was lost. The schedule sees it.
    scene.allow(other)
    for _ in range(2):
        scene.clock.forward(minutes=16)
        scene.recheck()
    assert [each["edge"] for each in scene.told()] == ["new", "new", "resolved", "resolved"]
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == (state, "RESOLVED")
    (finding,) = scene.in_hub(f"role/{other.role}")
    assert finding["RecordState"] == "ARCHIVED"
    logged = [each for each in caplog.records if "may ignore this update" in each.message]
    assert bool(logged) is (state == "ACTIVE")


def test_texts_that_somebody_has_changed_are_ours_again_within_a_day(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    for _ in range(2):
        write(scene, node, Title="All is well", UpdatedAt="2099-01-01T00:00:00Z")
        scene.clock.forward(minutes=24 * 60 + 1)
        scene.recheck()
        (finding,) = scene.in_hub(f"role/{node.role}")
        assert finding["Title"] != "All is well"


@pytest.mark.parametrize(
    ("status", "worse", "reminder"),
    [("NOTIFIED", ["worse"], []), ("RESOLVED", [], []), ("NEW", ["worse"], ["reminder"])],
)
def test_a_status_set_by_hand_silences_what_its_word_says_and_no_first_or_last_alert(
    scene: Scene, status: str, worse: list[str], reminder: list[str]
) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == ["new"]
    edit(scene, node, Workflow={"Status": status})
    scene.clock.forward(minutes=16)
    scene.respond(*(node.denied(scene.clock.now, session=f"i-{number:017x}") for number in range(12)))
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    assert [edge for edge, _ in scene.edges()] == worse
    scene.clock.forward(minutes=24 * 60 + 1)
    scene.recheck()
    assert [edge for edge, _ in scene.edges()] == reminder
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert [edge for edge, _ in scene.edges()] == ["resolved"]


def forget(scene: Scene) -> None:
    """Empty the table: for a deployment that has never seen a finding, what Security Hub has was there before."""
    table = scene.aws.client("dynamodb")
    for item in table.scan(TableName=scene.table)["Items"]:
        table.delete_item(TableName=scene.table, Key={"id": item["id"]})


@pytest.mark.parametrize("status", ["SUPPRESSED", "NOTIFIED", "RESOLVED"])
@pytest.mark.parametrize("state", ["ACTIVE", "ARCHIVED"])
def test_a_finding_planted_under_our_id_silences_no_first_or_last_alert(scene: Scene, status: str, state: str) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    write(scene, node, Title="All is well", RecordState=state, UpdatedAt="2099-01-01T00:00:00Z")
    edit(scene, node, Workflow={"Status": status})
    forget(scene)
    scene.told()
    scene.respond(node.denied(scene.clock.now))
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert [each["edge"] for each in scene.told()] == ["new", "resolved"]
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["Title"] != "All is well"
    assert finding["RecordState"] == "ARCHIVED"


def test_a_finding_planted_for_another_role_silences_nobody(scene: Scene) -> None:
    """Its id is ours in form. What is asked for is the id of each finding, not what is like it."""
    node, other = scene.node_group(), scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    (finding,) = scene.in_hub(f"role/{node.role}")
    planted = {**finding, "Id": f"pull-responder/role_lacks_pull_permissions/{ACCOUNT}/{REGION}/{'0' * 20}"}
    hub = scene.aws.client("securityhub")
    hub.batch_import_findings(Findings=[{key: each for key, each in planted.items() if key != "Workflow"}])
    identifier = {"Id": planted["Id"], "ProductArn": planted["ProductArn"]}
    hub.batch_update_findings(FindingIdentifiers=[identifier], Workflow={"Status": "SUPPRESSED"})
    scene.told()
    scene.respond(other.denied(scene.clock.now))
    assert [each["finding"]["resource"]["id"][-len(other.role) :] for each in scene.told()] == [other.role]
