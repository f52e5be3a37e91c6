"""Ways over an inspection VPC: each single fault is found, there and behind it. What may pass by a firewall is open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from pull_responder.network import (
    Attachment,
    Firewall,
    NatGateway,
    Network,
    NetworkAclEntry,
    Owned,
    Route,
    RouteTable,
    Subnet,
    Unread,
    Vpc,
    VpcEndpoint,
)
from pull_responder.network.firewall_rules import RuleGroup
from pull_responder.network.suricata import StatefulRule
from tests.unit.network.enterprise import (
    GATEWAY,
    HUB,
    OF_HUB,
    OUT,
    ZONE_A,
    ZONE_B,
    Enterprise,
    enterprise,
    faults,
    opened,
)
from tests.unit.network.estate import ALLOW_ALL, REGION
from tests.unit.network.inspected import (
    ARN,
    INSPECTED,
    INSPECTION,
    OF_INSPECTION,
    TO_TGW,
    allowing,
    insp_routes,
    inspected,
)
from tests.unit.network.test_neighbours import ACL, NO_ROUTE, TGW, reason, the_fault

if TYPE_CHECKING:
    from pull_responder.network import Path
    from pull_responder.network.firewall_rules import FirewallPolicy

FIREWALL = "network_firewall_blocks_registry"


def in_one_zone(estate: Enterprise) -> Enterprise:
    """Return the estate in which the gateway enters the inspection VPC in the node's zone alone."""
    return estate.attachment("insp", subnet_ids=("subnet-insp-tgw-a",))


def closed(subnet: str) -> Enterprise:
    network = inspected()._vpcs()["vpc-insp"]
    assert isinstance(network, Network)
    assert not isinstance(network.network_acls, Unread)
    acl = replace(network.network_acls[subnet], id=subnet.replace("subnet", "acl"), entries=())
    return in_one_zone(inspected().entry("vpc-insp", "network_acls", subnet, acl))


def manifest_faults(path: Path) -> set[tuple[str, str]]:
    leg = next(leg for leg in path.legs if leg.stage.value == "manifest")
    return {(fault.cause.value, fault.resource_id) for hop in leg.hops for fault in hop.faults}


ONE = in_one_zone(inspected())


