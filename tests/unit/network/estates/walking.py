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
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.unit.network.estates.land import HOSTS, PUBLIC, SERVICES, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.unit.network.estates.land import Endpoint, Entry, Land, Opening, Plug, Question, Site, Wall

NO_ROUTE: Final = "no_route_to_ecr"
ACL: Final = "network_acl_blocks_traffic"
GATEWAY: Final = "transit_gateway_blocks_traffic"
_ANSWER_PORTS: Final = (33000, 45000, 60000)
_MOST_STEPS: Final = 8


class Drop(NamedTuple):
    """What stops a connection: a cause, its resource and the account that owns it."""

    cause: str
    resource: str
    account: str


@dataclass
class Walk:
    """One connection on its way. `back` has what the answer must pass, in the order of the request."""

    drops: list[Drop] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    over: list[Plug] = field(default_factory=list)
    walls: list[str] = field(default_factory=list)

    def fork(self) -> Walk:
        return Walk(list(self.drops), list(self.unsure), list(self.over), list(self.walls))

    def drop(self, cause: str, resource: str, account: str) -> None:
        self.drops.append(Drop(cause, resource, account))


def walks(land: Land, stage: str) -> list[Walk]:
    """Return every way that a connection to the host of a stage may take."""
    first = Walk()
    host = HOSTS[stage]
    dialled = land.dialled if stage == "manifest" else ""
    if not dialled:
        if not land.dns:
            first.drop("vpc_dns_disabled", land.spoke.id, land.spoke.account)
        if group := _refused(host, land.questions):
            first.drop("dns_firewall_blocks_registry", group, land.spoke.account)
    addresses = [dialled] if dialled else _addresses(host, stage, land)
    if not addresses:
        first.unsure.append(f"no record for {host}")
        return [first]
    found: list[Walk] = []
    for address in addresses:
        found += _from_node(address, stage, land, first.fork())
    return found


def stops(land: Land) -> set[Drop]:
    """Return what stops the pull, whichever ways its connections take."""
    return {drop for stage in HOSTS for drop in of_stage(land, stage)[0]}


def of_stage(land: Land, stage: str) -> tuple[set[Drop], bool]:
    """Return what stops a stage on every way, and whether all ways agree and nothing is unsure."""
    found = walks(land, stage)
    unsure = any(each.unsure for each in found)
    stopped = [each for each in found if each.drops]
    if len(stopped) == len(found):
        return {drop for each in found for drop in each.drops}, not unsure
    return set(), not stopped and not unsure


def _refused(host: str, questions: Sequence[Question]) -> str:
    for rule in sorted(questions, key=lambda each: each.priority):
        if rule.type in ("", "A") and any(_matches(name, host) for name in rule.names):
            return rule.group if rule.action == "BLOCK" else ""
    return ""


def _matches(name: str, host: str) -> bool:
    return name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))


def _addresses(host: str, stage: str, land: Land) -> list[str]:
    zones = [zone for zone in land.zones if host == zone.name or host.endswith(f".{zone.name}")]
    if not zones:
        return list(PUBLIC[stage])
    records = max(zones, key=lambda each: len(each.name)).records
    value = records.get(host) or records.get(f"*.{host.partition('.')[2]}") or ""
    if not value.startswith("vpce-"):
        return [value] if value else []
    endpoint = next((each.endpoints[value] for each in land.sites.values() if value in each.endpoints), None)
    return list(endpoint.at.values()) if endpoint else []


def _from_node(address: str, stage: str, land: Land, walk: Walk) -> list[Walk]:
    spoke = land.spoke
    rules = [rule for name in land.groups for rule in spoke.groups[name].out]
    if not _lets(rules, address, spoke, land):
        walk.drop("security_group_blocks_egress", land.groups[0], spoke.account)
    _asks(spoke, land.node, address, walk)
    return _on(spoke, land.node, address, stage, land, walk)


