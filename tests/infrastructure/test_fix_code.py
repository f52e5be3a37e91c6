"""The CDK and the Terraform on the pages of the causes work, and declare what would have kept the cause away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import hcl2
import pytest
from aws_cdk import assertions
from hcl2 import SerializationOptions
from lark import UnexpectedInput

from pull_responder.checks import CHECKS
from pull_responder.generate.cause_fixes import FOLDER, fix_of

ROOT = Path(__file__).parents[2]
PYTHON: Final = {check.id: code for check in CHECKS if (code := fix_of(check.id, ROOT).code.get("python"))}
TERRAFORM: Final = {check.id: code for check in CHECKS if (code := fix_of(check.id, ROOT).code.get("terraform"))}

PULL: Final = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
APP: Final = "arn:aws:ecr:us-east-1:111111111111:repository/team/app"
LAYERS: Final = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
OTHERS: Final = {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/nodes/node"}}
OUT: Final = {"DestinationCidrBlock": "0.0.0.0/0"}
NEW_NODES: Final = "AWS::EC2::LaunchTemplate"
ENDPOINT: Final = "AWS::EC2::VPCEndpoint"


def statement(**properties: object) -> assertions.Matcher:
    """A policy in which one of the statements has these properties."""
    return assertions.Match.object_like({"Statement": assertions.Match.array_with([like(properties)])})


def like(properties: dict[str, Any]) -> assertions.Matcher:
    return assertions.Match.object_like(properties)


def words(text: str) -> assertions.Matcher:
    """A script of a node that says this, below the parts of a MIME document."""
    return like({"Fn::Base64": like({"Fn::Join": ["", assertions.Match.array_with([script(text)])]})})


def script(text: str) -> assertions.Matcher:
    return like({"Fn::Base64": assertions.Match.string_like_regexp(text)})


def pulls_only(role: str) -> dict[str, Any]:
    arn = ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"]
    return {"RoleName": role, "ManagedPolicyArns": assertions.Match.array_with([{"Fn::Join": ["", arn]}])}


DECLARED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "transit_gateway_blocks_traffic": (
        "AWS::EC2::TransitGatewayRouteTablePropagation",
        {"TransitGatewayAttachmentId": "tgw-attach-0a1b2c3d4e5f60006"},
    ),
    "peering_cannot_carry_traffic": ("AWS::EC2::Route", {**OUT, "NatGatewayId": "nat-0a1b2c3d4e5f60004"}),
    "dns_firewall_blocks_registry": (
        "AWS::Route53Resolver::FirewallRuleGroup",
        {"FirewallRules": [like({"Action": "ALLOW"})]},
    ),
    "network_firewall_blocks_registry": ("AWS::NetworkFirewall::RuleGroup", {"Type": "STATEFUL"}),
    "role_lacks_pull_permissions": ("AWS::IAM::Role", pulls_only("node")),
    "role_policy_denies_pull": (
        "AWS::IAM::Policy",
        {"PolicyDocument": statement(Effect="Deny", Action="ecr:BatchGetImage", NotResource=APP)},
    ),
    "permissions_boundary_blocks_pull": (
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": statement(Effect="Allow", Action=PULL, Resource=APP)},
    ),
    "scp_blocks_pull": (
        "AWS::Organizations::Policy",
        {
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": statement(Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/nodes/*"}}),
        },
    ),
    "rcp_blocks_pull": (
        "AWS::Organizations::Policy",
        {
            "Type": "RESOURCE_CONTROL_POLICY",
            "Content": statement(
                Condition=like({"StringNotEqualsIfExists": like({"aws:PrincipalAccount": "111111111111"})})
            ),
        },
    ),
    "repository_policy_lacks_grant": (
        "AWS::ECR::Repository",
        {"RepositoryPolicyText": statement(Effect="Allow", Action=PULL)},
    ),
    "repository_policy_denies_pull": (
        "AWS::ECR::Repository",
        {"RepositoryPolicyText": statement(Effect="Deny", Condition=OTHERS)},
    ),
    "registry_policy_denies_pull": (
        "AWS::ECR::RegistryPolicy",
        {"PolicyText": statement(Effect="Deny", Condition=OTHERS)},
    ),
    "endpoint_policy_blocks_pull": (ENDPOINT, {"PolicyDocument": statement(Effect="Allow", Action=PULL)}),
    "s3_endpoint_policy_blocks_layers": (
        ENDPOINT,
        {"PolicyDocument": statement(Effect="Allow", Resource=LAYERS, Condition=assertions.Match.absent())},
    ),
    "no_route_to_ecr": ("AWS::EC2::Route", {**OUT, "NatGatewayId": "nat-0a1b2c3d4e5f60004"}),
    "nat_gateway_unavailable": ("AWS::EC2::Route", {**OUT, "NatGatewayId": {"Ref": "Nat"}}),
    "public_ip_missing": ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": True}),
    "security_group_blocks_egress": (
        "AWS::EC2::SecurityGroupEgress",
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"},
    ),
    "network_acl_blocks_traffic": (
        "AWS::EC2::NetworkAclEntry",
        {"Egress": True, "RuleAction": "allow", "PortRange": {"From": 443, "To": 443}, "Protocol": 6},
    ),
    "vpc_dns_disabled": ("AWS::EC2::VPC", {"EnableDnsSupport": True, "EnableDnsHostnames": True}),
    "vpc_endpoint_missing": (ENDPOINT, {"ServiceName": "com.amazonaws.us-east-1.ecr.dkr", "PrivateDnsEnabled": True}),
    "vpc_endpoint_unavailable": (ENDPOINT, {"SubnetIds": ["subnet-0a1b2c3d4e5f60003"]}),
    "endpoint_private_dns_disabled": (ENDPOINT, {"PrivateDnsEnabled": True}),
    "endpoint_security_group_blocks_ingress": (
        "AWS::EC2::SecurityGroupIngress",
        {"FromPort": 443, "GroupId": "sg-0a1b2c3d4e5f60002", "SourceSecurityGroupId": "sg-0a1b2c3d4e5f60005"},
    ),
    "s3_endpoint_not_in_route_table": (ENDPOINT, {"RouteTableIds": ["rtb-0a1b2c3d4e5f60002"]}),
    "instance_profile_missing": ("AWS::IAM::InstanceProfile", {"InstanceProfileName": "node"}),
    "role_trust_policy_excludes_service": (
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": statement(Principal={"Service": "ec2.amazonaws.com"})},
    ),
    "instance_metadata_disabled": (
        NEW_NODES,
        {"LaunchTemplateData": like({"MetadataOptions": like({"HttpEndpoint": "enabled", "HttpTokens": "required"})})},
    ),
    "repository_not_found": ("AWS::ECR::Repository", {"RepositoryName": "team/app"}),
    "image_not_found": (
        "AWS::ECR::Repository",
        {"LifecyclePolicy": {"LifecyclePolicyText": assertions.Match.string_like_regexp('"tagStatus":"untagged"')}},
    ),
    "image_platform_mismatch": ("AWS::EKS::Nodegroup", {"AmiType": "AL2023_ARM_64_STANDARD"}),
    "repository_key_unusable": ("AWS::KMS::Key", {"Enabled": True}),
    "pull_through_cache_failing": (
        "AWS::IAM::RolePolicy",
        {"PolicyDocument": statement(Action=["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"])},
    ),
    "registry_throttled": ("AWS::ECR::PullThroughCacheRule", {"UpstreamRegistryUrl": "registry-1.docker.io"}),
    "node_disk_full": (
        NEW_NODES,
        {"LaunchTemplateData": like({"BlockDeviceMappings": [like({"Ebs": like({"VolumeSize": 100})})]})},
    ),
    "credential_provider_failing": (
        "AWS::EKS::Nodegroup",
        {
            "AmiType": "AL2023_x86_64_STANDARD",
            "ReleaseVersion": {"Ref": assertions.Match.string_like_regexp("optimizedami.*releaseversion")},
        },
    ),
    "proxy_blocks_pull": (
        NEW_NODES,
        {"LaunchTemplateData": like({"UserData": words(r"NO_PROXY=.*api\.ecr\.us-east-1.*kubelet\.service\.d")})},
    ),
    "registry_certificate_untrusted": (NEW_NODES, {"LaunchTemplateData": like({"UserData": words("update-ca-trust")})}),
    "node_group_unhealthy": ("AWS::IAM::Role", pulls_only("prod-node")),
    "responder_is_blind": (
        "AWS::CloudTrail::Trail",
        {"IsLogging": True, "EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]},
    ),
}
"""What each cause's CDK makes: the type of the resource, and the properties that are the fix."""

