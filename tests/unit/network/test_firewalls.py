"""AWS Network Firewall: what its policy does to the registry's hosts, and the way through it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.network import Firewall, NetworkAclEntry, Route, RouteTable, Subnet, Unread
from pull_responder.network.addresses import ALL_IPV4, AddressSet, Peer
from pull_responder.network.firewall_policy import (
    Connection,
    Does,
    DomainList,
    FirewallPolicy,
    HeaderRule,
    RuleGroup,
    judge_policy,
)
from tests.unit.network.enterprise import OUT, ZONE_A, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import ALLOW_ALL, HOST, REGION, SampleNetwork, behind_nat

ARN = f"arn:aws:network-firewall:{REGION}:{OUT}"
GROUP, POLICY = f"{ARN}:stateful-rulegroup/egress", f"{ARN}:firewall-policy/central"
NODE = Peer("i-1", AddressSet.of("10.0.0.5"))
PUBLIC = Peer("the public internet", AddressSet.of("52.0.0.0/8"))
CONNECTION = Connection(HOST, NODE, PUBLIC, ("10.0.0.0/16",))
REGISTRIES = f".dkr.ecr.{REGION}.amazonaws.com"


def group(kind: str = "", *targets: str, rules: tuple[HeaderRule, ...] = (), **more: object) -> RuleGroup:
    domains = DomainList(kind, targets) if kind else None
    return RuleGroup(GROUP, domains, rules, **more)  # type: ignore[arg-type]  # as the case says


def policy(*groups: RuleGroup | Unread, strict: bool = False, **more: object) -> FirewallPolicy:
    stateful = ("aws:drop_established",) if strict else ()
    settings: dict[str, object] = {"stateless": ("aws:forward_to_sfe",), "stateful": stateful, **more}
    return FirewallPolicy(POLICY, strict=strict, groups=groups, **settings)  # type: ignore[arg-type]  # the same


def rule(action: str, protocol: str = "TCP", destination: str = "ANY", port: str = "443", **more: object) -> HeaderRule:
    source = str(more.pop("source", "ANY"))
    return HeaderRule("1", action, protocol, source, destination, port, **more)  # type: ignore[arg-type]  # the same


BLOCK, PASS, OPEN = Does.BLOCK, Does.PASS, Does.OPEN
DENIED = Unread("the rule group was not read")

JUDGED: dict[str, tuple[FirewallPolicy, Does]] = {
    "nothing": (policy(), PASS),
    "an allow list that names it": (policy(group("ALLOWLIST", REGISTRIES)), PASS),
    "an allow list that names it exactly": (policy(group("ALLOWLIST", HOST)), PASS),
    "an allow list with a domain above it": (policy(group("ALLOWLIST", ".amazonaws.com")), PASS),
    "an allow list with the name above it, without the dot": (policy(group("ALLOWLIST", REGISTRIES[1:])), BLOCK),
    "an allow list without it": (policy(group("ALLOWLIST", f".s3.{REGION}.amazonaws.com")), BLOCK),
    "two allow lists, one of which names it": (
        policy(group("ALLOWLIST", ".example.com"), group("ALLOWLIST", REGISTRIES)),
        PASS,
    ),
    "a deny list with it": (policy(group("DENYLIST", ".amazonaws.com")), BLOCK),
    "a reject list with it": (policy(group("REJECTLIST", HOST)), BLOCK),
    "an alert list with it": (policy(group("ALERTLIST", HOST)), PASS),
    "a deny list without it": (policy(group("DENYLIST", ".example.com")), PASS),
    "what passes outranks what is denied": (policy(group("DENYLIST", HOST), group("ALLOWLIST", HOST)), PASS),
    "an allow list for HTTP alone": (policy(RuleGroup(GROUP, DomainList("ALLOWLIST", (), sees_tls=False))), PASS),
    "a node outside HOME_NET is not filtered": (policy(group("ALLOWLIST", home_net=("10.9.0.0/16",))), PASS),
    "HOME_NET of the group outranks that of the policy": (
        policy(group("ALLOWLIST", home_net=("10.9.0.0/16",)), home_net=("10.0.0.0/8",)),
        PASS,
    ),
    "HOME_NET of the policy outranks the firewall's VPC": (
        policy(group("ALLOWLIST"), home_net=("10.9.0.0/16",)),
        PASS,
    ),
    "a node outside HOME_NET, in strict order": (
        policy(group("ALLOWLIST", HOST, home_net=("10.9.0.0/16",)), strict=True),
        BLOCK,
    ),
    "an allow list in strict order": (policy(group("ALLOWLIST", HOST), strict=True), PASS),
    "an allow list without it, in strict order": (policy(group("ALLOWLIST", ".example.com"), strict=True), BLOCK),
    "strict order without a default that drops": (
        policy(group("ALLOWLIST", ".example.com"), strict=True, stateful=("aws:alert_strict",)),
        PASS,
    ),
    "the first that matches, in strict order": (
        policy(group("DENYLIST", HOST), group("ALLOWLIST", HOST), strict=True),
        BLOCK,
    ),
    "a name that is allowed, after a handshake that is dropped": (
        policy(group("ALLOWLIST", HOST), strict=True, stateful=("aws:drop_strict",)),
        OPEN,
    ),
    "a rule that passes port 443": (policy(group(rules=(rule("PASS"),)), group("DENYLIST", HOST)), PASS),
    "a rule that drops port 443": (policy(group(rules=(rule("DROP"),))), BLOCK),
    "a rule for other ports": (policy(group(rules=(rule("DROP", port="80"),))), PASS),
    "a rule for a range of ports": (policy(group(rules=(rule("DROP", port="400:500"),))), BLOCK),
    "a range of ports without an end": (policy(group(rules=(rule("DROP", port="400:"),))), OPEN),
    "a name that is allowed, after a handshake that a rule drops": (
        policy(group("ALLOWLIST", HOST), group(rules=(rule("DROP"),))),
        OPEN,
    ),
    "the same in strict order": (policy(group("ALLOWLIST", HOST), group(rules=(rule("DROP"),)), strict=True), OPEN),
    "the rule that drops before the name, in strict order": (
        policy(group(rules=(rule("DROP"),)), group("ALLOWLIST", HOST), strict=True),
        BLOCK,
    ),
    "a name that is denied, after a handshake that a rule passes, in strict order": (
        policy(group("DENYLIST", HOST), group(rules=(rule("PASS"),)), strict=True),
        OPEN,
    ),
    "a name that is allowed, and a rule by the name's protocol": (
        policy(group("ALLOWLIST", HOST), group(rules=(rule("DROP", "TLS"),))),
        PASS,
    ),
    "a rule for another protocol": (policy(group(rules=(rule("DROP", "UDP"),))), PASS),
    "a rule for another destination": (policy(group(rules=(rule("DROP", destination="192.168.0.0/16"),))), PASS),
    "a rule for a part of the destination": (policy(group(rules=(rule("DROP", destination="52.1.0.0/16"),))), OPEN),
    "a rule for another source": (policy(group(rules=(rule("DROP", source="10.9.0.0/16"),))), PASS),
    "a rule for what leaves HOME_NET": (
        policy(group(rules=(rule("REJECT", source="$HOME_NET", destination="$EXTERNAL_NET"),))),
        BLOCK,
    ),
    "a rule with a variable that is not known": (policy(group(rules=(rule("DROP", destination="$SERVERS"),))), OPEN),
    "a rule with options": (policy(group(rules=(rule("DROP", plain=False),))), OPEN),
    "an alert": (policy(group(rules=(rule("ALERT"),))), PASS),
    "Suricata rules": (policy(group(opaque=True)), OPEN),
    "Suricata rules after a rule that passes": (policy(group(opaque=True), group("ALLOWLIST", HOST)), PASS),
    "a group that cannot be read": (policy(DENIED), OPEN),
    "drops that the policy turns into alerts": (policy(group("DENYLIST", HOST, overridden=True)), OPEN),
    "stateless rule groups": (policy(has_stateless_groups=True), OPEN),
    "a stateless default that drops": (policy(stateless=("aws:drop",)), BLOCK),
    "a stateless default that passes": (policy(group("DENYLIST", HOST), stateless=("aws:pass",)), PASS),
    "a stateless default of one's own": (policy(stateless=("metrics",)), OPEN),
    "30,000 domains": (policy(group("ALLOWLIST", *(f"h{n}.example.com" for n in range(30_000)))), BLOCK),
}


@pytest.mark.parametrize("name", JUDGED)
def test_what_a_policy_does(name: str) -> None:
    judged, expected = JUDGED[name]
    assert judge_policy(judged, CONNECTION).does is expected


def test_a_home_net_that_is_not_known_is_open() -> None:
    assert judge_policy(policy(group("ALLOWLIST")), replace(CONNECTION, vpc_cidrs=())).does is OPEN


def test_a_source_that_is_partly_in_home_net_is_open() -> None:
    everybody = replace(CONNECTION, source=Peer("nodes", ALL_IPV4))
    assert judge_policy(policy(group("ALLOWLIST")), everybody).does is OPEN


def firewalled(found: FirewallPolicy | Unread, *, back: str = "vpce-fw") -> Enterprise:
    """Return the estate with a firewall before the NAT gateway of the egress VPC, on the way back, too."""
    estate = enterprise().within(
        "vpc-out", firewalls=(Firewall(f"{ARN}:firewall/edge", {"vpce-fw": "subnet-out-fw"}, found),)
    )
    local = Route("10.200.0.0/16", "local")
    table = RouteTable("rtb-out-fw", (local, Route("0.0.0.0/0", "nat-out"), Route("10.0.0.0/8", "tgw-1")))
    estate = estate.entry("vpc-out", "subnets", "subnet-out-fw", Subnet("subnet-out-fw", ("10.200.2.0/24",), ZONE_A))
    estate = estate.entry("vpc-out", "network_acls", "subnet-out-fw", ALLOW_ALL)
    estate = estate.entry("vpc-out", "route_tables", "subnet-out-fw", table)
    estate = estate.routes("subnet-out-tgw", Route("0.0.0.0/0", "vpce-fw"))
    return estate.routes("subnet-out-nat", Route("0.0.0.0/0", "igw-out"), Route("10.0.0.0/8", back))


ALL_HOSTS = policy(group("ALLOWLIST", ".amazonaws.com", home_net=("10.0.0.0/8",)))


class TestTheWay:
    @pytest.mark.parametrize("egress", [True, False])
    def test_the_acl_of_the_firewalls_subnet_lets_the_node_in_and_its_answers_out(self, *, egress: bool) -> None:
        shut = NetworkAclEntry(50, allow=False, egress=egress, cidr="10.0.0.0/16", protocol="-1", ports=None)
        rest = [replace(shut, number=100, allow=True, egress=each, cidr="0.0.0.0/0") for each in (True, False)]
        path = firewalled(ALL_HOSTS).acl("subnet-out-fw", shut, *rest).trace()
        assert faults(path) == {("network_acl_blocks_traffic", "acl-out-fw")}

    def test_it_works_through_the_firewall_and_back(self) -> None:
        path = firewalled(ALL_HOSTS).trace()
        assert (faults(path), opened(path)) == (set(), set())
        assert ("firewall", "edge") in [(hop.kind.value, hop.resource_id) for hop in path.legs[0].hops]

    def test_a_list_without_the_buckets_name_drops_the_layers(self) -> None:
        listed = group("ALLOWLIST", f".ecr.{REGION}.amazonaws.com", home_net=("10.0.0.0/8",))
        path = firewalled(policy(listed)).trace()
        assert faults(path) == {("network_firewall_blocks_registry", GROUP)}
        (fault,) = path.faults
        assert {fix.host for fix in fault.fixes} == {f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"}
        assert fault.owned
        assert fault.owned.account == OUT

    def test_the_firewalls_vpc_alone_is_home_unless_it_says_so(self) -> None:
        """The commonest fault of a central firewall in strict order: HOME_NET has not the spokes."""
        listed = group("ALLOWLIST", ".amazonaws.com")
        assert faults(firewalled(policy(listed, strict=True)).trace()) == {("network_firewall_blocks_registry", POLICY)}

    def test_answers_that_pass_by_the_firewall_are_open(self) -> None:
        path = firewalled(ALL_HOSTS, back="tgw-1").trace()
        assert (faults(path), opened(path)) == (set(), {"no_route_to_ecr"})

    def test_no_way_back_behind_the_firewall(self) -> None:
        local = Route("10.200.0.0/16", "local")
        table = RouteTable("rtb-out-fw", (local, Route("0.0.0.0/0", "nat-out")))
        path = firewalled(ALL_HOSTS).entry("vpc-out", "route_tables", "subnet-out-fw", table).trace()
        assert faults(path) == {("no_route_to_ecr", "subnet-out-fw")}

    def test_a_policy_that_cannot_be_read_is_open_and_blames_nobody(self) -> None:
        path = firewalled(Unread("denied")).trace()
        assert (faults(path), opened(path)) == (set(), {"network_firewall_blocks_registry"})

    def test_an_endpoint_of_an_appliance_is_open(self) -> None:
        path = firewalled(ALL_HOSTS).within("vpc-out", firewalls=()).trace()
        assert faults(path) == set()
        assert "no_route_to_ecr" in opened(path)


def own(found: FirewallPolicy, *, back: bool = True) -> SampleNetwork:
    """Return a VPC with a firewall of its own between the node and the NAT gateway."""
    estate = behind_nat().routes(Route("0.0.0.0/0", "vpce-fw"))
    estate = estate.routes(Route("0.0.0.0/0", "nat-1"), subnet="subnet-fw")
    more = (Route("10.0.0.0/24", "vpce-fw"),) if back else ()
    estate = estate.routes(Route("0.0.0.0/0", "igw-1"), *more, subnet="subnet-public")
    subnets = estate.network.subnets
    assert not isinstance(subnets, Unread)
    subnets = {**subnets, "subnet-fw": Subnet("subnet-fw", ("10.0.8.0/28",))}
    acls = {**dict(estate.network.network_acls), "subnet-fw": ALLOW_ALL}  # type: ignore[arg-type]  # it was read
    firewalls = (Firewall(f"{ARN}:firewall/own", {"vpce-fw": "subnet-fw"}, found),)
    return estate.with_facts(subnets=subnets, network_acls=acls, firewalls=firewalls)


def test_a_firewall_in_the_nodes_own_vpc() -> None:
    assert faults(own(ALL_HOSTS).trace()) == set()
    assert opened(own(ALL_HOSTS).trace()) == set()
    blocked = own(policy(group("ALLOWLIST", ".example.com")))
    assert faults(blocked.trace()) == {("network_firewall_blocks_registry", GROUP)}
    assert opened(own(ALL_HOSTS, back=False).trace()) == {"no_route_to_ecr"}
