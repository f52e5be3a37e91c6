"""Estates that are made to mislead: loops, doubles, ranges that overlap, tables without an end, names that are none.

Whatever they are, an answer comes, it is short, and it blames nothing that is not at fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.unit.network.estates.land import ANYWHERE, API, REGISTRY, Plug, Way, Zone
from tests.unit.network.estates.modelled import traced
from tests.unit.network.estates.plans import GATEWAY, drawn, lay_out
from tests.unit.network.estates.test_estates import judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.network import Path
    from tests.unit.network.estates.land import Land
    from tests.unit.network.estates.plans import Plan

    Change = Callable[[Land, Plan], None]

_SEEDS: Final = range(12)
# What a whole answer may be long, in characters.
_LONGEST: Final = 80_000


def _loop_at_gateway(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        table[:] = [Way(ANYWHERE, "tgw-attach-spoke")]


def _loop_back_from_egress(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones):
        land.out.tables[f"rtb-out-tgw-{zone}"][:] = [Way(ANYWHERE, GATEWAY)]


def _loop_in_hub(land: Land, plan: Plan) -> None:
    block = land.hub.blocks[0].replace(".0.0/16", ".0.0/17")
    for zone in range(plan.zones):
        land.hub.tables[f"rtb-hub-tgw-{zone}"].append(Way(block, GATEWAY))


def _loop_of_nat(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones):
        for way in land.out.tables[f"rtb-out-in-{zone}"]:
            way.via = f"nat-out-{zone}" if way.to == ANYWHERE else way.via


def _loop_of_firewall(land: Land, plan: Plan) -> None:
    for zone in range(plan.zones if plan.walled else 0):
        for way in land.out.tables[f"rtb-out-wall-{zone}"]:
            way.via = f"vpce-wall-{zone}" if way.to == ANYWHERE else way.via


def _two_attachments(land: Land, _: Plan) -> None:
    first = land.plugs["tgw-attach-spoke"]
    land.plugs["tgw-attach-double"] = Plug("tgw-attach-double", first.to, first.owner, first.places, first.table)


def _two_attachments_of_egress(land: Land, _: Plan) -> None:
    first = land.plugs["tgw-attach-out"]
    land.plugs["tgw-attach-double"] = Plug("tgw-attach-double", first.to, first.owner, first.places, first.table)


def _egress_overlaps_spoke(land: Land, _: Plan) -> None:
    land.out.blocks = [*land.out.blocks, *land.spoke.blocks]


def _hub_overlaps_spoke(land: Land, _: Plan) -> None:
    land.hub.blocks = [*land.hub.blocks, *land.spoke.blocks]


def _appliances(land: Land, _: Plan) -> None:
    for site in land.sites.values():
        for table in site.tables.values():
            for way in table:
                way.via = "eni-1" if way.to == ANYWHERE else way.via


def _several_attachments(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        for way in table:
            way.via = "several attachments" if way.alive else way.via


def _other_kinds(land: Land, _: Plan) -> None:
    kinds = ("vpn", "direct-connect-gateway", "connect", "tgw-peering", "")
    for plug, kind in zip((land.plugs["tgw-attach-hub"], land.plugs["tgw-attach-out"]), kinds, strict=False):
        plug.kind = kind


def _nobody_knows_the_vpc(land: Land, _: Plan) -> None:
    for name in ("hub", "out"):
        land.plugs[f"tgw-attach-{name}"].to = f"vpc-{name}-of-somebody"


def _odd_targets(land: Land, _: Plan) -> None:
    targets = ("", "x", "tgw", "vpce-", "arn:aws:networkmanager::1:core-network/core-1", "lgw-1", "cagw-1", "vgw-1")
    for number, site in enumerate(land.sites.values()):
        for table in site.tables.values():
            for way in table:
                way.via = targets[(number + len(way.to)) % len(targets)]


def _odd_zones(land: Land, _: Plan) -> None:
    names = ("", "*", ".", "\\052.amazonaws.com", "amazonaws.com.", "xn--" + "a" * 200, f"..{API}", "com")
    land.zones = [Zone(name, "", {name: "vpce-1", REGISTRY: "not an address"}) for name in names if name != "com"]


def _states_of_attachments(land: Land, _: Plan) -> None:
    for plug, state in zip(land.plugs.values(), ("", "unheard-of", ""), strict=False):
        plug.state = state


def _states_of_connections(land: Land, _: Plan) -> None:
    for number, link in enumerate(land.links.values()):
        link.state = ("", "unheard-of")[number % 2]


HOSTILE: Final[dict[str, Change]] = {
    "the gateway sends all back to the spoke": _loop_at_gateway,
    "the egress VPC sends all back to the gateway": _loop_back_from_egress,
    "the hub's entries send all back to the gateway": _loop_in_hub,
    "NAT gateways lead to themselves": _loop_of_nat,
    "firewalls lead to themselves": _loop_of_firewall,
    "the spoke is attached twice": _two_attachments,
    "the egress VPC is attached twice": _two_attachments_of_egress,
    "the egress VPC has the spoke's ranges": _egress_overlaps_spoke,
    "the hub has the spoke's ranges": _hub_overlaps_spoke,
    "default routes lead to appliances": _appliances,
    "routes lead to several attachments": _several_attachments,
    "attachments are of other kinds": _other_kinds,
    "attachments are of VPCs that nobody knows": _nobody_knows_the_vpc,
    "targets are of no kind": _odd_targets,
    "attachments are in states that nobody knows": _states_of_attachments,
    "peering connections are in states that nobody knows": _states_of_connections,
    "zones have odd names": _odd_zones,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_misleads(name: str) -> None:
    for seed in _SEEDS:
        plan = drawn(seed)
        land = lay_out(plan)
        HOSTILE[name](land, plan)
        path = traced(land)
        for leg, told, stopped, _ in judged(land, path):
            assert told <= stopped, (plan, leg.host, told, stopped)
            if stopped:
                assert leg.verdict.value != "ok", (plan, leg.host, stopped)
        assert _length(path) < _LONGEST


def _length(path: Path) -> int:
    return sum(len(str(hop)) for leg in path.legs for hop in leg.hops)


def _many_routes(land: Land, _: Plan) -> None:
    for table in land.tables.values():
        table += [Way(f"172.{16 + n // 256 % 16}.{n % 256}.0/24", "tgw-attach-hub") for n in range(5000)]


def _many_domains(land: Land, _: Plan) -> None:
    for wall in land.walls:
        wall.lists[0].entries[:0] = [f".h{n}.example.com" for n in range(30_000)]


def _many_attachments(land: Land, _: Plan) -> None:
    for n in range(5000):
        land.plugs[f"tgw-attach-{n}"] = Plug(f"tgw-attach-{n}", f"vpc-{n}", "999999999999", [], "tgw-rtb-other")


@pytest.mark.parametrize("change", [_many_routes, _many_domains, _many_attachments])
def test_what_is_very_long_changes_nothing_and_is_not_shown(change: Change) -> None:
    for seed in _SEEDS[:2]:
        plan = drawn(seed)
        land = lay_out(plan)
        change(land, plan)
        path = traced(land)
        for leg, told, _, sure in judged(land, path):
            assert (told, sure, leg.verdict.value) == (set(), True, "ok"), plan
        assert _length(path) < _LONGEST