BLOCKS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "transit_gateway_blocks_traffic": (
        "aws_ec2_transit_gateway_route_table_propagation",
        {"transit_gateway_attachment_id": "tgw-attach-0a1b2c3d4e5f60006"},
    ),
    "peering_cannot_carry_traffic": ("aws_route", {"nat_gateway_id": "nat-0a1b2c3d4e5f60004"}),
    "dns_firewall_blocks_registry": ("aws_route53_resolver_firewall_rule", {"action": "ALLOW"}),
    "network_firewall_blocks_registry": ("aws_networkfirewall_rule_group", {"type": "STATEFUL"}),
    "role_lacks_pull_permissions": (
        "aws_iam_role_policy_attachment",
        {"policy_arn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"},
    ),
    "role_policy_denies_pull": ("aws_iam_role_policy", {"role": "node"}),
    "permissions_boundary_blocks_pull": ("aws_iam_policy", {"name": "guard"}),
    "scp_blocks_pull": ("aws_organizations_policy", {"type": "SERVICE_CONTROL_POLICY"}),
    "rcp_blocks_pull": ("aws_organizations_policy", {"type": "RESOURCE_CONTROL_POLICY"}),
    "repository_policy_lacks_grant": ("aws_ecr_repository_policy", {"repository": "team/app"}),
    "repository_policy_denies_pull": ("aws_ecr_repository_policy", {"repository": "team/app"}),
    "registry_policy_denies_pull": ("aws_ecr_registry_policy", {}),
    "endpoint_policy_blocks_pull": ("aws_vpc_endpoint_policy", {"vpc_endpoint_id": "vpce-0a1b2c3d4e5f60002"}),
    "s3_endpoint_policy_blocks_layers": ("aws_vpc_endpoint_policy", {"vpc_endpoint_id": "vpce-0a1b2c3d4e5f60002"}),
    "no_route_to_ecr": ("aws_route", {"nat_gateway_id": "nat-0a1b2c3d4e5f60004"}),
    "nat_gateway_unavailable": ("aws_route", {"nat_gateway_id": "${aws_nat_gateway.this.id}"}),
    "public_ip_missing": ("aws_subnet", {"map_public_ip_on_launch": True}),
    "security_group_blocks_egress": ("aws_vpc_security_group_egress_rule", {"from_port": 443, "to_port": 443}),
    "network_acl_blocks_traffic": ("aws_network_acl_rule", {"egress": True, "rule_action": "allow"}),
    "vpc_dns_disabled": ("aws_vpc", {"enable_dns_support": True, "enable_dns_hostnames": True}),
    "vpc_endpoint_missing": ("aws_vpc_endpoint", {"private_dns_enabled": True}),
    "vpc_endpoint_unavailable": (
        "aws_vpc_endpoint_subnet_association",
        {"vpc_endpoint_id": "vpce-0a1b2c3d4e5f60002", "subnet_id": "subnet-0a1b2c3d4e5f60003"},
    ),
    "endpoint_private_dns_disabled": ("aws_vpc_endpoint", {"private_dns_enabled": True}),
    "endpoint_security_group_blocks_ingress": (
        "aws_vpc_security_group_ingress_rule",
        {"security_group_id": "sg-0a1b2c3d4e5f60002", "referenced_security_group_id": "sg-0a1b2c3d4e5f60005"},
    ),
    "s3_endpoint_not_in_route_table": (
        "aws_vpc_endpoint_route_table_association",
        {"route_table_id": "rtb-0a1b2c3d4e5f60002"},
    ),
    "instance_profile_missing": ("aws_iam_instance_profile", {"role": "node"}),
    "role_trust_policy_excludes_service": ("aws_iam_role", {"name": "prod-node"}),
    "instance_metadata_disabled": (
        "aws_launch_template",
        {
            "metadata_options": [
                {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1}
            ]
        },
    ),
    "repository_not_found": ("aws_ecr_repository", {"name": "team/app"}),
    "image_not_found": ("aws_ecr_lifecycle_policy", {"repository": "team/app"}),
    "image_platform_mismatch": ("aws_eks_node_group", {"ami_type": "AL2023_ARM_64_STANDARD"}),
    "repository_key_unusable": ("aws_kms_key", {"is_enabled": True}),
    "pull_through_cache_failing": ("aws_iam_role_policy", {"role": "node"}),
    "registry_throttled": ("aws_servicequotas_service_quota", {"service_code": "ecr", "value": 4000}),
    "node_disk_full": (
        "aws_launch_template",
        {
            "block_device_mappings": [
                {
                    "device_name": "/dev/xvda",
                    "ebs": [{"volume_size": 100, "volume_type": "gp3", "encrypted": True}],
                }
            ]
        },
    ),
    "credential_provider_failing": ("aws_eks_node_group", {"ami_type": "AL2023_x86_64_STANDARD"}),
    "proxy_blocks_pull": ("aws_launch_template", {"name_prefix": "nodes-"}),
    "registry_certificate_untrusted": ("aws_launch_template", {"name_prefix": "nodes-"}),
    "node_group_unhealthy": ("aws_iam_role", {"name": "prod-node"}),
    "responder_is_blind": ("aws_cloudtrail", {"enable_logging": True}),
}
"""What each cause's Terraform declares: the type of the resource, and the arguments that are the fix."""

