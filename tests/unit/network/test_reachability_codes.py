"""Each explanation code of Reachability Analyzer that can concern a pull, planted, and found as the page says.

docs/reachability-analyzer.md has a row for each code. For a row with causes, each cause is planted here; for one that
is left open, what it is about.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path as File
from typing import Any, Final

import pytest

from pull_responder.model.reason import steps_of
from pull_responder.model.sighting import Sighting
from pull_responder.network import (
    InternetGateway,
    NatGateway,
    NetworkAclEntry,
    Path,
    PathCause,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Surroundings,
    Unread,
)
from pull_responder.network.zones import ZoneRecord
from tests.unit.network.enterprise import (
    HUB,
    ZONE_A,
    ZONE_B,
    Enterprise,
    enterprise,
    faults,
    opened,
    peered,
)
from tests.unit.network.estate import (
    ALLOW_ALL,
    HOST,
    TO_IGW,
    TO_NAT,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    isolated,
    public,
    rule,
)
from tests.unit.network.firewalls import GROUP, group, policy
from tests.unit.network.test_edge_tables import edge
from tests.unit.network.test_firewalls import firewalled
from tests.unit.network.test_zones import API, DKR, hub_with_ids, shared, traced, zone

PAGE: Final = File(__file__).parents[3] / "docs" / "reachability-analyzer.md"
_CODE: Final = re.compile(r"`([A-Z][A-Z0-9_]+)`")
_LINK: Final = re.compile(r"\[([a-z0-9_]+)\]\(causes/\1\.md\)")

NO_ROUTE, NAT, PUBLIC_IP = "no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing"
EGRESS, INGRESS = "security_group_blocks_egress", "endpoint_security_group_blocks_ingress"
ACL, ENDPOINT, MISSING = "network_acl_blocks_traffic", "vpc_endpoint_unavailable", "vpc_endpoint_missing"
NOT_IN_TABLE, PEERING = "s3_endpoint_not_in_route_table", "peering_cannot_carry_traffic"
TGW, FIREWALL = "transit_gateway_blocks_traffic", "network_firewall_blocks_registry"
ANYWHERE: Final = "0.0.0.0/0"


def to_hub(estate: Enterprise) -> Path:
    """Return the way where private hosted zones lead the registry's names to the hub's endpoints."""
    return traced(shared(hub_with_ids(estate)))


def in_hub(*peers: str) -> Enterprise:
    """Return the enterprise whose hub lets in what these rules name."""
    group_of_hub = SecurityGroup("sg-hub", ingress=tuple(map(rule, peers)), owner=HUB)
    return enterprise().entry("vpc-hub", "security_groups", "sg-hub", group_of_hub)


def with_groups() -> SampleNetwork:
    """Return a spoke peered with a hub, whose endpoints let in what a rule names by its group."""
    group_of_hub = SecurityGroup("sg-hub", ingress=(rule("sg-node"),), owner=HUB)
    return PEERED.with_facts(**vpcs(security_groups={"sg-hub": group_of_hub}))


def named(address: str, *routes: Route) -> Path:
    """Return the way of a spoke whose zones lead the registry's names to this address."""
    zones = tuple(zone(name, ZoneRecord(record, "A", (address,))) for name, record in ((API, API), (DKR, f"*.{DKR}")))
    facts = {"hosted_zones": zones, "private_zones": (API, DKR)}
    return isolated().routes(*routes).with_node(public_address="54.9.9.9").with_facts(**facts).trace()


def two_entries() -> Enterprise:
    """Return the enterprise whose hub has an entry in each of two zones; the one in the node's zone is shut."""
    estate = enterprise().attachment("hub", subnet_ids=("subnet-hub-tgw", "subnet-hub-b"))
    for subnet, where, zone_id in (("subnet-hub-tgw", ZONE_A, "euw1-az1"), ("subnet-hub-b", ZONE_B, "euw1-az2")):
        estate = estate.entry("vpc-hub", "subnets", subnet, Subnet(subnet, (), where, zone_id=zone_id))
    table = RouteTable("rtb-b", (Route("10.100.0.0/16", "local"),))
    estate = estate.entry("vpc-hub", "route_tables", "subnet-hub-b", table)
    estate = estate.entry("vpc-hub", "network_acls", "subnet-hub-b", ALLOW_ALL).acl("subnet-hub-tgw")
    return in_spoke("subnet-node", estate, zone_id="euw1-az1")


