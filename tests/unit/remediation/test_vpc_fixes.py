"""Fixes to a VPC: what people read, and what they paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.remediation import ec2
from pull_responder.remediation.ec2 import Where
from pull_responder.remediation.shell import render
from tests.unit.remediation.fixes import ACCOUNT, REGION, Told, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.verdict import Remediation

WHERE = Where(ACCOUNT, REGION)
SERVICE = "com.amazonaws.eu-west-1.ecr.api"
S3 = "com.amazonaws.eu-west-1.s3"

EC2, VPC = "AWSEC2/latest/UserGuide/", "vpc/latest/userguide/"
RULES = f"{VPC}security-group-rules.html"
ENTRIES = f"{VPC}nacl-rules.html"
ENDPOINTS = "AmazonECR/latest/userguide/vpc-endpoints.html"
ROUTES = f"{VPC}VPC_Route_Tables.html"
METADATA = f"{EC2}configuring-IMDS-existing-instances.html"

FIXES: dict[str, tuple[Callable[[], Remediation], Told]] = {
    "a rule out": (
        lambda: ec2.allow_https(WHERE, group_id="sg-9", peer="10.0.0.0/8", egress=True),
        (
            "Add a rule to the security group sg-9 that allows TCP 443 to 10.0.0.0/8.",
            RULES,
            [
                (
                    "aws ec2 authorize-security-group-egress --group-id sg-9 --ip-permissions "
                    """'[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, """
                    """"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]' --region eu-west-1"""
                )
            ],
        ),
    ),
    "a rule in, from a group of another account": (
        lambda: ec2.allow_https(WHERE, group_id="sg-9", peer="sg-1", egress=False, peer_account="222222222222"),
        (
            "Add a rule to the security group sg-9 that allows TCP 443 from sg-1.",
            RULES,
            [
                (
                    "aws ec2 authorize-security-group-ingress --group-id sg-9 --ip-permissions "
                    """'[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": """
                    """[{"GroupId": "sg-1", "UserId": "222222222222"}]}]' --region eu-west-1"""
                )
            ],
        ),
    ),
    "an entry in": (
        lambda: ec2.allow_entry(
            WHERE, acl_id="acl-1", egress=False, ports=(1024, 65535), cidr="::/0", before=100, number=99
        ),
        (
            "In the network ACL acl-1, allow TCP 1024-65535 ingress from ::/0, ahead of entry 100.",
            ENTRIES,
            [
                (
                    "aws ec2 create-network-acl-entry --network-acl-id acl-1 --rule-number 99 --protocol 6 "
                    "--port-range From=1024,To=65535 --rule-action allow --ipv6-cidr-block ::/0 --region eu-west-1 "
                    "--ingress"
                )
            ],
        ),
    ),
    "an entry out": (
        lambda: ec2.allow_entry(
            WHERE, acl_id="acl-1", egress=True, ports=(443, 443), cidr="0.0.0.0/0", before=100, number=99
        ),
        (
            "In the network ACL acl-1, allow TCP 443 egress to 0.0.0.0/0, ahead of entry 100.",
            ENTRIES,
            [
                (
                    "aws ec2 create-network-acl-entry --network-acl-id acl-1 --rule-number 99 --protocol 6 "
                    "--port-range From=443,To=443 --rule-action allow --cidr-block 0.0.0.0/0 --region eu-west-1 "
                    "--egress"
                )
            ],
        ),
    ),
    "no entry is free": (
        lambda: ec2.allow_entry(
            WHERE, acl_id="acl-1", egress=True, ports=(443, 443), cidr="0.0.0.0/0", before=1, number=None
        ),
        (
            (
                "In the network ACL acl-1, allow TCP 443 egress to 0.0.0.0/0, ahead of entry 1. No entry number below "
                "1 is free: renumber the entries first."
            ),
            ENTRIES,
            [],
        ),
    ),
    "one endpoint": (
        lambda: ec2.create_endpoints(WHERE, vpc_id="vpc-1", services=(SERVICE,), commands=[("aws", "ec2", "x")]),
        (f"Create the VPC endpoint {SERVICE} in vpc-1.", ENDPOINTS, ["aws ec2 x"]),
    ),
    "two endpoints": (
        lambda: ec2.create_endpoints(WHERE, vpc_id="vpc-1", services=(SERVICE, S3), commands=[("a",), ("b",)]),
        (f"Create the VPC endpoints {SERVICE}, {S3} in vpc-1.", ENDPOINTS, ["a", "b"]),
    ),
    "no private DNS": (
        lambda: ec2.enable_private_dns(WHERE, endpoint_id="vpce-1"),
        (
            "Turn on private DNS for the endpoint vpce-1.",
            ENDPOINTS,
            ["aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1 --region eu-west-1 --private-dns-enabled"],
        ),
    ),
    "private DNS for others only": (
        lambda: ec2.answer_vpc_queries(WHERE, endpoint_id="vpce-1"),
        (
            "Make the private DNS of the endpoint vpce-1 also answer queries from the VPC.",
            ENDPOINTS,
            [
                (
                    "aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1 --dns-options "
                    "PrivateDnsOnlyForInboundResolverEndpoint=false --region eu-west-1"
                )
            ],
        ),
    ),
    "a gateway without a route": (
        lambda: ec2.add_to_route_table(WHERE, endpoint_id="vpce-1", route_table_id="rtb-1"),
        (
            "Add the gateway endpoint vpce-1 to the route table rtb-1.",
            "vpc/latest/privatelink/vpc-endpoints-s3.html",
            [
                "aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1 --add-route-table-ids rtb-1 --region eu-west-1",
            ],
        ),
    ),
    "no DNS": (
        lambda: ec2.enable_dns(WHERE, vpc_id="vpc-1", attributes=("enableDnsSupport", "enableDnsHostnames")),
        (
            "Turn on enableDnsSupport and enableDnsHostnames of vpc-1.",
            f"{VPC}AmazonDNS-concepts.html",
            [
                "aws ec2 modify-vpc-attribute --vpc-id vpc-1 --region eu-west-1 --enable-dns-support Value=true",
                "aws ec2 modify-vpc-attribute --vpc-id vpc-1 --region eu-west-1 --enable-dns-hostnames Value=true",
            ],
        ),
    ),
    "no route": (
        lambda: ec2.route_to(WHERE, route_table_id="rtb-1", target="nat-1", replace=False, destination="0.0.0.0/0"),
        (
            "In the route table rtb-1, route 0.0.0.0/0 to nat-1.",
            ROUTES,
            [
                (
                    "aws ec2 create-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "
                    "nat-1 --region eu-west-1"
                )
            ],
        ),
    ),
    "a route to nowhere": (
        lambda: ec2.route_to(WHERE, route_table_id="rtb-1", target="igw-1-a", replace=True, destination="0.0.0.0/0"),
        (
            "In the route table rtb-1, route 0.0.0.0/0 to igw-1-a.",
            ROUTES,
            [
                (
                    "aws ec2 replace-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 --gateway-id "
                    "igw-1-a --region eu-west-1"
                )
            ],
        ),
    ),
    "no route of IPv6": (
        lambda: ec2.route_to(WHERE, route_table_id="rtb-1", target="eigw-1", replace=False, destination="::/0"),
        (
            "In the route table rtb-1, route ::/0 to eigw-1.",
            ROUTES,
            [
                (
                    "aws ec2 create-route --route-table-id rtb-1 --destination-ipv6-cidr-block ::/0 "
                    "--egress-only-internet-gateway-id eigw-1 --region eu-west-1"
                )
            ],
        ),
    ),
    "a route to a firewall's endpoint": (
        lambda: ec2.route_to(WHERE, route_table_id="rtb-1", target="vpce-1", replace=False, destination="10.0.0.0/16"),
        (
            "In the route table rtb-1, route 10.0.0.0/16 to vpce-1.",
            ROUTES,
            [
                (
                    "aws ec2 create-route --route-table-id rtb-1 --destination-cidr-block 10.0.0.0/16 "
                    "--vpc-endpoint-id vpce-1 --region eu-west-1"
                )
            ],
        ),
    ),
    "a route of a transit gateway": (
        lambda: ec2.route_to_attachment(
            WHERE, table_id="tgw-rtb-1", attachment_id="tgw-attach-1", destination="10.0.0.0/16"
        ),
        (
            "In the transit gateway route table tgw-rtb-1, route 10.0.0.0/16 to tgw-attach-1.",
            "vpc/latest/tgw/tgw-route-tables.html",
            [
                (
                    "aws ec2 create-transit-gateway-route --destination-cidr-block 10.0.0.0/16 "
                    "--transit-gateway-route-table-id tgw-rtb-1 --transit-gateway-attachment-id tgw-attach-1 "
                    "--region eu-west-1"
                )
            ],
        ),
    ),
    "no public address": (
        lambda: ec2.assign_public_addresses(WHERE, subnet_id="subnet-1"),
        (
            (
                "Turn on automatic public IPv4 addresses in subnet-1 and replace its nodes, or move the nodes to "
                "private subnets that route to a NAT gateway."
            ),
            f"{VPC}VPC_Internet_Gateway.html",
            [
                "aws ec2 modify-subnet-attribute --subnet-id subnet-1 --region eu-west-1 --map-public-ip-on-launch",
            ],
        ),
    ),
    "an endpoint in other zones": (
        lambda: ec2.add_endpoint_subnets(WHERE, endpoint_id="vpce-1", subnet_ids=("subnet-1", "subnet-2")),
        (
            "Add subnets to the endpoint vpce-1.",
            ENDPOINTS,
            [
                (
                    "aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1 --region eu-west-1 --add-subnet-ids subnet-1 "
                    "subnet-2"
                )
            ],
        ),
    ),
    "no metadata": (
        lambda: ec2.enable_metadata(WHERE, instance_ids=("i-1", "i-2"), template_id="lt-1"),
        (
            (
                "Turn on the instance metadata endpoint of the instances i-1, i-2. Also set HttpEndpoint to enabled in "
                "the launch template lt-1."
            ),
            METADATA,
            [
                "aws ec2 modify-instance-metadata-options --instance-id i-1 --http-endpoint enabled --region eu-west-1",
                "aws ec2 modify-instance-metadata-options --instance-id i-2 --http-endpoint enabled --region eu-west-1",
            ],
        ),
    ),
    "no metadata, nodes not known": (
        lambda: ec2.enable_metadata(WHERE, instance_ids=(), template_id=None),
        ("Turn on the instance metadata endpoint of nodes.", METADATA, []),
    ),
}


