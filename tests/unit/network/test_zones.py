"""Where the records of private hosted zones lead the registry's names, and the way to there."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.network import (
    EndpointInterface,
    Owned,
    Path,
    PathCause,
    RegistryPlace,
    Route,
    Surroundings,
    Unread,
    WantedKind,
)
from pull_responder.network.names import By, OtherAnswer, other_answer
from pull_responder.network.resolver import Profile, ResolverRule
from pull_responder.network.zones import HostedZone, ZoneAnswer, ZoneRecord, look_up, zone_of
from tests.unit.network.enterprise import GATEWAY, HUB, TO_GATEWAY, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import (
    HOST,
    REGION,
    TO_S3,
    behind_nat,
    endpoints_only,
    interface_endpoint,
    isolated,
    rule,
)

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
            ((ZoneRecord(HOST, "A", alias="lb-1.elb.amazonaws.com."),), {"elsewhere": "lb-1.elb.amazonaws.com"}),
            # A wildcard for the zone's own name, which leads to the endpoint.
            (
                (ZoneRecord(DKR, "A", alias=ALIAS), ZoneRecord(f"*.{DKR}", "A", alias=f"{DKR}.")),
                {"endpoint_id": "vpce-0123456789abcdef0"},
            ),
            (
                (ZoneRecord(DKR, "A", alias=ALIAS), ZoneRecord(f"*.{DKR}", "CNAME", (DKR.upper(),))),
                {"endpoint_id": "vpce-0123456789abcdef0"},
            ),
            # Another zone may answer for what a CNAME names. An alias stays in its zone.
            (
                (ZoneRecord(HOST, "CNAME", (f"a.{DKR}",)), ZoneRecord(f"a.{DKR}", "A", alias=ALIAS)),
                {"elsewhere": f"a.{DKR}"},
            ),
            (
                (ZoneRecord(HOST, "A", alias=f"a.{DKR}"), ZoneRecord(f"a.{DKR}", "A", ("10.100.1.12",))),
                {"addresses": ("10.100.1.12",)},
            ),
            ((ZoneRecord(f"*.{DKR}", "CNAME", (DKR,)),), {"elsewhere": DKR}),
            ((ZoneRecord(f"*.{DKR}", "A", alias=f"a.{DKR}"),), {"elsewhere": f"a.{DKR}"}),
            (
                (ZoneRecord(HOST, "A", alias=f"a.{DKR}"), ZoneRecord(f"a.{DKR}", "A", alias=HOST)),
                {"elsewhere": HOST},
            ),
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

    @pytest.mark.parametrize("state", ["deleting", "failed", "rejected", "pendingAcceptance"])
    def test_an_endpoint_that_takes_no_traffic_is_its_owners_fault(self, state: str) -> None:
        estate = shared(hub_with_ids(enterprise()))
        hub = estate.network().around.vpcs["vpc-hub"]
        assert not isinstance(hub, Unread)
        assert not isinstance(hub.endpoints, Unread)
        endpoints = tuple(
            replace(each, state=state) if each.id == "vpce-00000000000000d1" else each for each in hub.endpoints
        )
        (fault,) = traced(estate.within("vpc-hub", endpoints=endpoints)).faults
        assert (fault.cause.value, fault.resource_id) == ("vpc_endpoint_unavailable", "vpce-00000000000000d1")
        assert fault.owned == Owned(HUB, REGION, "vpc-hub")

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
        # It has no record for the other hosts.
        assert faults(path) == {("vpc_dns_disabled", "Z-amazonaws")}
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
        # For S3, which has no private DNS here, it has no record.
        assert faults(first) == {("vpc_dns_disabled", "Z-amazonaws")}
        assert faults(second) == {("no_route_to_ecr", "subnet-hub")}

    def test_an_address_to_which_the_zone_leads_leaves_the_other_ways_certain(self) -> None:
        estate = shared(hub_with_ids(enterprise()))
        hub = estate.network().around.vpcs["vpc-hub"]
        assert not isinstance(hub, Unread)
        assert not isinstance(hub.endpoints, Unread)
        api, dkr = hub.endpoints
        broken = estate.within("vpc-hub", endpoints=(replace(api, state="rejected"), dkr)).dialling_hub()
        path = traced(broken)
        assert faults(path) == {("vpc_endpoint_unavailable", "vpce-00000000000000a1")}
        # Another address than the zone's says that names lead elsewhere.
        other = Sighting(HOST, "10.100.1.99", 443)
        path = traced(replace(broken, spoke=replace(broken.spoke, sighting=other)))
        assert faults(path) == set()

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


class TestAZoneWithoutTheRecord:
    def test_the_name_does_not_exist_and_the_zone_is_at_fault(self) -> None:
        found = zone(DKR, ZoneRecord(DKR, "SOA", ("x",)), alias(DKR, "vpce-00000000000000d1"))
        path = isolated().with_facts(hosted_zones=(found,), private_zones=(DKR,)).trace()
        (fault,) = [each for each in path.faults if each.cause.value == "vpc_dns_disabled"]
        assert (fault.resource_type, fault.resource_id) == ("AwsRoute53HostedZone", found.id)
        assert fault.owned == Owned(HUB, REGION)
        assert f"answers for {HOST} in vpc-1 and has no record for it" in fault.explanation
        assert fault.evidence == (f"records of {found.id} ({DKR}): {DKR} (A)",)
        (fix,) = fault.fixes
        assert (fix.host, fix.endpoint_id) == (f"*.{DKR}", "vpce-00000000000000d1")

    def test_a_way_to_the_internet_does_not_help(self) -> None:
        estate = behind_nat().with_facts(hosted_zones=(zone(DKR),), private_zones=(DKR,))
        assert faults(estate.trace()) == {("vpc_dns_disabled", zone(DKR).id)}
        failed = replace(estate, sighting=Sighting(HOST, unresolved=True, stage=Stage.MANIFEST))
        assert (faults(failed.trace()), opened(failed.trace())) == ({("vpc_dns_disabled", zone(DKR).id)}, set())

    def test_a_zone_for_all_of_amazonaws_lacks_the_host_itself(self) -> None:
        found = zone("amazonaws.com", alias(f"*.{DKR}", "vpce-00000000000000d1"))
        path = behind_nat().with_facts(hosted_zones=(found,), private_zones=(found.name,)).trace()
        assert {fix.host for fault in path.faults for fix in fault.fixes} == {
            f"api.ecr.{REGION}.amazonaws.com",
            f"prod-{REGION}-starport-layer-bucket.{S3}",
        }

    NEAR: ClassVar[dict[str, dict[str, object]]] = {
        "a more specific zone answers": {
            "hosted_zones": (zone("amazonaws.com"), zone(HOST, ZoneRecord(HOST, "A", ("10.0.2.12",)))),
            "private_zones": ("amazonaws.com", HOST),
        },
        "a rule for the same name outranks it": {
            "hosted_zones": (zone(DKR),),
            "private_zones": (DKR,),
            "resolver_rules": (ResolverRule("rslvr-1", DKR, "FORWARD", ("1.1.1.1",)),),
        },
        "its records were not read": {
            "hosted_zones": (HostedZone(DKR, "Z1", HUB, Unread("denied")),),
            "private_zones": (DKR,),
        },
        "it may have a record of the other IP version": {
            "hosted_zones": (zone(DKR, ZoneRecord(HOST, "AAAA", ("fd00::1",))),),
            "private_zones": (DKR,),
        },
        "what a Profile holds is not known": {
            "hosted_zones": (zone(DKR),),
            "private_zones": (DKR,),
            "profiles": (Profile("rp-1"),),
        },
    }

    @pytest.mark.parametrize("name", NEAR)
    def test_near_misses(self, name: str) -> None:
        path = behind_nat().with_facts(**self.NEAR[name]).trace()
        (manifest,) = [leg for leg in path.legs if leg.stage is Stage.MANIFEST]
        assert not any(fault.cause.value == "vpc_dns_disabled" for hop in manifest.hops for fault in hop.faults)

    def test_what_kubelet_dialled_shows_that_something_answered(self) -> None:
        estate = behind_nat().with_facts(hosted_zones=(zone(DKR),), private_zones=(DKR,))
        seen = replace(estate, sighting=Sighting(HOST, "52.1.2.3", 443))
        assert faults(seen.trace()) == set()
        assert "vpc_dns_disabled" in opened(seen.trace())


class TestWhichAnswers:
    """Zones and rules of the VPC and of its Profile: the most specific one, of the same name the VPC's own."""

    OWN = zone(DKR, alias(f"*.{DKR}", "vpce-00000000000000d1"))
    OF_PROFILE = replace(zone(DKR, ZoneRecord(f"*.{DKR}", "A", ("10.9.9.9",))), id="Z-profile", profile="rp-1")
    READ = Profile("rp-1", "shared", "")

    def facts(self, *zones: HostedZone, rules: tuple[ResolverRule, ...] = ()) -> dict[str, object]:
        return {
            "hosted_zones": zones,
            "private_zones": tuple(each.name for each in zones),
            "profiles": (self.READ,),
            "resolver_rules": rules,
        }

    def answer(self, *zones: HostedZone, rules: tuple[ResolverRule, ...] = ()) -> OtherAnswer:
        return other_answer(HOST, isolated().with_facts(**self.facts(*zones, rules=rules)).network)

    def test_of_the_same_name_the_vpcs_own(self) -> None:
        assert self.answer(self.OWN, self.OF_PROFILE).zone == self.OWN
        assert self.answer(self.OF_PROFILE, self.OWN).zone == self.OWN

    def test_the_more_specific_one_of_the_profile(self) -> None:
        special = replace(self.OF_PROFILE, name=HOST)
        special = replace(special, records=(ZoneRecord(HOST, "A", ("10.9.9.9",)),))
        assert self.answer(self.OWN, special).zone == special
        assert "of Route 53 Profile rp-1" in str(special)

    def test_a_profile_that_was_read_leaves_nothing_open(self) -> None:
        assert self.answer() == OtherAnswer()
        assert self.answer(self.OF_PROFILE).zone == self.OF_PROFILE

    def test_a_rule_of_the_profile_for_the_name_of_an_own_zone_may_win_or_not(self) -> None:
        rule = ResolverRule("rslvr-1", DKR, "FORWARD", ("1.1.1.1",), profile="rp-1")
        found = self.answer(self.OWN, rules=(rule,))
        assert (found.by, found.zone) == (By.RULE, None)
        assert "Resolver rule rslvr-1 of Route 53 Profile rp-1" in found.shown

    def test_a_less_specific_rule_does_not_outrank_a_zone(self) -> None:
        rule = ResolverRule("rslvr-1", "amazonaws.com", "FORWARD", ("1.1.1.1",))
        assert self.answer(self.OWN, rules=(rule,)).zone == self.OWN

    def test_a_rule_of_the_vpc_that_keeps_a_name_outranks_one_of_the_profile_that_sends_it_away(self) -> None:
        away = ResolverRule("rslvr-1", DKR, "FORWARD", ("1.1.1.1",), profile="rp-1")
        keep = ResolverRule("rslvr-2", DKR, "SYSTEM")
        assert self.answer(rules=(away, keep)) == OtherAnswer()

    def test_private_dns_of_an_own_endpoint_outranks_the_profiles_zone_of_the_same_name(self) -> None:
        silent = replace(self.OF_PROFILE, records=())
        estate = endpoints_only().with_facts(**self.facts(silent))
        assert (faults(estate.trace()), opened(estate.trace())) == (set(), set())
        exact = replace(silent, name=HOST)
        assert ("vpc_dns_disabled", "Z-profile") in faults(endpoints_only().with_facts(**self.facts(exact)).trace())

    def test_a_less_specific_zone_does_not_outrank_private_dns(self) -> None:
        estate = endpoints_only().with_facts(hosted_zones=(zone("com"),), private_zones=("com",))
        legs = {leg.stage: leg for leg in estate.trace().legs}
        assert not any(hop.faults or hop.undecided for hop in legs[Stage.MANIFEST].hops)


