"""The emulated AWS does what the demo and the other tests need: two accounts, and enforced IAM policies."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.e2e.conftest import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws

OTHER = "111111111111"
PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"


def policy(**statement: Any) -> str:  # noqa: ANN401 -- JSON
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def create_role(aws: EmulatedAws, name: str, account: str = ACCOUNT) -> str:
    trust = policy(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="sts:AssumeRole")
    role = aws.client("iam", account=account).create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return str(role["Role"]["Arn"])


def pull(aws: EmulatedAws, role_arn: str, repository: str, registry: str = ACCOUNT) -> str:
    """Pull as the role. Return the error code, or "pulled"."""
    credentials = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="pull")["Credentials"]
    ecr = aws.client("ecr", credentials=credentials)
    try:
        ecr.batch_get_image(registryId=registry, repositoryName=repository, imageIds=[{"imageTag": "v1"}])
    except ClientError as refused:
        return refused.response["Error"]["Code"]
    return "pulled"


def create_repository(aws: EmulatedAws, name: str, account: str = ACCOUNT) -> Any:  # noqa: ANN401 -- a client
    ecr = aws.client("ecr", account=account)
    ecr.create_repository(repositoryName=name)
    ecr.put_image(repositoryName=name, imageTag="v1", imageManifest=MANIFEST)
    return ecr


def test_a_managed_policy_allows_and_a_boundary_limits(aws: EmulatedAws) -> None:
    create_repository(aws, "emulator/same")
    role, iam = create_role(aws, "emulator-node"), aws.client("iam")
    assert pull(aws, role, "emulator/same") == "AccessDeniedException"

    iam.attach_role_policy(RoleName="emulator-node", PolicyArn=PULL_ONLY)
    assert pull(aws, role, "emulator/same") == "pulled"

    boundary = iam.create_policy(PolicyName="emulator-boundary", PolicyDocument=policy(Action="s3:*", Resource="*"))
    arn = boundary["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="emulator-node", PermissionsBoundary=arn)
    assert iam.get_role(RoleName="emulator-node")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert pull(aws, role, "emulator/same") == "AccessDeniedException"

    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=policy(Action=["s3:*", "ecr:*"], Resource="*"), SetAsDefault=True
    )
    default = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]["Document"]
    assert default == "v2"
    assert document["Statement"][0]["Action"] == ["s3:*", "ecr:*"]
    assert pull(aws, role, "emulator/same") == "pulled"


def test_a_pull_across_accounts_needs_both_policies(aws: EmulatedAws) -> None:
    ecr = create_repository(aws, "emulator/other", OTHER)
    role = create_role(aws, "emulator-reader")
    aws.client("iam").attach_role_policy(RoleName="emulator-reader", PolicyArn=PULL_ONLY)
    assert pull(aws, role, "emulator/other", OTHER) == "AccessDeniedException"

    grant = policy(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action=["ecr:BatchGetImage"])
    ecr.set_repository_policy(repositoryName="emulator/other", policyText=grant)
    assert pull(aws, role, "emulator/other", OTHER) == "pulled"

    aws.client("iam").detach_role_policy(RoleName="emulator-reader", PolicyArn=PULL_ONLY)
    assert pull(aws, role, "emulator/other", OTHER) == "AccessDeniedException"


def test_a_role_in_another_account_can_read_there(aws: EmulatedAws) -> None:
    create_repository(aws, "emulator/read", OTHER)
    member = create_role(aws, "emulator-member", OTHER)
    reads = policy(Action=["ecr:GetRepositoryPolicy", "ecr:DescribeRepositories"], Resource="*")
    aws.client("iam", account=OTHER).put_role_policy(
        RoleName="emulator-member", PolicyName="read", PolicyDocument=reads
    )
    credentials = aws.client("sts").assume_role(RoleArn=member, RoleSessionName="read")["Credentials"]
    ecr = aws.client("ecr", credentials=credentials)
    found = ecr.describe_repositories(repositoryNames=["emulator/read"])["repositories"]
    assert [repository["registryId"] for repository in found] == [OTHER]
    with pytest.raises(ecr.exceptions.RepositoryPolicyNotFoundException):
        ecr.get_repository_policy(repositoryName="emulator/read")
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client("iam", credentials=credentials).get_role(RoleName="emulator-member")


def test_registry_policy_and_scope(aws: EmulatedAws) -> None:
    ecr = aws.client("ecr", account=OTHER)
    with pytest.raises(ecr.exceptions.RegistryPolicyNotFoundException):
        ecr.get_registry_policy()
    ecr.put_registry_policy(policyText=policy(Principal="*", Action="ecr:*", Resource="*"))
    assert json.loads(ecr.get_registry_policy()["policyText"])["Statement"][0]["Action"] == "ecr:*"
    ecr.delete_registry_policy()
    assert ecr.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V2"
    ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    assert ecr.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V1"


def test_clusters_with_node_groups_access_entries_and_fargate_profiles(aws: EmulatedAws) -> None:
    eks, role = aws.client("eks", account=OTHER), f"arn:aws:iam::{OTHER}:role/emulator-eks"
    create_role(aws, "emulator-eks", OTHER)
    eks.create_cluster(name="emulator", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    eks.create_nodegroup(clusterName="emulator", nodegroupName="workers", subnets=["subnet-1"], nodeRole=role)
    eks.create_access_entry(clusterName="emulator", principalArn=role, type="EC2_LINUX")
    eks.create_fargate_profile(
        clusterName="emulator", fargateProfileName="batch", podExecutionRoleArn=role, selectors=[{"namespace": "jobs"}]
    )

    assert eks.list_clusters()["clusters"] == ["emulator"]
    assert "emulator" not in aws.client("eks").list_clusters()["clusters"]
    assert eks.list_nodegroups(clusterName="emulator")["nodegroups"] == ["workers"]
    assert eks.describe_nodegroup(clusterName="emulator", nodegroupName="workers")["nodegroup"]["nodeRole"] == role
    assert role in eks.list_access_entries(clusterName="emulator")["accessEntries"]
    entry = eks.describe_access_entry(clusterName="emulator", principalArn=role)["accessEntry"]
    assert entry["type"] == "EC2_LINUX"
    assert eks.list_fargate_profiles(clusterName="emulator")["fargateProfileNames"] == ["batch"]
    profile = eks.describe_fargate_profile(clusterName="emulator", fargateProfileName="batch")["fargateProfile"]
    assert (profile["podExecutionRoleArn"], profile["status"]) == (role, "ACTIVE")
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.describe_fargate_profile(clusterName="emulator", fargateProfileName="none")
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.list_fargate_profiles(clusterName="none")


def test_parts_of_a_cluster_are_resources_of_their_own(aws: EmulatedAws) -> None:
    role, eks = create_role(aws, "emulator-parts"), aws.client("eks")
    eks.create_cluster(name="parts", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    eks.create_nodegroup(clusterName="parts", nodegroupName="workers", subnets=["subnet-1"], nodeRole=role)
    eks.create_access_entry(clusterName="parts", principalArn=role, type="EC2_LINUX")
    node_groups = policy(Action="eks:Describe*", Resource="arn:aws:eks:*:*:nodegroup/parts/*")
    aws.client("iam").put_role_policy(RoleName="emulator-parts", PolicyName="read", PolicyDocument=node_groups)

    credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="read")["Credentials"]
    reader = aws.client("eks", credentials=credentials)
    assert reader.describe_nodegroup(clusterName="parts", nodegroupName="workers")["nodegroup"]["nodeRole"] == role
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.describe_access_entry(clusterName="parts", principalArn=role)
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.describe_cluster(name="parts")


def test_instances_with_tags(aws: EmulatedAws) -> None:
    ec2 = aws.client("ec2")
    tag = {"Key": "eks:cluster-name", "Value": "emulator"}
    tags = [{"ResourceType": "instance", "Tags": [tag]}]
    run = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=tags)
    instance = run["Instances"][0]["InstanceId"]
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert tag in found["Tags"]
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        aws.client("ec2", account=OTHER).describe_instances(InstanceIds=[instance])


def test_the_interpreter_of_the_functions_has_only_boto3(lambda_python: Path) -> None:
    find = (
        "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('boto3', 'aws_lambda_powertools', 'moto')])"
    )
    known = subprocess.run([lambda_python, "-c", find], check=True, capture_output=True, text=True).stdout  # noqa: S603 -- our own command
    assert known.strip() == "[True, False, False]"


def test_a_missing_emulator_is_one_clear_line(lambda_python: Path, tmp_path: Path) -> None:
    package = tmp_path / "pull_responder"
    package.symlink_to(_source_of_package())
    started = subprocess.run(  # noqa: S603 -- our own command
        [lambda_python, "-m", "pull_responder.emulator"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (started.returncode, started.stderr.count("\n")) == (2, 1)
    assert "ministack" in started.stderr


def _source_of_package() -> str:
    return str(next(iter(sys.modules["pull_responder"].__path__)))
