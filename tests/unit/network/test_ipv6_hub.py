"""A node with IPv6 alone, and a hub's endpoint with IPv6 addresses, behind a transit gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.model.pull import Stage
from pull_responder.network import EndpointInterface, Network, Owned, RegistryPlace, Route, Vpc, trace
from pull_responder.network.answer import Leg
from pull_responder.network.zones import HostedZone, ZoneRecord
from tests.unit.network.enterprise import BACK, HUB, Enterprise, enterprise
from tests.unit.network.estate import REGION, rule

HOST = f"111111111111.dkr-ecr.{REGION}.on.aws"
NODE, SPOKE_BLOCK = "2600:1f18:1:1::5", "2600:1f18:1::/56"
ENDPOINT, HUB_BLOCK = "2600:1f18:99:1::12", "2600:1f18:99::/56"
ID = "vpce-0123456789abcdef0"
TO_HUB = Route(HUB_BLOCK, "tgw-1")
ALIAS = f"{ID}-a1b2c3d4.dkr.ecr.{REGION}.vpce.amazonaws.com"
ZONE = HostedZone(
    f"dkr-ecr.{REGION}.on.aws", "Z1", HUB, (ZoneRecord(f"*.dkr-ecr.{REGION}.on.aws", "AAAA", alias=ALIAS),)
)


def way(estate: Enterprise) -> Leg:
    """The leg to the registry's host."""
    network = estate.network()
    around = replace(network.around, endpoints={ID: Owned(HUB, REGION, "vpc-hub")})
    path = trace(estate.spoke.node, RegistryPlace(HOST, REGION), replace(network, around=around))
    return next(leg for leg in path.legs if leg.stage is Stage.MANIFEST)


def joined(*attachments: bool | None) -> Enterprise:
    """The estate whose attachments of the spoke and of the hub take IPv6 or not."""
    estate = enterprise()
    spoke = estate.spoke.with_node(addresses=(NODE,)).vpc(cidrs=("10.0.0.0/16", SPOKE_BLOCK))
    spoke = spoke.routes(TO_HUB).egress(rule("::/0"))
    spoke = spoke.with_facts(private_zones=(ZONE.name,), hosted_zones=(ZONE,))
    estate = replace(estate, spoke=spoke)
    hub = estate.network().around.vpcs["vpc-hub"]
    assert isinstance(hub, Network)
    assert isinstance(hub.vpc, Vpc)
    assert isinstance(hub.endpoints, tuple)
    endpoint = next(each for each in hub.endpoints if each.service_name.endswith(".dkr"))
    of_both = (EndpointInterface("subnet-hub", ("10.100.1.12", ENDPOINT)),)
    assert isinstance(hub.security_groups, dict)
    group = replace(hub.security_groups["sg-hub"], ingress=(rule(SPOKE_BLOCK),))
    hub = replace(
        hub,
        vpc=replace(hub.vpc, cidrs=(*hub.vpc.cidrs, HUB_BLOCK)),
        endpoints=(replace(endpoint, id=ID, interfaces=of_both),),
        security_groups={"sg-hub": group},
    )
    estate = replace(estate, vpcs={**estate.network().around.vpcs, "vpc-hub": hub})
    estate = estate.routes("subnet-hub", Route(HUB_BLOCK, "local"), Route(SPOKE_BLOCK, "tgw-1"))
    estate = estate.routes("subnet-hub-tgw", Route(HUB_BLOCK, "local"))
    estate = estate.table("spokes", Route(HUB_BLOCK, "tgw-attach-hub")).table("shared", BACK)
    estate = estate.table("shared", BACK, Route(SPOKE_BLOCK, "tgw-attach-spoke"))
    of_spoke, of_hub = attachments or (True, True)
    return estate.attachment("spoke", ipv6=of_spoke).attachment("hub", ipv6=of_hub)


def test_the_whole_way_carries_ipv6() -> None:
    leg = way(joined())
    assert leg.verdict == "ok"
    assert {ID, "tgw-rtb-spokes", "tgw-rtb-shared", "rtb-hub"} <= {hop.resource_id for hop in leg.hops}


@pytest.mark.parametrize(
    ("estate", "expected"),
    [
        (joined().table("spokes", Route("10.100.0.0/16", "tgw-attach-hub")), "tgw-rtb-spokes"),
        (joined().table("shared", BACK), "tgw-rtb-shared"),
        (joined().routes("subnet-hub", Route(HUB_BLOCK, "local"), BACK), "subnet-hub"),
        (replace(joined(), spoke=joined().spoke.egress(rule("0.0.0.0/0"))), "sg-node"),
    ],
    ids=["the gateway's route is for IPv4", "its way back is for IPv4", "the hub's way back is for IPv4", "egress"],
)
def test_routes_and_rules_for_ipv4_are_not_enough(estate: Enterprise, expected: str) -> None:
    assert [fault.resource_id for hop in way(estate).hops for fault in hop.faults] == [expected]


@pytest.mark.parametrize(
    ("attachments", "words"),
    [
        ((False, True), "the option Ipv6Support of tgw-attach-spoke of vpc-1 is off"),
        ((True, False), "the option Ipv6Support of tgw-attach-hub of vpc-hub is off"),
        ((None, True), "the option Ipv6Support of tgw-attach-spoke of vpc-1 is not known"),
    ],
)
def test_an_attachment_that_may_not_take_ipv6_leaves_the_way_open(
    attachments: tuple[bool | None, ...], words: str
) -> None:
    leg = way(joined(*attachments))
    assert (leg.verdict, [doubt.reason for hop in leg.hops for doubt in hop.undecided]) == ("undecided", [words])
