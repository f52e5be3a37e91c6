"""Which cluster a context is, as kubectl's configuration tells it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.cli.kubectl.context import of_configuration
from pull_responder.cli.kubectl.place import Place, of_arn, region_of_node
from tests.unit.cli.kubectl.fake import configuration

ARN = "arn:aws:eks:us-west-2:111111111111:cluster/prod"
FULL = Place("prod", "111111111111", "us-west-2")


def get_token(*more: str, command: str = "aws") -> dict[str, Any]:
    return {"command": command, "args": ["--region", "us-west-2", "eks", "get-token", "--cluster-name", "prod", *more]}


@pytest.mark.parametrize(
    ("shown", "place"),
    [
        pytest.param(configuration(context=ARN, cluster=ARN), FULL, id="aws eks update-kubeconfig"),
        pytest.param(configuration(context="prod", cluster=ARN), FULL, id="with an alias"),
        pytest.param(configuration(context=ARN, cluster="kubernetes"), FULL, id="the context alone"),
        pytest.param(
            configuration(context="me@prod.us-west-2.eksctl.io", cluster="prod.us-west-2.eksctl.io"),
            Place("prod", None, "us-west-2"),
            id="eksctl",
        ),
        pytest.param(configuration(sign_in=get_token()), Place("prod", None, "us-west-2"), id="aws eks get-token"),
        pytest.param(
            configuration(sign_in={"command": "/usr/bin/aws-iam-authenticator", "args": ["token", "-i", "prod"]}),
            Place("prod", None, None),
            id="aws-iam-authenticator",
        ),
        pytest.param(
            configuration(server="https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com"),
            Place(None, None, "us-west-2"),
            id="the endpoint",
        ),
        pytest.param(
            configuration(server="https://0123456789ABCDEF.sk1.cn-north-1.eks.amazonaws.com.cn", sign_in=get_token()),
            Place("prod", None, "us-west-2"),
            id="sign-in before the endpoint",
        ),
    ],
)
def test_the_cluster_is_told(shown: dict[str, Any], place: Place) -> None:
    context = of_configuration(shown)
    assert (context.place, context.is_eks) == (place, True)


def test_the_profile_is_that_of_the_sign_in() -> None:
    by_option = configuration(sign_in=get_token("--profile", "prod-admin"))
    by_variable = configuration(sign_in={**get_token(), "env": [{"name": "AWS_PROFILE", "value": "prod-admin"}]})
    assert of_configuration(by_option).profile == of_configuration(by_variable).profile == "prod-admin"
    assert of_configuration(configuration(sign_in=get_token())).profile is None


@pytest.mark.parametrize("context", ["kind-kind", "minikube", "arn:aws:iam::111111111111:role/x", "gke_x_y_z"])
def test_another_cluster_is_none_of_eks(context: str) -> None:
    found = of_configuration(configuration(context=context, cluster=context))
    assert (found.is_eks, found.place) == (False, Place())


def test_the_namespace_is_the_contexts() -> None:
    assert of_configuration(configuration(namespace="shop")).namespace == "shop"
    assert of_configuration(configuration()).namespace == "default"


KEY = st.sampled_from(["clusters", "contexts", "users", "name", "user", "exec", "args", "env", "cluster", "value"])
JSON = st.recursive(
    st.none() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4),
)


@given(st.dictionaries(KEY, JSON, max_size=5))
def test_any_configuration_is_read(shown: dict[str, Any]) -> None:
    assert of_configuration(shown).place.account is None


@pytest.mark.parametrize(
    ("node", "region"),
    [
        ("ip-10-0-1-23.us-west-2.compute.internal", "us-west-2"),
        ("ip-10-0-1-23.ec2.internal", "us-east-1"),
        ("fargate-ip-10-0-1-23.eu-central-1.compute.internal", "eu-central-1"),
        ("i-0123456789abcdef0.us-gov-west-1.compute.internal", "us-gov-west-1"),
        ("ip-10-0-1-23.cn-north-1.compute.internal", "cn-north-1"),
        ("ip-10-0-1-23.corp.example.com", None),
        ("i-0123456789abcdef0", None),
        ("worker-1", None),
        (None, None),
    ],
)
def test_a_nodes_name_tells_the_region(node: str | None, region: str | None) -> None:
    assert region_of_node(node) == region


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:eks:us-west-2:111111111111:nodegroup/prod/x/y",
        "arn:aws:eks:us-west-2:1111:cluster/prod",
        "arn:aws:eks::111111111111:cluster/prod",
        "arn:aws:eks:us-west-2:111111111111:cluster/pr od",
        "arn:aws:eks:us-west-2:111111111111:cluster/",
        "prod",
    ],
)
def test_what_is_no_arn_of_a_cluster(text: str) -> None:
    assert of_arn(text) is None


def test_an_option_is_completed_by_the_context() -> None:
    assert Place().completed_by(FULL) == FULL
    assert Place("prod").completed_by(FULL) == FULL
    assert Place("other").completed_by(FULL) == Place("other", None, "us-west-2")
    assert Place("prod", "222222222222", "eu-west-1").completed_by(FULL) == Place("prod", "222222222222", "eu-west-1")
