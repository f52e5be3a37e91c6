"""Pods that pull with roles of their own: they are no strangers, and causes are decided about their role."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.diagnosis import diagnose
from pull_responder.events.pod_failure import PodFailure
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import (
    ALLOW_TOKEN,
    LAYERS,
    MANIFEST,
    PULL,
    PULL_ONLY,
    REGION,
    TOKEN,
    allow,
    because_no,
    is_fixed_since,
    only,
    opened,
    policy,
    refuse,
)
from tests.integration.checks.pod_roles import GITHUB, KUBELET, denied, issuer, pod_role, web_identity
from tests.integration.checks.registry_estate import amend, of_cause

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from tests.integration.checks.estate import Estate

STRANGER = "unexpected_principal_denied"
LACKS = "role_lacks_pull_permissions"
TRUST = "role_trust_policy_excludes_service"
BLAMED = because_no("identity-based policy")
EKS_ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
AUD = {"aud": "sts.amazonaws.com"}
POD_IDENTITY = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}


@pytest.fixture
def of_prod(estate: Estate) -> str:
    """The issuer of cluster prod."""
    estate.cluster()
    return issuer(estate)


@pytest.mark.cause(STRANGER, "passes")
@pytest.mark.cause(LACKS, "fails")
@pytest.mark.parametrize("session", [KUBELET, "botocore-session-1764300000"])
def test_a_pods_own_role_is_no_stranger(estate: Estate, of_prod: str, session: str) -> None:
    role, repository = pod_role(estate, web_identity(estate, of_prod, StringEquals=AUD)), estate.repository()
    diagnosis = estate.diagnose(denied(estate, role, repository, BLAMED, session=session))
    finding = only(diagnosis, LACKS)
    assert finding.resource.id == str(role)
    assert finding.cluster == "prod"
    assert diagnosis.puller.because == "its trust policy names the OIDC provider of cluster prod"
    # The role gets what it lacks on this repository, and nothing on others.
    (command,) = finding.remediation.commands
    assert command[:3] == ("aws", "iam", "put-role-policy")
    estate.run(finding.remediation)
    assert is_fixed_since(estate.diagnose(denied(estate, role, repository, BLAMED, session=session)))
    other = estate.repository(name="team/other")
    assert {each.cause for each in estate.diagnose(denied(estate, role, other, BLAMED)).findings} == {LACKS}


def test_a_refused_token_asks_for_the_token_alone(estate: Estate, of_prod: str) -> None:
    role = pod_role(estate, web_identity(estate, of_prod, StringEquals=AUD))
    pull = denied(estate, role, None, because_no("identity-based policy", TOKEN), action=TOKEN)
    finding = only(estate.diagnose(pull), LACKS)
    assert TOKEN in finding.remediation.commands[0][-3]
    assert MANIFEST not in " ".join(finding.remediation.commands[0])
    estate.run(finding.remediation)
    assert is_fixed_since(estate.diagnose(pull))


def test_a_repository_that_lets_in_another_teams_role_only(estate: Estate, of_prod: str) -> None:
    role = pod_role(estate, web_identity(estate, of_prod, StringEquals=AUD), may=ALLOW_TOKEN)
    other = f"arn:aws:iam::{estate.account}:role/team-b-pull"
    repository = estate.repository(refuse("*", "ecr:*", Condition={"ArnNotEquals": {"aws:PrincipalArn": other}}))
    diagnosis = estate.diagnose(denied(estate, role, repository, BLAMED))
    assert {each.cause for each in diagnosis.findings} == {LACKS, "repository_policy_denies_pull"}


def test_the_nodes_words_name_the_pods_role(estate: Estate, of_prod: str) -> None:
    """Newer containerd passes AWS's words on. Then the node's own role, which may pull, says nothing."""
    claims = {**AUD, "sub": "system:serviceaccount:shop:*"}
    role = pod_role(estate, web_identity(estate, of_prod, StringLike=claims))
    repository, node = estate.repository(), estate.instance()
    image = f"{estate.account}.dkr.ecr.{REGION}.amazonaws.com/team/app:v1"

    def told(session: str, namespace: str = "shop") -> Diagnosis:
        user = f"arn:aws:sts::{estate.account}:assumed-role/{session}"
        said = (
            f'Failed to pull image "{image}": failed to resolve reference "{image}": unexpected status from GET '
            f"request: 403 Forbidden: denied: User: {user} is not authorized to perform: {MANIFEST} on resource: "
            f"{repository}{BLAMED}"
        )
        on_node = f"arn:aws:sts::{estate.account}:assumed-role/node/{node}"
        failure = PodFailure(estate.account, said, image, "prod", namespace, "web-0", principal_arn=on_node, node=node)
        pull = failure.pull()
        assert isinstance(pull, PullFailure)
        return estate.diagnose(pull)

    estate.role(attach=[PULL_ONLY])
    finding = of_cause(told(f"team-a-pull/{KUBELET}"), LACKS)
    assert finding.resource.id == str(role)
    # The words of a node's own session are about the node's role.
    assert LACKS in told(f"node/{node}").passed
    # The event has the pod, so its namespace is certain.
    causes = {each.cause for each in told(f"team-a-pull/{KUBELET}", namespace="team-b").findings}
    assert causes == {LACKS, TRUST}


def test_tags_of_the_role_decide_as_kubelet_adds_none(estate: Estate, of_prod: str) -> None:
    tagged = allow(*PULL, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})
    role = pod_role(estate, web_identity(estate, of_prod, StringEquals=AUD), may=tagged)
    pull = denied(estate, role, estate.repository(), BLAMED)
    only(estate.diagnose(pull), LACKS)
    estate.client("iam").tag_role(RoleName="team-a-pull", Tags=[{"Key": "team", "Value": "a"}])
    assert is_fixed_since(estate.diagnose(pull))


def test_a_role_of_eks_pod_identity(estate: Estate) -> None:
    role, repository = pod_role(estate, POD_IDENTITY, name="team-a"), estate.repository()
    diagnosis = estate.diagnose(denied(estate, role, repository, BLAMED, session="eks-prod-web-7c9d8b5f6-1"))
    only(diagnosis, LACKS)
    assert diagnosis.puller.because == "its trust policy names pods.eks.amazonaws.com"


@pytest.mark.parametrize("lacking", ["sts:AssumeRole", "sts:TagSession"])
def test_eks_pod_identity_needs_both_actions(estate: Estate, lacking: str) -> None:
    (left,) = {"sts:AssumeRole", "sts:TagSession"} - {lacking}
    role = pod_role(estate, {**POD_IDENTITY, "Action": left}, name="team-a")
    diagnosis = estate.diagnose(denied(estate, role, estate.repository(), BLAMED, session="eks-prod-web-7c9d8b5f6-1"))
    (finding,) = [each for each in diagnosis.findings if each.cause == TRUST]
    assert finding.resource.id == str(role)
    assert f"does not let pods.eks.amazonaws.com call {lacking}." in finding.explanation
    assert lacking in finding.remediation.summary
    assert finding.remediation.commands == ()


def test_a_condition_on_the_cluster_of_eks_pod_identity_stays_open(estate: Estate) -> None:
    tested = {**POD_IDENTITY, "Condition": {"StringEquals": {"aws:RequestTag/eks-cluster-name": "prod"}}}
    role = pod_role(estate, tested, name="team-a")
    diagnosis = estate.diagnose(denied(estate, role, estate.repository(), BLAMED, session="eks-prod-web-7c9d8b5f6-1"))
    assert TRUST not in {each.cause for each in diagnosis.findings} | set(diagnosis.passed)


def test_a_star_in_string_equals_is_no_wildcard(estate: Estate, of_prod: str) -> None:
    """No service account has such a name, so the statement matches no pod. In StringLike it matches."""
    subject = {"sub": "system:serviceaccount:*:*"}
    role = pod_role(estate, web_identity(estate, of_prod, StringEquals={**AUD, **subject}))
    pull = denied(estate, role, estate.repository(), BLAMED)
    assert {each.cause for each in estate.diagnose(pull).findings} == {LACKS, TRUST}
    like = json.dumps(policy(web_identity(estate, of_prod, StringEquals=AUD, StringLike=subject)))
    estate.client("iam").update_assume_role_policy(RoleName=role.resource.rpartition("/")[2], PolicyDocument=like)
    only(estate.diagnose(pull), LACKS)


@pytest.mark.cause(STRANGER, "fails")
def test_a_role_of_github_actions_stays_a_stranger(estate: Estate, of_prod: str) -> None:
    assert of_prod
    role, repository = pod_role(estate, web_identity(estate, GITHUB, StringEquals=AUD)), estate.repository()
    finding = only(estate.diagnose(denied(estate, role, repository, BLAMED, session="GitHubActions")), STRANGER)
    assert f"{GITHUB}, which is the OIDC provider of no EKS cluster" in finding.explanation
    # Neither the name of kubelet's sessions nor what cannot be read makes a node of it.
    only(estate.diagnose(denied(estate, role, repository, BLAMED)), STRANGER)
    only(estate.diagnose(denied(estate, role, repository, BLAMED), unreadable=["eks:*"]), STRANGER)


def test_a_host_that_only_begins_like_that_of_eks_is_none(estate: Estate, of_prod: str) -> None:
    assert of_prod
    issuer = EKS_ISSUER.replace("amazonaws.com", "amazonaws.example")
    role, repository = pod_role(estate, web_identity(estate, issuer, StringEquals=AUD)), estate.repository()
    diagnosis = estate.diagnose(denied(estate, role, repository, BLAMED), unreadable=["eks:*"])
    assert diagnosis.puller.for_eks is not True


def test_the_session_outranks_the_trust_policy(estate: Estate, of_prod: str) -> None:
    both = (web_identity(estate, of_prod, StringEquals=AUD), web_identity(estate, GITHUB, StringEquals=AUD))
    role, repository = pod_role(estate, *both), estate.repository()
    only(estate.diagnose(denied(estate, role, repository, BLAMED, session="ci", of=GITHUB)), STRANGER)
    only(estate.diagnose(denied(estate, role, repository, BLAMED, session="ci", of=of_prod)), LACKS)
    why = opened(estate.diagnose(denied(estate, role, repository, BLAMED, session="ci")))[STRANGER]
    assert GITHUB in why
    assert "does not say whose session it was" in why


def test_a_cluster_that_is_not_ours_leaves_it_open(estate: Estate, of_prod: str) -> None:
    assert of_prod
    role, repository = pod_role(estate, web_identity(estate, EKS_ISSUER, StringEquals=AUD)), estate.repository()
    reasons = opened(estate.diagnose(denied(estate, role, repository, BLAMED, session="botocore-session-1")))
    assert "its cluster is in another account or region, or gone" in reasons[STRANGER]
    # kubelet's own session says what the issuer's host says: a node of EKS pulls.
    only(estate.diagnose(denied(estate, role, repository, BLAMED)), LACKS)


def test_the_issuers_host_names_the_region_of_its_cluster(estate: Estate) -> None:
    """A pod may pull from a registry of another region than its cluster's."""
    eks = estate.aws.client("eks", account=estate.account, region="eu-west-1")
    control_plane = estate.role(name="control-plane", trusted=("eks",))
    eks.create_cluster(name="abroad", roleArn=str(control_plane), resourcesVpcConfig={"subnetIds": ["a", "b"]})
    theirs = EKS_ISSUER.replace("us-east-1", "eu-west-1")
    aws = estate.connect()
    amend(aws, "eks", "DescribeCluster", lambda answer: answer["cluster"].update(identity=identity), region="eu-west-1")
    identity = {"oidc": {"issuer": f"https://{theirs}"}}
    role = pod_role(estate, web_identity(estate, theirs, StringEquals=AUD))
    pull = denied(estate, role, estate.repository(), BLAMED, session="botocore-session-1")
    finding = only(diagnose(pull, PullFacts(Reader(aws))), LACKS)
    assert finding.cluster == "abroad"
    assert [each.id for each in finding.related] == [f"arn:aws:eks:eu-west-1:{estate.account}:cluster/abroad"]