def in_spoke(subnet: str, estate: Enterprise | None = None, **facts: str) -> Enterprise:
    """Return the enterprise with other facts about a subnet of the spoke."""
    estate = estate or enterprise()
    known = estate.spoke.network.subnets
    assert not isinstance(known, Unread)
    changed = {**known, subnet: replace(known[subnet], **facts)}  # type: ignore[arg-type]  # fields of text alone
    return replace(estate, spoke=estate.spoke.with_facts(subnets=changed))


def from_nat(*ports: tuple[int, int]) -> SampleNetwork:
    """Return a node behind NAT, whose NAT gateway's subnet lets answers in on these ports alone."""
    out = NetworkAclEntry(100, allow=True, egress=True, cidr=ANYWHERE)
    inside = NetworkAclEntry(100, allow=True, egress=False, cidr="10.0.0.0/16")
    answers = (
        NetworkAclEntry(110 + number, allow=True, egress=False, cidr=ANYWHERE, protocol="6", ports=each)
        for number, each in enumerate(ports)
    )
    return behind_nat().acl(out, inside, *answers, subnet="subnet-public")


def vpcs(**facts: Any) -> dict[str, Any]:  # noqa: ANN401 -- any fields of a network
    """Return facts about the hub of `peered`."""
    hub = peered().network.around.vpcs["vpc-hub"]
    assert not isinstance(hub, Unread)
    return {"around": Surroundings(vpcs={"vpc-hub": replace(hub, **facts)})}


DENIED_ALL: Final = policy(group("DENYLIST", ".amazonaws.com", home_net=("10.0.0.0/8",)))
BLACKHOLE: Final = replace(TO_NAT, active=False)
DIALLED: Final = Sighting(HOST, "10.100.1.12", 443)
PEERED: Final = replace(peered(destination="10.100.0.0/16"), sighting=DIALLED)

