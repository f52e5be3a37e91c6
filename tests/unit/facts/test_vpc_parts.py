"""The parts of a VPC as EC2 answers, where no emulator has them: propagated routes, regional NAT gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace, read_nat_gateways, read_route_tables
from pull_responder.model.unread import Unread
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

PLACE = VpcPlace(ACCOUNT, REGION, "vpc-1")


def answer(watched: Watched, operation: str, **fields: Any) -> Reader:  # noqa: ANN401 -- JSON
    """A reader to whom EC2 answers this."""

    def said(**_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
        return AWSResponse("", 200, HTTPHeaders(), None), {**fields, "ResponseMetadata": {"RequestId": "1"}}

    watched.session.events.register(f"before-call.ec2.{operation}", said)
    return Reader(watched.aws)


def test_of_routes_to_one_block_the_static_one_comes_first_and_the_propagated_one_last(watched: Watched) -> None:
    block = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active"}
    routes = [
        {**block, "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
        {"DestinationPrefixListId": "pl-1", "TransitGatewayId": "tgw-1", "State": "active", "Origin": "CreateRoute"},
        {**block, "NatGatewayId": "nat-1", "Origin": "CreateRoute"},
    ]
    table = {"RouteTableId": "rtb-1", "Routes": routes, "Associations": [{"SubnetId": "subnet-1"}]}
    found = read_route_tables(answer(watched, "DescribeRouteTables", RouteTables=[table]), PLACE)
    assert not isinstance(found, Unread)
    assert [each.target for each in found.by_subnet["subnet-1"].routes] == ["nat-1", "tgw-1", "vgw-1"]


@pytest.mark.parametrize(
    ("mode", "provision", "zones"),
    [
        ("regional", "disabled", ("us-east-1a", "use1-az1", "us-east-1b")),
        ("regional", "enabled", ()),
        ("zonal", "disabled", ()),
    ],
)
def test_the_zones_of_a_regional_nat_gateway_that_are_kept_by_hand(
    watched: Watched, mode: str, provision: str, zones: tuple[str, ...]
) -> None:
    addresses = [
        {"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az1", "PublicIp": "54.1.2.3"},
        {"AvailabilityZone": "us-east-1b", "PublicIp": "54.1.2.4"},
    ]
    gateway = {
        "NatGatewayId": "nat-1",
        "State": "available",
        "AvailabilityMode": mode,
        "AutoProvisionZones": provision,
        "NatGatewayAddresses": addresses,
        **({"SubnetId": "subnet-1"} if mode == "zonal" else {}),
    }
    found = read_nat_gateways(answer(watched, "DescribeNatGateways", NatGateways=[gateway]), PLACE)
    assert not isinstance(found, Unread)
    assert found["nat-1"].zones == zones
    assert found["nat-1"].public_addresses == ("54.1.2.3", "54.1.2.4")
