"""Whole paths: three working estates, then each cause failing, nearly failing and unread, alone and combined."""

from __future__ import annotations

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.reason import steps_of
from pull_responder.network import HopKind, HopVerdict, NetworkAclEntry, Path, PathCause, Route, Unread
from pull_responder.network.model import RouteTarget
from tests.unit.network.estate import (
    DENIED,
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
    works,
)

NAT_GONE = Route("0.0.0.0/0", "nat-1", active=False)
DENY_ALL = NetworkAclEntry(1, allow=False, egress=True, cidr="0.0.0.0/0")
S3_INTERFACE = interface_endpoint("s3")

SOUND = {
    "behind NAT": behind_nat(),
    "public": public(),
    "endpoints only": endpoints_only(),
    "S3 by an interface endpoint": endpoints_only()
    .without("vpce-s3")
    .with_facts(endpoints=(interface_endpoint("ecr.api"), interface_endpoint("ecr.dkr"), S3_INTERFACE)),
    "NAT, and S3 by its gateway endpoint": behind_nat().with_facts(endpoints=(S3_GATEWAY,)).routes(TO_NAT, TO_S3),
    "NAT, and an S3 gateway endpoint elsewhere": behind_nat().with_facts(endpoints=(S3_GATEWAY,)),
    "NAT, and private DNS off": behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr", private_dns=False),)),
    "NAT, and DNS hostnames off": behind_nat()
    .with_facts(endpoints=(interface_endpoint("ecr.dkr"),))
    .vpc(dns_hostnames=False),
    "NAT, and some endpoints": behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr"),)),
    "NAT, and a deleting endpoint": behind_nat().with_facts(
        endpoints=(interface_endpoint("ecr.dkr", state="deleting"),)
    ),
    "a regional NAT gateway": behind_nat().nat(subnet_id=None),
    "no node yet": behind_nat().with_node(addresses=()),
}


@pytest.mark.parametrize("estate", SOUND.values(), ids=SOUND)
def test_working_estates_have_no_fault(estate: SampleNetwork) -> None:
    assert works(estate)
    assert [leg.verdict for leg in estate.trace().legs] == [HopVerdict.OK] * 3


