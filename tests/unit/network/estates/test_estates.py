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
from tests.unit.network.estates.land import HOSTS, REGION, REGISTRY
from tests.unit.network.estates.modelled import network_of, node_of, sighting_of, traced
from tests.unit.network.estates.near_misses import NEAR_MISSES
from tests.unit.network.estates.plans import Plan, drawn, lay_out
from tests.unit.network.estates.walking import Drop, of_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.network import Leg, Path
    from tests.unit.network.estates.land import Land

_ASKED: Final = os.environ.get("PULL_RESPONDER_ESTATES")
_EACH: Final = int(_ASKED or 4)
_FIRST: Final = Random().randrange(1_000_000) if _ASKED else 0  # noqa: S311 -- nothing is kept secret
# With which of what was not asked for yet a trace is made again, at most: as `pulls/surroundings.py` does it.
_MOST_STEPS: Final = 4


def estates(name: str, table: dict[str, object], more: int = 1) -> Iterator[tuple[int, Plan, Land]]:
    """Return estates with one break or near miss. Which they are depends on its name alone."""
    number = sorted(table).index(name)
    for seed in range(_FIRST, _FIRST + _EACH * more):
        plan = drawn(seed * 1009 + number)
        land = lay_out(plan)
        table[name](land, plan)  # type: ignore[operator]  # of both tables
        yield seed, plan, land


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
    """Hold the answer against the packets. Returns what stops the pull."""
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
            assert land.dialled and not told, shown
        if sure and not stopped and not (land.dialled and (land.questions or not land.dns)):
            assert leg.verdict.value == "ok", (*shown, [hop for hop in leg.hops if hop.undecided])
    return everything


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_one_break_is_found_where_it_stops_packets(name: str) -> None:
    stopped = [check(land, plan) for _, plan, land in estates(name, BREAKS)]  # type: ignore[arg-type]
    assert len(stopped) == _EACH


@pytest.mark.parametrize("name", sorted(NEAR_MISSES))
def test_a_near_miss_is_none(name: str) -> None:
    for _, plan, land in estates(name, NEAR_MISSES):  # type: ignore[arg-type]
        assert check(land, plan) == set()
