"""An inspection of a cluster sees each kind of node that the terminal sees, and says what it could not see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.diagnosis import diagnose
from pull_responder.events.eks_change import Inspection
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.pulls.inspections import NodesQuestion, narrow_inspection, questions
from tests.integration.checks.registry_estate import amend
from tests.integration.network.estate import MAY_PULL, REGION, NetworkEstate, causes, opened
from tests.integration.network.test_other_nodes import LISTINGS, let_in, role, tagged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws

PATH = {"no_route_to_ecr", "security_group_blocks_egress", "network_acl_blocks_traffic"}


@pytest.fixture
def network(estate: NetworkEstate) -> NetworkEstate:
    return estate.behind_nat()


def whole(estate: NetworkEstate) -> Inspection:
    return Inspection(estate.account, REGION, estate.name)


def inspected(inspection: Inspection, aws: Aws) -> tuple[list[NodesQuestion], list[str]]:
    """The questions, and why there are not more."""
    found = list(questions(inspection, Reader(aws), known_principals=()))
    return [each for each in found if not isinstance(each, Unread)], [
        each.reason for each in found if isinstance(each, Unread)
    ]


def by_nodes(asked: Sequence[NodesQuestion]) -> dict[str, NodesQuestion]:
    """The first question about each kind of nodes."""
    kinds: dict[str, NodesQuestion] = {}
    for each in asked:
        kinds.setdefault(each.facts.asked.name if each.facts.asked else "", each)
    return kinds


def answers(estate: NetworkEstate) -> dict[str, Diagnosis]:
    asked, unread = inspected(whole(estate), estate.aws())
    assert unread == []
    return {name: diagnose(each.pull, each.facts) for name, each in by_nodes(asked).items()}


def karpenter(estate: NetworkEstate, profile: str = "") -> str:
    tags = {f"kubernetes.io/cluster/{estate.name}": "owned", "karpenter.sh/nodepool": "spot"}
    return tagged(estate, tags, profile=profile)


def with_profile(estate: NetworkEstate, name: str, *, may_pull: bool) -> str:
    made = role(estate, name, "ec2", may_pull=may_pull)
    iam = estate.client("iam")
    iam.create_instance_profile(InstanceProfileName=f"{estate.name}-{name}")
    iam.add_role_to_instance_profile(InstanceProfileName=f"{estate.name}-{name}", RoleName=f"{estate.name}-{name}")
    return made


def auto_mode(estate: NetworkEstate, role_arn: str) -> Aws:
    """AWS, where the cluster runs in EKS Auto Mode with this role: the emulator does not keep that."""
    aws = estate.aws()
    compute = {"enabled": True, "nodeRoleArn": role_arn}
    amend(aws, "eks", "DescribeCluster", lambda answer: answer["cluster"].update(computeConfig=compute))
    return aws


def test_an_inspection_asks_about_the_nodes_that_the_terminal_asks_about(network: NetworkEstate) -> None:
    network.node_group("workers")
    network.fargate_profile("pods")
    network.node()
    karpenter(network)
    for name, kind in (("hybrid", "HYBRID_LINUX"), ("hyperpod", "HYPERPOD_LINUX"), ("pool", "EC2_LINUX")):
        let_in(network, role(network, name, "ec2"), kind)
    let_in(network, role(network, "people", "ec2"), "STANDARD")
    image = parse_image(network.image)
    assert image is not None
    terminal = [answer.nodes.name for answer in ask(Reader(network.aws()), image, Chosen(network.name), ())]
    asked, unread = inspected(whole(network), network.aws())
    assert list(by_nodes(asked)) == terminal
    assert len(terminal) == 7
    assert unread == []


def test_the_questions_are_the_same_each_time(network: NetworkEstate) -> None:
    network.node_group("workers")
    for _ in range(3):
        karpenter(network)
    let_in(network, role(network, "hybrid", "ssm"), "HYBRID_LINUX")
    once, again = (inspected(whole(network), network.aws())[0] for _ in range(2))
    assert [(each.pull, each.facts.asked) for each in once] == [(each.pull, each.facts.asked) for each in again]


def test_a_role_of_karpenters_nodes_that_may_not_pull_is_found(network: NetworkEstate) -> None:
    lacking = with_profile(network, "karpenter", may_pull=False)
    node = karpenter(network, f"{network.name}-karpenter")
    (diagnosis,) = answers(network).values()
    assert causes(diagnosis) == ["role_lacks_pull_permissions"]
    assert diagnosis.findings[0].resource.id == lacking
    assert diagnosis.pull.node == node
    policy = json.dumps(MAY_PULL)
    network.client("iam").put_role_policy(RoleName=lacking.rpartition("/")[2], PolicyName="pull", PolicyDocument=policy)
    (diagnosis,) = answers(network).values()
    assert causes(diagnosis) == []


def test_a_self_managed_node_without_a_way_or_a_profile_is_found(network: NetworkEstate) -> None:
    network.unroute(network.table_a)
    node = network.node(profile=False)
    (diagnosis,) = answers(network).values()
    assert sorted(causes(diagnosis)) == ["instance_profile_missing", "no_route_to_ecr"]
    by_cause = {finding.cause: finding.resource.id for finding in diagnosis.findings}
    assert by_cause["instance_profile_missing"].endswith(node)
    assert by_cause["no_route_to_ecr"].endswith(network.a)


def test_the_role_of_auto_modes_nodes_is_asked_about_while_none_runs(network: NetworkEstate) -> None:
    lacking = role(network, "auto", "ec2", may_pull=False)
    (question,), unread = inspected(whole(network), auto_mode(network, lacking))
    assert unread == []
    diagnosis = diagnose(question.pull, question.facts)
    assert causes(diagnosis) == ["role_lacks_pull_permissions"]
    assert diagnosis.findings[0].resource.id == lacking


def test_of_hybrid_nodes_authorization_is_decided_and_their_way_is_not(network: NetworkEstate) -> None:
    lacking = role(network, "hybrid", "ssm", may_pull=False)
    let_in(network, lacking, "HYBRID_LINUX")
    (diagnosis,) = answers(network).values()
    assert causes(diagnosis) == ["role_lacks_pull_permissions"]
    assert diagnosis.findings[0].resource.id == lacking
    assert all("hybrid nodes run outside AWS" in opened(diagnosis)[cause] for cause in PATH)


def test_nodes_of_every_kind_that_can_pull_are_not_reported(network: NetworkEstate) -> None:
    network.node()
    karpenter(network)
    let_in(network, role(network, "hybrid", "ssm"), "HYBRID_LINUX")
    let_in(network, role(network, "pool", "ec2"), "EC2_LINUX")
    # Neither pulls for a node: a person, and a role that is gone.
    let_in(network, role(network, "people", "ec2", may_pull=False), "STANDARD")
    let_in(network, f"arn:aws:iam::{network.account}:role/{network.name}-gone", "EC2_LINUX")
    found = answers(network)
    assert [causes(diagnosis) for diagnosis in found.values()] == [[]] * 4


@pytest.mark.parametrize("action", [*LISTINGS, "eks:DescribeAccessEntry", "eks:DescribeCluster"])
def test_what_cannot_be_listed_is_said_and_the_others_are_asked_about(network: NetworkEstate, action: str) -> None:
    network.node_group("workers")
    let_in(network, role(network, "pool", "ec2"), "EC2_LINUX")
    node = network.node()
    asked, unread = inspected(whole(network), network.aws(action))
    what = {
        **LISTINGS,
        "eks:DescribeAccessEntry": "nodes with the role",
        "eks:DescribeCluster": "nodes of EKS Auto Mode",
    }
    assert [each.startswith(what[action]) and f"{action} failed" in each for each in unread] == [True]
    named = " ".join(by_nodes(asked))
    assert ("node group workers" in named) is (action != "eks:ListNodegroups")
    assert (node in named) is (action != "ec2:DescribeInstances")


def test_the_clock_and_a_change_of_one_node_group_ask_about_no_other_nodes(network: NetworkEstate) -> None:
    network.node_group("others")
    network.node_group("workers")
    network.node()
    let_in(network, role(network, "pool", "ec2"), "EC2_LINUX")
    # What is not needed is not read: a refusal does not show.
    aws = network.aws("ec2:DescribeInstances", "eks:ListAccessEntries", "eks:DescribeAccessEntry", "iam:GetRole")
    group = f"node group workers of cluster {network.name}"
    health = Inspection(network.account, REGION, network.name, health_only=True)
    asked, unread = inspected(health, aws)
    assert (sorted(by_nodes(asked)), unread) == ([f"node group others of cluster {network.name}", group], [])
    asked, unread = inspected(Inspection(network.account, REGION, network.name, node_group="workers"), aws)
    assert (list(by_nodes(asked)), unread) == ([group], [])


def test_an_inspection_is_narrowed_to_what_names_its_nodes(network: NetworkEstate) -> None:
    network.node_group("workers")
    pods = network.fargate_profile("pods")
    lone = tagged(network, {f"kubernetes.io/cluster/{network.name}": "owned", "eks:nodegroup-name": "deleted"})
    hybrid = role(network, "hybrid", "ssm")
    let_in(network, hybrid, "HYBRID_LINUX")
    without = network.node(profile=False)
    asked, _ = inspected(whole(network), network.aws())
    about = {name: narrow_inspection(whole(network), each) for name, each in by_nodes(asked).items()}
    names = {name: (each.node_group, each.fargate_profile, each.role_arn) for name, each in about.items()}
    assert names == {
        f"node group workers of cluster {network.name}": ("workers", None, None),
        f"Fargate profile pods of cluster {network.name}": (None, "pods", None),
        f"nodes {lone} of cluster {network.name}": (None, None, network.role),
        f"nodes with the role {hybrid} of cluster {network.name} (HYBRID_LINUX access entry)": (None, None, hybrid),
        f"nodes {without} of cluster {network.name}": (None, None, None),
    }
    assert pods not in str(names)
    assert {each.cluster for each in about.values()} == {network.name}


def test_a_narrowed_inspection_asks_about_the_nodes_of_a_role_and_no_others(network: NetworkEstate) -> None:
    network.node_group("workers")
    mine = with_profile(network, "mine", may_pull=True)
    let_in(network, mine, "EC2_LINUX")
    other = role(network, "other", "ec2")
    let_in(network, other, "EC2_LINUX")
    network.node()
    about = Inspection(network.account, REGION, network.name, role_arn=mine)
    idle = f"nodes with the role {mine} of cluster {network.name} (EC2_LINUX access entry)"
    assert list(by_nodes(inspected(about, network.aws())[0])) == [idle]
    node = karpenter(network, f"{network.name}-mine")
    running = f"nodes {node} of cluster {network.name} (node pool spot)"
    assert list(by_nodes(inspected(about, network.aws("eks:ListAccessEntries"))[0])) == [running]
    network.ec2.terminate_instances(InstanceIds=[node])
    network.client("eks").delete_access_entry(clusterName=network.name, principalArn=mine)
    assert inspected(about, network.aws()) == ([], [])


@pytest.mark.parametrize(
    "action", ["ec2:DescribeInstances", "eks:DescribeAccessEntry", "eks:DescribeCluster", "iam:GetInstanceProfile"]
)
def test_a_narrowed_inspection_says_what_it_could_not_read(network: NetworkEstate, action: str) -> None:
    mine = with_profile(network, "mine", may_pull=True)
    let_in(network, mine, "EC2_LINUX")
    node = karpenter(network, f"{network.name}-mine")
    if action == "eks:DescribeAccessEntry":
        network.ec2.terminate_instances(InstanceIds=[node])
    about = Inspection(network.account, REGION, network.name, role_arn=mine)
    _, unread = inspected(about, network.aws(action))
    assert [f"{action} failed" in each for each in unread] == [True]


def test_a_cluster_that_is_gone_has_no_nodes(network: NetworkEstate) -> None:
    network.node()
    gone = Inspection(network.account, REGION, f"{network.name}-gone")
    tagged(network, {f"kubernetes.io/cluster/{network.name}-gone": "owned"})
    assert inspected(gone, network.aws()) == ([], [])
