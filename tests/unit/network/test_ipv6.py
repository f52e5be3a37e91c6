"""Ways over IPv6: what translates them, what carries them, and when a fault of one IP version stops a pull.

Sources: Amazon VPC User Guide, "DNS64 and NAT64" and "Enable outbound IPv6 traffic using an egress-only internet
gateway"; RFC 8305 (a client tries both IP versions).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.network import (
    EndpointInterface,
    NetworkAclEntry,
    PathCause,
    PrefixList,
    Route,
    RouteTable,
    Subnet,
    Unread,
)
from pull_responder.network.addresses import AddressSet, synthesized, translated
from tests.unit.network.estate import (
    DENIED,
    HOST,
    LOCAL,
    REGION,
    S3_GATEWAY,
    TO_IGW,
    TO_NAT,
    TO_S3,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    interface_endpoint,
    isolated,
    open_causes,
    public,
    reasons,
    rule,
    seen_by,
    works,
)

DUAL_STACK = f"111111111111.dkr-ecr.{REGION}.on.aws"
V4, V6 = "10.0.0.5", "2600:1f18:0:1::5"
BLOCK, NODES = "2600:1f18::/56", "2600:1f18:0:1::/64"
TO_EIGW = Route("::/0", "eigw-1")
TO_NAT64 = Route("64:ff9b::/96", "nat-1")
NO_ROUTE = {("no_route_to_ecr", "subnet-node")}
OUT = (rule("0.0.0.0/0"), rule("::/0"))


def over(estate: SampleNetwork, *addresses: str, **subnet: Any) -> SampleNetwork:  # noqa: ANN401 -- fields of Subnet
    """The estate whose node has these addresses, in a VPC with both IP versions."""
    assert not isinstance(estate.network.subnets, Unread)
    node = replace(estate.network.subnets["subnet-node"], cidrs=("10.0.0.0/24", NODES), **subnet)
    return (
        estate.with_node(addresses=addresses)
        .vpc(cidrs=("10.0.0.0/16", BLOCK))
        .with_facts(subnets={**estate.network.subnets, "subnet-node": node})
        .egress(*OUT)
    )


def dual_stack(*routes: Route) -> SampleNetwork:
    """A dual-stack node that pulls from a dual-stack host, with these routes."""
    return over(isolated(), V4, V6).pulling(DUAL_STACK).routes(*routes)


def translating(*routes: Route) -> SampleNetwork:
    """A node that has IPv6 addresses alone, in a subnet with DNS64, and a host that has IPv4 addresses alone."""
    return over(isolated(), V6, dns64=True).routes(*(routes or (TO_NAT64, TO_EIGW)))


class TestTheOtherVersion:
    @pytest.mark.parametrize("routes", [(TO_EIGW,), (TO_NAT,), (TO_NAT, TO_EIGW)], ids=str)
    def test_one_way_out_is_enough(self, routes: tuple[Route, ...]) -> None:
        assert works(dual_stack(*routes))

    @pytest.mark.parametrize(
        "estate",
        [
            dual_stack(TO_NAT, TO_EIGW).egress(rule("0.0.0.0/0")),
            dual_stack(TO_NAT, TO_EIGW).egress(rule("::/0")),
            dual_stack(TO_NAT, TO_EIGW).nat(state="deleted"),
            dual_stack(TO_NAT, replace(TO_EIGW, active=False)),
            dual_stack(TO_NAT, TO_EIGW).acl(
                NetworkAclEntry(1, allow=False, egress=True, cidr="::/0"),
                *(NetworkAclEntry(100, allow=True, egress=way, cidr="0.0.0.0/0") for way in (True, False)),
            ),
        ],
        ids=["no IPv6 egress", "no IPv4 egress", "NAT gateway deleted", "no IPv6 gateway", "an ACL denies IPv6"],
    )
    def test_a_fault_of_one_version_stops_nothing(self, estate: SampleNetwork) -> None:
        assert works(estate)

    def test_both_closed_is_a_fault_of_the_version_that_has_a_way_out(self) -> None:
        assert faults(dual_stack(TO_EIGW).egress()) == {("security_group_blocks_egress", "sg-node")}
        (fault,) = dual_stack(TO_EIGW).egress().trace().faults
        assert [fix.peer for fix in fault.fixes] == ["::/0"]
        (fault,) = dual_stack(TO_NAT, TO_EIGW).egress().trace().faults
        assert [fix.peer for fix in fault.fixes] == ["0.0.0.0/0", "pl-s3"]

    def test_a_vpc_that_lets_only_ipv6_out_lacks_the_route_for_ipv6(self) -> None:
        without_nat = dual_stack().with_facts(nat_gateways={})
        (fault,) = without_nat.trace().faults
        assert [(fault.cause.value, fix.destination) for fix in fault.fixes] == [("no_route_to_ecr", "::/0")]
        (fault,) = dual_stack().trace().faults
        assert [fix.destination for fix in fault.fixes] == [None]

    def test_a_nat_gateway_takes_no_ipv6(self) -> None:
        estate = over(isolated(), V6).pulling(DUAL_STACK).routes(Route("::/0", "nat-1"))
        (fault,) = estate.trace().faults
        assert (fault.cause.value, fault.resource_id) == ("no_route_to_ecr", "subnet-node")
        assert "route ::/0 -> nat-1 leads to a NAT gateway, which takes no IPv6" in fault.evidence[0]


class TestDialled:
    """Go tells the address that it dialled first, when no address of either version answered."""

    def seen(self, estate: SampleNetwork, address: str, host: str = DUAL_STACK) -> SampleNetwork:
        return seen_by(estate, Sighting(host, address, 443, stage=Stage.MANIFEST))

    def test_a_fault_of_the_dialled_version_is_open_where_the_other_works(self) -> None:
        estate = self.seen(dual_stack(TO_NAT), "2600:1f18:4000::9")
        assert (faults(estate), open_causes(estate)) == (set(), {"no_route_to_ecr"})
        assert "a client also tries IPv4, where nothing is wrong as far as can be read" in reasons(
            estate, PathCause.NO_ROUTE
        )
        other_way_round = self.seen(dual_stack(TO_EIGW), "44.213.79.50")
        assert (faults(other_way_round), open_causes(other_way_round)) == (set(), {"no_route_to_ecr"})
        assert "also tries IPv6" in reasons(other_way_round, PathCause.NO_ROUTE)

    def test_the_dialled_version_is_mended_where_neither_works(self) -> None:
        estate = self.seen(dual_stack(), "2600:1f18:4000::9")
        (fault,) = [each for leg in estate.trace().legs for hop in leg.hops for each in hop.faults][:1]
        assert [fix.destination for fix in fault.fixes] == ["::/0"]

    def test_a_plain_host_has_no_other_version(self) -> None:
        estate = self.seen(over(isolated(), V4, V6).routes(TO_EIGW), "44.213.79.50", HOST)
        assert faults(estate) == NO_ROUTE

    def test_an_unread_other_version_leaves_the_dialled_one_open(self) -> None:
        estate = dual_stack(TO_NAT).with_facts(nat_gateways=DENIED)
        assert faults(self.seen(estate, "2600:1f18:4000::9")) == set()

    def test_the_dialled_address_works_now(self) -> None:
        assert works(self.seen(dual_stack(TO_EIGW), "2600:1f18:4000::9"))


class TestNodesToCome:
    def to_come(self, **subnet: Any) -> SampleNetwork:  # noqa: ANN401 -- fields of Subnet
        return over(isolated(), **subnet).pulling(DUAL_STACK).routes(TO_EIGW)

    def test_a_subnet_that_assigns_ipv6_gives_every_node_an_address(self) -> None:
        assert works(self.to_come(assigns_ipv6=True))

    def test_elsewhere_it_is_not_known(self) -> None:
        assert (faults(self.to_come()), open_causes(self.to_come())) == (set(), {"no_route_to_ecr"})
        assert "AssignIpv6AddressOnCreation" in reasons(self.to_come(), PathCause.NO_ROUTE)

    def test_a_way_over_ipv4_needs_no_ipv6(self) -> None:
        assert works(over(behind_nat(), assigns_ipv6=False).pulling(DUAL_STACK))

    def test_what_is_not_known_of_a_subnet_may_be_ipv6(self) -> None:
        """The instance and its subnet were not read, and the VPC has blocks of both versions."""
        unread = over(isolated()).pulling(DUAL_STACK).with_facts(subnets=DENIED)
        assert (faults(unread), "no_route_to_ecr" in open_causes(unread)) == (set(), True)
        seen = seen_by(unread, Sighting(DUAL_STACK, "44.213.79.50", 443, stage=Stage.MANIFEST))
        assert faults(seen) == set()
        of_ipv4 = isolated().with_node(addresses=()).pulling(DUAL_STACK).with_facts(subnets=DENIED)
        assert faults(of_ipv4) == NO_ROUTE

    def test_neither_way_is_a_fault(self) -> None:
        assert faults(self.to_come().routes()) == NO_ROUTE


class TestNat64:
    def test_a_node_with_ipv6_alone_reaches_a_host_with_ipv4_alone(self) -> None:
        assert works(translating())
        assert works(translating(TO_NAT64))

    def test_addresses_are_made_and_read_back(self) -> None:
        assert translated("64:ff9b::2cd5:4f32") == "44.213.79.50"
        assert (translated("44.213.79.50"), translated("2600::1")) == ("", "")
        assert synthesized(AddressSet.of("44.213.79.50", "2600::/32")) == AddressSet.of("64:ff9b::2cd5:4f32")

    @pytest.mark.parametrize(
        ("estate", "expected"),
        [
            (translating(TO_EIGW), NO_ROUTE),
            (translating(Route("::/0", "igw-1")), NO_ROUTE),
            (translating(TO_NAT, TO_EIGW), NO_ROUTE),
            (over(isolated(), V6).routes(TO_NAT64, TO_EIGW), NO_ROUTE),
            (translating().nat(state="deleted"), {("nat_gateway_unavailable", "nat-1")}),
            (translating(replace(TO_NAT64, active=False)), {("nat_gateway_unavailable", "nat-1")}),
            (translating().routes(subnet="subnet-public"), {("no_route_to_ecr", "subnet-public")}),
            (translating().egress(rule("0.0.0.0/0")), {("security_group_blocks_egress", "sg-node")}),
            (
                translating().acl(
                    *(NetworkAclEntry(9, allow=True, egress=way, cidr="0.0.0.0/0") for way in (True, False))
                ),
                {("network_acl_blocks_traffic", "acl-node")},
            ),
            (
                translating().acl(
                    NetworkAclEntry(8, allow=False, egress=False, cidr=NODES),
                    *(NetworkAclEntry(9, allow=True, egress=way, cidr="0.0.0.0/0") for way in (True, False)),
                    *(NetworkAclEntry(10, allow=True, egress=way, cidr="::/0") for way in (True, False)),
                    subnet="subnet-public",
                ),
                {("network_acl_blocks_traffic", "acl-public")},
            ),
        ],
        ids=[
            "no route of its own",
            "an internet gateway",
            "a route for IPv4 alone",
            "no DNS64",
            "NAT gateway deleted",
            "a blackhole",
            "the NAT gateway's subnet has no route",
            "no IPv6 egress",
            "an ACL for IPv4 alone",
            "the NAT gateway's ACL lets no node in",
        ],
    )
    def test_each_part_of_the_way_is_judged(self, estate: SampleNetwork, expected: set[tuple[str, str]]) -> None:
        assert faults(estate) == expected

    @pytest.mark.parametrize(
        "estate",
        [
            translating().egress(rule("64:ff9b::/96")),
            translating().acl(
                *(NetworkAclEntry(9, allow=True, egress=way, cidr="64:ff9b::/96") for way in (True, False))
            ),
            over(behind_nat(), V4, V6, dns64=True),
            over(isolated(), V4, V6, dns64=True).routes(TO_NAT64),
            over(isolated(), V6, dns64=True).pulling(DUAL_STACK).routes(TO_EIGW),
        ],
        ids=[
            "egress to the prefix alone",
            "an ACL for the prefix alone",
            "a dual-stack node that IPv4 leads out",
            "a dual-stack node that only NAT64 leads out",
            "a host with IPv6 addresses, of which none are made",
        ],
    )
    def test_near_misses(self, estate: SampleNetwork) -> None:
        assert works(estate)

    def test_the_missing_route_and_the_missing_dns64_are_told_apart(self) -> None:
        (no_route,) = translating(TO_EIGW).trace().faults
        assert "subnet-node has no route for addresses of 64:ff9b::/96" in no_route.explanation
        assert "::/0 -> eigw-1 takes 64:ff9b::/96, and translates nothing" in no_route.explanation
        (no_dns64,) = over(isolated(), V6).routes(TO_NAT64).trace().faults
        assert "DNS64 is off in subnet-node" in no_dns64.explanation
        assert {fix.destination for each in (no_route, no_dns64) for fix in each.fixes} == {"64:ff9b::/96"}

    @pytest.mark.parametrize(
        "estate",
        [
            translating(Route("64:ff9b::/96", "tgw-1")),
            translating().vpc(dns_servers=("10.0.0.53",)),
            translating().with_facts(nat_gateways=DENIED),
            translating().with_facts(subnets=DENIED),
            translating().with_facts(route_tables=DENIED),
        ],
        ids=["a transit gateway", "other DNS servers", "no NAT gateways read", "no subnets read", "no routes read"],
    )
    def test_what_is_not_known_is_open(self, estate: SampleNetwork) -> None:
        assert faults(estate) == set()
        assert "no_route_to_ecr" in open_causes(estate) or "nat_gateway_unavailable" in open_causes(estate)

    def test_a_dialled_address_shows_that_another_server_made_it(self) -> None:
        servers = translating().vpc(dns_servers=("10.0.0.53",))
        sighting = Sighting(HOST, "64:ff9b::2cd5:4f32", 443, stage=Stage.MANIFEST)
        assert works_at(seen_by(servers, sighting), Stage.MANIFEST)
        assert faults(seen_by(servers.routes(TO_EIGW), sighting)) == NO_ROUTE

    def test_a_dialled_address_says_nothing_against_the_other_names(self) -> None:
        sighting = Sighting(HOST, "64:ff9b::2cd5:4f32", 443, stage=Stage.MANIFEST)
        estate = seen_by(translating().nat(state="deleted"), sighting)
        assert [leg.verdict for leg in estate.trace().legs] == ["failed"] * 3

    def test_an_ipv4_address_was_the_only_answer(self) -> None:
        """A node with IPv6 addresses alone cannot reach it, so DNS64 is what is missing."""
        sighting = Sighting(HOST, "44.213.79.50", 443, stage=Stage.MANIFEST)
        assert faults(seen_by(over(isolated(), V6).routes(TO_NAT64), sighting)) == NO_ROUTE


def works_at(estate: SampleNetwork, stage: Stage) -> bool:
    return all(leg.verdict == "ok" for leg in estate.trace().legs if leg.stage is stage)


class TestEndpointBehindNat64:
    """A NAT gateway reaches an endpoint of another subnet, with its own address (VPC User Guide, "What is NAT64?")."""

    def estate(self) -> SampleNetwork:
        endpoints = tuple(interface_endpoint(service) for service in ("ecr.api", "ecr.dkr"))
        return (
            translating()
            .with_facts(endpoints=endpoints)
            .nat(private_addresses=("10.0.1.7",))
            .ingress(rule("10.0.1.0/24"))
        )

    def test_the_endpoint_sees_the_nat_gateway(self) -> None:
        assert works(self.estate())
        by_group = self.estate().ingress(rule("sg-node"))
        assert faults(by_group) == {("endpoint_security_group_blocks_ingress", "sg-endpoint")}
        (fault,) = by_group.trace().faults
        assert {fix.peer for fix in fault.fixes} == {"10.0.1.0/24"}

    def test_without_a_route_to_a_nat_gateway_it_is_out_of_reach(self) -> None:
        assert faults(self.estate().routes(TO_EIGW)) == NO_ROUTE

    def test_what_lies_behind_the_missing_dns64_is_judged_too(self) -> None:
        endpoints = (interface_endpoint("ecr.api", subnet_ids=()),)
        estate = over(isolated(), V6).routes(TO_NAT64).nat(state="failed").with_facts(endpoints=endpoints)
        assert {cause for cause, _ in faults(estate)} >= {"no_route_to_ecr", "nat_gateway_unavailable"}

    def test_its_address_has_to_be_known(self) -> None:
        assert open_causes(self.estate().nat(private_addresses=())) == {"no_route_to_ecr"}

    def test_an_endpoint_with_ipv6_addresses_needs_no_nat_gateway(self) -> None:
        estate = self.estate().ingress(rule(NODES)).routes(TO_NAT64)
        for number, name in enumerate(("vpce-api", "vpce-dkr"), 11):
            both = (f"10.0.2.{number}", f"2600:1f18:0:2::{number}")
            estate = estate.endpoint(name, interfaces=(EndpointInterface("subnet-endpoints", both),))
        assert works(estate)


class TestS3OverIpv6:
    """A gateway endpoint takes the IP versions of its type (AWS PrivateLink Guide, "Gateway endpoints")."""

    LISTS: ClassVar = {
        "pl-s3": PrefixList("pl-s3", f"com.amazonaws.{REGION}.s3", ("52.218.0.0/17",)),
        "pl-s36": PrefixList("pl-s36", f"com.amazonaws.{REGION}.ipv6.s3", ("2a05:d07a:8000::/40",)),
    }

    def layers(self, ip_type: str, *addresses: str) -> SampleNetwork:
        gateway = replace(S3_GATEWAY, ip_type=ip_type)
        routes = (TO_S3, Route("pl-s36", "vpce-s3")) if ip_type == "dualstack" else (TO_S3,)
        estate = over(isolated(), *addresses).pulling(DUAL_STACK).routes(*routes)
        return estate.with_facts(endpoints=(gateway,), prefix_lists=self.LISTS)

    @pytest.mark.parametrize(
        ("ip_type", "addresses", "verdict"),
        [
            ("ipv4", (V4, V6), "ok"),
            ("dualstack", (V4,), "ok"),
            ("dualstack", (V6,), "ok"),
            ("ipv4", (V6,), "failed"),
            ("ipv6", (V4,), "failed"),
            ("", (V6,), "undecided"),
        ],
    )
    def test_the_layers(self, ip_type: str, addresses: tuple[str, ...], verdict: str) -> None:
        assert self.layers(ip_type, *addresses).trace().legs[-1].verdict == verdict

    def test_an_endpoint_of_the_other_version_is_at_fault(self) -> None:
        leg = self.layers("ipv4", V6).trace().legs[-1]
        (fault,) = (fault for hop in leg.hops for fault in hop.faults)
        assert (fault.cause.value, fault.resource_id) == ("vpc_endpoint_unavailable", "vpce-s3")

    def test_a_rule_for_the_list_of_ipv6_is_enough(self) -> None:
        estate = self.layers("dualstack", V6)
        assert estate.egress(rule("pl-s36")).trace().legs[-1].verdict == "ok"
        assert estate.egress(rule("pl-s3")).trace().legs[-1].verdict == "failed"


def test_nobody_else_is_touched_by_a_main_table() -> None:
    """The public subnet's gateway serves both versions, and a node there needs no public address for IPv6."""
    estate = over(public(), V4, V6).pulling(DUAL_STACK).with_node(public_address=None)
    assert faults(estate.routes(TO_IGW)) == {("public_ip_missing", "subnet-node")}
    assert works(estate.routes(TO_IGW, Route("::/0", "igw-1")))


def test_an_ipv6_only_subnet_gives_its_nodes_no_ipv4() -> None:
    native = Subnet("subnet-node", (NODES,), dns64=True)
    subnets = {**isolated().network.subnets, "subnet-node": native}  # type: ignore[dict-item]
    estate = isolated().with_facts(subnets=subnets).with_node(addresses=()).egress(*OUT)
    table = RouteTable("rtb-node", (LOCAL, TO_NAT64))
    estate = estate.with_facts(route_tables={**estate.network.route_tables, "subnet-node": table})  # type: ignore[dict-item]
    assert works(estate)
    assert faults(estate.routes(TO_NAT)) == NO_ROUTE


def test_endpoints_of_ipv4_alone_have_no_version_in_common_with_an_ipv6_only_node() -> None:
    estate = over(endpoints_only(), V6)
    assert ("vpc_endpoint_unavailable", "vpce-dkr") in faults(estate)