PLANTED: dict[str, dict[tuple[str, str], Path]] = {
    "BAD_STATE": {
        (NAT, "nat-1"): behind_nat().nat(state="failed").trace(),
        (ENDPOINT, "vpce-dkr"): endpoints_only().endpoint("vpce-dkr", state="failed").trace(),
        (PEERING, "pcx-1"): peered("expired").trace(),
    },
    "BAD_STATE_ATTACHMENT": {
        (TGW, "tgw-attach-spoke"): enterprise().attachment("spoke", state="failed").trace(),
        (NO_ROUTE, "subnet-node"): public()
        .with_facts(internet_gateways={"igw-1": InternetGateway("igw-1", None)})
        .trace(),
    },
    "BAD_STATE_ROUTE": {
        (NAT, "nat-1"): behind_nat().routes(BLACKHOLE).trace(),
        (NO_ROUTE, "subnet-node"): isolated().routes(Route(ANYWHERE, "eni-1", active=False)).trace(),
    },
    "CANNOT_ROUTE": {(NO_ROUTE, "subnet-node"): isolated().routes(Route("192.168.0.0/16", "nat-1")).trace()},
    "DISCONNECTED_VPCS": {(NO_ROUTE, "subnet-node"): named("10.100.1.12")},
    "ENI_SG_RULES_MISMATCH": {
        (EGRESS, "sg-node"): behind_nat().egress(rule("10.0.0.0/8")).trace(),
        (INGRESS, "sg-endpoint"): endpoints_only().ingress(rule("192.168.0.0/16")).trace(),
    },
    "FIREWALL_RULES_RESTRICTION": {(FIREWALL, GROUP): firewalled(DENIED_ALL).trace()},
    "HIGHER_PRIORITY_ROUTE": {
        # Facts have the static route first: tests/unit/facts/test_vpc_parts.py.
        (NAT, "nat-1"): behind_nat().routes(TO_NAT, Route(ANYWHERE, "vgw-1")).nat(state="failed").trace(),
    },
    "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS": {(NO_ROUTE, "subnet-node"): named("10.100.1.12", TO_IGW)},
    "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS": {(NO_ROUTE, "subnet-node"): named("100.64.1.12", TO_IGW)},
    "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS": {
        (PUBLIC_IP, "subnet-node"): public().with_node(public_address=None).trace()
    },
    "MORE_SPECIFIC_ROUTE": {
        (NO_ROUTE, "subnet-node"): named(
            "10.100.1.12", Route("10.100.0.0/16", "tgw-1"), Route("10.100.1.0/24", "eni-1", active=False)
        ),
    },
    "NGW_REQUIRES_SOURCE_IN_VPC": {
        (PEERING, "pcx-1"): peered()
        .with_facts(**vpcs(nat_gateways={"nat-hub": NatGateway("nat-hub", "available", "subnet-hub")}))
        .trace(),
    },
    "NO_ROUTE_TO_DESTINATION": {
        (NO_ROUTE, "subnet-node"): isolated().trace(),
        (NOT_IN_TABLE, "rtb-node"): endpoints_only().routes().trace(),
    },
    "NO_SOURCE_OR_DESTINATION": {(MISSING, "vpc-1"): endpoints_only().without("vpce-dkr").trace()},
    "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR": {(PEERING, "pcx-1"): peered().trace()},
    "REMAP_EPHEMERAL_PORT": {(ACL, "acl-public"): from_nat((443, 443)).trace()},
    "SG_HAS_NO_RULES": {
        (EGRESS, "sg-node"): behind_nat().egress().trace(),
        (INGRESS, "sg-endpoint"): endpoints_only().ingress().trace(),
    },
    "SG_REFERENCES_NOT_PRESERVED": {(INGRESS, "sg-hub"): to_hub(in_hub("sg-node"))},
    "SG_REFERENCING_SUPPORT": {(INGRESS, "sg-hub"): to_hub(in_hub("sg-node"))},
    "SUBNET_ACL_RESTRICTION": {
        (ACL, "acl-node"): behind_nat().acl().trace(),
        (ACL, "acl-hub-tgw"): to_hub(enterprise().acl("subnet-hub-tgw")),
        (ACL, "acl-out-nat"): enterprise().acl("subnet-out-nat").trace(),
    },
    "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION": {
        (TGW, "tgw-attach-spoke"): enterprise().attachment("spoke", table_id="", association="").trace(),
        (TGW, "tgw-attach-out"): enterprise().attachment("out", table_id="", association="").trace(),
    },
    "TGW_ATTACH_VPC_AZ_RESTRICTION": {(ACL, "acl-hub-tgw"): to_hub(two_entries())},
    "TGW_ROUTE_AZ_RESTRICTION": {
        (TGW, "tgw-attach-spoke"): in_spoke("subnet-tgw", availability_zone=ZONE_B).trace(),
    },
    "TGW_RTB_BAD_STATE_ROUTE": {
        (TGW, "tgw-rtb-spokes"): enterprise().table("spokes", Route(ANYWHERE, "tgw-attach-out", active=False)).trace(),
    },
    "TGW_RTB_CANNOT_ROUTE": {
        (TGW, "tgw-rtb-spokes"): enterprise().table("spokes", Route("10.0.0.0/8", "tgw-attach-out")).trace(),
    },
    "TGW_RTB_HIGHER_PRIORITY_ROUTE": {
        # A gateway shows the route that wins alone: the static blackhole, and not the one that is propagated.
        (TGW, "tgw-rtb-shared"): enterprise().table("shared", Route("10.0.0.0/16", "none", active=False)).trace(),
    },
    "TGW_RTB_MORE_SPECIFIC_ROUTE": {
        (TGW, "tgw-rtb-shared"): enterprise()
        .table("shared", Route("10.0.0.0/16", "tgw-attach-spoke"), Route("10.0.0.0/24", "none", active=False))
        .trace(),
    },
    "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT": {
        (TGW, "tgw-rtb-spokes"): enterprise().table("spokes").trace(),
        (TGW, "tgw-rtb-shared"): enterprise().table("shared").trace(),
    },
    "VPC_LOCAL_ROUTE_CIDR_RESTRICTION": {(NO_ROUTE, "subnet-node"): isolated().trace()},
}


@pytest.mark.parametrize(
    ("code", "expected"), [(code, expected) for code, planted in PLANTED.items() for expected in planted]
)
def test_what_the_code_is_about_is_found_and_nothing_else(code: str, expected: tuple[str, str]) -> None:
    assert faults(PLANTED[code][expected]) == {expected}


def attached(kind: str, name: str) -> Path:
    """Return the way where the gateway's default route leads to an attachment of this kind."""
    return enterprise().attachment("out", kind=kind, resource_id=name).trace()


def blocked_public_access(subnet: str, mode: str) -> Path:
    known = behind_nat().network.subnets
    assert not isinstance(known, Unread)
    return behind_nat().with_facts(subnets={**known, subnet: replace(known[subnet], public_access=mode)}).trace()


def regional(*zones: str) -> Path:
    """Return the way of a node over a regional NAT gateway with addresses in these zones alone."""
    known = behind_nat().network.subnets
    assert not isinstance(known, Unread)
    subnets = {**known, "subnet-node": replace(known["subnet-node"], availability_zone=ZONE_A, zone_id="euw1-az1")}
    return behind_nat().nat(subnet_id=None, zones=zones).with_facts(subnets=subnets).trace()