class TestOverTheInspectionVpc:
    @pytest.mark.parametrize("estate", [inspected(), ONE], ids=["two zones", "one zone"])
    def test_it_works_to_the_internet_and_to_the_hub(self, estate: Enterprise) -> None:
        path = estate.trace()
        assert (faults(path), opened(path)) == (set(), set())
        passed = [hop.resource_id for hop in path.legs[1].hops if hop.kind.value == "firewall"]
        assert set(passed) == {"central"}
        leg = next(leg for leg in estate.dialling_hub().trace().legs if leg.stage.value == "manifest")
        assert {hop.verdict.value for hop in leg.hops} == {"ok"}
        assert "vpce-hub-dkr" in [hop.resource_id for hop in leg.hops]

    BROKEN: ClassVar[dict[str, tuple[Enterprise, tuple[str, str], str]]] = {
        "the ACL of the gateway's subnet": (closed("subnet-insp-tgw-a"), (ACL, "acl-insp-tgw-a"), INSPECTION),
        "the ACL of the firewall's subnet": (closed("subnet-insp-fw-a"), (ACL, "acl-insp-fw-a"), INSPECTION),
        "no route to the firewall": (
            insp_routes(ONE, "subnet-insp-tgw-a"),
            (NO_ROUTE, "subnet-insp-tgw-a"),
            INSPECTION,
        ),
        "no route on from the firewall": (
            insp_routes(ONE, "subnet-insp-fw-a", Route("10.0.0.0/16", "tgw-1")),
            (NO_ROUTE, "subnet-insp-fw-a"),
            INSPECTION,
        ),
        "a list without the registry": (
            in_one_zone(inspected(allowing(".example.com"))),
            (FIREWALL, f"{ARN}:stateful-rulegroup/list"),
            INSPECTION,
        ),
        "no association of the inspection VPC": (
            ONE.attachment("insp", table_id="", association=""),
            (TGW, "tgw-attach-insp"),
            GATEWAY,
        ),
        "no route on at the gateway": (
            ONE.table("inspected", *INSPECTED[1:]),
            (TGW, "tgw-rtb-inspected"),
            GATEWAY,
        ),
        "a blackhole at the gateway": (
            ONE.table("inspected", *INSPECTED[1:], Route("0.0.0.0/0", "none", active=False)),
            (TGW, "tgw-rtb-inspected"),
            GATEWAY,
        ),
        "no way back to the inspection VPC": (
            ONE.table("shared", Route("10.9.0.0/16", "tgw-attach-insp")),
            (TGW, "tgw-rtb-shared"),
            GATEWAY,
        ),
        "the ACL of the egress VPC": (ONE.acl("subnet-out-tgw"), (ACL, "acl-out-tgw"), OUT),
        "no way back from the NAT gateway": (
            ONE.routes("subnet-out-nat", Route("0.0.0.0/0", "igw-out")),
            (NO_ROUTE, "subnet-out-nat"),
            OUT,
        ),
        "nothing of the gateway in the NAT gateway's zone": (
            ONE.entry("vpc-out", "subnets", "subnet-out-nat", Subnet("subnet-out-nat", ("10.200.1.0/24",), ZONE_B)),
            (TGW, "tgw-attach-out"),
            OUT,
        ),
    }

    @pytest.mark.parametrize("name", BROKEN)
    def test_one_fault_is_found_with_its_owner_and_nothing_else(self, name: str) -> None:
        estate, expected, account = self.BROKEN[name]
        path = estate.trace()
        assert (faults(path), opened(path)) == ({expected}, set())
        owned = the_fault(path).owned
        assert owned
        assert owned.account == account

    IN_HUB: ClassVar[dict[str, tuple[Enterprise, tuple[str, str]]]] = {
        "no route to the hub behind the firewall": (
            ONE.table("inspected", *INSPECTED[2:]),
            (TGW, "tgw-rtb-inspected"),
        ),
        "no route of the firewall's subnet to the hub": (
            insp_routes(ONE, "subnet-insp-fw-a", Route("10.0.0.0/16", "tgw-1")),
            (NO_ROUTE, "subnet-insp-fw-a"),
        ),
        "no way back to the spoke behind the firewall": (
            ONE.table("inspected", INSPECTED[1]),
            (TGW, "tgw-rtb-inspected"),
        ),
        "the endpoint's ACL": (ONE.acl("subnet-hub"), (ACL, "acl-hub")),
        "no way back from the hub": (ONE.routes("subnet-hub"), (NO_ROUTE, "subnet-hub")),
    }

    @pytest.mark.parametrize("name", IN_HUB)
    def test_one_fault_on_the_way_to_the_hub(self, name: str) -> None:
        estate, expected = self.IN_HUB[name]
        assert manifest_faults(estate.dialling_hub().trace()) == {expected}

    def test_the_missing_routes_are_named_with_what_they_must_lead_to(self) -> None:
        shared = the_fault(self.BROKEN["no way back to the inspection VPC"][0].trace()).fixes[0]
        assert (shared.peer, shared.target) == ("10.0.0.0/16", "tgw-attach-insp")
        back = self.IN_HUB["no way back to the spoke behind the firewall"][0].dialling_hub().trace()
        fix = next(fault for fault in back.faults if fault.resource_id == "tgw-rtb-inspected").fixes[0]
        assert (fix.peer, fix.target) == ("10.0.0.0/16", "tgw-attach-spoke")

    def test_faults_before_and_behind_the_firewall_are_both_found(self) -> None:
        path = closed("subnet-insp-tgw-a").acl("subnet-out-nat").trace()
        assert faults(path) == {(ACL, "acl-insp-tgw-a"), (ACL, "acl-out-nat")}

    NEAR: ClassVar[dict[str, Enterprise]] = {
        "appliance mode is off, and all is in one zone": inspected().attachment("insp", appliance_mode=False),
        "a blackhole for others": ONE.table("inspected", *INSPECTED, Route("10.9.0.0/16", "none", active=False)),
        "two routes that lead to the same attachment": ONE.table(
            "inspected", *INSPECTED[1:], Route("0.0.0.0/1", "tgw-attach-out"), Route("128.0.0.0/1", "tgw-attach-out")
        ),
        "the other zone's firewall has no routes, and appliance mode is off": insp_routes(
            inspected().attachment("insp", appliance_mode=False), "subnet-insp-fw-b"
        ),
        "a VPC that traffic passes without a firewall": insp_routes(
            ONE, "subnet-insp-tgw-a", Route("0.0.0.0/0", "tgw-1")
        ),
    }

    @pytest.mark.parametrize("name", NEAR)
    def test_what_only_looks_like_a_fault_passes(self, name: str) -> None:
        path = self.NEAR[name].trace()
        assert (faults(path), opened(path)) == (set(), set())

    LEFT_OPEN: ClassVar[dict[str, tuple[Enterprise, str, str]]] = {
        "the inspection VPC": (ONE.unread(vpc="vpc-insp"), NO_ROUTE, "vpc-insp cannot be read in its account"),
        "the egress VPC behind it": (ONE.unread(vpc="vpc-out"), NO_ROUTE, "vpc-out cannot be read in its account"),
        "the table behind it": (
            replace(ONE, tables={**(ONE.tables or {}), "tgw-rtb-inspected": Unread("inspected cannot be read")}),
            TGW,
            "inspected cannot be read",
        ),
        "answers pass by the firewall": (
            ONE.table("shared", Route("10.0.0.0/16", "tgw-attach-spoke")),
            TGW,
            "answers to i-1 go by tgw-attach-spoke to vpc-1, another way than the requests came",
        ),
        "answers meet the firewall's other endpoint in the VPC": (
            insp_routes(
                insp_routes(ONE, "subnet-insp-tgw-a", Route("0.0.0.0/0", "vpce-a"), Route("10.0.0.0/16", "vpce-b")),
                "subnet-insp-fw-b",
                Route("0.0.0.0/0", "tgw-1"),
            ),
            NO_ROUTE,
            "requests go through vpce-a and answers do not, which Network Firewall does not support",
        ),
        "a loop at the gateway": (
            ONE.table("inspected", Route("0.0.0.0/0", "tgw-attach-insp")),
            TGW,
            "leads back to where the traffic comes from",
        ),
        "a loop to the spoke": (
            ONE.table("inspected", Route("0.0.0.0/0", "tgw-attach-spoke")),
            NO_ROUTE,
            "the way is not followed into vpc-1: it comes back there by subnet-tgw",
        ),
        "firewalls that lead to each other": (
            insp_routes(
                insp_routes(ONE, "subnet-insp-fw-a", Route("0.0.0.0/0", "vpce-b")),
                "subnet-insp-fw-b",
                Route("0.0.0.0/0", "vpce-a"),
            ),
            NO_ROUTE,
            "leads the traffic back to itself",
        ),
        "an appliance in place of the firewall": (
            ONE.within("vpc-insp", firewalls=()),
            NO_ROUTE,
            "in vpc-insp, route 0.0.0.0/0 -> vpce-a leads to a VPC endpoint: an appliance",
        ),
        "an appliance of one's own": (
            insp_routes(ONE, "subnet-insp-tgw-a", Route("0.0.0.0/0", "eni-1")),
            NO_ROUTE,
            "takes the traffic on by 0.0.0.0/0 -> eni-1, which is not followed: it leads to a network interface",
        ),
        "a core network": (
            insp_routes(
                ONE,
                "subnet-insp-fw-a",
                Route("0.0.0.0/0", "arn:aws:networkmanager::777777777777:core-network/core-network-1"),
            ),
            NO_ROUTE,
            "it leads to a core network of Cloud WAN",
        ),
        "a peering connection behind the firewall": (
            insp_routes(ONE, "subnet-insp-fw-a", Route("0.0.0.0/0", "pcx-1")),
            NO_ROUTE,
            "takes the traffic on by 0.0.0.0/0 -> pcx-1, which is not followed",
        ),
        "a regional NAT gateway's own routes": (
            ONE.entry("vpc-out", "nat_gateways", "nat-out", NatGateway("nat-out", "available", None)),
            NO_ROUTE,
            "the routes of the regional NAT gateway nat-out back to i-1 were not read",
        ),
    }

    @pytest.mark.parametrize("name", LEFT_OPEN)
    def test_what_is_not_known_leaves_open_what_is_behind_it_and_blames_nobody(self, name: str) -> None:
        estate, cause, words = self.LEFT_OPEN[name]
        path = estate.trace()
        assert faults(path) == set()
        assert words in reason(path, cause)
        before = {fault for fault in faults(closed_before(estate).trace()) if fault[0] == ACL}
        assert before == {(ACL, "acl-tgw")}