@pytest.mark.cause(STRANGER, "unread")
def test_where_clusters_cannot_be_read_the_issuers_host_decides(estate: Estate, of_prod: str) -> None:
    repository, session = estate.repository(), "botocore-session-1"
    role = pod_role(estate, web_identity(estate, EKS_ISSUER, StringEquals=AUD))
    pull = denied(estate, role, repository, BLAMED, session=session)
    diagnosis = estate.diagnose(pull, unreadable=["eks:*"])
    only(diagnosis, LACKS)
    assert "an OIDC provider of Amazon EKS" in diagnosis.puller.because
    # The emulated cluster's issuer has no host of EKS.
    another = pod_role(estate, web_identity(estate, of_prod, StringEquals=AUD), name="another")
    pull = denied(estate, another, repository, BLAMED, session=session)
    assert "eks:DescribeCluster" in opened(estate.diagnose(pull, unreadable=["eks:DescribeCluster"]))[STRANGER]


def test_a_role_that_cannot_be_read_is_known_by_its_session(estate: Estate, of_prod: str) -> None:
    role, repository = pod_role(estate, web_identity(estate, of_prod, StringEquals=AUD)), estate.repository()
    diagnosis = estate.diagnose(denied(estate, role, repository, BLAMED, of=of_prod), unreadable=["iam:*"])
    finding = only(diagnosis, LACKS)
    assert finding.cluster == "prod"
    assert finding.remediation.commands == ()
    assert "Whoever manages the role" in finding.remediation.summary


