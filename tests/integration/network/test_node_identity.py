"""The role that nodes have: missing, not trusted, or out of kubelet's reach."""

from __future__ import annotations

import json

import pytest
from moto.backends import get_backend

from tests.integration.network.estate import ACCOUNT, MAY_PULL, REGION, NetworkEstate, causes, only, trust


@pytest.fixture
def network(estate: NetworkEstate) -> NetworkEstate:
    return estate.behind_nat()


@pytest.mark.cause("instance_profile_missing", "fails")
def test_no_instance_profile(network: NetworkEstate) -> None:
    instance = network.node(profile=False)
    finding = only(network.diagnose(), "instance_profile_missing")
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}"
    assert finding.remediation.commands == ()
    assert f"instance {instance} has no instance profile" in finding.explanation


def disassociate(network: NetworkEstate, instance: str) -> None:
    ec2 = network.ec2
    found = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [instance]}])
    (association,) = found["IamInstanceProfileAssociations"]
    ec2.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])


def _second_profile(network: NetworkEstate, role: str | None = None) -> str:
    iam, name = network.client("iam"), f"eks-{network.name}"
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role or f"{network.name}-node")
    return name


def _start_template(network: NetworkEstate, instance: str, profile: str) -> None:
    """Have the instance say that it was started from a launch template that names the profile."""
    data = {"IamInstanceProfile": {"Name": profile}}
    made = network.ec2.create_launch_template(LaunchTemplateName=f"start-{network.name}", LaunchTemplateData=data)
    tags = {
        "aws:ec2launchtemplate:id": made["LaunchTemplate"]["LaunchTemplateId"],
        "aws:ec2launchtemplate:version": "1",
    }
    # Only EC2 itself may set tags that begin with aws:.
    backend = get_backend("ec2")[network.account][REGION]
    backend.tags[instance].update(tags)


def test_a_profile_that_was_taken_away_is_given_back(network: NetworkEstate) -> None:
    network.node_group("workers")
    instance = network.node(group="workers")
    assert causes(network.diagnose()) == []
    disassociate(network, instance)
    finding = only(network.diagnose(), "instance_profile_missing")
    assert finding.remediation.commands == (
        (
            *("aws", "ec2", "associate-iam-instance-profile", "--instance-id", instance),
            *("--iam-instance-profile", f"Name={network.name}", "--region", REGION),
        ),
    )
    network.run(finding.remediation)
    assert causes(network.diagnose()) == []


def test_every_node_without_a_profile_gets_a_command(network: NetworkEstate) -> None:
    network.node_group("workers")
    first, second = network.node(group="workers", profile=False), network.node(group="workers", profile=False)
    finding = only(network.diagnose(node_group="workers"), "instance_profile_missing")
    assert {command[4] for command in finding.remediation.commands} == {first, second}
    network.run(finding.remediation)
    assert causes(network.diagnose(node_group="workers")) == []


def test_of_several_profiles_the_other_nodes_have_the_right_one(network: NetworkEstate) -> None:
    network.node_group("workers")
    _second_profile(network)
    network.node(group="workers")
    lost = network.node(group="workers", profile=False)
    finding = only(network.diagnose(instance=lost), "instance_profile_missing")
    assert f"Name={network.name}" in finding.remediation.commands[0]
    network.run(finding.remediation)
    assert causes(network.diagnose(instance=lost)) == []


def test_of_several_profiles_the_launch_template_names_the_right_one(network: NetworkEstate) -> None:
    network.node_group("workers")
    profile = _second_profile(network)
    network.node(group="workers")
    lost = network.node(group="workers", profile=False)
    _start_template(network, lost, profile)
    finding = only(network.diagnose(instance=lost), "instance_profile_missing")
    assert f"Name={profile}" in finding.remediation.commands[0]
    network.run(finding.remediation)
    assert causes(network.diagnose(instance=lost)) == []


def test_a_self_managed_node_gets_the_profile_of_its_launch_template(network: NetworkEstate) -> None:
    lost = network.node(profile=False)
    _start_template(network, lost, network.name)
    finding = only(network.diagnose(), "instance_profile_missing")
    network.run(finding.remediation)
    assert causes(network.diagnose()) == []


