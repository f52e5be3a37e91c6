"""Two faults at once: both are found and nothing else, in each of the three kinds of estate."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from pull_responder.network import InternetGateway, NetworkAclEntry
from tests.unit.network.estate import (
    TO_NAT,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    open_causes,
    public,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Break = Callable[[SampleNetwork], SampleNetwork]

DENY = NetworkAclEntry(1, allow=False, egress=True, cidr="0.0.0.0/0")

ANYWHERE: dict[str, tuple[Break, str]] = {
    "egress to private ranges of others": (lambda e: e.egress(rule("172.16.0.0/12")), "security_group_blocks_egress"),
    "the node's ACL": (lambda e: e.acl(DENY), "network_acl_blocks_traffic"),
    "DNS support off": (lambda e: e.vpc(dns_support=False), "vpc_dns_disabled"),
}
BEHIND_NAT: dict[str, tuple[Break, str]] = {
    **ANYWHERE,
    "no default route": (lambda e: e.routes(), "no_route_to_ecr"),
    "NAT gateway failed": (lambda e: e.nat(state="failed"), "nat_gateway_unavailable"),
    "the NAT gateway's subnet without a route": (lambda e: e.routes(subnet="subnet-public"), "no_route_to_ecr"),
    "the NAT gateway's ACL": (lambda e: e.acl(DENY, subnet="subnet-public"), "network_acl_blocks_traffic"),
}
PUBLIC: dict[str, tuple[Break, str]] = {
    **ANYWHERE,
    "no default route": (lambda e: e.routes(), "no_route_to_ecr"),
    "a detached gateway": (
        lambda e: e.with_facts(internet_gateways={"igw-1": InternetGateway("igw-1", None)}),
        "no_route_to_ecr",
    ),
    "no public address": (lambda e: e.with_node(public_address=None), "public_ip_missing"),
}
ENDPOINTS: dict[str, tuple[Break, str]] = {
    **ANYWHERE,
    "ecr.api missing": (lambda e: e.without("vpce-api"), "vpc_endpoint_missing"),
    "S3 missing": (lambda e: e.without("vpce-s3"), "vpc_endpoint_missing"),
    "ecr.dkr failed": (lambda e: e.endpoint("vpce-dkr", state="failed"), "vpc_endpoint_unavailable"),
    "ecr.dkr without interfaces": (
        lambda e: e.endpoint("vpce-dkr", subnet_ids=(), interfaces=()),
        "vpc_endpoint_unavailable",
    ),
    "ecr.api without private DNS": (
        lambda e: e.endpoint("vpce-api", private_dns=False),
        "endpoint_private_dns_disabled",
    ),
    "the endpoints' group": (lambda e: e.ingress(rule("sg-other")), "endpoint_security_group_blocks_ingress"),
    "S3 in another table": (lambda e: e.routes(), "s3_endpoint_not_in_route_table"),
    "DNS hostnames off": (lambda e: e.vpc(dns_hostnames=False), "vpc_dns_disabled"),
    "the endpoints' ACL": (lambda e: e.acl(DENY, subnet="subnet-endpoints"), "network_acl_blocks_traffic"),
}
# Of these pairs only the first fault can be found. Its fix decides which way the traffic takes and what else is broken.
ONLY_THE_FIRST = {
    ("no default route", "NAT gateway failed"),
    ("no default route", "the NAT gateway's subnet without a route"),
    ("no default route", "the NAT gateway's ACL"),
    ("no default route", "no public address"),
    ("a detached gateway", "no public address"),
    ("ecr.api missing", "ecr.api without private DNS"),
    ("S3 missing", "S3 in another table"),
}


def pairs() -> Iterator[object]:
    for way, sound, faulty in (
        ("NAT", behind_nat(), BEHIND_NAT),
        ("public", public(), PUBLIC),
        ("endpoints", endpoints_only(), ENDPOINTS),
    ):
        for one, other in combinations(faulty, 2):
            (break_one, cause), (break_other, second) = faulty[one], faulty[other]
            expected = {cause} if (one, other) in ONLY_THE_FIRST else {cause, second}
            yield pytest.param(break_other(break_one(sound)), expected, id=f"{way}: {one}, {other}")


@pytest.mark.parametrize(("estate", "expected"), pairs())
def test_two_faults_are_both_found_and_nothing_else(estate: SampleNetwork, expected: set[str]) -> None:
    assert {cause for cause, _ in faults(estate)} == expected
    assert open_causes(estate) == set()


@pytest.mark.parametrize(
    ("sound", "faulty"),
    [(behind_nat(), BEHIND_NAT), (public(), PUBLIC), (endpoints_only(), ENDPOINTS)],
    ids=["NAT", "public", "endpoints"],
)
def test_each_fault_alone_is_found(sound: SampleNetwork, faulty: dict[str, tuple[Break, str]]) -> None:
    for name, (break_it, cause) in faulty.items():
        assert ({found for found, _ in faults(break_it(sound))}, name) == ({cause}, name)


def test_everything_at_once() -> None:
    estate = endpoints_only()
    for name in ("egress to private ranges of others", "the node's ACL", "DNS support off", "ecr.api missing"):
        estate = ENDPOINTS[name][0](estate)
    for name in ("ecr.dkr failed", "the endpoints' group", "S3 in another table"):
        estate = ENDPOINTS[name][0](estate)
    assert {cause for cause, _ in faults(estate)} == {
        "security_group_blocks_egress",
        "network_acl_blocks_traffic",
        "vpc_dns_disabled",
        "vpc_endpoint_missing",
        "vpc_endpoint_unavailable",
        "endpoint_security_group_blocks_ingress",
        "s3_endpoint_not_in_route_table",
    }


def test_a_broken_endpoint_is_a_fault_even_if_nat_would_work() -> None:
    both = behind_nat().with_facts(endpoints=endpoints_only().network.endpoints).routes(TO_NAT)
    assert {cause for cause, _ in faults(both.ingress())} == {"endpoint_security_group_blocks_ingress"}
    assert faults(both.nat(state="failed")) == {("nat_gateway_unavailable", "nat-1")}
