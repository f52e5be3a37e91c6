"""What a way that cannot be decided says: which cause is open, what is not known, and what to do about it."""

from __future__ import annotations

import pytest

from pull_responder.model.pull import Stage
from pull_responder.model.reason import steps_of
from pull_responder.model.sighting import Sighting
from pull_responder.network import PathCause, Route
from pull_responder.network.model import NetworkAclEntry
from pull_responder.network.resolver import Profile, ResolverRule
from tests.unit.network.estate import (
    ALLOW_ALL,
    DENIED,
    HOST,
    TO_NAT,
    TO_S3,
    SampleNetwork,
    behind_nat,
    endpoints_only,
    interface_endpoint,
    isolated,
    public,
    rule,
    seen_by,
)

API = "api.ecr.eu-west-1.amazonaws.com"
BUCKET = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
DUAL_STACK = "111111111111.dkr-ecr.eu-west-1.on.aws"
BOTH = ("10.0.0.5", "2600:1f18::5")
ONLY_IPV6 = ("2600:1f18::5",)
HUB = "10.100.1.10"
TO_HUB = Route("10.0.0.0/8", "tgw-1")
SPOKE = endpoints_only().without("vpce-api", "vpce-dkr").routes(TO_HUB, TO_S3)

RESOLVE = "On a node, run `nslookup` for the registry's host and see to which address it leads."
WHOSE = f"Look who has the address {HUB}, such as an endpoint in the hub, and at its security groups."
ELSEWHERE = "a private address outside vpc-1, so the name leads elsewhere than can be read here"

NO_ROUTE = PathCause.NO_ROUTE
MISSING = PathCause.ENDPOINT_MISSING


def seen(estate: SampleNetwork, address: str, host: str = HOST, port: int = 443) -> SampleNetwork:
    return seen_by(estate, Sighting(host, address, port, stage=Stage.LAYER if host == BUCKET else Stage.MANIFEST))


def behind(target: str) -> str:
    return f"Follow the path behind {target}, to the endpoint, NAT gateway or firewall on its other side."


