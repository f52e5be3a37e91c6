"""Estates that look broken but work, and estates that are broken in another way than they look."""

from __future__ import annotations

import pytest

from pull_responder.network import (
    EndpointInterface,
    InternetGateway,
    NatGateway,
    NetworkAclEntry,
    Route,
    Subnet,
    VpcEndpoint,
)
from tests.unit.network.estate import (
    ALLOW_ALL,
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
    rule,
    works,
)

DYNAMODB = VpcEndpoint(
    id="vpce-ddb", type="Gateway", service_name=f"com.amazonaws.{REGION}.dynamodb", route_table_ids=("rtb-node",)
)
TO_DYNAMODB = Route("pl-ddb", "vpce-ddb")
DKR = interface_endpoint("ecr.dkr")
V6_DENY = NetworkAclEntry(1, allow=False, egress=True, cidr="::/0")
BY_GROUP = (rule("sg-endpoint"), rule("pl-s3"))
SECOND_NAT = NatGateway("nat-2", "available", "subnet-public-b", public_addresses=("54.1.2.4",))


def two_zones() -> SampleNetwork:
    """The node's subnet routes to a second NAT gateway, in another Availability Zone."""
    estate = isolated().routes(Route("0.0.0.0/0", "nat-2"))
    tables, acls, subnets = estate.network.route_tables, estate.network.network_acls, estate.network.subnets
    assert isinstance(tables, dict)
    assert isinstance(acls, dict)
    assert isinstance(subnets, dict)
    return estate.with_facts(
        subnets={**subnets, "subnet-public-b": Subnet("subnet-public-b", ("10.0.3.0/24",))},
        nat_gateways={"nat-2": SECOND_NAT},
        route_tables={**tables, "subnet-public-b": tables["subnet-public"]},
        network_acls={**acls, "subnet-public-b": ALLOW_ALL},
    )


WORKS: dict[str, SampleNetwork] = {
    "an ACL denies IPv6 first": behind_nat().acl(V6_DENY, *ALLOW_ALL.entries),
    "a NAT gateway in another zone": two_zones(),
    "a gateway endpoint for DynamoDB behind NAT": behind_nat()
    .with_facts(endpoints=(DYNAMODB,))
    .routes(TO_NAT, TO_DYNAMODB),
    "a public subnet with endpoints": public().with_facts(endpoints=(DKR, S3_GATEWAY)).routes(TO_IGW, TO_S3),
    "an endpoint elsewhere in the VPC, none in the node's zone": endpoints_only(),
    "an endpoint of another region beside NAT": behind_nat().with_facts(
        endpoints=(interface_endpoint("ecr.dkr", service_region="us-east-1", interfaces=()),)
    ),
    "egress to the endpoints by their group": endpoints_only().egress(*BY_GROUP),
    "a dead route to a private range beside NAT": behind_nat().routes(
        TO_NAT, Route("10.8.0.0/16", "pcx-1", active=False)
    ),
    "a spare internet gateway of no VPC": public().with_facts(
        internet_gateways={"igw-1": InternetGateway("igw-1", "vpc-1"), "igw-2": InternetGateway("igw-2", None)}
    ),
    "a rule for a group of a peer VPC beside the one for all": behind_nat().egress(rule("sg-peer"), rule("0.0.0.0/0")),
    "the VPC's own DNS server by its address": endpoints_only().vpc(dns_servers=("10.0.0.2",)),
    "Amazon's DNS server by its link-local address": endpoints_only().vpc(dns_servers=("169.254.169.253",)),
}


@pytest.mark.parametrize("estate", WORKS.values(), ids=WORKS)
def test_estates_that_only_look_broken_have_no_fault(estate: SampleNetwork) -> None:
    assert works(estate)


