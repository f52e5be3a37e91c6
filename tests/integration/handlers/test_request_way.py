"""A condition on the address that a token request comes from, as the deployed function decides it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pull_responder.handlers import diagnose
from tests.integration.handlers.test_diagnose import Context, batch, denial, failed, imported, inbox

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["inbox"]


@pytest.fixture
def node(aws: EmulatedAws) -> tuple[str, str, str]:
    """A node behind an internet gateway: its role, its id, and its public address."""
    ec2, iam, role = aws.client("ec2"), aws.client("iam"), f"node-{uuid4().hex[:8]}"
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    iam.create_instance_profile(InstanceProfileName=role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    tags = [{"Key": "eks:cluster-name", "Value": "prod"}, {"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    (instance,) = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        IamInstanceProfile={"Name": role},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    return role, instance["InstanceId"], instance["PublicIpAddress"]


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize("ours", [True, False], ids=["its own address", "another"])
def test_a_deny_of_all_but_one_address_is_decided(aws: EmulatedAws, node: tuple[str, str, str], *, ours: bool) -> None:
    role, instance, address = node
    block = f"{address}/32" if ours else "192.0.2.0/24"
    allow = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    condition = {"NotIpAddress": {"aws:SourceIp": block}}
    deny = {"Sid": "Office", "Effect": "Deny", "Action": "ecr:Get*", "Resource": "*", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    aws.client("iam").put_role_policy(RoleName=role, PolicyName="pull", PolicyDocument=document)
    assert failed(diagnose.handler(batch(denial(role, instance)), Context())) == []
    found = [each["GeneratorId"] for each in imported(aws, role)]
    assert found == ([] if ours else ["pull-responder/role_policy_denies_pull"])
