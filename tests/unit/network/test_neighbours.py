"""Ways over several VPCs: each single fault is found with its resource and owner, and nothing else is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from pull_responder.network import (
    NatGateway,
    NetworkAcl,
    NetworkAclEntry,
    NodePlace,
    Path,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Surroundings,
    Unread,
    Vpc,
    WantedKind,
)
from tests.unit.network.enterprise import (
    BACK,
    DIALLED_HUB,
    GATEWAY,
    HUB,
    OF_SPOKE,
    OUT,
    SPOKE,
    ZONE_A,
    ZONE_B,
    Enterprise,
    enterprise,
    faults,
    opened,
    peered,
)
from tests.unit.network.estate import ALLOW_ALL, TO_NAT, behind_nat, rule

if TYPE_CHECKING:
    from pull_responder.network import Fault

TGW = "transit_gateway_blocks_traffic"
NO_ROUTE = "no_route_to_ecr"
ACL = "network_acl_blocks_traffic"


LOCAL_OF_HUB = Route("10.100.0.0/16", "local")
SPOKES = RouteTable("tgw-rtb-spokes", (Route("0.0.0.0/0", "tgw-attach-out"),))


def the_fault(path: Path) -> Fault:
    (fault,) = path.faults
    return fault


def reason(path: Path, cause: str) -> str:
    return "; ".join(doubt.reason for doubt in path.undecided if doubt.cause.value == cause)


def _subnets() -> dict[str, Subnet]:
    subnets = enterprise().spoke.network.subnets
    assert not isinstance(subnets, Unread)
    return dict(subnets)


def _nat(state: str) -> NatGateway:
    return NatGateway("nat-out", state, "subnet-out-nat", public_addresses=("54.7.7.7",))


def _overlapping() -> dict[str, RouteTable]:
    """The egress VPC has a block that holds the node's address: answers stay in it."""
    local = Route("10.0.0.0/16", "local")
    return {
        "subnet-out-nat": RouteTable("rtb-out-nat", (local, Route("0.0.0.0/0", "igw-out"))),
        "subnet-out-tgw": RouteTable("rtb-out-tgw", (local, Route("0.0.0.0/0", "nat-out"))),
    }


