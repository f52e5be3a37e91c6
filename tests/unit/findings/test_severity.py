"""The severity of a finding follows from what is broken and from how far it reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from pull_responder.checks import BY_ID
from pull_responder.findings.life import Life, open_or_update
from pull_responder.findings.notice import Edge
from pull_responder.findings.reach import Reach
from pull_responder.findings.severity import severity_of
from pull_responder.model.verdict import Resource, Severity
from pull_responder.settings import Settings
from tests.unit.findings.lives import HAPPENINGS, NOON, SETTINGS, close
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding

ONE: Final = Reach(events=1, node_count=1, cluster_count=1)
NODE: Final = Resource("AwsEc2Instance", "arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc", "111111111111")
SUBNET: Final = Resource("AwsEc2Subnet", "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-0a", "111111111111")


BEYOND_A_VPC: Final = (
    "transit_gateway_blocks_traffic",
    "peering_cannot_carry_traffic",
    "network_firewall_blocks_registry",
    "dns_firewall_blocks_registry",
)


def found(cause: str, severity: Severity) -> Finding:
    return replace(FINDING, cause=cause, severity=severity)


def severity(finding: Finding, reach: Reach, *, settings: Settings | None = None) -> Severity:
    return severity_of(finding, reach, problems=1, settings=settings or Settings())


@pytest.mark.parametrize(
    ("cause", "base"),
    [
        ("image_not_found", Severity.LOW),
        ("image_platform_mismatch", Severity.LOW),
        ("repository_not_found", Severity.LOW),
        ("repository_policy_lacks_grant", Severity.MEDIUM),
        ("repository_policy_denies_pull", Severity.MEDIUM),
        ("repository_key_unusable", Severity.MEDIUM),
        ("pull_through_cache_failing", Severity.MEDIUM),
        ("registry_unavailable", Severity.MEDIUM),
        ("role_lacks_pull_permissions", Severity.HIGH),
        ("security_group_blocks_egress", Severity.HIGH),
        ("vpc_endpoint_missing", Severity.HIGH),
        ("node_group_unhealthy", Severity.HIGH),
        *((cause, Severity.HIGH) for cause in BEYOND_A_VPC),
    ],
)
def test_what_is_broken_gives_the_severity(cause: str, base: Severity) -> None:
    assert BY_ID[cause].severity is base
    assert severity(found(cause, base), ONE) is base


@pytest.mark.parametrize("cause", BEYOND_A_VPC)
def test_what_stops_the_clusters_of_several_spokes_is_critical(cause: str) -> None:
    many = Reach(events=2, node_count=2, cluster_count=2)
    assert severity(found(cause, BY_ID[cause].severity), many) is Severity.CRITICAL
    assert severity(found(cause, Severity.HIGH), many, settings=Settings(severities={cause: Severity.LOW})) is (
        Severity.LOW
    )


def test_a_single_node_is_one_step_lower_and_what_many_share_is_not() -> None:
    check = BY_ID["instance_profile_missing"]

    assert check.severity_for(NODE) is Severity.MEDIUM
    assert check.severity_for(SUBNET) is Severity.HIGH


@pytest.mark.parametrize("reach", [Reach(cluster_count=2), Reach(node_count=100)])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Severity.LOW, Severity.MEDIUM),
        (Severity.MEDIUM, Severity.HIGH),
        (Severity.HIGH, Severity.CRITICAL),
        (Severity.CRITICAL, Severity.CRITICAL),
    ],
)
def test_two_clusters_or_a_hundred_nodes_raise_it_by_one_step(reach: Reach, before: Severity, after: Severity) -> None:
    assert severity(found("no_route_to_ecr", before), reach) is after


@pytest.mark.parametrize("reach", [Reach(cluster_count=1, node_count=99, pod_count=9_000), Reach()])
def test_one_cluster_with_fewer_nodes_does_not(reach: Reach) -> None:
    assert severity(found("no_route_to_ecr", Severity.HIGH), reach) is Severity.HIGH


def test_a_stranger_is_more_severe_when_refused_often_and_not_when_refused_in_many_clusters() -> None:
    stranger = found("unexpected_principal_denied", Severity.INFORMATIONAL)

    assert severity(stranger, Reach(events=49, cluster_count=9)) is Severity.INFORMATIONAL
    assert severity(stranger, Reach(events=50)) is Severity.MEDIUM
    assert severity_of(stranger, Reach(), problems=5, settings=Settings()) is Severity.MEDIUM


def test_what_the_operator_sets_for_a_cause_stands_whatever_the_reach() -> None:
    settings = Settings(severities={"image_not_found": Severity.HIGH})

    assert severity(found("image_not_found", Severity.LOW), ONE, settings=settings) is Severity.HIGH
    assert severity(found("image_not_found", Severity.LOW), Reach(cluster_count=2), settings=settings) is Severity.HIGH
    assert severity(found("no_route_to_ecr", Severity.HIGH), ONE, settings=settings) is Severity.HIGH


def test_the_severity_of_an_open_finding_does_not_fall_before_it_is_resolved() -> None:
    def seen(life: Life | None, severity: Severity, now: float, settings: Settings = SETTINGS) -> Life:
        finding = replace(FINDING, severity=severity)
        return open_or_update(life, finding, problem="problem/a", reach=ONE, now=now, settings=settings)

    life = HAPPENINGS["told"](seen(None, Severity.HIGH, NOON), NOON)
    # One more pull is diagnosed, of which less is known.
    lower = seen(life, Severity.MEDIUM, NOON + 60)
    assert (lower.finding.severity, lower.pending) == (Severity.HIGH, None)
    raised = seen(lower, Severity.CRITICAL, NOON + 120)
    assert raised.pending is not None
    assert (raised.finding.severity, raised.pending.edge) == (Severity.CRITICAL, Edge.WORSE)
    again = seen(close(lower, NOON + 180), Severity.MEDIUM, NOON + 240)
    assert again.finding.severity is Severity.MEDIUM
    # What the operator sets is no finding of a diagnosis.
    chosen = seen(life, Severity.HIGH, NOON + 60, Settings(severities={FINDING.cause: Severity.LOW}))
    assert chosen.finding.severity is Severity.LOW


def test_a_finding_that_spreads_to_a_second_cluster_is_told_as_worse() -> None:
    def seen(life: Life | None, clusters: int, now: float) -> Life:
        reach = Reach(events=1, cluster_count=clusters)
        return open_or_update(life, FINDING, problem="problem/a", reach=reach, now=now, settings=Settings())

    life = HAPPENINGS["told"](seen(None, 1, NOON), NOON)
    assert life.finding.severity is Severity.HIGH
    assert seen(life, 1, NOON + 60).pending is None

    worse = seen(life, 2, NOON + 60)

    assert worse.finding.severity is Severity.CRITICAL
    assert worse.pending is not None
    assert (worse.pending.edge, "from HIGH to CRITICAL" in worse.pending.because) == (Edge.WORSE, True)
