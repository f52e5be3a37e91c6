"""What must resolve a finding, what must not, and who is notified: signals of nodes, repeats, rechecks in any order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from pull_responder.findings.problem import iso
from pull_responder.publish import security_hub, sns
from pull_responder.responder.later_looks import LaterLooks
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION, Node, Scene, change, denial
from tests.integration.responder.test_crashes import Died, die_after

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.life import Life
    from pull_responder.publish.style import Style

EVENT = Path(__file__).parents[2] / "events" / "kubernetes_events" / "failed.json"
LACKS = "role_lacks_pull_permissions"
FORWARDED = {"FORWARDED_EVENT_SOURCE": "kubernetes.events"}
FULL = "write /var/lib/containerd/blob: no space left on device"
DENIED = "unexpected status: 403 Forbidden"
EXPIRED = f"{DENIED}: Your authorization token has expired. Reauthenticate and try again."
BUSY = "unexpected status: 429 Too Many Requests: toomanyrequests: Rate exceeded"


@pytest.fixture
def repository(scene: Scene) -> str:
    name = f"review/{uuid4().hex[:8]}"
    scene.aws.client("ecr").create_repository(repositoryName=name)
    return name


@pytest.fixture
def node(scene: Scene) -> Node:
    """A node whose role is found by its name alone, as kubelet's signals have nothing else."""
    node = scene.role()
    iam = scene.aws.client("iam")
    iam.create_instance_profile(InstanceProfileName=node.role)
    iam.add_role_to_instance_profile(InstanceProfileName=node.role, RoleName=node.role)
    scene.aws.client("ec2").associate_iam_instance_profile(
        IamInstanceProfile={"Name": node.role}, InstanceId=node.instance
    )
    return node


def said(node: Node, repository: str, words: str, *, at: float) -> dict[str, Any]:
    """What kubelet said of a pull by `node`, as a forwarder sends it."""
    image, host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:v1", f"{node.instance}.ec2.internal"
    event: dict[str, Any] = json.loads(EVENT.read_text())
    event["detail"] |= {
        "message": f'Failed to pull image "{image}": failed to resolve reference "{image}": {words}',
        "source": {"component": "kubelet", "host": host},
        "reportingInstance": host,
        "firstTimestamp": iso(at),
        "lastTimestamp": iso(at),
    }
    event["detail"]["metadata"]["uid"] = str(uuid4())
    return {**event, "account": ACCOUNT, "source": "kubernetes.events", "time": iso(at), "id": str(uuid4())}


def recheck_after(scene: Scene, minutes: float) -> None:
    """Let `minutes` pass, recheck, and recheck again when a resolved finding is to be notified."""
    scene.clock.forward(minutes=minutes)
    scene.recheck(**FORWARDED)
    scene.clock.forward(minutes=6)
    scene.recheck(**FORWARDED)


def test_a_redelivered_event_reopens_nothing(scene: Scene, node: Node, repository: str) -> None:
    event = said(node, repository, FULL, at=scene.clock.now)
    scene.respond(event, **FORWARDED)
    recheck_after(scene, 61)
    assert scene.edges() == [("new", "node_disk_full"), ("resolved", "node_disk_full")]
    scene.respond(event, **FORWARDED)
    assert scene.edges() == []
    (finding,) = scene.in_hub(node.instance)
    assert finding["RecordState"] == "ARCHIVED"
    scene.respond(said(node, repository, FULL, at=scene.clock.now), **FORWARDED)
    assert scene.edges() == [("back", "node_disk_full")]


def test_a_known_principal_is_not_reported_as_unexplained(scene: Scene) -> None:
    role = scene.stranger()
    known = json.dumps([f"arn:aws:iam::{ACCOUNT}:role/{role}"])
    for _ in range(5):
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/web"
        event = denial(role, "AWSCodeBuild-1", at=scene.clock.now, action=IMAGE, resource=arn)
        scene.respond(event, KNOWN_PRINCIPALS=known)
        scene.clock.forward(minutes=16)
    assert scene.told() == []