class TestOverTheEgressVpc:
    def test_it_works_hop_by_hop(self) -> None:
        path = enterprise().trace()
        assert (faults(path), opened(path)) == (set(), set())
        shown = [(hop.kind.value, hop.resource_id) for hop in path.legs[0].hops]
        assert shown == [
            ("name", "api.ecr.eu-west-1.amazonaws.com"),
            ("node", "i-1"),
            ("subnet", "subnet-node"),
            ("route", "rtb-node"),
            ("transit gateway", "tgw-attach-spoke"),
            ("transit gateway", "tgw-attach-spoke"),
            ("subnet", "subnet-tgw"),
            ("transit gateway", "tgw-rtb-spokes"),
            ("route", "rtb-out-tgw"),
            ("subnet", "subnet-out-tgw"),
            ("NAT gateway", "nat-out"),
            ("subnet", "subnet-out-nat"),
            ("route", "rtb-out-nat"),
            ("route", "rtb-out-nat"),
            ("transit gateway", "tgw-attach-out"),
            ("transit gateway", "tgw-rtb-shared"),
            ("subnet", "subnet-tgw"),
        ]

    BROKEN: ClassVar[dict[str, tuple[Enterprise, tuple[str, str], str]]] = {
        "no route at the gateway": (
            enterprise().table("spokes", Route("10.100.0.0/16", "tgw-attach-hub")),
            (TGW, "tgw-rtb-spokes"),
            GATEWAY,
        ),
        "a blackhole at the gateway": (
            enterprise().table("spokes", Route("0.0.0.0/0", "none", active=False)),
            (TGW, "tgw-rtb-spokes"),
            GATEWAY,
        ),
        "no association": (
            enterprise().attachment("spoke", table_id="", association=""),
            (TGW, "tgw-attach-spoke"),
            GATEWAY,
        ),
        "an attachment that nobody has accepted": (
            enterprise().attachment("spoke", state="pendingAcceptance"),
            (TGW, "tgw-attach-spoke"),
            SPOKE,
        ),
        "no subnet in the node's zone": (
            replace(
                enterprise(),
                spoke=enterprise().spoke.with_facts(
                    subnets={
                        **_subnets(),
                        "subnet-tgw": replace(_subnets()["subnet-tgw"], availability_zone=ZONE_B),
                    }
                ),
            ),
            (TGW, "tgw-attach-spoke"),
            SPOKE,
        ),
        "the ACL of the spoke's attachment": (enterprise().acl("subnet-tgw"), (ACL, "acl-tgw"), SPOKE),
        "the ACL of the egress attachment": (enterprise().acl("subnet-out-tgw"), (ACL, "acl-out-tgw"), OUT),
        "the ACL of the NAT gateway": (enterprise().acl("subnet-out-nat"), (ACL, "acl-out-nat"), OUT),
        "no route on in the egress VPC": (enterprise().routes("subnet-out-tgw"), (NO_ROUTE, "subnet-out-tgw"), OUT),
        "no internet gateway behind the NAT gateway": (
            enterprise().routes("subnet-out-nat", BACK),
            (NO_ROUTE, "subnet-out-nat"),
            OUT,
        ),
        "no way back from the NAT gateway": (
            enterprise().routes("subnet-out-nat", Route("0.0.0.0/0", "igw-out")),
            (NO_ROUTE, "subnet-out-nat"),
            OUT,
        ),
        "no way back at the gateway": (
            enterprise().table("shared", Route("10.9.0.0/16", "tgw-attach-spoke")),
            (TGW, "tgw-rtb-shared"),
            GATEWAY,
        ),
        "a blackhole on the way back": (
            enterprise().table("shared", Route("10.0.0.0/8", "none", active=False)),
            (TGW, "tgw-rtb-shared"),
            GATEWAY,
        ),
        "no subnet of the egress attachment in the NAT gateway's zone": (
            enterprise().entry("vpc-out", "subnets", "subnet-out-nat", Subnet("subnet-out-nat", (), ZONE_B)),
            (TGW, "tgw-attach-out"),
            OUT,
        ),
        "no association of the egress attachment": (
            enterprise().attachment("out", table_id="", association=""),
            (TGW, "tgw-attach-out"),
            GATEWAY,
        ),
        "the NAT gateway failed": (
            enterprise().entry("vpc-out", "nat_gateways", "nat-out", _nat("failed")),
            ("nat_gateway_unavailable", "nat-out"),
            OUT,
        ),
    }

    @pytest.mark.parametrize("name", BROKEN)
    def test_one_fault_is_found_with_its_owner_and_nothing_else(self, name: str) -> None:
        estate, expected, account = self.BROKEN[name]
        path = estate.trace()
        assert (faults(path), opened(path)) == ({expected}, set())
        owned = the_fault(path).owned
        assert (owned.account if owned else SPOKE) == account

    NEAR: ClassVar[dict[str, Enterprise]] = {
        "a blackhole for others": enterprise().table(
            "spokes", Route("0.0.0.0/0", "tgw-attach-out"), Route("10.0.0.0/8", "none", active=False)
        ),
        "a wider route back": enterprise().table("shared", Route("10.0.0.0/8", "tgw-attach-spoke")),
        "a more specific route back than the one that is dropped": enterprise().table(
            "shared", Route("10.0.0.0/8", "none", active=False), Route("10.0.0.0/24", "tgw-attach-spoke")
        ),
        "an attachment that is being modified": enterprise().attachment("spoke", state="modifying"),
        "an old attachment that is gone": replace(
            enterprise(),
            attachments=(*enterprise().attachments, replace(OF_SPOKE, id="tgw-attach-old", state="deleted")),
        ),
    }

    @pytest.mark.parametrize("name", NEAR)
    def test_what_only_looks_like_a_fault_passes(self, name: str) -> None:
        path = self.NEAR[name].trace()
        assert (faults(path), opened(path)) == (set(), set())

    LEFT_OPEN: ClassVar[dict[str, tuple[Enterprise, str, str]]] = {
        "the egress VPC": (enterprise().unread(vpc="vpc-out"), NO_ROUTE, "vpc-out cannot be read in its account"),
        "the gateway": (enterprise().unread(gateway=True), TGW, "the gateway cannot be read in its account"),
        "the gateway's table": (enterprise().unread(table="spokes"), TGW, "spokes cannot be read in its account"),
        "the table on the way back": (enterprise().unread(table="shared"), TGW, "shared cannot be read"),
        "a VPN": (
            enterprise().attachment("out", kind="vpn", resource_id="vpn-1"),
            TGW,
            "leads to an attachment of type vpn (vpn-1)",
        ),
        "another gateway": (
            enterprise().attachment("out", kind="peering", resource_id="tgw-2", peer_region="eu-west-2"),
            TGW,
            "tgw-attach-out leads to transit gateway tgw-2 of account 333333333333 in eu-west-2, which was not read",
        ),
        "two attachments of one VPC": (
            replace(
                enterprise(),
                attachments=(*enterprise().attachments, replace(OF_SPOKE, id="tgw-attach-2")),
            ),
            TGW,
            "EC2 lists several attachments of vpc-1 to tgw-1",
        ),
        "an attachment that the gateway's owner does not list": (
            replace(
                enterprise(),
                spoke=enterprise().spoke.with_facts(
                    attachments=(replace(OF_SPOKE, id="tgw-attach-new", table_id="", association=""),)
                ),
            ),
            TGW,
            f"account {GATEWAY}, which owns tgw-1, lists no attachment tgw-attach-new",
        ),
        "no attachment that EC2 lists": (
            replace(enterprise(), attachments=enterprise().attachments[1:]),
            TGW,
            "EC2 lists no attachment of vpc-1 to tgw-1",
        ),
        "a loop": (
            enterprise().table("spokes", Route("0.0.0.0/0", "tgw-attach-spoke")),
            TGW,
            "leads back to where the traffic comes from",
        ),
        "several attachments of a route": (
            enterprise().table("spokes", Route("0.0.0.0/0", "several attachments")),
            TGW,
            "spreads the traffic over several attachments",
        ),
        "a route for a part": (
            enterprise().table("spokes", Route("52.0.0.0/8", "tgw-attach-out")),
            TGW,
            "and none covers the rest",
        ),
        "a firewall in the egress VPC": (
            enterprise().routes("subnet-out-tgw", Route("0.0.0.0/0", "vpce-firewall")),
            NO_ROUTE,
            "in vpc-out, route 0.0.0.0/0 -> vpce-firewall leads to a VPC endpoint: an appliance",
        ),
        "another VPC on the way back": (
            enterprise().table("shared", Route("10.0.0.0/8", "tgw-attach-hub")),
            TGW,
            "answers to i-1 go by tgw-attach-hub to vpc-hub",
        ),
        "a regional NAT gateway, whose table is its own": (
            enterprise().entry("vpc-out", "nat_gateways", "nat-out", replace(_nat("available"), subnet_id=None)),
            NO_ROUTE,
            "the routes of the regional NAT gateway nat-out back to i-1 were not read",
        ),
        "an appliance before the node on the way back": (
            replace(
                enterprise(), spoke=enterprise().spoke.routes(Route("10.0.0.0/24", "vpce-gwlb"), subnet="subnet-tgw")
            ),
            NO_ROUTE,
            "answers to i-1 that enter by subnet-tgw are taken on by route table",
        ),
        "overlapping ranges": (
            enterprise().within("vpc-out", route_tables=_overlapping()),
            NO_ROUTE,
            "answers to i-1 leave subnet-out-nat by other routes of rtb-out-nat",
        ),
        "a prefix list whose blocks are not shown": (
            enterprise().table("spokes", Route("pl-1", "tgw-attach-out")),
            TGW,
            "prefix list pl-1 was not found",
        ),
        "an association that is under way": (
            enterprise().attachment("spoke", association="associating"),
            TGW,
            "is in state associating",
        ),
        "an attachment that is being made": (
            enterprise().attachment("spoke", state="pending"),
            TGW,
            "is in state pending",
        ),
        "the subnets of the attachment": (
            enterprise().attachment("spoke", subnet_ids=Unread("the subnets are not shown")),
            TGW,
            "the subnets are not shown",
        ),
    }

    @pytest.mark.parametrize("name", LEFT_OPEN)
    def test_what_is_not_known_leaves_open_what_is_behind_it_and_blames_nobody(self, name: str) -> None:
        estate, cause, words = self.LEFT_OPEN[name]
        path = estate.trace()
        assert faults(path) == set()
        assert words in reason(path, cause)

    def test_the_acl_of_a_subnet_that_node_and_gateway_share_decides_nothing(self) -> None:
        estate = enterprise().attachment("spoke", subnet_ids=("subnet-node",))
        shut = replace(estate, spoke=estate.spoke.acl())
        for path in (shut.trace(), shut.dialling_hub().trace()):
            assert faults(path) == set()
            assert "subnet-node also holds the interface of tgw-1" in reason(path, ACL)
        apart = replace(enterprise(), spoke=enterprise().spoke.acl())
        assert faults(apart.trace()) == {(ACL, "acl-node")}

    def test_of_two_entries_of_which_one_is_taken_neither_acl_is_blamed(self) -> None:
        answers = NetworkAclEntry(100, allow=True, egress=False, cidr="0.0.0.0/0", protocol="-1", ports=None)
        estate = enterprise().attachment("out", subnet_ids=("subnet-out-tgw", "subnet-out-b"))
        estate = estate.entry("vpc-out", "subnets", "subnet-out-b", Subnet("subnet-out-b", (), ZONE_B))
        estate = estate.routes("subnet-out-b", Route("0.0.0.0/0", "nat-out"))
        estate = estate.acl("subnet-out-tgw", answers).acl("subnet-out-b", answers)
        assert faults(estate.trace()) == set()
        assert reason(estate.trace(), ACL) == "by which subnet of tgw-attach-out the traffic enters is not known"
        # In appliance mode both are taken, by one flow or another.
        both = estate.attachment("out", subnet_ids=("subnet-out-tgw", "subnet-out-b"), appliance_mode=True)
        assert faults(both.trace()) == {(ACL, "acl-out-tgw"), (ACL, "acl-out-b")}

    @pytest.mark.parametrize("state", ["pendingAcceptance", "failed", "rejected", "deleting"])
    def test_a_gateway_sends_nothing_over_an_attachment_that_is_not_available(self, state: str) -> None:
        fault = the_fault(enterprise().attachment("out", state=state).trace())
        assert (fault.cause.value, fault.resource_id) == (TGW, "tgw-attach-out")
        assert fault.owned is not None
        assert (fault.owned.account, fault.fixes[0].target) == (GATEWAY, "tgw-attach-out")
        assert f"leads to tgw-attach-out, in state {state}, so transit gateway tgw-1 sends nothing" in fault.explanation

    def test_a_zone_without_a_subnet_of_the_attachment_is_told_with_its_vpc_where_no_node_can_move(self) -> None:
        """Only of the node's own VPC are nodes that could be moved to another zone."""
        there = enterprise().entry("vpc-out", "subnets", "subnet-out-nat", Subnet("subnet-out-nat", (), ZONE_B))
        subnets = {**_subnets(), "subnet-node": replace(_subnets()["subnet-node"], availability_zone=ZONE_B)}
        here = replace(enterprise(), spoke=enterprise().spoke.with_facts(subnets=subnets))
        owned = {where: the_fault(estate.trace()).owned for where, estate in (("here", here), ("there", there))}
        assert {where: each and each.vpc_id for where, each in owned.items()} == {"here": "", "there": "vpc-out"}

    def test_answers_may_enter_by_any_subnet_of_the_attachment(self) -> None:
        subnets = {**_subnets(), "subnet-tgw-b": Subnet("subnet-tgw-b", ("10.0.9.16/28",), ZONE_B)}
        estate = enterprise().attachment("spoke", subnet_ids=("subnet-tgw", "subnet-tgw-b"))
        spoke = estate.spoke.routes(subnet="subnet-tgw-b").with_facts(subnets=subnets)
        requests = NetworkAclEntry(100, allow=True, egress=False, cidr="0.0.0.0/0", protocol="-1", ports=None)
        one = replace(estate, spoke=spoke.acl(subnet="subnet-tgw-b")).acl("subnet-tgw", requests)
        assert faults(one.trace()) == set()  # two ACLs, of which one is on the way
        assert "by which subnet of tgw-attach-spoke answers enter is not known" in reason(one.trace(), ACL)
        acl = NetworkAcl("acl-tgw", (requests,))
        known = one.spoke.network.network_acls
        assert not isinstance(known, Unread)
        both = {**known, "subnet-tgw": acl, "subnet-tgw-b": acl}
        same = replace(one, spoke=one.spoke.with_facts(network_acls=both))
        assert faults(same.trace()) == {(ACL, "acl-tgw")}

    def test_a_fault_before_what_cannot_be_read_is_found_all_the_same(self) -> None:
        path = enterprise().unread(vpc="vpc-out").acl("subnet-tgw").trace()
        assert faults(path) == {(ACL, "acl-tgw")}
        assert NO_ROUTE in opened(path)

    NAMES_UNREAD: ClassVar[dict[str, dict[str, Unread]]] = {
        "zones": {"private_zones": Unread("the call was denied")},
        "rules": {"resolver_rules": Unread("the call was denied")},
        "Profiles": {"profiles": Unread("the call was denied")},
    }

    @pytest.mark.parametrize("name", NAMES_UNREAD)
    def test_a_name_of_which_not_all_was_read_may_lead_to_the_hub_before_any_failure(self, name: str) -> None:
        """Then the egress VPC proves nothing: neither that the pull works, nor that a fault there stops it."""
        estate = enterprise()
        works = replace(estate, spoke=estate.spoke.with_facts(**self.NAMES_UNREAD[name]))
        assert faults(works.trace()) == set()
        assert "the call was denied, so api.ecr.eu-west-1.amazonaws.com may lead elsewhere" in reason(
            works.trace(), NO_ROUTE
        )
        broken = works.table("spokes", Route("10.100.0.0/16", "tgw-attach-hub"))
        assert faults(broken.trace()) == set()
        assert TGW in opened(broken.trace())

    def test_a_group_that_lets_nothing_out_stops_it_wherever_the_name_leads(self) -> None:
        estate = enterprise()
        spoke = estate.spoke.with_facts(private_zones=Unread("denied"))
        inside = replace(estate, spoke=spoke.egress(rule("10.0.0.0/8")))
        assert faults(inside.trace()) == set()
        shut = replace(estate, spoke=spoke.egress(rule("192.0.2.0/24")))
        assert faults(shut.trace()) == {("security_group_blocks_egress", "sg-node")}

    def test_a_node_in_a_local_zone_may_reach_the_gateway_over_its_parent_zone(self) -> None:
        estate = enterprise()
        subnets = {
            **_subnets(),
            "subnet-node": replace(_subnets()["subnet-node"], availability_zone="us-west-2-lax-1a"),
        }
        path = replace(estate, spoke=estate.spoke.with_facts(subnets=subnets)).trace()
        assert (faults(path), opened(path)) == (set(), {TGW})

    def test_a_node_that_does_not_exist_yet_has_any_address_of_its_subnet(self) -> None:
        estate = enterprise()
        future = NodePlace("a node in subnet-node", "subnet-node", ("sg-node",))
        path = replace(estate, spoke=replace(estate.spoke, node=future)).trace()
        assert (faults(path), opened(path)) == (set(), set())
        broken = replace(estate, spoke=replace(estate.spoke, node=future)).routes(
            "subnet-out-nat", Route("0.0.0.0/0", "igw-out"), Route("10.0.0.0/25", "tgw-1")
        )
        assert faults(broken.trace()) == set()  # a part of the subnet has a way back
        assert NO_ROUTE in opened(broken.trace())

    def test_no_acl_is_blamed_for_answers_where_the_subnet_by_which_they_leave_is_not_known(self) -> None:
        estate = enterprise().attachment("hub", subnet_ids=("subnet-hub-tgw", "subnet-hub-b")).dialling_hub()
        in_only = NetworkAclEntry(100, allow=True, egress=False, cidr="0.0.0.0/0", protocol="-1", ports=None)
        path = estate.acl("subnet-hub-tgw", in_only).trace()
        assert faults(path) == set()
        assert "network_acl_blocks_traffic" in opened(path)
        assert any("one of the subnets of tgw-attach-hub was not found" in each.reason for each in path.undecided)

    def test_thousands_of_routes_are_shown_as_the_one_that_counts(self) -> None:
        many = tuple(Route(f"172.{16 + n // 256}.{n % 256}.0/24", "tgw-attach-hub") for n in range(3000))
        path = enterprise().table("spokes", *many).trace()
        fault = the_fault(path)
        assert (fault.cause.value, fault.resource_id) == (TGW, "tgw-rtb-spokes")
        assert "route table tgw-rtb-spokes with 3000 routes: none for this traffic" in fault.evidence


