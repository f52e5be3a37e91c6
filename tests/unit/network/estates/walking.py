"""Packets sent through an estate, one address at a time: slow, simple, and without the code under test.

A connection is the request to port 443 and the answer to a high port. It is followed to each address that its name may
have, over each subnet by which it may enter a VPC. What drops it stands in `Walk.drops`, what nobody can say in
`Walk.unsure`. A connection whose request does not arrive has no answer.

Sources: Amazon VPC User Guide (route priority, network ACLs, security groups), AWS Transit Gateway guide (association,
attachments and zones, network ACLs), VPC Peering Guide (no edge to edge routing), AWS Network Firewall Developer Guide
(domain lists), Route 53 Developer Guide (private hosted zones, DNS Firewall).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.unit.network.estates.land import HOSTS, PUBLIC, SERVICES
from tests.unit.network.estates.rules import address_of, dropped, is_within, lets, passes, refused, taken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.unit.network.estates.land import Endpoint, Land, Plug, Site, Way, Zone

NO_ROUTE: Final = "no_route_to_ecr"
GATEWAY: Final = "transit_gateway_blocks_traffic"
PEERING: Final = "peering_cannot_carry_traffic"
_ANSWER_PORTS: Final = (33000, 45000, 60000)
_MOST_WALLS: Final = 8
_UP: Final = ("available", "modifying")
_PASSING: Final = ("pending", "initiating", "", "unheard-of")
_GONE: Final = ("deleted", "rejected")


class Drop(NamedTuple):
    """What stops a connection: a cause, its resource and the account that owns it."""

    cause: str
    resource: str
    account: str


class Crossing(NamedTuple):
    """One step over the gateway: out of a VPC, which the request entered by `entry`, over both attachments.

    `walls` are the firewalls' endpoints that it went through there.
    """

    site: Site
    entry: str
    walls: tuple[str, ...]
    near: Plug
    far: Plug


@dataclass
class Walk:
    """One connection on its way to an address. `over` and `walls` are what its answer has to come back through.

    `entry` is the subnet by which the request came into the VPC that it is in, and `walls` what it went through there.
    """

    land: Land
    stage: str
    server: str = ""
    drops: list[Drop] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    over: list[Crossing] = field(default_factory=list)
    walls: list[str] = field(default_factory=list)
    entry: str = ""

    def fork(self, server: str = "") -> Walk:
        to = server or self.server
        return Walk(self.land, self.stage, to, [*self.drops], [*self.unsure], [*self.over], [*self.walls], self.entry)

    def drop(self, cause: str, resource: str, account: str) -> None:
        self.drops.append(Drop(cause, resource, account))

    def crosses(self, site: Site, place: str, packets: Iterable[tuple[bool, str, int]]) -> None:
        """Packets leave a subnet or enter it."""
        if not all(passes(site.acl_of(place), packet) for packet in packets):
            self.drop("network_acl_blocks_traffic", site.places[place].acl, site.account)

    def asks(self, site: Site, place: str) -> None:
        """A client's subnet lets the request out and the answer in."""
        answers = ((False, self.server, port) for port in _ANSWER_PORTS)
        self.crosses(site, place, [(True, self.server, 443), *answers])

    def serves(self, site: Site, place: str) -> None:
        """A server's subnet lets the request in and the answer out."""
        client = self.land.address
        self.crosses(site, place, [(False, client, 443), *((True, client, port) for port in _ANSWER_PORTS)])


def walks(land: Land, stage: str) -> list[Walk]:
    """Return every way that a connection to the host of a stage may take."""
    first, host = Walk(land, stage), HOSTS[stage]
    dialled = land.dialled if stage == "manifest" else ""
    if not dialled:
        if not land.dns:
            first.drop("vpc_dns_disabled", land.spoke.id, land.spoke.account)
        if group := refused(host, land.questions):
            first.drop("dns_firewall_blocks_registry", group, land.spoke.account)
    addresses = [dialled] if dialled else _addresses(host, stage, land)
    if not addresses:
        first.unsure.append(f"no record for {host}")
        if zone := zone_of(host, land):
            first.drop("vpc_dns_disabled", zone.id, zone.owner)
        return [first]
    return [each for address in addresses for each in _from_node(first.fork(address))]


