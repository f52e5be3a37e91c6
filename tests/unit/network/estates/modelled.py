"""An estate as the facts that the code under test reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.network import (
    Attachment,
    EndpointInterface,
    Firewall,
    InternetGateway,
    NatGateway,
    Network,
    NetworkAcl,
    NetworkAclEntry,
    NodePlace,
    Owned,
    Path,
    Peering,
    PeeringSide,
    PrefixList,
    RegistryPlace,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Surroundings,
    TransitGateway,
    Vpc,
    VpcEndpoint,
    trace,
)
from pull_responder.network.firewall_policy import DomainList, FirewallPolicy, RuleGroup
from pull_responder.network.resolver import FirewallRule
from pull_responder.network.zones import HostedZone, ZoneRecord
from tests.unit.network.estates.land import REGION, REGISTRY

if TYPE_CHECKING:
    from tests.unit.network.estates.land import Endpoint, Land, Opening, Plug, Site, Wall, Way, Zone


def traced(land: Land) -> Path:
    """Return the way as the code under test finds it."""
    return trace(node_of(land), RegistryPlace(REGISTRY, REGION), network_of(land), sighting_of(land))


def node_of(land: Land) -> NodePlace:
    return NodePlace("i-1", land.node, tuple(land.groups), (land.address,))


def sighting_of(land: Land) -> Sighting | None:
    if land.dialled:
        return Sighting(REGISTRY, land.dialled, 443)
    return Sighting(stage=Stage.MANIFEST) if land.failed else None


def network_of(land: Land) -> Network:
    """Return the facts of the node's VPC with those around it."""
    plugs = {each.id: _attachment(each, land) for each in land.plugs.values()}
    owners = dict.fromkeys(
        (each.id for each in land.hub.endpoints.values()), Owned(land.hub.account, REGION, land.hub.id)
    )
    around = Surroundings(
        {"tgw-1": TransitGateway("tgw-1", land.owner, REGION, plugs)},
        {name: _table(name, routes) for name, routes in land.tables.items()},
        {site.id: _network(site, land) for name, site in land.sites.items() if name != "spoke"},
        {**owners},
    )
    return _network(land.spoke, land, around)


def _network(site: Site, land: Land, around: Surroundings | None = None) -> Network:
    is_spoke = around is not None
    lists = {name: PrefixList(name, f"com.amazonaws.{REGION}.s3", tuple(found)) for name, found in site.lists.items()}
    gateways = {site.gateway: InternetGateway(site.gateway, site.id if site.attached else None)} if site.gateway else {}
    return Network(
        region=REGION,
        vpc=Vpc(site.id, tuple(site.blocks), dns_support=land.dns or not is_spoke, owner=site.account),
        account=site.account,
        subnets={
            each.id: Subnet(
                each.id,
                (each.block,),
                _zone_name(each.zone, site.account),
                owner=site.account,
                zone_id=f"euw1-az{each.zone}" if land.zone_ids else "",
            )
            for each in site.places.values()
        },
        route_tables={
            each.id: _table(each.table, site.tables[each.table], *site.blocks) for each in site.places.values()
        },
        network_acls={
            each.id: NetworkAcl(
                each.acl,
                tuple(
                    NetworkAclEntry(
                        n.number, allow=n.allow, egress=n.out, cidr=n.peer, protocol=n.protocol, ports=n.ports
                    )
                    for n in site.acls[each.acl]
                ),
            )
            for each in site.places.values()
        },
        security_groups={
            name: SecurityGroup(name, _rules(group.out), _rules(group.into), owner=site.account)
            for name, group in site.groups.items()
        },
        endpoints=tuple(_endpoint(each, site) for each in site.endpoints.values()),
        nat_gateways={
            each.id: NatGateway(each.id, each.state, each.place, public_addresses=each.public)
            for each in site.nats.values()
        },
        internet_gateways=gateways,
        prefix_lists=lists,
        firewalls=tuple(Firewall(each.arn, each.at, _policy(each)) for each in site.walls),
        peerings={each.id: _peering(each.id, land) for each in land.links.values() if site.id in each.sides},
        attachments=tuple(
            _attachment(each, land) for each in land.plugs.values() if each.kind == "vpc" and each.to == site.id
        ),
        private_zones=tuple(each.name for each in land.zones) if is_spoke else (),
        hosted_zones=tuple(_hosted(each) for each in land.zones) if is_spoke else (),
        firewall_rules=_questions(land) if is_spoke else (),
        around=around or Surroundings(),
    )


def _zone_name(zone: int, account: str) -> str:
    """Accounts name zones differently."""
    return f"{REGION}{'abc'[(zone + int(account[0])) % 3]}"


def _table(name: str, routes: list[Way], *blocks: str) -> RouteTable:
    local = tuple(Route(block, "local") for block in blocks)
    return RouteTable(name, (*local, *(Route(each.to, each.via, active=each.alive) for each in routes)))


def _rules(openings: list[Opening]) -> tuple[SecurityGroupRule, ...]:
    return tuple(
        SecurityGroupRule(f"sgr-{number}", each.protocol, each.ports, each.peer) for number, each in enumerate(openings)
    )


def _endpoint(found: Endpoint, site: Site) -> VpcEndpoint:
    if found.service == "gateway":
        tables = tuple(name for name, routes in site.tables.items() if any(each.via == found.id for each in routes))
        return VpcEndpoint(found.id, "Gateway", f"com.amazonaws.{REGION}.s3", found.state, route_table_ids=tables)
    return VpcEndpoint(
        id=found.id,
        type="Interface",
        service_name=f"com.amazonaws.{REGION}.{found.service}",
        state=found.state,
        subnet_ids=tuple(found.at),
        interfaces=tuple(EndpointInterface(place, (address,)) for place, address in found.at.items()),
        group_ids=tuple(found.groups),
        owner=site.account,
    )


def _policy(wall: Wall) -> FirewallPolicy:
    return FirewallPolicy(
        wall.policy,
        ("aws:forward_to_sfe",),
        ("aws:drop_established",) if wall.strict else (),
        strict=wall.strict,
        groups=tuple(
            RuleGroup(each.arn, DomainList(each.kind, tuple(each.entries)), home_net=tuple(each.home))
            for each in wall.lists
        ),
        home_net=tuple(wall.home),
    )


def _attachment(plug: Plug, land: Land) -> Attachment:
    return Attachment(
        plug.id,
        "tgw-1",
        land.owner,
        plug.kind,
        plug.to,
        plug.owner,
        plug.state,
        plug.table,
        "associated" if plug.table else "",
        tuple(plug.places),
        plug.appliance,
    )


def _peering(name: str, land: Land) -> Peering:
    link = land.links[name]
    first, second = (land.site(each) for each in link.sides)
    assert first
    assert second
    ours, theirs = (PeeringSide(each.id, each.account, REGION, tuple(each.blocks)) for each in (first, second))
    return Peering(name, link.state, (ours, theirs))


def _hosted(zone: Zone) -> HostedZone:
    records = tuple(
        ZoneRecord(name, "A", alias=f"{value}-a1b2c3d4.{zone.name}.vpce.amazonaws.com.")
        if value.startswith("vpce-")
        else ZoneRecord(name, "A", (value,))
        for name, value in zone.records.items()
    )
    return HostedZone(zone.name, zone.id, zone.owner, records)


def _questions(land: Land) -> tuple[FirewallRule, ...]:
    return tuple(
        FirewallRule(each.group, each.priority, each.action, "rslvr-fdl-1", tuple(each.names), query_type=each.type)
        for each in sorted(land.questions, key=lambda each: each.priority)
    )
