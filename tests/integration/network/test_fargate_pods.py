"""Fargate pods pull over their own interfaces, whose groups a SecurityGroupPolicy may have chosen."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
from moto.backends import get_backend

from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.facts.pod_interface import pod_address
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.pulls.path import PullPath, pull_path
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, causes, only, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.facts.aws import Aws

ADDRESS, NODE = "10.0.0.77", "fargate-ip-10-0-0-77.ec2.internal"


@pytest.fixture
def pods(estate: NetworkEstate) -> NetworkEstate:
    """A cluster with a security group of its own, which moto does not make, and a Fargate profile behind NAT."""
    get_backend("eks")[ACCOUNT][REGION].clusters[estate.name].resources_vpc_config |= {
        "clusterSecurityGroupId": estate.group,
        "vpcId": estate.vpc,
    }
    estate.behind_nat().fargate_profile("pods")
    return estate


def run_pod(estate: NetworkEstate, *groups: str) -> None:
    estate.ec2.create_network_interface(SubnetId=estate.a, PrivateIpAddress=ADDRESS, Groups=list(groups))


def timed_out(estate: NetworkEstate, node: str = NODE, *, denied: tuple[str, ...] = ()) -> Diagnosis:
    role = f"{estate.name}-pods"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    principal = Principal(PrincipalKind.ROLE, session, "aws", ACCOUNT, role, "session")
    pull = PullFailure(Symptom.TIMEOUT, None, REGION, ACCOUNT, principal, None, ACCOUNT, f"{estate.name}/app", "v1")
    return diagnose(replace(pull, cluster=estate.name, node=node), PullFacts(Reader(estate.aws(*denied))))


def test_the_way_is_read_while_the_roles_profile_is_searched(pods: NetworkEstate) -> None:
    """EKS's list of clusters is held back until what the event's own cluster leads to has been asked for."""
    run_pod(pods, pods.group)
    iam, name = pods.client("iam"), f"{pods.name}-pods"
    iam.delete_role_policy(RoleName=name, PolicyName="pull")
    aws = pods.aws()
    asked = {
        event: Event()
        for event in ("ec2.DescribeNetworkInterfaces", "ec2.DescribeRouteTables", "eks.DescribeFargateProfile")
    }
    in_time: list[bool] = []

    def hold(**_: object) -> None:
        in_time.extend(event.wait(20) for event in asked.values())

    for call, event in asked.items():
        listen(aws, call, lambda event=event, **_: event.set())
    listen(aws, "eks.ListClusters", hold)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session"
    pull = PullFailure(
        Symptom.NOT_AUTHENTICATED,
        None,
        REGION,
        ACCOUNT,
        Principal(PrincipalKind.ROLE, session, "aws", ACCOUNT, name, "session"),
        registry_account="602401143452",
        repository="eks/coredns",
        tag="v1",
        cluster=pods.name,
        node=NODE,
        namespace="default",
    )
    finding = only(diagnose(pull, PullFacts(Reader(aws))), "role_lacks_pull_permissions")
    assert in_time == [True, True, True]
    assert "AmazonEKSFargatePodExecutionRolePolicy" in finding.remediation.summary


def listen(aws: Aws, call: str, heard: Callable[..., None]) -> None:
    service, _, operation = call.partition(".")
    client = aws.client(service, account=None, region=REGION)
    assert not isinstance(client, Unread)
    client.meta.events.register(f"before-call.{service}.{operation}", heard)


def test_a_pods_own_groups_decide_and_not_the_clusters(pods: NetworkEstate) -> None:
    own = pods.security_group("pods")
    pods.close_egress(own)
    run_pod(pods, own)
    finding = only(timed_out(pods), "security_group_blocks_egress")
    assert finding.resource.id.endswith(own)
    pods.run(finding.remediation)
    assert causes(timed_out(pods)) == []


def test_the_clusters_closed_group_does_not_matter_to_a_pod_with_another(pods: NetworkEstate) -> None:
    pods.close_egress(pods.group)
    run_pod(pods, pods.security_group("open"))
    diagnosis = timed_out(pods)
    assert causes(diagnosis) == []
    assert "security_group_blocks_egress" in diagnosis.passed


def test_a_pod_with_the_clusters_group_is_blocked_by_it(pods: NetworkEstate) -> None:
    pods.close_egress(pods.group)
    run_pod(pods, pods.group)
    assert only(timed_out(pods), "security_group_blocks_egress").resource.id.endswith(pods.group)


def test_a_pod_is_found_although_several_profiles_may_have_started_it(pods: NetworkEstate) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{pods.name}-pods"
    pods.client("eks").create_fargate_profile(
        clusterName=pods.name,
        fargateProfileName="more",
        subnets=[pods.b],
        podExecutionRoleArn=role,
        selectors=[{"namespace": "more"}],
    )
    own = pods.security_group("pods")
    pods.close_egress(own)
    run_pod(pods, own)
    assert only(timed_out(pods), "security_group_blocks_egress").resource.id.endswith(own)


@pytest.mark.parametrize("closed", [True, False])
def test_a_pod_that_is_gone_leaves_its_groups_open(pods: NetworkEstate, *, closed: bool) -> None:
    if closed:
        pods.close_egress(pods.group)
    diagnosis = timed_out(pods)
    assert causes(diagnosis) == []
    assert "SecurityGroupPolicy" in opened(diagnosis)["security_group_blocks_egress"]
    assert "no_route_to_ecr" in diagnosis.passed


def test_an_interface_that_cannot_be_read_leaves_its_groups_open(pods: NetworkEstate) -> None:
    run_pod(pods, pods.group)
    diagnosis = timed_out(pods, denied=("ec2:DescribeNetworkInterfaces",))
    assert "ec2:DescribeNetworkInterfaces failed" in opened(diagnosis)["security_group_blocks_egress"]


def test_before_a_failure_the_clusters_group_passes_and_says_on_what_condition(pods: NetworkEstate) -> None:
    answer = pods.ask(fargate_profile="pods")
    assert answer.diagnosis.inconclusive == ()
    assert "security_group_blocks_egress" in answer.diagnosis.passed
    found = pull_path(answer.diagnosis.pull, answer.facts)
    assert isinstance(found, PullPath)
    ((_, path),) = found.paths
    assert "from a SecurityGroupPolicy" in " ".join(line for hop in path.legs[0].hops for line in hop.evidence)


def test_before_a_failure_the_clusters_group_alone_is_no_finding(pods: NetworkEstate) -> None:
    pods.close_egress(pods.group)
    diagnosis = pods.diagnose(fargate_profile="pods")
    assert causes(diagnosis) == []
    reason = opened(diagnosis)["security_group_blocks_egress"]
    assert pods.group in reason
    assert "SecurityGroupPolicy" in reason


def test_endpoints_that_let_the_clusters_group_in(estate: NetworkEstate) -> None:
    get_backend("eks")[ACCOUNT][REGION].clusters[estate.name].resources_vpc_config |= {
        "clusterSecurityGroupId": estate.group,
        "vpcId": estate.vpc,
    }
    estate.endpoints_only().fargate_profile("pods")
    assert "endpoint_security_group_blocks_ingress" in estate.diagnose(fargate_profile="pods").passed
    own = estate.security_group("pods")
    run_pod(estate, own)
    finding = only(timed_out(estate), "endpoint_security_group_blocks_ingress")
    assert own in " ".join(finding.remediation.commands[0])
    estate.run(finding.remediation)
    assert causes(timed_out(estate)) == []


@pytest.mark.parametrize(
    ("node", "address"),
    [
        (NODE, ADDRESS),
        ("fargate-ip-192-168-3-4.eu-west-1.compute.internal", "192.168.3.4"),
        ("fargate-ip-10-0-0-77", ADDRESS),
        ("fargate-ip-10-0-0-777.ec2.internal", None),
        ("ip-10-0-0-77.ec2.internal", None),
        ("fargate-10.0.0.77", None),
        (None, None),
    ],
)
def test_the_address_in_a_nodes_name(node: str | None, address: str | None) -> None:
    assert pod_address(node) == address
