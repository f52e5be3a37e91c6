"""In which Security Hub findings are, and where they say that the findings beside them are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.findings.life import Life, resolve
from pull_responder.model.verdict import Resource
from pull_responder.responder.hub import Hub
from tests.integration.responder.member import Member
from tests.integration.responder.scene import ACCOUNT, REGION, Scene
from tests.unit.findings.lives import NOON, SETTINGS, find
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws


@pytest.fixture
def member(aws: EmulatedAws) -> Member:
    """A member with both roles, and Security Hub in two regions."""
    member = Member(aws)
    member.readable()
    member.importable()
    member.security_hub(REGION, member.region)
    return member


def life(kind: str, arn: str, *, letter: str, region: str = "eu-west-1") -> Life:
    """A new finding about a resource."""
    account = arn.split(":")[4]
    finding_id = f"pull-responder/image_not_found/{account}/{region}/{letter * 20}"
    resource = Resource(kind, arn, account)
    return replace(find(None, NOON), finding=replace(FINDING, id=finding_id, resource=resource))


def pair(account: str) -> tuple[Life, Life]:
    """A role and a repository in Ireland, both at fault at the same pulls."""
    role = life("AwsIamRole", f"arn:aws:iam::{account}:role/nodes", letter="a")
    repository = life("AwsEcrRepository", f"arn:aws:ecr:eu-west-1:{account}:repository/web", letter="b")
    return replace(role, related=(repository.id,)), replace(repository, related=(role.id,))


def put(scene: Scene, *lives: Life, **settings: str) -> list[Life]:
    """Store findings, import them, and return them as they are then."""
    scene.connected = None  # the settings name accounts
    store = scene.run(**settings).store
    for each in lives:
        assert store.save(each)
    known = store.lives([each.id for each in lives])
    return update(scene, *(each for each in known.values() if isinstance(each, Life)), **settings)


def update(scene: Scene, *lives: Life, **settings: str) -> list[Life]:
    steps = Hub(scene.run(**settings)).update(lives)
    for each in lives:
        assert scene.store.save(steps[each.id](each))
    known = scene.store.lives([each.id for each in lives])
    return [known[each.id] for each in lives]  # type: ignore[misc]


def links(findings: list[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Return by the letter of a finding the letters of those beside it, and the product ARNs that they are under."""
    return {
        each["Id"][-1]: [
            (one["Id"][-1], one["ProductArn"]) for one in each["FindingProviderFields"].get("RelatedFindings", [])
        ]
        for each in findings
    }


def product(account: str, region: str) -> str:
    return f"arn:aws:securityhub:{region}:{account}:product/{account}/default"


def own(scene: Scene, account: str) -> list[dict[str, Any]]:
    """Return what our own Security Hub has about resources of an account."""
    pages = scene.aws.client("securityhub").get_paginator("get_findings").paginate()
    return [each for page in pages for each in page["Findings"] if account in each["Resources"][0]["Id"]]


def test_beside_a_repository_is_the_finding_about_the_role_in_our_region(scene: Scene, member: Member) -> None:
    put(scene, *pair(member.id), **member.in_member)
    assert links(member.findings(region=REGION)) == {"a": [("b", product(member.id, "eu-west-1"))]}
    assert links(member.findings()) == {"b": [("a", product(member.id, REGION))]}


def test_what_is_not_imported_now_is_where_the_table_says(scene: Scene, member: Member) -> None:
    """The role's finding was imported in ours, before the member had its role for importing."""
    role, repository = pair(member.id)
    assert scene.store.save(replace(role, hub_at=NOON, hub_due=False, hub_account=ACCOUNT, hub_region=REGION))
    put(scene, repository, **member.in_member)
    assert links(member.findings()) == {"b": [("a", product(ACCOUNT, REGION))]}


def test_beside_what_fell_back_to_ours_is_what_fell_back_too(scene: Scene, aws: EmulatedAws) -> None:
    member = Member(aws)
    member.readable()
    put(scene, *pair(member.id), **member.in_member)
    ours = product(ACCOUNT, REGION)
    assert links(own(scene, member.id)) == {"a": [("b", ours)], "b": [("a", ours)]}


