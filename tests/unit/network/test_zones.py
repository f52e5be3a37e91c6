"""Where the records of private hosted zones lead the registry's names, and the way to there."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from pull_responder.model.sighting import Sighting
from pull_responder.network import EndpointInterface, Owned, Path, Route, Surroundings, Unread, WantedKind
from pull_responder.network.resolver import Profile, ResolverRule
from pull_responder.network.zones import HostedZone, ZoneAnswer, ZoneRecord, look_up, zone_of
from tests.unit.network.enterprise import GATEWAY, HUB, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import HOST, REGION, endpoints_only, interface_endpoint, isolated

DKR, API, S3 = f"dkr.ecr.{REGION}.amazonaws.com", f"api.ecr.{REGION}.amazonaws.com", f"s3.{REGION}.amazonaws.com"
ALIAS = f"vpce-0123456789abcdef0-a1b2c3d4.{DKR}.vpce.amazonaws.com."


def zone(name: str, *records: ZoneRecord, owner: str = HUB) -> HostedZone:
    return HostedZone(name, f"Z-{name.partition('.')[0]}", owner, records)


def alias(name: str, endpoint: str, kind: str = "A") -> ZoneRecord:
    return ZoneRecord(name, kind, alias=f"{endpoint}-a1b2c3d4.{name.removeprefix('*.')}.vpce.amazonaws.com.")


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            ((ZoneRecord(f"*.{DKR}", "A", alias=ALIAS),), {"endpoint_id": "vpce-0123456789abcdef0"}),
            ((ZoneRecord(HOST, "A", alias=ALIAS),), {"endpoint_id": "vpce-0123456789abcdef0"}),
            ((ZoneRecord(HOST, "CNAME", (ALIAS,)),), {"endpoint_id": "vpce-0123456789abcdef0"}),
            (
                (ZoneRecord(HOST, "A", alias=ALIAS.replace("-a1b2c3d4", f"-a1b2c3d4-{REGION}a")),),
                {"endpoint_id": "vpce-0123456789abcdef0", "availability_zone": f"{REGION}a"},
            ),
            ((ZoneRecord(HOST, "A", ("10.100.1.12",)),), {"addresses": ("10.100.1.12",)}),
            ((ZoneRecord(DKR, "A", alias=ALIAS),), {"nothing": True}),  # the zone itself, and no wildcard
            ((ZoneRecord(f"*.{DKR}", "AAAA", ("fd00::1",)),), {"nothing": True}),
            # A name that exists with another type hides the wildcard (RFC 4592).
            ((ZoneRecord(f"*.{DKR}", "A", alias=ALIAS), ZoneRecord(HOST, "TXT", ("x",))), {"nothing": True}),
            ((ZoneRecord(HOST, "A", alias="lb-1.elb.amazonaws.com."),), {"elsewhere": "lb-1.elb.amazonaws.com."}),
            (
                (ZoneRecord(HOST, "A", ("10.1.1.1",), several=True),),
                {"elsewhere": f"one of several records for {HOST}"},
            ),
        ],
    )
    def test_of_a_zone(self, records: tuple[ZoneRecord, ...], expected: dict[str, object]) -> None:
        found = zone(DKR, *records)
        assert look_up(HOST, found, 4) == ZoneAnswer(found, **expected)  # type: ignore[arg-type]  # as the case says

    def test_unread_records_are_no_answer(self) -> None:
        unread = Unread("denied")
        assert look_up(HOST, HostedZone(DKR, "Z1", HUB, unread), 4) == unread

    def test_the_most_specific_zone_answers(self) -> None:
        zones = (zone("amazonaws.com"), zone(DKR), zone(API))
        assert zone_of(HOST, zones) == zones[1]
        assert zone_of("api.example.com", zones) is None


def shared(estate: Enterprise, *zones: HostedZone) -> Enterprise:
    """Return the estate in which the names lead to the hub's endpoints."""
    known = zones or (
        zone(API, alias(API, "vpce-00000000000000a1")),
        zone(DKR, alias(f"*.{DKR}", "vpce-00000000000000d1")),
    )
    facts = {"hosted_zones": known, "private_zones": tuple(each.name for each in known)}
    return replace(estate, spoke=estate.spoke.with_facts(**facts))


