"""A read that is refused leaves open what hangs on it, and nothing else; it never counts as passed."""

from __future__ import annotations

import pytest

from tests.integration.network.estate import Estate, causes, opened

PATH = {
    "no_route_to_ecr",
    "nat_gateway_unavailable",
    "public_ip_missing",
    "security_group_blocks_egress",
    "network_acl_blocks_traffic",
    "vpc_dns_disabled",
    "vpc_endpoint_missing",
    "vpc_endpoint_unavailable",
    "endpoint_private_dns_disabled",
    "endpoint_security_group_blocks_ingress",
    "s3_endpoint_not_in_route_table",
}
ENDPOINTS = {
    "vpc_endpoint_missing",
    "vpc_endpoint_unavailable",
    "endpoint_private_dns_disabled",
    "endpoint_security_group_blocks_ingress",
    "s3_endpoint_not_in_route_table",
    # Their policies and whether the request passes one.
    "endpoint_policy_blocks_pull",
    "s3_endpoint_policy_blocks_layers",
}
BEHIND_NAT = {
    "ec2:DescribeRouteTables": {
        "no_route_to_ecr",
        "nat_gateway_unavailable",
        "public_ip_missing",
        "endpoint_policy_blocks_pull",
        "s3_endpoint_policy_blocks_layers",
    },
    "ec2:DescribeNetworkAcls": {"network_acl_blocks_traffic"},
    "ec2:DescribeSecurityGroups": {"security_group_blocks_egress"},
    "ec2:DescribeNatGateways": {"no_route_to_ecr", "nat_gateway_unavailable", "network_acl_blocks_traffic"},
    "ec2:DescribeVpcEndpoints": ENDPOINTS,
    "ec2:DescribeVpcAttribute": {"vpc_dns_disabled"},
    "ec2:DescribeSubnets": set[str](),
    "ec2:DescribeInternetGateways": set[str](),
    "ec2:DescribeEgressOnlyInternetGateways": set[str](),
    "ec2:DescribeDhcpOptions": set[str](),
    "ec2:DescribePrefixLists": set[str](),
    "route53:ListHostedZonesByVPC": set[str](),
    "iam:GetInstanceProfile": {"instance_profile_missing", "role_trust_policy_excludes_service"},
}


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded"])
@pytest.mark.parametrize("action", BEHIND_NAT)
def test_behind_nat(estate: Estate, action: str, code: str) -> None:
    estate.behind_nat()
    estate.node()
    operation = action.partition(":")[2]
    diagnosis = estate.ask(denied=[action.partition(":")[0] + ":" + operation], code=code).diagnosis
    assert causes(diagnosis) == []
    left_open = {each for each in opened(diagnosis) if each in PATH | ENDPOINTS | BEHIND_NAT["iam:GetInstanceProfile"]}
    assert left_open == BEHIND_NAT[action]
    assert not left_open & set(diagnosis.passed)
    for cause in left_open - {"endpoint_policy_blocks_pull", "s3_endpoint_policy_blocks_layers"}:
        assert f"{action} failed: {code}" in opened(diagnosis)[cause]


def test_a_fault_that_needs_no_unread_fact_stays_one(estate: Estate) -> None:
    estate.endpoints_only()
    estate.node()
    estate.delete_endpoint("ecr.dkr")
    diagnosis = estate.diagnose(denied=["ec2:DescribeNetworkAcls", "route53:ListHostedZonesByVPC"])
    assert causes(diagnosis) == ["vpc_endpoint_missing"]
    assert "network_acl_blocks_traffic" in opened(diagnosis)


def test_endpoints_only_without_their_interfaces(estate: Estate) -> None:
    estate.endpoints_only()
    estate.node()
    diagnosis = estate.diagnose(denied=["ec2:DescribeNetworkInterfaces"])
    assert causes(diagnosis) == []
    assert not set(opened(diagnosis)) & {"vpc_endpoint_unavailable", "no_route_to_ecr"}