def closed_before(estate: Enterprise) -> Enterprise:
    return estate.acl("subnet-tgw")


def in_two_zones(*, appliance_mode: bool) -> Enterprise:
    """Return the estate in which the NAT gateway is in another zone than the node. All VPCs are attached in both."""
    other = Subnet("subnet-out-tgw-b", ("10.200.0.16/28",), ZONE_B, zone_id="euw1-az2")
    nat = Subnet("subnet-out-nat", ("10.200.1.0/24",), ZONE_B, zone_id="euw1-az2")
    estate = inspected().attachment("insp", appliance_mode=appliance_mode)
    estate = estate.attachment("out", subnet_ids=("subnet-out-tgw", "subnet-out-tgw-b"))
    estate = estate.entry("vpc-out", "subnets", other.id, other).entry("vpc-out", "subnets", nat.id, nat)
    table = RouteTable("rtb-out-tgw-b", (Route("10.200.0.0/16", "local"), Route("0.0.0.0/0", "nat-out")))
    estate = estate.entry("vpc-out", "route_tables", other.id, table)
    return estate.entry("vpc-out", "network_acls", other.id, ALLOW_ALL)


class TestApplianceMode:
    def test_with_it_answers_from_another_zone_come_back_through_the_same_endpoint(self) -> None:
        path = in_two_zones(appliance_mode=True).trace()
        assert (faults(path), opened(path)) == (set(), set())

    def test_without_it_the_firewall_sees_each_direction_at_another_endpoint(self) -> None:
        """Network Firewall does not support that, but no page says that it drops all of it."""
        path = in_two_zones(appliance_mode=False).trace()
        assert (faults(path), opened(path)) == (set(), {NO_ROUTE})
        words = reason(path, NO_ROUTE)
        assert "requests enter vpc-insp by subnet-insp-tgw-a and answers may enter by subnet-insp-tgw-b" in words
        assert "appliance mode of tgw-attach-insp is off" in words
        doubt = next(doubt for doubt in path.undecided if "appliance mode" in doubt.reason)
        steps = getattr(doubt.reason, "steps", ())
        assert any(f"attachment tgw-attach-insp of vpc-insp in account {INSPECTION}" in str(each) for each in steps)

    def test_a_fault_behind_the_firewall_is_found_all_the_same(self) -> None:
        path = in_two_zones(appliance_mode=False).table("shared", Route("10.9.0.0/16", "tgw-attach-insp")).trace()
        assert faults(path) == {(TGW, "tgw-rtb-shared")}


