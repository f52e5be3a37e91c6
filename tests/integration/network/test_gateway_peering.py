"""An egress VPC behind a second transit gateway: in another account and another region, joined by peering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pytest

from tests.integration.network.enterprise import GATEWAY, OUT, SPOKES, Enterprise, Other, enterprise, other
from tests.integration.network.estate import INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.test_enterprise import NO_ROUTE, TGW, asked

FAR: Final = "666666666666"
FAR_REGION: Final = "us-west-2"


@dataclass(slots=True)
class Peered:
    """The enterprise with a second gateway. `enters` and `leaves` are its tables: for the peering, and for the VPC."""

    whole: Enterprise
    far: Other
    out: Other
    gateway: str = ""
    enters: str = ""
    leaves: str = ""
    peering: str = ""

    def build(self, *, accepted: bool = True) -> Peered:
        options = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
        made = self.far.ec2.create_transit_gateway(Options=options)
        self.gateway = made["TransitGateway"]["TransitGatewayId"]
        self.enters, self.leaves = (self._table() for _ in range(2))
        self._build_out()
        self._peer(accepted=accepted)
        owner = self.whole.owner.ec2
        owner.delete_transit_gateway_route(TransitGatewayRouteTableId=self.whole.spokes, DestinationCidrBlock=INTERNET)
        self.whole.gateway_route(self.whole.spokes, INTERNET, self.peering)
        self.far_route(self.enters, INTERNET, self.out.attachment)
        self.far_route(self.leaves, "10.0.0.0/16", self.peering)
        return self

    def _table(self) -> str:
        made = self.far.ec2.create_transit_gateway_route_table(TransitGatewayId=self.gateway)
        table: str = made["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
        return table

    def far_route(self, table: str, destination: str, attachment: str) -> None:
        self.far.ec2.create_transit_gateway_route(
            TransitGatewayRouteTableId=table, DestinationCidrBlock=destination, TransitGatewayAttachmentId=attachment
        )

    def _build_out(self) -> None:
        out = self.out
        out.build("201")
        made = out.ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=self.gateway, VpcId=out.vpc, SubnetIds=[out.entry]
        )
        out.attachment = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        gateway = out.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        out.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=out.vpc)
        out.route(out.inner_table, INTERNET, GatewayId=gateway)
        out.route(out.inner_table, SPOKES, TransitGatewayId=self.gateway)
        address = out.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = out.ec2.create_nat_gateway(SubnetId=out.inner, AllocationId=address)["NatGateway"]["NatGatewayId"]
        out.route(out.entry_table, INTERNET, NatGatewayId=nat)
        self.far.ec2.associate_transit_gateway_route_table(
            TransitGatewayAttachmentId=out.attachment, TransitGatewayRouteTableId=self.leaves
        )

    def _peer(self, *, accepted: bool) -> None:
        made = self.whole.owner.ec2.create_transit_gateway_peering_attachment(
            TransitGatewayId=self.whole.gateway,
            PeerTransitGatewayId=self.gateway,
            PeerAccountId=FAR,
            PeerRegion=FAR_REGION,
        )
        self.peering = made["TransitGatewayPeeringAttachment"]["TransitGatewayAttachmentId"]
        if accepted:
            self.far.ec2.accept_transit_gateway_peering_attachment(TransitGatewayAttachmentId=self.peering)
        for ec2, table in ((self.whole.owner.ec2, self.whole.shared), (self.far.ec2, self.enters)):
            ec2.associate_transit_gateway_route_table(
                TransitGatewayAttachmentId=self.peering, TransitGatewayRouteTableId=table
            )


def peered(estate: NetworkEstate, *, accepted: bool = True) -> Peered:
    far, out = (replace(other(each, estate.endpoint), region=FAR_REGION) for each in (FAR, OUT))
    return Peered(enterprise(estate), far, out).build(accepted=accepted)


def test_nothing_is_wrong_over_both_gateways(estate: NetworkEstate) -> None:
    diagnosis = asked(peered(estate).whole)
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert {TGW, NO_ROUTE} <= set(diagnosis.passed)


def test_a_peering_that_nobody_has_accepted(estate: NetworkEstate) -> None:
    found = peered(estate, accepted=False)
    finding = only(asked(found.whole), TGW)
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{GATEWAY}:transit-gateway-attachment/{found.peering}"
    assert "is in state pendingAcceptance" in " ".join(finding.evidence) or "pendingAcceptance" in finding.explanation
    found.far.ec2.accept_transit_gateway_peering_attachment(TransitGatewayAttachmentId=found.peering)
    assert causes(asked(found.whole)) == []


def test_no_way_back_at_the_other_gateway_needs_a_static_route_there(estate: NetworkEstate) -> None:
    found = peered(estate)
    found.far.ec2.delete_transit_gateway_route(
        TransitGatewayRouteTableId=found.leaves, DestinationCidrBlock="10.0.0.0/16"
    )
    finding = only(asked(found.whole), TGW)
    assert finding.resource.id == f"arn:aws:ec2:{FAR_REGION}:{FAR}:transit-gateway-route-table/{found.leaves}"
    remediation = finding.remediation
    assert (finding.account, remediation.account, remediation.region) == (FAR, FAR, FAR_REGION)
    (command,) = remediation.commands
    assert command[2:] == (
        "create-transit-gateway-route",
        *("--destination-cidr-block", "10.0.0.0/16"),
        *("--transit-gateway-route-table-id", found.leaves),
        *("--transit-gateway-attachment-id", found.peering),
        *("--region", FAR_REGION),
    )
    assert "not enough" not in remediation.summary


def test_no_route_at_the_other_gateway(estate: NetworkEstate) -> None:
    found = peered(estate)
    found.far.ec2.delete_transit_gateway_route(TransitGatewayRouteTableId=found.enters, DestinationCidrBlock=INTERNET)
    finding = only(asked(found.whole), TGW)
    assert finding.resource.id == f"arn:aws:ec2:{FAR_REGION}:{FAR}:transit-gateway-route-table/{found.enters}"


def test_no_way_back_from_the_nat_gateway_of_the_other_region(estate: NetworkEstate) -> None:
    found = peered(estate)
    found.out.ec2.delete_route(RouteTableId=found.out.inner_table, DestinationCidrBlock=SPOKES)
    finding = only(asked(found.whole), NO_ROUTE)
    assert finding.resource.id == f"arn:aws:ec2:{FAR_REGION}:{OUT}:subnet/{found.out.inner}"


@pytest.mark.parametrize("account", [FAR, OUT])
def test_an_account_without_the_member_role_is_named(estate: NetworkEstate, account: str) -> None:
    diagnosis = asked(peered(estate).whole, no_role_in=account)
    assert causes(diagnosis) == []
    assert f"arn:aws:iam::{account}:role/PullResponderReadOnly" in " ".join(opened(diagnosis).values())


def test_peerings_that_cannot_be_read_are_open_by_the_action(estate: NetworkEstate) -> None:
    diagnosis = asked(peered(estate).whole, denied=("ec2:DescribeTransitGatewayPeeringAttachments",))
    assert causes(diagnosis) == []
    assert "ec2:DescribeTransitGatewayPeeringAttachments" in opened(diagnosis)[TGW]
