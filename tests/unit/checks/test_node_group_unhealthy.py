"""The verdict on what EKS reports, with the facts laid out as if they had been read: no emulator has health issues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import boto3
import pytest

from pull_responder.checks.node_group_unhealthy import CHECK
from pull_responder.facts.aws import Aws
from pull_responder.facts.compute import FargateProfile, HealthIssue, NodeGroup
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Status, Verdict
from pull_responder.pulls.nodes import Nodes
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Hashable

ACCOUNT, REGION = "111111111111", "eu-west-1"
GROUP_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/prod/workers/0"
PROFILE_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:fargateprofile/prod/jobs/0"
GROUP = ("node_group", ACCOUNT, REGION, "prod", "workers")
PROFILE = ("fargate_profile", ACCOUNT, REGION, "prod", "jobs")
PULL = PullFailure(Symptom.UNKNOWN, None, REGION, account=ACCOUNT)


def examined(nodes: Nodes, read: dict[Hashable, object]) -> Verdict:
    reader = Reader(Aws(boto3.session.Session(), member_role="x"))
    for key, fact in read.items():
        reader.once(key, partial(_fact, fact))
    return CHECK.examine(PULL, PullFacts(reader, asked=nodes))


def _fact(fact: object) -> object:
    return fact


def workers(*issues: HealthIssue) -> Verdict:
    group = NodeGroup("prod", "workers", None, (), arn=GROUP_ARN, issues=issues)
    return examined(Nodes("workers", ACCOUNT, REGION, "vpc-1", cluster="prod", node_group="workers"), {GROUP: group})


def jobs(*issues: HealthIssue) -> Verdict:
    profile = FargateProfile("prod", "jobs", None, (), PROFILE_ARN, issues)
    nodes = Nodes("jobs", ACCOUNT, REGION, "vpc-1", cluster="prod", fargate_profile="jobs")
    return examined(nodes, {PROFILE: profile})


@pytest.mark.cause("node_group_unhealthy", "fails")
@pytest.mark.parametrize(
    "code",
    ["NodeCreationFailure", "Ec2SubnetInvalidConfiguration", "IamNodeRoleNotFound", "IamInstanceProfileNotFound"],
)
def test_an_issue_that_keeps_nodes_from_pulling(code: str) -> None:
    verdict = workers(HealthIssue("AsgInstanceLaunchFailures", "x"), HealthIssue(code, "said\nby EKS", ("subnet-1",)))
    assert verdict.status is Status.FAILED
    assert verdict.resource
    assert verdict.resource.id == GROUP_ARN
    assert verdict.explanation == f"Amazon EKS reports an issue of node group workers in cluster prod: {code}."
    assert verdict.evidence == (f"{code}: said by EKS (subnet-1)",)


@pytest.mark.cause("node_group_unhealthy", "near_miss")
@pytest.mark.parametrize("code", ["AsgInstanceLaunchFailures", "AccessDenied", "ClusterUnreachable", "A new one"])
def test_an_issue_of_another_kind_is_none(code: str) -> None:
    assert workers(HealthIssue(code, "x")).status is Status.PASSED


def test_a_fargate_profile_has_codes_of_its_own() -> None:
    verdict = jobs(HealthIssue("AccessDenied", "x"))
    assert verdict.status is Status.FAILED
    assert verdict.resource
    assert verdict.resource.id == PROFILE_ARN
    assert jobs(HealthIssue("NodeCreationFailure", "x")).status is Status.PASSED


@pytest.mark.cause("node_group_unhealthy", "unread")
def test_what_could_not_be_read_is_inconclusive_and_what_is_gone_has_no_health() -> None:
    nodes = Nodes("workers", ACCOUNT, REGION, "vpc-1", cluster="prod", node_group="workers")
    assert examined(nodes, {GROUP: Unread("denied")}) == Verdict.inconclusive("denied")
    assert examined(nodes, {GROUP: None}).status is Status.NOT_APPLICABLE
    alone = Nodes("i-1", ACCOUNT, REGION, "vpc-1", cluster="prod")
    assert examined(alone, {}).status is Status.NOT_APPLICABLE


@pytest.mark.cause("node_group_unhealthy", "passes")
def test_a_node_group_without_issues() -> None:
    assert workers().status is Status.PASSED
    assert jobs().status is Status.PASSED
