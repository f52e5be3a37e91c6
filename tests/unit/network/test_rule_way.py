"""Resolver rules: where a question goes, who answers it there, and where the answer leads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.model.verdict import Remediation
from pull_responder.network import (
    NetworkAcl,
    NetworkAclEntry,
    Owned,
    Path,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Surroundings,
    Unread,
    WantedKind,
)
from pull_responder.network.model import Network
from pull_responder.network.resolver import FirewallRule, Profile, ResolverRule
from pull_responder.network.resolver_endpoints import ResolverEndpoint, ResolverInterface
from pull_responder.network.zones import HostedZone
from pull_responder.pulls.network_changes import network_after
from tests.unit.network.enterprise import GATEWAY, HUB, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import EVERYTHING_OUT, HOST, REGION, SampleNetwork, isolated
from tests.unit.network.test_zones import API, DKR, alias, hub_with_ids, zone

AWS = "amazonaws.com"
IN = ResolverEndpoint(
    "rslvr-in-1",
    "INBOUND",
    "OPERATIONAL",
    "vpc-hub",
    HUB,
    ("sg-in",),
    (ResolverInterface("subnet-hub", ("10.100.1.53",)),),
)
OUT = ResolverEndpoint(
    "rslvr-out-1",
    "OUTBOUND",
    "OPERATIONAL",
    "vpc-hub",
    HUB,
    ("sg-out",),
    (ResolverInterface("subnet-hub-tgw", ("10.100.0.5",)),),
)
RULE = ResolverRule("rslvr-rr-1", AWS, "FORWARD", ("10.100.1.53",), endpoint_id=OUT.id, owner=HUB)


def dns(protocol: str = "udp", peer: str = "0.0.0.0/0") -> SecurityGroupRule:
    return SecurityGroupRule("sgr-dns", protocol, (53, 53), peer)


def hub_network(estate: Enterprise, **facts: Any) -> Network:  # noqa: ANN401 -- fields of Network
    hub = estate.network().around.vpcs["vpc-hub"]
    assert not isinstance(hub, Unread)
    assert not isinstance(hub.security_groups, Unread)
    assert not isinstance(hub.endpoints, Unread)
    groups = {
        **hub.security_groups,
        "sg-in": SecurityGroup("sg-in", ingress=(dns(),), owner=HUB),
        "sg-out": SecurityGroup("sg-out", egress=(EVERYTHING_OUT,), owner=HUB),
    }
    endpoints = tuple(replace(each, private_dns=True) for each in hub.endpoints)
    return replace(hub, **{"security_groups": groups, "endpoints": endpoints, **facts})


def looked_up(  # noqa: PLR0913 -- each of what is read
    estate: Enterprise | None = None,
    *,
    rule: ResolverRule = RULE,
    out: ResolverEndpoint | Unread | None = OUT,
    inbound: tuple[ResolverEndpoint, ...] | Unread = (IN,),
    seen: Sighting | None = None,
    spoke: dict[str, Any] | None = None,
    **hub: Any,  # noqa: ANN401 -- fields of the hub's Network
) -> SampleNetwork:
    estate = estate or hub_with_ids(enterprise())
    known = hub_network(estate, **hub)
    estate = replace(estate, spoke=estate.spoke.with_facts(resolver_rules=(rule,), **(spoke or {})))
    network = estate.network()
    around = replace(
        network.around,
        vpcs={**network.around.vpcs, "vpc-hub": known},
        resolvers={OUT.id: out},
        names={"vpc-hub": known},
        inbound={"vpc-hub": inbound},
        endpoints=dict.fromkeys(("vpce-00000000000000a1", "vpce-00000000000000d1"), Owned(HUB, REGION, "vpc-hub")),
    )
    return replace(estate.spoke, network=replace(network, around=around), sighting=seen)


def traced(*estate: Enterprise, **facts: Any) -> Path:  # noqa: ANN401 -- as for `looked_up`
    return looked_up(*estate, **facts).trace()


class TestTheAnswer:
    def test_private_dns_of_the_hubs_endpoints(self) -> None:
        path = traced()
        assert (faults(path), opened(path)) == (set(), set())
        ends = {leg.stage: leg.hops[-1].resource_id for leg in path.legs}
        assert ends[Stage.TOKEN] == "vpce-00000000000000a1"
        assert ends[Stage.MANIFEST] == "vpce-00000000000000d1"
        lines = [line for leg in path.legs for hop in leg.hops for line in hop.evidence]
        assert any("rslvr-in-1 of vpc-hub has these addresses" in line for line in lines)
        assert any("private DNS of vpce-00000000000000d1 in vpc-hub leads it there" in line for line in lines)

    def test_a_zone_of_the_hub(self) -> None:
        zones = (
            zone(API, alias(API, "vpce-00000000000000a1")),
            zone(DKR, alias(f"*.{DKR}", "vpce-00000000000000d1")),
        )
        path = traced(private_zones=(API, DKR), hosted_zones=zones)
        assert (faults(path), opened(path)) == (set(), set())
        assert path.legs[1].hops[-1].resource_id == "vpce-00000000000000d1"

    def test_the_hubs_own_dns_servers_are_not_asked(self) -> None:
        known = hub_network(enterprise())
        assert not isinstance(known.vpc, Unread)
        path = traced(vpc=replace(known.vpc, dns_servers=("10.9.9.9",)))
        assert (faults(path), opened(path)) == (set(), set())

    def test_private_dns_for_inbound_endpoints_alone_counts(self) -> None:
        known = hub_network(hub_with_ids(enterprise()))
        assert not isinstance(known.endpoints, Unread)
        path = traced(endpoints=tuple(replace(each, private_dns_inbound_only=True) for each in known.endpoints))
        assert path.legs[1].hops[-1].resource_id == "vpce-00000000000000d1"

    def test_public_addresses_where_the_hub_has_nothing_for_the_name(self) -> None:
        path = traced(endpoints=())
        assert (faults(path), opened(path)) == (set(), set())
        assert path.legs[1].hops[-1].resource_id != "vpce-00000000000000d1"

    def test_a_fault_at_the_hubs_endpoint_is_found_before_any_failure(self) -> None:
        known = hub_network(enterprise())
        assert not isinstance(known.security_groups, Unread)
        path = traced(security_groups={**known.security_groups, "sg-hub": SecurityGroup("sg-hub", owner=HUB)})
        assert faults(path) == {("endpoint_security_group_blocks_ingress", "sg-hub")}


def groups(**changed: SecurityGroup) -> dict[str, Any]:
    known = hub_network(enterprise()).security_groups
    assert not isinstance(known, Unread)
    return {"security_groups": {**known, **{each.id: each for each in changed.values()}}}


def without_route(name: str, *routes: Route) -> dict[str, Any]:
    known = hub_network(enterprise()).route_tables
    assert not isinstance(known, Unread)
    return {"route_tables": {**known, name: RouteTable(f"rtb-{name}", routes)}}


def acl(name: str, *entries: NetworkAclEntry) -> dict[str, Any]:
    known = hub_network(enterprise()).network_acls
    assert not isinstance(known, Unread)
    return {"network_acls": {**known, name: NetworkAcl(f"acl-{name}", entries)}}


def entry(*, egress: bool, protocol: str = "17", ports: tuple[int, int] | None = None) -> NetworkAclEntry:
    return NetworkAclEntry(100, allow=True, egress=egress, cidr="0.0.0.0/0", protocol=protocol, ports=ports)


class TestTheQuestion:
    FAULTS: ClassVar[dict[str, tuple[dict[str, Any], tuple[str, str]]]] = {
        "the outbound endpoint's group lets nothing out": (
            groups(out=SecurityGroup("sg-out", owner=HUB)),
            ("security_group_blocks_egress", "sg-out"),
        ),
        "it lets out another port": (
            groups(out=SecurityGroup("sg-out", egress=(SecurityGroupRule("r", "udp", (123, 123), "0.0.0.0/0"),))),
            ("security_group_blocks_egress", "sg-out"),
        ),
        "it lets out to another place": (
            groups(out=SecurityGroup("sg-out", egress=(dns(peer="192.168.0.0/16"), dns("tcp", "192.168.0.0/16")))),
            ("security_group_blocks_egress", "sg-out"),
        ),
        "the inbound endpoint's group lets nothing in": (
            groups(inbound=SecurityGroup("sg-in", owner=HUB)),
            ("endpoint_security_group_blocks_ingress", "sg-in"),
        ),
        "a network ACL lets only TCP out": (
            acl("subnet-hub-tgw", entry(egress=True, protocol="6"), entry(egress=False)),
            ("network_acl_blocks_traffic", "acl-subnet-hub-tgw"),
        ),
        "a network ACL lets no answer out": (
            acl("subnet-hub", entry(egress=False)),
            ("network_acl_blocks_traffic", "acl-subnet-hub"),
        ),
        "the subnet has no route": (without_route("subnet-hub-tgw"), ("no_route_to_ecr", "subnet-hub-tgw")),
    }

    @pytest.mark.parametrize("name", FAULTS)
    def test_what_stops_it_is_a_fault_of_the_hub(self, name: str) -> None:
        changed, expected = self.FAULTS[name]
        path = traced(**changed)
        found = [each for each in path.faults if (each.cause.value, each.resource_id) == expected]
        assert [each.owned for each in found] == [Owned(HUB, REGION, "vpc-hub")]
        assert expected in faults(path)

    NEAR: ClassVar[dict[str, dict[str, Any]]] = {
        "UDP alone is let out and in": groups(
            out=SecurityGroup("sg-out", egress=(dns(),)), inbound=SecurityGroup("sg-in", ingress=(dns(),))
        ),
        "the inbound endpoint's group names the outbound one's": groups(
            inbound=SecurityGroup("sg-in", ingress=(dns(peer="sg-out"),))
        ),
        "the outbound endpoint's group names the inbound one's": groups(
            out=SecurityGroup("sg-out", egress=(dns(peer="sg-in"),))
        ),
        "network ACLs for UDP alone": acl(
            "subnet-hub-tgw", entry(egress=True, ports=(53, 53)), entry(egress=False, ports=(1024, 65535))
        ),
    }

    @pytest.mark.parametrize("name", NEAR)
    def test_near_misses(self, name: str) -> None:
        path = traced(**self.NEAR[name])
        stopped = {each for each in faults(path) if each[1] != "acl-subnet-hub-tgw"}
        assert stopped == set()

    def test_a_network_acl_that_lets_udp_out_on_another_port(self) -> None:
        tcp = (entry(egress=True, protocol="6"), entry(egress=False, protocol="6"), entry(egress=False))
        other, dns_port = (entry(egress=True, ports=(port, port)) for port in (123, 53))
        assert faults(traced(**acl("subnet-hub-tgw", *tcp, dns_port))) == set()
        path = traced(**acl("subnet-hub-tgw", *tcp, other))
        assert faults(path) == {("network_acl_blocks_traffic", "acl-subnet-hub-tgw")}
        assert "does not allow UDP 53 out to 10.100.1.53 (rslvr-in-1)" in path.faults[0].explanation

    def test_tcp_alone_is_neither_enough_nor_certainly_too_little(self) -> None:
        path = traced(**groups(out=SecurityGroup("sg-out", egress=(dns("tcp"),))))
        assert faults(path) == set()
        assert "security_group_blocks_egress" in opened(path)

    def test_one_of_two_targets_out_of_reach_is_no_fault(self) -> None:
        two = replace(IN, interfaces=(*IN.interfaces, ResolverInterface("subnet-hub-tgw", ("10.100.0.53",))))
        rule = replace(RULE, targets=("10.100.1.53", "10.100.0.53"))
        shut = groups(out=SecurityGroup("sg-out", egress=(dns(peer="10.100.0.53/32"),)))
        path = traced(rule=rule, inbound=(two,), **shut)
        assert faults(path) == set()
        assert "security_group_blocks_egress" in opened(path)

    def test_a_fault_on_the_way_of_the_question_is_found_even_if_nobody_knows_who_answers(self) -> None:
        path = traced(rule=replace(RULE, targets=("192.168.0.53",)), **groups(out=SecurityGroup("sg-out", owner=HUB)))
        assert ("security_group_blocks_egress", "sg-out") in faults(path)

    def test_what_kubelet_dialled_shows_that_the_question_was_answered(self) -> None:
        shut = groups(out=SecurityGroup("sg-out", owner=HUB))
        path = traced(seen=Sighting(HOST, "10.100.1.12", 443), **shut)
        (manifest,) = [leg for leg in path.legs if leg.stage is Stage.MANIFEST]
        assert not any(hop.faults for hop in manifest.hops)


class TestWhatIsNotKnown:
    OPEN: ClassVar[dict[str, tuple[dict[str, Any], str]]] = {
        "the rule's owner cannot be read": ({"out": Unread("no member role in 222222222222")}, "no member role in"),
        "the outbound endpoint is gone": (
            {"out": None},
            "outbound endpoint rslvr-out-1 does not exist in account 2222",
        ),
        "the outbound endpoint needs somebody": (
            {"out": replace(OUT, state="ACTION_NEEDED")},
            "rslvr-out-1 is in state ACTION_NEEDED",
        ),
        "the inbound endpoints cannot be read": ({"inbound": Unread("denied in 222222222222")}, "denied in 2222"),
        "no inbound endpoint has the address": ({"inbound": ()}, "where no inbound endpoint has it"),
        "the target is elsewhere": (
            {
                "rule": replace(RULE, targets=("192.168.0.53",)),
                **without_route("subnet-hub-tgw", Route("10.100.0.0/16", "local"), Route("0.0.0.0/0", "tgw-1")),
            },
            "asks 192.168.0.53, an address outside of vpc-hub",
        ),
        "the targets are asked over HTTPS": ({"rule": replace(RULE, plain=False)}, "by another port or protocol"),
        "the inbound endpoint is for delegation": (
            {"inbound": (replace(IN, direction="INBOUND_DELEGATION"),)},
            "rslvr-in-1 (INBOUND_DELEGATION)",
        ),
        # Associated with the VPC of the inbound endpoint, a rule makes a loop.
        "the hub has the rule, too": (
            {"resolver_rules": (RULE,), "endpoints": ()},
            "in vpc-hub, Resolver rule rslvr-rr-1",
        ),
        "the hub's zones cannot be read": ({"private_zones": Unread("denied")}, "in vpc-hub, denied"),
        "a Profile of the hub": ({"profiles": (Profile("rp-9"),)}, "in vpc-hub, Route 53 Profile rp-9"),
        "DNS Firewall of the hub": (
            {"firewall_rules": (FirewallRule("rslvr-frg-1", 1, "BLOCK", "rslvr-fdl-1", ("*",), "NXDOMAIN"),)},
            "whether DNS Firewall of vpc-hub lets",
        ),
    }

    @pytest.mark.parametrize("name", OPEN)
    def test_it_leaves_the_way_open_and_says_why(self, name: str) -> None:
        changed, words = self.OPEN[name]
        path = traced(estate=None, **changed)
        assert faults(path) == set()
        assert any(f"Not followed: {words}" in each.reason or words in each.reason for each in path.undecided)
        assert any(
            "Resolver rule rslvr-rr-1 sends questions for amazonaws.com" in each.reason for each in path.undecided
        )

    def test_what_it_asks_for_first_and_then(self) -> None:
        estate = hub_with_ids(enterprise())
        estate = replace(estate, spoke=estate.spoke.with_facts(resolver_rules=(RULE,)))
        first = replace(estate.spoke, network=replace(estate.network(), around=Surroundings())).trace()
        wanted = {(each.kind, each.id, each.account) for each in first.wanted}
        assert {
            (WantedKind.RESOLVER, OUT.id, HUB),
            (WantedKind.GATEWAY, "tgw-1", GATEWAY),
        } <= wanted
        around = Surroundings(resolvers={OUT.id: OUT})
        then = replace(estate.spoke, network=replace(estate.network(), around=around)).trace()
        assert (WantedKind.NAMES, "vpc-hub", HUB) in {(each.kind, each.id, each.account) for each in then.wanted}

    def test_a_zone_of_the_hub_without_the_record_is_its_owners_fault(self) -> None:
        path = traced(private_zones=(DKR,), hosted_zones=(zone(DKR),))
        found = [each for each in path.faults if each.cause.value == "vpc_dns_disabled"]
        assert [(each.resource_id, each.owned) for each in found] == [(zone(DKR).id, Owned(HUB, REGION))]
        assert "in vpc-hub and has no record for it" in found[0].explanation

    def test_a_fix_of_the_hubs_dns_is_proven(self) -> None:
        """The hub's DNS answers the rule's questions, so a command for it counts there."""
        known = hub_network(enterprise())
        assert not isinstance(known.vpc, Unread)
        estate = looked_up(vpc=replace(known.vpc, dns_support=False))
        assert faults(estate.trace()) == {("vpc_dns_disabled", "vpc-hub")}
        command = ("aws", "ec2", "modify-vpc-attribute", "--vpc-id", "vpc-hub", "--enable-dns-support")
        fix = Remediation("Turn it on.", HUB, REGION, "https://docs", (command,))
        changed = network_after(fix, estate.network)
        assert faults(replace(estate, network=changed).trace()) == set()
        assert changed.vpc == estate.network.vpc

    def test_a_target_in_the_nodes_own_vpc_is_not_followed(self) -> None:
        own = replace(OUT, vpc_id="vpc-1")
        path = traced(out=own, rule=replace(RULE, targets=("10.0.0.53",)))
        assert any("asks 10.0.0.53, an address in vpc-1" in each.reason for each in path.undecided)


def test_a_more_specific_zone_of_the_spoke_outranks_the_rule() -> None:
    own = {"hosted_zones": (HostedZone(DKR, "Z1", HUB, ()),), "private_zones": (DKR,)}
    assert ("vpc_dns_disabled", "Z1") in faults(traced(spoke=own))


def test_a_rule_without_an_endpoint_is_not_followed() -> None:
    path = isolated().with_facts(resolver_rules=(replace(RULE, endpoint_id=""),)).trace()
    assert path.wanted == ()
