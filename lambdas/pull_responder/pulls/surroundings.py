"""The networks behind the nodes' VPC, read as far as the way to the registry leads.

A trace names what it lacks. That is read, all at once, and the way is traced again. So each step costs one round of
reads, two where it is a VPC, and nothing that the way does not lead to is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.facts.network import network_of
from pull_responder.network import Network, WantedKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pull_responder.model.unread import Unread
    from pull_responder.network import Path, RouteTable, Surroundings, TransitGateway, Wanted
    from pull_responder.pulls.pull_facts import PullFacts

# A gateway with its table, the VPC with the table back, and once more.
_MOST_STEPS: Final = 4
# A way leads through few networks. More are read only if something is very odd.
_MOST_AT_ONCE: Final = 12


def with_surroundings(network: Network, trace_all: Callable[[Network], Iterable[Path]], facts: PullFacts) -> Network:
    """Return the network with all around it that the ways of `trace_all` lead to, as far as it can be read."""
    asked: set[Wanted] = set()
    for _ in range(_MOST_STEPS):
        wanted = dict.fromkeys(each for path in trace_all(network) for each in path.wanted if each not in asked)
        if not wanted:
            break
        now = list(wanted)[:_MOST_AT_ONCE]
        asked.update(wanted)
        network = replace(network, around=_with(network.around, now, facts))
    return network


def _with(around: Surroundings, wanted: Sequence[Wanted], facts: PullFacts) -> Surroundings:
    found = facts.side_by_side(lambda each: _read(each, facts), wanted)
    gateways, tables, vpcs = dict(around.gateways), dict(around.tables), dict(around.vpcs)
    stores: dict[WantedKind, dict[str, object]] = {
        WantedKind.GATEWAY: gateways,  # type: ignore[dict-item]  # each kind has its own type of answer
        WantedKind.TABLE: tables,  # type: ignore[dict-item]
        WantedKind.VPC: vpcs,  # type: ignore[dict-item]
    }
    for each, answer in zip(wanted, found, strict=True):
        stores[each.kind][each.id] = answer
    return replace(around, gateways=gateways, tables=tables, vpcs=vpcs)


def _read(wanted: Wanted, facts: PullFacts) -> TransitGateway | RouteTable | Network | Unread:
    match wanted.kind:
        case WantedKind.GATEWAY:
            return facts.transit_gateway(wanted.account, wanted.region, wanted.id)
        case WantedKind.TABLE:
            return facts.transit_gateway_table(wanted.account, wanted.region, wanted.id)
        case WantedKind.VPC:
            return network_of(facts.vpc_parts(wanted.account, wanted.region, wanted.id), ())
