"""Who is an unexpected principal, and who is not: rule 4 of the rules of reporting, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.diagnosis import diagnose
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PrincipalKind
from pull_responder.model.verdict import Severity
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import (
    CLUSTER_TAG,
    GONE_INSTANCE,
    MANIFEST,
    NO_REASON,
    because_no,
    only,
    opened,
)

if TYPE_CHECKING:
    from botocore.model import OperationModel

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws
    from pull_responder.model.pull import PullFailure
    from tests.integration.checks.estate import Estate

CAUSE = "unexpected_principal_denied"
LACKS = "role_lacks_pull_permissions"
BLAMED = because_no("identity-based policy")
# All that says whether a role is a node's: its instances, and what clusters say.
STEPS = ("ec2:DescribeInstances", "eks:ListClusters")
OTHER_PRINCIPALS = {
    "user": ("arn:aws:iam::ACCOUNT:user/people/ann", "AwsIamUser"),
    "root": ("arn:aws:iam::ACCOUNT:root", "Other"),
    "federated user": ("arn:aws:sts::ACCOUNT:federated-user/bob", "Other"),
}


@pytest.mark.parametrize(("principal", "type_"), OTHER_PRINCIPALS.values(), ids=OTHER_PRINCIPALS)
def test_principals_that_are_no_role(estate: Estate, principal: str, type_: str) -> None:
    arn, repository = principal.replace("ACCOUNT", estate.account), estate.repository()
    pull = estate.event(arn, repository, BLAMED)
    assert pull.denial

    diagnosis = estate.diagnose(pull, unreadable=["*"])
    finding = only(diagnosis, CAUSE)

    assert (finding.resource.type, finding.resource.id) == (type_, arn)
    assert finding.severity is Severity.INFORMATIONAL
    assert all(text in finding.explanation for text in (arn, MANIFEST, str(repository), "nodes pull with a role"))
    assert finding.evidence[0] == f"AWS said: {pull.denial.message}"
    assert finding.remediation.commands == ()
    assert "before granting" in finding.remediation.summary
    assert diagnosis.passed == ()
    assert diagnosis.unchecked == ()


@pytest.mark.cause(CAUSE, "fails")
def test_a_build_role(estate: Estate) -> None:
    role, repository = estate.role(name="build", trusted=("codebuild",)), estate.repository()
    finding = only(estate.diagnose(estate.denied(role, repository, BLAMED, session="AWSCodeBuild-1")), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("AwsIamRole", str(role))
    assert "trust policy names no service that runs nodes" in finding.explanation
    assert finding.remediation.summary.endswith("list its ARN in the setting knownPrincipals.")
    assert finding.cluster is None


@pytest.mark.parametrize("tags", [{}, {"Name": "kubernetes.io/cluster/prod"}], ids=["untagged", "another tag"])
def test_an_instance_of_no_cluster(estate: Estate, tags: dict[str, str]) -> None:
    role, repository = estate.role(), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session=estate.instance(tags)))
    assert (
        "no node group, Fargate profile or access entry in this region uses its role"
        in only(diagnosis, CAUSE).explanation
    )


@pytest.mark.cause(CAUSE, "near_miss")
@pytest.mark.parametrize(
    "known",
    [
        "arn:aws:iam::ACCOUNT:role/nodes/build",
        "arn:aws:iam::*:role/nodes/b*",
        "arn:aws:sts::ACCOUNT:assumed-role/build/*",
    ],
)
def test_principals_that_are_known_to_pull_elsewhere(estate: Estate, known: str) -> None:
    role, repository = estate.role(name="build", trusted=("codebuild",)), estate.repository()
    pull = estate.denied(role, repository, BLAMED, session="AWSCodeBuild-1")
    diagnosis = estate.diagnose(pull, known_principals=[known.replace("ACCOUNT", estate.account)])
    assert (diagnosis.findings, diagnosis.inconclusive, diagnosis.unchecked) == ((), (), ())


@pytest.mark.parametrize(
    "known",
    [
        "arn:aws:iam::ACCOUNT:role/nodes/buil",
        "arn:aws:iam::ACCOUNT:role/nodes/[a-z]*",
        "arn:aws:iam::ACCOUNT:role/nodes/buil?",
        "build",
    ],
)
def test_principals_that_are_nearly_known(estate: Estate, known: str) -> None:
    role, repository = estate.role(name="build", trusted=("codebuild",)), estate.repository()
    pull = estate.denied(role, repository, BLAMED, session="AWSCodeBuild-1")
    only(estate.diagnose(pull, known_principals=[known.replace("ACCOUNT", estate.account)]), CAUSE)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("nodes/build", "listed"), ("nodes/*", "open"), ("ecs/*", "open"), ("ecs/task-*", "reported")],
)
def test_a_role_whose_path_cannot_be_read(estate: Estate, path: str, expected: str) -> None:
    role, repository = estate.role(name="build", trusted=("codebuild",)), estate.repository()
    pull = estate.denied(role, repository, BLAMED, session="AWSCodeBuild-1")
    assert pull.principal
    pull = replace(pull, principal=replace(pull.principal, role_arn=None))
    listed = f"arn:aws:iam::{estate.account}:role/{path}"
    diagnosis = estate.diagnose(pull, unreadable=["iam:GetRole"], known_principals=[listed])
    if expected == "reported":
        only(diagnosis, CAUSE)
        return
    assert diagnosis.findings == ()
    if expected == "listed":
        assert diagnosis.inconclusive == ()
    else:
        assert f"the path of the role build could not be read, and {listed}" in opened(diagnosis)[CAUSE]


def test_a_node_is_a_node_even_if_it_is_listed(estate: Estate) -> None:
    role, repository = estate.role(), estate.repository()
    only(estate.diagnose(estate.denied(role, repository, BLAMED), known_principals=[str(role)]), LACKS)


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.parametrize(
    ("tags", "cluster"),
    [
        (CLUSTER_TAG, "prod"),
        ({"kubernetes.io/cluster/dev": "shared"}, "dev"),
        ({"eks:cluster-name": "managed", "eks:nodegroup-name": "ng"}, "managed"),
        ({"eks:eks-cluster-name": "auto"}, "auto"),
    ],
    ids=["self-managed", "shared", "managed", "Auto Mode"],
)
def test_a_node_by_the_tag_of_its_instance(estate: Estate, tags: dict[str, str], cluster: str) -> None:
    role, repository = estate.role(), estate.repository()
    pull = estate.denied(role, repository, BLAMED, session=estate.instance(tags))
    finding = only(estate.diagnose(pull, unreadable=["eks:*"]), LACKS)
    assert finding.cluster == cluster


def test_a_node_by_its_node_group(estate: Estate) -> None:
    role, repository, eks = estate.role(), estate.repository(), estate.cluster()
    eks.create_nodegroup(clusterName="prod", nodegroupName="ng", nodeRole=str(role), subnets=["subnet-1"])
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session=GONE_INSTANCE))
    only(diagnosis, LACKS)
    assert diagnosis.puller.because == "its role is that of node group ng in cluster prod"
    assert (diagnosis.cluster, diagnosis.puller.node_group) == ("prod", "ng")


def test_a_pod_by_its_fargate_profile(estate: Estate) -> None:
    role, repository, eks = estate.role(trusted=("eks-fargate-pods",)), estate.repository(), estate.cluster()
    eks.create_fargate_profile(
        fargateProfileName="fp", clusterName="prod", podExecutionRoleArn=str(role), subnets=["subnet-1"], selectors=[]
    )
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session="f1e2d3"))
    only(diagnosis, LACKS)
    assert diagnosis.puller.because == "its role is that of Fargate profile fp in cluster prod"


def test_a_node_by_its_access_entry(estate: Estate) -> None:
    role, repository, eks = estate.role(), estate.repository(), estate.cluster()
    eks.create_access_entry(clusterName="prod", principalArn=str(role), type="EC2_LINUX")
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session=GONE_INSTANCE))
    only(diagnosis, LACKS)
    assert diagnosis.puller.because == "an access entry of type EC2_LINUX in cluster prod names its role"


def test_an_access_entry_for_people_makes_no_node(estate: Estate) -> None:
    role, repository, eks = estate.role(), estate.repository(), estate.cluster()
    eks.create_access_entry(clusterName="prod", principalArn=str(role), type="STANDARD")
    only(estate.diagnose(estate.denied(role, repository, BLAMED, session=estate.instance({}))), CAUSE)


def test_the_role_of_a_namesake_in_another_account_makes_no_node(estate: Estate) -> None:
    role, repository, eks = estate.role(), estate.repository(), estate.cluster()
    namesake = f"arn:aws:iam::{estate.other}:role/node"
    eks.create_access_entry(clusterName="prod", principalArn=namesake, type="EC2_LINUX")
    only(estate.diagnose(estate.denied(role, repository, BLAMED, session=estate.instance({}))), CAUSE)


def _undecided(diagnosis: Diagnosis, why: str) -> None:
    reasons = opened(diagnosis)
    assert CAUSE in reasons
    assert LACKS in reasons
    assert all(why in reason for reason in reasons.values())
    assert diagnosis.passed == ()


def test_an_instance_that_is_gone_tells_nothing(estate: Estate) -> None:
    role, repository = estate.role(), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session=GONE_INSTANCE))
    _undecided(diagnosis, f"instance {GONE_INSTANCE} is gone or in another region")


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize(
    ("call", "session"),
    [
        ("ec2:DescribeInstances", GONE_INSTANCE),
        ("eks:ListNodegroups", "UNTAGGED"),
        ("eks:ListAccessEntries", "UNTAGGED"),
    ],
)
def test_a_step_that_cannot_be_read_leaves_it_open(estate: Estate, call: str, session: str) -> None:
    role, repository = estate.role(), estate.repository()
    estate.cluster()
    pull = estate.denied(role, repository, BLAMED, session=session.replace("UNTAGGED", estate.instance({})))
    _undecided(estate.diagnose(pull, unreadable=[call]), call)


def test_where_no_step_can_be_read_an_ec2_session_is_a_node(estate: Estate) -> None:
    role, repository = estate.role(), estate.repository()
    pull = estate.denied(role, repository, BLAMED, session=GONE_INSTANCE)
    diagnosis = estate.diagnose(pull, unreadable=STEPS)
    only(diagnosis, LACKS)
    assert diagnosis.puller.because == f"its session is EC2 instance {GONE_INSTANCE}"
    only(estate.diagnose(pull, unreadable=[*STEPS, "iam:GetRole"]), LACKS)


def test_where_no_step_can_be_read_a_pod_execution_role_is_a_node(estate: Estate) -> None:
    role, repository = estate.role(trusted=("eks-fargate-pods",)), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session="f1e2d3"), unreadable=STEPS)
    only(diagnosis, LACKS)
    assert diagnosis.puller.because == "its trust policy names eks-fargate-pods.amazonaws.com"


def test_where_no_step_can_be_read_the_trust_policy_excludes(estate: Estate) -> None:
    role, repository = estate.role(name="task", trusted=("ecs-tasks",)), estate.repository()
    only(estate.diagnose(estate.denied(role, repository, BLAMED, session="f1e2d3"), unreadable=STEPS), CAUSE)
    # A session that EC2 named contradicts the trust policy, which may have been changed: then nobody is blamed.
    contradiction = estate.diagnose(estate.denied(role, repository, BLAMED, session=GONE_INSTANCE), unreadable=STEPS)
    assert contradiction.findings == ()
    assert CAUSE in opened(contradiction)


def test_where_no_step_can_be_read_a_session_of_a_node_role_by_another_name_is_no_node(estate: Estate) -> None:
    role, repository = estate.role(), estate.repository()
    diagnosis = estate.diagnose(estate.denied(role, repository, BLAMED, session="ann"), unreadable=STEPS)
    assert "its session name is no EC2 instance ID" in only(diagnosis, CAUSE).explanation


def test_where_nothing_at_all_can_be_read_another_session_stays_open(estate: Estate) -> None:
    role, repository = estate.role(), estate.repository()
    pull = estate.denied(role, repository, BLAMED, session="ann")
    _undecided(estate.diagnose(pull, unreadable=[*STEPS, "iam:*"]), "eks:ListClusters")


def test_somebody_without_a_name_stays_open(estate: Estate) -> None:
    pull: PullFailure = estate.event("arn:aws:sts::300000000000:self", estate.repository(), NO_REASON)
    _undecided(estate.diagnose(pull), "does not say who was denied")


@pytest.mark.parametrize("has_account", [True, False])
def test_a_principal_that_the_event_does_not_name_is_its_account_or_inconclusive(
    estate: Estate, *, has_account: bool
) -> None:
    denied = estate.denied(estate.role(name="build", trusted=("codebuild",)), estate.repository(), BLAMED)
    assert denied.principal
    principal = replace(
        denied.principal, kind=PrincipalKind.USER, arn="", name=None, role_arn=None, session_name=None, account=None
    )
    pull = replace(denied, principal=principal, account=estate.account if has_account else None)
    diagnosis = estate.diagnose(pull)
    if has_account:
        resource = only(diagnosis, CAUSE).resource
        assert (resource.type, resource.id) == ("AwsAccount", f"AWS::::Account:{estate.account}")
    else:
        assert diagnosis.findings == ()
        assert "neither the principal nor its account" in str(diagnosis)


def _answer_clusters(aws: Aws, number: int, *, entry_in: str = "", group_in: str = "", role: str = "") -> list[str]:
    """Let EKS answer that there are so many clusters, each with ten node groups; return what it is asked."""
    asked: list[str] = []
    names = [f"c{each}" for each in range(number)]

    def answer(model: OperationModel, params: dict[str, Any], **_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        asked.append(model.name)
        cluster, *_ = params["url_path"].removeprefix("/clusters/").split("/")
        bodies: dict[str, dict[str, Any]] = {
            "ListClusters": {"clusters": names},
            "ListNodegroups": {"nodegroups": [f"{cluster}-{each}" for each in range(10)]},
            "ListFargateProfiles": {"fargateProfileNames": []},
            "ListAccessEntries": {"accessEntries": [role] if cluster == entry_in else []},
            "DescribeAccessEntry": {"accessEntry": {"type": "EC2_LINUX"}},
            "DescribeNodegroup": {
                "nodegroup": {"nodeRole": role if cluster in (entry_in, group_in) else "arn:aws:iam::1:role/x"}
            },
        }
        return AWSResponse("", 200, HTTPHeaders(), None), bodies[model.name]

    aws._session.events.register("before-call.eks", answer)
    return asked


def test_a_stranger_is_looked_for_in_so_many_clusters_only(estate: Estate) -> None:
    role, repository, aws = estate.role(name="build"), estate.repository(), estate.connect()
    asked = _answer_clusters(aws, 300)
    pull = estate.denied(role, repository, BLAMED, session="somebody")
    diagnosis = diagnose(pull, PullFacts(Reader(aws)))
    assert diagnosis.findings == ()
    reason = opened(diagnosis)[CAUSE]
    assert f"account {estate.account} has 300 clusters in us-east-1: the access entries of only 100 were read" in reason
    assert f"account {estate.account} has 300 clusters in us-east-1: the node groups of only 25 were read" in reason
    assert (
        f"account {estate.account} has 250 node groups and Fargate profiles in us-east-1: only 100 were read" in reason
    )
    assert len(asked) == 1 + 100 + 2 * 25 + 100


def test_of_many_clusters_those_that_name_the_role_are_looked_through_first(estate: Estate) -> None:
    role, repository, aws = estate.role(), estate.repository(), estate.connect()
    _answer_clusters(aws, 90, entry_in="c88", role=str(role))
    diagnosis = diagnose(estate.denied(role, repository, BLAMED, session="somebody"), PullFacts(Reader(aws)))
    finding = only(diagnosis, LACKS)
    assert finding.cluster == "c88"


@pytest.mark.parametrize(("name", "found"), [("eksctl-c288-nodegroup-ng-NodeRole", True), ("nodes-of-c-288", False)])
def test_of_many_clusters_one_whose_name_is_in_the_roles_comes_before_the_others(
    estate: Estate, name: str, *, found: bool
) -> None:
    """A cluster with the aws-auth ConfigMap alone has no access entry of its nodes."""
    role, repository, aws = estate.role(name=name), estate.repository(), estate.connect()
    _answer_clusters(aws, 300, group_in="c288", role=str(role))
    diagnosis = diagnose(estate.denied(role, repository, BLAMED, session="somebody"), PullFacts(Reader(aws)))
    if found:
        assert only(diagnosis, LACKS).cluster == "c288"
    else:
        assert diagnosis.findings == ()
        assert "the node groups of only 25 were read" in opened(diagnosis)[CAUSE]


def test_a_stranger_among_many_clusters_whose_trust_rules_nodes_out_is_reported(estate: Estate) -> None:
    role, repository, aws = estate.role(name="build", trusted=("codebuild",)), estate.repository(), estate.connect()
    _answer_clusters(aws, 300)
    pull = estate.denied(role, repository, BLAMED, session="AWSCodeBuild-1")
    assert "trust policy names no service" in only(diagnose(pull, PullFacts(Reader(aws))), CAUSE).explanation
