"""The host that kubelet's message names: which destination it is, and what is left open where it has no address."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.reason import steps_of
from pull_responder.model.sighting import Sighting
from pull_responder.network import PathCause, Route, may_lead_away
from pull_responder.network.resolution import destinations
from pull_responder.network.resolver import Profile
from pull_responder.network.seen_host import destination_seen, is_unexamined, may_be_mirror
from tests.unit.network.estate import DENIED, HOST, REGISTRY, behind_nat, isolated, seen_by

PROFILE = "Route 53 Profile rp-1 (shared)"
EXPECTED = destinations(REGISTRY)
V4, BOTH = (4,), (4, 6)

UNRESOLVED: dict[str, tuple[dict[str, Any], str, str, tuple[str, ...]]] = {
    "nobody": (
        {},
        "",
        "neither a Resolver rule nor a hosted zone nor a Profile that answers for it was found in vpc-1",
        (),
    ),
    "a Profile": (
        {"profiles": (Profile("rp-1", "shared"),), "private_zones": DENIED},
        "",
        (
            f"{PROFILE} may bring a hosted zone, a Resolver rule or an endpoint that answers for the registry's names:"
            " what it holds was not read"
        ),
        (f"Look at what {PROFILE} holds for the registry's names, in the Route 53 console of its owner.",),
    ),
    "a server": (
        {"private_zones": DENIED},
        "10.9.9.9",
        "kubelet asked the DNS server 10.9.9.9, whose answers cannot be read",
        ("Ask the DNS server 10.9.9.9 on a node: `nslookup` for the registry's host.",),
    ),
    "whoever was not read": ({"private_zones": DENIED}, "", "the call was denied", ()),
}


@pytest.mark.parametrize(("facts", "server", "who", "steps"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_a_name_without_address_says_who_may_have_answered(
    facts: dict[str, Any], server: str, who: str, steps: tuple[str, ...]
) -> None:
    failed = Sighting(HOST, unresolved=True, server=server, stage=Stage.MANIFEST)
    path = seen_by(behind_nat().with_facts(**facts), failed).trace()
    assert path.faults == ()
    doubt = next(doubt for doubt in path.undecided if doubt.cause is PathCause.VPC_DNS_DISABLED)
    look = "Look there, at the DNS Firewall rules of vpc-1, and at the node's own DNS settings"
    assert doubt.reason == f"kubelet got no address for {HOST}, and {who}. {look}"
    assert steps_of(doubt.reason) == steps


def test_a_name_without_address_where_dns_is_off_needs_no_other_reason() -> None:
    path = seen_by(behind_nat().vpc(dns_support=False), Sighting(HOST, unresolved=True)).trace()
    assert [(fault.cause, fault.resource_id) for fault in path.faults] == [(PathCause.VPC_DNS_DISABLED, "vpc-1")]
    assert path.undecided == ()


def test_a_name_with_an_address_says_nothing_of_dns() -> None:
    path = seen_by(behind_nat(), Sighting(HOST, stage=Stage.MANIFEST)).trace()
    assert PathCause.VPC_DNS_DISABLED in {passed.cause for passed in path.passed}


HOSTS: dict[str, tuple[Stage, str, str, bool, tuple[int, ...], bool]] = {
    "api.ecr.us-east-1.amazonaws.com": (Stage.TOKEN, "us-east-1", "ecr.api", True, V4, False),
    "ecr.us-east-1.amazonaws.com": (Stage.TOKEN, "us-east-1", "ecr.api", False, V4, False),
    "ecr-fips.us-gov-west-1.amazonaws.com": (Stage.TOKEN, "us-gov-west-1", "ecr.api", False, V4, True),
    "ecr.us-east-1.api.aws": (Stage.TOKEN, "us-east-1", "ecr.api", False, BOTH, False),
    "ecr-fips.us-east-1.api.aws": (Stage.TOKEN, "us-east-1", "ecr.api", False, BOTH, True),
    "api.ecr.cn-north-1.amazonaws.com.cn": (Stage.TOKEN, "cn-north-1", "ecr.api", True, V4, False),
    "ecr.cn-north-1.api.amazonwebservices.com.cn": (Stage.TOKEN, "cn-north-1", "ecr.api", False, BOTH, False),
    "222222222222.dkr.ecr.us-east-1.amazonaws.com": (Stage.MANIFEST, "us-east-1", "ecr.dkr", True, V4, False),
    "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com": (
        Stage.LAYER,
        "us-east-1",
        "s3",
        True,
        V4,
        False,
    ),
}


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_of_ecr_is_examined_as_what_it_is(host: str) -> None:
    found = destination_seen(Sighting(host, stage=Stage.UNPACK), EXPECTED, REGISTRY)
    assert found is not None
    assert found.host == host
    seen = (found.stage, found.region, found.service, found.plain, found.versions, found.fips)
    assert seen == HOSTS[host]
    assert not found.foreign


@pytest.mark.parametrize(
    "host", ["api.ecr.us-east-1.example.com", f"x.{HOST}", "mirror.example.com", "my-api.ecr.us-east-1.amazonaws.com"]
)
def test_a_host_that_only_looks_like_one_is_foreign(host: str) -> None:
    found = destination_seen(Sighting(host, stage=Stage.LAYER), EXPECTED, REGISTRY)
    assert found is not None
    assert (found.host, found.stage, found.service, found.versions, found.foreign) == (
        host,
        Stage.LAYER,
        "",
        BOTH,
        True,
    )
    assert found.region == REGISTRY.region
    unstaged = destination_seen(Sighting(host), EXPECTED, REGISTRY)
    assert unstaged is not None
    assert unstaged.stage is Stage.MANIFEST


def test_the_layer_bucket_by_another_name_is_the_one_that_was_expected() -> None:
    host = "prod-eu-west-1-starport-layer-bucket.s3.dualstack.eu-west-1.amazonaws.com"
    assert destination_seen(Sighting(host), EXPECTED, REGISTRY) is EXPECTED[2]


def test_a_message_without_host_is_about_its_stage() -> None:
    token, manifest, layer = EXPECTED
    found = {stage: destination_seen(Sighting(stage=stage), EXPECTED, REGISTRY) for stage in Stage}
    assert found == {Stage.TOKEN: token, Stage.MANIFEST: manifest, Stage.LAYER: layer, Stage.UNPACK: None}
    assert destination_seen(Sighting(), EXPECTED, REGISTRY) is None


@pytest.mark.parametrize(
    ("host", "unexamined", "mirror"),
    [
        ("docker.io", False, False),
        ("registry-1.docker.io", False, False),
        ("d1.cloudfront.net", False, False),
        ("notdocker.io", True, True),
        ("mirror.example.com", True, True),
        ("proxy.s3.amazonaws.com", True, False),
        ("proxy.cn-north-1.api.amazonwebservices.com.cn", True, False),
        ("proxy.eusc-de-east-1.api.amazonwebservices.eu", True, False),
        ("proxy.us-east-1.api.aws", True, False),
        ("proxy.amazonaws.com.cn", True, False),
        (HOST, False, False),
    ],
)
def test_who_may_be_a_mirror(host: str, *, unexamined: bool, mirror: bool) -> None:
    found = destination_seen(Sighting(host), EXPECTED, REGISTRY)
    assert found is not None
    assert (is_unexamined(found), may_be_mirror(found)) == (unexamined, mirror)


AWAY = Route("10.0.0.0/8", "tgw-1")


def test_a_name_may_lead_away_only_by_a_route_out_of_the_vpc() -> None:
    estate = isolated().with_facts(private_zones=DENIED)
    assert may_lead_away(HOST, "subnet-node", estate.routes(AWAY).network) == DENIED.reason
    assert may_lead_away(HOST, "subnet-node", estate.with_facts(route_tables=DENIED).network) == DENIED.reason
    assert may_lead_away(HOST, "subnet-node", estate.network) == ""
    assert may_lead_away(HOST, "subnet-node", isolated().routes(AWAY).network) == ""


@pytest.mark.parametrize(
    "host",
    [
        "docker.com",
        "docker.io",
        "quay.io",
        "ghcr.io",
        "githubusercontent.com",
        "registry.k8s.io",
        "k8s.io",
        "pkg.dev",
        "gcr.io",
        "googleapis.com",
        "mcr.microsoft.com",
        "registry.gitlab.com",
        "cloudfront.net",
        "cloudflarestorage.com",
    ],
)
def test_a_registry_that_everybody_knows_is_no_mirror(host: str) -> None:
    for each in (host, f"eu.{host}"):
        found = destination_seen(Sighting(each), EXPECTED, REGISTRY)
        assert found is not None
        assert not is_unexamined(found)
    other = destination_seen(Sighting(host.replace(".", "-", 1)), EXPECTED, REGISTRY)
    assert other is not None
    assert may_be_mirror(other)
