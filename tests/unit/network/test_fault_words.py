"""What a fault says of a way that a route, a gateway, DNS or an endpoint ends: resource, words, proof and fix."""

from __future__ import annotations

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.network import Fault, Fix, Hop, HopKind, InternetGateway, PathCause, ResourceType, Route, Unread
from pull_responder.network.model import NetworkAclEntry
from tests.unit.network.estate import (
    ALLOW_ALL,
    DENIED,
    HOST,
    TO_IGW,
    TO_NAT,
    TO_S3,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    isolated,
    public,
    seen_by,
)

HUB = "10.100.1.10"
ELSEWHERE = (
    f"kubelet dialled {HUB} for {HOST}, a private address outside vpc-1, so the name leads elsewhere than can be read "
    "here"
)
LOCAL = "10.0.0.0/16 -> local"
TO_HUB = Route("10.0.0.0/8", "tgw-1", active=False)
DETACHED = {"igw-1": InternetGateway("igw-1", "vpc-2")}
DKR = "com.amazonaws.eu-west-1.ecr.dkr"
S3 = "com.amazonaws.eu-west-1.s3"


def dialled(estate: SampleNetwork) -> SampleNetwork:
    return seen_by(estate, Sighting(HOST, HUB, 443, stage=Stage.MANIFEST))


def no_way_to_hub(why: str, routes: str) -> Fault:
    return Fault(
        PathCause.NO_ROUTE,
        ResourceType.SUBNET,
        "subnet-node",
        f"{HOST} resolves to {HUB} for the node, outside vpc-1, and {why}.",
        (why, ELSEWHERE, f"route table rtb-node: {routes}"),
        (Fix(vpc_id="vpc-1", subnet_id="subnet-node", route_table_id="rtb-node", address=HUB),),
    )


def nat_without_way(why: str, routes: str) -> Fault:
    return Fault(
        PathCause.NO_ROUTE,
        ResourceType.SUBNET,
        "subnet-public",
        f"NAT gateway nat-1 is in subnet subnet-public, which has no route to the internet: {why}.",
        (f"route table rtb-public: {routes}",),
        (Fix(subnet_id="subnet-public", route_table_id="rtb-public", peer="0.0.0.0/0"),),
    )


def no_way(why: str, routes: str) -> Fault:
    return Fault(
        PathCause.NO_ROUTE,
        ResourceType.SUBNET,
        "subnet-node",
        "Subnet subnet-node has no route to the registry, and its VPC has no endpoint for it.",
        (why, f"route table rtb-node: {routes}"),
        (Fix(vpc_id="vpc-1", subnet_id="subnet-node", route_table_id="rtb-node"),),
    )


def unavailable(endpoint: str, service: str, words: str) -> Fault:
    return Fault(
        PathCause.ENDPOINT_UNAVAILABLE,
        ResourceType.OTHER,
        endpoint,
        f"Endpoint {words}.",
        (words,),
        (Fix(endpoint_id=endpoint, services=(service,)),),
    )


