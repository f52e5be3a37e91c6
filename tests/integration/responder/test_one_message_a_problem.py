"""Several causes of one problem are one message, and each message names the causes that are open beside it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from pull_responder.findings.life import Life
from pull_responder.findings.notice import Edge
from pull_responder.findings.store import StoreError
from pull_responder.publish import sns
from pull_responder.publish.as_document import alert_document
from pull_responder.publish.as_text import body
from pull_responder.responder import notifier
from pull_responder.responder.alerts import Alerts
from pull_responder.responder.ledger import Ledger
from tests.integration.responder.scene import ACCOUNT, ADMIN, IMAGE, REGION, Node, Scene, change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LACKS, BOUNDARY = "role_lacks_pull_permissions", "permissions_boundary_blocks_pull"


@pytest.fixture
def node(scene: Scene) -> Node:
    """A node whose role has no policy, and a permissions boundary that allows no pull."""
    node = scene.role()
    guard(scene, node)
    return node


def guard(scene: Scene, node: Node) -> None:
    iam = scene.aws.client("iam")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    arn = iam.create_policy(PolicyName=f"guard-{node.role}", PolicyDocument=policy)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=node.role, PermissionsBoundary=arn)


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
    return a_minute_later(scene, minutes=6)


def a_minute_later(scene: Scene, *, minutes: int = 1, least: str = "LOW") -> list[dict[str, Any]]:
    scene.clock.forward(minutes=minutes)
    scene.recheck(NOTIFY_MINIMUM_SEVERITY=least)
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
    assert (one["edge"], causes(one), others(one)) == ("resolved_in_part", [LACKS], [BOUNDARY])

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
    assert digest["headline"].startswith("STILL BROKEN, HIGH: The role's permissions boundary stops the pull ")
    assert " 2 resolved findings of 1 cause in " in digest["headline"]
    assert digest["still_broken"] == 1
    assert " 1 of 2 is resolved only in part: another cause still stops the pulls." in digest["headline"]
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


def refuse_beside(patch: pytest.MonkeyPatch, finding_id: str) -> None:
    """Let the table refuse a finding to whoever asks what to say beside another one."""

    class Refusing(Ledger):
        def lives(self, ids: Iterable[str]) -> list[Life]:
            wanted = list(ids)
            if wanted == [finding_id]:
                raise StoreError("dynamodb:BatchGetItem failed")
            return super().lives(wanted)

    patch.setattr(notifier, "Alerts", lambda run, _: Alerts(run, Refusing(run)))


def test_if_the_other_causes_cannot_be_read_the_alert_goes_out_without_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    guard(scene, node)
    refuse_beside(monkeypatch, new["findings"][0]["id"])
    scene.respond(node.denied(scene.clock.now, resource=missing("other")))
    (beside,) = scene.told()
    assert (causes(beside), beside["others"]) == ([BOUNDARY, GONE], None)


GONE = "repository_not_found"


def missing(name: str) -> str:
    return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"


@pytest.fixture
def repositories(scene: Scene) -> Iterator[tuple[str, str]]:
    """Two repositories that do not exist, until a test makes them."""
    names = (f"gone-{uuid4().hex[:8]}", f"gone-{uuid4().hex[:8]}")
    yield names
    ecr = scene.aws.client("ecr")
    for each in names:
        with contextlib.suppress(ecr.exceptions.RepositoryNotFoundException):
            ecr.delete_repository(repositoryName=each)


def make(scene: Scene, repository: str) -> dict[str, Any]:
    scene.aws.client("ecr").create_repository(repositoryName=repository)
    return change("ecr", "CreateRepository", repositoryName=repository)


def over_and_open(message: dict[str, Any]) -> tuple[list[str], list[str]]:
    return message["over"], [each["resource"]["id"] for each in message["still_open"]]


def test_a_problem_is_over_when_nothing_told_as_it_is_open(scene: Scene, repositories: tuple[str, str]) -> None:
    """A role pulls two images that are missing. They stop no pull of each other's, and share the role's message."""
    node, (one, two) = scene.role(), repositories
    scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=missing(each)) for each in repositories))
    (new,) = scene.told()
    assert (sorted(causes(new)), new["over"]) == ([GONE, GONE, LACKS], [])
    assert [each["id"] for each in new["still_open"]] == [each["id"] for each in new["findings"]]

    scene.recheck(scene.allow(node))
    (role,) = after_the_hold_down(scene)
    assert (causes(role), others(role)) == ([LACKS], [GONE, GONE])
    over, left = over_and_open(role)
    assert (over, sorted(left)) == ([], sorted(map(missing, repositories)))

    scene.recheck(make(scene, one))
    (first,) = after_the_hold_down(scene)
    assert (first["edge"], causes(first), others(first)) == ("resolved", [GONE], [])
    assert over_and_open(first) == ([], [missing(two)])

    scene.recheck(make(scene, two))
    (last,) = after_the_hold_down(scene)
    assert over_and_open(last) == ([new["problem"]], [])
    assert {each["problem"] for each in (new, role, first, last)} == {new["problem"]}


def test_what_ends_together_is_over_together(scene: Scene, repositories: tuple[str, str]) -> None:
    node = scene.role()
    scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=missing(each)) for each in repositories))
    (new,) = scene.told()
    scene.recheck(scene.allow(node), *(make(scene, each) for each in repositories))
    resolved = after_the_hold_down(scene)
    assert sorted(cause for each in resolved for cause in causes(each)) == [GONE, GONE, LACKS]
    assert {tuple(each["over"]) for each in resolved} == {(new["problem"],)}


def test_a_problem_of_another_role_keeps_none_open(scene: Scene, repositories: tuple[str, str]) -> None:
    node, other = scene.role(), scene.role()
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[0])))
    (new,) = scene.told()
    scene.respond(other.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[1])))
    scene.told()
    scene.recheck(scene.allow(node), make(scene, repositories[0]))
    (resolved,) = after_the_hold_down(scene)
    assert over_and_open(resolved) == ([new["problem"]], [])


@pytest.mark.parametrize("refused", range(2))
def test_if_what_else_was_told_cannot_be_read_a_problem_is_not_over(
    scene: Scene, repositories: tuple[str, str], monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """The first read is of what shares a pull, the second of what shares one with that.

    The message waits for ten minutes.
    """
    node = scene.role()
    scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=missing(each)) for each in repositories))
    lives = stored(scene)
    (role,) = (each for each in lives if each.finding.cause == LACKS)
    (left,) = (each for each in lives if each.finding.resource.id == missing(repositories[1]))
    scene.recheck(scene.allow(node))
    after_the_hold_down(scene)
    scene.told()
    scene.recheck(make(scene, repositories[0]))
    refuse_beside(monkeypatch, [role.id, left.id][refused])
    told = [after_the_hold_down(scene), *(a_minute_later(scene) for _ in range(11))]
    assert told[:10] == [[]] * 10
    (image,) = (each for some in told for each in some)
    assert (causes(image), image["others"], image["over"]) == ([GONE], None, [])


def test_where_looks_are_rare_the_end_of_a_problem_waits_for_one_of_them_only(
    scene: Scene, repositories: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[0])))
    scene.told()
    scene.recheck(scene.allow(node))
    (role,) = after_the_hold_down(scene)
    scene.recheck(make(scene, repositories[0]))
    refuse_beside(monkeypatch, role["findings"][0]["id"])
    assert after_the_hold_down(scene) == []
    (image,) = a_minute_later(scene, minutes=30)
    assert (causes(image), image["others"]) == ([GONE], None)


def test_the_end_of_a_problem_waits_until_the_table_says_what_else_was_told(
    scene: Scene, repositories: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the message would not say that the problem is over, and no other one would."""
    node = scene.role()
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[0])))
    (new,) = scene.told()
    scene.recheck(scene.allow(node))
    (role,) = after_the_hold_down(scene)
    assert (causes(role), role["over"]) == ([LACKS], [])
    scene.recheck(make(scene, repositories[0]))
    with monkeypatch.context() as patch:
        refuse_beside(patch, role["findings"][0]["id"])
        assert after_the_hold_down(scene) == []
    (image,) = a_minute_later(scene)
    assert (causes(image), image["others"], image["over"]) == ([GONE], [], [new["problem"]])


