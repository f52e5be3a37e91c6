"""Ways over an inspection VPC in an account of its own: its faults, its fixes, and what cannot be read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.network.enterprise import GATEWAY
from tests.integration.network.estate import INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.inspected import INSPECTION, Inspected, inspected
from tests.integration.network.test_enterprise import ACL, NO_ROUTE, TGW, asked, dialled

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis

FIREWALL = "network_firewall_blocks_registry"


@pytest.fixture
def through(estate: NetworkEstate) -> Inspected:
    return inspected(estate)


def test_nothing_is_wrong_over_the_inspection_and_the_egress_vpc(through: Inspected) -> None:
    diagnosis = asked(through.whole)
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert {TGW, ACL, NO_ROUTE, FIREWALL} <= set(diagnosis.passed)


def test_nothing_is_wrong_on_the_way_to_the_hubs_endpoint(through: Inspected) -> None:
    diagnosis = dialled(through.whole, through.whole.address_of("ecr.dkr"))
    assert causes(diagnosis) == []
    assert FIREWALL in diagnosis.passed


def test_a_list_of_the_central_firewall(through: Inspected) -> None:
    arn = through.allow(".example.com")
    finding = only(asked(through.whole), FIREWALL)
    assert (finding.resource.id, finding.account) == (arn, INSPECTION)


def test_no_route_to_the_firewall(through: Inspected) -> None:
    there = through.inspection
    there.ec2.delete_route(RouteTableId=there.entry_table, DestinationCidrBlock=INTERNET)
    finding = only(asked(through.whole), NO_ROUTE)
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{INSPECTION}:subnet/{there.entry}"
    assert finding.account == finding.remediation.account == INSPECTION
    assert "over the transit gateway to the VPC that has one" in finding.remediation.summary


def test_no_way_back_over_the_inspection_vpc_needs_a_static_route(through: Inspected) -> None:
    whole = through.whole
    whole.owner.ec2.delete_transit_gateway_route(
        TransitGatewayRouteTableId=whole.shared, DestinationCidrBlock="10.0.0.0/16"
    )
    finding = only(asked(whole), TGW)
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{GATEWAY}:transit-gateway-route-table/{whole.shared}"
    (command,) = finding.remediation.commands
    assert command[2] == "create-transit-gateway-route"
    assert through.inspection.attachment in command
    assert "not enough" not in finding.remediation.summary
    whole.run(finding.remediation)
    assert causes(asked(whole)) == []


def test_no_way_back_to_the_spoke_behind_the_firewall(through: Inspected) -> None:
    whole = through.whole
    address = whole.address_of("ecr.dkr")
    whole.owner.ec2.disable_transit_gateway_route_table_propagation(
        TransitGatewayRouteTableId=through.table, TransitGatewayAttachmentId=whole.attachment
    )
    whole.owner.ec2.delete_transit_gateway_route(
        TransitGatewayRouteTableId=through.table, DestinationCidrBlock=INTERNET
    )
    finding = next(each for each in dialled(whole, address).findings if each.cause == TGW)
    assert finding.resource.id.endswith(f":transit-gateway-route-table/{through.table}")
    (command,) = finding.remediation.commands
    assert command[2] == "enable-transit-gateway-route-table-propagation"
    whole.run(finding.remediation)
    assert TGW not in causes(dialled(whole, address))


def test_answers_past_the_firewall_are_open(through: Inspected) -> None:
    whole = through.whole
    whole.owner.ec2.delete_transit_gateway_route(
        TransitGatewayRouteTableId=whole.shared, DestinationCidrBlock="10.0.0.0/16"
    )
    whole.propagate(whole.attachment, whole.shared)
    diagnosis = asked(whole)
    assert causes(diagnosis) == []
    assert "another way than the requests came" in opened(diagnosis)[TGW]


def test_a_loop_is_open(through: Inspected) -> None:
    whole = through.whole
    whole.owner.ec2.delete_transit_gateway_route(
        TransitGatewayRouteTableId=through.table, DestinationCidrBlock=INTERNET
    )
    whole.gateway_route(through.table, INTERNET, whole.attachment)
    diagnosis = asked(whole)
    assert causes(diagnosis) == []
    assert f"not followed into {whole.spoke.vpc}: it comes back there" in opened(diagnosis)[NO_ROUTE]


def _open_in(diagnosis: Diagnosis, account: str) -> bool:
    return f"arn:aws:iam::{account}:role/PullResponderReadOnly" in " ".join(opened(diagnosis).values())


def test_an_account_without_the_member_role_is_named_and_what_is_before_it_is_found(through: Inspected) -> None:
    diagnosis = asked(through.whole, no_role_in=INSPECTION)
    assert causes(diagnosis) == []
    assert _open_in(diagnosis, INSPECTION)
    whole = through.whole
    whole.owner.ec2.disassociate_transit_gateway_route_table(
        TransitGatewayRouteTableId=whole.spokes, TransitGatewayAttachmentId=whole.attachment
    )
    assert causes(asked(whole, no_role_in=INSPECTION)) == [TGW]
