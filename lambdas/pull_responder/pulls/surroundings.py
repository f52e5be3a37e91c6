"""The networks behind the nodes' VPC, read as far as the way to the registry leads.

A trace names what it lacks. That is read, all at once, and the way is traced again. So each step costs one round of
reads, and nothing that the way does not lead to is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.network import Network, Surroundings, WantedKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pull_responder.network import Path, Wanted
    from pull_responder.pulls.pull_facts import PullFacts

# A gateway, its table, and the VPC with the table back: for as many networks as a way may lead over.
_MOST_STEPS: Final = 12
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
    for found in facts.side_by_side(lambda each: _read(each, facts), wanted):
        around = Surroundings(
            {**around.gateways, **found.gateways},
            {**around.tables, **found.tables},
            {**around.vpcs, **found.vpcs},
            {**around.endpoints, **found.endpoints},
            {**around.attachments, **found.attachments},
        )
    return around


def _read(wanted: Wanted, facts: PullFacts) -> Surroundings:
    """Return surroundings in which there is only what is wanted."""
    account, region, name = wanted.account, wanted.region, wanted.id
    match wanted.kind:
        case WantedKind.GATEWAY:
            return Surroundings(gateways={name: facts.transit_gateway(account, region, name)})
        case WantedKind.TABLE:
            return Surroundings(tables={name: facts.transit_gateway_table(account, region, name)})
        case WantedKind.ATTACHMENTS:
            return Surroundings(attachments={name: facts.attachments(account, region, name)})
        case WantedKind.ENDPOINT:
            return Surroundings(endpoints={name: facts.endpoint_place(account, region, name)})
        case WantedKind.VPC:
            return Surroundings(vpcs={name: facts.neighbour(account, region, name)})