def test_what_has_all_of_its_causes_in_its_message_reads_no_others(
    scene: Scene, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that fails hides nothing there, and the incident closes."""
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    scene.recheck(lift(scene, node), scene.allow(node))
    scene.clock.forward(minutes=6)
    run = scene.run()
    ledger = Ledger(run)
    lives = ledger.lives(scene.store.due_notices(before=scene.clock.now, limit=9))
    assert sorted(each.finding.cause for each in lives) == [BOUNDARY, LACKS]
    assert all(each.related for each in lives)

    def fail(*_: object) -> object:
        raise StoreError("dynamodb:BatchGetItem failed")

    monkeypatch.setattr(Ledger, "lives", fail)
    monkeypatch.setattr(Ledger, "joint_reach", fail)
    alert = Alerts(run, ledger).alert(lives)
    assert (alert.others_known, alert.others, alert.over) == (True, (), (new["problem"],))
    document = alert_document(alert, room=9_999)
    assert (document["others"], document["over"]) == ([], [new["problem"]])
    assert "could not be read" not in body(alert, room=9_999)
    # Beside one of them the other has to be read.
    assert Alerts(run, ledger).alert(lives[:1]).others_known is False
    digest = Alerts(run, ledger).digest(lives)
    assert [each.is_over for each in digest] == [True, True]
    assert {problem for each in digest for problem in each.over} == {new["problem"]}


def stored(scene: Scene) -> list[Life]:
    lives = scene.store.lives(scene.store.open_findings(limit=99)).values()
    return [each for each in lives if isinstance(each, Life)]


def test_a_cause_that_is_over_names_the_one_that_came_after_it(scene: Scene) -> None:
    """Who mends one cause may meet the next within the hold-down."""
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    scene.clock.forward(minutes=16)
    guard(scene, node)
    scene.recheck(scene.allow(node))
    scene.respond(node.denied(scene.clock.now))
    (second,) = scene.told()
    assert (causes(second), second["problem"]) == ([BOUNDARY], new["problem"])
    (first,) = after_the_hold_down(scene)
    assert (first["edge"], causes(first), others(first), first["over"]) == ("resolved_in_part", [LACKS], [BOUNDARY], [])
    scene.recheck(lift(scene, node))
    (last,) = after_the_hold_down(scene)
    assert (causes(last), last["over"]) == ([BOUNDARY], [new["problem"]])


def test_problems_that_were_told_apart_are_over_with_their_last_cause(
    scene: Scene, repositories: tuple[str, str]
) -> None:
    """An image was told for one role, and another role by itself. Then that role pulls the image, too."""
    node, other, (one, _) = scene.role(), scene.role(), repositories
    scene.allow(node)
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=missing(one)))
    (image,) = scene.told()
    scene.respond(other.denied(scene.clock.now))
    (role,) = scene.told()
    assert image["problem"] != role["problem"]
    scene.respond(other.denied(scene.clock.now, action=IMAGE, resource=missing(one)))
    scene.recheck(scene.allow(other))
    (of_role,) = after_the_hold_down(scene)
    assert (causes(of_role), others(of_role), of_role["over"]) == ([LACKS], [GONE], [])
    scene.recheck(make(scene, one))
    (of_image,) = after_the_hold_down(scene)
    assert (causes(of_image), sorted(of_image["over"])) == ([GONE], sorted([image["problem"], role["problem"]]))


def test_a_problem_is_not_over_while_a_cause_may_come_back_unheard(scene: Scene, node: Node) -> None:
    """The second cause comes back in its hold-down, after the first was told as resolved."""
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=4)
    scene.recheck(lift(scene, node))
    scene.clock.forward(minutes=2)
    scene.recheck()
    (first,) = scene.told()
    assert (causes(first), first["over"], first["still_open"]) == ([LACKS], [], [])
    arn = f"arn:aws:iam::{ACCOUNT}:policy/guard-{node.role}"
    scene.aws.client("iam").put_role_permissions_boundary(RoleName=node.role, PermissionsBoundary=arn)
    scene.clock.forward(minutes=1)
    scene.respond(node.denied(scene.clock.now))
    assert (scene.told(), [each.finding.cause for each in stored(scene)]) == ([], [BOUNDARY])
    scene.recheck(lift(scene, node))
    scene.clock.forward(minutes=30)
    scene.recheck()
    (last,) = scene.told()
    assert (causes(last), last["over"]) == ([BOUNDARY], [new["problem"]])


def test_of_two_messages_of_one_run_the_last_ends_the_problem(
    scene: Scene, repositories: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The images share no pull. Were the second refused, and its image gone again, nobody would hear of it."""
    node = scene.role()
    scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=missing(each)) for each in repositories))
    (new,) = scene.told()
    scene.recheck(scene.allow(node))
    after_the_hold_down(scene)
    scene.recheck(*(make(scene, each) for each in repositories))
    publish, tries = sns.publish_notice, []

    def refuse_the_second(*given: Any) -> None:  # noqa: ANN401 -- passed on
        tries.append(given)
        if len(tries) == 2:
            raise ClientError({"Error": {"Code": "Throttled"}}, "Publish")
        publish(*given)

    monkeypatch.setattr(sns, "publish_notice", refuse_the_second)
    (first,) = after_the_hold_down(scene)
    assert (causes(first), first["over"]) == ([GONE], [])
    (second,) = after_the_hold_down(scene)
    assert (causes(second), second["over"]) == ([GONE], [new["problem"]])


