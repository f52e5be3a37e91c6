"""What looks like a fault and stops nothing, in whatever estate."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from tests.unit.network.estates.land import (
    ANYWHERE,
    API,
    BUCKET,
    REGISTRY,
    S3,
    Endpoint,
    Entry,
    Group,
    Link,
    Names,
    Nat,
    Opening,
    Plug,
    Question,
    Way,
    Zone,
)
from tests.unit.network.estates.plans import GATEWAY, STORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.network.estates.land import Land, Site
    from tests.unit.network.estates.plans import Plan

    Change = Callable[[Land, Plan], None]

NEAR_MISSES: Final[dict[str, Change]] = {}
_ELSEWHERE: Final = "10.250.0.0/16"


def _near(name: str) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        NEAR_MISSES[name] = change
        return change

    return add


def _acls(land: Land) -> list[list[Entry]]:
    return [acl for site in land.sites.values() for acl in site.acls.values()]


def _tables(land: Land) -> list[list[Way]]:
    return [table for site in land.sites.values() for table in site.tables.values()]


@_near("the node's group lets TLS out alone")
def _(land: Land, _: Plan) -> None:
    land.spoke.groups["sg-node"].out = [Opening(ANYWHERE, (443, 443))]


@_near("the node's group lets both halves of the internet")
def _(land: Land, _: Plan) -> None:
    land.spoke.groups["sg-node"].out = [Opening("0.0.0.0/1"), Opening("128.0.0.0/1", (400, 500))]


@_near("one of the node's groups lets nothing out")
def _(land: Land, _: Plan) -> None:
    land.spoke.groups["sg-none"] = Group()
    land.groups.insert(0, "sg-none")


@_near("ACLs deny other ports first")
def _(land: Land, _: Plan) -> None:
    for acl in _acls(land):
        acl.extend(
            Entry(5 + out, allow=False, out=out, peer=ANYWHERE, ports=(22, 23), protocol="6") for out in (True, False)
        )


@_near("ACLs deny other protocols first")
def _(land: Land, _: Plan) -> None:
    for acl in _acls(land):
        acl.extend(Entry(5 + out, allow=False, out=out, peer=ANYWHERE, protocol="17") for out in (True, False))


@_near("ACLs deny other networks first")
def _(land: Land, _: Plan) -> None:
    for acl in _acls(land):
        acl.extend(Entry(5 + out, allow=False, out=out, peer=_ELSEWHERE) for out in (True, False))


@_near("ACLs allow only what they must")
def _(land: Land, _: Plan) -> None:
    for acl in _acls(land):
        acl[:] = [
            Entry(number, allow=True, out=out, peer=ANYWHERE, ports=ports, protocol="6")
            for out in (True, False)
            for number, ports in ((100, (443, 443)), (110, (1024, 65535)))
        ]


@_near("ACLs deny everything after they have allowed it")
def _(land: Land, _: Plan) -> None:
    for acl in _acls(land):
        acl.extend(Entry(32767, allow=False, out=out, peer=ANYWHERE) for out in (True, False))


@_near("ACLs allow in two halves")
def _(land: Land, _: Plan) -> None:
    for acl in _acls(land):
        acl[:] = [
            Entry(number, allow=True, out=out, peer=peer)
            for out in (True, False)
            for number, peer in ((100, "0.0.0.0/1"), (110, "128.0.0.0/1"))
        ]


@_near("blackholes for other networks in every table")
def _(land: Land, _: Plan) -> None:
    for table in _tables(land):
        table.append(Way(_ELSEWHERE, "pcx-old", alive=False))


@_near("blackholes for other networks at the gateway")
def _(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        table.append(Way(_ELSEWHERE, "none", alive=False))


@_near("wider blackholes than the routes at the gateway")
def _(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        table += [Way(block, "none", alive=False) for block in ("10.0.0.0/8", "100.64.0.0/10")]


@_near("more specific routes to the same place at the gateway")
def _(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        table += [
            Way(half, "tgw-attach-spoke")
            for each in [*table]
            if each.via == "tgw-attach-spoke"
            for half in _halves(each.to)
        ]


def _halves(block: str) -> list[str]:
    return [str(each) for each in ip_network(block).subnets()]


@_near("the default route in two halves at the gateway")
def _(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        for each in [way for way in table if way.to == ANYWHERE]:
            table.remove(each)
            table += [Way(half, each.via) for half in _halves(ANYWHERE)]


@_near("default routes in two halves in every VPC")
def _(land: Land, _: Plan) -> None:
    for table in _tables(land):
        for each in [way for way in table if way.to == ANYWHERE]:
            table.remove(each)
            table += [Way(half, each.via) for half in _halves(ANYWHERE)]


@_near("the gateway routes to the hub by its subnets, too")
def _(land: Land, _: Plan) -> None:
    table = land.tables.get(land.plugs["tgw-attach-spoke"].table, [])
    table += [Way(each.block, "tgw-attach-hub") for each in land.hub.places.values()]


@_near("attachments are being modified")
def _(land: Land, _: Plan) -> None:
    for plug in land.plugs.values():
        plug.state = "modifying"


@_near("old attachments of the same VPCs are gone")
def _(land: Land, _: Plan) -> None:
    for name, site in land.sites.items():
        old = Plug(f"tgw-attach-old-{name}", site.id, site.account, [], "", "deleted")
        land.plugs[old.id] = old


@_near("other spokes' attachments are broken")
def _(land: Land, _: Plan) -> None:
    for state in ("failed", "pendingAcceptance", "rejected"):
        other = Plug(f"tgw-attach-{state}", f"vpc-{state}", "999999999999", ["subnet-9"], "", state)
        land.plugs[other.id] = other
        for table in land.tables.values():
            table.append(Way(_ELSEWHERE.replace("250", str(len(land.plugs) + 200)), other.id))


@_near("the gateway has a VPN for other networks")
def _(land: Land, _: Plan) -> None:
    land.plugs["tgw-attach-vpn"] = Plug("tgw-attach-vpn", "vpn-1", land.owner, [], "tgw-rtb-x", kind="vpn")
    for table in land.tables.values():
        table.append(Way("192.168.0.0/16", "tgw-attach-vpn"))


@_near("tables that nobody is associated with are empty")
def _(land: Land, _: Plan) -> None:
    land.tables["tgw-rtb-unused"] = []


@_near("another zone of the egress VPC is broken")
def _(land: Land, plan: Plan) -> None:
    if plan.zone_ids and not plan.appliance:
        _break_zones(land.out, plan)


def _break_zones(site: Site, plan: Plan) -> None:
    for zone in set(range(plan.zones)) - {plan.zone}:
        for place in [each for each in site.places.values() if each.zone == zone]:
            site.tables[place.table].clear()
            site.acls[place.acl].clear()
        for nat in site.nats.values():
            nat.state = nat.state if nat.id.endswith(str(plan.zone)) else "failed"


@_near("the gateway's entries in other zones of the spoke are shut")
def _(land: Land, plan: Plan) -> None:
    for zone in set(range(plan.zones)) - {plan.zone}:
        land.spoke.acls[f"acl-spoke-tgw-{zone}"].clear()
        land.spoke.tables[f"rtb-spoke-tgw-{zone}"].append(Way(ANYWHERE, "eni-1"))


@_near("other subnets of the spoke have no routes")
def _(land: Land, plan: Plan) -> None:
    for zone in set(range(plan.zones)) - {plan.zone}:
        land.spoke.tables[f"rtb-spoke-in-{zone}"].clear()


@_near("the spoke's attachment has only the node's zone")
def _(land: Land, plan: Plan) -> None:
    land.plugs["tgw-attach-spoke"].places = [f"subnet-spoke-tgw-{plan.zone}"]


@_near("an unused NAT gateway has failed")
def _(land: Land, plan: Plan) -> None:
    land.out.nats["nat-old"] = Nat("nat-old", f"subnet-out-in-{plan.zone}", "failed")


@_near("NAT gateways have several addresses")
def _(land: Land, _: Plan) -> None:
    for nat in land.out.nats.values():
        nat.public = ("54.7.7.7", "54.7.7.8", "54.7.7.9")


@_near("the hub has an internet gateway that leads nowhere")
def _(land: Land, _: Plan) -> None:
    land.hub.gateway, land.hub.attached = "igw-hub", False


@_near("the endpoints let everybody in")
def _(land: Land, _: Plan) -> None:
    land.hub.groups["sg-hub"].into = [Opening(ANYWHERE, None, "-1")]


@_near("the endpoints let the node alone in")
def _(land: Land, _: Plan) -> None:
    land.hub.groups["sg-hub"].into = [Opening(f"{land.address}/32", (0, 65535))]


@_near("the endpoints let a prefix list in")
def _(land: Land, _: Plan) -> None:
    land.hub.lists["pl-spokes"] = [_ELSEWHERE, *land.spoke.blocks]
    land.hub.groups["sg-hub"].into = [Opening("pl-spokes", (400, 500))]


@_near("the endpoints' second group lets the node in")
def _(land: Land, _: Plan) -> None:
    land.hub.groups["sg-second"] = land.hub.groups["sg-hub"]
    land.hub.groups["sg-hub"] = Group(into=[Opening("sg-apps", (443, 443))])
    for endpoint in land.hub.endpoints.values():
        endpoint.groups = ["sg-hub", "sg-second"]


@_near("the hub has another endpoint of the service, which is broken")
def _(land: Land, plan: Plan) -> None:
    at = {f"subnet-hub-in-{plan.zone}": f"10.{plan.blocks[1]}.{plan.zone + 1}.99"}
    land.hub.groups["sg-shut"] = Group()
    land.hub.endpoints["vpce-00000000000000ff"] = Endpoint(
        "vpce-00000000000000ff", "ecr.dkr", at, ["sg-shut"], "failed"
    )


@_near("another peering connection was never accepted")
def _(land: Land, _: Plan) -> None:
    land.links["pcx-other"] = Link("pcx-other", (land.spoke.id, land.out.id), "pending-acceptance")


@_near("the S3 gateway endpoint is not in the table, and another way leads to S3")
def _(land: Land, _: Plan) -> None:
    for table in land.spoke.tables.values():
        table[:] = [each for each in table if each.via != STORE]


@_near("ACLs of subnets deny what does not cross them")
def _(land: Land, _: Plan) -> None:
    for site in (land.hub, land.out):
        for place in site.places.values():
            if "-tgw-" in place.id:
                site.acls[place.acl] += _closed((False, (443, 443)), (True, (1024, 65535)))
    for place in land.hub.places.values():
        if "-in-" in place.id:
            land.hub.acls[place.acl] += _closed((True, (443, 443)), (False, (1024, 65535)))
    land.spoke.acl_of(land.node).extend(_closed((False, (443, 443)), (True, (1024, 65535))))


def _closed(*packets: tuple[bool, tuple[int, int]]) -> list[Entry]:
    return [Entry(10, allow=False, out=out, peer=ANYWHERE, ports=ports, protocol="6") for out, ports in packets]


@_near("zones for other names")
def _(land: Land, _: Plan) -> None:
    land.zones += [Zone("example.com", land.spoke.account, {"example.com": "10.9.9.9"})]
    land.zones += [Zone("rds.amazonaws.com", land.spoke.account), Zone("ecr.us-east-1.amazonaws.com", "222222222222")]


@_near("the firewall denies other names")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        names = [f".{API}.example.com", "amazonaws.com", ".us-east-1.amazonaws.com", f"x{BUCKET}"]
        wall.lists.insert(0, Names(f"{wall.lists[0].arn}-not", "DENYLIST", names))


@_near("the firewall's first list has only other names")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        wall.lists.insert(0, Names(f"{wall.lists[0].arn}-more", "ALLOWLIST", [".example.com"]))


@_near("the firewall names each host")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        wall.lists[0].entries = [API, REGISTRY, BUCKET]


@_near("the firewall names whole domains")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        wall.lists[0].entries = [".com"]


@_near("the firewall has an alert list")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        wall.lists.insert(0, Names(f"{wall.lists[0].arn}-alert", "ALERTLIST", [".amazonaws.com"]))


@_near("the firewall denies for other sources")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        names = Names(f"{wall.lists[0].arn}-lab", "DENYLIST", [".amazonaws.com"], [_ELSEWHERE])
        wall.lists.insert(0, names)
        for each in wall.lists[1:]:
            each.home = wall.home
        wall.home = []


@_near("the inspection VPC has a default route for others")
def _(land: Land, plan: Plan) -> None:
    if site := land.sites.get("look"):
        site.gateway, site.attached = "igw-look", False
        for zone in range(plan.zones):
            site.tables[f"rtb-look-in-{zone}"].append(Way(_ELSEWHERE, "igw-look"))


@_near("other spokes are not inspected")
def _(land: Land, _: Plan) -> None:
    if "tgw-rtb-look" in land.tables:
        land.tables["tgw-rtb-unlooked"] = [Way(ANYWHERE, "tgw-attach-out")]
        land.tables["tgw-rtb-look"].append(Way(_ELSEWHERE, "none", alive=False))


@_near("DNS Firewall allows before it blocks everything")
def _(land: Land, _: Plan) -> None:
    land.questions += [
        Question("rslvr-frg-1", 100, "BLOCK", ["*"]),
        Question("rslvr-frg-1", 50, "ALLOW", ["*.amazonaws.com"]),
    ]


@_near("DNS Firewall blocks other names")
def _(land: Land, _: Plan) -> None:
    names = ["amazonaws.com", f"*.{REGISTRY}", "*.example.com", f"other.{S3}"]
    land.questions.append(Question("rslvr-frg-1", 1, "BLOCK", names))


@_near("DNS Firewall blocks IPv6 addresses")
def _(land: Land, _: Plan) -> None:
    land.questions.append(Question("rslvr-frg-1", 1, "BLOCK", ["*"], "AAAA"))


@_near("DNS Firewall only tells")
def _(land: Land, _: Plan) -> None:
    land.questions += [
        Question("rslvr-frg-1", 1, "ALERT", ["*"]),
        Question("rslvr-frg-1", 2, "BLOCK", ["*.amazonaws.com"]),
    ]


@_near("thousands of routes for other networks")
def _(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        table += [Way(f"172.{16 + n // 256 % 16}.{n % 256}.0/24", "tgw-attach-hub") for n in range(300)]


@_near("answers have more specific routes than they need")
def _(land: Land, _: Plan) -> None:
    for site in (land.hub, land.out):
        for table in site.tables.values():
            back = [each for each in table if each.via == GATEWAY]
            table += [Way(land.spoke.places[land.node].block, each.via) for each in back[:1]]