def test_a_template_whose_profile_holds_another_role_does_not_decide(network: NetworkEstate) -> None:
    network.node_group("workers")
    network.client("iam").create_role(RoleName=f"{network.name}-other", AssumeRolePolicyDocument=trust("ec2"))
    profile = _second_profile(network, f"{network.name}-other")
    lost = network.node(group="workers", profile=False)
    _start_template(network, lost, profile)
    finding = only(network.diagnose(), "instance_profile_missing")
    assert f"Name={network.name}" in finding.remediation.commands[0]


def test_several_profiles_without_a_sign_give_no_command(network: NetworkEstate) -> None:
    network.node_group("workers")
    profile = _second_profile(network)
    network.node(group="workers", profile=False)
    finding = only(network.diagnose(), "instance_profile_missing")
    assert finding.remediation.commands == ()
    assert f"Several hold the role {network.name}-node" in finding.remediation.summary
    assert f"{network.name}, {profile}" in finding.remediation.summary


def test_a_role_in_no_profile_gives_no_command(network: NetworkEstate) -> None:
    network.node_group("workers")
    network.node(group="workers", profile=False)
    role = f"{network.name}-node"
    network.client("iam").remove_role_from_instance_profile(InstanceProfileName=network.name, RoleName=role)
    finding = only(network.diagnose(), "instance_profile_missing")
    assert finding.remediation.commands == ()
    assert f"No instance profile holds the role {role}" in finding.remediation.summary


def test_profiles_that_cannot_be_listed_give_no_command(network: NetworkEstate) -> None:
    network.node_group("workers")
    instance = network.node(group="workers", profile=False)
    diagnosis = network.diagnose(denied=["iam:ListInstanceProfilesForRole"])
    finding = only(diagnosis, "instance_profile_missing")
    assert finding.remediation.commands == ()
    assert finding.remediation.summary.startswith(f"Give instance {instance} an instance profile")


def test_an_empty_instance_profile_is_filled_with_the_node_groups_role(network: NetworkEstate) -> None:
    network.node_group("workers")
    network.node(group="workers")
    role = f"{network.name}-node"
    network.client("iam").remove_role_from_instance_profile(InstanceProfileName=network.name, RoleName=role)
    finding = only(network.diagnose(node_group="workers"), "instance_profile_missing")
    assert f"the instance profile {network.name} holds no role" in finding.explanation
    network.run(finding.remediation)
    assert causes(network.diagnose(node_group="workers")) == []


def test_an_instance_profile_that_is_gone(network: NetworkEstate) -> None:
    network.node()
    iam = network.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName=network.name, RoleName=f"{network.name}-node")
    iam.delete_instance_profile(InstanceProfileName=network.name)
    finding = only(network.diagnose(), "instance_profile_missing")
    assert "does not exist" in finding.explanation
    assert finding.remediation.commands == ()


def test_the_role_of_a_node_group_without_nodes_is_gone(network: NetworkEstate) -> None:
    network.node_group("workers")
    iam, role = network.client("iam"), f"{network.name}-node"
    iam.remove_role_from_instance_profile(InstanceProfileName=network.name, RoleName=role)
    iam.delete_role_policy(RoleName=role, PolicyName="pull")
    iam.delete_role(RoleName=role)
    finding = only(network.diagnose(node_group="workers"), "instance_profile_missing")
    assert finding.resource.id == network.role


@pytest.mark.cause("role_trust_policy_excludes_service", "fails")
def test_ec2_may_not_assume_the_role(network: NetworkEstate) -> None:
    network.node()
    policy = trust("lambda")
    network.client("iam").update_assume_role_policy(RoleName=f"{network.name}-node", PolicyDocument=policy)
    finding = only(network.diagnose(), "role_trust_policy_excludes_service")
    assert finding.resource.id == network.role
    network.run(finding.remediation)
    assert causes(network.diagnose()) == []
    kept = network.client("iam").get_role(RoleName=f"{network.name}-node")["Role"]["AssumeRolePolicyDocument"]
    assert [each["Principal"]["Service"] for each in kept["Statement"]] == [
        ["lambda.amazonaws.com"],
        "ec2.amazonaws.com",
    ]


def test_a_role_that_ec2_is_denied_gives_no_command(network: NetworkEstate) -> None:
    network.node()
    policy = json.loads(trust("ec2"))
    policy["Statement"].append({**policy["Statement"][0], "Effect": "Deny"})
    network.client("iam").update_assume_role_policy(RoleName=f"{network.name}-node", PolicyDocument=json.dumps(policy))
    finding = only(network.diagnose(), "role_trust_policy_excludes_service")
    assert "denies ec2.amazonaws.com" in finding.explanation
    assert finding.remediation.commands == ()