class TestTheHubsEndpoint:
    def test_it_works(self) -> None:
        path = enterprise().dialling_hub().trace()
        leg = next(leg for leg in path.legs if leg.stage.value == "manifest")
        assert [hop.verdict.value for hop in leg.hops] == ["ok"] * len(leg.hops)
        assert ("endpoint", "vpce-hub-dkr") in [(hop.kind.value, hop.resource_id) for hop in leg.hops]

    BROKEN: ClassVar[dict[str, tuple[Enterprise, tuple[str, str], str]]] = {
        "the endpoint's group": (
            enterprise().entry("vpc-hub", "security_groups", "sg-hub", SecurityGroup("sg-hub", owner=HUB)),
            ("endpoint_security_group_blocks_ingress", "sg-hub"),
            HUB,
        ),
        "the group lets only its own members in": (
            enterprise().entry(
                "vpc-hub", "security_groups", "sg-hub", SecurityGroup("sg-hub", ingress=(rule("sg-hub"),))
            ),
            ("endpoint_security_group_blocks_ingress", "sg-hub"),
            HUB,
        ),
        "the group lets only the hub in": (
            enterprise().entry(
                "vpc-hub", "security_groups", "sg-hub", SecurityGroup("sg-hub", ingress=(rule("10.100.0.0/16"),))
            ),
            ("endpoint_security_group_blocks_ingress", "sg-hub"),
            HUB,
        ),
        "the endpoint's ACL": (enterprise().acl("subnet-hub"), (ACL, "acl-hub"), HUB),
        "the ACL of the hub's attachment": (enterprise().acl("subnet-hub-tgw"), (ACL, "acl-hub-tgw"), HUB),
        "no way back from the hub": (enterprise().routes("subnet-hub"), (NO_ROUTE, "subnet-hub"), HUB),
        "no way back at the gateway": (
            enterprise().table("shared", Route("10.9.0.0/16", "tgw-attach-spoke")),
            (TGW, "tgw-rtb-shared"),
            GATEWAY,
        ),
        "no route to the hub": (
            enterprise().table("spokes", Route("172.16.0.0/12", "tgw-attach-hub")),
            (TGW, "tgw-rtb-spokes"),
            GATEWAY,
        ),
    }

    @pytest.mark.parametrize("name", BROKEN)
    def test_one_fault_is_found_with_its_owner(self, name: str) -> None:
        estate, expected, account = self.BROKEN[name]
        path = estate.dialling_hub().trace()
        leg = next(leg for leg in path.legs if leg.stage.value == "manifest")
        found = {(fault.cause.value, fault.resource_id) for hop in leg.hops for fault in hop.faults}
        assert found == {expected}
        assert {fault.owned and fault.owned.account for hop in leg.hops for fault in hop.faults} == {account}

    def test_a_rule_that_names_a_group_lets_nobody_in_over_a_transit_gateway(self) -> None:
        estate = enterprise().entry(
            "vpc-hub", "security_groups", "sg-hub", SecurityGroup("sg-hub", ingress=(rule("sg-node"),), owner=HUB)
        )
        path = estate.dialling_hub().trace()
        assert faults(path) == {("endpoint_security_group_blocks_ingress", "sg-hub")}
        (fix,) = the_fault(path).fixes
        assert fix.peer == "10.0.0.0/24"

    def test_a_rule_that_names_a_group_may_let_the_node_in_over_a_peering_connection(self) -> None:
        estate = replace(peered(destination="10.100.0.0/16"), sighting=DIALLED_HUB)
        hub = estate.network.around.vpcs["vpc-hub"]
        assert not isinstance(hub, Unread)
        group = SecurityGroup("sg-hub", ingress=(rule("sg-node"),), owner=HUB)
        hub = replace(hub, security_groups={"sg-hub": group})
        path = estate.with_facts(around=Surroundings(vpcs={"vpc-hub": hub})).trace()
        assert faults(path) == set()
        assert "endpoint_security_group_blocks_ingress" in opened(path)

    def test_only_the_entry_in_the_nodes_zone_counts_and_zones_are_compared_by_id(self) -> None:
        estate = enterprise().attachment("hub", subnet_ids=("subnet-hub-tgw", "subnet-hub-b"))
        # What the hub calls eu-west-1b is what the spoke calls eu-west-1a.
        for subnet, zone, zone_id in (
            ("subnet-hub", ZONE_B, "euw1-az1"),
            ("subnet-hub-tgw", ZONE_B, "euw1-az1"),
            ("subnet-hub-b", ZONE_A, "euw1-az2"),
        ):
            found = Subnet(subnet, ("10.100.1.0/24",), zone, zone_id=zone_id)
            estate = estate.entry("vpc-hub", "subnets", subnet, found)
        local = Route("10.100.0.0/16", "local")
        estate = estate.entry("vpc-hub", "route_tables", "subnet-hub-b", RouteTable("rtb-b", (local,)))
        answers_in = NetworkAclEntry(100, allow=True, egress=False, cidr="0.0.0.0/0", protocol="-1", ports=None)
        estate = estate.acl("subnet-hub-tgw", answers_in).entry("vpc-hub", "network_acls", "subnet-hub-b", ALLOW_ALL)
        # Which of both the traffic takes is not known: one works.
        assert faults(estate.dialling_hub().trace()) == set()
        near = {**_subnets(), "subnet-node": replace(_subnets()["subnet-node"], zone_id="euw1-az1")}
        here = replace(estate, spoke=estate.spoke.with_facts(subnets=near)).dialling_hub()
        assert faults(here.trace()) == {(ACL, "acl-hub-tgw")}

    def test_a_prefix_list_that_cannot_be_read_may_lead_the_traffic_elsewhere(self) -> None:
        path = enterprise().routes("subnet-hub-tgw", Route("pl-1", "eni-fw")).dialling_hub().trace()
        assert faults(path) == set()
        assert "pl-1" in reason(path, NO_ROUTE)

    def test_answers_leave_by_the_zone_of_the_endpoint_whichever_way_the_requests_came(self) -> None:
        """The node is in zone a, the endpoint in zone b: each direction meets the gateway in the zone it starts in."""
        estate = enterprise().attachment("hub", subnet_ids=("subnet-hub-tgw", "subnet-hub-b"))
        for subnet, zone in (("subnet-hub-tgw", ZONE_A), ("subnet-hub-b", ZONE_B), ("subnet-hub", ZONE_B)):
            found = Subnet(subnet, ("10.100.1.0/24",), zone, zone_id=f"euw1-az{zone[-1]}")
            estate = estate.entry("vpc-hub", "subnets", subnet, found)
        estate = estate.entry("vpc-hub", "route_tables", "subnet-hub-b", RouteTable("rtb-b", (LOCAL_OF_HUB,)))
        near = {**_subnets(), "subnet-node": replace(_subnets()["subnet-node"], zone_id="euw1-aza")}
        estate = replace(estate, spoke=estate.spoke.with_facts(subnets=near)).dialling_hub()
        out = NetworkAclEntry(100, allow=True, egress=True, cidr="0.0.0.0/0", protocol="-1", ports=None)
        back = replace(out, egress=False)
        one_way = estate.acl("subnet-hub-tgw", out).acl("subnet-hub-b", back)
        assert faults(one_way.trace()) == set()
        other_way = estate.acl("subnet-hub-tgw", back).acl("subnet-hub-b", out)
        assert faults(other_way.trace()) == {(ACL, "acl-hub-tgw"), (ACL, "acl-hub-b")}

    def test_an_address_that_no_endpoint_has_is_left_open(self) -> None:
        estate = enterprise()
        other = replace(DIALLED_HUB, address="10.100.1.99")
        path = replace(estate, spoke=replace(estate.spoke, sighting=other)).trace()
        assert faults(path) == set()
        assert "no endpoint of vpc-hub" in reason(path, NO_ROUTE)