DOUBTS: dict[str, tuple[SampleNetwork, PathCause, str, tuple[str, ...]]] = {
    "another port was dialled": (
        seen(behind_nat(), "54.1.2.3", port=5000),
        NO_ROUTE,
        f"kubelet dialled 54.1.2.3 for {HOST} on port 5000, and the way was examined for port 443",
        (f"On the node, look in the runtime's configuration for what makes it dial port 5000 of {HOST}.",),
    ),
    "an IPv6 address, and a node without": (
        seen(behind_nat(), "2600:1f18::9"),
        NO_ROUTE,
        f"kubelet dialled 2600:1f18::9 for {HOST}, and the node has no IPv6 address that could be read",
        (RESOLVE,),
    ),
    "an IPv6 address of a host without": (
        seen(behind_nat().with_node(addresses=BOTH), "2600:1f18::9"),
        NO_ROUTE,
        f"kubelet dialled 2600:1f18::9 for {HOST}, which has IPv4 addresses alone: look at the node's own DNS settings",
        (RESOLVE,),
    ),
    "an address of nobody": (
        seen(behind_nat(), "127.0.0.1"),
        NO_ROUTE,
        f"kubelet dialled 127.0.0.1 for {HOST}, which is no address of ECR or S3: look at the node's own DNS settings",
        (RESOLVE,),
    ),
    "a private address, and no route there": (
        seen(behind_nat(), HUB),
        NO_ROUTE,
        f"kubelet dialled {HUB} for {HOST}, {ELSEWHERE}",
        (WHOSE,),
    ),
    "a private address behind a transit gateway": (
        seen(SPOKE, HUB),
        NO_ROUTE,
        (
            f"kubelet dialled {HUB} for {HOST}, {ELSEWHERE}. The route 10.0.0.0/8 -> tgw-1 of rtb-node takes it to a "
            f"transit gateway, and nothing is wrong up to there. Look next at tgw-1, at its way to {HUB} and back, and "
            f"at the security groups of the endpoint at {HUB}. Not followed: EC2 lists no attachment of vpc-1 to tgw-1"
        ),
        (
            f"Look at tgw-1, at its way to {HUB} and back, and at the security groups of what has {HUB}.",
            WHOSE,
        ),
    ),
    "a private address, and the VPC was not read": (
        seen(SPOKE.with_facts(vpc=DENIED), HUB),
        NO_ROUTE,
        f"kubelet dialled {HUB} for {HOST}, and whether that is in the VPC is not known, as its blocks were not read",
        (RESOLVE,),
    ),
    "an address of the endpoint for another name": (
        seen(endpoints_only(), "10.0.2.11"),
        NO_ROUTE,
        (
            f"kubelet dialled 10.0.2.11 for {HOST}, a network interface of vpce-api, which does not serve this name: "
            "look who answers for it"
        ),
        (f"Look for a record in Route 53 that leads {HOST} to vpce-api.",),
    ),
    "an address of the VPC that nobody is known to have": (
        seen(behind_nat(), "10.0.2.99"),
        NO_ROUTE,
        (
            f"kubelet dialled 10.0.2.99 for {HOST}, an address in vpc-1, where a public address was expected: look "
            "whose interface it is"
        ),
        (
            (
                "Look whose interface has the address 10.0.2.99 in vpc-1: `aws ec2 describe-network-interfaces "
                "--filters Name=addresses.private-ip-address`."
            ),
        ),
    ),
    "a public address, although an endpoint has the name": (
        seen(endpoints_only(), "54.1.2.3"),
        NO_ROUTE,
        (
            f"kubelet dialled 54.1.2.3 for {HOST}, a public address, although private DNS of vpce-dkr has the name: "
            "the node does not ask the VPC's DNS server, or keeps an older answer"
        ),
        (RESOLVE,),
    ),
    "a public address that is not S3's": (
        seen(endpoints_only(), "54.1.2.3", BUCKET),
        NO_ROUTE,
        (
            f"kubelet dialled 54.1.2.3 for {BUCKET}, a public address that is not in the prefix list of S3, which "
            "vpce-s3 serves"
        ),
        ("Compare the address with the prefix list of S3, which vpce-s3 serves (VPC console).",),
    ),
    "a mirror without an address": (
        seen(behind_nat(), "", "mirror.example.com", 0),
        NO_ROUTE,
        "the way to mirror.example.com, which kubelet asked, was not examined: its address is not known",
        (
            (
                "From a node, run `curl -v https://mirror.example.com/v2/`, and follow the path with VPC Reachability "
                "Analyzer."
            ),
        ),
    ),
    "a route that is more specific than the VPC's own": (
        endpoints_only().routes(Route("10.0.2.0/24", "eni-1"), TO_S3),
        NO_ROUTE,
        (
            "route table rtb-node: 10.0.0.0/16 -> local; 10.0.2.0/24 -> eni-1; pl-s3 -> vpce-s3: 10.0.2.0/24 -> eni-1 "
            "leads to endpoint vpce-api, and what lies behind that route cannot be read"
        ),
        (behind("eni-1"),),
    ),
    "a transit gateway": (
        isolated().routes(Route("0.0.0.0/0", "tgw-1")),
        NO_ROUTE,
        (
            "route 0.0.0.0/0 -> tgw-1 leads to a transit gateway, and what lies behind it cannot be read: EC2 lists no "
            "attachment of vpc-1 to tgw-1"
        ),
        (behind("tgw-1"),),
    ),
    "an internet gateway that is not listed": (
        public().with_facts(internet_gateways={}),
        NO_ROUTE,
        "route 0.0.0.0/0 -> igw-1 is active, but EC2 does not list the gateway igw-1",
        ("Look for igw-1 in the VPC console of the account that owns the VPC.",),
    ),
    "a NAT gateway without public address": (
        behind_nat().nat(public_addresses=(), private_addresses=("10.0.1.4",)),
        PathCause.NAT_GATEWAY_UNAVAILABLE,
        "EC2 lists no public address of nat-1",
        ("Look at the Elastic IP addresses of nat-1 in the VPC console.",),
    ),
    "a private NAT gateway": (
        behind_nat().nat(public=False).routes(Route("0.0.0.0/0", "tgw-1"), subnet="subnet-public"),
        NO_ROUTE,
        "nat-1 is a private NAT gateway, and its route 0.0.0.0/0 -> tgw-1 leaves the VPC",
        (behind("tgw-1"),),
    ),
    "a NAT gateway with several routes": (
        behind_nat().routes(Route("0.0.0.0/1", "igw-1"), Route("128.0.0.0/1", "tgw-2"), subnet="subnet-public"),
        NO_ROUTE,
        (
            "the traffic leaves nat-1 in subnet-public by these routes, not all to an internet gateway: 0.0.0.0/1 -> "
            "igw-1; 128.0.0.0/1 -> tgw-2"
        ),
        ("Look at the routes of rtb-public in the VPC console, by which nat-1 reaches the internet.",),
    ),
    "DNS servers that were not read": (
        endpoints_only().vpc(dns_servers=DENIED),
        MISSING,
        "the DNS servers in the VPC's DHCP options are not known: the call was denied",
        (RESOLVE,),
    ),
    "other DNS servers": (
        endpoints_only().vpc(dns_servers=("10.9.9.9", "10.9.9.8")),
        MISSING,
        "the VPC's DHCP options name the DNS servers 10.9.9.9, 10.9.9.8, whose answers cannot be read",
        (RESOLVE,),
    ),
    "a Resolver rule": (
        endpoints_only().with_facts(resolver_rules=(ResolverRule("rr-1", "amazonaws.com", "FORWARD"),)),
        NO_ROUTE,
        (
            "Resolver rule rr-1 sends questions for amazonaws.com to other DNS servers, so these servers decide what "
            "the name resolves to"
        ),
        (RESOLVE,),
    ),
    "a hosted zone": (
        endpoints_only().with_facts(private_zones=("api.ecr.eu-west-1.amazonaws.com.",)),
        MISSING,
        f"a private hosted zone, {API}, answers for {API}, and its records were not read",
        (f"Look at the records of the private hosted zone {API} in the Route 53 console, and at where {API} leads.",),
    ),
    "a Route 53 Profile": (
        endpoints_only().with_facts(profiles=(Profile("rp-1", "shared"),)),
        MISSING,
        (
            "Route 53 Profile rp-1 (shared) may bring a hosted zone, a Resolver rule or an endpoint that answers for "
            "the registry's names: what it holds was not read"
        ),
        (
            (
                "Look at what Route 53 Profile rp-1 (shared) holds for the registry's names, in the Route 53 console "
                "of its owner."
            ),
        ),
    ),
    "a network ACL for part of the internet": (
        behind_nat().acl(NetworkAclEntry(90, allow=False, egress=True, cidr="52.0.0.0/8"), *ALLOW_ALL.entries),
        PathCause.NETWORK_ACL_BLOCKS_TRAFFIC,
        (
            "acl-node of subnet-node allows TCP 443 out to the public internet only in part: egress entry 90 denies "
            "protocol -1 52.0.0.0/8; egress entry 100 allows protocol -1 0.0.0.0/0"
        ),
        (
            (
                "Compare the entries of network ACL acl-node with the addresses that the registry's host has on the "
                "node (`nslookup`)."
            ),
        ),
    ),
    "a node with IPv6 alone": (
        behind_nat().with_node(addresses=ONLY_IPV6).with_facts(subnets=DENIED),
        NO_ROUTE,
        (
            f"i-1 has only IPv6 addresses, and {API} only IPv4 ones: what answers for it is not certain, as the call"
            " was denied"
        ),
        (f"On the node, run `nslookup {API}`: with DNS64 it gives an address of 64:ff9b::/96.",),
    ),
    "routes for parts of the internet": (
        behind_nat().routes(TO_NAT, Route("52.0.0.0/8", "tgw-1")),
        NO_ROUTE,
        (
            "each of these routes of rtb-node covers only part of the public internet: 52.0.0.0/8 -> tgw-1; 0.0.0.0/0 "
            "-> nat-1"
        ),
        (f"Compare what `nslookup {API}` gives on the node with the routes of rtb-node.",),
    ),
    "an endpoint that is not ready": (
        behind_nat().with_facts(endpoints=(interface_endpoint("ecr.dkr", state="pending"),)),
        PathCause.ENDPOINT_UNAVAILABLE,
        "vpce-dkr is in state pending, and whether its private DNS answers is not known",
        ("Look at endpoint vpce-dkr in the VPC console: its state and its DNS names.",),
    ),
    "an endpoint that may not have the name": (
        endpoints_only().pulling(DUAL_STACK),
        MISSING,
        "whether the private DNS of vpce-api answers for ecr.eu-west-1.api.aws is not known",
        ("On a node, run `nslookup ecr.eu-west-1.api.aws` and compare the address with those of vpce-api.",),
    ),
    "S3 over IPv6": (
        endpoints_only().with_node(addresses=ONLY_IPV6).pulling(DUAL_STACK),
        NO_ROUTE,
        "whether vpce-s3 takes IPv6 to S3 is not known, and no other route of rtb-node does",
        (
            (
                "On the node, run `curl -6 -v https://prod-eu-west-1-starport-layer-bucket.s3.dualstack.eu-west-1"
                ".amazonaws.com` and see whether it connects."
            ),
        ),
    ),
    "a node without known groups": (
        behind_nat().with_node(group_ids=()),
        PathCause.SECURITY_GROUP_BLOCKS_EGRESS,
        "the security groups of i-1 are not known",
        ("Run `pull-responder diagnose` with --image, --cluster and --instance, for a node that runs.",),
    ),
    "a node whose groups were not read": (
        behind_nat().with_node(group_ids=DENIED),
        PathCause.SECURITY_GROUP_BLOCKS_EGRESS,
        "the call was denied",
        (),
    ),
    "an endpoint without known groups": (
        endpoints_only().endpoint("vpce-api", group_ids=()),
        PathCause.ENDPOINT_BLOCKS_INGRESS,
        "the security groups of vpce-api are not known",
        ("Look at the security groups of endpoint vpce-api in the VPC console.",),
    ),
    "rules for part of the internet": (
        behind_nat().egress(rule("52.0.0.0/8")),
        PathCause.SECURITY_GROUP_BLOCKS_EGRESS,
        "TCP 443 out to the public internet is allowed only in part, by sgr-52.0.0.0/8 (tcp 443, 52.0.0.0/8)",
        ("Compare these rules with the addresses that the registry's host has on the node (`nslookup`).",),
    ),
    "a route table that was not found": (
        behind_nat().with_facts(route_tables={}),
        NO_ROUTE,
        "the route table of subnet-node was not found",
        ("Run `pull-responder diagnose` again in a few minutes.",),
    ),
}


