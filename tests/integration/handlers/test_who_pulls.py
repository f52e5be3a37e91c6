"""Who pulls, by a deployed function and by the terminal: pods with roles of their own, ECR itself, Pull Responder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.handlers import diagnose
from tests.integration.cli.test_diagnose import run
from tests.integration.handlers.test_diagnose import (
    ACCOUNT,
    Context,
    Inbox,
    batch,
    denial,
    failed,
    imported,
    inbox,
)
from tests.integration.handlers.test_signals import forwarded, forwarder

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["forwarder", "inbox", "run"]

KUBELET = "ecr-credential-provider"


def trust(principal: dict[str, str], action: str | list[str], **more: object) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def new_issuer(aws: EmulatedAws) -> str:
    """The OIDC issuer of a new cluster, without its scheme."""
    name, eks = f"pods-{uuid4().hex[:8]}", aws.client("eks")
    document = trust({"Service": "eks.amazonaws.com"}, "sts:AssumeRole")
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
    url: str = eks.describe_cluster(name=name)["cluster"]["identity"]["oidc"]["issuer"]
    return url.partition("://")[2]


def web_identity(issuer: str, *, audience: str = "sts.amazonaws.com") -> str:
    """The trust policy of a role that pods in namespace shop may assume."""
    condition = {
        "StringEquals": {f"{issuer}:aud": audience},
        "StringLike": {f"{issuer}:sub": "system:serviceaccount:shop:*"},
    }
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"}
    return trust(provider, "sts:AssumeRoleWithWebIdentity", Condition=condition)


def new_role(aws: EmulatedAws, document: str) -> str:
    """The name of a new role with this trust policy, that may do nothing."""
    name = f"pull-{uuid4().hex[:8]}"
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return name


@pytest.fixture
def issuer(aws: EmulatedAws) -> str:
    return new_issuer(aws)


@pytest.fixture
def pull_role(aws: EmulatedAws, issuer: str) -> str:
    """The name of a role that the cluster's pods in namespace shop may assume, and that may do nothing."""
    return new_role(aws, web_identity(issuer))


@pytest.fixture
def repository(aws: EmulatedAws) -> str:
    name = f"who/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=name)
    return name


def refused(role: str, repository: str, *, session: str = KUBELET, action: str = "BatchGetImage") -> dict[str, Any]:
    arn = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{repository}"
    return denial(role, session, action=action, resource=arn)


def causes(findings: list[dict[str, Any]]) -> set[str]:
    return {each["GeneratorId"].removeprefix("pull-responder/") for each in findings}


def about(aws: EmulatedAws, resource: str) -> set[str]:
    pages = aws.client("securityhub").get_paginator("get_findings").paginate()
    every = [finding for page in pages for finding in page["Findings"]]
    return causes([each for each in every if each["Resources"][0]["Id"] == resource])


def test_a_pods_own_role_is_diagnosed(
    aws: EmulatedAws, inbox: Inbox, run: Callable[..., Any], pull_role: str, repository: str
) -> None:
    event = refused(pull_role, repository)
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert causes(imported(aws, pull_role)) == {"role_lacks_pull_permissions"}
    assert len(inbox.messages()) == 1
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(event).encode())
    assert (ended.status, [each["cause"] for each in ended.objects[0]["findings"]]) == (
        1,
        ["role_lacks_pull_permissions"],
    )


@pytest.mark.usefixtures("inbox", "forwarder")
def test_a_pod_of_another_namespace_may_not_have_the_role(
    aws: EmulatedAws, run: Callable[..., Any], pull_role: str, repository: str
) -> None:
    """The denial has the role, and the Kubernetes event the namespace. Together they show what is wrong."""
    aws.client("iam").put_role_policy(
        RoleName=pull_role,
        PolicyName="pull",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
        ),
    )
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{repository}:v1"
    on_the_node = forwarded(image, "ip-10-9-9-9.ec2.internal")
    on_the_node["detail"]["involvedObject"]["namespace"] = "team-b"
    event = refused(pull_role, repository)
    assert failed(diagnose.handler(batch(event, on_the_node), Context())) == []
    assert causes(imported(aws, pull_role)) == {"role_trust_policy_excludes_service"}
    # Alone, the denial says that the role may pull now.
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(event).encode())
    assert (ended.status, ended.objects[0]["findings"]) == (0, [])


@pytest.mark.usefixtures("inbox")
def test_ecrs_own_role_is_diagnosed(aws: EmulatedAws, run: Callable[..., Any]) -> None:
    role, prefix = f"cache-{uuid4().hex[:8]}", f"base{uuid4().hex[:8]}"
    document = trust({"Service": "pullthroughcache.ecr.amazonaws.com"}, "sts:AssumeRole")
    aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document)
    aws.client("ecr").create_pull_through_cache_rule(
        ecrRepositoryPrefix=prefix,
        upstreamRegistryUrl=f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com",
        customRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        upstreamRepositoryPrefix="who",
    )
    name = f"who/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=name)
    event = refused(role, name, session="ecr-pull-through-cache")
    assert failed(diagnose.handler(batch(event), Context())) == []
    cached = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{prefix}/{name.removeprefix('who/')}"
    assert about(aws, cached) == {"pull_through_cache_failing"}
    assert imported(aws, role) == []
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(event).encode())
    assert [each["cause"] for each in ended.objects[0]["findings"]] == ["pull_through_cache_failing"]


def test_a_refusal_of_pull_responders_own_function_is_silent(
    aws: EmulatedAws, inbox: Inbox, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"PullResponder-RecheckRole-{uuid4().hex[:8]}"
    aws.client("iam").create_role(
        RoleName=role, AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    )
    own = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    monkeypatch.setenv("PULL_RESPONDER_ROLE_ARNS", json.dumps([own]))
    assert failed(diagnose.handler(batch(refused(role, repository, session="recheck")), Context())) == []
    assert imported(aws, role) == []
    assert inbox.messages() == []
    # A role of the same name in another account is not this one.
    monkeypatch.setenv("PULL_RESPONDER_ROLE_ARNS", json.dumps([own.replace(ACCOUNT, "222222222222")]))
    assert failed(diagnose.handler(batch(refused(role, f"{repository}-2", session="recheck")), Context())) == []
    assert causes(imported(aws, role)) == {"unexpected_principal_denied"}
