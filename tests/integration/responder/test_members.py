"""Findings of an organization's members: in whose Security Hub they are, and what happens where that one takes none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.findings.life import Life
from pull_responder.settings import IMPORT_ROLE
from tests.integration.responder.member import Member
from tests.integration.responder.scene import ACCOUNT, IMAGE, PULL_ONLY, REGION, Node, Scene, change, denial
from tests.integration.responder.test_in_hub import calls

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

ROLE = "role_lacks_pull_permissions"
# A session that is named like an instance.
GONE = "i-0123456789abcdef0"


@pytest.fixture
def member(aws: EmulatedAws) -> Member:
    """A member with both roles, and Security Hub in two regions."""
    member = Member(aws)
    member.readable()
    member.importable()
    member.security_hub(REGION, member.region)
    return member


def causes(findings: list[dict[str, Any]]) -> list[str]:
    return sorted(each["GeneratorId"].partition("/")[2] for each in findings)


def life_of(scene: Scene, resource: str) -> Life:
    lives = scene.store.lives(scene.store.open_findings(limit=50)).values()
    (life,) = [each for each in lives if isinstance(each, Life) and each.finding.resource.id.endswith(resource)]
    return life


def missing_image(member: Member, node: Node) -> dict[str, Any]:
    """The event of an image that a repository in the member's region has not, by the audit log."""
    member.client("ecr").create_repository(repositoryName="shop/web")
    image = f"{member.id}.dkr.ecr.{member.region}.amazonaws.com/shop/web:gone"
    return waiting(member, node, image, f"{image}: not found")


def waiting(member: Member, node: Node, image: str, why: str) -> dict[str, Any]:
    """The event of a pod that waits for an image, on a node whose role may pull, by the audit log of its cluster."""
    member.client("iam").attach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)
    session = f"arn:aws:sts::{member.id}:assumed-role/{node.role}/{node.instance}"
    return {
        "source": "pull-responder.audit-log",
        "detail-type": "Pod Image Pull Failure",
        "account": member.id,
        "region": member.region,
        "time": "2026-03-01T12:00:00Z",
        "id": "0a1b2c3d-0000-4000-8000-000000000001",
        "detail": {
            "clusterName": "prod",
            "namespace": "shop",
            "podName": "web-1",
            "nodeName": "ip-10-0-0-1.eu-west-1.compute.internal",
            "principalArn": session,
            "image": image,
            "message": f'failed to resolve reference "{image}": {why}',
        },
    }


def test_a_members_denial_is_in_the_members_security_hub(scene: Scene, member: Member) -> None:
    node = member.node()
    assert scene.respond(member.denied(node, scene.clock.now), **member.in_member) == []
    # A role is in no region: its finding is in our region, in its own account.
    (finding,) = member.findings(region=REGION)
    assert causes([finding]) == [ROLE]
    assert finding["AwsAccountId"] == member.id
    assert finding["ProductArn"] == f"arn:aws:securityhub:{REGION}:{member.id}:product/{member.id}/default"
    assert finding["Resources"][0]["Id"] == f"arn:aws:iam::{member.id}:role/{node.role}"
    assert "here-because" not in json.dumps(finding)
    assert scene.in_hub(node.role) == member.findings() == []
    assert scene.edges() == [("new", ROLE)]
    life = life_of(scene, node.role)
    assert (life.hub_account, life.hub_region, life.hub_refused) == (member.id, REGION, "")


def test_a_fault_of_a_region_is_in_security_hub_of_that_region(scene: Scene, member: Member) -> None:
    assert scene.respond(missing_image(member, member.node()), **member.in_member) == []
    (finding,) = member.findings()
    assert causes([finding]) == ["image_not_found"]
    assert finding["ProductArn"] == f"arn:aws:securityhub:eu-west-1:{member.id}:product/{member.id}/default"
    assert member.findings(region=REGION) == []


