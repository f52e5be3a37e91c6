"""Parts of a VPC that lack what they always have: they are not read, rather than taken for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts import vpc
from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.unread import Unread
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.facts.conftest import Watched

PLACE: Final = VpcPlace(ACCOUNT, REGION, "vpc-1")
WITHOUT: Final[dict[str, tuple[str, dict[str, Any], Callable[[Reader], object], str]]] = {
    "a route without a destination": (
        "DescribeRouteTables",
        {"RouteTables": [{"RouteTableId": "rtb-1", "Routes": [{"GatewayId": "igw-1", "State": "active"}]}]},
        lambda reader: vpc.read_route_tables(reader, PLACE),
        "the destination of a route",
    ),
    "an entry of a network ACL without a block": (
        "DescribeNetworkAcls",
        {
            "NetworkAcls": [
                {"NetworkAclId": "acl-1", "Entries": [{"RuleNumber": 1, "RuleAction": "deny", "Egress": True}]}
            ]
        },
        lambda reader: vpc.read_network_acls(reader, PLACE),
        "the block of an entry of a network ACL",
    ),
    "an internet gateway that is attached to no VPC": (
        "DescribeInternetGateways",
        {"InternetGateways": [{"InternetGatewayId": "igw-1", "Attachments": [{"State": "available"}]}]},
        lambda reader: vpc.read_internet_gateways(reader, PLACE),
        "what it should hold",
    ),
    "a NAT gateway of one zone without a subnet": (
        "DescribeNatGateways",
        {"NatGateways": [{"NatGatewayId": "nat-1", "State": "available", "AvailabilityMode": "zonal"}]},
        lambda reader: vpc.read_nat_gateways(reader, PLACE),
        "what it should hold",
    ),
}


def read(watched: Watched, operation: str, answer: dict[str, Any], call: Callable[[Reader], object]) -> object:
    def give(**_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
        return AWSResponse("", 200, HTTPHeaders(), None), {**answer, "ResponseMetadata": {"RequestId": "1"}}

    watched.session.events.register(f"before-call.ec2.{operation}", give)
    return call(Reader(watched.aws))


@pytest.mark.parametrize("name", WITHOUT)
def test_it_is_not_read(watched: Watched, name: str) -> None:
    operation, answer, call, missing = WITHOUT[name]
    found = read(watched, operation, answer, call)
    assert isinstance(found, Unread)
    assert f"ec2:{operation} failed" in found.reason
    assert f"the answer lacks {missing}" in found.reason


def test_a_regional_nat_gateway_has_no_subnet(watched: Watched) -> None:
    answer = {"NatGateways": [{"NatGatewayId": "nat-1", "State": "available", "AvailabilityMode": "regional"}]}
    found = read(watched, "DescribeNatGateways", answer, lambda reader: vpc.read_nat_gateways(reader, PLACE))
    assert isinstance(found, dict)
    assert found["nat-1"].subnet_id is None
