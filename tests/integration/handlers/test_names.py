"""A spoke of a hub: the deployed function blames nothing in it, and finds what is broken in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.handlers import diagnose
from tests.integration.handlers.test_diagnose import Context, Inbox, batch, failed, inbox, metrics
from tests.integration.handlers.test_signals import REGISTRY, forwarded, forwarder, image

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["forwarder", "image", "inbox"]

HUB = "10.100.1.10"
# What it answers is not known: a Profile that holds it may lead any name anywhere.
OF_A_NEW_KIND = "arn:aws:route53resolver:us-east-1:111111111111:resolver-of-a-new-kind/1"
PULL = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


class Spoke:
    """A VPC whose only way out is a transit gateway, and a node in it that may pull.

    It has no endpoint: the emulator lists the endpoints of one VPC for every other, too.
    """

    def __init__(self, aws: EmulatedAws) -> None:
        ec2, iam = aws.client("ec2"), aws.client("iam")
        self.aws, self.role = aws, f"node-{uuid4().hex[:8]}"
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=self.vpc, **{attribute: {"Value": True}})
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)
        ec2.create_route(
            RouteTableId=self.table, DestinationCidrBlock="10.0.0.0/8", TransitGatewayId="tgw-0123456789abcdef0"
        )
        statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=json.dumps(trust))
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": PULL, "Resource": "*"}]}
        iam.put_role_policy(RoleName=self.role, PolicyName="pull", PolicyDocument=json.dumps(allow))
        iam.create_instance_profile(InstanceProfileName=self.role)
        iam.add_role_to_instance_profile(InstanceProfileName=self.role, RoleName=self.role)
        (node,) = ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            SubnetId=self.subnet,
            IamInstanceProfile={"Name": self.role},
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]}
            ],
        )["Instances"]
        self.node = f"{node['InstanceId']}.ec2.internal"

    def causes(self) -> list[str]:
        """The causes of what the function found in this VPC."""
        pages = self.aws.client("securityhub").get_paginator("get_findings").paginate()
        findings = [finding for page in pages for finding in page["Findings"]]
        here = (self.subnet, self.vpc, self.table)
        return [
            each["GeneratorId"].removeprefix("pull-responder/")
            for each in findings
            if any(each["Resources"][0]["Id"].endswith(place) for place in here)
        ]


@pytest.fixture
def spoke(aws: EmulatedAws) -> Spoke:
    return Spoke(aws)


def timed_out(spoke: Spoke, image: str, error: str = f"dial tcp {HUB}:443: i/o timeout") -> dict[str, Any]:
    event = forwarded(image, spoke.node)
    name = image.partition("/")[2].removesuffix(":v1")
    event["detail"]["message"] = (
        f'Failed to pull image "{image}": failed to pull and unpack image "{image}": failed to resolve reference '
        f'"{image}": failed to do request: Head "https://{REGISTRY}/v2/{name}/manifests/v1": {error}'
    )
    return event


@pytest.mark.usefixtures("forwarder", "inbox")
@pytest.mark.parametrize("by", ["profile", "rule", "servers", "address alone"])
def test_nothing_in_a_spoke_is_blamed(
    by: str, aws: EmulatedAws, spoke: Spoke, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if by == "profile":
        profiles = aws.client("route53profiles")
        profiles.associate_profile(Name="shared", ProfileId="rp-1", ResourceId=spoke.vpc)
        profiles.associate_resource_to_profile(Name="new", ProfileId="rp-1", ResourceArn=OF_A_NEW_KIND)
    elif by == "rule":
        resolver = aws.client("route53resolver")
        rule = resolver.create_resolver_rule(
            CreatorRequestId=spoke.vpc,
            DomainName="amazonaws.com",
            RuleType="FORWARD",
            TargetIps=[{"Ip": "10.100.0.2"}],
        )["ResolverRule"]
        resolver.associate_resolver_rule(ResolverRuleId=rule["Id"], VPCId=spoke.vpc)
    elif by == "servers":
        ec2 = aws.client("ec2")
        options = ec2.create_dhcp_options(
            DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["10.100.0.2"]}]
        )["DhcpOptions"]
        ec2.associate_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"], VpcId=spoke.vpc)
    assert failed(diagnose.handler(batch(timed_out(spoke, image)), Context())) == []
    assert spoke.causes() == []
    assert metrics(capsys.readouterr().out)["PullsInconclusive"] == 1


@pytest.mark.usefixtures("forwarder", "inbox")
def test_a_spoke_that_nothing_leads_out_of_is_broken(spoke: Spoke, image: str, inbox: Inbox) -> None:
    spoke.aws.client("ec2").delete_route(RouteTableId=spoke.table, DestinationCidrBlock="10.0.0.0/8")
    assert failed(diagnose.handler(batch(timed_out(spoke, image)), Context())) == []
    assert spoke.causes() == ["no_route_to_ecr"]
    assert any(HUB in message["Message"] for message in inbox.messages())


@pytest.mark.usefixtures("forwarder", "inbox")
def test_without_a_sign_of_the_hub_the_route_is_missing(spoke: Spoke, image: str) -> None:
    event = timed_out(spoke, image, "context deadline exceeded")
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert spoke.causes() == ["no_route_to_ecr"]


@pytest.mark.usefixtures("forwarder", "inbox")
def test_a_layer_of_an_upstreams_storage_needs_the_internet(spoke: Spoke, image: str) -> None:
    event = forwarded(image, spoke.node)
    event["detail"]["message"] = (
        f'Failed to pull image "{image}": failed to pull and unpack image "{image}": failed to copy: httpReadSeeker: '
        'failed open: failed to do request: Get "https://production.cloudflare.docker.com/registry-v2/blobs/aa/data": '
        "dial tcp 104.16.100.207:443: i/o timeout"
    )
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert spoke.causes() == ["no_route_to_ecr"]