def test_a_cluster_in_a_third_region_is_found_there(scene: Scene, member: Member) -> None:
    """The registry is ours, in our region; the cluster is the member's, in its own. The registry is at fault."""
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:v1"
    node = member.node()
    scene.respond(waiting(member, node, image, "pulling from host h: 403 Forbidden"), **member.in_member)
    found = [each for each in scene.in_hub("repository/shop/web") if member.id in json.dumps(each)]
    (lacks,) = [each for each in found if each["GeneratorId"].endswith("repository_policy_lacks_grant")]
    assert {each["Id"] for each in lacks["Resources"]} >= {
        f"arn:aws:eks:eu-west-1:{member.id}:cluster/prod",
        f"arn:aws:ec2:eu-west-1:{member.id}:instance/{node.instance}",
    }
    # The way from the node's subnet is the member's, and so is a fault of it.
    assert all(each["AwsAccountId"] == member.id for each in member.findings())
    assert "repository_policy_lacks_grant" not in causes(member.findings())


def test_pods_of_one_name_in_three_accounts_clusters_are_three(scene: Scene, aws: EmulatedAws) -> None:
    """Their clusters have one name, too. What they pull is ours, and is at fault."""
    members = [Member(aws) for _ in range(3)]
    for each in members:
        each.readable()
    listed = {**members[0].in_hub, "PULL_RESPONDER_READ_ACCOUNTS": json.dumps([each.id for each in members])}
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:gone"
    events = [waiting(each, each.node(), image, f"{image}: not found") for each in members]
    for number, event in enumerate(events):
        event["id"] = f"0a1b2c3d-0000-4000-8000-00000000000{number}"
    assert scene.respond(*events, **listed) == []
    (life,) = scene.store.lives(scene.store.open_findings(limit=5)).values()
    assert isinstance(life, Life)
    assert life.finding.cause == "image_not_found"
    reach = life.reach
    assert (reach.events, reach.pod_count, reach.cluster_count, reach.account_count) == (3, 3, 3, 3)
    assert (reach.pods, reach.clusters) == (("shop/web-1",), ("prod",))
    (told,) = [each for each in scene.told() if each["finding"]["cause"] == "image_not_found"]
    assert told["reach"]["pod_count"] == 3


def test_in_the_hub_is_where_findings_are_by_default(scene: Scene, member: Member) -> None:
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_hub)
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["AwsAccountId"] == ACCOUNT
    assert member.findings(region=REGION) == []
    assert life_of(scene, node.role).hub_account == ""


def test_our_own_findings_stay_in_our_own_security_hub(scene: Scene, member: Member) -> None:
    node = scene.role()
    scene.respond(node.denied(scene.clock.now), **member.in_member)
    assert causes(scene.in_hub(f"role/{node.role}")) == [ROLE]


def test_a_change_in_the_member_resolves_it_there(scene: Scene, member: Member) -> None:
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    member.client("iam").attach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)
    # IAM's events come from us-east-1, wherever the cluster is.
    made = member.forwarded(change("iam", "AttachRolePolicy", roleName=node.role, policyArn=PULL_ONLY))
    scene.recheck(made, **member.in_member)
    scene.clock.forward(minutes=6)
    scene.recheck(**member.in_member)
    (finding,) = member.findings(region=REGION)
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    assert scene.edges() == [("new", ROLE), ("resolved", ROLE)]
    assert scene.in_hub(node.role) == []


def test_a_change_that_lies_about_its_account_rechecks_nothing(scene: Scene, member: Member) -> None:
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    member.client("iam").attach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)
    made = member.forwarded(change("iam", "AttachRolePolicy", roleName=node.role, policyArn=PULL_ONLY))
    made["account"] = "999999999999"
    scene.recheck(made, **member.in_member)
    assert life_of(scene, node.role).is_open


def test_what_people_suppress_in_the_member_is_silent(scene: Scene, member: Member) -> None:
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    assert scene.edges() == [("new", ROLE)]
    (finding,) = member.findings(region=REGION)
    member.client("securityhub", region=REGION).batch_update_findings(
        FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
        Workflow={"Status": "SUPPRESSED"},
    )
    scene.clock.forward(minutes=25 * 60)
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    scene.recheck(**member.in_member)
    assert scene.edges() == []


def fell_back(scene: Scene, member: Member, node: Node) -> str:
    """Return why the finding is in our own Security Hub, as it says everywhere, and hold that it says so."""
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["AwsAccountId"] == ACCOUNT
    because: str = finding["ProductFields"]["pull-responder/here-because"]
    of = f"This finding is in Security Hub of account {ACCOUNT} in {REGION}, because that of account {member.id} in"
    assert because.startswith(f"{of} {REGION} does not take it: ")
    assert of in finding["Description"]
    (told,) = scene.told()
    assert because in told["finding"]["evidence"]
    life = life_of(scene, node.role)
    assert (life.hub_account, life.hub_region, life.hub_refused) == (ACCOUNT, REGION, because)
    return because


