"""Each read over the estates of several VPCs is denied in turn: nothing is blamed that is not broken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.network import Network, Unread
from tests.unit.network import test_inspection
from tests.unit.network.enterprise import Enterprise, faults, opened
from tests.unit.network.test_edge_tables import out_guarded
from tests.unit.network.test_gateway_peering import BROKEN as BROKEN_PEERING
from tests.unit.network.test_gateway_peering import FAR
from tests.unit.network.test_inspection import ONE, second_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

DENIED = Unread("the call was denied")
FACTS = (
    *("vpc", "subnets", "route_tables", "network_acls", "security_groups", "endpoints"),
    *("nat_gateways", "internet_gateways", "prefix_lists", "firewalls"),
)
WORKS = {
    "over the inspection VPC": ONE,
    "to the hub": ONE.dialling_hub(),
    "over peered gateways": FAR,
    "over a second gateway": second_gateway(),
    "through a firewall at the internet gateway": out_guarded(),
}
SOME_BROKEN = {
    **{
        name: test_inspection.TestOverTheInspectionVpc.BROKEN[name][:2]
        for name in (
            "the ACL of the firewall's subnet",
            "no route to the firewall",
            "a list without the registry",
            "no way back to the inspection VPC",
        )
    },
    **{
        name: BROKEN_PEERING[name][:2] for name in ("no route at the other gateway", "no way back at the other gateway")
    },
}


def denied(estate: Enterprise) -> Iterator[tuple[str, Enterprise]]:
    """Return the estate with one read denied after the other, and the name of what was not read."""
    for name, network in estate._vpcs().items():
        yield name, estate.unread(vpc=name)
        assert isinstance(network, Network)
        for fact in FACTS:
            changed = replace(network, **{fact: DENIED})  # type: ignore[arg-type]  # a field of it
            yield f"{fact} of {name}", replace(estate, vpcs={**estate._vpcs(), name: changed})
    for name in estate.tables or {}:
        yield name, replace(estate, tables={**(estate.tables or {}), name: DENIED})
    yield "the gateway", estate.unread(gateway=True)
    if estate.far:
        yield "the other gateway", replace(estate, far=DENIED)
    for each in estate.attachments:
        yield f"subnets of {each.id}", estate.attachment(each.id.removeprefix("tgw-attach-"), subnet_ids=DENIED)
    for fact in (*FACTS, "attachments"):
        yield f"{fact} of the spoke", replace(estate, spoke=estate.spoke.with_facts(**{fact: DENIED}))


@pytest.mark.parametrize("name", WORKS)
def test_what_works_is_never_blamed(name: str) -> None:
    without = faults(WORKS[name].trace())
    wrong = {what: found for what, estate in denied(WORKS[name]) if (found := faults(estate.trace()) - without)}
    assert wrong == {}


@pytest.mark.parametrize("name", SOME_BROKEN)
def test_one_fault_stays_the_only_one_or_the_way_is_open(name: str) -> None:
    estate, fault = SOME_BROKEN[name]
    for what, each in denied(estate):
        path = each.trace()
        assert faults(path) <= {fault}, what
        assert faults(path) or opened(path), what