def second_gateway(*subnets: str, **facts: object) -> Enterprise:
    """Return the estate in which a second gateway joins the inspection VPC and the hub. The node dials the hub."""
    again = replace(OF_INSPECTION, id="tgw-attach-insp2", gateway_id="tgw-2", table_id="tgw-rtb-two")
    again = replace(again, subnet_ids=subnets or ("subnet-insp-tgw-a",))
    of_hub = replace(OF_HUB, id="tgw-attach-hub2", gateway_id="tgw-2", table_id="tgw-rtb-two")
    table = RouteTable("tgw-rtb-two", (Route("10.100.0.0/16", of_hub.id), Route("10.0.0.0/16", again.id)))
    routes = (Route("10.100.0.0/16", "tgw-2"), Route("10.0.0.0/16", "tgw-1"))
    estate = insp_routes(ONE, "subnet-insp-fw-a", *routes)
    estate = estate.routes("subnet-hub", Route("10.0.0.0/8", "tgw-2"))
    estate = replace(estate, tables={**(estate.tables or {}), table.id: table})
    more = {"second": (again, of_hub), "seen": {"vpc-insp": (OF_INSPECTION, again)}, **facts}
    return replace(estate.dialling_hub(), **more)  # type: ignore[arg-type]  # fields of the estate