def test_a_cause_beside_it_whose_item_is_unusable_is_not_known_to_be_over(scene: Scene, node: Node) -> None:
    """A later version may have written it before it was rolled back."""
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    boundary = next(each["id"] for each in new["findings"] if each["cause"] == BOUNDARY)
    scene.recheck(scene.allow(node))
    table = {"TableName": scene.table, "Key": {"id": {"S": boundary}}}
    scene.aws.client("dynamodb").update_item(
        **table, UpdateExpression="SET life = :broken", ExpressionAttributeValues={":broken": {"S": "{"}}
    )
    (resolved,) = after_the_hold_down(scene)
    assert (causes(resolved), resolved["others"], resolved["over"]) == ([LACKS], None, [])


def test_a_cause_beside_it_that_has_expired_is_over(scene: Scene, node: Node) -> None:
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    boundary = next(each["id"] for each in new["findings"] if each["cause"] == BOUNDARY)
    scene.recheck(scene.allow(node))
    scene.aws.client("dynamodb").delete_item(TableName=scene.table, Key={"id": {"S": boundary}})
    (resolved,) = after_the_hold_down(scene)
    assert (causes(resolved), resolved["others"], resolved["over"]) == ([LACKS], [], [new["problem"]])


def test_a_message_whose_answer_is_lost_is_repeated_as_the_same_problem(
    scene: Scene, repositories: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the repeat, its role pulls an image that an older problem has."""
    one, two = scene.role(), scene.role()
    scene.respond(one.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[0])))
    (old,) = scene.told()
    publish = sns.publish_notice

    def lose_the_answer(*given: Any) -> None:  # noqa: ANN401 -- passed on
        publish(*given)
        raise sns.UnclearPublishError("the answer is lost")

    monkeypatch.setattr(sns, "publish_notice", lose_the_answer)
    scene.respond(two.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[1])))
    monkeypatch.setattr(sns, "publish_notice", publish)
    (first,) = scene.told()
    scene.respond(two.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[0])))
    (again,) = after_the_hold_down(scene)
    assert (again["edge"], again["problem"]) == ("new", first["problem"])
    scene.recheck(scene.allow(one), scene.allow(two), *(make(scene, each) for each in repositories))
    over = {each for message in after_the_hold_down(scene) for each in message["over"]}
    assert over == {old["problem"], first["problem"]}


@pytest.mark.parametrize("refused", [0, 1, 30])
def test_a_cause_that_is_too_mild_to_be_told_ends_the_problem_that_it_kept_open(
    scene: Scene, repositories: tuple[str, str], monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """It waits, ten minutes at most, for a table that does not say whether it does."""
    node, least = scene.role(), {"NOTIFY_MINIMUM_SEVERITY": "MEDIUM"}
    scene.respond(node.denied(scene.clock.now, action=IMAGE, resource=missing(repositories[0])), **least)
    (new,) = scene.told()
    assert causes(new) == [LACKS]
    scene.recheck(scene.allow(node), **least)
    scene.clock.forward(minutes=6)
    scene.recheck(**least)
    (part,) = scene.told()
    assert (others(part), part["over"]) == ([GONE], [])
    scene.recheck(make(scene, repositories[0]), **least)
    scene.clock.forward(minutes=5)
    with monkeypatch.context() as patch:
        refuse_beside(patch, new["findings"][0]["id"])
        for _ in range(refused):
            assert a_minute_later(scene, least="MEDIUM") == []
    if refused > 10:
        assert a_minute_later(scene, least="MEDIUM") == []
        return
    scene.clock.forward(minutes=1)
    scene.recheck(**least)
    (last,) = scene.told()
    assert (last["edge"], causes(last), last["problem"]) == ("resolved", [GONE], new["problem"])
    assert last["over"] == [new["problem"]]
    scene.clock.forward(minutes=60)
    scene.recheck(**least)
    assert scene.told() == []


def test_a_cause_that_is_too_mild_to_be_told_ends_in_silence_with_or_before_the_others(
    scene: Scene, repositories: tuple[str, str]
) -> None:
    node, least = scene.role(), {"NOTIFY_MINIMUM_SEVERITY": "MEDIUM"}
    events = [node.denied(scene.clock.now, action=IMAGE, resource=missing(each)) for each in repositories]
    scene.respond(*events, **least)
    (new,) = scene.told()
    scene.recheck(make(scene, repositories[0]), **least)
    scene.clock.forward(minutes=6)
    scene.recheck(**least)
    assert scene.told() == []
    scene.recheck(scene.allow(node), make(scene, repositories[1]), **least)
    scene.clock.forward(minutes=6)
    scene.recheck(**least)
    scene.clock.forward(minutes=6)
    scene.recheck(**least)
    (last,) = scene.told()
    assert (causes(last), last["over"]) == ([LACKS], [new["problem"]])
    assert all(each.pending is None for each in stored(scene))


def suppress(scene: Scene, node: Node, cause: str) -> None:
    hub = scene.aws.client("securityhub")
    (one,) = (each for each in scene.in_hub(f"role/{node.role}") if cause in each["GeneratorId"])
    known = [{"Id": one["Id"], "ProductArn": one["ProductArn"]}]
    hub.batch_update_findings(FindingIdentifiers=known, Workflow={"Status": "SUPPRESSED"})


@pytest.mark.parametrize("both", [False, True])
def test_a_suppressed_cause_ends_the_problem_that_people_know_by_another(
    scene: Scene, node: Node, *, both: bool
) -> None:
    """If all of them are suppressed, their end is as silent as people have wished."""
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    if not both:
        scene.recheck(scene.allow(node))
        (part,) = after_the_hold_down(scene)
        assert (causes(part), part["over"]) == ([LACKS], [])
    for cause in (BOUNDARY, LACKS) if both else (BOUNDARY,):
        suppress(scene, node, cause)
    scene.recheck(scene.allow(node), lift(scene, node))
    last = after_the_hold_down(scene)
    assert [(causes(each), each["over"]) for each in last] == ([] if both else [([BOUNDARY], [new["problem"]])])


def test_a_cause_that_ends_before_its_first_message_ends_the_problem_that_it_kept_open(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (new,) = scene.told()
    scene.clock.forward(minutes=16)
    guard(scene, node)
    scene.recheck(scene.allow(node))
    publish = sns.publish_notice

    def refuse_what_is_new(client: Any, arn: str, alert: Any, *style: Any) -> None:  # noqa: ANN401 -- passed on
        if alert.edge is Edge.NEW:
            raise ClientError({"Error": {"Code": "Throttled"}}, "Publish")
        publish(client, arn, alert, *style)

    monkeypatch.setattr(sns, "publish_notice", refuse_what_is_new)
    scene.respond(node.denied(scene.clock.now))
    (part,) = after_the_hold_down(scene)
    assert (causes(part), others(part), part["over"]) == ([LACKS], [BOUNDARY], [])
    scene.recheck(lift(scene, node))
    (last,) = after_the_hold_down(scene)
    assert (last["edge"], causes(last), last["over"]) == ("resolved", [BOUNDARY], [new["problem"]])


def test_a_message_says_how_many_causes_are_left_though_it_names_five(scene: Scene) -> None:
    node, images = scene.role(), [f"gone-{uuid4().hex[:8]}" for _ in range(7)]
    scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=missing(each)) for each in images))
    scene.told()
    scene.recheck(scene.allow(node))
    run = scene.run()
    ledger = Ledger(run)
    (one,) = Alerts(run, ledger).digest(ledger.lives(scene.store.due_notices(before=scene.clock.now + 600, limit=9)))
    assert (len(one.others), one.unnamed, one.is_in_part) == (5, 2, True)
    (part,) = after_the_hold_down(scene)
    assert len(part["others"]) == 5
    assert ", and 4 more causes" in part["headline"]
    assert part["others_count"] == 7
    assert part["attributes"]["status"] == ["resolved_in_part"]
