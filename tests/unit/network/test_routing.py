"""Which route takes the traffic, and where it leads."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.network import InternetGateway, PathCause, PrefixList, Route, RouteTable, VpcEndpoint
from pull_responder.network.addresses import AddressSet
from pull_responder.network.routing import describe, is_gateway_endpoint_route, routing
from tests.unit.network.estate import (
    DENIED,
    LOCAL,
    S3_GATEWAY,
    TO_IGW,
    TO_NAT,
    TO_S3,
    behind_nat,
    faults,
    interface_endpoint,
    isolated,
    open_causes,
    public,
    reasons,
    rule,
    works,
)

NO_ROUTE = {("no_route_to_ecr", "subnet-node")}
PARTNERS = PrefixList("pl-partners", "partners", ("52.0.0.0/8",))
WORLD = PrefixList("pl-world", "world", ("0.0.0.0/1", "128.0.0.0/1"))

ROUTES: dict[str, tuple[tuple[Route, ...], str]] = {
    "a default route": ((TO_NAT,), "works"),
    "two halves": ((Route("0.0.0.0/1", "nat-1"), Route("128.0.0.0/1", "nat-1")), "works"),
    "a prefix list of everything": ((Route("pl-world", "nat-1"),), "works"),
    "more specific routes for private ranges": (
        (TO_NAT, Route("10.0.0.0/8", "tgw-1"), Route("172.16.0.0/12", "pcx-1")),
        "works",
    ),
    "halves to two NAT gateways, one of them gone": (
        (Route("0.0.0.0/1", "nat-1"), Route("128.0.0.0/1", "nat-2", active=False)),
        "open",
    ),
    "part of the internet": ((Route("52.0.0.0/8", "nat-1"),), "open"),
    "a more specific route out of the VPC": ((TO_NAT, Route("52.0.0.0/8", "tgw-1")), "open"),
    "a prefix list of part of it out of the VPC": ((TO_NAT, Route("pl-partners", "tgw-1")), "open"),
    "a prefix list of everything to an endpoint of a firewall": ((TO_NAT, Route("pl-world", "vpce-firewall")), "open"),
    "a prefix list that was not found": ((TO_NAT, Route("pl-unknown", "tgw-1")), "open"),
    "IPv6 only": ((Route("::/0", "nat-1"),), "none"),
    "private ranges only": ((Route("10.0.0.0/8", "nat-1"), Route("192.168.0.0/16", "nat-1")), "none"),
    "two halves that win over a blackhole": (
        (Route("0.0.0.0/0", "igw-1", active=False), Route("0.0.0.0/1", "nat-1"), Route("128.0.0.0/1", "nat-1")),
        "works",
    ),
    "two blackhole halves that win over a default route": (
        (TO_NAT, Route("0.0.0.0/1", "tgw-1", active=False), Route("128.0.0.0/1", "tgw-1", active=False)),
        "none",
    ),
}


@pytest.mark.parametrize(("routes", "expected"), ROUTES.values(), ids=ROUTES)
def test_the_most_specific_route_takes_the_traffic(routes: tuple[Route, ...], expected: str) -> None:
    estate = behind_nat().with_facts(prefix_lists={"pl-partners": PARTNERS, "pl-world": WORLD}).routes(*routes)
    if expected == "works":
        assert works(estate)
    elif expected == "none":
        assert (faults(estate), open_causes(estate)) == (NO_ROUTE, set())
    else:
        assert faults(estate) == set()
        assert "no_route_to_ecr" in open_causes(estate)


def test_the_reason_names_a_route_for_part_of_the_internet() -> None:
    assert "52.0.0.0/8 -> tgw-1" in reasons(
        behind_nat().routes(TO_NAT, Route("52.0.0.0/8", "tgw-1")), PathCause.NO_ROUTE
    )


def test_the_order_of_routes_does_not_matter() -> None:
    routes = (TO_NAT, Route("52.0.0.0/8", "tgw-1"), Route("10.0.0.0/8", "pcx-1"))
    assert reasons(behind_nat().routes(*routes), PathCause.NO_ROUTE)
    assert open_causes(behind_nat().routes(*routes)) == open_causes(behind_nat().routes(*reversed(routes)))


def test_the_s3_gateway_endpoint_does_not_lead_to_the_registry() -> None:
    estate = isolated().with_facts(endpoints=(S3_GATEWAY,)).routes(TO_S3)
    assert faults(estate) == {("vpc_endpoint_missing", "vpc-1")}
    (fault,) = estate.trace().faults
    assert "ecr.api" in fault.explanation
    assert "ecr.dkr" in fault.explanation
    assert "bucket" not in fault.explanation


def test_a_detached_internet_gateway_leads_nowhere() -> None:
    detached = {"igw-1": InternetGateway("igw-1", None)}
    assert faults(public().with_facts(internet_gateways=detached)) == NO_ROUTE
    assert faults(behind_nat().with_facts(internet_gateways=detached)) == {("no_route_to_ecr", "subnet-public")}


def test_the_evidence_names_the_main_route_table_as_such() -> None:
    estate = isolated().with_facts(route_tables={"subnet-node": RouteTable("rtb-main", (LOCAL,), main=True)})
    (fault,) = estate.trace().faults
    assert "route table rtb-main (the main one): 10.0.0.0/16 -> local" in fault.evidence


def test_a_vpc_may_have_public_addresses_of_its_own() -> None:
    estate = behind_nat().vpc(cidrs=("10.0.0.0/16", "52.10.0.0/16")).routes(TO_NAT, Route("52.10.0.0/16", "local"))
    assert works(estate)


class TestIpv6:
    DUAL_STACK = "111111111111.dkr-ecr.eu-west-1.on.aws"
    BOTH = ("10.0.0.5", "2600:1f18::5")
    V6_OUT = Route("::/0", "eigw-1")

    def test_a_dual_stack_host_is_reached_over_an_egress_only_gateway(self) -> None:
        estate = isolated().with_node(addresses=self.BOTH).pulling(self.DUAL_STACK).routes(self.V6_OUT)
        assert works(estate.egress(rule("::/0")))
        assert faults(estate.egress(rule("fc00::/7"))) != set()

    def test_either_family_is_enough(self) -> None:
        assert works(behind_nat().with_node(addresses=self.BOTH).pulling(self.DUAL_STACK))

    def test_a_plain_host_has_no_ipv6(self) -> None:
        estate = isolated().with_node(addresses=self.BOTH).routes(self.V6_OUT)
        assert faults(estate) == NO_ROUTE

    def test_an_internet_gateway_serves_ipv6_without_a_public_ipv4_address(self) -> None:
        estate = (
            isolated().with_node(addresses=self.BOTH).pulling(self.DUAL_STACK).egress(rule("::/0"), rule("0.0.0.0/0"))
        )
        assert works(estate.routes(TO_IGW, Route("::/0", "igw-1")))
        assert faults(estate.routes(TO_IGW)) == {("public_ip_missing", "subnet-node")}

    def test_an_endpoint_without_ipv6_addresses_is_met_over_ipv4_only(self) -> None:
        endpoint = interface_endpoint("ecr.dkr", dns_names=("*.dkr-ecr.eu-west-1.on.aws",))
        estate = behind_nat().with_node(addresses=self.BOTH).pulling(self.DUAL_STACK).with_facts(endpoints=(endpoint,))
        assert works(estate)
        only_ipv6 = estate.ingress(rule("::/0")).egress(rule("0.0.0.0/0"), rule("::/0"))
        assert faults(only_ipv6) == {("endpoint_security_group_blocks_ingress", "sg-endpoint")}


def test_an_active_route_is_enough_if_internet_gateways_are_unread() -> None:
    assert works(public().with_facts(internet_gateways=DENIED))


@pytest.mark.parametrize(
    ("addresses", "shown"),
    [(("54.1.2.3",), "54.1.2.3"), (("54.1.2.3", "54.1.2.4"), "54.1.2.3, 54.1.2.4"), ((), "none")],
)
def test_the_addresses_of_a_nat_gateway_are_evidence(addresses: tuple[str, ...], shown: str) -> None:
    path = behind_nat().nat(public_addresses=addresses).trace()
    lines = {line for hop in path.legs[0].hops for line in hop.evidence}
    assert f"its public addresses: {shown}" in lines


def test_a_route_to_a_gateway_endpoint_hides_none_after_it() -> None:
    assert works(isolated().with_facts(endpoints=(S3_GATEWAY,)).routes(TO_S3, TO_NAT))


@pytest.mark.parametrize(
    ("route", "is_one"),
    [
        (TO_S3, True),
        (Route("pl-s3", "vpce-of-another-account"), True),
        (Route("pl-partners", "vpce-firewall"), False),
        (Route("0.0.0.0/0", "vpce-firewall"), False),
        (Route("pl-s3", "tgw-1"), False),
    ],
)
def test_which_route_leads_to_a_gateway_endpoint(route: Route, *, is_one: bool) -> None:
    firewall = VpcEndpoint("vpce-firewall", "GatewayLoadBalancer", "com.amazonaws.vpce.eu-west-1.vpce-svc-1")
    network = isolated().with_facts(endpoints=(S3_GATEWAY, firewall)).network
    assert is_gateway_endpoint_route(route, network) is is_one


@pytest.mark.parametrize(("count", "end"), [(0, "no routes"), (20, "10.19.0.0/16 -> pcx-1"), (23, " and 3 more")])
def test_twenty_routes_are_shown_and_the_others_are_counted(count: int, end: str) -> None:
    table = RouteTable("rtb-1", tuple(Route(f"10.{number}.0.0/16", "pcx-1") for number in range(count)), main=True)
    shown = describe(table)
    assert shown.startswith("route table rtb-1 (the main one): ")
    assert shown.endswith(end)
    assert shown.count("pcx-1") == min(count, 20)


def test_the_table_of_a_nat_gateways_subnet_may_not_be_known() -> None:
    tables = behind_nat().network.route_tables
    assert isinstance(tables, dict)
    estate = behind_nat().with_facts(route_tables={"subnet-node": tables["subnet-node"]})
    assert (faults(estate), open_causes(estate)) == (set(), {"no_route_to_ecr"})
    assert reasons(estate, PathCause.NO_ROUTE) == "the route table of subnet-public was not found"


def test_what_no_route_covers_is_said_where_others_cover_a_part() -> None:
    part = "each of these routes of rtb-node covers only part of the public internet"
    assert f"{part}, and none covers the rest: " in reasons(
        behind_nat().routes(Route("52.0.0.0/8", "nat-1")), PathCause.NO_ROUTE
    )
    assert f"{part}: " in reasons(behind_nat().routes(TO_NAT, Route("52.0.0.0/8", "tgw-1")), PathCause.NO_ROUTE)


def test_thousands_of_routes_take_what_the_longest_match_gives_them() -> None:
    """10,000 routes with gaps between them: a set of addresses for each would be minutes of work."""
    many = tuple(Route(f"52.{number // 100}.{number % 100 * 2}.0/24", "eni-1") for number in range(10_000))
    table = RouteTable("rtb-1", (Route("0.0.0.0/0", "nat-1"), *many, Route("52.0.0.0/9", "igw-1")))
    found = routing(table, AddressSet.of("52.0.0.0/8"), behind_nat().network)
    assert set(found.routes) == {*table.routes}
    assert found.unrouted == AddressSet()
    one = routing(table, AddressSet.of("52.7.4.9"), behind_nat().network)
    assert one.routes == (Route("52.7.4.0/24", "eni-1"),)


_NOTHING = behind_nat().network
_BLOCKS = st.builds(
    lambda start, length: str(ip_network(f"10.0.0.{start}/{length}", strict=False)),
    st.integers(0, 255),
    st.integers(26, 32),
)


@given(st.lists(_BLOCKS, max_size=8), st.sets(st.integers(0, 255), min_size=1, max_size=12))
def test_routes_are_those_that_each_address_by_itself_takes(blocks: list[str], hosts: set[int]) -> None:
    routes = tuple(Route(block, f"eni-{number}") for number, block in enumerate(blocks))
    expected, unrouted = set(), set()
    for host in hosts:
        address = ip_address(f"10.0.0.{host}")
        matching = [each for each in routes if address in ip_network(each.destination)]
        best = max(matching, key=lambda each: ip_network(each.destination).prefixlen, default=None)
        if best:
            expected.add(best)
        else:
            unrouted.add(str(address))
    found = routing(RouteTable("rtb-1", routes), AddressSet.of(*(f"10.0.0.{host}" for host in hosts)), _NOTHING)
    assert (set(found.routes), found.unrouted) == (expected, AddressSet.of(*unrouted))
