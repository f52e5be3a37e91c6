"""Random estates of several VPCs and accounts: what is found is what stops packets that are sent through them.

`PULL_RESPONDER_ESTATES=200 pytest tests/unit/network/estates` tries that many estates for each break and near miss, and
others each time.
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from pull_responder.network import Network, RegistryPlace, Surroundings, Unread, WantedKind, trace
from tests.unit.network.estates.breaks import BREAKS
from tests.unit.network.estates.denied import holes
from tests.unit.network.estates.land import REGION, REGISTRY
from tests.unit.network.estates.modelled import network_of, node_of, sighting_of, traced
from tests.unit.network.estates.near_misses import NEAR_MISSES
from tests.unit.network.estates.plans import Plan, drawn, lay_out
from tests.unit.network.estates.walking import NO_ROUTE, Drop, of_stage, stops

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pull_responder.network import Leg, Path
    from tests.unit.network.estates.breaks import Change
    from tests.unit.network.estates.land import Land

_ASKED: Final = os.environ.get("PULL_RESPONDER_ESTATES")
_EACH: Final = int(_ASKED or 3)
# The tests that trace an estate several times have fewer.
_FEW: Final = int(_ASKED or 1)
_FIRST: Final = Random().randrange(1_000_000) if _ASKED else 0  # noqa: S311 -- nothing is kept secret
# With which of what was not asked for yet a trace is made again, at most: as `pulls/surroundings.py` does it.
_MOST_STEPS: Final = 4


def estates(name: str, table: Mapping[str, Change], number: int = _EACH) -> Iterator[tuple[Plan, Land]]:
    """Return estates with one break or near miss. Which they are depends on its name alone."""
    first = sorted(table).index(name)
    for seed in range(_FIRST, _FIRST + number):
        plan = drawn(seed * 1009 + first)
        land = lay_out(plan)
        table[name](land, plan)
        yield plan, land


def found(leg: Leg, land: Land) -> set[Drop]:
    """Return the faults of a leg."""
    return {
        Drop(fault.cause.value, fault.resource_id, fault.owned.account if fault.owned else land.spoke.account)
        for hop in leg.hops
        for fault in hop.faults
    }


def judged(land: Land, path: Path) -> Iterator[tuple[Leg, set[Drop], set[Drop], bool]]:
    """Return each leg with what was found, what stops it, and whether that is all that there is to say.

    If kubelet dialled an address, only the leg that it dialled for is about it.
    """
    for leg in path.legs:
        if not land.dialled or leg.host == REGISTRY:
            stopped, sure = of_stage(land, leg.stage.value)
            yield leg, found(leg, land), stopped, sure


def check(land: Land, plan: object) -> set[Drop]:
    """Hold the answer against the packets. Return what stops the pull."""
    path = traced(land)
    everything: set[Drop] = set()
    for leg, told, stopped, sure in judged(land, path):
        shown = (plan, leg.host, told, stopped)
        everything |= stopped
        assert told <= stopped, shown
        if stopped:
            assert leg.verdict.value != "ok", shown
        if sure and stopped and told != stopped:
            # Where kubelet dialled an address, the answer for its name may be what is wrong.
            assert land.dialled, shown
            assert not told, shown
        by_name = land.dialled and (land.questions or not land.dns)
        if sure and not stopped and not by_name:
            assert leg.verdict.value == "ok", (*shown, [hop for hop in leg.hops if hop.undecided])
    return everything


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_one_break_is_found_where_it_stops_packets(name: str) -> None:
    for plan, land in estates(name, BREAKS):
        check(land, plan)


@pytest.mark.parametrize("name", sorted(NEAR_MISSES))
def test_a_near_miss_is_none(name: str) -> None:
    for plan, land in estates(name, NEAR_MISSES):
        assert check(land, plan) == set()


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + _EACH * 20))
def test_several_breaks_among_near_misses(seed: int) -> None:
    """What is found stops packets, and what is stopped is never fine."""
    dice, plan = Random(seed), drawn(seed)  # noqa: S311 -- nothing is kept secret
    land = lay_out(plan)
    names = [*dice.sample(sorted(BREAKS), dice.randint(2, 3)), *dice.sample(sorted(NEAR_MISSES), dice.randint(0, 3))]
    # What lies behind a break may be told, too: it stops packets once that is mended.
    alone: set[Drop] = set()
    for name in names:
        (BREAKS.get(name) or NEAR_MISSES[name])(land, plan)
        only = lay_out(plan)
        (BREAKS.get(name) or NEAR_MISSES[name])(only, plan)
        alone |= stops(only)
    for leg, told, stopped, _ in judged(land, traced(land)):
        assert told <= stopped | alone, (plan, names, leg.host, told, stopped)
        if stopped:
            assert leg.verdict.value != "ok", (plan, names, leg.host, stopped)


@pytest.mark.skipif(_ASKED is not None, reason="no packet of twenty other estates may meet a break")
def test_each_break_stops_packets_somewhere() -> None:
    """Else it would prove nothing."""
    stopping = {name for name in BREAKS if any(stops(land) for _, land in estates(name, BREAKS, 20))}
    unsure = {
        "a zone's record leads to an address that nothing has",
        "answers are not led on from the inspection VPC",
        "answers pass by the inspection VPC",
        "the inspecting firewall's subnet leads back to it",
        "the inspection VPC's attachment has no subnet in the node's zone",
    }
    assert set(BREAKS) - stopping == unsure


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_what_cannot_be_read_invents_nothing_and_passes_nothing(name: str) -> None:
    dice = Random(name) if _ASKED is None else Random()  # noqa: S311 -- nothing is kept secret
    for plan, land in estates(name, BREAKS, _FEW):
        network = network_of(land)
        known = list(holes(network))
        for number in (1, 1, 1, 2, 4):
            refused = dice.sample(known, number)
            seen = network
            for _, hole in refused:
                seen = hole(seen)
            _with_holes(land, seen, (plan, [what for what, _ in refused]))


def _with_holes(land: Land, seen: Network, shown: object) -> None:
    path = trace(node_of(land), RegistryPlace(REGISTRY, REGION), seen, sighting_of(land))
    for leg, told, stopped, _ in judged(land, path):
        # Of an unknown zone, every entry counts: one of them stops it.
        anywhere, _ = of_stage(replace(land, zone_ids=False), leg.stage.value)
        # Where no route leaves the VPC, an endpoint in it would do, too.
        is_shut_in = Drop(NO_ROUTE, land.node, land.spoke.account) in stopped
        missing = {Drop("vpc_endpoint_missing", land.spoke.id, land.spoke.account)} if is_shut_in else set()
        assert told <= stopped | anywhere | missing, (shown, leg.host, told, stopped)
        if stopped:
            assert leg.verdict.value != "ok", (shown, leg.host, stopped)


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_what_a_trace_asks_for_is_enough(name: str) -> None:
    for plan, land in estates(name, BREAKS, _FEW):
        everything = network_of(land)
        now = replace(everything, around=Surroundings())
        for _ in range(_MOST_STEPS):
            path = trace(node_of(land), RegistryPlace(REGISTRY, REGION), now, sighting_of(land))
            if not path.wanted:
                break
            now = replace(now, around=_read(now.around, path, everything))
        path = trace(node_of(land), RegistryPlace(REGISTRY, REGION), now, sighting_of(land))
        whole = traced(land)
        assert path.wanted == (), (plan, path.wanted)
        assert (path.faults, path.undecided) == (whole.faults, whole.undecided), plan


def _read(around: Surroundings, path: Path, everything: Network) -> Surroundings:
    """Return the surroundings with what a trace asked for, asked in the account that owns it."""
    known = everything.around
    for each in path.wanted:
        match each.kind:
            case WantedKind.GATEWAY:
                gateway = known.gateways[each.id]
                assert not isinstance(gateway, Unread)
                assert each.account == gateway.owner
                around = replace(around, gateways={**around.gateways, each.id: gateway})
            case WantedKind.TABLE:
                around = replace(around, tables={**around.tables, each.id: known.tables[each.id]})
            case WantedKind.VPC:
                vpc = known.vpcs[each.id]
                assert not isinstance(vpc, Unread)
                assert each.account == vpc.owner
                around = replace(around, vpcs={**around.vpcs, each.id: vpc})
            case WantedKind.ENDPOINT:
                around = replace(around, endpoints={**around.endpoints, each.id: known.endpoints.get(each.id)})
    return around