def hub_with_ids(estate: Enterprise) -> Enterprise:
    hub = estate.network().around.vpcs["vpc-hub"]
    assert not isinstance(hub, Unread)
    assert not isinstance(hub.endpoints, Unread)
    names = {"vpce-hub-api": "vpce-00000000000000a1", "vpce-hub-dkr": "vpce-00000000000000d1"}
    return estate.within("vpc-hub", endpoints=tuple(replace(each, id=names[each.id]) for each in hub.endpoints))


def traced(estate: Enterprise, endpoints: dict[str, Owned | Unread | None] | None = None) -> Path:
    place = Owned(HUB, REGION, "vpc-hub")
    known = {"vpce-00000000000000a1": place, "vpce-00000000000000d1": place} if endpoints is None else endpoints
    network = estate.network()
    around = replace(network.around, endpoints=known)
    return replace(estate.spoke, network=replace(network, around=around)).trace()


class TestTheWayToTheHub:
    def test_it_works(self) -> None:
        path = traced(shared(hub_with_ids(enterprise())))
        assert (faults(path), opened(path)) == (set(), set())
        ends = {leg.stage.value: leg.hops[-1].resource_id for leg in path.legs}
        assert ends["token"] == "vpce-00000000000000a1"
        assert ends["manifest"] == "vpce-00000000000000d1"

    def test_a_fault_in_the_hub_is_found_before_any_failure(self) -> None:
        path = traced(shared(hub_with_ids(enterprise())).routes("subnet-hub"))
        assert faults(path) == {("no_route_to_ecr", "subnet-hub")}

    def test_no_route_of_the_subnet_leads_to_the_hub(self) -> None:
        estate = shared(hub_with_ids(enterprise()))
        path = traced(replace(estate, spoke=estate.spoke.routes(Route("192.168.0.0/16", "tgw-1"))))
        assert ("no_route_to_ecr", "subnet-node") in faults(path)

    def test_a_gateway_without_a_route_is_to_send_it_to_the_hubs_attachment(self) -> None:
        estate = shared(hub_with_ids(enterprise().table("spokes", Route("192.168.0.0/16", "tgw-attach-out"))))
        ways = {leg.stage.value: [fault for hop in leg.hops for fault in hop.faults] for leg in traced(estate).legs}
        for stage in ("token", "manifest"):
            (fault,) = ways[stage]
            assert (fault.resource_id, fault.fixes[0].target) == ("tgw-rtb-spokes", "tgw-attach-hub")

    def test_what_it_asks_for_first_and_then(self) -> None:
        estate = shared(hub_with_ids(enterprise()))
        network = replace(estate.network(), around=Surroundings())
        path = replace(estate.spoke, network=network).trace()
        wanted = {(each.kind, each.id, each.account) for each in path.wanted}
        assert wanted == {
            (WantedKind.ENDPOINT, "vpce-00000000000000a1", HUB),
            (WantedKind.ENDPOINT, "vpce-00000000000000d1", HUB),
            (WantedKind.GATEWAY, "tgw-1", GATEWAY),
            (WantedKind.TABLE, "tgw-rtb-spokes", GATEWAY),
        }
        then = traced(replace(estate, vpcs={}, tables={"tgw-rtb-spokes": Unread("not of interest")}))
        assert (WantedKind.VPC, "vpc-hub", HUB) in {(each.kind, each.id, each.account) for each in then.wanted}
        assert (WantedKind.TABLE, "tgw-rtb-shared") in {(each.kind, each.id) for each in then.wanted}

    LEFT: ClassVar[dict[str, tuple[Unread | None, str]]] = {
        "the account has no such endpoint": (None, "has no such endpoint"),
        "the account cannot be read": (Unread("no member role in 222222222222"), "no member role in 222222222222"),
    }

    @pytest.mark.parametrize("name", LEFT)
    def test_an_endpoint_that_is_not_found_is_left_open(self, name: str) -> None:
        answer, words = self.LEFT[name]
        known: dict[str, Owned | Unread | None] = {"vpce-00000000000000a1": answer, "vpce-00000000000000d1": answer}
        path = traced(shared(hub_with_ids(enterprise())), known)
        assert faults(path) == set()
        assert any(words in doubt.reason for doubt in path.undecided)

    UNCERTAIN: ClassVar[dict[str, dict[str, object]]] = {
        "a Profile may bring another zone": {"profiles": (Profile("rp-1"),)},
        "a rule for the name outranks the zone": {
            "resolver_rules": (ResolverRule("rslvr-1", DKR, "FORWARD", ("1.1.1.1",)),)
        },
        "whether a Profile is there is not known": {"profiles": Unread("denied")},
    }

    @pytest.mark.parametrize("name", UNCERTAIN)
    def test_a_zone_that_may_not_be_what_answers_decides_nothing(self, name: str) -> None:
        estate = shared(hub_with_ids(enterprise())).routes("subnet-hub")
        path = traced(replace(estate, spoke=estate.spoke.with_facts(**self.UNCERTAIN[name])))
        assert ("no_route_to_ecr", "subnet-hub") not in {
            (fault.cause.value, fault.resource_id)
            for leg in path.legs
            if leg.stage.value == "manifest"
            for hop in leg.hops
            for fault in hop.faults
        }

    def test_a_zone_outranks_a_rule_for_all_names(self) -> None:
        estate = shared(hub_with_ids(enterprise())).routes("subnet-hub")
        everything = (ResolverRule("rslvr-1", "", "FORWARD", ("10.9.9.9",)),)
        path = traced(replace(estate, spoke=estate.spoke.with_facts(resolver_rules=everything)))
        assert faults(path) == {("no_route_to_ecr", "subnet-hub")}

    def test_a_more_specific_zone_that_was_not_read_leaves_the_name_open(self) -> None:
        parent = zone("amazonaws.com", alias(f"*.{DKR}", "vpce-00000000000000d1"))
        estate = shared(hub_with_ids(enterprise()), parent).routes("subnet-hub")
        path = traced(replace(estate, spoke=estate.spoke.with_facts(private_zones=("amazonaws.com", DKR))))
        assert faults(path) == set()
        assert any(
            f"{DKR}, answers for {HOST}, and its records were not read" in each.reason for each in path.undecided
        )

    def test_a_zone_above_private_dns_of_an_endpoint_decides_nothing(self) -> None:
        """Of two zones the more specific one answers, and private DNS of the VPC's own endpoint is one."""
        own = endpoints_only().network
        facts = {"endpoints": own.endpoints, "security_groups": own.security_groups}
        above = shared(hub_with_ids(enterprise()), zone("amazonaws.com", alias(f"*.{DKR}", "vpce-00000000000000d1")))
        below = shared(hub_with_ids(enterprise()), zone(HOST, alias(HOST, "vpce-00000000000000d1")))
        broken = [each.routes("subnet-hub") for each in (above, below)]
        first, second = [traced(replace(each, spoke=each.spoke.with_facts(**facts))) for each in broken]
        assert faults(first) == set()
        assert faults(second) == {("no_route_to_ecr", "subnet-hub")}

    def test_what_kubelet_dialled_instead_outranks_the_zone(self) -> None:
        estate = shared(hub_with_ids(enterprise())).routes("subnet-hub")
        seen = Sighting(HOST, "52.1.2.3", 443)
        path = traced(replace(estate, spoke=replace(estate.spoke, sighting=seen)))
        assert faults(path) == set()
        assert any("although the private hosted zone" in doubt.reason for doubt in path.undecided)