def test_a_finding_imported_by_a_run_that_died_is_archived_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = scene.role()
    undo = die_after(monkeypatch, security_hub, "import_findings")
    with pytest.raises(Died):
        scene.respond(node.denied(scene.clock.now))
    undo()
    scene.clock.forward(minutes=1)
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    (finding,) = scene.in_hub(node.role)
    assert (finding["RecordState"], finding["Compliance"]["Status"]) == ("ARCHIVED", "PASSED")


def test_the_oldest_is_rechecked_first_in_whatever_order_dynamodb_answers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = []
    for _ in range(4):
        nodes.append(scene.role())
        scene.respond(nodes[-1].denied(scene.clock.now))
        scene.clock.forward(seconds=10)
    # The one place that all calls pass.
    make_call = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's stubs leave it out
    look, rechecked = LaterLooks.look, []

    def backwards(client: BaseClient, name: str, arguments: Any) -> Any:  # noqa: ANN401 -- whatever botocore hands over
        answer = make_call(client, name, arguments)
        if name == "BatchGetItem":
            answer["Responses"] = {table: items[::-1] for table, items in answer["Responses"].items()}
        return answer

    def note(looks: LaterLooks, life: Life) -> object:
        rechecked.append(life.finding.resource.id.rpartition("/")[2])
        return look(looks, life)

    monkeypatch.setattr(BaseClient, "_make_api_call", backwards)
    monkeypatch.setattr(LaterLooks, "look", note)
    scene.clock.forward(minutes=20)
    scene.recheck()
    assert rechecked == [each.role for each in nodes]


def test_a_finding_by_words_is_resolved_when_its_node_is_gone(scene: Scene, node: Node, repository: str) -> None:
    scene.respond(said(node, repository, EXPIRED, at=scene.clock.now), **FORWARDED)
    recheck_after(scene, 16)
    assert scene.edges() == [("new", "registry_token_expired")]
    scene.aws.client("ec2").terminate_instances(InstanceIds=[node.instance])
    recheck_after(scene, 16)
    (resolved,) = scene.told()
    assert resolved["edge"] == "resolved"
    assert "does not exist any more" in resolved["because"]


def test_a_finding_by_words_is_resolved_when_the_messages_stop_and_not_before(
    scene: Scene, node: Node, repository: str
) -> None:
    scene.allow(node)
    for _ in range(5):
        scene.respond(said(node, repository, BUSY, at=scene.clock.now), **FORWARDED)
        recheck_after(scene, 16)
    assert scene.edges() == [("new", "registry_throttled")]
    recheck_after(scene, 31)
    assert scene.edges() == []
    recheck_after(scene, 16)
    assert scene.edges() == [("resolved", "registry_throttled")]


def test_an_unreadable_policy_of_another_account_resolves_no_finding(scene: Scene, node: Node) -> None:
    scene.allow(node)

    def refused() -> dict[str, Any]:
        arn = f"arn:aws:ecr:{REGION}:222222222222:repository/shop/web"
        event = node.denied(scene.clock.now, action=IMAGE, resource=arn)
        words = event["detail"]["errorMessage"].replace("identity-based", "resource-based")
        event["detail"]["errorMessage"] = words
        return event

    for _ in range(5):
        scene.respond(refused())
        recheck_after(scene, 16)
    assert scene.edges() == [("new", "repository_policy_lacks_grant")]
    recheck_after(scene, 61)
    assert scene.edges() == [("resolved", "repository_policy_lacks_grant")]


def test_a_role_of_two_node_groups_is_not_fixed_by_deleting_one(scene: Scene) -> None:
    node, eks = scene.role(), scene.aws.client("eks")
    arn = f"arn:aws:iam::{ACCOUNT}:role/{node.role}"
    subnets = [scene.aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]]
    eks.create_cluster(name=node.role, roleArn=arn, resourcesVpcConfig={"subnetIds": subnets})
    for name in ("one", "two"):
        eks.create_nodegroup(clusterName=node.role, nodegroupName=name, subnets=subnets, nodeRole=arn)
        scene.respond(change("eks", "CreateNodegroup", clusterName=node.role, nodegroupName=name))
    assert scene.edges().count(("new", LACKS)) == 1
    eks.delete_nodegroup(clusterName=node.role, nodegroupName="two")
    recheck_after(scene, 16)
    assert ("resolved", LACKS) not in scene.edges()
    eks.delete_nodegroup(clusterName=node.role, nodegroupName="one")
    recheck_after(scene, 16)
    assert ("resolved", LACKS) in scene.edges()


