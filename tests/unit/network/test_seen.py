"""What kubelet's message shows of the way: an address that the computed way does not lead to, and another host."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.model.unread import Unread
from pull_responder.network import Route
from tests.unit.network.estate import (
    DENIED,
    HOST,
    S3_GATEWAY,
    TO_NAT,
    TO_S3,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    interface_endpoint,
    isolated,
    open_causes,
    rule,
    seen_by,
    works,
)
from tests.unit.network.test_public_access import by_ipv6

TO_HUB = Route("10.0.0.0/8", "tgw-1")
HUB = "10.100.1.10"
BUCKET = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"


def dialled(address: str, host: str = HOST, port: int = 443) -> Sighting:
    return Sighting(host, address, port, stage=Stage.MANIFEST)


def seen(estate: SampleNetwork, address: str, host: str = HOST) -> SampleNetwork:
    return seen_by(estate, dialled(address, host))


def spoke() -> SampleNetwork:
    return endpoints_only().without("vpce-api", "vpce-dkr").routes(TO_HUB, TO_S3)


ESTATES = {"isolated": isolated(), "NAT": behind_nat(), "endpoints": endpoints_only(), "spoke": spoke()}


class TestAPrivateAddressOutsideTheVpc:
    @pytest.mark.parametrize("target", ["tgw-1", "pcx-1", "vgw-1", "eni-1", "lgw-1"])
    def test_what_lies_beyond_the_vpc_is_open(self, target: str) -> None:
        estate = seen(spoke().routes(Route("10.0.0.0/8", target), TO_S3), HUB)
        assert faults(estate) == set()
        assert "no_route_to_ecr" in open_causes(estate)

    @pytest.mark.parametrize("address", ["10.100.1.10", "172.20.0.9", "192.168.7.7", "100.64.9.9"])
    def test_no_route_is_certain(self, address: str) -> None:
        assert faults(seen(isolated(), address)) == {("no_route_to_ecr", "subnet-node")}

    @pytest.mark.parametrize("way", ["NAT", "endpoints"])
    def test_a_sound_way_needs_no_route_there(self, way: str) -> None:
        """The name's answer may be what has to be mended."""
        estate = seen(ESTATES[way], HUB)
        assert (faults(estate), "no_route_to_ecr" in open_causes(estate)) == (set(), True)
        closed = seen(ESTATES[way].egress(rule("10.0.0.0/16"), rule("pl-s3")), HUB)
        assert "security_group_blocks_egress" in open_causes(closed) | {cause for cause, _ in faults(closed)}

    def test_a_blackhole_is_certain(self) -> None:
        estate = seen(spoke().routes(Route("10.0.0.0/8", "tgw-1", active=False), TO_S3), HUB)
        assert faults(estate) == {("no_route_to_ecr", "subnet-node")}

    @pytest.mark.parametrize(("target", "is_sound"), [("igw-1", False), ("eigw-1", True), ("nat-1", True)])
    def test_the_internet_has_no_private_addresses(self, target: str, *, is_sound: bool) -> None:
        estate = seen(isolated().routes(Route("0.0.0.0/0", target)), HUB)
        assert faults(estate) == (set() if is_sound else {("no_route_to_ecr", "subnet-node")})
        assert ("no_route_to_ecr" in open_causes(estate)) is is_sound

    def test_a_nat_gateway_may_lead_to_the_hub(self) -> None:
        estate = behind_nat().routes(Route("0.0.0.0/0", "igw-1"), TO_HUB, subnet="subnet-public")
        assert faults(seen(estate, HUB)) == set()
        assert faults(seen(behind_nat().nat(subnet_id=None), HUB)) == set()
        assert faults(seen(behind_nat().with_facts(nat_gateways=DENIED), HUB)) == set()

    def test_the_more_specific_route_counts(self) -> None:
        assert faults(seen(behind_nat().routes(TO_NAT, TO_HUB), HUB)) == set()
        away = behind_nat().routes(TO_NAT, Route("10.200.0.0/16", "tgw-1"))
        assert (faults(seen(away, HUB)), "no_route_to_ecr" in open_causes(seen(away, HUB))) == (set(), True)

    def test_what_was_not_read_is_open(self) -> None:
        for estate in (
            spoke().with_facts(route_tables=DENIED),
            spoke().routes(Route("pl-corp", "tgw-1"), TO_S3).with_facts(prefix_lists={"pl-corp": Unread("denied")}),
        ):
            assert (faults(seen(estate, HUB)), "no_route_to_ecr" in open_causes(seen(estate, HUB))) == (set(), True)

    def test_the_nodes_group_is_judged_for_this_address(self) -> None:
        assert "security_group_blocks_egress" not in open_causes(
            seen(spoke().egress(rule("10.0.0.0/8"), rule("pl-s3")), HUB)
        )
        closed = seen(spoke().egress(rule("10.0.0.0/16"), rule("pl-s3")), HUB)
        assert faults(closed) == {("security_group_blocks_egress", "sg-node")}
        (fault,) = closed.trace().faults
        assert [fix.peer for fix in fault.fixes] == [None]
        # A group of a peered VPC may cover it.
        by_group = seen(spoke().egress(rule("sg-hub"), rule("pl-s3")), HUB)
        assert (faults(by_group), "security_group_blocks_egress" in open_causes(by_group)) == (set(), True)

    def test_what_was_on_the_computed_way_is_open(self) -> None:
        assert "nat_gateway_unavailable" in open_causes(seen(behind_nat(), HUB))

    def test_where_no_other_cause_is_open_no_hop_is_without_one(self) -> None:
        of_cdn = Sighting(TestTheHost.CDN, HUB, 443, stage=Stage.LAYER)
        assert all(hop.causes for leg in seen_by(isolated(), of_cdn).trace().legs for hop in leg.hops)

    def test_the_endpoints_of_this_vpc_prove_nothing(self) -> None:
        estate = seen(endpoints_only().ingress().routes(TO_HUB, TO_S3), HUB)
        assert faults(estate) == set()
        assert "endpoint_security_group_blocks_ingress" in open_causes(estate)

    def test_other_names_may_lead_there_too(self) -> None:
        estate = seen(spoke().routes(TO_HUB), HUB)  # S3's endpoint is not in the route table
        assert (faults(estate), "s3_endpoint_not_in_route_table" in open_causes(estate)) == (set(), True)