@pytest.mark.cause(TRUST, "fails")
def test_a_trust_policy_for_another_issuer(estate: Estate, of_prod: str) -> None:
    before = web_identity(estate, EKS_ISSUER, StringEquals={**AUD, "sub": "system:serviceaccount:shop:puller"})
    role, repository = pod_role(estate, before, may=allow(*PULL)), estate.repository()
    pull = denied(estate, role, repository, BLAMED, of=of_prod)
    finding = only(estate.diagnose(pull), TRUST)
    assert finding.resource.id == str(role)
    assert f"Their tokens are of the issuer {of_prod}" in finding.explanation
    assert "cluster prod" in finding.explanation
    estate.run(finding.remediation)
    assert TRUST not in {each.cause for each in estate.diagnose(pull).findings}
    trust = estate.client("iam").get_role(RoleName="team-a-pull")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"] == [
        before,
        web_identity(estate, of_prod, StringEquals={**AUD, "sub": "system:serviceaccount:shop:puller"}),
    ]


@pytest.mark.parametrize(
    ("claims", "operator"),
    [
        ({"aud": "my-own-audience"}, "StringEquals"),
        ({**AUD, "sub": "repo:shop/app:ref:refs/heads/main"}, "StringEquals"),
        ({**AUD, "sub": "system:node:*"}, "StringLike"),
    ],
)
def test_a_trust_policy_for_another_audience_or_subject(
    estate: Estate, of_prod: str, claims: dict[str, str], operator: str
) -> None:
    role = pod_role(estate, web_identity(estate, of_prod, **{operator: claims}), may=allow(*PULL))
    finding = only(estate.diagnose(denied(estate, role, estate.repository(), BLAMED)), TRUST)
    assert "with the audience sts.amazonaws.com and the subject system:serviceaccount:" in finding.explanation
    # Whose service account may have the role is for its owner to decide.
    assert finding.remediation.commands == ()
    assert f"{of_prod}:sub" in finding.remediation.summary