def test_a_cause_of_another_version_is_left_open_until_it_stops(scene: Scene) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    (told,) = scene.told()
    table, key = scene.aws.client("dynamodb"), {"id": {"S": told["finding"]["id"]}}
    life = json.loads(table.get_item(TableName=scene.table, Key=key)["Item"]["life"]["S"])
    life["finding"]["cause"] = "moon_in_the_way"
    table.update_item(
        TableName=scene.table,
        Key=key,
        UpdateExpression="SET life = :life",
        ExpressionAttributeValues={":life": {"S": json.dumps(life)}},
    )
    recheck_after(scene, 16)
    assert scene.told() == []
    recheck_after(scene, 45)
    assert [edge for edge, _ in scene.edges()] == ["resolved"]


@pytest.mark.parametrize("cloudtrail_first", [True, False])
def test_the_reason_and_the_pod_in_batches_of_their_own_are_one_finding(
    scene: Scene, node: Node, repository: str, *, cloudtrail_first: bool
) -> None:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}"
    signals = [
        node.denied(scene.clock.now, action=IMAGE, resource=arn),
        said(node, repository, DENIED, at=scene.clock.now),
    ]
    for signal in signals if cloudtrail_first else reversed(signals):
        scene.respond(signal, **FORWARDED)
        scene.clock.forward(minutes=1)
    assert scene.edges() == [("new", LACKS)]
    (finding,) = scene.in_hub(node.role)
    fields = finding["ProductFields"]
    assert fields["pull-responder/pod"] == "web-7c9d8b5f6-x2x9k"
    assert "no identity-based policy allows" in fields["pull-responder/error-message"]
    scene.recheck(scene.allow(node), **FORWARDED)
    recheck_after(scene, 0)
    assert scene.edges() == [("resolved", LACKS)]


def test_a_refused_notice_does_not_stop_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    unlucky, others = scene.role(), [scene.role(), scene.role()]
    publish = sns.publish_notice

    def refusing(client: SNSClient, topic_arn: str, alert: Alert, style: Style) -> str:
        if alert.worst.finding.resource.id.endswith(unlucky.role):
            raise ClientError({"Error": {"Code": "Throttled", "Message": "slow down"}}, "Publish")
        return publish(client, topic_arn, alert, style)

    with monkeypatch.context() as patched:
        patched.setattr(sns, "publish_notice", refusing)
        scene.respond(*(each.denied(scene.clock.now) for each in (others[0], unlucky, others[1])))
    assert {each["finding"]["resource"]["id"].rpartition("/")[2] for each in scene.told()} == {
        each.role for each in others
    }
    recheck_after(scene, 2)
    (late,) = scene.told()
    assert late["finding"]["resource"]["id"].endswith(unlucky.role)


def test_a_later_look_keeps_where_the_diagnosis_found_the_repository(scene: Scene, node: Node) -> None:
    name, elsewhere = f"review/{uuid4().hex[:8]}", "us-west-2"
    scene.aws.client("ecr", region=elsewhere).create_repository(repositoryName=name)
    scene.allow(node)
    words = f"name unknown: The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"
    scene.respond(said(node, name, words, at=scene.clock.now), **FORWARDED)
    (before,) = scene.in_hub(name)
    assert f"It exists in {elsewhere}." in before["Description"]
    asked: list[str] = []

    def note(context: dict[str, Any], **_: object) -> None:
        asked.append(context["client_region"])

    assert scene.connected
    scene.connected._session.events.register("before-call.ecr.DescribeRepositories", note)
    for client in scene.connected._clients._kept.values():
        client.meta.events.register("before-call.ecr.DescribeRepositories", note)
    scene.clock.forward(minutes=16)
    scene.recheck(**FORWARDED)
    (after,) = scene.in_hub(name)
    assert set(asked) == {REGION}
    assert (after["Description"], after["Remediation"]) == (before["Description"], before["Remediation"])