FAULTS: dict[str, tuple[SampleNetwork, Fault]] = {
    "no route to a dialled address": (
        dialled(isolated()),
        no_way_to_hub("no route of rtb-node leads there", LOCAL),
    ),
    "a blackhole to a dialled address": (
        dialled(endpoints_only().without("vpce-api", "vpce-dkr").routes(TO_HUB, TO_S3)),
        no_way_to_hub(
            f"the route {TO_HUB} of rtb-node takes {HUB}, and is in state blackhole",
            f"{LOCAL}; {TO_HUB}; pl-s3 -> vpce-s3",
        ),
    ),
    "the internet for a private address": (
        dialled(isolated().routes(TO_IGW)),
        no_way_to_hub(
            f"the route {TO_IGW} of rtb-node takes {HUB} to the internet, which has no private addresses",
            f"{LOCAL}; {TO_IGW}",
        ),
    ),
    "a NAT gateway without a route to a dialled address": (
        dialled(isolated().routes(Route("10.0.0.0/8", "nat-1")).routes(subnet="subnet-public")),
        no_way_to_hub(
            f"the route 10.0.0.0/8 -> nat-1 of rtb-node takes {HUB} to nat-1, from which no route leads there",
            f"{LOCAL}; 10.0.0.0/8 -> nat-1",
        ),
    ),
    "a NAT gateway's subnet without a route": (
        behind_nat().routes(subnet="subnet-public"),
        nat_without_way("it has no route there", LOCAL),
    ),
    "a NAT gateway's subnet that leads back to it": (
        behind_nat().routes(TO_NAT, subnet="subnet-public"),
        nat_without_way(f"route {TO_NAT} leads back to the NAT gateway itself", f"{LOCAL}; {TO_NAT}"),
    ),
    "a NAT gateway's subnet and the gateway of another VPC": (
        behind_nat().with_facts(internet_gateways=DETACHED),
        nat_without_way("igw-1 is not attached to vpc-1", f"{LOCAL}; {TO_IGW}"),
    ),
    "a private NAT gateway that leads nowhere": (
        behind_nat().nat(public=False).routes(subnet="subnet-public"),
        no_way("nat-1 is a private NAT gateway, which reaches no public address", f"{LOCAL}; {TO_NAT}"),
    ),
    "the gateway of another VPC": (
        public().with_facts(internet_gateways=DETACHED),
        no_way("igw-1 is not attached to vpc-1", f"{LOCAL}; {TO_IGW}"),
    ),
    "a blackhole": (
        isolated().routes(Route("0.0.0.0/0", "tgw-1", active=False)),
        no_way(
            "route 0.0.0.0/0 -> tgw-1 (blackhole) leads to a transit gateway that is not available",
            f"{LOCAL}; 0.0.0.0/0 -> tgw-1 (blackhole)",
        ),
    ),
    "a NAT gateway that failed": (
        behind_nat().nat(state="failed"),
        Fault(
            PathCause.NAT_GATEWAY_UNAVAILABLE,
            ResourceType.OTHER,
            "nat-1",
            "The route 0.0.0.0/0 -> nat-1 leads to NAT gateway nat-1, which is in state failed.",
            ("nat-1 is in state failed", "route 0.0.0.0/0 -> nat-1"),
            (Fix(nat_gateway_id="nat-1"),),
        ),
    ),
    "a NAT gateway that is gone": (
        behind_nat().routes(Route("0.0.0.0/0", "nat-9", active=False)),
        Fault(
            PathCause.NAT_GATEWAY_UNAVAILABLE,
            ResourceType.OTHER,
            "nat-9",
            "The route 0.0.0.0/0 -> nat-9 (blackhole) leads to a NAT gateway that is no longer available.",
            ("route 0.0.0.0/0 -> nat-9 (blackhole) is in state blackhole",),
            (Fix(nat_gateway_id="nat-9"),),
        ),
    ),
    "no public address": (
        isolated().routes(TO_IGW),
        Fault(
            PathCause.PUBLIC_IP_MISSING,
            ResourceType.SUBNET,
            "subnet-node",
            "Subnet subnet-node routes to internet gateway igw-1, but i-1 has no public IPv4 address, so no response "
            "reaches it.",
            ("route 0.0.0.0/0 -> igw-1 is active", "i-1 in subnet-node has no public IPv4 address"),
            (Fix(subnet_id="subnet-node"),),
        ),
    ),
    "DNS off": (
        endpoints_only().vpc(dns_support=False, dns_hostnames=False),
        Fault(
            PathCause.VPC_DNS_DISABLED,
            ResourceType.VPC,
            "vpc-1",
            "DNS resolution is off in vpc-1, so no name resolves there. DNS hostnames are off in vpc-1, so the private "
            "names of its endpoints do not resolve.",
            ("enableDnsSupport of vpc-1 is false", "enableDnsHostnames of vpc-1 is false"),
            (
                Fix(vpc_id="vpc-1", attributes=("enableDnsSupport",)),
                Fix(vpc_id="vpc-1", attributes=("enableDnsHostnames",)),
            ),
        ),
    ),
    "an endpoint without an interface": (
        endpoints_only().endpoint("vpce-dkr", subnet_ids=(), interfaces=()),
        unavailable("vpce-dkr", DKR, "vpce-dkr has no network interface in any subnet"),
    ),
    "S3's gateway endpoint that is not up": (
        endpoints_only().endpoint("vpce-s3", state="rejected"),
        unavailable("vpce-s3", S3, f"vpce-s3 ({S3}) is in state rejected"),
    ),
    "a network ACL": (
        behind_nat().acl(NetworkAclEntry(90, allow=False, egress=True, cidr="0.0.0.0/0"), *ALLOW_ALL.entries),
        Fault(
            PathCause.NETWORK_ACL_BLOCKS_TRAFFIC,
            ResourceType.NETWORK_ACL,
            "acl-node",
            "Network ACL acl-node of subnet subnet-node does not allow TCP 443 out to the public internet. Network ACL "
            "acl-node of subnet subnet-node does not allow TCP 443 out to S3's public addresses.",
            ("acl-node: egress entry 90 denies protocol -1 0.0.0.0/0",),
            (
                Fix(
                    subnet_id="subnet-node",
                    network_acl_id="acl-node",
                    egress=True,
                    ports=(443, 443),
                    peer="0.0.0.0/0",
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("estate", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_says_what_is_wrong_where_and_what_the_fix_needs(estate: SampleNetwork, expected: Fault) -> None:
    assert estate.trace().faults == (expected,)


def test_an_endpoint_and_a_node_without_a_common_ip_version() -> None:
    path = endpoints_only().with_node(addresses=("2600:1f18::5",)).trace()
    api = "com.amazonaws.eu-west-1.ecr.api"
    assert path.faults == (
        unavailable("vpce-api", api, f"vpce-api ({api}) and i-1 have no IP version in common"),
        unavailable("vpce-dkr", DKR, f"vpce-dkr ({DKR}) and i-1 have no IP version in common"),
        *path.faults[2:],
    )
    # S3's addresses are of IPv4 alone.
    assert ("no_route_to_ecr", "subnet-node") in [(fault.cause.value, fault.resource_id) for fault in path.faults[2:]]


@pytest.mark.parametrize(
    ("egress", "way", "ports"),
    [(True, f"TCP 443 out to {HUB}", (443, 443)), (False, f"TCP 32768-65535 in from {HUB}", (1024, 65535))],
    ids=["out", "in"],
)
def test_the_nodes_network_acl_is_judged_for_a_dialled_address(egress: bool, way: str, ports: tuple[int, int]) -> None:  # noqa: FBT001 -- a table's column
    spoke = endpoints_only().without("vpce-api", "vpce-dkr").routes(Route("10.0.0.0/8", "tgw-1"), TO_S3)
    assert dialled(spoke).trace().faults == ()
    entry = NetworkAclEntry(90, allow=False, egress=egress, cidr="10.100.0.0/16")
    (fault,) = dialled(spoke.acl(entry, *ALLOW_ALL.entries)).trace().faults
    assert (fault.cause, fault.resource_id) == (PathCause.NETWORK_ACL_BLOCKS_TRAFFIC, "acl-node")
    assert fault.explanation == f"Network ACL acl-node of subnet subnet-node does not allow {way} ({HOST})."
    assert fault.evidence == (ELSEWHERE, f"acl-node: {entry}")
    assert fault.fixes == (Fix(subnet_id="subnet-node", network_acl_id="acl-node", egress=egress, ports=ports),)


def test_a_route_table_that_was_not_read_still_has_the_local_route() -> None:
    token, *_ = endpoints_only().with_facts(route_tables=DENIED).trace().legs
    hop = Hop(HopKind.ROUTE, "local", (), ("every route table has the VPC's local route",))
    assert hop in token.hops


def test_a_nat_gateway_whose_own_routes_were_not_read_may_lead_to_a_dialled_address() -> None:
    estate = isolated().routes(Route("10.0.0.0/8", "nat-1")).routes(subnet="subnet-public")
    assert [fault.cause for fault in dialled(estate).trace().faults] == [PathCause.NO_ROUTE]
    assert not isinstance(estate.network.route_tables, Unread)
    known = {"subnet-node": estate.network.route_tables["subnet-node"]}
    path = dialled(estate.with_facts(route_tables=known)).trace()
    assert path.faults == ()
    assert PathCause.NO_ROUTE in {doubt.cause for doubt in path.undecided}
