"""Who sent an event: what its own words say of an account has to be the account that EventBridge says sent it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pull_responder.events.change import Change, Wakeup, read_change
from pull_responder.events.intake import Inspection, Origins, read_body
from pull_responder.events.look_again import LookAgain
from pull_responder.events.outcome import Refused, Skipped
from pull_responder.model.pull import PullFailure

EVENTS = Path(__file__).parents[2] / "events"
HUB, MEMBER, VICTIM = "111111111111", "222222222222", "333333333333"
ORIGINS = Origins(HUB, "kubernetes.events", organization=True, region="us-east-1")
ALONE = Origins(HUB, "kubernetes.events", region="us-east-1")
LIE = Refused(f"an event that account {MEMBER} sent, about account {VICTIM}", MEMBER)


def event(source: str, detail_type: str, detail: dict[str, Any], *arns: str, account: object = MEMBER) -> str:
    place = {"account": account, "region": "eu-west-1", "time": "2026-03-01T12:00:00Z", "id": "1a1111a1"}
    return json.dumps({"source": source, "detail-type": detail_type, **place, "resources": arns, "detail": detail})


def denial(recipient: object = MEMBER, **envelope: object) -> str:
    role = f"arn:aws:sts::{VICTIM}:assumed-role/node/i-30bb55ebd0cf7facb"
    detail: dict[str, Any] = {
        "eventSource": "ecr.amazonaws.com",
        "eventName": "BatchGetImage",
        "awsRegion": "eu-west-1",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {role} is not authorized to perform: ecr:BatchGetImage on resource: "
        f"arn:aws:ecr:eu-west-1:{MEMBER}:repository/app",
        "userIdentity": {"type": "AssumedRole", "arn": role, "accountId": VICTIM},
        "recipientAccountId": recipient,
    }
    if recipient is None:
        del detail["recipientAccountId"]
    return event("aws.ecr", "AWS API Call via CloudTrail", detail, **envelope)


def cache_action(owner: str) -> str:
    detail = {"sync-status": "FAILED", "repository-name": "hub/alpine", "failure-code": "x"}
    return event("aws.ecr", "ECR Pull Through Cache Action", detail, f"arn:aws:ecr:eu-west-1:{owner}:repository/hub")


def addon(owner: str, detail_type: str = "EKS Addon Health Degraded") -> str:
    return event("aws.eks", detail_type, {}, f"arn:aws:eks:eu-west-1:{owner}:addon/prod/vpc-cni/1")


def cluster_change(recipient: str) -> str:
    detail = {"eventSource": "eks.amazonaws.com", "eventName": "CreateNodegroup", "recipientAccountId": recipient}
    detail |= {"requestParameters": {"name": "prod", "nodegroupName": "workers"}}  # type: ignore[dict-item]
    return event("aws.eks", "AWS API Call via CloudTrail", detail)


def clock(owner: str) -> str:
    return event("aws.events", "Scheduled Event", {}, f"arn:aws:events:eu-west-1:{owner}:rule/health")


def pod(cluster: str, source: str = "kubernetes.events") -> str:
    made = json.loads((EVENTS / "kubernetes_events" / "failed.json").read_text())
    return event(source, "Event", {**made["detail"], "clusterName": cluster})


@pytest.mark.parametrize(
    "lie",
    [
        denial(VICTIM),
        cache_action(VICTIM),
        addon(VICTIM),
        cluster_change(VICTIM),
        clock(VICTIM),
        pod(f"arn:aws:eks:eu-west-1:{VICTIM}:cluster/prod"),
    ],
    ids=["denial", "cache", "addon", "eks", "schedule", "pod"],
)
def test_an_event_about_another_account_than_its_senders_is_refused(lie: str) -> None:
    assert read_body(lie, origins=ORIGINS) == LIE
    # Without an organization nothing is refused: there, what happens stays what it was.
    assert not isinstance(read_body(lie, origins=ALONE), Refused)


@pytest.mark.parametrize("field", ["addonArn", "addon-arn", "clusterArn", "cluster-arn"])
def test_wherever_eks_names_another_account_the_event_is_refused(field: str) -> None:
    detail = {field: f"arn:aws:eks:eu-west-1:{VICTIM}:cluster/prod"}
    assert read_body(event("aws.eks", "EKS Addon Health Degraded", detail), origins=ORIGINS) == LIE


@pytest.mark.parametrize("junk", [7, "x" * 5_000, [MEMBER], {}])
def test_what_stands_for_the_account_is_shown_as_an_account_only(junk: object) -> None:
    says = f"an event that account {MEMBER} sent, about account (no account's id)"
    assert read_body(denial(junk), origins=ORIGINS) == Refused(says, MEMBER)


@pytest.mark.parametrize("account", [None, "", "x", 222222222222])
def test_an_event_without_a_sender_is_refused(account: object) -> None:
    refused = read_body(denial(account=account), origins=ORIGINS)
    assert refused == Refused("an event that does not say which account sent it")


@pytest.mark.parametrize("recipient", [MEMBER, None])
def test_a_cross_account_denial_is_its_recipients(recipient: str | None) -> None:
    """The caller is of another account than the one whose trail has the record. A record need not name either."""
    pull = read_body(denial(recipient), origins=ORIGINS)
    assert isinstance(pull, PullFailure)
    assert (pull.account, pull.principal_account, pull.region) == (MEMBER, VICTIM, "eu-west-1")


def test_what_members_send_of_themselves_is_read() -> None:
    cache = read_body(cache_action(MEMBER), origins=ORIGINS)
    assert isinstance(cache, PullFailure)
    assert (cache.registry_account, cache.region) == (MEMBER, "eu-west-1")
    for inspection in (addon(MEMBER), cluster_change(MEMBER), clock(MEMBER)):
        read = read_body(inspection, origins=ORIGINS)
        assert isinstance(read, Inspection)
        assert (read.account, read.region) == (MEMBER, "eu-west-1")


def test_a_members_forwarded_pod_is_of_a_cluster_there() -> None:
    pull = read_body(pod("prod"), origins=ORIGINS)
    assert isinstance(pull, PullFailure)
    assert (pull.account, pull.cluster, pull.cluster_region) == (MEMBER, "prod", "eu-west-1")
    alone = read_body(pod("prod"), origins=ALONE)
    assert alone == Skipped(f"an event of account {MEMBER}, not of our own")


def test_a_member_names_no_role_of_another_account() -> None:
    """A node's role is in the cluster's account; whoever writes the audit log could name any."""
    detail = {"clusterName": "prod", "nodeName": "ip-10-0-0-1.ec2.internal", "message": "status code 403 Forbidden"}
    detail |= {"image": f"{HUB}.dkr.ecr.us-east-1.amazonaws.com/app:v1"}

    def read(account: str) -> PullFailure:
        session = f"arn:aws:sts::{account}:assumed-role/node/i-30bb55ebd0cf7facb"
        body = event("pull-responder.audit-log", "Pod Image Pull Failure", {**detail, "principalArn": session})
        pull = read_body(body, origins=ORIGINS)
        assert isinstance(pull, PullFailure)
        return pull

    assert read(MEMBER).principal_account == MEMBER
    assert read(VICTIM).principal is None


def test_our_own_cluster_is_in_no_other_place() -> None:
    own = json.loads(pod("prod")) | {"account": HUB, "region": "us-east-1"}
    pull = read_body(json.dumps(own), origins=ORIGINS)
    assert isinstance(pull, PullFailure)
    assert pull.cluster_region is None
    elsewhere = read_body(json.dumps(own | {"region": "eu-west-1"}), origins=ORIGINS)
    assert isinstance(elsewhere, PullFailure)
    assert elsewhere.cluster_region == "eu-west-1"


def change(recipient: str, service: str = "iam", region: str = "us-east-1") -> str:
    detail = {"eventSource": f"{service}.amazonaws.com", "eventName": "AttachRolePolicy", "awsRegion": region}
    detail |= {"recipientAccountId": recipient, "requestParameters": {"roleName": "node"}}  # type: ignore[dict-item]
    return event(f"aws.{service}", "AWS API Call via CloudTrail", detail)


def test_a_change_is_its_recipients() -> None:
    told = read_change(change(MEMBER), account=HUB, organization=True)
    assert isinstance(told, Change)
    assert (told.account, told.region, told.role) == (MEMBER, "us-east-1", "node")
    assert read_change(change(VICTIM), account=HUB, organization=True) == LIE
    assert isinstance(read_change(change(VICTIM), account=HUB), Change)
    restored = addon(VICTIM, "EKS Addon Health Restored")
    assert read_change(restored, account=HUB, organization=True) == LIE


def test_a_members_schedule_wakes_nobody() -> None:
    assert isinstance(read_change(clock(MEMBER), account=HUB, organization=True), Skipped)
    own = json.dumps(json.loads(clock(HUB)) | {"account": HUB})
    assert isinstance(read_change(own, account=HUB, organization=True), Wakeup)


def test_a_member_may_ask_for_findings_about_itself_only() -> None:
    ids = [f"pull-responder/scp_blocks_pull/{each}/eu-west-1/0123456789abcdef0123" for each in (HUB, MEMBER, VICTIM)]

    def ask(account: str, owner: str) -> object:
        arn = f"arn:aws:securityhub:eu-west-1:{owner}:action/custom/PullResponderLook"
        detail = {"findings": [{"Id": each, "AwsAccountId": VICTIM} for each in ids]}
        body = event("aws.securityhub", "Security Hub Findings - Custom Action", detail, arn, account=account)
        return read_change(body, account=HUB, organization=True)

    assert ask(MEMBER, MEMBER) == LookAgain((ids[1],))
    # An administrator account's Security Hub shows the findings of its members.
    assert ask(HUB, HUB) == LookAgain(tuple(ids))
    assert ask(MEMBER, VICTIM) == LIE
