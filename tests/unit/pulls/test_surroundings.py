"""What is read of the networks behind the nodes' VPC."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from pull_responder.network import Network, Unread, Wanted, WantedKind
from pull_responder.pulls.surroundings import with_surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pull_responder.network import Path, Surroundings
    from pull_responder.pulls.pull_facts import PullFacts


class ManyGateways:
    """Facts that count how many gateways are asked for at once. None can be read."""

    def __init__(self) -> None:
        self.at_once: list[int] = []

    def side_by_side(self, read: Callable[[Wanted], Surroundings], wanted: Sequence[Wanted]) -> list[Surroundings]:
        self.at_once.append(len(wanted))
        return [read(each) for each in wanted]

    def transit_gateway(self, account: str, region: str, gateway_id: str) -> Unread:
        return Unread(f"{gateway_id} of {account} in {region} is denied")


def test_what_is_too_much_for_one_round_is_read_in_the_next() -> None:
    ids = [f"tgw-{number}" for number in range(30)]

    def trace_all(network: Network) -> Iterable[Path]:
        known = network.around.gateways
        wanted = [Wanted(WantedKind.GATEWAY, each, "111111111111", "eu-west-1") for each in ids if each not in known]
        return [cast("Path", SimpleNamespace(wanted=wanted))]

    facts = ManyGateways()
    network = Network(region="eu-west-1", vpc=Unread("not of interest"))
    found = with_surroundings(network, trace_all, cast("PullFacts", facts))
    assert set(found.around.gateways) == set(ids)
    assert facts.at_once == [12, 12, 6]
