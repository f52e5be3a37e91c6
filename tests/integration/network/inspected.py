"""The enterprise, in which all that leaves the spoke goes through the firewall of an inspection VPC first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.integration.network.enterprise import Enterprise, Other, enterprise, other
from tests.integration.network.estate import INTERNET, NetworkEstate

INSPECTION: Final = "555555555555"


@dataclass(slots=True)
class Inspected:
    """The whole estate. `table` is the gateway's route table for what comes from the inspection VPC."""

    whole: Enterprise
    inspection: Other
    table: str = ""
    policy: str = ""
    endpoint: str = ""

    def build(self) -> Inspected:
        whole, there = self.whole, self.inspection
        there.build("50")
        there.attachment = whole._attach(there.ec2, there.vpc, there.entry)
        there.ec2.modify_transit_gateway_vpc_attachment(
            TransitGatewayAttachmentId=there.attachment, Options={"ApplianceModeSupport": "enable"}
        )
        self._build_firewall()
        there.route(there.entry_table, INTERNET, VpcEndpointId=self.endpoint)
        there.route(there.inner_table, INTERNET, TransitGatewayId=whole.gateway)
        self.table = whole._gateway_table()
        whole.owner.ec2.associate_transit_gateway_route_table(
            TransitGatewayAttachmentId=there.attachment, TransitGatewayRouteTableId=self.table
        )
        whole.gateway_route(self.table, INTERNET, whole.out.attachment)
        self._lead_through()
        for attachment in (whole.hub.attachment, whole.attachment):
            whole.propagate(attachment, self.table)
        return self

    def _build_firewall(self) -> None:
        client = self.inspection.client("network-firewall")
        self.policy = client.create_firewall_policy(FirewallPolicyName="central", FirewallPolicy=_settings())[
            "FirewallPolicyResponse"
        ]["FirewallPolicyArn"]
        client.create_firewall(
            FirewallName="central",
            FirewallPolicyArn=self.policy,
            VpcId=self.inspection.vpc,
            SubnetMappings=[{"SubnetId": self.inspection.inner}],
        )
        (state,) = client.describe_firewall(FirewallName="central")["FirewallStatus"]["SyncStates"].values()
        self.endpoint = state["Attachment"]["EndpointId"]

    def _lead_through(self) -> None:
        """Send what comes from the spoke, and what goes back to it, to the inspection VPC."""
        whole, ec2 = self.whole, self.whole.owner.ec2
        ec2.delete_transit_gateway_route(TransitGatewayRouteTableId=whole.spokes, DestinationCidrBlock=INTERNET)
        whole.gateway_route(whole.spokes, INTERNET, self.inspection.attachment)
        for attachment, table in ((whole.hub.attachment, whole.spokes), (whole.attachment, whole.shared)):
            ec2.disable_transit_gateway_route_table_propagation(
                TransitGatewayAttachmentId=attachment, TransitGatewayRouteTableId=table
            )
        whole.gateway_route(whole.shared, "10.0.0.0/16", self.inspection.attachment)

    def allow(self, *domains: str) -> str:
        """Give the policy a list that allows these domains alone. Its ARN."""
        client = self.inspection.client("network-firewall")
        source = {"Targets": list(domains), "TargetTypes": ["TLS_SNI"], "GeneratedRulesType": "ALLOWLIST"}
        home = {"RuleVariables": {"IPSets": {"HOME_NET": {"Definition": ["10.0.0.0/8"]}}}}
        made = client.create_rule_group(
            RuleGroupName="list",
            RuleGroup={"RulesSource": {"RulesSourceList": source}, **home},
            Type="STATEFUL",
            Capacity=100,
        )
        arn: str = made["RuleGroupResponse"]["RuleGroupArn"]
        client.update_firewall_policy(UpdateToken="1", FirewallPolicyArn=self.policy, FirewallPolicy=_settings(arn))
        return arn


def _settings(*groups: str) -> dict[str, Any]:
    return {
        "StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "StatefulRuleGroupReferences": [{"ResourceArn": arn} for arn in groups],
    }


def inspected(estate: NetworkEstate) -> Inspected:
    return Inspected(enterprise(estate), other(INSPECTION, estate.endpoint)).build()
