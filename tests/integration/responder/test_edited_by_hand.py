"""A finding that somebody has edited in Security Hub: what is theirs stays, and people are told all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