class TestAPublicAddress:
    def test_it_settles_which_way_a_name_leads_that_an_endpoint_may_hold(self) -> None:
        fips = "111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com"
        estate = endpoints_only().pulling(fips)
        assert faults(estate) == set()
        assert ("vpc_endpoint_missing", "vpc-1") in faults(seen(estate, "54.1.2.3", fips))

    def test_where_nobody_else_is_known_to_answer_it_leaves_no_fault_open(self) -> None:
        assert (faults(seen(spoke(), "54.1.2.3")), open_causes(seen(spoke(), "54.1.2.3"))) == (faults(spoke()), set())

    def test_without_its_port_it_was_dialled_for_https(self) -> None:
        assert works(seen_by(behind_nat(), dialled("54.1.2.3", port=0)))

    def test_a_public_address_of_ipv6_goes_the_way_of_ipv6(self) -> None:
        host = "111111111111.dkr-ecr.eu-west-1.on.aws"
        estate = by_ipv6().egress(rule("::/0")).pulling(host)
        assert works(seen(estate, "2600:1f18::9", host))
        closed = seen(estate.egress(), "2600:1f18::9", host)
        assert faults(closed) == {("security_group_blocks_egress", "sg-node")}

    def test_where_no_endpoints_were_read_it_changes_nothing(self) -> None:
        estate = behind_nat().with_facts(endpoints=DENIED)
        assert open_causes(seen(estate, "54.1.2.3")) == open_causes(estate)
        assert faults(seen(estate, "54.1.2.3")) == set()

    def test_an_endpoint_that_should_take_it_leaves_the_way_open(self) -> None:
        estate = seen(endpoints_only().ingress(), "54.1.2.3")
        assert faults(estate) == set()
        assert {"no_route_to_ecr", "endpoint_security_group_blocks_ingress"} <= open_causes(estate)

    def test_it_does_not_excuse_a_name_that_leads_to_public_addresses_anyway(self) -> None:
        estate = endpoints_only().endpoint("vpce-api", private_dns=False)
        assert faults(seen(estate, "54.1.2.3")) == {("endpoint_private_dns_disabled", "vpce-api")}

    def test_as_computed_it_changes_nothing(self) -> None:
        assert works(seen(behind_nat(), "54.1.2.3"))
        for estate in (behind_nat().egress(), isolated(), behind_nat().nat(state="failed")):
            assert faults(seen(estate, "54.1.2.3")) == faults(estate)

    def test_an_address_that_is_none_of_s3_is_not_the_gateway_endpoints(self) -> None:
        estate = endpoints_only().with_facts(endpoints=(interface_endpoint("ecr.api"), S3_GATEWAY)).routes()
        assert ("s3_endpoint_not_in_route_table", "rtb-node") in faults(seen(estate, "52.218.1.1", BUCKET))
        assert "s3_endpoint_not_in_route_table" in open_causes(seen(estate, "44.1.1.1", BUCKET))


