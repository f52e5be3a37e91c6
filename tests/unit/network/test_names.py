"""Who answers a name: rules, hosted zones, Profiles and other DNS servers, and which of them wins."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.sighting import Sighting
from pull_responder.network import PathCause, Route, Unread
from pull_responder.network.names import By, OtherAnswer, other_answer
from pull_responder.network.resolver import Profile, ResolverRule, winning_rule
from tests.unit.network.estate import (
    DENIED,
    HOST,
    TO_NAT,
    TO_S3,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    isolated,
    open_causes,
    reasons,
    rule,
    seen_by,
    works,
)

TO_HUB = Route("10.0.0.0/8", "tgw-1")
REGISTRIES = "dkr.ecr.eu-west-1.amazonaws.com"
FAILED = Sighting()


def forward(domain: str, *, kind: str = "FORWARD", name: str = "rr-1") -> ResolverRule:
    return ResolverRule(name, domain, kind, ("10.100.0.2",))


def spoke() -> SampleNetwork:
    return endpoints_only().without("vpce-api", "vpce-dkr").routes(TO_HUB, TO_S3)


def test_amazons_address_is_in_the_first_block_of_ipv4() -> None:
    blocks = ("2600:1f18::/56", "10.0.0.0/16", "10.1.0.0/16")
    assert works(endpoints_only().vpc(cidrs=blocks, dns_servers=("10.0.0.2",)))
    for server in ("10.1.0.2", "2600:1f18::2", "10.0.0.3"):
        shown = other_answer(HOST, endpoints_only().vpc(cidrs=blocks, dns_servers=(server,)).network)
        assert shown.by is By.SERVER
        assert server in shown.shown


@pytest.mark.parametrize("server", ["AmazonProvidedDNS", "169.254.169.253", "fd00:ec2::253", "10.0.0.2"])
def test_the_names_and_addresses_of_amazons_dns_server(server: str) -> None:
    assert works(endpoints_only().vpc(dns_servers=(server,)))
    assert other_answer(HOST, endpoints_only().vpc(dns_servers=(server, "10.9.9.9")).network).by is By.SERVER


def test_several_profiles_are_named() -> None:
    network = behind_nat().with_facts(profiles=(Profile("rp-1", "shared"), Profile("rp-2"))).network
    assert other_answer(HOST, network).shown.startswith(
        "Route 53 Profile rp-1 (shared) and Route 53 Profile rp-2 may bring a hosted zone"
    )
    assert str(Profile("rp-2")) == "Route 53 Profile rp-2"


@pytest.mark.parametrize(
    ("rules", "winner"),
    [
        ([forward("")], "rr-1"),
        ([forward("amazonaws.com")], "rr-1"),
        ([forward(HOST)], "rr-1"),
        ([forward("other.example")], None),
        ([forward("kr.ecr.eu-west-1.amazonaws.com")], None),
        ([forward(f"other.{REGISTRIES}")], None),
        ([forward(""), forward("com", name="rr-2")], "rr-2"),
        ([forward(REGISTRIES), forward("amazonaws.com", kind="SYSTEM", name="rr-2")], "rr-1"),
        ([forward(""), forward("amazonaws.com", kind="SYSTEM", name="rr-2")], "rr-2"),
        ([forward("", kind="RECURSIVE"), forward("com", name="rr-2")], "rr-2"),
        ([forward("", kind="DELEGATE")], None),
        # Of a VPC and of a Profile: either may win, so the one that sends the name away counts.
        ([forward("com", kind="SYSTEM"), forward("com", name="rr-2")], "rr-2"),
    ],
)
def test_the_most_specific_rule_wins(rules: list[ResolverRule], winner: str | None) -> None:
    found = winning_rule(HOST, rules)
    assert (found.id if found else None) == winner


OTHERS: dict[str, dict[str, Any]] = {
    "a Profile": {"profiles": (Profile("rp-1", "shared"),)},
    "a rule": {"resolver_rules": (forward("amazonaws.com"),)},
    "a rule of a type that is not known": {"resolver_rules": (forward("amazonaws.com", kind="NEW"),)},
    "a hosted zone": {"private_zones": ("amazonaws.com.",)},
}
UNREAD: dict[str, dict[str, Any]] = {
    "Profiles": {"profiles": DENIED},
    "rules": {"resolver_rules": DENIED},
    "one rule": {"resolver_rules": (DENIED,)},
    "hosted zones": {"private_zones": DENIED},
}


class TestSomebodyElseAnswers:
    @pytest.mark.parametrize("who", OTHERS)
    def test_a_spoke_is_not_blamed(self, who: str) -> None:
        estate = spoke().egress(rule("10.0.0.0/8"), rule("pl-s3")).with_facts(**OTHERS[who])
        for each in (estate, seen_by(estate, FAILED)):
            assert faults(each) == set()
            assert "tgw-1" in reasons(each, PathCause.NO_ROUTE)

    @pytest.mark.parametrize("who", OTHERS)
    def test_a_default_route_to_the_hub_does_not_blame_the_nodes_group(self, who: str) -> None:
        estate = isolated().routes(Route("0.0.0.0/0", "tgw-1")).egress(rule("10.0.0.0/8"))
        assert faults(estate) == {("security_group_blocks_egress", "sg-node")}
        assert faults(estate.with_facts(**OTHERS[who])) == set()

    @pytest.mark.parametrize("who", OTHERS)
    def test_a_nat_gateway_is_not_enough_to_find_no_fault(self, who: str) -> None:
        estate = seen_by(behind_nat().with_facts(**OTHERS[who]), FAILED)
        assert (faults(estate), open_causes(estate)) == (set(), {"no_route_to_ecr"})

    @pytest.mark.parametrize("who", [each for each in OTHERS if each != "a hosted zone"])
    def test_a_subnet_that_nothing_leads_out_of_is_broken_all_the_same(self, who: str) -> None:
        assert faults(isolated().with_facts(**OTHERS[who])) == {("no_route_to_ecr", "subnet-node")}

    def test_a_rule_for_the_registries_alone_is_a_sign_of_the_hub_for_tokens_too(self) -> None:
        estate = spoke().with_facts(resolver_rules=(forward(REGISTRIES),))
        assert faults(seen_by(estate, FAILED)) == set()
        # Without a route to the hub it is none.
        assert faults(seen_by(estate.routes(TO_S3), FAILED)) == {("vpc_endpoint_missing", "vpc-1")}

    def test_other_servers_matter_where_a_pull_failed(self) -> None:
        estate = behind_nat().vpc(dns_servers=("10.100.0.2",))
        assert works(estate)
        assert open_causes(seen_by(estate, FAILED)) == {"no_route_to_ecr"}


class TestAnEndpointsOwnZone:
    def test_a_rule_for_the_same_domain_outranks_it(self) -> None:
        estate = endpoints_only().ingress().with_facts(resolver_rules=(forward(REGISTRIES),))
        # The endpoint for tokens has the other zone, api.ecr.
        assert faults(estate) == {("endpoint_security_group_blocks_ingress", "sg-endpoint")}
        only_registries = estate.endpoint("vpce-api", group_ids=("sg-node",)).ingress(rule("sg-node"), group="sg-node")
        assert "endpoint_security_group_blocks_ingress" not in {cause for cause, _ in faults(only_registries)}
        assert "endpoint_security_group_blocks_ingress" in open_causes(only_registries)

    @pytest.mark.parametrize("domain", ["", "com", "amazonaws.com", "ecr.eu-west-1.amazonaws.com"])
    def test_a_rule_for_a_parent_domain_does_not(self, domain: str) -> None:
        estate = endpoints_only().ingress().with_facts(resolver_rules=(forward(domain),))
        assert faults(estate) == {("endpoint_security_group_blocks_ingress", "sg-endpoint")}

    def test_evidence_says_what_was_computed_and_what_is_doubted(self) -> None:
        estate = endpoints_only().with_facts(resolver_rules=(forward(REGISTRIES),))
        _, manifest, _ = estate.trace().legs
        (line,) = manifest.hops[0].evidence
        assert line.startswith("as far as can be read, ")
        assert "but Resolver rule rr-1 sends questions" in line
        _, sure, _ = endpoints_only().trace().legs
        assert sure.hops[0].evidence[0].startswith(f"{HOST} resolves to vpce-dkr")


class TestWhatWasNotRead:
    @pytest.mark.parametrize("what", UNREAD)
    def test_it_may_lead_a_spoke_to_its_hub(self, what: str) -> None:
        estate = spoke().with_facts(**UNREAD[what])
        assert faults(estate) == set()
        assert DENIED.reason in reasons(estate, PathCause.ENDPOINT_MISSING)

    @pytest.mark.parametrize("what", UNREAD)
    def test_it_matters_nowhere_else_before_a_failure(self, what: str) -> None:
        for estate in (behind_nat(), endpoints_only()):
            assert works(estate.with_facts(**UNREAD[what]))
        assert faults(isolated().with_facts(**UNREAD[what])) == {("no_route_to_ecr", "subnet-node")}

    @pytest.mark.parametrize("what", UNREAD)
    def test_a_failure_is_not_without_fault(self, what: str) -> None:
        for estate in (behind_nat(), endpoints_only()):
            failed = seen_by(estate.with_facts(**UNREAD[what]), FAILED)
            assert (faults(failed), open_causes(failed)) == (set(), {"no_route_to_ecr"})

    @pytest.mark.parametrize("what", UNREAD)
    def test_a_public_address_settles_it(self, what: str) -> None:
        seen = Sighting(HOST, "54.1.2.3", 443)
        estate = seen_by(behind_nat().with_facts(**UNREAD[what]), seen)
        assert faults(estate) == set()
        dropped = seen_by(
            behind_nat().routes(Route("0.0.0.0/0", "nat-1", active=False)).with_facts(**UNREAD[what]), seen
        )
        assert faults(dropped) == {("nat_gateway_unavailable", "nat-1")}

    def test_nothing_is_open_where_all_was_read(self) -> None:
        assert works(seen_by(behind_nat().routes(TO_NAT, TO_HUB), FAILED))


class TestWhoElseMayAnswer:
    SERVERS = "the VPC's DHCP options name the DNS servers 10.9.9.9, whose answers cannot be read"
    NOT_KNOWN = f"the DNS servers in the VPC's DHCP options are not known: {DENIED.reason}"
    RULE = "Resolver rule rr-1 sends questions for amazonaws.com to 10.100.0.2"

    def test_nobody(self) -> None:
        assert other_answer(HOST, isolated().network) == OtherAnswer()

    def test_another_server_before_all_else(self) -> None:
        facts = {**OTHERS["a rule"], **UNREAD["hosted zones"]}
        found = other_answer(HOST, isolated().vpc(dns_servers=("10.9.9.9",)).with_facts(**facts).network)
        assert found == OtherAnswer(self.SERVERS, by=By.SERVER)

    def test_the_server_that_was_asked_where_the_vpcs_were_not_read(self) -> None:
        estate = isolated().vpc(dns_servers=DENIED)
        found = other_answer(HOST, estate.with_facts(asked_server="10.9.9.9").network)
        assert (found.by, found.unread) == (By.SERVER, "")
        assert found.shown == "kubelet asked the DNS server 10.9.9.9, whose answers cannot be read"
        # Amazon's own answered, whatever the options say.
        assert other_answer(HOST, estate.with_facts(asked_server="10.0.0.2").network) == OtherAnswer()
        # A resolver on the node does not tell whom it asks.
        for own in ("127.0.0.53", "169.254.20.10"):
            assert other_answer(HOST, estate.with_facts(asked_server=own).network).unread == self.NOT_KNOWN

    def test_servers_that_were_not_read_are_only_a_doubt(self) -> None:
        found = other_answer(HOST, isolated().vpc(dns_servers=DENIED).with_facts(**OTHERS["a rule"]).network)
        assert (found.by, found.unread) == (By.RULE, self.NOT_KNOWN)
        assert found.shown.startswith(self.RULE)

    def test_a_rule_before_a_zone_before_a_profile(self) -> None:
        every = {**OTHERS["a Profile"], **OTHERS["a hosted zone"], **OTHERS["a rule"]}
        assert other_answer(HOST, isolated().with_facts(**every).network).by is By.RULE
        del every["resolver_rules"]
        assert other_answer(HOST, isolated().with_facts(**every).network).by is By.ZONE
        del every["private_zones"]
        assert other_answer(HOST, isolated().with_facts(**every).network).by is By.PROFILE

    @pytest.mark.parametrize("zone", ["", ".", "amazonaws.com.cn.", "example.com.", f"x.{HOST}."])
    def test_a_hosted_zone_for_another_name_does_not(self, zone: str) -> None:
        assert other_answer(HOST, isolated().with_facts(private_zones=(zone,)).network) == OtherAnswer()

    @pytest.mark.parametrize(("zone", "wins"), [("", True), (REGISTRIES, True), (f"api.{REGISTRIES}", False)])
    def test_a_rule_for_the_zone_of_an_endpoint_outranks_it(self, *, zone: str, wins: bool) -> None:
        network = isolated().with_facts(resolver_rules=(forward(REGISTRIES),)).network
        assert (other_answer(HOST, network, zone=zone).by is By.RULE) is wins

    def test_each_reason_why_it_is_not_known_is_said_once(self) -> None:
        zones, rule = Unread("the zones were not read"), Unread("the rule was not read")
        facts = {"private_zones": zones, "resolver_rules": (rule, forward("example.com"), rule), "profiles": zones}
        found = other_answer(HOST, isolated().with_facts(**facts).network)
        assert found == OtherAnswer(unread="the zones were not read; the rule was not read")

    @pytest.mark.parametrize("who", OTHERS)
    def test_a_rule_for_a_group_may_be_for_an_endpoint_in_the_hub(self, who: str) -> None:
        estate = isolated().routes(Route("0.0.0.0/0", "tgw-1")).egress(rule("sg-hub"))
        assert faults(estate) == {("security_group_blocks_egress", "sg-node")}
        assert faults(estate.with_facts(**OTHERS[who])) == set()
        assert "security_group_blocks_egress" in open_causes(estate.with_facts(**OTHERS[who]))


def test_a_rule_for_a_group_may_be_for_an_endpoint_that_was_not_read() -> None:
    estate = behind_nat().egress(rule("sg-endpoint"))
    assert faults(estate) == {("security_group_blocks_egress", "sg-node")}
    unread = estate.with_facts(endpoints=DENIED)
    assert faults(unread) == set()
    assert "security_group_blocks_egress" in open_causes(unread)


def test_a_public_address_where_a_rule_should_have_led_to_the_hub_may_be_the_rules_fault() -> None:
    """The endpoint is in the hub, and the answer is what has to be mended. Without a route to the hub it is missing."""
    dialled = Sighting(HOST, "54.1.2.3", 443)
    ruled = spoke().with_facts(**OTHERS["a rule"])
    assert faults(seen_by(ruled, dialled)) == set()
    assert "vpc_endpoint_missing" in open_causes(seen_by(ruled, dialled))
    for without_hub in (seen_by(ruled.routes(TO_S3), dialled), seen_by(spoke(), dialled)):
        assert faults(without_hub) == {("vpc_endpoint_missing", "vpc-1")}


@pytest.mark.parametrize("who", OTHERS)
def test_an_answer_may_lead_to_an_endpoint_that_was_not_read(who: str) -> None:
    assert faults(isolated().with_facts(**OTHERS[who], endpoints=DENIED)) == set()


def test_a_hub_that_no_name_leads_to_is_no_way() -> None:
    """A route there says nothing by itself."""
    for sound in (spoke(), endpoints_only().without("vpce-api").routes(TO_HUB, TO_S3)):
        for estate in (sound, seen_by(sound, FAILED)):
            assert (faults(estate), open_causes(estate)) == ({("vpc_endpoint_missing", "vpc-1")}, set())


def test_a_public_address_of_a_name_that_nobody_else_answers_for_leaves_the_endpoint_missing() -> None:
    """The endpoint may not have this name, and a route to a hub says nothing by itself."""
    host = "111111111111.dkr-ecr.eu-west-1.on.aws"
    estate = endpoints_only().pulling(host).routes(TO_HUB, TO_S3)
    dialled = seen_by(estate, Sighting(host, "54.1.2.3", 443))
    assert (faults(dialled), open_causes(dialled)) == ({("vpc_endpoint_missing", "vpc-1")}, set())


@pytest.mark.parametrize(
    ("stage", "verdicts"),
    [
        (None, ["undecided", "undecided", "failed"]),
        (Stage.MANIFEST, ["undecided", "undecided", "failed"]),
        # Where kubelet has no token, the way to the token is in question by itself.
        (Stage.TOKEN, ["failed", "undecided", "failed"]),
    ],
)
def test_the_names_of_a_registry_lead_together_and_that_of_its_layers_by_itself(
    stage: Stage | None, verdicts: list[str]
) -> None:
    estate = spoke().without("vpce-s3").routes(TO_HUB).with_facts(private_zones=(REGISTRIES,))
    seen = seen_by(estate, Sighting(stage=stage)) if stage else estate
    assert sorted(leg.verdict.value for leg in seen.trace().legs) == sorted(verdicts)
    layers = next(leg for leg in seen.trace().legs if "starport" in leg.host)
    assert layers.verdict.value == "failed"
