"""Several ways of which traffic takes one: what is at fault if all of them are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pull_responder.network.answer import Hop, PathCause

Hops = tuple["Hop", ...]


def combine_ways(ways: list[Hops], doubt: str) -> Hops:
    """Return the hops of all ways that the traffic may take. A fault becomes undecided unless every way has it."""
    faults = [{(fault.cause, fault.resource_id) for hop in way for fault in hop.faults} for way in ways]
    common = set.intersection(*faults)
    hops = [_keep_faults(hop, common, doubt) for way in ways for hop in way]
    return tuple(dict.fromkeys(hops))


def any_of(ways: list[Hops], doubt: str) -> Hops:
    """Return the hops of ways that are tried one after the other. If one has no fault, the others' are undecided.

    If every way has faults, all of them count: whichever is tried, one of them stops it.
    """
    if all(any(hop.faults for hop in way) for way in ways):
        return tuple(dict.fromkeys(hop for way in ways for hop in way))
    return combine_ways(ways, doubt)


def _keep_faults(hop: Hop, certain: set[tuple[PathCause, str]], doubt: str) -> Hop:
    sure = tuple(fault for fault in hop.faults if (fault.cause, fault.resource_id) in certain)
    unsure = tuple(fault for fault in hop.faults if fault not in sure)
    return replace(replace(hop, faults=unsure).with_faults_undecided(doubt), faults=sure) if unsure else hop
