"""The path to the registry: where it fails, or hop by hop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.cli.rows import show_row
from pull_responder.network import HopVerdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.console import Console

    from pull_responder.network import Hop, Leg
    from pull_responder.pulls.path import PullPath

_WORDS: Final = {
    HopVerdict.OK: "works",
    HopVerdict.FAILED: "does not work",
    HopVerdict.UNDECIDED: "may or may not work",
}
_MOST_HOPS: Final = 6
_MOST_PLACES: Final = 3


def show_faults(console: Console, path: PullPath) -> None:
    """Show where the path fails: each hop once, with the hosts that are not reached over it."""
    found = failing(path)
    for number, line in enumerate(found[:_MOST_HOPS]):
        show_row(console, "" if number else "Way", line)
    if (left := len(found) - _MOST_HOPS) > 0:
        show_row(console, "", f"and {left} more: --path shows all of it")
    failed = {place.subnet_id for place, way in path.paths if way.verdict is HopVerdict.FAILED}
    for line in differences(path, told=failed):
        show_row(console, "Elsewhere", line)


def failing(path: PullPath) -> list[str]:
    """Return the hops that fail, a line each: from where, and on the way to which hosts."""
    hops: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for place, way in path.paths:
        for leg in way.legs:
            for hop in leg.hops:
                if hop.verdict is HopVerdict.FAILED:
                    places, hosts = hops.setdefault(_name(hop, path), ({}, {}))
                    places[f"{place.name} in {place.subnet_id}"] = None
                    hosts[f"{leg.host} ({leg.stage})"] = None
    return [
        f"fails at {name}, from {_some(list(places))}, to {', '.join(hosts)}" for name, (places, hosts) in hops.items()
    ]


def _some(places: list[str]) -> str:
    more = len(places) - _MOST_PLACES
    return ", ".join(places[:_MOST_PLACES]) + (f" and {more} more" if more > 0 else "")


def show_whole(console: Console, path: PullPath) -> None:
    """Show the path hop by hop, and the subnets of the nodes where it differs."""
    for place, way in path.paths:
        console.print()
        show_row(console, "Path", f"from {place.name}, subnet {place.subnet_id}: {way.verdict}")
        told: set[tuple[str, str]] = set()
        for leg in way.legs:
            _show_leg(console, leg, path, told)
    for line in differences(path, told={place.subnet_id for place, _ in path.paths}):
        show_row(console, "Elsewhere", line)


def _show_leg(console: Console, leg: Leg, path: PullPath, told: set[tuple[str, str]]) -> None:
    """Show the hops to one host. What was `told` of a hop on the way to a host before is not told again."""
    show_row(console, "", f"{leg.stage}: {leg.host}: {leg.verdict}")
    before, last = frozenset(told), ""
    for hop in leg.hops:
        doubts = (f"{doubt.cause}: {doubt.reason}" for doubt in hop.undecided)
        proof = "; ".join((*hop.evidence, *doubts)) or "no evidence"
        said = (f"{_name(hop, path)}: {hop.verdict}", proof)
        line = f"- {said[0]}{', as above' if said in before else f': {proof}'}"
        if line != last:
            show_row(console, "", line)
        told.add(said)
        last = line


def _name(hop: Hop, path: PullPath) -> str:
    return " ".join(filter(None, (hop.kind, hop.resource_id or "unknown", path.place(hop))))


def differences(path: PullPath, *, told: Collection[str | None] = ()) -> list[str]:
    """Say from which of the nodes' subnets the pull works, and the fault from each of the others.

    Nothing is said of the subnets that have been `told` of.
    """
    both = (*path.paths, *path.others)
    verdicts = {way.verdict for _, way in both}
    causes = {tuple(dict.fromkeys(fault.cause for fault in way.faults)) for _, way in both}
    if len(verdicts) < 2 and len(causes) < 2:  # noqa: PLR2004 -- all alike
        return []
    return [
        f"{_WORDS[way.verdict]} from {place.subnet_id}"
        + "".join(f" ({', '.join(dict.fromkeys(fault.cause for fault in way.faults))})" for _ in way.faults[:1])
        for place, way in both
        if place.subnet_id not in told
    ]