BROKEN: dict[str, tuple[SampleNetwork, set[tuple[str, str]]]] = {
    "egress to the group of a peer VPC only": (
        behind_nat().egress(rule("sg-peer")),
        {("security_group_blocks_egress", "sg-node")},
    ),
    "egress by the endpoints' group, one endpoint missing": (
        endpoints_only().without("vpce-dkr").egress(*BY_GROUP),
        {("vpc_endpoint_missing", "vpc-1")},
    ),
    "a gateway endpoint for DynamoDB only": (
        isolated().with_facts(endpoints=(DYNAMODB,)).routes(TO_DYNAMODB),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "S3's route is a blackhole, though NAT would do": (
        behind_nat().with_facts(endpoints=(S3_GATEWAY,)).routes(TO_NAT, Route("pl-s3", "vpce-s3", active=False)),
        {("s3_endpoint_not_in_route_table", "rtb-node")},
    ),
    "the internet gateway is another VPC's": (
        public().with_facts(internet_gateways={"igw-1": InternetGateway("igw-1", "vpc-2")}),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "the NAT gateway is in the private subnet itself": (
        behind_nat().nat(subnet_id="subnet-node"),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "only an IPv6 way out to a host of IPv4": (
        isolated().with_node(addresses=("10.0.0.5", "2600:1f18::5")).routes(Route("::/0", "eigw-1")),
        {("no_route_to_ecr", "subnet-node")},
    ),
    "an endpoint that speaks IPv6 alone, a node that speaks IPv4 alone": (
        endpoints_only().endpoint("vpce-dkr", interfaces=(EndpointInterface("subnet-endpoints", ("2600:1f18::c",)),)),
        {("vpc_endpoint_unavailable", "vpce-dkr")},
    ),
    "public.ecr.aws, which has IPv4 alone, from a dual-stack node that only IPv6 leads out": (
        isolated()
        .with_node(addresses=("10.0.0.5", "2600:1f18::5"))
        .egress(rule("0.0.0.0/0"), rule("::/0"))
        .routes(Route("::/0", "eigw-1"))
        .pulling("public.ecr.aws"),
        {("no_route_to_ecr", "subnet-node")},
    ),
}


@pytest.mark.parametrize(("estate", "expected"), BROKEN.values(), ids=BROKEN)
def test_only_the_broken_part_is_reported(estate: SampleNetwork, expected: set[tuple[str, str]]) -> None:
    assert faults(estate) == expected
    assert open_causes(estate) == set()


OPEN: dict[str, tuple[SampleNetwork, set[str]]] = {
    # Unread endpoints may carry the group that the rule names.
    "endpoints unread, and egress by their group": (
        endpoints_only().egress(*BY_GROUP).with_facts(endpoints=DENIED).routes(TO_NAT, TO_S3),
        {
            "security_group_blocks_egress",
            "vpc_endpoint_missing",
            "vpc_endpoint_unavailable",
            "endpoint_private_dns_disabled",
            "endpoint_security_group_blocks_ingress",
            "s3_endpoint_not_in_route_table",
        },
    ),
    "the node's groups unread, and ingress by one of them": (
        endpoints_only().with_node(group_ids=DENIED),
        {"security_group_blocks_egress", "endpoint_security_group_blocks_ingress"},
    ),
    "a hosted zone may lead to another VPC, where egress goes": (
        isolated()
        .routes(Route("0.0.0.0/0", "tgw-1"))
        .egress(rule("10.9.0.0/16"))
        .with_facts(private_zones=("ecr.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com")),
        {"security_group_blocks_egress", "no_route_to_ecr", "transit_gateway_blocks_traffic"},
    ),
    "the internet gateway was not listed at all": (public().with_facts(internet_gateways={}), {"no_route_to_ecr"}),
    "a pod of which the groups are assumed, and ingress by another one": (
        endpoints_only().with_node(assumption="If no SecurityGroupPolicy does otherwise.").ingress(rule("sg-other")),
        {"endpoint_security_group_blocks_ingress"},
    ),
    "a pod of which the groups are assumed, and let nothing out": (
        behind_nat().with_node(assumption="If no SecurityGroupPolicy does otherwise.").egress(),
        {"security_group_blocks_egress"},
    ),
    "a node without any group": (behind_nat().with_node(group_ids=()), {"security_group_blocks_egress"}),
    "an IPv6-only node, and DNS servers that may have DNS64": (
        behind_nat().with_node(addresses=("2600:1f18::5",)).vpc(dns_servers=("10.0.0.53",)),
        {"no_route_to_ecr"},
    ),
}


@pytest.mark.parametrize(("estate", "expected"), OPEN.values(), ids=OPEN)
def test_a_cause_that_cannot_be_decided_is_not_a_fault(estate: SampleNetwork, expected: set[str]) -> None:
    assert faults(estate) == set()
    assert open_causes(estate) == expected


def test_an_ipv6_only_node_reaches_endpoints_with_ipv6_addresses() -> None:
    """Endpoints may be dual-stack (ECR User Guide, "Amazon ECR interface VPC endpoints")."""
    v6 = (EndpointInterface("subnet-endpoints", ("10.0.2.11", "2600:1f18::b")),)
    estate = (
        endpoints_only().with_node(addresses=("2600:1f18::5",)).egress(rule("::/0")).ingress(rule("2600:1f18::/64"))
    )
    for name in ("vpce-api", "vpce-dkr"):
        estate = estate.endpoint(name, interfaces=v6)
    token, manifest, _ = estate.trace().legs
    assert [fault for leg in (token, manifest) for hop in leg.hops for fault in hop.faults] == []
    assert "vpce-dkr" in {hop.resource_id for hop in manifest.hops}
    assert ("endpoint_security_group_blocks_ingress", "sg-endpoint") in faults(estate.ingress())


def test_the_new_rule_names_the_block_of_the_endpoint() -> None:
    """A VPC may have several blocks. A rule for the first block would not allow traffic to the others."""
    estate = endpoints_only().vpc(cidrs=("10.0.0.0/16", "100.64.0.0/16")).egress(rule("pl-s3"))
    for name in ("vpce-api", "vpce-dkr"):
        estate = estate.endpoint(name, interfaces=(EndpointInterface("subnet-endpoints", ("100.64.2.11",)),))
    (fault,) = estate.trace().faults
    assert {fix.peer for fix in fault.fixes} == {"100.64.0.0/16"}
    assert works(estate.egress(rule("pl-s3"), rule("100.64.0.0/16")))
