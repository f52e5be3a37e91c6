"""Proves a fix of the way to the registry before it is printed: traces the way again, as the commands leave the VPC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.network import RegistryPlace, trace
from pull_responder.pulls.network_changes import network_after

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pull_responder.model.sighting import Sighting
    from pull_responder.model.verdict import Remediation
    from pull_responder.network import Fault, Network, NodePlace, Path, PathCause

_MOST_TOLD: Final = 2


def prove_way(  # noqa: PLR0913, PLR0917 -- what is fixed, and what is traced
    fix: Remediation,
    network: Network,
    paths: Sequence[tuple[NodePlace, Path]],
    registry: RegistryPlace,
    mended: Collection[tuple[PathCause, str]],
    relevant: Callable[[Path], Path],
    seen: Sighting | None = None,
) -> Remediation:
    """Return the fix, with a sentence for each fault that is left of those `mended`, or that the fix brings to light.

    Other faults that were there before have their own causes and fixes. `relevant` returns the part of a path that the
    failure is about. `seen` is what kubelet's message shows of the connection. It counts only for faults that it alone
    shows, such as those on the way to an address that was dialled: after the fix, names may lead elsewhere.
    """
    changed = network_after(fix, network)
    if changed == network:
        return fix
    known = {(fault.cause, fault.resource_id) for _, path in paths for fault in path.faults}
    left: dict[str, Fault] = {}
    for place, _ in paths:
        for fault in relevant(trace(place, registry, changed)).faults:
            key = (fault.cause, fault.resource_id)
            if key in mended or key not in known:
                left.setdefault(fault.explanation, fault)
        if seen is None:
            continue
        before = {(fault.cause, fault.resource_id) for fault in trace(place, registry, network).faults}
        for fault in relevant(trace(place, registry, changed, seen)).faults:
            if (fault.cause, fault.resource_id) in mended and (fault.cause, fault.resource_id) not in before:
                left.setdefault(fault.explanation, fault)
    if not left:
        return fix
    said = " ".join(list(left)[:_MOST_TOLD])
    return replace(fix, summary=f"{fix.summary} This is not enough: {said}", short="")
