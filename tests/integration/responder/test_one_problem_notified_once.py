"""A broken node group is notified once, and again only when something about it changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pull_responder.publish import sns
from pull_responder.responder.recheck import Recheck
from tests.integration.responder.scene import ADMIN, Scene

if TYPE_CHECKING:
    import pytest

    from pull_responder.responder.run import Run

NEW = ("new", "role_lacks_pull_permissions")


def test_repeats_are_counted_and_not_notified(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    for _ in range(3):
        scene.clock.forward(minutes=3)
        scene.respond(node.denied(scene.clock.now), node.denied(scene.clock.now))
    assert scene.edges() == []
    scene.clock.forward(minutes=20)
    scene.recheck()
    assert scene.edges() == []
    # Counts alone come to Security Hub with the daily import.
    scene.clock.forward(minutes=24 * 60)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["ProductFields"]["pull-responder/events"] == "7"
    assert finding["LastObservedAt"].startswith("2026-03-01T12:09")


def test_the_change_that_fixes_it_resolves_it_at_once_and_people_are_notified_after_the_hold_down(scene: Scene) -> None:
    node, other = scene.role(), scene.role()
    scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now))
    assert scene.edges() == [NEW, NEW]
    scene.clock.forward(minutes=1)
    scene.respond(node.denied(scene.clock.now))
    fixed = scene.allow(node)
    scene.recheck(fixed)
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["ProductFields"]["pull-responder/events"] == "2"
    assert finding["Compliance"]["Status"] == "PASSED"
    assert finding["RecordState"] == "ARCHIVED"
    assert finding["Workflow"]["Status"] == "RESOLVED"
    assert scene.edges() == []
    scene.clock.forward(minutes=6)
    scene.recheck()
    (resolved,) = scene.told()
    assert resolved["edge"] == "resolved"
    assert resolved["reach"]["events"] == 2
    assert resolved["because"] == (
        "The role's policies allow the pull again since 2026-03-01 12:01 UTC; it was broken for 1 minute; "
        f"AttachRolePolicy of AmazonEC2ContainerRegistryPullOnly by {ADMIN} (event {fixed['detail']['eventID']})."
    )
    assert resolved["finding"]["resource"]["id"].endswith(f"role/{node.role}")
    (still,) = scene.in_hub(f"role/{other.role}")
    assert still["RecordState"] == "ACTIVE"
    scene.clock.forward(minutes=60)
    scene.recheck()
    assert scene.edges() == []


def test_without_an_event_it_is_resolved_at_the_next_recheck(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.allow(node)
    scene.clock.forward(minutes=10)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ACTIVE"
    scene.clock.forward(minutes=6)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ARCHIVED"
    scene.clock.forward(minutes=6)
    scene.recheck()
    new, resolved = scene.told()
    assert (new["edge"], resolved["edge"]) == ("new", "resolved")
    # Nobody told of the change: only the look is known.
    assert resolved["because"] == (
        "The role's policies allow the pull again, as read at 2026-03-01 12:16 UTC; "
        "it was broken for at most 16 minutes."
    )


def test_a_change_that_is_seen_later_than_its_event_is_named_all_the_same(scene: Scene) -> None:
    node, change = scene.role(), scene.allow
    scene.respond(node.denied(scene.clock.now))
    made = change(node)
    scene.forbid(node)
    scene.clock.forward(minutes=1)
    scene.recheck(made)  # IAM does not show it yet
    change(node)
    scene.clock.forward(minutes=2)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.recheck()
    _, resolved = scene.told()
    cause = f"AttachRolePolicy of AmazonEC2ContainerRegistryPullOnly by {ADMIN}"
    assert f"{cause} (event {made['detail']['eventID']})." in resolved["because"]


def test_a_finding_that_comes_back_is_the_same(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    scene.forbid(node)
    scene.clock.forward(minutes=1)
    scene.respond(node.denied(scene.clock.now))
    first, resolved, back = scene.told()
    assert [each["edge"] for each in (first, resolved, back)] == ["new", "resolved", "back"]
    assert first["finding"]["id"] == back["finding"]["id"]
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ACTIVE"
    assert finding["Compliance"]["Status"] == "FAILED"
    assert finding["CreatedAt"].startswith("2026-03-01T12:00:00")


def test_a_fix_that_lasts_no_longer_than_the_hold_down_is_not_notified(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.recheck(scene.allow(node))
    scene.forbid(node)
    scene.clock.forward(minutes=2)
    scene.respond(node.denied(scene.clock.now))
    scene.clock.forward(minutes=10)
    scene.recheck()
    assert scene.edges() == [NEW]


def test_a_role_that_is_gone_resolves_its_finding(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.aws.client("iam").delete_role(RoleName=node.role)
    scene.clock.forward(minutes=16)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.recheck()
    first, resolved = scene.told()
    assert (first["edge"], resolved["edge"]) == ("new", "resolved")
    assert "does not exist any more" in resolved["because"]


def test_a_run_that_works_longer_than_it_was_to_shares_no_notice_with_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda stops it after five minutes. It was to end within 20 seconds, and SNS takes 8 for each message."""
    roles = [scene.role() for _ in range(4)]
    scene.respond(*(each.denied(scene.clock.now) for each in roles))
    scene.recheck(*map(scene.allow, roles))
    scene.told()
    scene.clock.forward(minutes=6)
    published, publish = list[str](), sns.publish_notice

    def run(seconds: float) -> Run:
        end = scene.clock.now + 300
        return replace(scene.run(), remaining=lambda: end - scene.clock.now).within(seconds)

    def publish_slowly(*about: Any) -> str:  # noqa: ANN401 -- as of `publish_notice`
        scene.clock.forward(seconds=8)
        published.append(publish(*about))
        if len(published) == 3:
            # The run that was woken meanwhile.
            scene.clock.forward(seconds=5)
            Recheck(run(120)).recheck([])
        return published[-1]

    with monkeypatch.context() as patched:
        patched.setattr(sns, "publish_notice", publish_slowly)
        Recheck(run(20)).recheck([])
    told = [each["finding"]["id"] for each in scene.told()]
    assert (len(told), len(set(told))) == (4, 4)


def test_a_run_that_works_longer_than_it_was_to_tells_nobody_of_what_is_suppressed(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (finding,) = scene.in_hub(f"role/{node.role}")
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    hub = scene.aws.client("securityhub")
    hub.batch_update_findings(FindingIdentifiers=[identifier], Workflow={"Status": "SUPPRESSED"})
    scene.recheck(scene.allow(node))
    scene.told()
    scene.clock.forward(minutes=6)
    Recheck(replace(scene.run(), remaining=lambda: 200.0).within(0)).recheck([])
    assert scene.told() == []