SAID: Final = {
    "role_policy_denies_pull": '"arn:aws:ecr:us-east-1:111111111111:repository/team/app"',
    "permissions_boundary_blocks_pull": '["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]',
    "repository_policy_lacks_grant": '["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]',
    "repository_policy_denies_pull": "ArnNotEquals",
    "registry_policy_denies_pull": "ArnNotEquals",
    "endpoint_policy_blocks_pull": '["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]',
    "s3_endpoint_policy_blocks_layers": LAYERS,
    "role_trust_policy_excludes_service": "ec2.amazonaws.com",
    "pull_through_cache_failing": '["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]',
    "proxy_blocks_pull": "Environment=NO_PROXY=169.254.169.254",
    "registry_certificate_untrusted": "update-ca-trust",
}
"""What stands within an expression of the Terraform, such as jsonencode."""


ELSEWHERE: Final = {
    "aws_vpc_endpoint_policy": ("aws_vpc_endpoint", "`policy` in `aws_vpc_endpoint`"),
    "aws_vpc_endpoint_route_table_association": ("aws_vpc_endpoint", "`route_table_ids`"),
    "aws_vpc_endpoint_subnet_association": ("aws_vpc_endpoint", "`subnet_ids`"),
    "aws_vpc_security_group_egress_rule": ("aws_security_group", "`egress` blocks of `aws_security_group`"),
    "aws_vpc_security_group_ingress_rule": ("aws_security_group", "`ingress` blocks of `aws_security_group`"),
    "aws_network_acl_rule": ("aws_network_acl", "blocks of `aws_network_acl`"),
    "aws_route": ("aws_route_table", "`route` blocks of `aws_route_table`"),
    "aws_iam_role_policy_attachment": ("aws_iam_role", "`aws_iam_role_policy_attachments_exclusive`"),
    "aws_ecr_repository_policy": ("aws_ecr_repository", "A repository has one policy, and this is all of it"),
    "aws_ecr_registry_policy": ("", "Terraform each replace all of it"),
    "aws_ecr_lifecycle_policy": ("aws_ecr_repository", "A repository has one lifecycle policy"),
}
"""What declares a part of a resource: the resource, and the words that say what undoes it (Terraform's docs)."""


