"""How an estate is laid out, at random: each plan that can be drawn works, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.unit.network.estates.land import (
    ANYWHERE,
    API,
    DKR,
    S3,
    S3_LIST,
    Endpoint,
    Entry,
    Group,
    Land,
    Link,
    Names,
    Nat,
    Opening,
    Place,
    Plug,
    Site,
    Wall,
    Way,
    Zone,
)

ACCOUNTS: Final = ("111111111111", "222222222222", "333333333333", "444444444444")
GATEWAY, LINK = "tgw-1", "pcx-1"
ENDPOINTS: Final = {
    "ecr.api": "vpce-00000000000000a1",
    "ecr.dkr": "vpce-00000000000000d1",
    "s3": "vpce-00000000000000c1",
}
ZONES: Final = {"ecr.api": (API, ("",)), "ecr.dkr": (DKR, ("*.",)), "s3": (S3, ("", "*."))}
STORE: Final = "vpce-s3"


@dataclass(frozen=True)
class Plan:
    """What an estate is like.

    - `zones`: how many Availability Zones each VPC has. The node is in the zone `zone`.
    - `blocks`: the second number of the VPCs' blocks: spoke, hub, egress.
    - `second`: the node is in a second block of its VPC, as pods often are.
    - `accounts`: those of the spoke, the hub, the egress VPC and the gateway. Some may be the same.
    - `names`: the names lead to public addresses, to the hub (by zones), or kubelet dialled the hub.
    - `store`: the spoke has a gateway endpoint of S3. `layers`: a zone leads S3's names to the hub, too.
    - `peered`: the spoke reaches the hub over a peering connection.
    - `one_table`: the gateway has one route table for all. `wide`: routes back are for all spokes.
    - `narrow`: the node's group lets TLS out alone. `failed`: a pull has failed, and the message names no address.
    - `zone_ids`: EC2 shows the ids of zones. `appliance`: the egress VPC's attachment has appliance mode.
    - `inspected`: what leaves the spoke for the internet goes through the firewall of a VPC in between, and back.
    - `walled`: a firewall stands before the NAT gateways; strictly, if `strict`.
    """

    zones: int
    zone: int
    blocks: tuple[int, int, int]
    second: bool
    accounts: tuple[str, str, str, str]
    names: str
    store: bool
    layers: bool
    peered: bool
    one_table: bool
    wide: bool
    walled: bool
    strict: bool
    zone_ids: bool
    appliance: bool
    narrow: bool
    failed: bool
    inspected: bool


def drawn(seed: int) -> Plan:
    """Return the plan of a seed."""
    dice = Random(seed)  # noqa: S311 -- nothing is kept secret
    zones = dice.randint(1, 3)
    first, second, third = dice.sample(range(1, 100), 3)

    def maybe() -> bool:
        return dice.random() < 0.5

    return Plan(
        zones=zones,
        zone=dice.randrange(zones),
        blocks=(first, second, third),
        second=maybe(),
        accounts=(ACCOUNTS[0], dice.choice(ACCOUNTS[:3]), dice.choice(ACCOUNTS[:3]), dice.choice(ACCOUNTS)),
        names=dice.choice(("public", "zones", "zones", "dialled")),
        store=maybe(),
        layers=maybe(),
        peered=maybe(),
        one_table=maybe(),
        wide=maybe(),
        walled=maybe(),
        strict=maybe(),
        zone_ids=dice.random() < 0.7,
        appliance=dice.random() < 0.3,
        narrow=maybe(),
        failed=maybe(),
        inspected=maybe(),
    )


def open_acl() -> list[Entry]:
    """An ACL that lets everything through."""
    return [Entry(100, allow=True, out=out, peer=ANYWHERE) for out in (True, False)]


def lay_out(plan: Plan) -> Land:
    """Return the estate of a plan. It works."""
    spoke, hub, out = (
        _site(name, account, number, plan)
        for name, account, number in zip(("spoke", "hub", "out"), plan.accounts, plan.blocks, strict=False)
    )
    node = f"subnet-spoke-in-{plan.zone}"
    address = f"10.{plan.blocks[0]}.{plan.zone + 1}.5"
    if plan.second:
        spoke.blocks.append("100.64.0.0/16")
        for zone in range(plan.zones):
            spoke.places[f"subnet-spoke-in-{zone}"].block = f"100.64.{zone}.0/24"
        address = f"100.64.{plan.zone}.5"
    land = Land({"spoke": spoke, "hub": hub, "out": out}, node, address, ["sg-node"], plan.accounts[3])
    land.zone_ids, land.failed = plan.zone_ids, plan.failed
    _join(plan, land)
    _fill_spoke(plan, land)
    _fill_hub(plan, land)
    _fill_out(plan, land)
    if plan.names == "zones":
        land.zones = [_zone(service, plan) for service in ENDPOINTS if service != "s3" or plan.layers]
    elif plan.names == "dialled":
        land.dialled = hub.endpoints[ENDPOINTS["ecr.dkr"]].at[f"subnet-hub-in-{plan.zone}"]
    return land


def _site(name: str, account: str, number: int, plan: Plan) -> Site:
    """Return a VPC with a subnet for the gateway and one for what serves in each zone."""
    site = Site(f"vpc-{name}", account, [f"10.{number}.0.0/16"])
    for zone in range(plan.zones):
        for kind, block in (("tgw", f"10.{number}.0.{zone * 16}/28"), ("in", f"10.{number}.{zone + 1}.0/24")):
            _add(site, f"{name}-{kind}-{zone}", block, zone)
    return site


def _add(site: Site, name: str, block: str, zone: int) -> None:
    site.places[f"subnet-{name}"] = Place(f"subnet-{name}", block, zone, f"rtb-{name}", f"acl-{name}")
    site.tables[f"rtb-{name}"] = []
    site.acls[f"acl-{name}"] = open_acl()


def back(plan: Plan, land: Land) -> list[str]:
    """Return the blocks to which answers are routed."""
    return ["10.0.0.0/8", "100.64.0.0/10"] if plan.wide else land.spoke.blocks


def _join(plan: Plan, land: Land) -> None:
    """Join the VPCs by a transit gateway, spoke and hub by a peering connection, too."""
    shared = "tgw-rtb-one" if plan.one_table else "tgw-rtb-shared"
    tables = {"spoke": "tgw-rtb-one" if plan.one_table else "tgw-rtb-spokes", "hub": shared, "out": shared}
    for name, site in land.sites.items():
        subnets = [place for place in site.places if "-tgw-" in place]
        plug = Plug(f"tgw-attach-{name}", site.id, site.account, subnets, tables[name])
        plug.appliance = plan.appliance and name == "out"
        land.plugs[plug.id] = plug
        land.tables.setdefault(plug.table, [])
    land.tables[tables["spoke"]] += [
        Way(ANYWHERE, "tgw-attach-out"),
        *(Way(block, "tgw-attach-hub") for block in land.hub.blocks),
    ]
    land.tables[shared] += [Way(block, "tgw-attach-spoke") for block in land.spoke.blocks]
    if plan.inspected and not plan.one_table:
        _inspect(plan, land)
    if plan.peered:
        land.links[LINK] = Link(LINK, (land.spoke.id, land.hub.id))


def _inspect(plan: Plan, land: Land) -> None:
    """Lead what the spoke sends to the egress VPC through a firewall in a VPC in between, and the answers, too."""
    site = _site("look", plan.accounts[3], 150, plan)
    site.tables = {name: [] for name in site.tables}
    at = {f"vpce-look-{zone}": f"subnet-look-in-{zone}" for zone in range(plan.zones)}
    for zone in range(plan.zones):
        site.tables[f"rtb-look-tgw-{zone}"].append(Way(ANYWHERE, f"vpce-look-{zone}"))
        site.tables[f"rtb-look-in-{zone}"].append(Way(ANYWHERE, GATEWAY))
    site.walls.append(_wall("look", site.account, at, strict=plan.strict))
    land.sites["look"] = site
    places = [place for place in site.places if "-tgw-" in place]
    look = Plug("tgw-attach-look", site.id, site.account, places, "tgw-rtb-look", appliance=True)
    land.plugs[look.id] = look
    spoke, out = land.plugs["tgw-attach-spoke"], land.plugs["tgw-attach-out"]
    for way in land.tables[spoke.table]:
        way.via = look.id if way.via == out.id else way.via
    out.table = "tgw-rtb-out"
    land.tables[out.table] = [Way(block, look.id) for block in land.spoke.blocks]
    land.tables[look.table] = [Way(ANYWHERE, out.id), *(Way(block, spoke.id) for block in land.spoke.blocks)]


def _wall(name: str, account: str, at: dict[str, str], *, strict: bool) -> Wall:
    """Return a firewall that lets the names of a pull through."""
    arn = f"arn:aws:network-firewall:eu-west-1:{account}"
    names = [f".ecr.{API.partition('.ecr.')[2]}", f".{S3}"]
    listed = Names(f"{arn}:stateful-rulegroup/allowed-{name}", "ALLOWLIST", names)
    home = ["10.0.0.0/8", "100.64.0.0/10"]
    return Wall(f"{arn}:firewall/{name}", f"{arn}:firewall-policy/{name}", at, [listed], home, strict)


def _fill_spoke(plan: Plan, land: Land) -> None:
    spoke = land.spoke
    for zone in range(plan.zones):
        table = spoke.tables[f"rtb-spoke-in-{zone}"]
        table.append(Way(ANYWHERE, GATEWAY))
        if plan.peered:
            table += [Way(block, LINK) for block in land.hub.blocks]
        if plan.store:
            table.append(Way("pl-s3", STORE))
    if plan.store:
        spoke.endpoints[STORE] = Endpoint(STORE, "gateway", {}, [])
    spoke.lists["pl-s3"] = list(S3_LIST)
    rules = [Opening(ANYWHERE)] if plan.narrow else [Opening(ANYWHERE, None, "-1")]
    spoke.groups["sg-node"] = Group(out=rules)


def _fill_hub(plan: Plan, land: Land) -> None:
    hub, number = land.hub, plan.blocks[1]
    hub.groups["sg-hub"] = Group(into=[Opening(block) for block in back(plan, land)])
    for host, (service, name) in enumerate(ENDPOINTS.items()):
        at = {f"subnet-hub-in-{zone}": f"10.{number}.{zone + 1}.{host + 11}" for zone in range(plan.zones)}
        hub.endpoints[name] = Endpoint(name, service, at, ["sg-hub"])
    target = LINK if plan.peered else GATEWAY
    for zone in range(plan.zones):
        hub.tables[f"rtb-hub-in-{zone}"] += [Way(block, target) for block in back(plan, land)]


def _fill_out(plan: Plan, land: Land) -> None:
    out = land.out
    out.gateway = "igw-out"
    at: dict[str, str] = {}
    for zone in range(plan.zones):
        entry, inner = out.tables[f"rtb-out-tgw-{zone}"], out.tables[f"rtb-out-in-{zone}"]
        nat = Nat(f"nat-out-{zone}", f"subnet-out-in-{zone}")
        out.nats[nat.id] = nat
        inner.append(Way(ANYWHERE, "igw-out"))
        if not plan.walled:
            entry.append(Way(ANYWHERE, nat.id))
            inner += [Way(block, GATEWAY) for block in back(plan, land)]
            continue
        wall = f"vpce-wall-{zone}"
        _add(out, f"out-wall-{zone}", f"10.{plan.blocks[2]}.{zone + 101}.0/28", zone)
        at[wall] = f"subnet-out-wall-{zone}"
        entry.append(Way(ANYWHERE, wall))
        behind = out.tables[f"rtb-out-wall-{zone}"]
        behind += [Way(ANYWHERE, nat.id), *(Way(block, GATEWAY) for block in back(plan, land))]
        inner += [Way(block, wall) for block in back(plan, land)]
    if plan.walled:
        out.walls.append(_wall("edge", out.account, at, strict=plan.strict))


def _zone(service: str, plan: Plan) -> Zone:
    name, records = ZONES[service]
    return Zone(name, plan.accounts[1], {f"{each}{name}": ENDPOINTS[service] for each in records})
