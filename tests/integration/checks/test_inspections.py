"""What is asked about before a pod fails: the add-on images, and which of the account's own repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pull_responder.checks import node_group_unhealthy
from pull_responder.diagnosis import diagnose
from pull_responder.events.eks_change import Inspection
from pull_responder.facts.reader import Reader
from pull_responder.pulls.inspections import NodesQuestion, questions
from tests.integration.checks.estate import ALLOW_TOKEN, PULL, PULL_ONLY, REGION, allow, grant, refuse
from tests.integration.checks.registry_estate import amend, missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.model.arn import Arn
    from tests.integration.checks.estate import Estate

ADDONS: Final = f"arn:aws:ecr:{REGION}:602401143452:repository/*"
# The emulated subnets lead nowhere, which is another cause.
AUTHORIZATION: Final = frozenset({"role_lacks_pull_permissions", "repository_policy_denies_pull"})


def node_group(estate: Estate, *inline: dict[str, object], attach: Sequence[str] = ()) -> Arn:
    """Cluster prod, whose node group workers has a role with these policies."""
    role = estate.role(*inline, attach=attach)
    place = {"clusterName": "prod", "nodegroupName": "workers", "subnets": ["subnet-1"]}
    estate.cluster().create_nodegroup(**place, nodeRole=str(role))
    return role


def fargate_profile(estate: Estate, namespace: str, *inline: dict[str, object]) -> Arn:
    """Cluster prod, whose Fargate profile pods takes the pods of a namespace."""
    role = estate.role(*inline, name="pods", trusted=("eks-fargate-pods",))
    estate.cluster().create_fargate_profile(
        clusterName="prod",
        fargateProfileName="pods",
        subnets=["subnet-1"],
        podExecutionRoleArn=str(role),
        selectors=[{"namespace": namespace}],
    )
    return role


def asked(estate: Estate, *unreadable: str, health_only: bool = False) -> list[NodesQuestion]:
    inspection = Inspection(estate.account, REGION, "prod", health_only=health_only)
    found = list(questions(inspection, Reader(estate.connect(*unreadable)), known_principals=()))
    assert all(isinstance(each, NodesQuestion) for each in found)
    return [each for each in found if isinstance(each, NodesQuestion)]


def auto_mode(estate: Estate, role_arn: str, inspection: Inspection) -> list[NodesQuestion]:
    """The questions about cluster prod, which runs in EKS Auto Mode with this role: the emulator does not keep that."""
    reader = Reader(estate.connect())
    compute = {"enabled": True, "nodeRoleArn": role_arn}
    amend(reader.aws, "eks", "DescribeCluster", lambda answer: answer["cluster"].update(computeConfig=compute))
    found = list(questions(inspection, reader, known_principals=()))
    assert all(isinstance(each, NodesQuestion) for each in found)
    return [each for each in found if isinstance(each, NodesQuestion)]


def repositories(estate: Estate, *unreadable: str) -> list[str | None]:
    return [each.pull.repository for each in asked(estate, *unreadable)]


def findings(estate: Estate) -> list[Finding]:
    diagnoses = [diagnose(each.pull, each.facts) for each in asked(estate)]
    return [finding for each in diagnoses for finding in each.findings if finding.cause in AUTHORIZATION]


def test_nodes_are_asked_about_an_add_on_and_about_an_image_of_their_own_account(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    estate.repository(name="team/app")
    addon, own = asked(estate)
    assert (addon.pull.registry_account, addon.pull.repository) == ("602401143452", "eks/kube-proxy")
    assert (own.pull.registry_account, own.pull.repository) == (estate.account, "team/app")
    assert (own.pull.tag, own.pull.digest) == (None, None)
    assert addon.not_asked == own.not_asked == ""
    assert findings(estate) == []


def test_a_role_that_can_pull_add_ons_alone_is_found_before_a_pod_fails(estate: Estate) -> None:
    role = node_group(estate, ALLOW_TOKEN, allow(*PULL, on=ADDONS))
    repository = estate.repository()
    (finding,) = findings(estate)
    assert (finding.cause, finding.resource.id) == ("role_lacks_pull_permissions", str(role))
    assert str(repository) in " ".join(finding.evidence)
    assert finding.cluster == "prod"
    estate.run(finding.remediation)
    assert findings(estate) == []


def test_a_role_that_is_kept_to_some_repositories_is_not_reported(estate: Estate) -> None:
    mine = estate.repository(name="mine/app")
    estate.repository(name="theirs/app")
    node_group(estate, ALLOW_TOKEN, allow(*PULL, on=[ADDONS, str(mine)]))
    addon, own = asked(estate)
    assert own.pull.repository == "mine/app"
    assert addon.not_asked == (
        "Repositories of the account that were not checked: 1 that the policies do not let the role pull, maybe on "
        "purpose (theirs/app)."
    )
    assert findings(estate) == []


@pytest.mark.parametrize("on", [f"arn:aws:ecr:{REGION}:222222222222:repository/*", "arn:aws:ecr:*:222222222222:*"])
def test_a_role_that_is_meant_for_another_accounts_registry_is_not_reported(estate: Estate, on: str) -> None:
    estate.repository(name="team/app")
    node_group(estate, ALLOW_TOKEN, allow(*PULL, on=[ADDONS, on]))
    (addon,) = asked(estate)
    assert addon.pull.repository == "eks/kube-proxy"
    assert "1 that the policies do not let the role pull, maybe on purpose (team/app)" in addon.not_asked
    assert findings(estate) == []


def test_a_role_that_is_kept_from_each_repository_of_its_account_is_not_reported(estate: Estate) -> None:
    role = node_group(estate, attach=[PULL_ONLY])
    estate.repository(refuse(str(role)), name="team/app")
    assert repositories(estate) == ["eks/kube-proxy"]
    assert findings(estate) == []


def test_repositories_that_are_not_examined_may_be_those_that_a_role_is_meant_for(estate: Estate) -> None:
    for number in range(12):
        estate.repository(name=f"{number:02}/app")
    mine = estate.repository(name="z/app")
    node_group(estate, ALLOW_TOKEN, allow(*PULL, on=[ADDONS, str(mine)]))
    assert findings(estate) == []


def test_a_role_that_may_take_manifests_and_no_layers_is_meant_for_nothing_else(estate: Estate) -> None:
    mine = estate.repository(name="team/app")
    role = node_group(estate, ALLOW_TOKEN, allow(*PULL, on=ADDONS), allow(PULL[1], on=str(mine)))
    (finding,) = findings(estate)
    assert (finding.cause, finding.resource.id) == ("role_lacks_pull_permissions", str(role))


def test_one_repository_is_asked_about_for_each_way_in_which_the_policies_decide(estate: Estate) -> None:
    role = node_group(estate, ALLOW_TOKEN)
    for name in ("a/one", "a/two"):
        estate.repository(name=name)
    for name in ("b/one", "b/two"):
        estate.repository(refuse(str(role)), name=name)
    assert repositories(estate)[1:] == ["a/one", "b/one"]
    denied = [each for each in findings(estate) if each.cause == "repository_policy_denies_pull"]
    assert [each.resource.id.partition(":repository/")[2] for each in denied] == ["b/one"]


def test_a_repository_policy_may_allow_what_the_role_does_not(estate: Estate) -> None:
    role = node_group(estate, ALLOW_TOKEN, allow(*PULL, on=ADDONS))
    estate.repository(grant(str(role)), name="team/app")
    assert findings(estate) == []


def test_caches_are_left_out_and_no_manifest_is_read(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    estate.cache("quay")
    estate.repository(name="quay/team/app")
    estate.repository(name="team/app")
    calls: list[str] = []
    reader = Reader(estate.connect())
    amend(reader.aws, "ecr", "BatchGetImage", lambda _: calls.append("BatchGetImage"))
    found = [
        each
        for each in questions(Inspection(estate.account, REGION, "prod"), reader, known_principals=())
        if isinstance(each, NodesQuestion)
    ]
    for each in found:
        diagnose(each.pull, each.facts)
    assert [each.pull.repository for each in found] == ["eks/kube-proxy", "team/app"]
    assert found[0].not_asked == "Repositories of the account that were not checked: 1 of pull through caches."
    assert calls == []


def test_the_number_of_repositories_is_bounded_and_they_are_of_all_namespaces(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    ecr = estate.client("ecr")
    for number in range(15):
        ecr.create_repository(repositoryName=f"a/{number:02}")
    ecr.create_repository(repositoryName="z/app")
    addon, own = asked(estate)
    assert own.pull.repository == "a/00"
    assert addon.not_asked == "Repositories of the account that were not checked: 4 beyond the first 12."
    estate.set_policy(missing(estate, "z/app"), refuse("*"))
    assert "(z/app)" in asked(estate)[0].not_asked  # it is among those that are looked at


@pytest.mark.parametrize("action", ["ecr:DescribeRepositories", "ecr:DescribePullThroughCacheRules"])
def test_what_cannot_be_listed_is_said_and_the_add_on_is_asked_about(estate: Estate, action: str) -> None:
    node_group(estate, attach=[PULL_ONLY])
    estate.repository()
    (addon,) = asked(estate, action)
    assert addon.pull.repository == "eks/kube-proxy"
    assert f"No repository of account {estate.account} was checked" in addon.not_asked
    assert action in addon.not_asked


def test_fargate_pods_are_asked_about_their_own_images(estate: Estate) -> None:
    role = fargate_profile(estate, "shop", ALLOW_TOKEN)
    estate.repository(name="team/app")
    assert repositories(estate) == ["team/app"]
    (finding,) = findings(estate)
    assert (finding.cause, finding.resource.id) == ("role_lacks_pull_permissions", str(role))


@pytest.mark.parametrize("namespace", ["kube-system", "*", "kube-*"])
def test_fargate_pods_of_kube_system_pull_coredns(estate: Estate, namespace: str) -> None:
    fargate_profile(estate, namespace, ALLOW_TOKEN, allow(*PULL))
    (addon,) = asked(estate)
    assert (addon.pull.registry_account, addon.pull.repository) == ("602401143452", "eks/coredns")


def test_nodes_of_auto_mode_are_asked_about_by_their_role_after_a_change_of_their_cluster(estate: Estate) -> None:
    role = estate.role(name="auto")
    estate.cluster()
    found = auto_mode(estate, str(role), Inspection(estate.account, REGION, "prod"))
    (finding,) = [each for question in found for each in diagnose(question.pull, question.facts).findings]
    assert (finding.cause, finding.resource.id) == ("role_lacks_pull_permissions", str(role))
    for inspection in (
        Inspection(estate.account, REGION, "prod", health_only=True),
        Inspection(estate.account, REGION, "prod", node_group="gone"),
    ):
        assert auto_mode(estate, str(role), inspection) == []


def test_without_an_image_a_token_and_the_way_are_asked_about(estate: Estate) -> None:
    fargate_profile(estate, "shop", allow(*PULL))
    (question,) = asked(estate)
    assert (question.pull.registry_account, question.pull.repository) == (estate.account, None)


def test_the_clock_asks_for_health_alone_and_once(estate: Estate) -> None:
    node_group(estate, attach=[PULL_ONLY])
    estate.repository()
    (question,) = asked(estate, health_only=True)
    diagnosis = diagnose(question.pull, question.facts, checks=(node_group_unhealthy.CHECK,))
    assert diagnosis.passed == ("node_group_unhealthy",)
    assert question.not_asked == ""