def stops(land: Land) -> set[Drop]:
    """Return what stops the pull, whichever ways its connections take."""
    return {drop for stage in HOSTS for drop in of_stage(land, stage)[0]}


def of_stage(land: Land, stage: str) -> tuple[set[Drop], bool]:
    """Return what stops a stage on every way, and whether all ways agree and nothing is unsure.

    Where each way is stopped by something else, which of it stops the node is not sure.
    """
    found = walks(land, stage)
    unsure = any(each.unsure for each in found) or len({frozenset(each.drops) for each in found}) > 1
    stopped = [each for each in found if each.drops]
    if len(stopped) == len(found):
        return {drop for each in found for drop in each.drops}, not unsure
    return set(), not unsure


def zone_of(host: str, land: Land) -> Zone | None:
    """Return the private hosted zone that answers for a name: the most specific one."""
    zones = [zone for zone in land.zones if host == zone.name or host.endswith(f".{zone.name}")]
    return max(zones, key=lambda each: len(each.name), default=None)


def _addresses(host: str, stage: str, land: Land) -> list[str]:
    zone = zone_of(host, land)
    if zone is None:
        return list(PUBLIC[stage])
    records = zone.records
    value = records.get(host) or records.get(f"*.{host.partition('.')[2]}") or ""
    if not value.startswith("vpce-"):
        return [value] if value else []
    endpoint = next((each.endpoints[value] for each in land.sites.values() if value in each.endpoints), None)
    return list(endpoint.at.values()) if endpoint else []


def _from_node(walk: Walk) -> list[Walk]:
    land, spoke = walk.land, walk.land.spoke
    rules = [rule for name in land.groups for rule in spoke.groups[name].out]
    if not lets(rules, walk.server, spoke.lists):
        walk.drop("security_group_blocks_egress", land.groups[0], spoke.account)
    walk.asks(spoke, land.node)
    return _on(spoke, land.node, walk)


def _on(site: Site, place: str, walk: Walk) -> list[Walk]:
    """Follow the request on from a subnet."""
    way = taken(site.table_of(place), walk.server, site.blocks, site.lists)
    if way is None or (not way.alive and not way.via.startswith("nat-")):
        _nowhere(site, place, walk)
        return [walk]
    if way.via.startswith("tgw-"):
        return _over_gateway(site, place, walk)
    if way.via in [wall for each in site.walls for wall in each.at]:
        return _through(way.via, site, walk)
    if way.via.startswith("pcx-"):
        _over_link(way.via, site, walk)
    elif way.via.startswith("nat-"):
        _over_nat(way, site, place, walk)
    elif way.via == "local":
        _at_endpoint(site, place, walk)
    elif way.via not in site.endpoints:
        walk.unsure.append(f"{way.via} of {site.id}")
    elif site.endpoints[way.via].state != "available":
        walk.drop("vpc_endpoint_unavailable", way.via, site.account)
    return [walk]


def _through(endpoint: str, site: Site, walk: Walk) -> list[Walk]:
    """Go through a firewall and on from its subnet."""
    wall = next(each for each in site.walls if endpoint in each.at)
    if len(walk.walls) > _MOST_WALLS:
        walk.unsure.append("a loop")
        return [walk]
    if wall.strict and walk.land.failed:
        walk.unsure.append("what a default action drops before a name is seen")
    if by := dropped(HOSTS[walk.stage], walk.land.address, wall):
        walk.drop("network_firewall_blocks_registry", by, site.account)
    walk.walls.append(endpoint)
    return _on(site, wall.at[endpoint], walk)


def _nowhere(site: Site, place: str, walk: Walk) -> None:
    """No route: the fault of the subnet. In the node's own VPC, endpoints would have been another way."""
    is_public = address_of(walk.server).is_global
    if site is not walk.land.spoke or not is_public or not site.endpoints:
        walk.drop(NO_ROUTE, place, site.account)
    elif SERVICES[walk.stage] == "s3":
        walk.drop("s3_endpoint_not_in_route_table", site.places[place].table, site.account)
    else:
        walk.drop("vpc_endpoint_missing", site.id, site.account)


