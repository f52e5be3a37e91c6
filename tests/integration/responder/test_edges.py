"""The notices after the first one: worse, a reminder, a digest; silenced findings; unexplained failures."""

from __future__ import annotations

import json

import pytest

from tests.integration.responder.scene import ACCOUNT, IMAGE, Scene, denial

NEW = ("new", "role_lacks_pull_permissions")
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/shop/web"


def test_ten_nodes_are_worse_than_one(scene: Scene) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    scene.clock.forward(minutes=5)
    scene.respond(*(node.denied(scene.clock.now, session=f"i-{number:017x}") for number in range(9)))
    assert scene.edges() == []
    scene.clock.forward(minutes=11)
    scene.respond(node.denied(scene.clock.now))
    (worse,) = scene.told()
    assert worse["edge"] == "worse"
    assert worse["reach"]["node_count"] == 10
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    scene.recheck()
    assert scene.edges() == []


def test_an_open_finding_is_notified_again_after_a_day(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]
    for hours in (12, 12, 12):
        scene.clock.forward(minutes=hours * 60)
        scene.respond(node.denied(scene.clock.now))
        scene.recheck()
    assert scene.edges() == [("reminder", NEW[1])]


def test_many_at_once_come_as_one_digest(scene: Scene) -> None:
    nodes = [scene.role() for _ in range(5)]
    scene.respond(*(node.denied(scene.clock.now) for node in nodes), DIGEST_ABOVE="2")
    (digest,) = scene.told()
    assert digest["edge"] == "digest"
    assert len(digest["findings"]) == 5
    scene.clock.forward(minutes=2)
    scene.recheck(DIGEST_ABOVE="2")
    assert scene.told() == []


def test_many_in_a_minute_come_as_one_digest_after_it(scene: Scene) -> None:
    for _ in range(5):
        scene.respond(scene.role().denied(scene.clock.now), DIGEST_ABOVE="2")
    assert scene.edges() == [NEW, NEW]
    scene.recheck(DIGEST_ABOVE="2")
    assert scene.told() == []
    scene.clock.forward(minutes=2)
    scene.recheck(DIGEST_ABOVE="2")
    (digest,) = scene.told()
    assert len(digest["findings"]) == 3
    scene.clock.forward(minutes=2)
    scene.recheck(DIGEST_ABOVE="2")
    assert scene.told() == []


@pytest.mark.parametrize(
    ("status", "resolved"), [("SUPPRESSED", []), ("NOTIFIED", ["resolved"]), ("NEW", ["resolved"])]
)
def test_the_workflow_status_that_people_set_is_respected(scene: Scene, status: str, resolved: list[str]) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    scene.told()
    (finding,) = scene.in_hub(f"role/{node.role}")
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    hub = scene.aws.client("securityhub")
    hub.batch_update_findings(FindingIdentifiers=[identifier], Workflow={"Status": status})
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert [edge for edge, _ in scene.edges()] == resolved
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ARCHIVED"
    assert finding["Workflow"]["Status"] == ("RESOLVED" if status == "NEW" else status)


def test_a_finding_suppressed_before_it_came_back_stays_silent(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (finding,) = scene.in_hub(f"role/{node.role}")
    identifier = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
    scene.aws.client("securityhub").batch_update_findings(
        FindingIdentifiers=[identifier], Workflow={"Status": "SUPPRESSED"}
    )
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    scene.forbid(node)
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]


@pytest.mark.cause("pull_failing_unexplained", "fails")
def test_an_unexplained_failure_is_reported_and_resolved_when_it_stops(scene: Scene) -> None:
    role, session = "gone-with-its-node", "i-0abcdef1234567890"
    for _ in range(2):
        scene.respond(denial(role, session, at=scene.clock.now, action=IMAGE, resource=REPOSITORY))
        assert scene.edges() == []
        scene.clock.forward(minutes=16)
    scene.respond(denial(role, session, at=scene.clock.now, action=IMAGE, resource=REPOSITORY))
    (unexplained,) = scene.told()
    assert (unexplained["edge"], unexplained["finding"]["cause"]) == ("new", "pull_failing_unexplained")
    assert any("role_lacks_pull_permissions" in each for each in unexplained["finding"]["evidence"])
    scene.clock.forward(minutes=30)
    scene.recheck()
    assert scene.edges() == []
    scene.clock.forward(minutes=31)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", "pull_failing_unexplained")]


