"""The zones that an interface endpoint of a Route 53 Profile stands for."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.facts.profile_endpoints import zones_of_endpoint
from pull_responder.model.unread import Unread
from pull_responder.network.model import VpcEndpoint
from pull_responder.network.zones import HostedZone, ZoneAnswer, look_up, zone_of

REGION, HUB = "us-east-1", "222222222222"
REGISTRY = f"111111111111.dkr.ecr.{REGION}.amazonaws.com"
DUAL_STACK = f"111111111111.dkr-ecr.{REGION}.on.aws"
FIPS = f"111111111111.dkr.ecr-fips.{REGION}.amazonaws.com"
DKR = VpcEndpoint("vpce-0123456789abcdef0", "Interface", f"com.amazonaws.{REGION}.ecr.dkr", private_dns=True)
BUCKET = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"


def answer(host: str, endpoint: VpcEndpoint, version: int = 4) -> ZoneAnswer | Unread | None:
    zone = zone_of(host, zones_of_endpoint(endpoint, HUB, REGION))
    return look_up(host, zone, version) if zone else None


def leads_to(host: str, endpoint: VpcEndpoint) -> bool:
    found = answer(host, endpoint)
    return isinstance(found, ZoneAnswer) and found.endpoint_id == endpoint.id


def test_private_dns_leads_names_of_the_service_to_the_endpoint() -> None:
    assert leads_to(REGISTRY, DKR)
    assert answer(f"api.ecr.{REGION}.amazonaws.com", DKR) is None
    api = replace(DKR, service_name=f"com.amazonaws.{REGION}.ecr.api")
    assert leads_to(f"api.ecr.{REGION}.amazonaws.com", api)
    s3 = replace(DKR, service_name=f"com.amazonaws.{REGION}.s3")
    assert leads_to(BUCKET, s3)
    (zone,) = [each for each in zones_of_endpoint(DKR, HUB, REGION) if each.name == f"dkr.ecr.{REGION}.amazonaws.com"]
    assert (zone.owner, zone.endpoint, zone.id) == (HUB, DKR.id, "")


def test_names_that_the_endpoint_may_have_are_open_until_it_lists_them() -> None:
    for host in (DUAL_STACK, FIPS):
        unknown = answer(host, DKR)
        assert isinstance(unknown, Unread)
        assert f"private DNS of {DKR.id} may not have it" in unknown.reason
    listed = replace(DKR, dns_names=(f"*.dkr-ecr.{REGION}.on.aws", f"{DKR.id}-x.dkr.ecr.{REGION}.vpce.amazonaws.com"))
    assert leads_to(DUAL_STACK, listed)
    assert isinstance(answer(FIPS, listed), Unread)


def test_private_dns_that_is_off_or_for_inbound_endpoints_leaves_its_names_open_and_no_others() -> None:
    for endpoint, how in (
        (replace(DKR, private_dns=False), "is off"),
        (replace(DKR, private_dns_inbound_only=True), "answers only inbound Resolver endpoints"),
    ):
        unknown = answer(REGISTRY, endpoint)
        assert isinstance(unknown, Unread)
        assert how in unknown.reason
        assert answer(BUCKET, endpoint) is None


def test_endpoints_for_other_services_and_regions_answer_nothing() -> None:
    other = f"com.amazonaws.{REGION}.sts"
    none: tuple[HostedZone, ...] = ()
    assert zones_of_endpoint(replace(DKR, service_name=other), HUB, REGION) == none
    assert zones_of_endpoint(replace(DKR, service_region="eu-west-1"), HUB, REGION) == none
    china = replace(DKR, service_name="cn.com.amazonaws.cn-north-1.ecr.dkr")
    names = {each.name for each in zones_of_endpoint(china, HUB, "cn-north-1")}
    assert "dkr.ecr.cn-north-1.amazonaws.com.cn" in names