def test_what_is_our_own_in_another_region_is_in_ours(scene: Scene, member: Member) -> None:
    role, repository = pair(ACCOUNT)
    put(scene, role, repository, **member.in_member)
    beside = links([each for each in own(scene, ACCOUNT) if each["Id"] in {role.id, repository.id}])
    assert beside == {"a": [("b", product(ACCOUNT, REGION))], "b": [("a", product(ACCOUNT, REGION))]}


def test_what_the_table_does_not_know_is_linked_in_the_hub_alone(scene: Scene, member: Member) -> None:
    """In the hub there is one place that it can be in."""
    _, repository = pair(member.id)
    put(scene, repository, **member.in_member)
    assert links(member.findings()) == {"b": []}
    other = replace(repository, finding=replace(repository.finding, id=f"{repository.id[:-20]}{'c' * 20}"))
    put(scene, other, **member.in_hub)
    assert links(own(scene, member.id)) == {"c": [("a", product(ACCOUNT, REGION))]}


@pytest.mark.parametrize(
    "lost", [{"hub_region": ""}, {"hub_account": ""}, {"hub_region": "nowhere at all"}, {"hub_account": "7"}]
)
def test_a_place_of_which_half_is_lost_is_found_again(scene: Scene, member: Member, lost: dict[str, str]) -> None:
    _, repository = pair(member.id)
    (imported,) = put(scene, repository, **member.in_member)
    assert (imported.hub_account, imported.hub_region) == (member.id, "eu-west-1")
    scene.clock.forward(minutes=9)
    closed = resolve(imported, because="It is there now.", now=scene.clock.now, settings=SETTINGS)
    (after,) = update(scene, replace(closed, **lost), **member.in_member)  # type: ignore[arg-type]
    (finding,) = member.findings()
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    assert own(scene, member.id) == []
    assert (after.hub_account, after.hub_region) == (member.id, "eu-west-1")


@pytest.mark.parametrize("lost", [{"hub_region": ""}, {"hub_account": ""}])
def test_half_of_our_own_is_ours(scene: Scene, aws: EmulatedAws, lost: dict[str, str]) -> None:
    """It fell back to ours. The member takes findings now, and gets no second one."""
    member = Member(aws)
    member.readable()
    _, repository = pair(member.id)
    (imported,) = put(scene, repository, **member.in_member)
    assert (imported.hub_account, imported.hub_region) == (ACCOUNT, REGION)
    member.importable()
    member.security_hub(REGION, member.region)
    scene.connected = None
    scene.clock.forward(minutes=9)
    closed = resolve(imported, because="It is there now.", now=scene.clock.now, settings=SETTINGS)
    update(scene, replace(closed, **lost), **member.in_member)  # type: ignore[arg-type]
    (finding,) = own(scene, member.id)
    assert finding["RecordState"] == "ARCHIVED"
    assert member.findings() == member.findings(region=REGION) == []


def test_while_it_is_not_known_whether_an_account_is_ours_its_findings_wait(scene: Scene, member: Member) -> None:
    """STS has no time for us when the member's role is to be assumed: a later try may succeed."""
    role, _ = pair(member.id)
    unlisted = {**member.in_member, "PULL_RESPONDER_READ_ACCOUNTS": "[]"}
    aws = scene.run(**unlisted).aws
    sts = aws._sts(REGION)  # it is behind no other name

    def throttle(**_: object) -> None:
        raise sts.exceptions.ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "AssumeRole")

    sts.meta.events.register("before-call.sts.AssumeRole", throttle)
    try:
        assert scene.store.save(role)
        (stored,) = scene.store.lives([role.id]).values()
        assert isinstance(stored, Life)
        (waits,) = update(scene, stored, **unlisted)
    finally:
        sts.meta.events.unregister("before-call.sts.AssumeRole", throttle)
    assert waits.hub_due
    assert waits.hub_retry_at > scene.clock.now
    assert (waits.hub_at, waits.hub_account) == (0, "")
    assert own(scene, member.id) == member.findings(region=REGION) == []
    scene.connected = None
    (done,) = update(scene, waits, **member.in_member)
    assert (done.hub_account, done.hub_due) == (member.id, False)
    assert [each["Id"] for each in member.findings(region=REGION)] == [role.id]
