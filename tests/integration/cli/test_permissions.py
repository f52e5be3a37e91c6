"""A role that has exactly what `pull-responder permissions` prints diagnoses every kind of question and of event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from tests.integration.cli.test_diagnose import ACCOUNT, event, node, run

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.cli.test_diagnose import Run

__all__ = ["node", "run"]

REGION: Final = "us-east-1"
PULL: Final = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@pytest.fixture
def limited(run: Run, aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line of whoever has a role with the printed policy, and nothing else."""
    printed = run("permissions", "--account", ACCOUNT, "--format", "json").out
    name, iam = f"terminal-{uuid4().hex[:8]}", aws.client("iam")
    trust = document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="sts:AssumeRole")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="terminal", PolicyDocument=printed)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="on-call")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    return run


@pytest.fixture
def cluster(aws: EmulatedAws) -> dict[str, str]:
    """A cluster with a node group, a Fargate profile and a node, and an image."""
    name = f"c{uuid4().hex[:8]}"
    iam, ec2, eks, ecr = (aws.client(each) for each in ("iam", "ec2", "eks", "ecr"))
    for role, service in ((f"{name}-node", "ec2"), (f"{name}-pods", "eks-fargate-pods")):
        trust = document(Principal={"Service": f"{service}.amazonaws.com"}, Action="sts:AssumeRole")
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=role, PolicyName="pull", PolicyDocument=document(Action=PULL, Resource="*"))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=f"{name}-node")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    eks.create_cluster(name=name, roleArn=f"{arn}-node", resourcesVpcConfig={"subnetIds": [subnet]})
    eks.create_nodegroup(clusterName=name, nodegroupName="workers", subnets=[subnet], nodeRole=f"{arn}-node")
    eks.create_fargate_profile(
        clusterName=name,
        fargateProfileName="pods",
        subnets=[subnet],
        podExecutionRoleArn=f"{arn}-pods",
        selectors=[{"namespace": "default"}],
    )
    tags = [{"Key": f"kubernetes.io/cluster/{name}", "Value": "owned"}]
    started = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        IamInstanceProfile={"Name": name},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    ecr.create_repository(repositoryName=f"{name}/app")
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}/app:v1"
    return {"cluster": name, "instance": started["Instances"][0]["InstanceId"], "image": image}


def refusals(answers: list[dict[str, Any]]) -> list[str]:
    """What AWS did not let us read, in the words of its refusal."""
    opened = [each["reason"] for one in answers for each in (*one["inconclusive"], *one["unchecked"])]
    said = [*opened, *(one["skipped"] or "" for one in answers)]
    return [
        each for each in said if "not authorized" in each or "AccessDenied" in each or "UnauthorizedOperation" in each
    ]


@pytest.mark.parametrize("nodes", ["all", "--nodegroup", "--fargate-profile", "--instance"])
def test_every_kind_of_question(limited: Run, cluster: dict[str, str], nodes: str) -> None:
    named = {"all": [], "--nodegroup": ["workers"], "--fargate-profile": ["pods"], "--instance": [cluster["instance"]]}
    chosen = [nodes, *named[nodes]] if named[nodes] else []
    ended = limited(
        "diagnose", "--image", cluster["image"], "--cluster", cluster["cluster"], *chosen, "--format", "json"
    )
    assert ended.err == ""
    assert ended.objects
    assert sorted({each.partition(" failed")[0] for each in refusals(ended.objects)}) == []


def test_an_event(limited: Run, node: tuple[str, str, str]) -> None:
    instance, role, repository = node
    ended = limited("diagnose", "--event", "-", "--format", "json", stdin=event(instance, role, repository=repository))
    assert [each["cause"] for each in ended.objects[0]["findings"]] == ["role_lacks_pull_permissions"]
    assert sorted({each.partition(" failed")[0] for each in refusals(ended.objects)}) == []


def test_a_role_with_less_is_refused(
    limited: Run, cluster: dict[str, str], aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That nothing is refused proves something only where IAM is enforced."""
    name = f"nobody-{uuid4().hex[:8]}"
    trust = document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="sts:AssumeRole")
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="on-call")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    ended = limited("diagnose", "--image", cluster["image"], "--cluster", cluster["cluster"], "--format", "json")
    assert "not authorized" in ended.err or refusals(ended.objects)