def test_a_zone_may_stand_for_private_dns_of_an_endpoint_in_the_same_vpc() -> None:
    own = replace(interface_endpoint("ecr.dkr", private_dns=False), id="vpce-00000000000000d1")
    assert own.interfaces == (EndpointInterface("subnet-endpoints", ("10.0.2.12",)),)
    estate = endpoints_only().without("vpce-dkr")
    endpoints = estate.network.endpoints
    assert not isinstance(endpoints, Unread)
    records = zone(DKR, alias(f"*.{DKR}", "vpce-00000000000000d1"))
    found = estate.with_facts(endpoints=(*endpoints, own), hosted_zones=(records,), private_zones=(DKR,))
    assert (faults(found.trace()), opened(found.trace())) == (set(), set())
    shut = found.ingress()
    assert ("endpoint_security_group_blocks_ingress", "sg-endpoint") in faults(shut.trace())


def test_a_zone_without_a_record_says_so() -> None:
    estate = isolated().with_facts(hosted_zones=(zone(DKR),), private_zones=(DKR,))
    doubts = [doubt.reason for leg in estate.trace().legs[1:2] for hop in leg.hops for doubt in hop.undecided]
    assert any(f"a private hosted zone, {DKR}, answers for {HOST}, and has no record for it" in each for each in doubts)