def _lets(rules: Iterable[Opening], address: str, site: Site, land: Land) -> bool:
    return any(
        (rule.protocol == "-1" or (rule.protocol == "tcp" and _in_ports(443, rule.ports)))
        and _covers(rule.peer, address, site, land)
        for rule in rules
    )


def _in_ports(port: int, ports: tuple[int, int] | None) -> bool:
    return ports is None or ports[0] <= port <= ports[1]


def _covers(peer: str, address: str, site: Site, land: Land) -> bool:
    if peer.startswith("sg-"):
        return peer in land.groups
    return any(ip_address(address) in ip_network(block) for block in site.lists.get(peer, [peer]))


def _asks(site: Site, place: str, server: str, walk: Walk) -> None:
    """A client's subnet lets the request out and the answer in."""
    _crosses(site, place, [(True, server, 443), *((False, server, port) for port in _ANSWER_PORTS)], walk)


def _serves(site: Site, place: str, client: str, walk: Walk) -> None:
    """A server's subnet lets the request in and the answer out."""
    _crosses(site, place, [(False, client, 443), *((True, client, port) for port in _ANSWER_PORTS)], walk)


def _crosses(site: Site, place: str, packets: Sequence[tuple[bool, str, int]], walk: Walk) -> None:
    entries = sorted(site.acl_of(place), key=lambda each: each.number)
    if not all(_passes(entries, *packet) for packet in packets):
        walk.drop(ACL, site.places[place].acl, site.account)


def _passes(entries: Sequence[Entry], out: bool, peer: str, port: int) -> bool:  # noqa: FBT001 -- of a packet
    for entry in entries:
        is_about = entry.out is out and entry.protocol in ("-1", "6") and _in_ports(port, entry.ports)
        if is_about and ip_address(peer) in ip_network(entry.peer):
            return entry.allow
    return False


def _taken(routes: Iterable[Way], blocks: Iterable[str], address: str, lists: dict[str, list[str]]) -> Way | None:
    """Return the most specific route; the local route as one over "local"."""
    best: tuple[int, Way] | None = None
    candidates = [(block, Way(block, "local")) for block in blocks]
    candidates += [(block, way) for way in routes for block in lists.get(way.to, [way.to])]
    for block, way in candidates:
        network = ip_network(block)
        if ip_address(address) in network and (best is None or network.prefixlen > best[0]):
            best = network.prefixlen, way
    return best[1] if best else None


def _on(site: Site, place: str, server: str, stage: str, land: Land, walk: Walk) -> list[Walk]:
    """Follow the request on from a subnet."""
    if len(walk.over) > _MOST_STEPS or len(walk.walls) > _MOST_STEPS:
        walk.unsure.append("a loop")
        return [walk]
    way = _taken(site.table_of(place), site.blocks, server, site.lists)
    if way is None or (not way.alive and not way.via.startswith("nat-")):
        _nowhere(site, place, server, stage, land, walk)
        return [walk]
    if way.via == "local":
        return [_at_endpoint(site, place, server, stage, land, walk)]
    if way.via.startswith("vpce-s3"):
        if site.endpoints[way.via].state != "available":
            walk.drop("vpc_endpoint_unavailable", way.via, site.account)
        return [walk]
    if way.via.startswith("tgw-"):
        return _over_gateway(site, place, server, stage, land, walk)
    if way.via.startswith("pcx-"):
        return _over_link(way.via, site, server, stage, land, walk)
    if way.via.startswith("nat-"):
        return [_over_nat(way, site, place, server, land, walk)]
    if wall := next((each for each in site.walls if way.via in each.at), None):
        _through(wall, server, stage, land, walk)
        walk.walls.append(way.via)
        return _on(site, wall.at[way.via], server, stage, land, walk)
    walk.unsure.append(f"{way.via} of {site.id}")
    return [walk]