def test_without_the_import_role_it_is_in_ours_and_says_so(
    scene: Scene, aws: EmulatedAws, caplog: pytest.LogCaptureFixture
) -> None:
    member = Member(aws)
    member.readable()
    member.security_hub(REGION)
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    assert f"sts:AssumeRole of arn:aws:iam::{member.id}:role/{IMPORT_ROLE}" in fell_back(scene, member, node)
    assert member.findings(region=REGION) == []
    assert "the account at fault takes no finding" in [each.message for each in caplog.records]


def test_where_security_hub_is_off_it_is_in_ours_and_says_so(scene: Scene, aws: EmulatedAws) -> None:
    member = Member(aws)
    member.readable()
    member.importable()
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    assert "InvalidAccessException" in fell_back(scene, member, node)


def test_it_stays_where_it_was_imported_first(scene: Scene, aws: EmulatedAws) -> None:
    member = Member(aws)
    member.readable()
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    member.importable()
    member.security_hub(REGION)
    scene.connected = None
    made = member.forwarded(scene_change(member, node))
    scene.recheck(made, **member.in_member)
    scene.clock.forward(minutes=6)
    scene.recheck(**member.in_member)
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    assert member.findings(region=REGION) == []


def scene_change(member: Member, node: Node) -> dict[str, Any]:
    member.client("iam").attach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)
    return change("iam", "AttachRolePolicy", roleName=node.role, policyArn=PULL_ONLY)


def test_what_is_in_the_member_waits_for_it_and_is_not_imported_twice(scene: Scene, member: Member) -> None:
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    importer = scene.run().aws.client("securityhub", account=member.id, region=REGION, role=IMPORT_ROLE)
    (before,) = member.findings(region=REGION)
    # moto forgets its findings when Security Hub is off, so the import is refused as AWS refuses it then.
    with calls(scene, "BatchImportFindings", ("InvalidAccessException", 401), of=importer) as refused:
        scene.recheck(member.forwarded(scene_change(member, node)), **member.in_member)
        scene.clock.forward(minutes=6)
        scene.recheck(**member.in_member)
    assert refused
    assert scene.in_hub(node.role) == []
    scene.clock.forward(minutes=20)
    scene.recheck(**member.in_member)
    (after,) = member.findings(region=REGION)
    assert (before["RecordState"], after["RecordState"]) == ("ACTIVE", "ARCHIVED")


def test_a_member_that_nothing_shows_to_be_ours_has_its_finding_in_ours_with_the_reason(
    scene: Scene, aws: EmulatedAws
) -> None:
    """Its event came, so that it is a member; the stack with its roles has failed there."""
    member, listed = Member(aws), Member(aws)
    node = member.node()
    caller = f"{node.role}/{node.instance}"
    scene.respond(member.denied(node, scene.clock.now), **listed.in_member)
    (finding,) = scene.in_hub(caller)
    why = (
        f"This finding is in Security Hub of account {ACCOUNT} in {REGION}, because nothing shows that account "
        f"{member.id} is one of yours: its role PullResponderReadOnly does not let Pull Responder in"
    )
    assert finding["AwsAccountId"] == ACCOUNT
    assert finding["ProductFields"]["pull-responder/here-because"].startswith(why)
    life = life_of(scene, caller)
    assert life.hub_refused.startswith(why)
    assert life.hub_account == ACCOUNT
    # It is the same sentence the next time, so that nothing is imported for its sake.
    scene.clock.forward(minutes=20)
    scene.recheck(**listed.in_member)
    assert life_of(scene, caller).hub_refused == life.hub_refused


