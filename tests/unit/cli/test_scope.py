"""Which other workloads of a cluster use what is broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from pull_responder.cli.scope import Scope, Use, scope_of
from pull_responder.facts.ec2 import Instance
from pull_responder.findings.finding import Finding
from pull_responder.generate.notification_examples import ACCOUNT, REGION
from pull_responder.model.verdict import Resource
from tests.unit.publish.examples import FINDING, PULL, ROLE

HOST: Final = f"{PULL.registry_account}.dkr.ecr.{PULL.region}.amazonaws.com"
IMAGE: Final = f"{HOST}/{PULL.repository}:{PULL.tag or 'latest'}"
OTHER_TAG: Final = f"{HOST}/{PULL.repository}:other"
ELSEWHERE: Final = f"{HOST}/search/index:v1"
PUBLIC: Final = "public.ecr.aws/nginx/nginx:1.27"


def node(name: str, *, subnet: str, groups: tuple[str, ...] = ("sg-nodes",), profile: str = "workers") -> Instance:
    return Instance(
        f"i-{name}",
        "aws",
        ACCOUNT,
        REGION,
        "vpc-1",
        subnet,
        group_ids=groups,
        profile_arn=f"arn:aws:iam::{ACCOUNT}:instance-profile/{profile}",
    )


NODES: Final = {
    "a": node("a", subnet="subnet-1"),
    "b": node("b", subnet="subnet-1", groups=("sg-nodes", "sg-more"), profile="others"),
    "c": node("c", subnet="subnet-2"),
}
FAILING: Final = Use("shop", "Deployment api", (IMAGE,), "a")
PODS: Final = (
    FAILING,
    FAILING,
    Use("shop", "Deployment web", (OTHER_TAG, PUBLIC), "a"),
    Use("shop", "Deployment web", (OTHER_TAG, PUBLIC), "c"),
    Use("jobs", "CronJob night", (IMAGE,), "b"),
    Use("search", "StatefulSet index", (ELSEWHERE,), "c"),
    Use("edge", "DaemonSet proxy", (PUBLIC,), "a"),
    Use("own", "Deployment own", (ELSEWHERE,), "a", own_role=f"arn:aws:iam::{ACCOUNT}:role/own"),
    Use("new", "pod alone", (IMAGE,), None),
)
WEB, NIGHT, INDEX, OWN, ALONE = (
    "Deployment shop/web",
    "CronJob jobs/night",
    "StatefulSet search/index",
    "Deployment own/own",
    "pod new/alone",
)


def of(kind: str, resource: str) -> Finding:
    return replace(FINDING, resource=Resource(kind, resource, ACCOUNT))


def ec2(resource: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{resource}"


@pytest.mark.parametrize(
    ("kind", "resource", "expected"),
    [
        (
            "AwsEcrRepository",
            "arn:aws:ecr:repository",
            Scope(f"repository {PULL.repository}", (NIGHT, WEB, ALONE), 4),
        ),
        ("AwsEcrContainerImage", "arn:aws:ecr:image", Scope(f"image {PULL.image}", (NIGHT, ALONE), 2)),
        ("AwsIamRole", ROLE, Scope(f"role {ROLE.rpartition('/')[2]}", (WEB, INDEX), 3)),
        ("AwsEc2Instance", ec2("instance/i-a"), Scope("node i-a", (OWN, WEB), 2)),
        ("AwsEc2Subnet", ec2("subnet/subnet-1"), Scope("subnet subnet-1", (NIGHT, OWN, WEB), 3)),
        ("AwsEc2RouteTable", ec2("route-table/rtb-1"), Scope("subnet subnet-1", (NIGHT, OWN, WEB), 3)),
        (
            "AwsEc2SecurityGroup",
            ec2("security-group/sg-nodes"),
            Scope("security group sg-nodes", (NIGHT, OWN, INDEX, WEB), 5),
        ),
        ("AwsEc2SecurityGroup", ec2("security-group/sg-endpoint"), Scope("VPC vpc-1", (NIGHT, OWN, INDEX, WEB), 5)),
        ("Other", ec2("vpc-endpoint/vpce-1"), Scope("VPC vpc-1", (NIGHT, OWN, INDEX, WEB), 5)),
        ("Other", ec2("transit-gateway-route-table/tgw-rtb-1"), Scope("subnet subnet-1", (NIGHT, OWN, WEB), 3)),
        ("Other", ec2("transit-gateway-attachment/tgw-attach-1"), Scope("subnet subnet-1", (NIGHT, OWN, WEB), 3)),
        ("Other", ec2("vpc-peering-connection/pcx-1"), Scope("subnet subnet-1", (NIGHT, OWN, WEB), 3)),
        (
            "Other",
            f"arn:aws:network-firewall:{REGION}:{ACCOUNT}:stateful-rulegroup/list",
            Scope("subnet subnet-1", (NIGHT, OWN, WEB), 3),
        ),
        (
            "Other",
            f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:firewall-rule-group/rslvr-frg-1",
            Scope("VPC vpc-1", (NIGHT, OWN, INDEX, WEB), 5),
        ),
        ("AwsEc2Vpc", ec2("vpc/vpc-1"), Scope("VPC vpc-1", (NIGHT, OWN, INDEX, WEB), 5)),
    ],
)
def test_who_else_uses_it(kind: str, resource: str, expected: Scope) -> None:
    found = scope_of(of(kind, resource), FAILING, PODS, NODES)
    assert found == replace(expected, workloads=tuple(sorted(expected.workloads)))


def test_a_pod_s_own_role_is_used_by_the_pods_that_name_it() -> None:
    own = f"arn:aws:iam::{ACCOUNT}:role/own"
    failing = Use("own", "Deployment first", (IMAGE,), "a", own_role=own)
    assert scope_of(of("AwsIamRole", own), failing, PODS, NODES) == Scope("role own", (OWN,), 1)


def test_a_security_group_of_one_node_group_is_not_that_of_the_others() -> None:
    failing = replace(FAILING, node="b")
    found = scope_of(of("AwsEc2SecurityGroup", ec2("security-group/sg-more")), failing, PODS, NODES)
    assert found == Scope("security group sg-more", (NIGHT,), 1)


@pytest.mark.parametrize(
    ("kind", "resource", "node_name"),
    [
        ("AwsEc2Subnet", ec2("subnet/subnet-1"), None),
        ("AwsEc2Subnet", ec2("subnet/subnet-1"), "gone"),
        ("AwsIamRole", ROLE, None),
        ("AwsAccount", f"AWS::::Account:{ACCOUNT}", "a"),
        ("Other", f"arn:aws:organizations::{ACCOUNT}:policy/o-a1b2c3d4e5/service_control_policy/p-1", "a"),
    ],
)
def test_what_pods_and_nodes_do_not_tell_is_not_said(kind: str, resource: str, node_name: str | None) -> None:
    assert scope_of(of(kind, resource), replace(FAILING, node=node_name), PODS, NODES) is None


def test_nobody_else_is_said() -> None:
    assert scope_of(of("AwsEc2Instance", ec2("instance/i-a")), FAILING, [FAILING], NODES) == Scope("node i-a", (), 0)


def test_pods_that_run_are_at_risk_and_pods_that_wait_are_hit() -> None:
    pods = [FAILING, replace(PODS[2], waits=True), *PODS[3:6]]
    found = scope_of(of("AwsEc2SecurityGroup", ec2("security-group/sg-nodes")), FAILING, pods, NODES)
    assert found is not None
    assert (found.pods, found.waiting) == (4, 1)
    assert found.in_words() == (
        f"3 more workloads use security group sg-nodes: {NIGHT}, {WEB}, {INDEX}. 1 pod of theirs cannot pull an image "
        "now; 3 pods of theirs run, and are at risk when restarted."
    )


def test_more_than_three_workloads_are_counted() -> None:
    found = Scope("node i-a", ("Job a/1", "Job a/2", "Job a/3", "Job a/4", "Job a/5"), 5)
    assert found.in_words().startswith(
        "5 more workloads use node i-a: Job a/1, Job a/2, Job a/3 and 2 more. 5 pods of "
    )


def test_what_was_not_read_is_a_doubt() -> None:
    pods = [FAILING, replace(PODS[2], is_role_known=False), replace(PODS[3], node="unknown")]
    subnet = scope_of(of("AwsEc2Subnet", ec2("subnet/subnet-1")), FAILING, pods, NODES)
    role = scope_of(of("AwsIamRole", ROLE), FAILING, pods, NODES)
    image = scope_of(of("AwsEcrRepository", "arn:aws:ecr:repository"), FAILING, pods, NODES)
    assert subnet is not None
    assert role is not None
    assert image is not None
    assert subnet.doubt == "EC2 did not show 1 node of other pods"
    assert subnet.in_words().endswith(" Not certain: EC2 did not show 1 node of other pods.")
    assert role.doubt.endswith(
        "service accounts of other pods were not read, which may name roles of their own for pulls"
    )
    assert image.doubt == ""