def _nowhere(site: Site, place: str, server: str, stage: str, land: Land, walk: Walk) -> None:
    """No route: the fault of the subnet. In the node's own VPC, endpoints would have been another way."""
    public = not ip_address(server).is_private and ip_address(server) not in ip_network("100.64.0.0/10")
    if site is land.spoke and public and site.endpoints:
        if SERVICES[stage] == "s3":
            walk.drop("s3_endpoint_not_in_route_table", site.places[place].table, site.account)
        else:
            walk.drop("vpc_endpoint_missing", site.id, site.account)
        return
    walk.drop(NO_ROUTE, place, site.account)


def _over_gateway(site: Site, place: str, server: str, stage: str, land: Land, walk: Walk) -> list[Walk]:
    plugs = [each for each in land.plugs.values() if each.to == site.id and each.state not in ("deleted", "rejected")]
    if len(plugs) != 1:
        walk.unsure.append(f"{len(plugs)} attachments of {site.id}")
        return [walk]
    (near,) = plugs
    if near.state not in ("available", "modifying"):
        if near.state in ("pending", "initiating"):
            walk.unsure.append(f"{near.id} is {near.state}")
        else:
            walk.drop(GATEWAY, near.id, site.account)
        return [walk]
    if walk.over:
        walk.unsure.append(f"the request leaves {site.id} again")
        return [walk]
    here = [each for each in near.places if site.places[each].zone == site.places[place].zone]
    if not here:
        walk.drop(GATEWAY, near.id, site.account)
    for entry in here:
        _serves(site, entry, land.address, walk)
    far = _routed(near, server, land, walk)
    if far is None:
        return [walk]
    other = land.site(far.to)
    if other is None:
        walk.unsure.append(f"{far.to} is not known")
        return [walk]
    walk.over += [near, far]
    found: list[Walk] = []
    for entry in _entries(far, other, site.places[place].zone, land):
        one = walk.fork()
        way = _taken(other.table_of(entry), other.blocks, server, other.lists)
        if way is not None and (way.alive or way.via.startswith("nat-")):
            _asks(other, entry, server, one)
        found += _on(other, entry, server, stage, land, one)
    return found


def _routed(plug: Plug, address: str, land: Land, walk: Walk) -> Plug | None:
    """Return the attachment to which the gateway sends what comes from one."""
    if not plug.table:
        walk.drop(GATEWAY, plug.id, land.owner)
        return None
    way = _taken(land.tables[plug.table], (), address, {})
    if way is None or not way.alive:
        walk.drop(GATEWAY, plug.table, land.owner)
        return None
    found = land.plugs.get(way.via)
    if found is None or found.kind != "vpc" or found is plug or found.state not in ("available", "modifying"):
        walk.unsure.append(f"the gateway's route to {way.via}")
        return None
    return found


def _entries(far: Plug, site: Site, zone: int, land: Land) -> list[str]:
    same = [each for each in far.places if site.places[each].zone == zone]
    return same if same and land.zone_ids and not far.appliance else far.places


def _over_link(name: str, site: Site, server: str, stage: str, land: Land, walk: Walk) -> list[Walk]:
    link = land.links[name]
    other = land.site(next(each for each in link.sides if each != site.id))
    assert other
    if link.state != "active":
        walk.drop("peering_cannot_carry_traffic", name, site.account)
        return [walk]
    if not any(ip_address(server) in ip_network(block) for block in other.blocks):
        walk.drop("peering_cannot_carry_traffic", name, site.account)
        return [walk]
    return [_at_endpoint(other, "", server, stage, land, walk)]


def _at_endpoint(site: Site, place: str, server: str, stage: str, land: Land, walk: Walk) -> Walk:
    """The request is in the VPC of its address: at the endpoint that has it."""
    found = [
        (each, where)
        for each in site.endpoints.values()
        for where, address in each.at.items()
        if address == server and each.service == SERVICES[stage]
    ]
    if not found:
        walk.unsure.append(f"nothing in {site.id} has {server}")
        return walk
    (endpoint, where) = found[0]
    if where != place:
        _serves(site, where, land.address, walk)
    _accepted(endpoint, site, land, walk)
    _answers(site, where, land, walk)
    return walk