def denied_here(stranger: Member, scene: Scene, *, action: str = IMAGE) -> dict[str, Any]:
    """Our own account's event of a role of another one, which our repository does not let in."""
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/web"
    event = denial("intruder", GONE, at=scene.clock.now, action=action, resource=repository)
    theirs = f"arn:aws:sts::{stranger.id}:assumed-role/intruder/{GONE}"
    event["detail"]["userIdentity"] = {"type": "AssumedRole", "arn": theirs, "accountId": stranger.id}
    event["detail"]["errorMessage"] = (
        f"User: {theirs} is not authorized to perform: ecr:{action} on resource: {repository} because no "
        f"resource-based policy allows the ecr:{action} action"
    )
    event["detail"]["recipientAccountId"] = ACCOUNT
    return event


def test_a_finding_about_an_outsider_is_in_ours_whatever_its_owner_offers(
    scene: Scene, aws: EmulatedAws, caplog: pytest.LogCaptureFixture
) -> None:
    """It tells of our repository. Its owner has made a role for us to import findings."""
    stranger, listed = Member(aws), Member(aws)
    stranger.importable()
    stranger.security_hub(REGION)
    assert scene.respond(denied_here(stranger, scene), **listed.in_member) == []
    (finding,) = scene.in_hub(f"role/intruder/{GONE}")
    assert causes([finding]) == ["unexpected_principal_denied"]
    assert finding["Resources"][0]["Id"] == f"arn:aws:sts::{stranger.id}:assumed-role/intruder/{GONE}"
    assert finding["AwsAccountId"] == ACCOUNT
    assert stranger.findings(region=REGION) == []
    # That it is not over there needs no words.
    assert "here-because" not in json.dumps(finding)
    assert "the account at fault takes no finding" not in [each.message for each in caplog.records]
    life = life_of(scene, f"role/intruder/{GONE}")
    assert (life.hub_account, life.hub_region, life.hub_refused) == (ACCOUNT, REGION, "")


def test_one_members_failure_is_no_other_members(scene: Scene, aws: EmulatedAws, member: Member) -> None:
    """Two members and we ourselves fail in one batch; one member lets nobody in."""
    closed = Member(aws)
    theirs, shut, ours = member.node(), closed.node(), scene.role()
    at = scene.clock.now
    events = (member.denied(theirs, at), closed.denied(shut, at), ours.denied(at, action=IMAGE))
    assert scene.respond(*events, **member.in_member) == []
    assert causes(member.findings(region=REGION)) == [ROLE]
    assert causes(scene.in_hub(f"role/{ours.role}")) == [ROLE]


@pytest.mark.parametrize("refusal", [("ThrottlingException", 429), ("InternalException", 500)])
def test_a_member_that_does_not_answer_is_tried_again_and_not_replaced(
    scene: Scene, aws: EmulatedAws, member: Member, refusal: tuple[str, int]
) -> None:
    other = Member(aws)
    other.readable()
    other.importable()
    other.security_hub(REGION)
    slow, quick = member.node(), other.node()
    both = {**member.in_member, "PULL_RESPONDER_READ_ACCOUNTS": json.dumps([member.id, other.id])}
    importer = scene.run(**both).aws.client("securityhub", account=member.id, region=REGION, role=IMPORT_ROLE)
    at = scene.clock.now
    with calls(scene, "BatchImportFindings", refusal, of=importer):
        scene.seconds = 30.0
        assert scene.respond(member.denied(slow, at), other.denied(quick, at), **both) == []
    assert causes(other.findings(region=REGION)) == [ROLE]
    assert member.findings(region=REGION) == scene.in_hub(slow.role) == []
    scene.clock.forward(minutes=2)
    scene.recheck(**both)
    assert causes(member.findings(region=REGION)) == [ROLE]
    assert scene.in_hub(slow.role) == []


def test_what_cannot_be_read_in_the_member_silences_nothing(scene: Scene, member: Member) -> None:
    """The status is not readable there: people hear of the finding, and it is imported all the same."""
    node = member.node()
    reader = scene.run(**member.in_member).aws.client("securityhub", account=member.id, region=REGION)
    with calls(scene, "GetFindings", ("AccessDeniedException", 403), of=reader) as refused:
        scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    assert refused
    assert scene.edges() == [("new", ROLE)]
    assert causes(member.findings(region=REGION)) == [ROLE]


