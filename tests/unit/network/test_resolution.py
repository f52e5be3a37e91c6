"""The hosts that a pull talks to, and where the VPC's DNS resolves their names to."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.model.pull import Stage
from pull_responder.network import PathCause, RegistryPlace, Unread
from pull_responder.network.names import By
from pull_responder.network.resolution import Destination, destinations, endpoints_of, resolve
from tests.unit.network.estate import (
    DENIED,
    HOST,
    REGISTRY,
    S3_GATEWAY,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    interface_endpoint,
    isolated,
    open_causes,
    reasons,
    works,
)

HOSTS = {
    "111111111111.dkr.ecr.eu-west-1.amazonaws.com": (
        "eu-west-1",
        ["api.ecr.eu-west-1.amazonaws.com", "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"],
    ),
    "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn": (
        "cn-north-1",
        ["api.ecr.cn-north-1.amazonaws.com.cn", "prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn"],
    ),
    "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com": (
        "us-east-1",
        ["ecr-fips.us-east-1.amazonaws.com", "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"],
    ),
    "111111111111.dkr-ecr.us-east-1.on.aws": (
        "us-east-1",
        ["ecr.us-east-1.api.aws", "prod-us-east-1-starport-layer-bucket.s3.dualstack.us-east-1.amazonaws.com"],
    ),
    "111111111111.dkr-ecr-fips.us-east-1.on.aws": (
        "us-east-1",
        ["ecr-fips.us-east-1.api.aws", "prod-us-east-1-starport-layer-bucket.s3.dualstack.us-east-1.amazonaws.com"],
    ),
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items(), ids=HOSTS)
def test_the_hosts_of_a_pull(host: str, expected: tuple[str, list[str]]) -> None:
    region, (api, bucket) = expected
    assert [destination.host for destination in destinations(RegistryPlace(host, region))] == [api, host, bucket]


@pytest.mark.parametrize(("host", "versions"), [("public.ecr.aws", (4,)), ("ecr-public.aws.com", (4, 6))])
def test_ecr_public_has_no_endpoint_service_and_its_layers_come_from_cloudfront(
    host: str, versions: tuple[int, ...]
) -> None:
    assert destinations(RegistryPlace(host, "us-east-1")) == (
        Destination(Stage.MANIFEST, host, "us-east-1", "", versions=versions),
        Destination(Stage.LAYER, "cloudfront.net", "us-east-1", "", versions=versions),
    )


def test_the_zones_in_which_endpoints_have_these_names() -> None:
    assert [destination.zone for destination in destinations(REGISTRY)] == [
        "api.ecr.eu-west-1.amazonaws.com",
        "dkr.ecr.eu-west-1.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
    ]


def test_of_several_endpoints_the_one_that_answers_and_is_up_comes_first() -> None:
    endpoints = (
        interface_endpoint("ecr.dkr", id="silent", private_dns=False),
        interface_endpoint("ecr.dkr", id="pending", state="pending"),
        interface_endpoint("ecr.dkr", id="up", state="Available"),
        interface_endpoint(
            "ecr.dkr", id="fips", private_dns=False, service_name="com.amazonaws.eu-west-1.ecr.dkr-fips"
        ),
        interface_endpoint("ecr.dkr", id="gone", state="deleting"),
        interface_endpoint("ecr.dkr", id="far", service_region="us-east-1"),
        interface_endpoint("ecr.api", id="other"),
    )
    network = isolated().with_facts(endpoints=endpoints).network
    _, registry, _ = destinations(REGISTRY)
    found = endpoints_of(registry, network, "Interface")
    assert [endpoint.id for endpoint in found] == ["up", "pending", "silent"]
    _, of_fips, _ = destinations(RegistryPlace("111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com", "eu-west-1"))
    found = endpoints_of(of_fips, network, "Interface")
    assert [endpoint.id for endpoint in found] == ["fips", "up", "pending", "silent"]
    assert endpoints_of(registry, network, "Gateway") == ()
    assert endpoints_of(registry, isolated().with_facts(endpoints=DENIED).network, "Interface") == ()


ZONE = f"a private hosted zone, amazonaws.com, answers for {HOST}, and its records were not read"
ZONE_OF_HOST = ZONE.replace("amazonaws.com", HOST, 1)
SERVERS = "the VPC's DHCP options name the DNS servers 10.9.9.9, whose answers cannot be read"
PENDING = "vpce-dkr is in state pending, and whether its private DNS answers is not known"
TO_ENDPOINT = "resolves to vpce-dkr: its private DNS answers for this name in the whole VPC"
TO_PUBLIC = "resolves to public addresses"
TO_EITHER = "resolves to an endpoint or to public addresses"
OWN_ZONE = {"private_zones": ("amazonaws.com",)}


@pytest.mark.parametrize(
    ("estate", "leads", "doubt", "elsewhere", "by"),
    [
        (endpoints_only(), TO_ENDPOINT, "", False, None),
        (behind_nat(), TO_PUBLIC, "", False, None),
        (endpoints_only().vpc(dns_hostnames=False), TO_PUBLIC, "", False, None),
        (endpoints_only().endpoint("vpce-dkr", private_dns=False), TO_PUBLIC, "", False, None),
        (endpoints_only().endpoint("vpce-dkr", private_dns_inbound_only=True), TO_PUBLIC, "", False, None),
        (behind_nat().with_facts(endpoints=DENIED), TO_EITHER, "the call was denied", False, None),
        (behind_nat().with_facts(**OWN_ZONE), TO_PUBLIC, ZONE, True, By.ZONE),
        (endpoints_only().with_facts(**OWN_ZONE), TO_ENDPOINT, "", False, None),
        (endpoints_only().with_facts(private_zones=(HOST,)), TO_ENDPOINT, ZONE_OF_HOST, True, By.ZONE),
        (endpoints_only().endpoint("vpce-dkr", state="pending"), TO_ENDPOINT, PENDING, False, None),
        (endpoints_only().vpc(dns_servers=("10.9.9.9",)), TO_ENDPOINT, SERVERS, True, By.SERVER),
    ],
)  # fmt: skip
def test_where_a_name_leads(estate: SampleNetwork, leads: str, doubt: str, *, elsewhere: bool, by: By | None) -> None:
    _, registry, _ = destinations(REGISTRY)
    found = resolve(registry, estate.network)
    line = f"{HOST} {leads}"
    assert found.hop.evidence == (f"as far as can be read, {line}, but {doubt}" if doubt else line,)
    assert (found.doubt, found.elsewhere, found.other.by) == (doubt, elsewhere, by)
    assert (found.endpoint is not None) is (leads == TO_ENDPOINT)
    # Who is certain of the endpoint is certain that it is there, and that its private DNS is on.
    examined = (PathCause.ENDPOINT_MISSING, PathCause.PRIVATE_DNS_DISABLED)
    certain = leads == TO_ENDPOINT and not doubt
    assert found.hop.causes == (PathCause.VPC_DNS_DISABLED, *(examined if certain else ()))


def test_service_names_in_china() -> None:
    found = destinations(RegistryPlace("111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"))
    assert [destination.service_name for destination in found] == [
        "cn.com.amazonaws.cn-north-1.ecr.api",
        "cn.com.amazonaws.cn-north-1.ecr.dkr",
        "com.amazonaws.cn-north-1.s3",
    ]


@pytest.mark.parametrize(
    ("region", "suffix", "prefix"),
    [
        ("us-gov-west-1", "amazonaws.com", "com.amazonaws"),
        ("us-iso-east-1", "c2s.ic.gov", "gov.ic.c2s"),
        ("us-isob-east-1", "sc2s.sgov.gov", "gov.sgov.sc2s"),
        ("eu-isoe-west-1", "cloud.adc-e.uk", "uk.adc-e.cloud"),
        ("us-isof-south-1", "csp.hci.ic.gov", "gov.ic.hci.csp"),
        ("eusc-de-east-1", "amazonaws.eu", "eu.amazonaws"),
    ],
)
def test_service_names_of_other_partitions(region: str, suffix: str, prefix: str) -> None:
    found = destinations(RegistryPlace(f"111111111111.dkr.ecr.{region}.{suffix}", region))
    assert [destination.service_name for destination in found] == [
        f"{prefix}.{region}.ecr.api",
        f"{prefix}.{region}.ecr.dkr",
        f"com.amazonaws.{region}.s3",
    ]


def test_endpoints_in_china_are_recognized() -> None:
    estate = isolated().with_facts(
        region="cn-north-1",
        endpoints=(interface_endpoint("ecr.dkr", service_name="cn.com.amazonaws.cn-north-1.ecr.dkr"),),
    )
    estate = estate.pulling("111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1")
    assert faults(estate) == {("vpc_endpoint_missing", "vpc-1")}


class TestNamesThatAnEndpointMayNotHold:
    FIPS = "111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com"

    def test_unknown_names_are_no_doubt_where_both_ways_work(self) -> None:
        assert works(behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr"),)).pulling(self.FIPS))

    def test_unknown_names_leave_the_endpoints_faults_open(self) -> None:
        estate = behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr"),)).ingress().pulling(self.FIPS)
        assert (faults(estate), open_causes(estate)) == (set(), {"endpoint_security_group_blocks_ingress"})
        assert self.FIPS in reasons(estate, PathCause.ENDPOINT_BLOCKS_INGRESS)

    def test_listed_names_decide(self) -> None:
        listed = interface_endpoint("ecr.dkr", dns_names=("*.dkr.ecr-fips.eu-west-1.amazonaws.com.",))
        assert faults(behind_nat().with_facts(endpoints=(listed,)).ingress().pulling(self.FIPS))
        listed = interface_endpoint("ecr.dkr", dns_names=("*.dkr.ecr-fips.eu-west-1.amazonaws.com",))
        estate = behind_nat().with_facts(endpoints=(listed,)).ingress().pulling(self.FIPS)
        assert faults(estate) == {("endpoint_security_group_blocks_ingress", "sg-endpoint")}
        other = interface_endpoint("ecr.dkr", dns_names=("*.dkr.ecr.eu-west-1.amazonaws.com",))
        unknown = behind_nat().with_facts(endpoints=(other,)).ingress().pulling(self.FIPS)
        assert (faults(unknown), open_causes(unknown)) == (set(), {"endpoint_security_group_blocks_ingress"})

    def test_an_endpoint_service_for_fips_serves_fips_hosts_alone(self) -> None:
        names = {"vpce-api": "ecr.api-fips", "vpce-dkr": "ecr.dkr-fips"}
        estate = endpoints_only()
        for name, service in names.items():
            estate = estate.endpoint(name, service_name=f"com.amazonaws.eu-west-1.{service}")
        assert works(estate.pulling(self.FIPS))
        assert faults(estate) == {("vpc_endpoint_missing", "vpc-1")}

    def test_a_missing_endpoint_for_such_a_name_is_not_one_to_be_made(self) -> None:
        (fault,) = endpoints_only().without("vpce-dkr", "vpce-api").pulling(self.FIPS).trace().faults
        assert [fix.services for fix in fault.fixes] == [()]

    def test_an_isolated_subnet_with_unknown_names_is_undecided(self) -> None:
        estate = endpoints_only().pulling(self.FIPS)
        assert (faults(estate), open_causes(estate)) == (set(), {"vpc_endpoint_missing"})


class TestOtherDnsServers:
    SERVERS = ("10.0.0.53",)

    def test_they_do_not_matter_where_both_ways_work(self) -> None:
        assert works(behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr"),)).vpc(dns_servers=self.SERVERS))

    def test_they_leave_open_whether_names_lead_to_endpoints(self) -> None:
        estate = endpoints_only().vpc(dns_servers=self.SERVERS)
        assert faults(estate) == set()
        assert "10.0.0.53" in next(doubt.reason for doubt in estate.trace().undecided)

    def test_unread_ones_leave_the_same_open(self) -> None:
        read, unread = (endpoints_only().ingress().vpc(dns_servers=servers) for servers in (self.SERVERS, DENIED))
        assert faults(unread) == faults(read) == set()
        assert (
            open_causes(unread)
            == open_causes(read)
            == {"vpc_endpoint_missing", PathCause.ENDPOINT_BLOCKS_INGRESS.value}
        )
        assert DENIED.reason in reasons(unread, PathCause.ENDPOINT_BLOCKS_INGRESS)

    def test_dns_support_may_be_off_with_them(self) -> None:
        estate = behind_nat().vpc(dns_support=False, dns_servers=self.SERVERS)
        assert (faults(estate), open_causes(estate)) == (set(), {"vpc_dns_disabled"})
        unread = behind_nat().vpc(dns_support=False, dns_servers=DENIED)
        assert (faults(unread), open_causes(unread)) == (set(), {"vpc_dns_disabled"})


def test_an_endpoint_that_is_not_up_leaves_its_causes_undecided_if_nat_works() -> None:
    estate = behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr", state="failed"),))
    assert (faults(estate), open_causes(estate)) == (set(), {"vpc_endpoint_unavailable"})


def test_traffic_goes_to_the_endpoint_with_private_dns() -> None:
    spare = interface_endpoint("ecr.dkr", id="vpce-spare", private_dns=False, group_ids=("sg-closed",))
    used = (interface_endpoint("ecr.api"), interface_endpoint("ecr.dkr"), S3_GATEWAY)
    assert works(endpoints_only().with_facts(endpoints=(spare, *used)))


def test_both_dns_attributes_are_named_in_one_fault() -> None:
    (fault,) = endpoints_only().vpc(dns_support=False, dns_hostnames=False).trace().faults
    assert fault.cause is PathCause.VPC_DNS_DISABLED
    assert {attribute for fix in fault.fixes for attribute in fix.attributes} == {
        "enableDnsSupport",
        "enableDnsHostnames",
    }


def test_whether_private_names_matter_is_open_where_the_endpoints_are_not_known() -> None:
    """Without endpoints nobody needs DNS hostnames. Whether there are any could not be read."""
    off = endpoints_only().vpc(dns_hostnames=False)
    assert faults(off) == {("vpc_dns_disabled", "vpc-1")}
    unread = off.with_facts(endpoints=DENIED)
    assert faults(unread) == set()
    assert "vpc_dns_disabled" in open_causes(unread)
    assert "vpc_dns_disabled" not in open_causes(unread.vpc(dns_hostnames=True))
    # With a way by NAT they do not matter, and nothing of it is unread.
    assert works(behind_nat().vpc(dns_hostnames=False))


@pytest.mark.parametrize(
    "other",
    [{"state": "rejected"}, {"state": "pending"}, {"private_dns": False}, {"service_region": "us-east-1"}],
    ids=str,
)
def test_of_two_endpoints_for_a_service_the_one_that_serves_counts(other: dict[str, Any]) -> None:
    old, sound = interface_endpoint("ecr.dkr", id="vpce-old", **other), endpoints_only()
    endpoints = sound.network.endpoints
    assert not isinstance(endpoints, Unread)
    for both in ((old, *endpoints), (*endpoints, old)):
        estate = sound.with_facts(endpoints=both)
        assert works(estate)
        manifest = next(leg for leg in estate.trace().legs if leg.host == HOST)
        assert manifest.hops[0].evidence[0].startswith(f"{HOST} resolves to vpce-dkr")


@pytest.mark.parametrize("state", ["deleting", "deleted", "Deleting", "Deleted"])
def test_an_endpoint_that_is_going_or_gone_is_missing(state: str) -> None:
    assert faults(endpoints_only().endpoint("vpce-dkr", state=state)) == {("vpc_endpoint_missing", "vpc-1")}
    assert works(behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr", state=state),)))
