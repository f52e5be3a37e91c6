"""A firewall between the NAT gateway and the internet gateway of the egress VPC, and the gateway's route table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.network.enterprise import OUT, Enterprise, enterprise
from tests.integration.network.estate import INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.test_enterprise import NO_ROUTE, asked

NAT_BLOCK = "10.200.1.0/24"


@dataclass(slots=True)
class Guarded:
    """The enterprise with that firewall in `subnet`. `association` is that of the internet gateway and its table."""

    whole: Enterprise
    subnet: str = ""
    table: str = ""
    association: str = ""

    def build(self) -> Guarded:
        out = self.whole.out
        made = out.ec2.create_subnet(VpcId=out.vpc, CidrBlock="10.200.2.0/28", AvailabilityZone=f"{REGION}a")
        self.subnet = made["Subnet"]["SubnetId"]
        self.table, edge = (out.ec2.create_route_table(VpcId=out.vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
        out.ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)
        (gateway,) = out.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [out.vpc]}])[
            "InternetGateways"
        ]
        internet = gateway["InternetGatewayId"]
        endpoint = self._firewall(out.client("network-firewall"))
        out.route(self.table, INTERNET, GatewayId=internet)
        out.ec2.delete_route(RouteTableId=out.inner_table, DestinationCidrBlock=INTERNET)
        out.route(out.inner_table, INTERNET, VpcEndpointId=endpoint)
        out.route(edge, NAT_BLOCK, VpcEndpointId=endpoint)
        made = out.ec2.associate_route_table(RouteTableId=edge, GatewayId=internet)
        self.association = made["AssociationId"]
        return self

    def _firewall(self, client: Any) -> str:  # noqa: ANN401 -- one of boto3's clients
        forward = ["aws:forward_to_sfe"]
        settings = {"StatelessDefaultActions": forward, "StatelessFragmentDefaultActions": forward}
        policy = client.create_firewall_policy(FirewallPolicyName="edge", FirewallPolicy=settings)[
            "FirewallPolicyResponse"
        ]["FirewallPolicyArn"]
        client.create_firewall(
            FirewallName="edge",
            FirewallPolicyArn=policy,
            VpcId=self.whole.out.vpc,
            SubnetMappings=[{"SubnetId": self.subnet}],
        )
        (state,) = client.describe_firewall(FirewallName="edge")["FirewallStatus"]["SyncStates"].values()
        endpoint: str = state["Attachment"]["EndpointId"]
        return endpoint


@pytest.fixture
def guarded(estate: NetworkEstate) -> Guarded:
    return Guarded(enterprise(estate)).build()


def test_answers_come_back_by_the_table_of_the_internet_gateway(guarded: Guarded) -> None:
    diagnosis = asked(guarded.whole)
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()


def test_without_that_table_they_pass_by_the_firewall(guarded: Guarded) -> None:
    guarded.whole.out.ec2.disassociate_route_table(AssociationId=guarded.association)
    diagnosis = asked(guarded.whole)
    assert causes(diagnosis) == []
    assert "answers do not, which Network Firewall does not support" in opened(diagnosis)[NO_ROUTE]


def test_no_route_from_the_firewall_to_the_internet_gateway(guarded: Guarded) -> None:
    out = guarded.whole.out
    out.ec2.delete_route(RouteTableId=guarded.table, DestinationCidrBlock=INTERNET)
    finding = only(asked(guarded.whole), NO_ROUTE)
    assert (finding.resource.id, finding.account) == (f"arn:aws:ec2:{REGION}:{OUT}:subnet/{guarded.subnet}", OUT)
    assert {command[2] for command in finding.remediation.commands} == {"create-route"}
    assert "not enough" not in finding.remediation.summary
    guarded.whole.run(finding.remediation)
    assert causes(asked(guarded.whole)) == []
