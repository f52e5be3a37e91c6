"""VPC Block Public Access, which stops traffic at internet gateways whatever routes and rules say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.network import PathCause, Route, Subnet
from tests.unit.network.estate import (
    DENIED,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    isolated,
    open_causes,
    public,
    reasons,
    works,
)

BOTH, INGRESS, OFF = "block-bidirectional", "block-ingress", "off"
REGIONAL = behind_nat().nat(subnet_id=None)


def by_ipv6() -> SampleNetwork:
    return (
        isolated()
        .with_node(addresses=("2001:db8::5",))
        .routes(Route("::/0", "eigw-1"))
        .vpc(cidrs=("10.0.0.0/16", "2001:db8::/56"))
    )


def in_mode(estate: SampleNetwork, mode: str, *names: str) -> SampleNetwork:
    """Return the estate with its subnets, or those named, in a mode of VPC Block Public Access."""
    subnets = estate.network.subnets
    assert isinstance(subnets, dict)
    changed = {
        name: replace(each, public_access=mode) if not names or name in names else each
        for name, each in subnets.items()
    }
    return estate.with_facts(subnets=changed)


STOPPED = {
    "both ways, by an internet gateway": (in_mode(public(), BOTH), "subnet-node"),
    "ingress, by an internet gateway": (in_mode(public(), INGRESS), "subnet-node"),
    "both ways, by a NAT gateway": (in_mode(behind_nat(), BOTH), "subnet-public"),
    "both ways, by a regional NAT gateway": (in_mode(REGIONAL, BOTH), "subnet-node"),
    "a mode that is not known yet": (in_mode(behind_nat(), "block-some"), "subnet-public"),
}


@pytest.mark.parametrize(("estate", "subnet"), STOPPED.values(), ids=STOPPED)
def test_traffic_that_is_stopped_is_no_working_way(estate: SampleNetwork, subnet: str) -> None:
    assert (faults(estate), open_causes(estate)) == (set(), {"no_route_to_ecr"})
    (reason,) = {each.reason for each in estate.trace().undecided}
    mode = estate.network.subnets[subnet].public_access  # type: ignore[index]  # it was read
    assert f'VPC Block Public Access is in mode "{mode}" for {subnet}, which stops this traffic at the' in reason
    assert "at the internet gateway unless an exclusion lets it pass" in reason
    (step,) = reason.steps  # type: ignore[attr-defined]  # a Reason
    assert "aws ec2 describe-vpc-block-public-access-exclusions --region eu-west-1" in step


PASSES = {
    "off": in_mode(public(), OFF),
    "ingress, by a NAT gateway": in_mode(behind_nat(), INGRESS),
    "ingress, by a regional NAT gateway": in_mode(REGIONAL, INGRESS),
    "both ways, by endpoints": in_mode(endpoints_only(), BOTH),
    "both ways, but not for the NAT gateway's subnet": in_mode(behind_nat(), BOTH, "subnet-node"),
}


@pytest.mark.parametrize("estate", PASSES.values(), ids=PASSES)
def test_traffic_that_it_lets_pass_works(estate: SampleNetwork) -> None:
    assert works(estate)


def test_it_stops_egress_only_internet_gateways_in_one_mode_alone() -> None:
    estate = by_ipv6().pulling("111111111111.dkr-ecr.eu-west-1.on.aws")
    stopped, passes = in_mode(estate, BOTH), in_mode(estate, INGRESS)
    assert "VPC Block Public Access" in reasons(stopped, PathCause.NO_ROUTE)
    assert "VPC Block Public Access" not in reasons(passes, PathCause.NO_ROUTE)


def test_without_the_subnets_it_is_not_known() -> None:
    for estate in (public(), behind_nat(), REGIONAL):
        assert reasons(estate.with_facts(subnets=DENIED), PathCause.NO_ROUTE).startswith("the call was denied")
    assert works(endpoints_only().with_facts(subnets=DENIED))
    assert not works(public().with_facts(subnets={"subnet-other": Subnet("subnet-other", ())}))


def test_it_hides_no_fault_beside_it() -> None:
    estate = in_mode(public().with_node(public_address=None), BOTH)
    assert (faults(estate), open_causes(estate)) == ({("public_ip_missing", "subnet-node")}, {"no_route_to_ecr"})
    estate = in_mode(behind_nat().routes(subnet="subnet-public"), BOTH)
    assert (faults(estate), open_causes(estate)) == ({("no_route_to_ecr", "subnet-public")}, set())
