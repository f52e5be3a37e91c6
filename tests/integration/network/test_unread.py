"""A read that is refused leaves open what hangs on it, and nothing else; it never counts as passed."""

from __future__ import annotations

import pytest

from tests.integration.network.estate import EMPTY, NetworkEstate, causes, opened

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
POLICIES = {"endpoint_policy_blocks_pull", "s3_endpoint_policy_blocks_layers"}
IDENTITY = {"instance_profile_missing", "role_trust_policy_excludes_service"}
# What depends on whether a name leads to the endpoint in the VPC.
BY_NAME = {"vpc_endpoint_missing", "endpoint_policy_blocks_pull"}
NONE = set[str]()
# For each read: what is left open where it is refused, and where the answer is empty if that differs.
BEHIND_NAT: dict[str, tuple[set[str], set[str]] | set[str]] = {
    "ec2:DescribeRouteTables": {"no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing", *POLICIES},
    "ec2:DescribeNetworkAcls": {"network_acl_blocks_traffic"},
    "ec2:DescribeSecurityGroups": {"security_group_blocks_egress"},
    "ec2:DescribeNatGateways": {"no_route_to_ecr", "nat_gateway_unavailable", "network_acl_blocks_traffic"},
    # No endpoints at all is an answer.
    "ec2:DescribeVpcEndpoints": (ENDPOINTS, NONE),
    "ec2:DescribeVpcAttribute": {"vpc_dns_disabled"},
    "ec2:DescribeVpcs": NONE,
    # It shows whether VPC Block Public Access stops the NAT gateway's traffic.
    "ec2:DescribeSubnets": {"no_route_to_ecr"},
    # An active route says that its gateway is attached, unless EC2 lists no such gateway.
    "ec2:DescribeInternetGateways": (NONE, {"no_route_to_ecr"}),
    "ec2:DescribeEgressOnlyInternetGateways": NONE,
    "ec2:DescribeDhcpOptions": NONE,
    "ec2:DescribePrefixLists": NONE,
    "route53:ListHostedZonesByVPC": NONE,
    # Nothing of a hub is seen here; test_names.py has spokes, and pulls that failed.
    "route53profiles:ListProfileAssociations": NONE,
    "route53resolver:ListResolverRuleAssociations": NONE,
    "route53resolver:ListResolverRules": NONE,
    "iam:GetInstanceProfile": (IDENTITY, NONE),
}
ENDPOINTS_ONLY: dict[str, tuple[set[str], set[str]] | set[str]] = {
    "ec2:DescribeRouteTables": {
        "no_route_to_ecr",
        "nat_gateway_unavailable",
        "public_ip_missing",
        "s3_endpoint_not_in_route_table",
        "s3_endpoint_policy_blocks_layers",
    },
    "ec2:DescribeNetworkAcls": {"network_acl_blocks_traffic"},
    "ec2:DescribeSecurityGroups": {"security_group_blocks_egress", "endpoint_security_group_blocks_ingress"},
    "ec2:DescribeNatGateways": NONE,
    "ec2:DescribeVpcAttribute": {"vpc_dns_disabled"},
    # It says which DHCP options are the VPC's.
    "ec2:DescribeVpcs": BY_NAME,
    "ec2:DescribeSubnets": NONE,
    "ec2:DescribeInternetGateways": NONE,
    "ec2:DescribeNetworkInterfaces": NONE,
    # A set that is not listed is AWS's own.
    "ec2:DescribeDhcpOptions": (BY_NAME, NONE),
    "ec2:DescribePrefixLists": NONE,
    "route53:ListHostedZonesByVPC": NONE,
    "route53profiles:ListProfileAssociations": NONE,
    "route53resolver:ListResolverRuleAssociations": NONE,
    "route53resolver:ListResolverRules": NONE,
}
CASES = [
    *(
        ("behind_nat", action, code)
        for action in BEHIND_NAT
        for code in ("UnauthorizedOperation", "RequestLimitExceeded")
    ),
    *(("behind_nat", action, EMPTY) for action in BEHIND_NAT if action.startswith(("ec2:", "route53:"))),
    *(("endpoints_only", action, code) for action in ENDPOINTS_ONLY for code in ("UnauthorizedOperation", EMPTY)),
]


def left_open(way: str, action: str, code: str) -> set[str]:
    listed = (BEHIND_NAT if way == "behind_nat" else ENDPOINTS_ONLY)[action]
    refused, empty = listed if isinstance(listed, tuple) else (listed, listed)
    return empty if code == EMPTY else refused


@pytest.mark.parametrize(
    ("way", "action", "code"),
    [
        pytest.param(*case, marks=[pytest.mark.cause(cause, "unread") for cause in sorted(left_open(*case))])
        for case in CASES
    ],
)
def test_a_read_that_fails_leaves_open_what_needed_it(estate: NetworkEstate, way: str, action: str, code: str) -> None:
    getattr(estate, way)()
    estate.node()
    diagnosis = estate.ask(denied=[action], code=code).diagnosis
    assert causes(diagnosis) == []
    found_open = {each for each in opened(diagnosis) if each in PATH | ENDPOINTS | IDENTITY}
    assert found_open == left_open(way, action, code)
    assert not found_open & set(diagnosis.passed)
    for cause in found_open - POLICIES:
        assert code == EMPTY or f"{action} failed: {code}" in opened(diagnosis)[cause]


def test_no_endpoints_in_the_answer_is_an_answer_unless_a_route_leads_to_one(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    diagnosis = estate.ask(denied=["ec2:DescribeVpcEndpoints"], code=EMPTY).diagnosis
    assert causes(diagnosis) == []
    assert "has a route to it" in opened(diagnosis)["vpc_endpoint_missing"]
    estate.delete_endpoint("s3")
    assert causes(estate.ask(denied=["ec2:DescribeVpcEndpoints"], code=EMPTY).diagnosis) == ["no_route_to_ecr"]


def test_a_fault_that_needs_no_unread_fact_stays_one(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    estate.delete_endpoint("ecr.dkr")
    diagnosis = estate.diagnose(denied=["ec2:DescribeNetworkAcls", "route53:ListHostedZonesByVPC"])
    assert causes(diagnosis) == ["vpc_endpoint_missing"]
    assert "network_acl_blocks_traffic" in opened(diagnosis)


def test_endpoints_only_without_their_interfaces(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    diagnosis = estate.diagnose(denied=["ec2:DescribeNetworkInterfaces"])
    assert causes(diagnosis) == []
    assert not set(opened(diagnosis)) & {"vpc_endpoint_unavailable", "no_route_to_ecr"}