# By code: what it is about, what stays open, and words of the reason: whose it is, or what would settle it.
LEFT_OPEN: dict[str, tuple[Path, str, str]] = {
    "BAD_STATE_VPN": (attached("vpn", "vpn-1"), NO_ROUTE, "vpn"),
    "ENI_SOURCE_DEST_CHECK_RESTRICTION": (behind_nat().routes(Route(ANYWHERE, "eni-1")).trace(), NO_ROUTE, "eni-1"),
    "INGRESS_RTB_NO_PUBLIC_IP": (behind_nat().routes(Route(ANYWHERE, "eni-1")).trace(), NO_ROUTE, "eni-1"),
    "INGRESS_RTB_TRAFFIC_REDIRECTION": (
        edge(behind_nat(), Route("10.0.0.0/16", "eni-1")).trace(),
        NO_ROUTE,
        "rtb-edge takes the answers by 10.0.0.0/16 -> eni-1",
    ),
    "NO_POSSIBLE_DESTINATION": (enterprise().unread(vpc="vpc-out").trace(), NO_ROUTE, "vpc-out"),
    "REGIONAL_NGW_ROUTE_AZ_RESTRICTION": (regional(ZONE_B), NAT, f"and subnet-node is in {ZONE_A}"),
    "TGW_BAD_STATE_VPN": (attached("vpn", "vpn-1"), TGW, "vpn-1"),
    "TGW_RTB_ROUTES_ARE_UNKNOWN": (enterprise().unread(table="spokes").trace(), TGW, "spokes"),
    "UNKNOWN_DESTINATION": (attached("direct-connect-gateway", "dx-1"), TGW, "dx-1"),
    "UNKNOWN_PEERED_SGS": (with_groups().trace(), INGRESS, "sgr-sg-node"),
    "UNKNOWN_RESOURCE": (behind_nat().with_facts(nat_gateways=Unread("denied")).trace(), NAT, "denied"),
    "UNSUPPORTED_COMPONENT": (attached("connect", "tgw-attach-tunnel"), TGW, "connect"),
    "VGW_PRIVATE_IP_ASSOCIATION_FOR_EGRESS": (isolated().routes(Route(ANYWHERE, "vgw-1")).trace(), NO_ROUTE, "vgw-1"),
    "VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS": (isolated().routes(Route(ANYWHERE, "vgw-1")).trace(), NO_ROUTE, "vgw-1"),
    "VPC_BLOCK_PUBLIC_ACCESS_ENABLED": (
        blocked_public_access("subnet-public", "block-bidirectional"),
        NO_ROUTE,
        "describe-vpc-block-public-access-exclusions",
    ),
}


@pytest.mark.parametrize("code", LEFT_OPEN)
def test_what_is_not_modelled_is_left_open_and_blames_nobody(code: str) -> None:
    path, cause, words = LEFT_OPEN[code]
    assert faults(path) == set()
    assert cause in opened(path)
    doubts = [doubt.reason for doubt in path.undecided if doubt.cause.value == cause]
    assert any(words in " ".join((each, *map(str, steps_of(each)))) for each in doubts)


def test_a_regional_nat_gateway_with_an_address_in_the_zone_passes() -> None:
    for zones in ((ZONE_A,), (ZONE_B, "euw1-az1"), ()):
        assert (faults(regional(*zones)), opened(regional(*zones))) == (set(), set())


def rows() -> dict[str, str]:
    """What the page says of each code."""
    lines = (line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `"))
    found: dict[str, str] = {}
    for _, codes, said, *_ in lines:
        for code in _CODE.findall(codes):
            assert code not in found, f"{code} has two rows"
            found[code] = said
    return found


def test_each_code_of_the_page_with_causes_is_planted_and_the_reverse() -> None:
    causes = {code: set(_LINK.findall(said)) for code, said in rows().items()}
    planted = {code: {cause for cause, _ in expected} for code, expected in PLANTED.items()}
    assert {code: names for code, names in causes.items() if names} == planted
    assert {name for names in causes.values() for name in names} <= {each.value for each in PathCause}


def test_each_code_that_the_page_leaves_open_is_tried_and_the_reverse() -> None:
    assert {code for code, said in rows().items() if said.strip().startswith("left open")} == set(LEFT_OPEN)


def test_each_row_says_what_becomes_of_the_code() -> None:
    for code, said in rows().items():
        assert _LINK.search(said) or said.strip().startswith(("left open", "cannot occur")), code