FAULTS: dict[str, tuple[SampleNetwork, set[tuple[str, str]]]] = {
    "no route and no endpoints": (isolated(), {("no_route_to_ecr", "subnet-node")}),
    "endpoints of another region do not count": (
        endpoints_only().pulling("111111111111.dkr.ecr.us-east-1.amazonaws.com", "us-east-1"),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "an endpoint with another service region does not count": (
        isolated().with_facts(endpoints=(interface_endpoint("ecr.dkr", service_region="us-east-1"),)),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "ECR Public has no endpoints": (endpoints_only().pulling("public.ecr.aws"), {("no_route_to_ecr", "subnet-node")}),
    "the route to the internet gateway is a blackhole": (
        public().routes(Route("0.0.0.0/0", "igw-1", active=False)),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "the NAT gateway's subnet has no route": (
        behind_nat().routes(subnet="subnet-public"),
        {("no_route_to_ecr", "subnet-public")},
    ),
    "a private NAT gateway": (behind_nat().nat(public=False), {("no_route_to_ecr", "subnet-node")}),
    "NAT gateway deleted": (behind_nat().routes(NAT_GONE), {("nat_gateway_unavailable", "nat-1")}),
    "NAT gateway deleted, though its record is unread": (
        behind_nat().routes(NAT_GONE).with_facts(nat_gateways=DENIED),
        {("nat_gateway_unavailable", "nat-1")},
    ),
    "NAT gateway deleted beside two endpoints": (
        behind_nat()
        .routes(NAT_GONE)
        .with_facts(endpoints=(interface_endpoint("ecr.api"), interface_endpoint("ecr.dkr"))),
        {("nat_gateway_unavailable", "nat-1")},
    ),
    "NAT gateway failed": (behind_nat().nat(state="failed"), {("nat_gateway_unavailable", "nat-1")}),
    "no public address": (public().with_node(public_address=None), {("public_ip_missing", "subnet-node")}),
    "egress to private ranges only": (
        behind_nat().egress(rule("10.0.0.0/8"), rule("172.16.0.0/12"), rule("100.64.0.0/10")),
        {("security_group_blocks_egress", "sg-node")},
    ),
    "egress to the endpoints but not to S3": (
        endpoints_only().egress(rule("10.0.0.0/16")),
        {("security_group_blocks_egress", "sg-node")},
    ),
    "egress to S3 only, behind NAT": (
        behind_nat().egress(rule("pl-s3")),
        {("security_group_blocks_egress", "sg-node")},
    ),
    "the subnet's ACL lets nothing out": (behind_nat().acl(DENY_ALL), {("network_acl_blocks_traffic", "acl-node")}),
    "the NAT gateway's ACL": (
        behind_nat().acl(DENY_ALL, subnet="subnet-public"),
        {("network_acl_blocks_traffic", "acl-public")},
    ),
    "the endpoints' ACL": (
        endpoints_only().acl(DENY_ALL, subnet="subnet-endpoints"),
        {("network_acl_blocks_traffic", "acl-endpoints")},
    ),
    "ecr.dkr missing": (endpoints_only().without("vpce-dkr"), {("vpc_endpoint_missing", "vpc-1")}),
    "S3 missing": (endpoints_only().without("vpce-s3"), {("vpc_endpoint_missing", "vpc-1")}),
    "an endpoint that is being deleted is missing": (
        endpoints_only().endpoint("vpce-api", state="deleting"),
        {("vpc_endpoint_missing", "vpc-1")},
    ),
    "endpoint pending": (
        endpoints_only().endpoint("vpce-dkr", state="pendingAcceptance"),
        {("vpc_endpoint_unavailable", "vpce-dkr")},
    ),
    "endpoint without interfaces": (
        endpoints_only().endpoint("vpce-dkr", subnet_ids=(), interfaces=()),
        {("vpc_endpoint_unavailable", "vpce-dkr")},
    ),
    "endpoint without interfaces, though NAT would do": (
        behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr", subnet_ids=(), interfaces=()),)),
        {("vpc_endpoint_unavailable", "vpce-dkr")},
    ),
    "private DNS off": (
        endpoints_only().endpoint("vpce-api", private_dns=False),
        {("endpoint_private_dns_disabled", "vpce-api")},
    ),
    "S3 by an interface endpoint for inbound Resolver endpoints only": (
        endpoints_only()
        .routes()
        .with_facts(
            endpoints=(
                interface_endpoint("ecr.api"),
                interface_endpoint("ecr.dkr"),
                interface_endpoint("s3", private_dns_inbound_only=True),
            )
        ),
        {("endpoint_private_dns_disabled", "vpce-s3i")},
    ),
    "the endpoint's group lets another group in": (
        endpoints_only().ingress(rule("sg-other"), rule("10.9.0.0/16")),
        {("endpoint_security_group_blocks_ingress", "sg-endpoint")},
    ),
    "an endpoint takes the traffic though NAT would do": (
        behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr"),)).ingress(),
        {("endpoint_security_group_blocks_ingress", "sg-endpoint")},
    ),
    "S3 gateway endpoint not in the route table": (
        endpoints_only().routes(),
        {("s3_endpoint_not_in_route_table", "rtb-node")},
    ),
    "DNS support off": (behind_nat().vpc(dns_support=False), {("vpc_dns_disabled", "vpc-1")}),
    "DNS hostnames off": (endpoints_only().vpc(dns_hostnames=False), {("vpc_dns_disabled", "vpc-1")}),
    "the S3 gateway endpoint's route is a blackhole": (
        endpoints_only().routes(Route("pl-s3", "vpce-s3", active=False)),
        {("s3_endpoint_not_in_route_table", "rtb-node")},
    ),
    "egress to private ranges will do once there are endpoints": (
        isolated()
        .egress(rule("10.0.0.0/16"))
        .acl(
            NetworkAclEntry(1, allow=True, egress=True, cidr="10.0.0.0/16"),
            NetworkAclEntry(1, allow=True, egress=False, cidr="10.0.0.0/16"),
        ),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "egress to a part of S3 alone": (
        endpoints_only().egress(rule("52.218.0.0/17")),
        {("security_group_blocks_egress", "sg-node")},
    ),
    # Two at once: each would stop the pull alone.
    "no route, and egress to nothing": (
        isolated().egress(),
        {("no_route_to_ecr", "subnet-node"), ("security_group_blocks_egress", "sg-node")},
    ),
    "NAT gateway failed, its subnet without a route": (
        behind_nat().nat(state="failed").routes(subnet="subnet-public"),
        {("nat_gateway_unavailable", "nat-1"), ("no_route_to_ecr", "subnet-public")},
    ),
    "no public address, and the ACL": (
        public().with_node(public_address=None).acl(),
        {("public_ip_missing", "subnet-node"), ("network_acl_blocks_traffic", "acl-node")},
    ),
    "private DNS off, and the endpoint's group": (
        endpoints_only().endpoint("vpce-api", private_dns=False).ingress(),
        {("endpoint_private_dns_disabled", "vpce-api"), ("endpoint_security_group_blocks_ingress", "sg-endpoint")},
    ),
    "ecr.api missing, S3 not in the route table": (
        endpoints_only().without("vpce-api").routes(),
        {("vpc_endpoint_missing", "vpc-1"), ("s3_endpoint_not_in_route_table", "rtb-node")},
    ),
    "DNS support off, and the NAT gateway gone": (
        behind_nat().vpc(dns_support=False).routes(NAT_GONE),
        {("vpc_dns_disabled", "vpc-1"), ("nat_gateway_unavailable", "nat-1")},
    ),
    "egress nowhere, and the endpoint's group": (
        endpoints_only().egress().ingress(),
        {("security_group_blocks_egress", "sg-node"), ("endpoint_security_group_blocks_ingress", "sg-endpoint")},
    ),
}


@pytest.mark.parametrize(("estate", "expected"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_found_and_nothing_else(estate: SampleNetwork, expected: set[tuple[str, str]]) -> None:
    assert faults(estate) == expected
    assert open_causes(estate) == set()


UNREAD: dict[str, tuple[SampleNetwork, set[str]]] = {
    "security groups, behind NAT": (behind_nat().with_facts(security_groups=DENIED), {"security_group_blocks_egress"}),
    "the node's groups": (behind_nat().with_node(group_ids=DENIED), {"security_group_blocks_egress"}),
    "security groups, with endpoints": (
        endpoints_only().with_facts(security_groups=DENIED),
        {"security_group_blocks_egress", "endpoint_security_group_blocks_ingress"},
    ),
    "network ACLs": (behind_nat().with_facts(network_acls=DENIED), {"network_acl_blocks_traffic"}),
    "NAT gateways": (
        behind_nat().with_facts(nat_gateways=DENIED),
        {"nat_gateway_unavailable", "no_route_to_ecr", "network_acl_blocks_traffic"},
    ),
    "the public address": (public().with_node(public_address=DENIED), {"public_ip_missing"}),
    "route tables, no endpoints": (
        behind_nat().with_facts(route_tables=DENIED),
        {"no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing"},
    ),
    "route tables, with endpoints": (
        endpoints_only().with_facts(route_tables=DENIED),
        {"no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing", "s3_endpoint_not_in_route_table"},
    ),
    "endpoints, though the way through NAT is clear": (
        behind_nat().with_facts(endpoints=DENIED),
        {
            "vpc_endpoint_missing",
            "vpc_endpoint_unavailable",
            "endpoint_private_dns_disabled",
            "endpoint_security_group_blocks_ingress",
            "s3_endpoint_not_in_route_table",
        },
    ),
    "endpoints, and no route": (
        isolated().with_facts(endpoints=DENIED),
        {
            "no_route_to_ecr",
            "vpc_endpoint_missing",
            "vpc_endpoint_unavailable",
            "endpoint_private_dns_disabled",
            "endpoint_security_group_blocks_ingress",
            "s3_endpoint_not_in_route_table",
        },
    ),
    "route tables, and egress to endpoints only": (
        behind_nat().with_facts(route_tables=DENIED).egress(rule("10.0.0.0/16")),
        {"no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing", "security_group_blocks_egress"},
    ),
    "DNS support": (behind_nat().vpc(dns_support=DENIED), {"vpc_dns_disabled"}),
    "DNS hostnames": (endpoints_only().vpc(dns_hostnames=DENIED), {"vpc_dns_disabled"}),
    "the VPC": (behind_nat().with_facts(vpc=DENIED), {"vpc_dns_disabled"}),
    "what is not needed": (behind_nat().with_facts(prefix_lists=DENIED, internet_gateways=DENIED), set()),
    "S3's prefix list, whose id is the route's": (
        endpoints_only().with_facts(prefix_lists=DENIED).egress(rule("pl-s3"), rule("10.0.0.0/16")),
        set(),
    ),
    "a prefix list that a rule needs": (
        behind_nat().with_facts(prefix_lists=DENIED).egress(rule("pl-customer")),
        {"security_group_blocks_egress"},
    ),
    "an endpoint's interfaces": (
        endpoints_only()
        .endpoint("vpce-dkr", interfaces=DENIED)
        .egress(rule("pl-s3"), rule("10.0.2.0/28"), rule("10.0.0.0/24")),
        {"security_group_blocks_egress"},
    ),
}


@pytest.mark.parametrize(("estate", "expected"), UNREAD.values(), ids=UNREAD)
def test_an_unread_fact_leaves_only_its_causes_undecided(estate: SampleNetwork, expected: set[str]) -> None:
    assert open_causes(estate) == expected
    assert faults(estate) == set()


def test_readable_facts_decide_beside_unread_ones() -> None:
    estate = endpoints_only().with_facts(security_groups=DENIED).endpoint("vpce-dkr", private_dns=False)
    assert faults(estate) == {("endpoint_private_dns_disabled", "vpce-dkr")}
    assert open_causes(estate) == {"security_group_blocks_egress", "endpoint_security_group_blocks_ingress"}


def test_no_egress_at_all_is_a_fault_even_if_endpoints_are_unread() -> None:
    assert ("security_group_blocks_egress", "sg-node") in faults(behind_nat().with_facts(endpoints=DENIED).egress())


BEYOND = {
    "transit gateway": "tgw-1",
    "VPC peering connection": "pcx-1",
    "virtual private gateway": "vgw-1",
    "VPC endpoint": "vpce-firewall",
    "Outposts local gateway": "lgw-1",
    "carrier gateway": "cagw-1",
    "network interface": "eni-1",
    "instance": "i-9",
    "core network of Cloud WAN": "arn:aws:networkmanager::111111111111:core-network/core-network-1",
    "target outside this VPC": "odb-1",
}


# What may itself be what stops the traffic.
OF_ITS_OWN = {"tgw-1": {"transit_gateway_blocks_traffic"}, "pcx-1": {"peering_cannot_carry_traffic"}}


@pytest.mark.parametrize(("kind", "target"), BEYOND.items(), ids=BEYOND)
def test_a_route_out_of_the_vpc_is_undecided_and_the_reason_names_it(kind: str, target: str) -> None:
    estate = isolated().routes(Route("0.0.0.0/0", target))
    assert faults(estate) == set()
    assert open_causes(estate) == {"no_route_to_ecr"} | OF_ITS_OWN.get(target, set())
    assert f"0.0.0.0/0 -> {target} leads to {RouteTarget(kind).with_article}" in reasons(estate, PathCause.NO_ROUTE)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("lgw-1", "In the account that owns the Outpost, look at the routes of lgw-1"),
        ("cagw-1", "nothing comes back through cagw-1 to a node without one"),
        ("vgw-1", "Follow the path behind vgw-1"),
    ],
)
def test_what_lies_behind_a_gateway_of_another_place_has_a_step_of_its_own(target: str, words: str) -> None:
    (doubt,) = isolated().routes(Route("0.0.0.0/0", target)).trace().undecided
    assert [step for step in steps_of(doubt.reason) if words in str(step)]


def test_with_a_transit_gateway_and_two_endpoints_the_third_is_undecided() -> None:
    estate = endpoints_only().without("vpce-s3").routes(Route("0.0.0.0/0", "tgw-1"))
    assert faults(estate) == set()
    assert open_causes(estate) == {"vpc_endpoint_missing", "transit_gateway_blocks_traffic"}


def test_a_nat_gateway_behind_a_firewall_endpoint_is_undecided() -> None:
    estate = behind_nat().routes(Route("0.0.0.0/0", "vpce-firewall"), subnet="subnet-public")
    assert faults(estate) == set()
    assert "vpce-firewall" in reasons(estate, PathCause.NO_ROUTE)


def test_a_private_nat_gateway_before_a_transit_gateway_is_undecided() -> None:
    estate = behind_nat().nat(public=False).routes(Route("0.0.0.0/0", "tgw-1"), subnet="subnet-public")
    assert faults(estate) == set()
    assert "private NAT gateway" in reasons(estate, PathCause.NO_ROUTE)


def test_missing_endpoints_are_named_in_one_fault() -> None:
    (fault,) = endpoints_only().without("vpce-api", "vpce-s3").trace().faults
    assert fault.cause is PathCause.ENDPOINT_MISSING
    assert [fix.services for fix in fault.fixes] == [
        (f"com.amazonaws.{REGION}.ecr.api",),
        (f"com.amazonaws.{REGION}.s3",),
    ]
    assert "api.ecr.eu-west-1.amazonaws.com" in fault.explanation
    assert "prod-eu-west-1-starport-layer-bucket" in fault.explanation
    assert "dkr" not in fault.explanation


def test_a_leg_has_its_hops_in_order() -> None:
    manifest = behind_nat().trace().legs[1]
    assert manifest.stage is Stage.MANIFEST
    assert [(hop.kind, hop.resource_id) for hop in manifest.hops] == [
        (HopKind.NAME, "111111111111.dkr.ecr.eu-west-1.amazonaws.com"),
        (HopKind.NODE, "i-1"),
        (HopKind.SUBNET, "subnet-node"),
        (HopKind.ROUTE, "rtb-node"),
        (HopKind.NAT_GATEWAY, "nat-1"),
        (HopKind.SUBNET, "subnet-public"),
        (HopKind.ROUTE, "rtb-public"),
    ]
    assert all(hop.evidence for hop in manifest.hops)


def test_only_the_hop_with_the_fault_has_failed() -> None:
    hops = endpoints_only().ingress().trace().legs[0].hops
    assert [hop.resource_id for hop in hops if hop.verdict is HopVerdict.FAILED] == ["vpce-api"]


def passed(path: Path) -> set[str]:
    return {found.cause.value for found in path.passed}


def test_the_path_lists_exactly_the_causes_that_it_rules_out() -> None:
    assert passed(public().trace()) == {
        "vpc_dns_disabled",
        "security_group_blocks_egress",
        "network_acl_blocks_traffic",
        "no_route_to_ecr",
        "public_ip_missing",
    }
    assert "security_group_blocks_egress" not in passed(behind_nat().with_facts(security_groups=DENIED).trace())
    assert "nat_gateway_unavailable" not in passed(behind_nat().routes(NAT_GONE).trace())


class TestPrivateHostedZones:
    """Organizations often share the endpoints of a central VPC by private hosted zones and a transit gateway."""

    NOT_READ = Unread("route53:ListHostedZonesByVPC was denied")
    TO_HUB = Route("10.0.0.0/8", "tgw-1")

    def test_a_route_for_private_addresses_alone_is_no_way_to_the_registry(self) -> None:
        assert faults(isolated().routes(self.TO_HUB)) == {("no_route_to_ecr", "subnet-node")}

    def test_unread_zones_may_lead_over_a_route_that_leaves_the_vpc(self) -> None:
        estate = isolated().routes(self.TO_HUB).with_facts(private_zones=self.NOT_READ)
        assert (faults(estate), open_causes(estate)) == (set(), {"no_route_to_ecr"})
        assert "10.0.0.0/8 -> tgw-1" in reasons(estate, PathCause.NO_ROUTE)

    def test_unread_zones_matter_nowhere_else(self) -> None:
        for estate in (behind_nat(), endpoints_only(), public()):
            assert works(estate.with_facts(private_zones=self.NOT_READ))
        assert faults(isolated().with_facts(private_zones=self.NOT_READ)) == {("no_route_to_ecr", "subnet-node")}

    def test_unread_zones_leave_open_whether_egress_to_private_ranges_will_do(self) -> None:
        estate = isolated().routes(Route("0.0.0.0/0", "tgw-1")).egress(rule("10.0.0.0/8"))
        assert faults(estate) == {("security_group_blocks_egress", "sg-node")}
        estate = estate.with_facts(private_zones=self.NOT_READ)
        assert faults(estate) == set()
        left = {"no_route_to_ecr", "security_group_blocks_egress", "transit_gateway_blocks_traffic"}
        assert open_causes(estate) == left

    def test_unread_zones_may_stand_for_private_dns(self) -> None:
        estate = endpoints_only().endpoint("vpce-api", private_dns=False).with_facts(private_zones=self.NOT_READ)
        assert (faults(estate), open_causes(estate)) == (set(), {"endpoint_private_dns_disabled"})

    def test_a_zone_for_the_name_leaves_its_way_open(self) -> None:
        estate = isolated().with_facts(private_zones=("dkr.ecr.eu-west-1.amazonaws.com.",))
        assert faults(estate) == {("no_route_to_ecr", "subnet-node")}  # by api.ecr, which the zone does not hold
        zones = ("ecr.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com")
        assert open_causes(isolated().with_facts(private_zones=zones)) == {"no_route_to_ecr"}
        assert faults(isolated().with_facts(private_zones=zones)) == set()


def test_unknown_targets_are_not_routes_to_the_internet() -> None:
    assert works(behind_nat().routes(TO_NAT, Route("10.0.0.0/8", "tgw-1")))
    assert works(public().routes(TO_IGW, Route("10.0.0.0/8", "pcx-1")))


def test_the_words_of_a_path_are_those_that_people_and_programs_read() -> None:
    """`pull-responder diagnose --path` prints them, in its JSON, too."""
    kinds = {"name", "node", "subnet", "route", "endpoint", "NAT gateway", "internet gateway"}
    assert {kind.value for kind in HopKind} == kinds | {"VPC peering connection", "transit gateway", "firewall"}
    assert {verdict.value for verdict in HopVerdict} == {"ok", "failed", "undecided"}
    shown = [[hop.kind.value for hop in leg.hops] for leg in behind_nat().trace().legs]
    assert shown == [shown[0]] * 3
    assert set(shown[0]) == {"name", "node", "subnet", "route", "NAT gateway"}
