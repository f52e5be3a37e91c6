"""The way from a pod to the registry as pictures: those that break first, with the proof beside, the others folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.network import HopVerdict
from pull_responder.page.markup import prose, said, tag
from pull_responder.page.picture import picture
from pull_responder.page.stops import State, Stop, is_of_path, stops_of_access, stops_of_leg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.network import Leg, NodePlace, Path
    from pull_responder.pulls.path import PullPath

_ORDER: Final = {HopVerdict.FAILED: 0, HopVerdict.UNDECIDED: 1, HopVerdict.OK: 2}
_WORDS: Final = {HopVerdict.FAILED: "broken", HopVerdict.UNDECIDED: "not decided", HopVerdict.OK: "works"}
_FOR: Final = {"token": "the token", "manifest": "the manifest", "layer": "the layers", "unpack": "unpacking"}
_PROOFS: Final = (State.FAILED, State.UNDECIDED)


def ways(diagnosis: Diagnosis, path: PullPath | None, *, key: str) -> list[Element]:
    """Return the pictures of a pull. `key` begins the ids in them."""
    shown: list[Element] = []
    if path is None or not path.paths or any(not is_of_path(each) for each in diagnosis.findings):
        shown.append(_figure(stops_of_access(diagnosis), "What the request depends on", key=f"{key}-access"))
    if path is None:
        return shown
    legs = [(place, leg) for place, way in path.paths for leg in way.legs]
    legs.sort(key=lambda each: _ORDER[each[1].verdict])
    figures = [
        _figure(stops_of_leg(diagnosis, path, place, leg), _caption(place, leg), key=f"{key}-way-{number}")
        for number, (place, leg) in enumerate(legs)
    ]
    # The first is the worst. It is shown unless something else is broken, and it is not.
    first = 1 if legs and (not shown or legs[0][1].verdict is HopVerdict.FAILED) else 0
    shown += figures[:first]
    if rest := figures[first:]:
        words = ", ".join(_counts([leg for _, leg in legs[first:]]))
        shown.append(tag("details", tag("summary", f"Host by host{' for the others' if first else ''}: {words}"), rest))
    shown += _elsewhere(path)
    return shown


def _counts(legs: Sequence[Leg]) -> Iterator[str]:
    for verdict, words in _WORDS.items():
        if number := sum(each.verdict is verdict for each in legs):
            yield f"{number} {words}"


def _caption(place: NodePlace, leg: Leg) -> str:
    what = _FOR.get(leg.stage, str(leg.stage))
    name, subnet = said(place.name), said(place.subnet_id)
    where = name if subnet in name else f"{name} in {subnet}"
    return f"For {what}, from {where}: {_WORDS[leg.verdict]}"


def _figure(stops: Sequence[Stop], caption: str, *, key: str) -> Element:
    return tag("figure", tag("figcaption", caption), picture(stops, caption, key=key), *_proofs(stops))


def _proofs(stops: Sequence[Stop]) -> Iterator[Element]:
    """Yield the proof of each stop that is broken or undecided, then those of the others, folded."""
    for each in stops:
        if each.state in _PROOFS and each.proof:
            state = "failed" if each.state is State.FAILED else "undecided"
            yield tag("div", _proof(each), class_=f"proof of-{state}")
    if others := [each for each in stops if each.state not in _PROOFS and each.proof]:
        proofs = (tag("div", _proof(each), class_="proof") for each in others)
        yield tag("details", tag("summary", "What was read of the other stops"), proofs)


def _proof(stop: Stop) -> list[Element]:
    where = f" {said(stop.place)}" if stop.place else ""
    name = tag("p", tag("strong", f"{stop.kind} "), tag("code", prose(stop.name)), f"{where}: {stop.state}")
    return [name, *(tag("p", prose(line)) for line in dict.fromkeys(stop.proof))]


def _elsewhere(path: PullPath) -> Iterator[Element]:
    """Yield the subnets where the nodes are or may be, if the way is not alike from all."""
    every = (*path.paths, *path.others)
    if len({(way.verdict, _causes(way)) for _, way in every}) > 1:
        items = (
            tag("li", tag("code", said(place.subnet_id)), f": {_WORDS[way.verdict]}{_causes(way)}")
            for place, way in every
        )
        yield tag("div", tag("p", "From the subnets of these nodes:"), tag("ul", items))


def _causes(way: Path) -> str:
    causes = ", ".join(dict.fromkeys(str(fault.cause) for fault in way.faults))
    return f" ({causes})" if causes else ""