def test_what_a_shut_member_has_is_not_tried_for_ever(scene: Scene, member: Member) -> None:
    """As after an account has left the organization: Security Hub forgets a finding after 90 days."""
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    finding = life_of(scene, node.role).id
    iam = member.client("iam")
    iam.delete_role_policy(RoleName=IMPORT_ROLE, PolicyName="own")
    iam.delete_role(RoleName=IMPORT_ROLE)
    scene.connected = None
    scene.recheck(member.forwarded(scene_change(member, node)), **member.in_member)
    scene.clock.forward(minutes=6)
    scene.recheck(**member.in_member)

    def is_due() -> bool:
        life = scene.store.lives([finding])[finding]
        assert isinstance(life, Life)
        assert not life.is_open
        return life.hub_due

    assert is_due()
    assert scene.in_hub(node.role) == []
    scene.clock.forward(minutes=91 * 24 * 60)
    scene.recheck(**member.in_member)
    assert not is_due()


def test_without_an_organization_what_members_have_is_left_to_them(
    scene: Scene, member: Member, caplog: pytest.LogCaptureFixture
) -> None:
    """As after `organizationId` was set to null: no refusal, which would raise an alarm for 90 days."""
    node, left = member.node(), {"PULL_RESPONDER_READ_ACCOUNTS": json.dumps([member.id])}
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    finding = life_of(scene, node.role).id
    iam = member.client("iam")
    iam.delete_role_policy(RoleName=IMPORT_ROLE, PolicyName="own")
    iam.delete_role(RoleName=IMPORT_ROLE)
    scene.connected = None
    scene.recheck(member.forwarded(scene_change(member, node)), **left)
    scene.clock.forward(minutes=6)
    scene.recheck(**left)
    life = scene.store.lives([finding])[finding]
    assert isinstance(life, Life)
    assert (life.is_open, life.hub_due, life.hub_account) == (False, False, member.id)
    said = [each.message for each in caplog.records]
    assert "findings are left as they are in accounts of the former organization" in said
    assert "security hub cannot be reached" not in said
    assert scene.in_hub(node.role) == []


def test_back_in_the_hub_what_members_have_is_closed_there(scene: Scene, member: Member) -> None:
    """As after `findingsIn` was set to "hub" again."""
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    scene.recheck(member.forwarded(scene_change(member, node)), **member.in_hub)
    scene.clock.forward(minutes=6)
    scene.recheck(**member.in_hub)
    (finding,) = member.findings(region=REGION)
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    assert scene.in_hub(node.role) == []


def test_a_finding_that_was_in_ours_before_stays_there(scene: Scene, member: Member) -> None:
    """As after `findingsIn` was changed, or a release that knew no members: its item says nothing of a place."""
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_hub)
    scene.recheck(member.forwarded(scene_change(member, node)), **member.in_member)
    scene.clock.forward(minutes=6)
    scene.recheck(**member.in_member)
    (finding,) = scene.in_hub(f"role/{node.role}")
    assert finding["RecordState"] == "ARCHIVED"
    assert member.findings(region=REGION) == []


def test_people_ask_for_a_look_in_our_security_hub_at_a_members_finding(scene: Scene, member: Member) -> None:
    """An administrator account's Security Hub shows the findings of its members."""
    node = member.node()
    scene.respond(member.denied(node, scene.clock.now), **member.in_member)
    member.client("iam").attach_role_policy(RoleName=node.role, PolicyArn=PULL_ONLY)
    (finding,) = member.findings(region=REGION)
    action = {
        "source": "aws.securityhub",
        "detail-type": "Security Hub Findings - Custom Action",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/PullResponderLook"],
        "detail": {"findings": [{"Id": finding["Id"], "AwsAccountId": member.id}]},
    }
    scene.recheck(action, **member.in_member)
    (finding,) = member.findings(region=REGION)
    assert finding["RecordState"] == "ARCHIVED"


def test_a_lie_about_the_account_is_refused_counted_and_told_to_nobody(
    scene: Scene, member: Member, caplog: pytest.LogCaptureFixture
) -> None:
    node = member.node()
    lies = [member.denied(node, scene.clock.now, recipient=ACCOUNT) for _ in range(3)]
    assert scene.respond(*lies, **member.in_member) == []
    refused = [vars(each)["reasons"] for each in caplog.records if each.message == "events were refused"]
    assert refused == [{f"an event that account {member.id} sent, about account {ACCOUNT}": 3}]
    assert scene.told() == member.findings(region=REGION) == []
    assert scene.store.open_findings(limit=5) == []
