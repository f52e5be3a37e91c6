"""Ways that leave what can be read: what lies behind is open, whose it is stands in the words, and nobody is blamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.model.reason import steps_of
from pull_responder.network import Path, Route
from tests.unit.network.enterprise import OUT, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import behind_nat, isolated
from tests.unit.network.test_firewalls import ALL_HOSTS, firewalled

NO_ROUTE, TGW = "no_route_to_ecr", "transit_gateway_blocks_traffic"
ANYWHERE = "0.0.0.0/0"
CORE = "arn:aws:networkmanager::444444444444:core-network/core-network-0a1b2c3d4e5f60001"


def attached(kind: str, name: str) -> Enterprise:
    """The gateway's default route leads to an attachment of this kind."""
    return enterprise().attachment("out", kind=kind, resource_id=name)


def of_spoke(target: str) -> Enterprise:
    estate = enterprise()
    return replace(estate, spoke=estate.spoke.routes(Route(ANYWHERE, target)))


# What leads out, whether the transit gateway itself stays open, and whose it is, as far as AWS shows it.
OUTSIDE: dict[str, tuple[Enterprise, bool, tuple[str, ...]]] = {
    "a VPN": (attached("vpn", "vpn-1"), True, ("vpn-1", OUT)),
    "Direct Connect": (attached("direct-connect-gateway", "dx-1"), True, ("dx-1", OUT)),
    "Transit Gateway Connect": (attached("connect", "tgw-attach-0c"), True, ("tgw-attach-0c", OUT)),
    "a kind of tomorrow": (attached("satellite", "sat-1"), True, ("sat-1", OUT)),
    "Cloud WAN": (of_spoke(CORE), False, ("core-network-0a1b2c3d4e5f60001", "444444444444")),
    "a virtual private gateway": (of_spoke("vgw-1"), False, ("vgw-1",)),
    "an appliance": (of_spoke("eni-1"), False, ("eni-1",)),
    "an appliance behind a Gateway Load Balancer": (of_spoke("vpce-gwlb"), False, ("vpce-gwlb",)),
    "one in the egress VPC": (firewalled(ALL_HOSTS).within("vpc-out", firewalls=()), False, ("vpce-fw",)),
    "Outposts": (of_spoke("lgw-1"), False, ("lgw-1",)),
    "a Wavelength Zone": (of_spoke("cagw-1"), False, ("cagw-1",)),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_leads_out_is_open_and_blames_nobody(name: str) -> None:
    estate, gateway_too, whose = OUTSIDE[name]
    path = estate.trace()
    assert faults(path) == set()
    assert opened(path) == ({NO_ROUTE, TGW} if gateway_too else {NO_ROUTE})
    assert all(word in said(path, NO_ROUTE) for word in whose)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_fault_before_what_leads_out_is_found(name: str) -> None:
    estate, _, _ = OUTSIDE[name]
    shut = replace(estate, spoke=estate.spoke.egress())
    assert faults(shut.trace()) == {("security_group_blocks_egress", "sg-node")}


def said(path: Path, cause: str) -> str:
    """The reasons of a cause, with what they tell to do."""
    reasons = [doubt.reason for doubt in path.undecided if doubt.cause.value == cause]
    return " ".join((*reasons, *(str(step) for reason in reasons for step in steps_of(reason))))


def test_another_way_beside_one_that_leads_out_is_not_touched_by_it() -> None:
    on_premises = Route("10.128.0.0/9", "vgw-1")
    path = behind_nat().routes(Route(ANYWHERE, "nat-1"), on_premises).trace()
    assert (faults(path), opened(path)) == (set(), set())
    assert faults(isolated().routes(on_premises).trace()) == {(NO_ROUTE, "subnet-node")}