def _accepted(endpoint: Endpoint, site: Site, land: Land, walk: Walk) -> None:
    if endpoint.state not in ("available", "partial"):
        walk.drop("vpc_endpoint_unavailable", endpoint.id, site.account)
    rules = [rule for name in endpoint.groups for rule in site.groups[name].into]
    if not _lets(rules, land.address, site, land):
        walk.drop("endpoint_security_group_blocks_ingress", endpoint.groups[0], site.account)


def _over_nat(way: Way, site: Site, place: str, server: str, land: Land, walk: Walk) -> Walk:
    nat = site.nats.get(way.via)
    if nat is None or not way.alive or nat.state != "available":
        walk.drop("nat_gateway_unavailable", way.via, site.account)
    if nat is None or not way.alive:
        return walk
    if nat.place == place:
        walk.unsure.append("the NAT gateway is in the subnet of the gateway's interface")
    _serves(site, nat.place, land.address, walk)
    _asks(site, nat.place, server, walk)
    onward = _taken(site.table_of(nat.place), site.blocks, server, site.lists)
    if onward is None or not onward.alive or onward.via == nat.id:
        walk.drop(NO_ROUTE, nat.place, site.account)
    elif onward.via != site.gateway:
        walk.unsure.append(f"{nat.id} goes on over {onward.via}")
    elif not site.attached:
        walk.drop(NO_ROUTE, nat.place, site.account)
    _answers(site, nat.place, land, walk)
    return walk


def _answers(site: Site, place: str, land: Land, walk: Walk) -> None:
    """Follow the answer to the node's address back, the way that the request came."""
    if site is land.spoke:
        return
    for wall in reversed(walk.walls):
        way = _taken(site.table_of(place), site.blocks, land.address, site.lists)
        if way is None or not way.alive or way.via != wall:
            walk.unsure.append(f"answers do not come back through {wall}")
            return
        place = next(each.at[wall] for each in site.walls if wall in each.at)
    way = _taken(site.table_of(place), site.blocks, land.address, site.lists)
    over = "tgw-" if walk.over else "pcx-"
    if way is None or not way.alive or way.via.startswith(("igw-", "nat-")):
        walk.drop(NO_ROUTE, place, site.account)
        return
    if not way.via.startswith(over):
        walk.unsure.append(f"answers leave {place} over {way.via}")
        return
    if not walk.over:
        return
    near, far = walk.over
    back = _routed(far, land.address, land, walk)
    if back is not None and back is not near:
        walk.unsure.append(f"answers go to {back.to}")


def _through(wall: Wall, server: str, stage: str, land: Land, walk: Walk) -> None:
    """Hold the firewall's domain lists against the host. In default order, what passes outranks what is dropped."""
    host = HOSTS[stage]
    seen = [each for each in wall.lists if _is_home(land.address, wall.home or each.home)]
    allows = [each for each in seen if each.kind == "ALLOWLIST"]
    denies = [each for each in seen if each.kind in ("DENYLIST", "REJECTLIST") and _listed(host, each.entries)]
    account = wall.arn.split(":")[4]
    cause = "network_firewall_blocks_registry"
    passing = [each for each in allows if _listed(host, each.entries)]
    if wall.strict:
        first = next((each for each in seen if each in passing or each in denies), None)
        if first is None:
            walk.drop(cause, wall.policy, account)
        elif first in denies:
            walk.drop(cause, first.arn, account)
        return
    if passing:
        return
    blocking = [each for each in seen if each in denies or each in allows]
    if blocking:
        walk.drop(cause, blocking[0].arn, account)


def _is_home(address: str, blocks: Sequence[str]) -> bool:
    return any(ip_address(address) in ip_network(block) for block in blocks)


def _listed(host: str, entries: Iterable[str]) -> bool:
    return any(host == each or (each.startswith(".") and f".{host}".endswith(each)) for each in entries)

