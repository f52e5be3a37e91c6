"""Each hop outside the node's VPC says whose it is, and in which VPC; each hop of the node's VPC says nothing."""

from __future__ import annotations

import pytest

from pull_responder.network import Hop
from tests.unit.network.enterprise import GATEWAY, HUB, OUT, Enterprise, enterprise

# By what is in the ids of the estate's parts.
PLACES = {"tgw-rtb-": (GATEWAY, ""), "-hub": (HUB, "vpc-hub"), "-out": (OUT, "vpc-out")}


def expected(hop: Hop) -> tuple[str, str] | None:
    """Whose a hop is by the id of its resource; None for one of the node's VPC."""
    name = hop.resource_id or ""
    return next((place for part, place in PLACES.items() if part in name), None)


def places(estate: Enterprise) -> set[tuple[str, str] | None]:
    found: set[tuple[str, str] | None] = set()
    for leg in estate.trace().legs:
        for hop in leg.hops:
            at = (hop.owned.account, hop.owned.vpc_id) if hop.owned else None
            assert at == expected(hop), hop
            assert all(fault.owned is None or at is None or fault.owned.account == at[0] for fault in hop.faults), hop
            found.add(at)
    return found


@pytest.mark.parametrize(
    ("estate", "there"),
    [
        (enterprise(), {(GATEWAY, ""), (OUT, "vpc-out")}),
        (enterprise().dialling_hub(), {(GATEWAY, ""), (OUT, "vpc-out"), (HUB, "vpc-hub")}),
        (enterprise().unread(vpc="vpc-out"), {(GATEWAY, "")}),
    ],
    ids=["egress", "hub", "unread"],
)
def test_a_hop_says_where_it_is(estate: Enterprise, there: set[tuple[str, str]]) -> None:
    assert places(estate) == {None, *there}
