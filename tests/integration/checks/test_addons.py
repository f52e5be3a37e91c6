"""What an add-on's event asks: its image, of the nodes that run it, unless EKS names another reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.events.eks_change import Inspection
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.pulls.addons import event_questions
from pull_responder.pulls.inspections import NodesQuestion, questions
from tests.integration.checks.estate import PULL_ONLY, REGION
from tests.integration.checks.registry_estate import amend
from tests.integration.checks.test_inspections import fargate_profile, node_group

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

AWS = "602401143452"
# EKS's codes (Amazon EKS API Reference, "AddonIssue").
OTHERS = (
    *("ConfigurationConflict", "AdmissionRequestDenied", "UnsupportedAddonModification", "K8sResourceNotFound"),
    *("AddonSubscriptionNeeded", "AddonPermissionFailure", "ClusterUnreachable"),
)


def asked(
    estate: Estate,
    addon: str = "coredns",
    *unreadable: str,
    says: dict[str, Any] | None = None,
    make: bool = True,
) -> list[object]:
    """What the event asks: repositories, and words. `says` is what EKS says of the add-on beside its name."""
    if make:
        estate.client("eks").create_addon(clusterName="prod", addonName=addon)
    reader = Reader(estate.connect(*unreadable))
    if says:
        amend(reader.aws, "eks", "DescribeAddon", lambda answer: answer.get("addon", {}).update(says))
    inspection = Inspection(estate.account, REGION, "prod", addons=(addon,), only_addons=True)
    found = event_questions(inspection, reader, known_principals=())
    return [
        (each.pull.registry_account, each.pull.repository) if isinstance(each, NodesQuestion) else each
        for each in found
    ]


def issues(*codes: str) -> dict[str, Any]:
    reported = [{"code": code, "message": "words", "resourceIds": None} for code in codes]
    return {"status": "DEGRADED", "health": {"issues": reported}}


@pytest.mark.parametrize(
    ("addon", "repository"),
    [
        ("coredns", "eks/coredns"),
        ("kube-proxy", "eks/kube-proxy"),
        ("vpc-cni", "amazon-k8s-cni"),
        # In the registry of EKS, under a name that is not known.
        ("amazon-cloudwatch-observability", None),
    ],
)
def test_the_image_is_the_add_ons_in_the_registry_of_the_region(
    estate: Estate, addon: str, repository: str | None
) -> None:
    node_group(estate, attach=[PULL_ONLY])
    estate.repository(name="team/app")
    assert asked(estate, addon) == [(AWS, repository)]


@pytest.mark.parametrize("says", [
    issues("InsufficientNumberOfReplicas"), issues("AccessDenied"), issues("InternalFailure"), issues("ANewCode"),
    issues("ConfigurationConflict", "InsufficientNumberOfReplicas"), {"health": {}}, {"health": {"issues": None}},
])  # fmt: skip
def test_what_pods_that_cannot_pull_cause_is_asked_about(estate: Estate, says: dict[str, Any]) -> None:
    node_group(estate, attach=[PULL_ONLY])
    assert asked(estate, says=says) == [(AWS, "eks/coredns")]


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_not_about_pulls_is_skipped_with_a_word(estate: Estate, code: str) -> None:
    node_group(estate, attach=[PULL_ONLY])
    word = f"add-on coredns of cluster prod: EKS reports {code}, which is not about pulling its images"
    assert asked(estate, says=issues(code)) == [Skipped(word)]


def test_health_that_cannot_be_read_is_said_and_the_nodes_are_asked_about(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    word, question = asked(estate, "coredns", "eks:DescribeAddon")
    assert isinstance(word, Unread)
    assert word.reason.startswith("the health of add-on coredns of cluster prod could not be read: eks:DescribeAddon")
    assert question == (AWS, "eks/coredns")


def test_an_unknown_add_on_that_cannot_be_read_is_not_asked_about(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    (word,) = asked(estate, "vendor_agent", "eks:DescribeAddon")
    assert isinstance(word, Unread)


def test_an_add_on_of_the_marketplace_has_another_registry(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    (word,) = asked(estate, "vendor_agent", says={"owner": "aws-marketplace", "publisher": "vendor"})
    assert word == Unread(
        "the registry of add-on vendor_agent of cluster prod is not known: it belongs to aws-marketplace"
    )


def test_an_add_on_that_is_gone_is_skipped_unless_every_cluster_has_it(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    gone = Skipped("add-on eks-pod-identity-agent of cluster prod does not exist any more")
    assert asked(estate, "eks-pod-identity-agent", make=False) == [gone]
    assert asked(estate, "vpc-cni", make=False) == [(AWS, "amazon-k8s-cni")]


@pytest.mark.parametrize(
    ("addon", "namespace", "found"),
    [
        ("coredns", "kube-system", [(AWS, "eks/coredns")]),
        ("coredns", "shop", []),
        ("kube-proxy", "kube-system", []),
        ("aws-ebs-csi-driver", "kube-*", [(AWS, "eks/aws-ebs-csi-driver")]),
    ],
)
def test_fargate_is_asked_about_what_can_run_there(
    estate: Estate, addon: str, namespace: str, found: list[object]
) -> None:
    fargate_profile(estate, namespace)
    assert asked(estate, addon) == found


def running_node(estate: Estate) -> None:
    """A node of cluster prod and of no node group."""
    estate.cluster()
    tags = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    estate.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )


def test_nodes_of_no_node_group_run_add_ons_too_unless_eks_auto_mode_brings_them(estate: Estate) -> None:
    running_node(estate)
    inspection = Inspection(estate.account, REGION, "prod", addons=("kube-proxy",), only_addons=True)

    def repositories(**cluster: Any) -> list[object]:  # noqa: ANN401 -- JSON
        reader = Reader(estate.connect())
        amend(reader.aws, "eks", "DescribeCluster", lambda answer: answer["cluster"].update(cluster))
        found = event_questions(inspection, reader, known_principals=())
        return [each.pull.repository for each in found if isinstance(each, NodesQuestion) and each.facts.asked]

    assert repositories() == ["eks/kube-proxy"]
    auto = {"enabled": True, "nodeRoleArn": f"arn:aws:iam::{estate.account}:role/auto"}
    assert repositories(computeConfig=auto) == []


def test_where_it_could_not_be_read_whether_an_add_on_runs_that_is_said(estate: Estate) -> None:
    """A look at the nodes of one role alone does not list the cluster."""
    running_node(estate)
    role = estate.role(attach=[PULL_ONLY])
    inspection = Inspection(
        estate.account, REGION, "prod", role_arn=str(role), addons=("kube-proxy",), only_addons=True
    )
    found = list(questions(inspection, Reader(estate.connect("eks:DescribeCluster")), known_principals=()))
    assert [each for each in found if isinstance(each, Unread)]


def test_one_add_on_that_is_not_asked_about_hides_no_other(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    inspection = Inspection(
        estate.account, REGION, "prod", addons=("eks-pod-identity-agent", "vpc-cni"), only_addons=True
    )
    word, question = event_questions(inspection, Reader(estate.connect()), known_principals=())
    assert isinstance(word, Skipped)
    assert isinstance(question, NodesQuestion)
    assert question.pull.repository == "amazon-k8s-cni"