@pytest.fixture(scope="module")
def synthesized() -> dict[str, dict[str, Any] | Exception]:
    """The template that each cause's code makes of a stack of its own, or what the code raised."""
    app = cdk.App()
    raised: dict[str, Exception] = {}
    for cause, blocks in PYTHON.items():
        environment = cdk.Environment(account="111111111111", region="us-east-1")
        stack = cdk.Stack(app, cause.replace("_", "-"), env=environment)
        for code in blocks:
            try:
                exec(compile(code, f"{FOLDER}/{cause}.md", "exec"), {"self": stack})  # noqa: S102 -- what is tested
            except Exception as error:  # noqa: BLE001 -- told by the test of that cause
                raised[cause] = error
    stacks = app.synth().stacks
    return {**{stack.stack_name.replace("-", "_"): stack.template for stack in stacks}, **raised}


def test_each_code_says_here_what_it_declares() -> None:
    assert DECLARED.keys() == PYTHON.keys(), "DECLARED has to say what the CDK of each fix declares, and no more"
    assert BLOCKS.keys() == TERRAFORM.keys(), "BLOCKS has to say what the Terraform of each fix declares, and no more"


@pytest.mark.parametrize("cause", PYTHON)
def test_cdk_makes_the_resource(synthesized: dict[str, dict[str, Any] | Exception], cause: str) -> None:
    template = synthesized[cause]
    if isinstance(template, Exception):
        raise template
    resource, properties = DECLARED[cause]
    assertions.Template.from_json(template).has_resource_properties(resource, properties)


