"""What sends the registry's names to a hub behind a transit gateway, and what can be broken there.

The hub is a VPC of the same account, so that a diagnosis could find it. Nothing of it explains a fault of the spoke.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.integration.network.hub import dns_servers, profile, transit_gateway
from tests.integration.worlds.fault import broken
from tests.integration.worlds.recorded import OURS, REGION
from tests.integration.worlds.statements import deny, policy
from tests.integration.worlds.world import PRIVATE_ELSEWHERE, World

if TYPE_CHECKING:
    from tests.integration.network.estate import NetworkEstate

HUBS: Final = ("profile", "rule", "servers", "zone")
BESIDE_ENDPOINTS: Final = "dkr rule"
"""The hub of a VPC that has endpoints of its own: it answers for ecr.dkr's names alone."""
_DKR, _API = f"dkr.ecr.{REGION}.amazonaws.com", f"api.ecr.{REGION}.amazonaws.com"
_CIDR: Final = "10.100.0.0/16"


def _has_hub(world: World) -> bool:
    return bool(world.hub)


# Nobody sees them from the spoke, and no cause may be told of them.
BREAKS: Final = {
    f"the hub's {what}": broken("", "", where=_has_hub, hub_fault=fault)
    for what, fault in (
        ("endpoint is gone", "no endpoint"),
        ("endpoint lets nobody in", "group"),
        ("endpoint refuses", "policy"),
        ("routes do not lead back", "no way back"),
        ("answers lead nowhere", "names"),
    )
}
READS: Final = (
    "route53:ListResourceRecordSets",
    "route53profiles:ListProfileAssociations",
    "route53resolver:GetResolverRule",
    "route53resolver:ListResolverRuleAssociations",
    "route53resolver:ListResolverRules",
)


@dataclass(slots=True)
class Hubs:
    """Joins VPCs to hubs. Resolver allows few endpoints in an account, so that all its rules share one."""

    _endpoint: str = ""
    _rules: dict[str, str] = field(default_factory=dict)

    def join(self, world: World, estate: NetworkEstate) -> None:
        """Route the VPC to the hub, and let the hub answer for names."""
        if not world.hub:
            return
        _build(world, estate, transit_gateway(estate))
        if world.hub == "profile":
            profile(estate)
        elif world.hub == "servers":
            dns_servers(estate, "10.100.0.2", "10.100.0.3")
        elif world.hub == "zone":
            for name in (_DKR, _API):
                private_zone(estate, name, "" if world.hub_fault == "names" else PRIVATE_ELSEWHERE)
        else:
            self.forward(estate, _DKR if world.hub == BESIDE_ENDPOINTS else f"ecr.{REGION}.amazonaws.com")

    def forward(self, estate: NetworkEstate, domain: str) -> None:
        """Let other DNS servers answer for a domain in the VPC."""
        resolver = estate.client("route53resolver")
        if not self._endpoint:
            self._endpoint = resolver.create_resolver_endpoint(
                CreatorRequestId="worlds",
                Direction="OUTBOUND",
                SecurityGroupIds=[estate.group],
                IpAddresses=[{"SubnetId": estate.a}, {"SubnetId": estate.b}],
            )["ResolverEndpoint"]["Id"]
        if domain not in self._rules:
            self._rules[domain] = resolver.create_resolver_rule(
                CreatorRequestId=domain,
                Name=domain.replace(".", "-"),
                DomainName=domain,
                RuleType="FORWARD",
                ResolverEndpointId=self._endpoint,
                TargetIps=[{"Ip": "10.100.0.2", "Port": 53}],
            )["ResolverRule"]["Id"]
        resolver.associate_resolver_rule(ResolverRuleId=self._rules[domain], Name="hub", VPCId=estate.vpc)


def private_zone(estate: NetworkEstate, name: str, address: str) -> None:
    """A private hosted zone of the VPC, with a record that leads all names to an address, if there is one."""
    route53 = estate.client("route53")
    zone = route53.create_hosted_zone(
        Name=name,
        CallerReference=f"{estate.name}-{name}",
        VPC={"VPCRegion": REGION, "VPCId": estate.vpc},
        HostedZoneConfig={"PrivateZone": True},
    )["HostedZone"]["Id"]
    records = [{"Name": f"*.{name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}]
    changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in records if address]
    if changes:
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _build(world: World, estate: NetworkEstate, gateway: str) -> None:
    """The hub's own VPC, attached to the transit gateway, with endpoints of ECR."""
    ec2, fault = estate.ec2, world.hub_fault
    vpc = ec2.create_vpc(CidrBlock=_CIDR)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.100.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
    if fault != "no way back":
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/16", TransitGatewayId=gateway)
    group = ec2.create_security_group(GroupName=f"{estate.name}-hub", Description="hub", VpcId=vpc)["GroupId"]
    if fault != "group":
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    refused = {"PolicyDocument": policy(deny("ecr:*", Principal={"AWS": OURS}))} if fault == "policy" else {}
    for service in ("ecr.api", "ecr.dkr") if fault != "no endpoint" else ():
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            SubnetIds=[subnet],
            SecurityGroupIds=[group],
            PrivateDnsEnabled=False,
            **refused,
        )
