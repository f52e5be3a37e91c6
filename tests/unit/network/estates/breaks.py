"""What can be broken in an estate. Whether it stops a pull depends on the estate: `walking` says that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.unit.network.estates.land import (
    ANYWHERE,
    API,
    BUCKET,
    REGISTRY,
    S3,
    Entry,
    Group,
    Names,
    Opening,
    Question,
    Way,
)
from tests.unit.network.estates.plans import ENDPOINTS, GATEWAY, LINK, STORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.network.estates.land import Land, Site
    from tests.unit.network.estates.plans import Plan

    Change = Callable[[Land, Plan], None]

BREAKS: Final[dict[str, Change]] = {}
_EPHEMERAL: Final = (1024, 65535)


def _breaks(name: str) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        BREAKS[name] = change
        return change

    return add


def _without(routes: list[Way], *targets: str) -> None:
    routes[:] = [each for each in routes if not each.via.startswith(targets)]


def _dead(routes: list[Way], *targets: str) -> None:
    for each in routes:
        each.alive = each.alive and not each.via.startswith(targets)


def _close(site: Site, place: str, *, out: bool, ports: tuple[int, int] | None = None) -> None:
    site.acl_of(place).append(Entry(10, allow=False, out=out, peer=ANYWHERE, ports=ports, protocol="6"))


def _entry(name: str, plan: Plan) -> str:
    return f"subnet-{name}-tgw-{plan.zone}"


def _inner(name: str, plan: Plan) -> str:
    return f"subnet-{name}-in-{plan.zone}"


# What crosses the ACL of a subnet, out or in: the request or the answer.
_REQUEST, _ANSWER, _ALL = ("the request", (443, 443)), ("answers", _EPHEMERAL), ("everything", None)
_AS_CLIENT: Final = ((True, _REQUEST), (False, _ANSWER))
_AS_SERVER: Final = ((False, _REQUEST), (True, _ANSWER))
_CROSSED: Final = {
    ("spoke", "inner"): _AS_CLIENT,
    ("spoke", "entry"): _AS_SERVER,
    ("hub", "entry"): _AS_CLIENT,
    ("hub", "inner"): _AS_SERVER,
    ("out", "entry"): _AS_CLIENT,
    ("out", "inner"): (*_AS_CLIENT, *_AS_SERVER),
}


def _acl(name: str, where: str, out: bool, ports: tuple[int, int] | None) -> Change:  # noqa: FBT001 -- of an entry
    def shut(land: Land, plan: Plan) -> None:
        _close(land.sites[name], (_entry if where == "entry" else _inner)(name, plan), out=out, ports=ports)

    return shut


for (_name, _where), _packets in _CROSSED.items():
    for _out, (_what, _ports) in (*_packets, (True, _ALL), (False, _ALL)):
        _said = f"the ACL of the {_name}'s {_where} subnet stops {_what} {'out' if _out else 'in'}"
        BREAKS[_said] = _acl(_name, _where, _out, _ports)


@_breaks("the node's group lets nothing out")
def _(land: Land, _: Plan) -> None:
    land.spoke.groups["sg-node"] = Group()


@_breaks("the node's group lets only private addresses")
def _(land: Land, _: Plan) -> None:
    land.spoke.groups["sg-node"] = Group(out=[Opening("10.0.0.0/8")])


@_breaks("the node's group lets out on other ports")
def _(land: Land, _: Plan) -> None:
    land.spoke.groups["sg-node"] = Group(out=[Opening(ANYWHERE, (80, 442)), Opening(ANYWHERE, None, "udp")])


@_breaks("the node's subnet has no route to the gateway")
def _(land: Land, _: Plan) -> None:
    _without(land.spoke.table_of(land.node), GATEWAY)


@_breaks("the node's route to the gateway is a blackhole")
def _(land: Land, _: Plan) -> None:
    _dead(land.spoke.table_of(land.node), GATEWAY)


@_breaks("no route of the node's subnet leads anywhere")
def _(land: Land, _: Plan) -> None:
    land.spoke.table_of(land.node).clear()


@_breaks("the node's default route leads over the peering connection")
def _(land: Land, plan: Plan) -> None:
    if plan.peered:
        for each in land.spoke.table_of(land.node):
            each.via = LINK if each.to == ANYWHERE else each.via


@_breaks("the peering connection was never accepted")
def _(land: Land, plan: Plan) -> None:
    if plan.peered:
        land.links[LINK].state = "expired"


@_breaks("the peering connection was deleted by its other side")
def _(land: Land, plan: Plan) -> None:
    if plan.peered:
        land.links[LINK].state = "deleted"


@_breaks("the S3 gateway endpoint is in a table that leads nowhere else")
def _(land: Land, _: Plan) -> None:
    _without(land.spoke.table_of(land.node), STORE, GATEWAY)


@_breaks("DNS is off in the spoke")
def _(land: Land, _: Plan) -> None:
    land.dns = False


def _of_attachments() -> None:
    for name in ("spoke", "hub", "out"):

        def alone(land: Land, _: Plan, name: str = name) -> None:
            land.plugs[f"tgw-attach-{name}"].table = ""

        BREAKS[f"the {name}'s attachment is associated with no table"] = alone

    for state in ("pendingAcceptance", "failed", "deleting", "rejecting"):

        def in_state(land: Land, _: Plan, state: str = state) -> None:
            land.plugs["tgw-attach-spoke"].state = state

        BREAKS[f"the spoke's attachment is {state}"] = in_state


_of_attachments()


@_breaks("the spoke's attachment has no subnet in the node's zone")
def _(land: Land, plan: Plan) -> None:
    plug = land.plugs["tgw-attach-spoke"]
    if len(plug.places) > 1:
        plug.places = [each for each in plug.places if each != _entry("spoke", plan)]


def _there(land: Land) -> list[Way]:
    return land.tables.get(land.plugs["tgw-attach-spoke"].table, [])


def _from(name: str, land: Land) -> list[Way]:
    # Another break may have taken the association away.
    return land.tables.get(land.plugs[f"tgw-attach-{name}"].table, [])


@_breaks("the gateway has no route to the egress VPC")
def _(land: Land, _: Plan) -> None:
    _without(_there(land), "tgw-attach-out")


@_breaks("the gateway drops what is for the egress VPC")
def _(land: Land, _: Plan) -> None:
    _dead(_there(land), "tgw-attach-out")


@_breaks("the gateway drops both halves of the internet")
def _(land: Land, _: Plan) -> None:
    _there(land).extend(Way(half, "none", alive=False) for half in ("0.0.0.0/1", "128.0.0.0/1"))


@_breaks("the gateway leads nowhere")
def _(land: Land, _: Plan) -> None:
    _there(land).clear()


@_breaks("the gateway drops what is for the hub")
def _(land: Land, _: Plan) -> None:
    _dead(_there(land), "tgw-attach-hub")


@_breaks("the gateway's static blackhole is more specific than the hub's block")
def _(land: Land, plan: Plan) -> None:
    block = next(each.block for each in land.hub.places.values() if each.id == _inner("hub", plan))
    _there(land).append(Way(block, "none", alive=False))


@_breaks("nothing is propagated back from the hub")
def _(land: Land, _: Plan) -> None:
    _without(_from("hub", land), "tgw-attach-spoke")


@_breaks("nothing is propagated back from the egress VPC")
def _(land: Land, _: Plan) -> None:
    _without(_from("out", land), "tgw-attach-spoke")


@_breaks("the gateway knows the way back to another spoke only")
def _(land: Land, _: Plan) -> None:
    for each in _from("out", land):
        each.to = "10.250.0.0/16" if each.via == "tgw-attach-spoke" else each.to


@_breaks("the gateway drops answers")
def _(land: Land, _: Plan) -> None:
    _dead(_from("out", land), "tgw-attach-spoke")


@_breaks("the gateway drops answers to the node's subnet")
def _(land: Land, _: Plan) -> None:
    block = land.spoke.places[land.node].block
    _from("out", land).append(Way(block, "none", alive=False))


@_breaks("the gateway's entry in the egress VPC has no route")
def _(land: Land, plan: Plan) -> None:
    land.out.table_of(_entry("out", plan)).clear()


@_breaks("no entry of the gateway in the egress VPC has a route")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones):
        land.out.tables[f"rtb-out-tgw-{zone}"].clear()


@_breaks("the egress VPC's route to the NAT gateway is a blackhole")
def _(land: Land, _: Plan) -> None:
    for routes in land.out.tables.values():
        _dead(routes, "nat-")


def _of_nat() -> None:
    for state in ("failed", "pending", "deleting", "deleted"):

        def in_state(land: Land, _: Plan, state: str = state) -> None:
            for nat in land.out.nats.values():
                nat.state = state

        BREAKS[f"all NAT gateways are {state}"] = in_state

        def one(land: Land, plan: Plan, state: str = state) -> None:
            land.out.nats[f"nat-out-{plan.zone}"].state = state

        BREAKS[f"the zone's NAT gateway is {state}"] = one


_of_nat()


@_breaks("the NAT gateway's subnet has no route to the internet")
def _(land: Land, plan: Plan) -> None:
    _without(land.out.table_of(_inner("out", plan)), "igw-")


@_breaks("the NAT gateway's route to the internet is a blackhole")
def _(land: Land, plan: Plan) -> None:
    _dead(land.out.table_of(_inner("out", plan)), "igw-")


@_breaks("the internet gateway is attached to no VPC")
def _(land: Land, _: Plan) -> None:
    land.out.attached = False


@_breaks("the NAT gateway's subnet has no way back")
def _(land: Land, plan: Plan) -> None:
    _without(land.out.table_of(_inner("out", plan)), "tgw-", "vpce-")


@_breaks("no subnet of the egress VPC has a way back")
def _(land: Land, _: Plan) -> None:
    for routes in land.out.tables.values():
        _without(routes, "tgw-")


@_breaks("the egress VPC's way back is for another block")
def _(land: Land, _: Plan) -> None:
    for routes in land.out.tables.values():
        for each in routes:
            each.to = "10.250.0.0/16" if each.via == GATEWAY else each.to


@_breaks("the egress VPC's way back is a blackhole")
def _(land: Land, _: Plan) -> None:
    for routes in land.out.tables.values():
        _dead(routes, GATEWAY)


@_breaks("the hub's subnets have no way back")
def _(land: Land, _: Plan) -> None:
    for routes in land.hub.tables.values():
        routes.clear()


@_breaks("the hub's way back is a blackhole")
def _(land: Land, _: Plan) -> None:
    for routes in land.hub.tables.values():
        _dead(routes, "tgw-", "pcx-")


@_breaks("the hub's answers leave to the internet")
def _(land: Land, _: Plan) -> None:
    land.hub.gateway = "igw-hub"
    for routes in land.hub.tables.values():
        routes[:] = [Way(ANYWHERE, "igw-hub")]


def _of_hub() -> None:
    openings = {
        "nobody": [],
        "the hub alone": ["HUB"],
        "another spoke": ["10.250.0.0/16"],
        "another port": [Opening(ANYWHERE, (8443, 8443))],
        "another protocol": [Opening(ANYWHERE, None, "udp")],
        "the node's neighbours": [Opening("100.64.255.0/24"), Opening("10.255.0.0/16")],
    }
    for who, rules in openings.items():

        def let_in(land: Land, _: Plan, rules: list[Opening | str] = rules) -> None:  # type: ignore[assignment]
            own = [Opening(land.hub.blocks[0]) if each == "HUB" else each for each in rules]
            land.hub.groups["sg-hub"].into = [Opening(each) if isinstance(each, str) else each for each in own]

        BREAKS[f"the endpoints let in {who}"] = let_in
    for state in ("pending", "pendingAcceptance", "rejected", "failed", "expired"):

        def in_state(land: Land, _: Plan, state: str = state) -> None:
            land.hub.endpoints[ENDPOINTS["ecr.dkr"]].state = state

        BREAKS[f"the registry's endpoint is {state}"] = in_state


_of_hub()


@_breaks("every ACL of the hub's endpoints is shut")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones):
        land.hub.acls[f"acl-hub-in-{zone}"] = []


@_breaks("every ACL of the egress VPC's entries is shut")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones):
        land.out.acls[f"acl-out-tgw-{zone}"] = []


@_breaks("a zone's record leads to an address that nothing has")
def _(land: Land, _: Plan) -> None:
    for zone in land.zones:
        zone.records = dict.fromkeys(zone.records, f"{land.hub.blocks[0].rpartition('.')[0].rpartition('.')[0]}.77.7")


@_breaks("a zone has no record for the name")
def _(land: Land, _: Plan) -> None:
    for zone in land.zones:
        zone.records = {zone.name.replace("api", "other"): next(iter(zone.records.values()))}


def _of_walls() -> None:
    lists: dict[str, list[str]] = {
        "have no name of S3": [f".ecr.{API.partition('.ecr.')[2]}"],
        "have no name of ECR": [f".{S3}"],
        "have no name of the API": [f".{REGISTRY.partition('.')[2]}", f".{S3}"],
        "have the domain without its dot": [each.removeprefix(".") for each in (f".{S3}", ".amazonaws.com")],
        "have other buckets": [".amazonaws.com.example", f"other.{S3}", ".ecr.us-east-1.amazonaws.com"],
        "are empty": [],
    }
    for what, entries in lists.items():

        def listed(land: Land, _: Plan, entries: list[str] = entries) -> None:
            for wall in land.walls:
                wall.lists[0].entries = list(entries)

        BREAKS[f"the firewall's lists {what}"] = listed
    for kind in ("DENYLIST", "REJECTLIST"):
        for host in (BUCKET, ".amazonaws.com", REGISTRY):

            def denied(land: Land, _: Plan, kind: str = kind, host: str = host) -> None:
                for wall in land.walls:
                    arn = f"{wall.lists[0].arn}-not"
                    wall.lists[:] = [Names(arn, kind, [host]), *(wall.lists if wall.strict else ())]

            BREAKS[f"the firewall has a {kind} with {host}"] = denied


_of_walls()


@_breaks("the firewall's HOME_NET has not the spokes")
def _(land: Land, _: Plan) -> None:
    for wall in land.walls:
        wall.home = ["10.251.0.0/16"]
        wall.lists[0].home = []


@_breaks("the firewall's subnet has no way back")
def _(land: Land, plan: Plan) -> None:
    if plan.walled:
        _without(land.out.table_of(f"subnet-out-wall-{plan.zone}"), GATEWAY)


def _look(land: Land) -> Site | None:
    return land.sites.get("look")


@_breaks("the inspection VPC's attachment is associated with no table")
def _(land: Land, _: Plan) -> None:
    if _look(land):
        land.plugs["tgw-attach-look"].table = ""


@_breaks("what is inspected is not led on")
def _(land: Land, _: Plan) -> None:
    _without(land.tables.get("tgw-rtb-look", []), "tgw-attach-out")


@_breaks("what is inspected is dropped")
def _(land: Land, _: Plan) -> None:
    _dead(land.tables.get("tgw-rtb-look", []), "tgw-attach-out")


@_breaks("answers are not led on from the inspection VPC")
def _(land: Land, _: Plan) -> None:
    _without(land.tables.get("tgw-rtb-look", []), "tgw-attach-spoke")


@_breaks("answers do not come to the inspection VPC")
def _(land: Land, _: Plan) -> None:
    _without(land.tables.get("tgw-rtb-out", []), "tgw-attach-look")


@_breaks("answers pass by the inspection VPC")
def _(land: Land, _: Plan) -> None:
    for way in land.tables.get("tgw-rtb-out", []):
        way.via = "tgw-attach-spoke"


@_breaks("the inspection VPC's entries have no routes")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones if _look(land) else 0):
        land.sites["look"].tables[f"rtb-look-tgw-{zone}"].clear()


@_breaks("the inspecting firewall's subnets have no routes")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones if _look(land) else 0):
        land.sites["look"].tables[f"rtb-look-in-{zone}"].clear()


@_breaks("the inspecting firewall's subnet leads back to it")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones if _look(land) else 0):
        land.sites["look"].tables[f"rtb-look-in-{zone}"][:] = [Way(ANYWHERE, f"vpce-look-{zone}")]


@_breaks("the inspection VPC's attachment has no subnet in the node's zone")
def _(land: Land, plan: Plan) -> None:
    if _look(land) and plan.zones > 1:
        plug = land.plugs["tgw-attach-look"]
        plug.places = [each for each in plug.places if each != _entry("look", plan)]


@_breaks("every ACL of the inspection VPC's entries is shut")
def _(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones if _look(land) else 0):
        land.sites["look"].acls[f"acl-look-tgw-{zone}"] = []


@_breaks("the inspecting firewall alone has no name of S3")
def _(land: Land, _: Plan) -> None:
    if site := _look(land):
        site.walls[0].lists[0].entries = [f".ecr.{API.partition('.ecr.')[2]}"]


def _of_questions() -> None:
    for names in (["*"], ["*.amazonaws.com"], [REGISTRY], [API], [BUCKET], ["*.s3.eu-west-1.amazonaws.com"]):

        def refuse(land: Land, _: Plan, names: list[str] = names) -> None:
            land.questions.append(Question("rslvr-frg-1", 100, "BLOCK", names))

        BREAKS[f"DNS Firewall blocks {names[0]}"] = refuse


_of_questions()