def closed_to(direction: str, subnet: str) -> Enterprise:
    """Return the estate in two zones in which a subnet of the egress VPC's attachment lets one direction through."""
    egress = direction == "requests"
    entry = NetworkAclEntry(100, allow=True, egress=egress, cidr="0.0.0.0/0")
    return in_two_zones(appliance_mode=False).acl(subnet, entry)


@pytest.mark.parametrize(
    ("direction", "subnet", "is_fault"),
    [
        ("requests", "subnet-out-tgw", False),
        ("answers", "subnet-out-tgw", True),
        ("requests", "subnet-out-tgw-b", True),
        ("answers", "subnet-out-tgw-b", False),
    ],
)
def test_answers_leave_by_the_gateways_subnet_in_their_own_zone(direction: str, subnet: str, *, is_fault: bool) -> None:
    """Requests enter by zone A's subnet, where the node is. The NAT gateway answers by zone B's."""
    path = closed_to(direction, subnet).trace()
    assert faults(path) == ({(ACL, subnet.replace("subnet", "acl"))} if is_fault else set())


class TestASecondGateway:
    def test_what_the_inspection_vpc_is_attached_to_is_asked_for(self) -> None:
        path = second_gateway(seen={}).trace()
        assert [(each.kind.value, each.id, each.account) for each in path.wanted] == [
            ("attachments of a VPC", "vpc-insp", INSPECTION)
        ]
        assert faults(path) == set()

    def test_it_leads_on_to_the_hub(self) -> None:
        path = second_gateway().trace()
        leg = next(leg for leg in path.legs if leg.stage.value == "manifest")
        assert {hop.verdict.value for hop in leg.hops} == {"ok"}
        assert {"tgw-attach-insp2", "tgw-rtb-two", "vpce-hub-dkr"} <= {hop.resource_id for hop in leg.hops}

    def test_it_may_let_answers_in_by_another_zone_whatever_appliance_mode_says(self) -> None:
        """Each gateway selects its own interface (Transit Gateway guide, "Appliance in a shared services VPC")."""
        path = second_gateway("subnet-insp-tgw-a", "subnet-insp-tgw-b").trace()
        assert manifest_faults(path) == set()
        assert "as tgw-attach-insp2 belongs to another gateway" in reason(path, NO_ROUTE)

    def test_no_way_back_at_it_is_found(self) -> None:
        estate = second_gateway()
        table = RouteTable("tgw-rtb-two", (Route("10.100.0.0/16", "tgw-attach-hub2"),))
        broken = replace(estate, tables={**(estate.tables or {}), table.id: table})
        assert manifest_faults(broken.trace()) == {(TGW, "tgw-rtb-two")}

    def test_attachments_that_cannot_be_read_leave_it_open(self) -> None:
        path = second_gateway(seen={"vpc-insp": Unread("the attachments of vpc-insp were not read")}).trace()
        assert faults(path) == set()
        assert "the attachments of vpc-insp were not read" in reason(path, TGW)