@pytest.mark.cause("pull_failing_unexplained", "passes")
def test_a_cause_that_is_found_resolves_the_unexplained_failure(scene: Scene) -> None:
    node = scene.role()
    event = {"action": IMAGE, "resource": REPOSITORY, "session": "i-0abcdef1234567890"}
    for _ in range(4):
        scene.respond(node.denied(scene.clock.now, **event))
        scene.clock.forward(minutes=16)
    assert scene.edges() == [("new", "pull_failing_unexplained")]
    # An instance of the same role that is there, and has the tag of its cluster.
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert sorted(scene.edges()) == [NEW, ("resolved_in_part", "pull_failing_unexplained")]


def test_an_unexpected_principal_is_notified_only_when_it_tries_often(scene: Scene) -> None:
    role = scene.stranger()
    scene.respond(denial(role, "AWSCodeBuild-1", at=scene.clock.now, action=IMAGE, resource=REPOSITORY))
    assert scene.edges() == []
    scene.clock.forward(minutes=16)
    scene.respond(
        *(
            denial(role, "AWSCodeBuild-1", at=scene.clock.now, action=IMAGE, resource=f"{REPOSITORY}-{number}")
            for number in range(4)
        )
    )
    (worse,) = scene.told()
    assert (worse["edge"], worse["finding"]["cause"]) == ("worse", "unexpected_principal_denied")
    assert worse["finding"]["severity"] == "MEDIUM"


def test_a_pull_that_seems_fixed_and_still_fails_is_reported(scene: Scene) -> None:
    node = scene.role()
    scene.allow(node)
    for _ in range(2):
        scene.respond(node.denied(scene.clock.now))
        assert scene.edges() == []
        scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    (unexplained,) = scene.told()
    assert unexplained["finding"]["cause"] == "pull_failing_unexplained"
    assert any("has changed since AWS refused it" in each for each in unexplained["finding"]["evidence"])


def test_a_role_is_fixed_when_none_of_its_pulls_fails(scene: Scene) -> None:
    node = scene.role()
    other = f"{REPOSITORY}-2"
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=other))
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=REPOSITORY))
    assert scene.edges() == [NEW]
    pull = {"Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": REPOSITORY}
    token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [pull, token]}
    scene.aws.client("iam").put_role_policy(RoleName=node.role, PolicyName="one", PolicyDocument=json.dumps(policy))
    scene.clock.forward(minutes=16)
    scene.recheck()
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == []


def test_events_of_the_past_and_of_the_future_keep_their_order(scene: Scene) -> None:
    node = scene.role()
    noon = scene.clock.now
    scene.respond(node.denied(noon + 3600))
    scene.respond(node.denied(noon - 7200))
    scene.respond(node.denied(noon - 60))
    # Times and counts alone come with the daily import.
    scene.clock.forward(minutes=24 * 60 + 16)
    scene.recheck()
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["FirstObservedAt"].startswith("2026-03-01T10:00:00")
    assert finding["LastObservedAt"].startswith("2026-03-01T12:00:00")


def test_an_item_edited_by_hand_stops_no_other(scene: Scene) -> None:
    node, other = scene.role(), scene.role()
    scene.respond(node.denied(scene.clock.now), other.denied(scene.clock.now))
    told = scene.told()
    broken = next(each["finding"]["id"] for each in told if each["finding"]["resource"]["id"].endswith(node.role))
    scene.aws.client("dynamodb").update_item(
        TableName=scene.table,
        Key={"id": {"S": broken}},
        UpdateExpression="SET life = :life",
        ExpressionAttributeValues={":life": {"S": "{mine now"}},
    )
    scene.recheck(scene.allow(other))
    scene.clock.forward(minutes=6)
    scene.recheck()
    assert scene.edges() == [("resolved", NEW[1])]
    scene.clock.forward(minutes=16)
    scene.respond(node.denied(scene.clock.now))
    assert scene.edges() == [NEW]


@pytest.mark.cause("pull_failing_unexplained", "near_miss")
def test_what_has_not_failed_for_long_is_not_reported_yet(scene: Scene) -> None:
    role, session = "gone-with-its-node", "i-0abcdef1234567890"
    for _ in range(5):
        scene.respond(denial(role, session, at=scene.clock.now, action=IMAGE, resource=REPOSITORY))
        scene.clock.forward(minutes=5)
        scene.recheck()
    assert scene.edges() == []
