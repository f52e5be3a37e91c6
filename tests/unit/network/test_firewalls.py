"""AWS Network Firewall on the way: the way through it and back, and what is said of its policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.model.reason import Reason, steps_of
from pull_responder.model.sighting import Sighting
from pull_responder.network import Firewall, NetworkAclEntry, Route, RouteTable, Subnet, Unread, VpcEndpoint
from pull_responder.network.firewall_rules import FirewallPolicy
from tests.unit.network.enterprise import OUT, ZONE_A, Enterprise, enterprise, faults, opened
from tests.unit.network.estate import ALLOW_ALL, HOST, REGION, SampleNetwork, behind_nat
from tests.unit.network.firewalls import ARN, GROUP, POLICY, group, policy


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

    def test_an_endpoint_that_is_not_ready_is_open(self) -> None:
        estate = firewalled(ALL_HOSTS)
        firewall = Firewall(f"{ARN}:firewall/edge", {"vpce-fw": "subnet-out-fw"}, ALL_HOSTS, {"vpce-fw": "FAILED"})
        path = estate.within("vpc-out", firewalls=(firewall,)).trace()
        assert (faults(path), opened(path)) == (set(), {"network_firewall_blocks_registry"})
        assert path.undecided[0].reason == "the firewall's endpoint vpce-fw in subnet-out-fw is in state FAILED"
        other = replace(firewall, not_ready={"vpce-other": "DELETING"})
        assert opened(estate.within("vpc-out", firewalls=(other,)).trace()) == set()

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

    def test_a_hello_of_several_packets_leaves_a_failure_open(self) -> None:
        """Before a failure the policy passes: whether a client sends such hellos is not known."""
        estate = firewalled(policy(group("ALLOWLIST", ".amazonaws.com", home_net=("10.0.0.0/8",)), strict=True))
        assert (faults(estate.trace()), opened(estate.trace())) == (set(), set())
        failed = replace(estate, spoke=replace(estate.spoke, sighting=Sighting(HOST, "52.1.2.3", 443)))
        assert (faults(failed.trace()), opened(failed.trace())) == (set(), {"network_firewall_blocks_registry"})
        (reason,) = {doubt.reason for doubt in failed.trace().undecided}
        assert "the first part of a TLS hello that needs several packets" in reason
        assert "aws:drop_established" in reason

    def test_what_is_changed_is_in_the_fault(self) -> None:
        listed = group("ALLOWLIST", f".ecr.{REGION}.amazonaws.com", home_net=("10.0.0.0/8",))
        (fault,) = firewalled(policy(listed)).trace().faults
        bucket = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"
        assert [(fix.change, fix.entry) for fix in fault.fixes] == [
            ("Add {} to the targets of rule group egress", bucket)
        ]

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

    def test_a_group_that_cannot_be_read_is_open_with_the_step_that_settles_it(self) -> None:
        denied = Unread(Reason("network-firewall:DescribeRuleGroup was denied", "Grant it."))
        (doubt,) = set(firewalled(policy(denied)).trace().undecided)
        assert "central: what one of its rule groups does is not known: network-firewall:Describe" in doubt.reason
        assert steps_of(doubt.reason)[0] == "Grant it."

    def test_an_endpoint_of_an_appliance_is_open(self) -> None:
        service = f"com.amazonaws.vpce.{REGION}.vpce-svc-0a1b2c3d4e5f60001"
        appliance = VpcEndpoint("vpce-fw", "GatewayLoadBalancer", service)
        path = firewalled(ALL_HOSTS).within("vpc-out", firewalls=(), endpoints=(appliance,)).trace()
        assert (faults(path), opened(path)) == (set(), {"no_route_to_ecr"})
        (reason,) = {doubt.reason for doubt in path.undecided}
        assert f"route 0.0.0.0/0 -> vpce-fw leads to a VPC endpoint of the service {service}: an appliance" in reason
        command = f"aws ec2 describe-vpc-endpoint-services --service-names {service} --region {REGION}"
        assert steps_of(reason)[0] == f"Ask whoever owns {service} what it drops: `{command}` says who does."


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
