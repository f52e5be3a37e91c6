"""The networks behind the nodes' VPC, read as far as the way to the registry leads.

A trace names what it lacks. That is read, all at once, and the way is traced again. So each step costs one round of
reads, and nothing that the way does not lead to is read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network import Network, Surroundings, WantedKind
from pull_responder.network.neighbours import VPC_ATTACHMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pull_responder.network import Path, RouteTable, Wanted
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
    for found in facts.side_by_side(partial(_read, around=around, facts=facts), wanted):
        around = Surroundings(
            {**around.gateways, **found.gateways},
            {**around.tables, **found.tables},
            {**around.vpcs, **found.vpcs},
            {**around.endpoints, **found.endpoints},
            {**around.attachments, **found.attachments},
        )
    return around


def _read(wanted: Wanted, around: Surroundings, facts: PullFacts) -> Surroundings:
    """Return surroundings in which there is only what is wanted. `around` is what is known so far."""
    account, region, name = wanted.account, wanted.region, wanted.id
    match wanted.kind:
        case WantedKind.GATEWAY:
            return Surroundings(gateways={name: facts.transit_gateway(account, region, name)})
        case WantedKind.TABLE:
            table = facts.transit_gateway_table(account, region, name)
            _start_behind(table, around, facts)
            return Surroundings(tables={name: table})
        case WantedKind.ATTACHMENTS:
            return Surroundings(attachments={name: facts.attachments(account, region, name)})
        case WantedKind.ENDPOINT:
            return Surroundings(endpoints={name: facts.endpoint_place(account, region, name)})
        case WantedKind.VPC:
            return Surroundings(vpcs={name: facts.neighbour(account, region, name)})


def _start_behind(table: RouteTable | Unread, around: Surroundings, facts: PullFacts) -> None:
    """Start to read the VPC to which a gateway's table sends what comes from an inspection VPC.

    Such a VPC has appliance mode on, and is there to send the traffic on. What it does so itself is not read yet, so
    this is nearly certain, and saves a round where the way leads over three VPCs.
    """
    if isinstance(table, Unread):
        return
    defaults = [route.target for route in table.routes if route.active and route.destination == "0.0.0.0/0"]
    for gateway in around.gateways.values():
        attachments = {} if isinstance(gateway, Unread) else gateway.attachments
        of_table = [each for each in attachments.values() if each.table_id == table.id]
        target = attachments.get(defaults[0]) if defaults else None
        if isinstance(gateway, Unread) or target is None or not any(each.appliance_mode for each in of_table):
            continue
        if target.kind == VPC_ATTACHMENT and target.carries:
            owner, region = target.gateway_owner, gateway.region
            facts.start(
                [
                    partial(facts.neighbour, target.owner, region, target.resource_id),
                    partial(facts.transit_gateway_table, owner, region, target.table_id),
                ]
            )