@pytest.mark.cause(TRUST, "near_miss")
@pytest.mark.cause(TRUST, "passes")
@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"StringEquals": AUD},
        {"StringEquals": AUD, "StringLike": {"sub": "system:serviceaccount:*"}},
    ],
)
def test_a_trust_policy_that_fits(estate: Estate, of_prod: str, conditions: dict[str, dict[str, str]]) -> None:
    role = pod_role(estate, web_identity(estate, of_prod, **conditions), may=allow(*PULL))
    diagnosis = estate.diagnose(denied(estate, role, estate.repository(), BLAMED))
    assert is_fixed_since(diagnosis)
    assert TRUST in diagnosis.passed


@pytest.mark.cause(TRUST, "unread")
def test_the_service_account_of_a_pod_is_not_in_the_event(estate: Estate, of_prod: str) -> None:
    claims = {**AUD, "sub": "system:serviceaccount:shop:puller"}
    role = pod_role(estate, web_identity(estate, of_prod, StringEquals=claims), may=allow(*PULL))
    diagnosis = estate.diagnose(denied(estate, role, estate.repository(), because_no("identity-based policy", LAYERS)))
    assert diagnosis.findings == ()
    reasons = {each.cause: each.reason for each in diagnosis.unchecked}
    assert f"{of_prod}:sub" in reasons[TRUST]


def test_the_namespace_of_the_pod_decides_where_the_event_has_it(estate: Estate, of_prod: str) -> None:
    claims = {**AUD, "sub": "system:serviceaccount:shop:*"}
    role = pod_role(estate, web_identity(estate, of_prod, StringLike=claims), may=allow(*PULL))
    pull = denied(estate, role, estate.repository(), BLAMED)
    diagnosis = estate.diagnose(replace(pull, namespace="shop", pod="web-0"))
    assert is_fixed_since(diagnosis)
    assert TRUST in diagnosis.passed
    finding = only(estate.diagnose(replace(pull, namespace="team-b", pod="web-0")), TRUST)
    assert "the subject system:serviceaccount:team-b:…" in finding.explanation
    # A namespace that begins with another's name is another one.
    only(estate.diagnose(replace(pull, namespace="shop-test", pod="web-0")), TRUST)