class TestPeering:
    def test_a_default_route_over_a_peering_connection_carries_nothing(self) -> None:
        path = peered().trace()
        assert faults(path) == {("peering_cannot_carry_traffic", "pcx-1")}
        fault = the_fault(path)
        assert "carries only what is for addresses of vpc-hub (10.100.0.0/16)" in fault.explanation
        assert fault.owned
        assert fault.owned.account == SPOKE

    def test_it_leads_to_the_hubs_endpoint(self) -> None:
        estate = replace(peered(destination="10.100.0.0/16"), sighting=DIALLED_HUB)
        leg = next(leg for leg in estate.trace().legs if leg.stage.value == "manifest")
        assert {hop.verdict.value for hop in leg.hops} == {"ok"}

    @pytest.mark.parametrize("state", ["pending-acceptance", "deleted", "expired", "failed", "rejected"])
    def test_a_connection_that_is_not_active(self, state: str) -> None:
        path = replace(peered(state, destination="10.100.0.0/16"), sighting=DIALLED_HUB).trace()
        assert ("peering_cannot_carry_traffic", "pcx-1") in faults(path)
        assert f"pcx-1 is in state {state}" in the_fault(path).evidence

    def test_a_connection_that_nobody_has_accepted_shows_no_blocks_of_the_other_side(self) -> None:
        estate = peered("pending-acceptance")
        peerings = estate.network.peerings
        assert not isinstance(peerings, Unread)
        ours, theirs = peerings["pcx-1"].sides
        sides = (ours, replace(theirs, cidrs=()))
        pending = estate.with_facts(peerings={"pcx-1": replace(peerings["pcx-1"], sides=sides)})
        assert faults(pending.trace()) == {("peering_cannot_carry_traffic", "pcx-1")}
        active = estate.with_facts(peerings={"pcx-1": replace(peerings["pcx-1"], state="active", sides=sides)})
        assert faults(active.trace()) == set()
        assert "EC2 does not show where pcx-1 leads" in reason(active.trace(), "peering_cannot_carry_traffic")

    def test_no_way_back_is_the_other_vpcs_fault(self) -> None:
        estate = replace(peered(destination="10.100.0.0/16"), sighting=DIALLED_HUB)
        hub = estate.network.around.vpcs["vpc-hub"]
        assert not isinstance(hub, Unread)
        tables = {"subnet-hub": RouteTable("rtb-hub", (Route("10.100.0.0/16", "local"),))}
        broken = estate.with_facts(around=Surroundings(vpcs={"vpc-hub": replace(hub, route_tables=tables)}))
        fault = the_fault(broken.trace())
        assert (fault.cause.value, fault.resource_id) == (NO_ROUTE, "subnet-hub")
        assert (fault.fixes[0].target, fault.fixes[0].peer) == ("pcx-1", "10.0.0.0/16")
        assert fault.owned
        assert (fault.owned.account, fault.owned.vpc_id) == (HUB, "vpc-hub")

    def test_a_connection_whose_other_side_is_not_shown_is_left_open(self) -> None:
        path = peered().with_facts(peerings=Unread("denied")).trace()
        assert faults(path) == set()
        assert reason(path, "peering_cannot_carry_traffic") == "denied"

    def test_public_addresses_in_the_other_vpc_are_none_of_the_registrys(self) -> None:
        leg = peered("active", "52.0.0.0/16").trace().legs[1]
        assert [fault for hop in leg.hops for fault in hop.faults] == []
        doubts = [doubt.reason for hop in leg.hops for doubt in hop.undecided]
        assert any("which are only a part of the public internet" in doubt for doubt in doubts)