@pytest.mark.parametrize(("estate", "cause", "reason", "steps"), DOUBTS.values(), ids=DOUBTS)
def test_a_doubt_says_what_is_not_known_and_what_to_do(
    estate: SampleNetwork, cause: PathCause, reason: str, steps: tuple[str, ...]
) -> None:
    found = next(doubt for doubt in estate.trace().undecided if doubt.cause is cause)
    assert found.reason == reason
    assert steps_of(found.reason) == steps


def test_an_endpoint_without_an_interface_asks_of_the_nodes_groups_only_that_they_let_out_to_a_part_of_the_vpc() -> (
    None
):
    """Where its interface will be is for the fix to decide. An interface with an address needs a rule for that one."""
    part = endpoints_only().egress(rule("10.0.2.0/28"), rule("pl-s3"))
    without = part.endpoint("vpce-dkr", subnet_ids=(), interfaces=())
    assert {doubt.cause for doubt in without.trace().undecided} == set()
    assert [fault.cause for fault in without.trace().faults] == [PathCause.ENDPOINT_UNAVAILABLE]
    unread = part.endpoint("vpce-dkr", interfaces=DENIED)
    assert {doubt.cause for doubt in unread.trace().undecided} == {PathCause.SECURITY_GROUP_BLOCKS_EGRESS}