class TestDualStackNames:
    """Names below on.aws and api.aws, over both IP versions."""

    REGISTRY = RegistryPlace(f"111111111111.dkr-ecr.{REGION}.on.aws", REGION)

    def path(self, *zones: HostedZone) -> Path:
        estate = replace(behind_nat(), registry=self.REGISTRY)
        return estate.with_facts(hosted_zones=zones, private_zones=tuple(each.name for each in zones)).trace()

    def test_a_zone_for_them_leads_to_an_address_of_the_hub(self) -> None:
        registries = zone(f"dkr-ecr.{REGION}.on.aws", ZoneRecord(f"*.dkr-ecr.{REGION}.on.aws", "A", ("10.100.1.12",)))
        api = zone(f"ecr.{REGION}.api.aws", ZoneRecord(f"ecr.{REGION}.api.aws", "A", ("10.100.1.11",)))
        legs = {leg.stage: leg for leg in self.path(registries, api).legs}
        for stage, address in ((Stage.TOKEN, "10.100.1.11"), (Stage.MANIFEST, "10.100.1.12")):
            assert any(
                address in line for hop in legs[stage].hops for line in (*hop.evidence, *map(str, hop.undecided))
            )

    @pytest.mark.parametrize("name", [f"dkr-ecr.{REGION}.on.aws", f"{REGION}.on.aws", "on.aws", "aws"])
    def test_a_zone_above_them_without_a_record_hides_the_registry(self, name: str) -> None:
        found = zone(name)
        faulty = {
            (each.cause.value, each.resource_id) for leg in self.path(found).legs for h in leg.hops for each in h.faults
        }
        assert ("vpc_dns_disabled", found.id) in faulty

    def test_a_zone_for_the_names_of_ipv4_does_not_touch_them(self) -> None:
        manifest = next(leg for leg in self.path(zone(DKR)).legs if leg.stage is Stage.MANIFEST)
        assert not any(hop.faults for hop in manifest.hops)

    def test_a_zone_that_may_be_hidden_by_private_dns_decides_nothing(self) -> None:
        """Whether private DNS of the endpoint has the name is not known: if it does, it is more specific."""
        estate = replace(endpoints_only(), registry=self.REGISTRY)
        path = estate.with_facts(hosted_zones=(zone("on.aws"),), private_zones=("on.aws",)).trace()
        manifest = next(leg for leg in path.legs if leg.stage is Stage.MANIFEST)
        assert not any(fault.cause.value == "vpc_dns_disabled" for hop in manifest.hops for fault in hop.faults)
        assert any("private DNS of vpce-dkr may" in doubt.reason for hop in manifest.hops for doubt in hop.undecided)


def test_a_zone_that_was_not_read_may_lead_s3_past_its_gateway_endpoint() -> None:
    """A node that may open connections to private addresses alone reaches a hub's endpoint all the same."""
    own = endpoints_only().routes(TO_GATEWAY, TO_S3)
    private = own.egress(rule("10.0.0.0/8"))
    (s3,) = [leg for leg in private.trace().legs if leg.stage is Stage.LAYER]
    assert PathCause.SECURITY_GROUP_BLOCKS_EGRESS in {fault.cause for hop in s3.hops for fault in hop.faults}
    (s3,) = [leg for leg in private.with_facts(private_zones=Unread("denied")).trace().legs if leg.stage is Stage.LAYER]
    assert PathCause.SECURITY_GROUP_BLOCKS_EGRESS not in {fault.cause for hop in s3.hops for fault in hop.faults}
