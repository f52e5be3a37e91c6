"""The estate of `enterprise`, in which all that leaves the spoke first goes through an inspection VPC.

The gateway sends what comes from the spoke to the inspection VPC. There a firewall has an endpoint in each of two
zones. Its subnets lead back to the gateway, and on to the hub or the egress VPC. Answers come the same way.
"""

from __future__ import annotations

from dataclasses import replace

from pull_responder.network import (
    Attachment,
    Firewall,
    Network,
    Route,
    RouteTable,
    Subnet,
    TransitGateway,
    Unread,
    Vpc,
)
from pull_responder.network.firewall_rules import DomainList, FirewallPolicy, RuleGroup
from tests.unit.network.enterprise import GATEWAY, ZONE_A, ZONE_B, Enterprise, enterprise
from tests.unit.network.estate import ALLOW_ALL, REGION

INSPECTION, FAR_GATEWAY = "555555555555", "666666666666"
FAR_REGION = "eu-central-1"
ARN = f"arn:aws:network-firewall:{REGION}:{INSPECTION}"
TO_TGW = Route("0.0.0.0/0", "tgw-1")
LOCAL = Route("10.50.0.0/16", "local")
ZONE_IDS = {ZONE_A: "euw1-az1", ZONE_B: "euw1-az2"}


def allowing(*domains: str) -> FirewallPolicy:
    listed = RuleGroup(
        f"{ARN}:stateful-rulegroup/list", DomainList("ALLOWLIST", frozenset(domains)), (), home_net=("10.0.0.0/8",)
    )
    return FirewallPolicy(
        f"{ARN}:firewall-policy/all", groups=(listed,), stateless=("aws:forward_to_sfe",), stateful=()
    )


def inspection_vpc(policy: FirewallPolicy | None = None) -> Network:
    subnets, tables = {}, {}
    for name, zone, number in (("a", ZONE_A, 0), ("b", ZONE_B, 1)):
        for kind, third in (("tgw", 0), ("fw", 1)):
            subnet = f"subnet-insp-{kind}-{name}"
            block = f"10.50.{third}.{16 * number}/28"
            subnets[subnet] = Subnet(subnet, (block,), zone, zone_id=ZONE_IDS[zone])
            onward = TO_TGW if kind == "fw" else Route("0.0.0.0/0", f"vpce-{name}")
            tables[subnet] = RouteTable(f"rtb-insp-{kind}-{name}", (LOCAL, onward))
    endpoints = {"vpce-a": "subnet-insp-fw-a", "vpce-b": "subnet-insp-fw-b"}
    firewall = Firewall(f"{ARN}:firewall/central", endpoints, policy or allowing(".amazonaws.com"))
    return Network(
        REGION,
        Vpc("vpc-insp", ("10.50.0.0/16",), owner=INSPECTION),
        account=INSPECTION,
        subnets=subnets,
        route_tables=tables,
        network_acls=dict.fromkeys(subnets, ALLOW_ALL),
        firewalls=(firewall,),
    )


OF_INSPECTION = Attachment(
    "tgw-attach-insp",
    "tgw-1",
    GATEWAY,
    resource_id="vpc-insp",
    owner=INSPECTION,
    table_id="tgw-rtb-inspected",
    association="associated",
    subnet_ids=("subnet-insp-tgw-a", "subnet-insp-tgw-b"),
    appliance_mode=True,
)
INSPECTED = (
    Route("0.0.0.0/0", "tgw-attach-out"),
    Route("10.100.0.0/16", "tgw-attach-hub"),
    Route("10.0.0.0/16", "tgw-attach-spoke"),
)


def inspected(policy: FirewallPolicy | None = None) -> Enterprise:
    estate = enterprise().table("spokes", Route("0.0.0.0/0", "tgw-attach-insp"))
    estate = estate.table("inspected", *INSPECTED).table("shared", Route("10.0.0.0/16", "tgw-attach-insp"))
    vpcs = {**estate._vpcs(), "vpc-insp": inspection_vpc(policy)}
    estate = replace(estate, vpcs=vpcs, attachments=(*estate.attachments, OF_INSPECTION))
    return with_zone_ids(estate)


def with_zone_ids(estate: Enterprise) -> Enterprise:
    """Return the estate in which all subnets have the ids of their zones."""

    def known(subnets: object) -> dict[str, Subnet]:
        assert isinstance(subnets, dict)
        return {key: replace(each, zone_id=ZONE_IDS.get(each.availability_zone, "")) for key, each in subnets.items()}

    vpcs = {
        key: each if isinstance(each, Unread) else replace(each, subnets=known(each.subnets))
        for key, each in estate._vpcs().items()
    }
    spoke = estate.spoke.with_facts(subnets=known(estate.spoke.network.subnets))
    return replace(estate, vpcs=vpcs, spoke=spoke)


def insp_routes(estate: Enterprise, subnet: str, *routes: Route) -> Enterprise:
    """Return the estate with these routes alone in the table of a subnet of the inspection VPC."""
    table = RouteTable(subnet.replace("subnet", "rtb"), (LOCAL, *routes))
    return estate.entry("vpc-insp", "route_tables", subnet, table)


OF_PEERING = Attachment(
    "tgw-attach-peer",
    "tgw-1",
    GATEWAY,
    kind="peering",
    resource_id="tgw-far",
    owner=FAR_GATEWAY,
    table_id="tgw-rtb-shared",
    association="associated",
    peer_region=FAR_REGION,
)
FAR_END = replace(
    OF_PEERING,
    gateway_id="tgw-far",
    gateway_owner=FAR_GATEWAY,
    resource_id="tgw-1",
    owner=GATEWAY,
    table_id="tgw-rtb-far-peer",
    peer_region=REGION,
)


def far_out(estate: Enterprise, **facts: object) -> Enterprise:
    """Return the estate whose egress VPC is attached to a gateway of another account and region, a peer of ours."""
    out = next(each for each in estate.attachments if each.id == "tgw-attach-out")
    there = replace(out, gateway_id="tgw-far", gateway_owner=FAR_GATEWAY, table_id="tgw-rtb-far-out")
    gateway = TransitGateway("tgw-far", FAR_GATEWAY, FAR_REGION, {there.id: there, FAR_END.id: FAR_END})
    network = estate._vpcs()["vpc-out"]
    assert not isinstance(network, Unread)
    tables = {
        subnet: replace(table, routes=tuple(_to(each, "tgw-far") for each in table.routes))
        for subnet, table in network.route_tables.items()  # type: ignore[union-attr]  # it was read
    }
    near = tuple(each for each in estate.attachments if each.id != "tgw-attach-out")
    estate = replace(estate, attachments=(*near, OF_PEERING), far=gateway)
    estate = estate.within("vpc-out", route_tables=tables, region=FAR_REGION)
    estate = estate.table("spokes", Route("0.0.0.0/0", "tgw-attach-peer"))
    estate = estate.table("far-peer", Route("0.0.0.0/0", "tgw-attach-out"))
    estate = estate.table("far-out", Route("10.0.0.0/16", "tgw-attach-peer"))
    return replace(estate, **facts)  # type: ignore[arg-type]  # fields of the estate


def _to(route: Route, gateway: str) -> Route:
    return replace(route, target=gateway) if route.target == "tgw-1" else route