@pytest.mark.parametrize("cause", TERRAFORM)
def test_terraform_declares_the_resource(cause: str) -> None:
    resource, arguments = BLOCKS[cause]
    found = [
        body
        for code in TERRAFORM[cause]
        for block in parsed(code).get("resource", [])
        for body in block.get(resource, {}).values()
    ]
    assert any(all(plain(body).get(name) == value for name, value in arguments.items()) for body in found), found
    assert SAID.get(cause, "") in "".join(TERRAFORM[cause])


@pytest.mark.parametrize("cause", TERRAFORM)
def test_what_undoes_the_terraform_is_said(cause: str) -> None:
    declared = {name for code in TERRAFORM[cause] for block in parsed(code).get("resource", []) for name in block}
    text = " ".join(fix_of(cause, ROOT).text.split())
    for name in declared & ELSEWHERE.keys():
        whole, words_of_it = ELSEWHERE[name]
        assert whole in declared or words_of_it in text, f"{FOLDER}/{cause}.md: {name} is undone by another resource"


@pytest.mark.parametrize("wrong", ['resource "aws_vpc" "this" {', 'resource "aws_vpc" "this" { a = }', "a = [1, 2"])
def test_terraform_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(UnexpectedInput):
        parsed(wrong)


@pytest.mark.skipif(not shutil.which("terraform"), reason="Terraform is not installed: it would check the format")
def test_terraform_is_formatted(tmp_path: Path) -> None:
    for cause, blocks in TERRAFORM.items():
        for number, code in enumerate(blocks):
            (tmp_path / f"{cause}_{number}.tf").write_text(code, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 -- the formatter
        ["terraform", "fmt", "-check", "-diff", "-no-color", str(tmp_path)],  # noqa: S607 -- whichever there is
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def parsed(code: str) -> dict[str, Any]:
    return hcl2.loads(code, serialization_options=SerializationOptions(strip_string_quotes=True))


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """Return a block without the parser's own marks, at any depth."""
    return {
        name: [plain(each) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value
        for name, value in body.items()
        if name != "__is_block__"
    }