def _over_gateway(site: Site, place: str, walk: Walk) -> list[Walk]:
    land, zone = walk.land, site.places[place].zone
    near = _plug_of(site, walk)
    if near is None:
        return [walk]
    here = [each for each in near.places if site.places[each].zone == zone]
    if not here:
        walk.drop(GATEWAY, near.id, site.account)
    for entry in here:
        walk.crosses(site, entry, [(False, land.address, 443)])
    if near.state not in _UP:
        return [walk]
    far = _routed(near, walk.server, walk)
    other = land.site(far.to) if far else None
    if far is None or other is None:
        return [walk]
    if other is land.spoke or [each.site for each in walk.over].count(other) > 1:
        walk.unsure.append("a loop")
        return [walk]
    walk.over.append(Crossing(site, walk.entry, tuple(walk.walls), near, far))
    walk.walls = []
    return [each for entry in _entries(far, other, zone, land) for each in _enters(other, entry, walk.fork())]


def _entries(plug: Plug, site: Site, zone: int, land: Land) -> list[str]:
    """Return the subnets by which the gateway may let traffic of a zone into a VPC."""
    same = [each for each in plug.places if site.places[each].zone == zone]
    return same if same and land.zone_ids and not plug.appliance else plug.places


def _plug_of(site: Site, walk: Walk) -> Plug | None:
    """Return the attachment by which the request leaves a VPC."""
    plugs = [each for each in walk.land.plugs.values() if each.to == site.id and each.state not in _GONE]
    if walk.over:
        plugs = [walk.over[-1].far]
    if len(plugs) != 1:
        walk.unsure.append(f"{site.id} has {len(plugs)} attachments")
        return None
    (near,) = plugs
    if near.state in _PASSING:
        walk.unsure.append(f"{near.id} is {near.state}")
    elif near.state not in _UP:
        walk.drop(GATEWAY, near.id, site.account)
    return near


def _routed(plug: Plug, address: str, walk: Walk) -> Plug | None:
    """Return the attachment to which the gateway sends what comes from one."""
    land = walk.land
    if not plug.table:
        walk.drop(GATEWAY, plug.id, land.owner)
        return None
    way = taken(land.tables[plug.table], address)
    if way is None or not way.alive:
        walk.drop(GATEWAY, plug.table, land.owner)
        return None
    found = land.plugs.get(way.via)
    if found is None or found.kind != "vpc" or found is plug or found.state not in _UP:
        walk.unsure.append(f"the gateway's route to {way.via}")
        return None
    return found


def _enters(site: Site, entry: str, walk: Walk) -> list[Walk]:
    walk.entry = entry
    way = taken(site.table_of(entry), walk.server, site.blocks, site.lists)
    if way is not None and (way.alive or way.via.startswith("nat-")):
        walk.crosses(site, entry, [(True, walk.server, 443)])
    return _on(site, entry, walk)


def _over_link(name: str, site: Site, walk: Walk) -> None:
    link = walk.land.links[name]
    other = walk.land.site(next(each for each in link.sides if each != site.id))
    assert other
    if link.state in _PASSING:
        walk.unsure.append(f"{name} is in state {link.state}")
    elif link.state != "active" or not is_within(walk.server, *other.blocks):
        walk.drop(PEERING, name, site.account)
    else:
        _at_endpoint(other, "", walk)


def _at_endpoint(site: Site, place: str, walk: Walk) -> None:
    """The request is in the VPC of its address: at the endpoint that has it."""
    found = [
        (each, where)
        for each in site.endpoints.values()
        for where, address in each.at.items()
        if address == walk.server and each.service == SERVICES[walk.stage]
    ]
    if not found:
        walk.unsure.append(f"nothing in {site.id} has {walk.server}")
        return
    (endpoint, where) = found[0]
    if where != place:
        walk.serves(site, where)
    _accepted(endpoint, site, walk)
    _answers(site, where, walk)


def _accepted(endpoint: Endpoint, site: Site, walk: Walk) -> None:
    if endpoint.state not in ("available", "partial"):
        walk.drop("vpc_endpoint_unavailable", endpoint.id, site.account)
    rules = [rule for name in endpoint.groups for rule in site.groups[name].into]
    if not lets(rules, walk.land.address, site.lists, walk.land.groups):
        walk.drop("endpoint_security_group_blocks_ingress", endpoint.groups[0], site.account)


