"""Which Fargate profile a pod is of: by its namespace and its labels, where the role does not tell."""

from __future__ import annotations

import pytest

from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.pulls.path import PullPath, pull_path
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate

NODE = "fargate-ip-10-0-0-77.ec2.internal"


@pytest.fixture
def profiles(estate: NetworkEstate) -> NetworkEstate:
    """A cluster with a profile `pods` for namespace default in subnet a, and `others` of the same role in subnet b."""
    estate.behind_nat()
    role = estate.fargate_profile("pods")
    estate.client("eks").create_fargate_profile(
        clusterName=estate.name,
        fargateProfileName="others",
        subnets=[estate.b],
        podExecutionRoleArn=role,
        selectors=[{"namespace": "team-*"}, {"namespace": "default", "labels": {"tier": "batch", "run": "j?b*"}}],
    )
    return estate


def places(
    estate: NetworkEstate, namespace: str | None, *labels: str, known: bool = True, has_role: bool = True
) -> list[str]:
    """Where the way of a pod's pull begins; none where its profile is not known."""
    role = f"{estate.name}-pods"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    pull = PullFailure(
        Symptom.TIMEOUT,
        None,
        REGION,
        ACCOUNT,
        principal=Principal(PrincipalKind.ROLE, session, "aws", ACCOUNT, role, "session") if has_role else None,
        registry_account=ACCOUNT,
        repository="app",
        cluster=estate.name,
        node=NODE,
        namespace=namespace,
        pod_labels=tuple(labels) if known else None,
    )
    path = pull_path(pull, PullFacts(Reader(estate.aws())))
    return [place.name for place, _ in path.paths] if isinstance(path, PullPath) else []


@pytest.mark.parametrize("has_role", [True, False])
def test_the_namespace_tells(profiles: NetworkEstate, *, has_role: bool) -> None:
    assert places(profiles, "team-shop", known=False, has_role=has_role) == [f"a Fargate pod in {profiles.b}"]


def test_the_labels_tell_where_both_take_the_namespace(profiles: NetworkEstate) -> None:
    assert places(profiles, "default", "tier=web") == [f"a Fargate pod in {profiles.a}"]
    assert places(profiles, "default", "tier=batch", "run=later") == [f"a Fargate pod in {profiles.a}"]


@pytest.mark.parametrize(
    ("namespace", "labels", "known"),
    [
        ("default", (), False),  # either, by labels that the event does not have
        ("default", ("tier=batch", "run=job-1"), True),  # both, and EKS takes one of them
        ("nobodys", (), True),
        (None, (), True),
    ],
)
def test_what_can_be_of_several_or_of_none_is_left_open(
    profiles: NetworkEstate, namespace: str | None, labels: tuple[str, ...], *, known: bool
) -> None:
    assert places(profiles, namespace, *labels, known=known) == []