class TestWhatATraceAsksFor:
    def test_first_the_gateway_and_the_table_of_its_own_attachment(self) -> None:
        estate = enterprise()
        network = replace(estate.network(), around=Surroundings())
        path = replace(estate.spoke, network=network).trace()
        assert {(each.kind, each.id, each.account) for each in path.wanted} == {
            (WantedKind.GATEWAY, "tgw-1", GATEWAY),
            (WantedKind.TABLE, "tgw-rtb-spokes", GATEWAY),
        }

    def test_then_the_vpc_that_it_leads_to(self) -> None:
        estate = replace(enterprise(), vpcs={}, tables={"tgw-rtb-spokes": SPOKES})
        assert {(each.kind, each.id, each.account) for each in estate.trace().wanted} == {
            (WantedKind.VPC, "vpc-out", OUT),
            (WantedKind.TABLE, "tgw-rtb-shared", GATEWAY),
        }

    def test_nothing_where_no_route_leads_to_a_gateway(self) -> None:
        assert behind_nat().routes(TO_NAT, Route("10.100.0.0/16", "tgw-1")).trace().wanted == ()
        assert enterprise().trace().wanted == ()


def test_an_egress_vpc_with_a_block_that_looks_public() -> None:
    """No address of the registry is in it, though its local route takes a part of all public addresses."""
    estate = enterprise()
    out = estate._vpcs()["vpc-out"]
    assert not isinstance(out, Unread)
    assert not isinstance(out.route_tables, Unread)
    tables = {
        subnet: replace(table, routes=(Route("30.1.0.0/16", "local"), *table.routes))
        for subnet, table in out.route_tables.items()
    }
    out = replace(out, vpc=Vpc("vpc-out", ("10.200.0.0/16", "30.1.0.0/16"), owner=OUT), route_tables=tables)
    estate = replace(estate, vpcs={**estate._vpcs(), "vpc-out": out})
    path = estate.trace()
    assert (faults(path), opened(path)) == (set(), set())
    failed = NatGateway("nat-out", "failed", "subnet-out-nat")
    path = estate.entry("vpc-out", "nat_gateways", "nat-out", failed).trace()
    assert (faults(path), opened(path)) == ({("nat_gateway_unavailable", "nat-out")}, set())