def _over_nat(way: Way, site: Site, place: str, walk: Walk) -> None:
    nat = site.nats.get(way.via)
    if nat is None or not way.alive or nat.state != "available":
        walk.drop("nat_gateway_unavailable", way.via, site.account)
    if nat is None or not way.alive:
        return
    if not address_of(walk.server).is_global:
        walk.unsure.append(f"{walk.server} is no public address")
    if nat.place == place:
        walk.unsure.append("the NAT gateway is in the subnet of the gateway's interface")
    walk.serves(site, nat.place)
    walk.asks(site, nat.place)
    onward = taken(site.table_of(nat.place), walk.server, site.blocks, site.lists)
    if onward is None or not onward.alive or onward.via == nat.id or (onward.via == site.gateway and not site.attached):
        walk.drop(NO_ROUTE, nat.place, site.account)
    elif onward.via != site.gateway:
        walk.unsure.append(f"{nat.id} goes on over {onward.via}")
    _answers(site, nat.place, walk)


def _answers(site: Site, place: str, walk: Walk) -> None:
    """Follow the answer to the node's address back, the way that the request came."""
    crossings, walls = [*walk.over], [*walk.walls]
    while crossings:
        crossing = crossings.pop()
        out = _out_of(site, place, walls, "tgw-", walk)
        if out is None:
            return
        entry = _back_over(crossing, site, out, crossings, walk)
        if entry is None:
            return
        site, place, walls = crossing.site, entry, [*crossing.walls]
    if site is not walk.land.spoke:
        _out_of(site, place, walls, "pcx-", walk)


def _out_of(site: Site, place: str, walls: list[str], over: str, walk: Walk) -> str | None:
    """Return the subnet from which the answer leaves a VPC, through the request's firewalls. None if it does not."""
    node = walk.land.address
    for wall in reversed(walls):
        way = taken(site.table_of(place), node, site.blocks, site.lists)
        if way is None or not way.alive or way.via.startswith(("igw-", "nat-")):
            walk.drop(NO_ROUTE, place, site.account)
        elif way.via != wall:
            walk.unsure.append(f"answers do not come back through {wall}")
            return None
        place = next(each.at[wall] for each in site.walls if wall in each.at)
    way = taken(site.table_of(place), node, site.blocks, site.lists)
    if way is None or not way.alive or way.via.startswith(("igw-", "nat-")):
        walk.drop(NO_ROUTE, place, site.account)
        return place
    if not way.via.startswith(over):
        walk.unsure.append(f"answers leave {place} over {way.via}")
        return None
    return place


def _back_over(crossing: Crossing, site: Site, place: str, earlier: list[Crossing], walk: Walk) -> str | None:
    """Return the subnet by which the answer comes back into the VPC before. None if it does not, or nobody knows."""
    land, near, far, zone = walk.land, crossing.near, crossing.far, site.places[place].zone
    here = [each for each in far.places if site.places[each].zone == zone]
    if not here:
        walk.drop(GATEWAY, far.id, site.account)
    for each in here:
        walk.crosses(site, each, [(False, walk.server, port) for port in _ANSWER_PORTS])
    back = _routed(far, land.address, walk)
    if back is not near:
        if back is not None:
            walk.unsure.append(f"answers go to {back.to}")
        return None
    entries = _entries(near, crossing.site, zone, land)
    if near.appliance and earlier:
        entries = [crossing.entry]
    _answer_enters(crossing.site, entries, walk)
    if crossing.walls and entries != [crossing.entry]:
        walk.unsure.append(f"answers may enter {crossing.site.id} by {entries}")
        return None
    return entries[0] if entries else crossing.entry


def _answer_enters(site: Site, entries: list[str], walk: Walk) -> None:
    """The answer comes off the gateway in one of these subnets."""
    packets = [(True, walk.land.address, port) for port in _ANSWER_PORTS]
    shut = [each for each in entries if not all(passes(site.acl_of(each), packet) for packet in packets)]
    if len(shut) == len(entries):
        for each in shut:
            walk.crosses(site, each, packets)
    elif shut:
        walk.unsure.append(f"answers may enter {site.id} by {shut}")