def chain(length: int) -> Enterprise:
    """Return the estate in which the traffic passes more and more VPCs before the egress VPC."""
    estate = ONE.table("spokes", Route("0.0.0.0/0", "tgw-attach-v0"))
    vpcs: dict[str, Network | Unread] = dict(estate._vpcs())
    attachments: list[Attachment] = list(estate.attachments)
    tables = dict(estate.tables or {})
    last = "tgw-attach-spoke"
    for number in range(length):
        onward = f"tgw-attach-v{number + 1}" if number + 1 < length else "tgw-attach-out"
        name, subnet = f"vpc-v{number}", f"subnet-v{number}"
        local = Route(f"10.{60 + number}.0.0/16", "local")
        vpcs[name] = Network(
            REGION,
            Vpc(name, (f"10.{60 + number}.0.0/16",), owner=HUB),
            account=HUB,
            subnets={subnet: Subnet(subnet, (), ZONE_A, zone_id="euw1-az1")},
            route_tables={subnet: RouteTable(f"rtb-v{number}", (local, Route("0.0.0.0/0", "tgw-1")))},
            network_acls={subnet: ALLOW_ALL},
        )
        table = f"tgw-rtb-v{number}"
        tables[table] = RouteTable(table, (Route("0.0.0.0/0", onward), Route("10.0.0.0/16", last)))
        last = f"tgw-attach-v{number}"
        attachments.append(replace(OF_HUB, id=last, resource_id=name, table_id=table, subnet_ids=(subnet,)))
    tables["tgw-rtb-shared"] = RouteTable("tgw-rtb-shared", (Route("10.0.0.0/16", last),))
    return replace(estate, vpcs=vpcs, attachments=tuple(attachments), tables=tables)


def test_a_way_is_followed_over_six_vpcs() -> None:
    path = chain(4).trace()
    assert (faults(path), opened(path)) == (set(), set())


@pytest.mark.parametrize("length", [5, 30])
def test_a_longer_way_is_open(length: int) -> None:
    path = chain(length).trace()
    assert faults(path) == set()
    assert "leads over more than 6 VPCs" in reason(path, NO_ROUTE)


def test_two_vpcs_that_send_the_traffic_to_each_other_are_open() -> None:
    estate = chain(2)
    back = RouteTable("tgw-rtb-v1", (Route("0.0.0.0/0", "tgw-attach-v0"),))
    path = replace(estate, tables={**(estate.tables or {}), back.id: back}).trace()
    assert faults(path) == set()
    assert "the way is not followed into vpc-v0: it comes back there by subnet-v0" in reason(path, NO_ROUTE)


def test_a_network_of_the_inspection_vpc_that_was_not_asked_for_is_wanted() -> None:
    estate = replace(ONE, vpcs={key: each for key, each in ONE._vpcs().items() if key != "vpc-insp"})
    assert [(each.id, each.account) for each in estate.trace().wanted] == [("vpc-insp", INSPECTION)]


def in_zones(length: int, zones: int) -> Enterprise:
    """Return the chain of VPCs in which the gateway may enter each by several subnets, with appliance mode."""
    estate = chain(length)
    vpcs, attachments = dict(estate._vpcs()), []
    for each in estate.attachments:
        network = vpcs.get(each.resource_id)
        if "-v" not in each.id or not isinstance(network, Network) or isinstance(network.route_tables, Unread):
            attachments.append(each)
            continue
        (table,) = network.route_tables.values()
        subnets = {f"{each.id}-{n}": Subnet(f"{each.id}-{n}", (), f"{REGION}{'abcdef'[n]}") for n in range(zones)}
        acls = dict.fromkeys(subnets, ALLOW_ALL)
        tables = dict.fromkeys(subnets, table)
        vpcs[each.resource_id] = replace(network, subnets=subnets, route_tables=tables, network_acls=acls)
        attachments.append(replace(each, subnet_ids=tuple(subnets), appliance_mode=True))
    return replace(estate, vpcs=vpcs, attachments=tuple(attachments))


def test_two_vpcs_in_six_zones_are_followed_by_each_of_their_subnets() -> None:
    path = in_zones(2, 6).trace()
    assert (faults(path), opened(path)) == (set(), set())


def test_more_ways_than_are_followed_are_open() -> None:
    path = in_zones(4, 6).trace()
    assert faults(path) == set()
    assert "the traffic may take more than 64 ways as far as vpc-v2" in reason(path, NO_ROUTE)