class TestAnAddressInTheVpc:
    def test_an_interface_of_the_endpoint_is_certain_whoever_answers(self) -> None:
        estate = endpoints_only().ingress().vpc(dns_servers=("10.9.9.9",))
        assert faults(estate) == set()
        assert faults(seen(estate, "10.0.2.12")) == {("endpoint_security_group_blocks_ingress", "sg-endpoint")}

    def test_it_shows_that_the_endpoint_is_there_and_that_its_name_leads_to_it(self) -> None:
        leg = seen(endpoints_only().endpoint("vpce-dkr", private_dns=False), "10.0.2.12").trace().legs[0]
        assert [cause.value for cause in leg.hops[0].causes] == [
            "vpc_dns_disabled",
            "vpc_endpoint_missing",
            "endpoint_private_dns_disabled",
        ]

    def test_an_endpoint_without_private_dns_may_be_reached_by_a_zone(self) -> None:
        estate = endpoints_only().endpoint("vpce-dkr", private_dns=False)
        assert faults(estate) == {("endpoint_private_dns_disabled", "vpce-dkr")}
        assert works(seen(estate, "10.0.2.12"))

    def test_an_address_that_it_may_have_had_changes_nothing(self) -> None:
        estate = endpoints_only().ingress()
        assert faults(seen(estate, "10.0.2.99")) == faults(estate)
        unread = estate.endpoint("vpce-dkr", interfaces=DENIED)
        assert faults(seen(unread, "10.0.2.99")) == faults(unread)

    def test_which_address_it_may_have_had_depends_on_what_was_read(self) -> None:
        closed = endpoints_only().ingress()
        unread = closed.endpoint("vpce-dkr", interfaces=DENIED)
        for estate in (
            closed.endpoint("vpce-dkr", interfaces=()),
            closed.with_facts(subnets=DENIED),
            unread.with_facts(subnets=DENIED),
        ):
            assert faults(seen(estate, "10.0.77.7")) == faults(estate)
        # It is in no subnet of the endpoint.
        assert faults(seen(unread, "10.0.77.7")) == set()

    def test_any_other_address_leaves_the_way_open(self) -> None:
        estate = seen(endpoints_only().ingress(), "10.0.77.7")
        assert faults(estate) == set()
        assert {"no_route_to_ecr", "endpoint_security_group_blocks_ingress"} <= open_causes(estate)
        assert "no_route_to_ecr" in open_causes(seen(behind_nat(), "10.0.77.7"))


@pytest.mark.parametrize("way", ESTATES)
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.1.1", "::1", "0.0.0.1", "224.0.0.1", "198.18.0.1"])
def test_an_address_of_no_registry_leaves_the_way_open(way: str, address: str) -> None:
    estate = seen(ESTATES[way], address)
    assert faults(estate) == set()
    assert "no_route_to_ecr" in open_causes(estate)


def test_another_port_leaves_the_way_open() -> None:
    estate = seen_by(behind_nat(), dialled("54.1.2.3", port=5000))
    assert (faults(estate), "no_route_to_ecr" in open_causes(estate)) == (set(), True)


def test_without_the_vpcs_blocks_a_private_address_leaves_the_way_open() -> None:
    estate = seen(spoke().with_facts(vpc=DENIED), HUB)
    assert faults(estate) == set()
    assert "no_route_to_ecr" in open_causes(estate)


@given(st.ip_addresses(), st.sampled_from(sorted(ESTATES)))
def test_no_address_makes_a_sound_way_out_of_one_that_it_does_not_take(address: object, way: str) -> None:
    """An address that is neither public nor an endpoint's is never without a fault or a doubt."""
    found = ip_address(str(address))
    path = seen(ESTATES[way], str(found)).trace()
    if not found.is_global and str(found) not in ("10.0.2.11", "10.0.2.12"):
        assert path.faults or path.undecided