@pytest.mark.parametrize(("fix", "expected"), FIXES.values(), ids=FIXES)
def test_fix(fix: Callable[[], Remediation], expected: Told) -> None:
    assert told(fix()) == expected


@pytest.mark.parametrize(("groups", "option"), [((), ""), (("sg-1", "sg-2"), " --security-group-ids sg-1 sg-2")])
def test_an_interface_endpoint_has_private_dns(groups: tuple[str, ...], option: str) -> None:
    command = ec2.create_interface_endpoint(
        WHERE, vpc_id="vpc-1", service=SERVICE, subnet_ids=("subnet-1", "subnet-2"), group_ids=groups
    )
    assert render(command) == (
        f"aws ec2 create-vpc-endpoint --vpc-id vpc-1 --vpc-endpoint-type Interface --service-name {SERVICE} "
        f"--region eu-west-1 --private-dns-enabled --subnet-ids subnet-1 subnet-2{option}"
    )


def test_a_gateway_endpoint_is_added_to_the_route_tables() -> None:
    command = ec2.create_gateway_endpoint(WHERE, vpc_id="vpc-1", service=S3, route_table_ids=("rtb-1", "rtb-2"))
    assert render(command) == (
        f"aws ec2 create-vpc-endpoint --vpc-id vpc-1 --vpc-endpoint-type Gateway --service-name {S3} "
        "--region eu-west-1 --route-table-ids rtb-1 rtb-2"
    )
