"""What a fault says of a destination that no route leads to: its resource, words, proof and what the fix needs."""

from __future__ import annotations

import pytest

from pull_responder.model.sighting import Sighting
from pull_responder.network import Fault, Fix, PathCause, ResourceType, Route
from tests.unit.network.estate import (
    SampleNetwork,
    endpoints_only,
    faults,
    interface_endpoint,
    isolated,
    seen_by,
)

NO_WAY = "no route of rtb-node leads to the public internet"
NO_WAY_TO_S3 = "no route of rtb-node leads to S3's public addresses"
ONLY_LOCAL = "route table rtb-node: 10.0.0.0/16 -> local"
TO_S3 = f"{ONLY_LOCAL}; pl-s3 -> vpce-s3"
S3_HOST = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
INBOUND_ONLY = interface_endpoint("s3", private_dns_inbound_only=True)
DKR = "com.amazonaws.eu-west-1.ecr.dkr"

DEAD_ENDS: dict[str, tuple[SampleNetwork, Fault]] = {
    "private DNS off": (
        endpoints_only().endpoint("vpce-api", private_dns=False),
        Fault(
            PathCause.PRIVATE_DNS_DISABLED,
            ResourceType.OTHER,
            "vpce-api",
            "Private DNS of endpoint vpce-api (com.amazonaws.eu-west-1.ecr.api) is off, so "
            "api.ecr.eu-west-1.amazonaws.com still resolves to public addresses, to which the subnet has no route.",
            ("private DNS of vpce-api is off", NO_WAY, TO_S3),
            (Fix(endpoint_id="vpce-api"),),
        ),
    ),
    "private DNS for inbound Resolver endpoints only": (
        endpoints_only()
        .routes()
        .with_facts(endpoints=(interface_endpoint("ecr.api"), interface_endpoint("ecr.dkr"), INBOUND_ONLY)),
        Fault(
            PathCause.PRIVATE_DNS_DISABLED,
            ResourceType.OTHER,
            "vpce-s3i",
            "Private DNS of endpoint vpce-s3i (com.amazonaws.eu-west-1.s3) answers only inbound Resolver endpoints, so "
            f"{S3_HOST} still resolves to public addresses, to which the subnet has no route.",
            ("private DNS of vpce-s3i answers only inbound Resolver endpoints", NO_WAY_TO_S3, ONLY_LOCAL),
            (Fix(endpoint_id="vpce-s3i"),),
        ),
    ),
    "S3's gateway endpoint is not in the table": (
        endpoints_only().routes(),
        Fault(
            PathCause.S3_NOT_IN_ROUTE_TABLE,
            ResourceType.ROUTE_TABLE,
            "rtb-node",
            "S3 gateway endpoint vpce-s3 is not in the route table of subnet subnet-node.",
            (NO_WAY_TO_S3, ONLY_LOCAL),
            (Fix(subnet_id="subnet-node", route_table_id="rtb-node", endpoint_id="vpce-s3"),),
        ),
    ),
    "an endpoint that is not up": (
        endpoints_only().endpoint("vpce-dkr", state="pendingAcceptance"),
        Fault(
            PathCause.ENDPOINT_UNAVAILABLE,
            ResourceType.OTHER,
            "vpce-dkr",
            f"Endpoint vpce-dkr ({DKR}) is in state pendingAcceptance.",
            (f"vpce-dkr ({DKR}) is in state pendingAcceptance",),
            (Fix(endpoint_id="vpce-dkr", services=(DKR,)),),
        ),
    ),
    "an endpoint is missing": (
        endpoints_only().without("vpce-dkr"),
        Fault(
            PathCause.ENDPOINT_MISSING,
            ResourceType.VPC,
            "vpc-1",
            f"Subnet subnet-node has no route to the internet, and vpc-1 has no endpoint for {DKR} that serves "
            "111111111111.dkr.ecr.eu-west-1.amazonaws.com.",
            (NO_WAY, TO_S3),
            (Fix(vpc_id="vpc-1", subnet_id="subnet-node", route_table_id="rtb-node", services=(DKR,)),),
        ),
    ),
    "no route and no endpoint, the proof of both destinations joined": (
        isolated(),
        Fault(
            PathCause.NO_ROUTE,
            ResourceType.SUBNET,
            "subnet-node",
            "Subnet subnet-node has no route to the registry, and its VPC has no endpoint for it.",
            (NO_WAY, ONLY_LOCAL, NO_WAY_TO_S3),
            (Fix(vpc_id="vpc-1", subnet_id="subnet-node", route_table_id="rtb-node"),),
        ),
    ),
    "no route to a mirror, which the fix has to name": (
        seen_by(isolated(), Sighting(host="mirror.example.com", address="54.9.9.9", port=443)),
        Fault(
            PathCause.NO_ROUTE,
            ResourceType.SUBNET,
            "subnet-node",
            "Subnet subnet-node has no route to mirror.example.com, which kubelet asked, and no VPC endpoint serves "
            "it.",
            (NO_WAY, ONLY_LOCAL),
            (Fix(vpc_id="vpc-1", subnet_id="subnet-node", route_table_id="rtb-node", host="mirror.example.com"),),
        ),
    ),
}


@pytest.mark.parametrize(("estate", "expected"), DEAD_ENDS.values(), ids=DEAD_ENDS)
def test_a_dead_end_says_what_is_wrong_where_and_what_the_fix_needs(estate: SampleNetwork, expected: Fault) -> None:
    assert estate.trace().faults == (expected,)


def test_a_blackhole_to_a_gateway_endpoint_that_is_not_up_is_the_endpoints_fault() -> None:
    dead = endpoints_only().routes(Route("pl-s3", "vpce-s3", active=False))
    assert faults(dead.endpoint("vpce-s3", state="pending")) == {("vpc_endpoint_unavailable", "vpce-s3")}
    assert faults(dead) == {("s3_endpoint_not_in_route_table", "rtb-node")}
    # Where the table does not lead to it, that has to be mended first.
    away = endpoints_only().routes().endpoint("vpce-s3", state="pending")
    assert ("s3_endpoint_not_in_route_table", "rtb-node") in faults(away)


def test_a_gateway_endpoint_serves_the_dual_stack_names_of_s3_too() -> None:
    estate = endpoints_only().without("vpce-s3")
    for each in (estate, estate.pulling("111111111111.dkr-ecr.eu-west-1.on.aws")):
        (fault,) = each.trace().faults
        assert [fix.services for fix in fault.fixes] == [("com.amazonaws.eu-west-1.s3",)]