def test_a_hub_behind_a_firewall_of_the_nodes_own_vpc() -> None:
    """The node dials the hub, its route leads to its own VPC's firewall, and that on to the gateway."""
    estate = with_own_firewall(allowing(".amazonaws.com"))
    leg = next(leg for leg in estate.trace().legs if leg.stage.value == "manifest")
    assert {hop.verdict.value for hop in leg.hops} == {"ok"}
    assert {"own", "vpce-hub-dkr"} <= {hop.resource_id for hop in leg.hops}
    assert manifest_faults(with_own_firewall(allowing(".example.com")).trace()) == {
        (FIREWALL, f"{ARN}:stateful-rulegroup/list")
    }
    past = with_own_firewall(allowing(".amazonaws.com"), back="local")
    assert manifest_faults(past.trace()) == set()
    assert "requests go through vpce-own and answers do not" in reason(past.trace(), NO_ROUTE)


def test_the_own_firewall_sees_the_hubs_address_and_not_the_public_ones() -> None:
    """Its subnet leads private and public addresses apart, and its rules name blocks."""
    onward = (Route("10.0.0.0/8", "tgw-1"), Route("0.0.0.0/0", "igw-1"))
    to_hub, elsewhere = (
        StatefulRule("1", "PASS", "TCP", "$HOME_NET", block, "443") for block in ("10.100.0.0/16", "192.168.0.0/16")
    )
    for rule, found in ((to_hub, set()), (elsewhere, {(FIREWALL, f"{ARN}:firewall-policy/all")})):
        group = RuleGroup(f"{ARN}:stateful-rulegroup/blocks", None, (rule,), home_net=("10.0.0.0/8",))
        policy = replace(allowing(), groups=(group,), strict=True, stateful=("aws:drop_strict",))
        path = with_own_firewall(policy, onward=onward).trace()
        assert manifest_faults(path) == found, rule


@pytest.mark.parametrize("gone", [(), (Route("0.0.0.0/0", "tgw-1", active=False),)], ids=["no route", "blackhole"])
def test_a_firewalls_subnet_that_leads_nowhere(gone: tuple[Route, ...]) -> None:
    path = in_one_zone(insp_routes(inspected(), "subnet-insp-fw-a", *gone)).trace()
    assert manifest_faults(path) == {(NO_ROUTE, "subnet-insp-fw-a")}
    assert the_fault(path).owned == Owned(INSPECTION, REGION, "vpc-insp")
    assert "leaves a firewall in vpc-insp by subnet subnet-insp-fw-a, which has no route" in the_fault(path).explanation


def test_a_gateway_endpoint_behind_a_firewall_takes_nothing_from_the_spoke() -> None:
    gateway = VpcEndpoint("vpce-s3", "Gateway", f"com.amazonaws.{REGION}.s3", route_table_ids=("rtb-insp-fw-a",))
    estate = insp_routes(ONE, "subnet-insp-fw-a", TO_TGW, Route("pl-s3", "vpce-s3")).within(
        "vpc-insp", endpoints=(gateway,)
    )
    path = estate.trace()
    assert faults(path) == set()
    assert {leg.stage.value: leg.verdict.value for leg in path.legs}["layer"] == "undecided"
    assert {leg.verdict.value for leg in path.legs if leg.stage.value != "layer"} == {"ok"}
    assert "rtb-insp-fw-a of subnet-insp-fw-a has a route to a gateway endpoint" in reason(path, NO_ROUTE)


def with_own_firewall(
    policy: FirewallPolicy, back: str = "vpce-own", onward: tuple[Route, ...] = (Route("0.0.0.0/0", "tgw-1"),)
) -> Enterprise:
    estate = enterprise().dialling_hub()
    spoke = estate.spoke.routes(Route("0.0.0.0/0", "vpce-own"))
    spoke = spoke.routes(*onward, subnet="subnet-fw")
    spoke = spoke.routes(Route("10.0.0.0/24", back), subnet="subnet-tgw")
    network = spoke.network
    assert not isinstance(network.subnets, Unread)
    assert not isinstance(network.network_acls, Unread)
    firewall = Firewall(f"{ARN}:firewall/own", {"vpce-own": "subnet-fw"}, policy)
    spoke = spoke.with_facts(
        subnets={**network.subnets, "subnet-fw": Subnet("subnet-fw", ("10.0.8.0/28",), ZONE_A)},
        network_acls={**network.network_acls, "subnet-fw": ALLOW_ALL},
        firewalls=(firewall,),
    )
    return replace(estate, spoke=spoke)