class TestTheHost:
    CDN = "production.cloudflare.docker.com"

    @pytest.mark.parametrize("address", ["104.16.1.1", ""])
    def test_an_upstreams_storage_needs_the_internet(self, address: str) -> None:
        of_cdn = Sighting(self.CDN, address, 443, stage=Stage.LAYER)
        assert faults(seen_by(endpoints_only(), of_cdn)) == {("no_route_to_ecr", "subnet-node")}
        assert faults(seen_by(endpoints_only().routes(), of_cdn)) == {("no_route_to_ecr", "subnet-node")}
        assert works(seen_by(behind_nat(), of_cdn))

    def test_what_the_route_does_not_mend_stays_a_fault(self) -> None:
        of_cdn = Sighting(self.CDN, "104.16.1.1", 443, stage=Stage.LAYER)
        assert faults(seen_by(endpoints_only().ingress(), of_cdn)) == {
            ("no_route_to_ecr", "subnet-node"),
            ("endpoint_security_group_blocks_ingress", "sg-endpoint"),
        }

    @pytest.mark.parametrize("host", ["mirror.corp.example", "sts.eu-west-1.amazonaws.com", "docker.com.evil.example"])
    def test_a_host_of_which_nothing_is_known_leaves_the_way_open(self, host: str) -> None:
        estate = seen_by(behind_nat(), Sighting(host, port=443))
        assert faults(estate) == set()
        assert {"no_route_to_ecr", "nat_gateway_unavailable"} <= open_causes(estate)

    def test_a_mirror_may_stand_for_the_registry(self) -> None:
        assert faults(seen_by(isolated(), Sighting("mirror.corp.example", port=443))) == set()
        assert faults(seen_by(isolated(), Sighting("sts.eu-west-1.amazonaws.com", port=443))) == {
            ("no_route_to_ecr", "subnet-node")
        }

    def test_another_name_of_the_registry_is_its_own_way(self) -> None:
        other = "222222222222.dkr.ecr.eu-west-1.amazonaws.com"
        assert works(seen_by(endpoints_only(), Sighting(other, "10.0.2.12", 443, stage=Stage.MANIFEST)))
        far = "222222222222.dkr.ecr.us-east-2.amazonaws.com"
        estate = seen_by(endpoints_only(), Sighting(far, "54.1.1.1", 443, stage=Stage.MANIFEST))
        assert faults(estate) == {("no_route_to_ecr", "subnet-node")}

    def test_the_host_of_the_message_comes_first(self) -> None:
        assert behind_nat().trace().legs[0].host != HOST
        assert seen(behind_nat(), "54.1.2.3").trace().legs[0].host == HOST

    def test_no_endpoint_serves_an_upstreams_storage(self) -> None:
        estate = seen_by(behind_nat().routes(TO_NAT, TO_HUB), Sighting(self.CDN, HUB, 443, stage=Stage.LAYER))
        (leg,) = [leg for leg in estate.trace().legs if leg.host == self.CDN]
        doubts = {doubt.cause.value for hop in leg.hops for doubt in hop.undecided}
        assert doubts == {"no_route_to_ecr", "nat_gateway_unavailable", "transit_gateway_blocks_traffic"}

    @pytest.mark.parametrize(
        ("server", "is_other"), [("10.9.9.9", True), ("10.0.0.2", False), ("127.0.0.53", False), ("", False)]
    )
    def test_the_server_that_kubelet_asked_may_answer_otherwise(self, server: str, *, is_other: bool) -> None:
        estate = seen_by(endpoints_only().ingress(), Sighting(HOST, server=server, stage=Stage.MANIFEST))
        of_endpoint = {("endpoint_security_group_blocks_ingress", "sg-endpoint")}
        assert faults(estate) == (set() if is_other else of_endpoint)
        assert ("endpoint_security_group_blocks_ingress" in open_causes(estate)) is is_other


def test_an_address_in_the_vpc_whose_endpoints_were_not_read_proves_nothing() -> None:
    estate = behind_nat().with_facts(endpoints=DENIED)
    assert open_causes(seen(estate, "10.0.77.7")) == open_causes(estate)
    assert faults(seen(estate, "10.0.77.7")) == set()


def test_the_route_to_a_dialled_address_is_open_where_the_table_was_not_read() -> None:
    leg = seen(spoke().with_facts(route_tables=DENIED), HUB).trace().legs[0]
    assert [hop.verdict.value for hop in leg.hops if hop.kind.value == "route"] == ["undecided"]


@pytest.mark.parametrize(("routes", "is_sound"), [((TO_HUB,), True), ((Route("pl-x", "tgw-1"),), True), ((), False)])
def test_what_a_nat_gateways_table_has_for_a_dialled_address(routes: tuple[Route, ...], *, is_sound: bool) -> None:
    estate = isolated().routes(Route("10.0.0.0/8", "nat-1")).routes(*routes, subnet="subnet-public")
    assert faults(seen(estate, HUB)) == (set() if is_sound else {("no_route_to_ecr", "subnet-node")})


def test_a_public_address_where_a_zone_should_lead_to_the_hub_leaves_open_what_the_hub_would_serve() -> None:
    zone = {"private_zones": ("dkr.ecr.eu-west-1.amazonaws.com",)}
    found = seen(spoke().with_facts(**zone), "54.1.2.3")
    assert (faults(found), open_causes(found)) == (set(), {"vpc_endpoint_missing"})
    # Without a route to another network there is no hub.
    alone = seen(spoke().routes(TO_S3).with_facts(**zone), "54.1.2.3")
    assert faults(alone) == {("vpc_endpoint_missing", "vpc-1")}


def test_only_the_layers_may_go_by_a_gateway_endpoint_that_was_not_read() -> None:
    legs = behind_nat().with_facts(endpoints=DENIED).nat(state="failed").trace().legs
    open_for_s3 = {
        leg.host: "s3_endpoint_not_in_route_table" in {doubt.cause.value for hop in leg.hops for doubt in hop.undecided}
        for leg in legs
    }
    assert [host for host, is_open in open_for_s3.items() if is_open] == [BUCKET]