def test_the_role_to_put_into_an_empty_profile_must_trust_ec2_too(network: NetworkEstate) -> None:
    network.node_group("workers")
    network.node(group="workers")
    iam, role = network.client("iam"), f"{network.name}-node"
    iam.remove_role_from_instance_profile(InstanceProfileName=network.name, RoleName=role)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust("lambda"))
    unread = network.diagnose(node_group="workers", denied=["iam:GetRole"])
    assert "role_trust_policy_excludes_service" in {each.cause for each in unread.inconclusive}
    diagnosis = network.diagnose(node_group="workers")
    assert set(causes(diagnosis)) == {"instance_profile_missing", "role_trust_policy_excludes_service"}
    for finding in diagnosis.findings:
        network.run(finding.remediation)
    assert causes(network.diagnose(node_group="workers")) == []


@pytest.mark.cause("instance_metadata_disabled", "fails")
def test_metadata_off_on_the_instance(network: NetworkEstate) -> None:
    instance = network.node(metadata="disabled")
    finding = only(network.diagnose(), "instance_metadata_disabled")
    # moto does not know ModifyInstanceMetadataOptions, so the command stays unrun here.
    (command,) = finding.remediation.commands
    assert command == (
        *("aws", "ec2", "modify-instance-metadata-options", "--instance-id", instance),
        *("--http-endpoint", "enabled", "--region", REGION),
    )


def test_metadata_off_in_the_launch_template(network: NetworkEstate) -> None:
    template = {"MetadataOptions": {"HttpEndpoint": "disabled"}, "SecurityGroupIds": [network.group]}
    network.node_group("workers", template=template)
    finding = only(network.diagnose(node_group="workers"), "instance_metadata_disabled")
    assert finding.resource.type == "AwsEc2LaunchTemplate"


@pytest.mark.cause("instance_metadata_disabled", "near_miss")
@pytest.mark.cause("role_trust_policy_excludes_service", "near_miss")
@pytest.mark.cause("instance_profile_missing", "near_miss")
def test_fargate_has_no_instance_profile_and_its_own_service(network: NetworkEstate) -> None:
    network.fargate_profile("pods")
    diagnosis = network.diagnose(fargate_profile="pods")
    assert causes(diagnosis) == []
    assert "role_trust_policy_excludes_service" in diagnosis.passed
    assert not {"instance_profile_missing", "instance_metadata_disabled"} & set(diagnosis.passed)

    network.client("iam").update_assume_role_policy(RoleName=f"{network.name}-pods", PolicyDocument=trust("ec2"))
    finding = only(network.diagnose(fargate_profile="pods"), "role_trust_policy_excludes_service")
    network.run(finding.remediation)
    assert causes(network.diagnose(fargate_profile="pods")) == []


@pytest.mark.parametrize(("cluster", "broken"), [("{name}", False), ("other", True)])
def test_a_fargate_roles_condition_on_the_cluster(network: NetworkEstate, cluster: str, *, broken: bool) -> None:
    network.fargate_profile("pods")
    policy = json.loads(trust("eks-fargate-pods"))
    source = f"arn:aws:eks:{REGION}:{ACCOUNT}:fargateprofile/{cluster.format(name=network.name)}/*"
    policy["Statement"][0]["Condition"] = {"ArnLike": {"aws:SourceArn": source}}
    network.client("iam").update_assume_role_policy(RoleName=f"{network.name}-pods", PolicyDocument=json.dumps(policy))
    expected = ["role_trust_policy_excludes_service"] if broken else []
    assert causes(network.diagnose(fargate_profile="pods")) == expected


def test_a_fargate_role_that_may_not_pull(network: NetworkEstate) -> None:
    network.fargate_profile("pods")
    network.client("iam").delete_role_policy(RoleName=f"{network.name}-pods", PolicyName="pull")
    finding = only(network.diagnose(fargate_profile="pods"), "role_lacks_pull_permissions")
    assert "AmazonEKSFargatePodExecutionRolePolicy" in finding.remediation.summary
    network.client("iam").put_role_policy(
        RoleName=f"{network.name}-pods", PolicyName="pull", PolicyDocument=json.dumps(MAY_PULL)
    )
    assert causes(network.diagnose(fargate_profile="pods")) == []
