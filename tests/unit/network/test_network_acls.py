"""Network ACLs: both directions, in the order of entry numbers, on every subnet that traffic enters or leaves."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.network import EndpointInterface, NetworkAclEntry, PathCause
from tests.unit.network.estate import (
    SampleNetwork,
    behind_nat,
    endpoints_only,
    faults,
    open_causes,
    public,
    reasons,
    works,
)

if TYPE_CHECKING:
    from random import Random

CAUSE = PathCause.NETWORK_ACL_BLOCKS_TRAFFIC
ANYWHERE = "0.0.0.0/0"


Ports = tuple[int, int] | None


def out(number: int, cidr: str = ANYWHERE, ports: Ports = None, *, deny: bool = False) -> NetworkAclEntry:
    protocol = "-1" if ports is None else "6"
    return NetworkAclEntry(number, allow=not deny, egress=True, cidr=cidr, protocol=protocol, ports=ports)


def into(number: int, cidr: str = ANYWHERE, ports: Ports = None, *, deny: bool = False) -> NetworkAclEntry:
    return replace(out(number, cidr, ports, deny=deny), egress=False)


HTTPS, EPHEMERAL = (443, 443), (1024, 65535)

NODE_SUBNET: dict[str, tuple[tuple[NetworkAclEntry, ...], str]] = {
    "the least that does": ((out(100, ports=HTTPS), into(100, ports=EPHEMERAL)), "works"),
    "answers on the ports that nodes use": ((out(100), into(100, ports=(32768, 65535))), "works"),
    "443 out in several pieces": ((out(1, "0.0.0.0/1"), out(2, "128.0.0.0/1"), into(1)), "works"),
    "a deny of other ports first": ((out(1, ports=(22, 22), deny=True), out(2), into(1)), "works"),
    "a deny of private ranges first": ((out(1, "10.0.0.0/8", deny=True), out(2), into(1)), "works"),
    "a deny of UDP first": (
        (NetworkAclEntry(1, allow=False, egress=True, cidr=ANYWHERE, protocol="17"), out(2), into(1)),
        "works",
    ),
    "allow before deny": ((out(1), out(2, deny=True), into(1)), "works"),
    "deny before allow": ((out(1, deny=True), out(2), into(1)), "blocked"),
    "no answers": ((out(100), into(100, ports=HTTPS)), "blocked"),
    "answers denied first": ((out(100), into(1, ports=EPHEMERAL, deny=True), into(2)), "blocked"),
    "443 to private ranges only": ((out(100, "10.0.0.0/8"), into(100)), "blocked"),
    "no entries": ((), "blocked"),
    "answers on low ports only": ((out(100), into(100, ports=(1024, 32767))), "open"),
    "answers on half the ports": ((out(100), into(100, ports=(1024, 40000))), "open"),
    # One percent of the 32768 ports that nodes use is 327.
    "a small hole in the answers' ports": ((out(100), into(1, ports=(50000, 50326), deny=True), into(2)), "works"),
    "a larger hole": ((out(100), into(1, ports=(50000, 50327), deny=True), into(2)), "open"),
    "small holes that add up": (
        (out(100), into(1, ports=(50000, 50199), deny=True), into(2, ports=(60000, 60199), deny=True), into(3)),
        "open",
    ),
    "a hole for a part of the internet": (
        (out(100), into(1, "0.0.0.0/1", (50000, 50327), deny=True), into(2)),
        "open",
    ),
    "443 to half the internet": ((out(100, "0.0.0.0/1"), into(100)), "open"),
    "a deny of a public block first": ((out(1, "185.0.0.0/8", deny=True), out(2), into(1)), "open"),
}


@pytest.mark.parametrize(("entries", "expected"), NODE_SUBNET.values(), ids=NODE_SUBNET)
@pytest.mark.parametrize("estate", [behind_nat(), public()], ids=["behind NAT", "public"])
def test_the_node_subnets_acl(estate: SampleNetwork, entries: tuple[NetworkAclEntry, ...], expected: str) -> None:
    changed = estate.acl(*entries)
    found = {
        "works": (set(), set()),
        "blocked": ({(CAUSE.value, "acl-node")}, set()),
        "open": (set(), {CAUSE.value}),
    }[expected]
    assert (faults(changed), open_causes(changed)) == found


def test_the_reason_names_an_entry_that_blocks_part_of_the_traffic() -> None:
    estate = public().acl(out(1, "185.0.0.0/8", deny=True), out(2), into(1))
    assert "egress entry 1 denies protocol -1 185.0.0.0/8" in reasons(estate, CAUSE)


def test_the_evidence_names_a_small_gap() -> None:
    (leg, *_) = public().acl(out(1), into(1, ports=(50000, 50010), deny=True), into(2)).trace().legs
    proof = [line for hop in leg.hops for line in hop.evidence if "50000" in line]
    assert len(proof) == 1
    assert "allows TCP 32768-65535 in from the public internet, except 50000-50010, less than 1 % of" in proof[0]
    assert "ingress entry 1 denies protocol 6 ports 50000-50010" in proof[0]


NAT_SUBNET: dict[str, tuple[tuple[NetworkAclEntry, ...], str]] = {
    "the least that does": (
        (
            into(1, "10.0.0.0/16", HTTPS),
            into(2, ports=EPHEMERAL),
            out(1, ports=HTTPS),
            out(2, "10.0.0.0/16", EPHEMERAL),
        ),
        "works",
    ),
    "the node may not come in": ((into(2, ports=EPHEMERAL), out(1)), "blocked"),
    "no answers from the internet": ((into(1, "10.0.0.0/16"), out(1)), "blocked"),
    "443 not out": ((into(1), out(2, "10.0.0.0/16")), "blocked"),
    "no answers to the node": ((into(1), out(1, ports=HTTPS)), "blocked"),
    "answers on the ports of nodes only, not of NAT gateways": (
        (into(1, "10.0.0.0/16"), into(2, ports=(32768, 65535)), out(1)),
        "open",
    ),
    # Security Hub's control EC2.21 asks for it.
    "the ports of SSH and RDP denied": (
        (into(1, ports=(22, 22), deny=True), into(2, ports=(3389, 3389), deny=True), into(3), out(1)),
        "works",
    ),
}


@pytest.mark.parametrize(("entries", "expected"), NAT_SUBNET.values(), ids=NAT_SUBNET)
def test_the_nat_gateways_acl(entries: tuple[NetworkAclEntry, ...], expected: str) -> None:
    estate = behind_nat().acl(*entries, subnet="subnet-public")
    found = {
        "works": (set(), set()),
        "blocked": ({(CAUSE.value, "acl-public")}, set()),
        "open": (set(), {CAUSE.value}),
    }[expected]
    assert (faults(estate), open_causes(estate)) == found


class TestEndpoints:
    S3_TOO = (out(50, "52.218.0.0/17"), out(51, "3.5.64.0/21"), into(50, "52.218.0.0/17"), into(51, "3.5.64.0/21"))

    def test_s3s_public_prefixes_and_the_endpoints_subnet_are_enough(self) -> None:
        assert works(endpoints_only().acl(*self.S3_TOO, out(1, "10.0.2.0/24"), into(1, "10.0.2.0/24")))

    def test_without_s3s_public_prefixes_the_layers_are_lost(self) -> None:
        estate = endpoints_only().acl(out(1, "10.0.0.0/16"), into(1, "10.0.0.0/16"))
        assert faults(estate) == {(CAUSE.value, "acl-node")}
        assert [leg.verdict.value for leg in estate.trace().legs] == ["ok", "ok", "failed"]

    def test_no_acl_applies_within_one_subnet(self) -> None:
        inside = (EndpointInterface("subnet-node", ("10.0.0.77",)),)
        estate = endpoints_only().acl(*self.S3_TOO)
        assert faults(estate) == {(CAUSE.value, "acl-node")}
        for name in ("vpce-api", "vpce-dkr"):
            estate = estate.endpoint(name, interfaces=inside, subnet_ids=("subnet-node",))
        assert works(estate)

    def test_an_endpoint_with_one_reachable_interface_is_a_doubt(self) -> None:
        both = (EndpointInterface("subnet-node", ("10.0.0.77",)), EndpointInterface("subnet-endpoints", ("10.0.2.12",)))
        estate = endpoints_only().acl(*self.S3_TOO, out(1, "10.0.2.0/24"), into(1, "10.0.2.0/24"))
        estate = estate.acl(subnet="subnet-endpoints").endpoint("vpce-api", interfaces=both)
        estate = estate.endpoint("vpce-dkr", interfaces=both)
        assert (faults(estate), open_causes(estate)) == (set(), {CAUSE.value})
        assert "only some interfaces of vpce-api" in reasons(estate, CAUSE)

    def test_the_endpoints_subnet_must_let_answers_out(self) -> None:
        closed = endpoints_only().acl(into(1), out(1, ports=HTTPS), subnet="subnet-endpoints")
        assert faults(closed) == {(CAUSE.value, "acl-endpoints")}
        assert works(
            endpoints_only().acl(
                into(1, "10.0.0.0/24", HTTPS), out(1, "10.0.0.0/24", EPHEMERAL), subnet="subnet-endpoints"
            )
        )


def test_the_fix_names_the_acl_the_direction_and_the_ports() -> None:
    (fault,) = public().acl(out(100), into(100, ports=HTTPS)).trace().faults
    assert {(fix.network_acl_id, fix.egress, fix.ports, fix.peer) for fix in fault.fixes} >= {
        ("acl-node", False, EPHEMERAL, "0.0.0.0/0")
    }
    assert all(fix.egress is False for fix in fault.fixes)


entries = st.builds(
    lambda cidr, ports, deny: (cidr, ports, deny),
    st.sampled_from([ANYWHERE, "0.0.0.0/1", "10.0.0.0/8"]),
    st.sampled_from([None, HTTPS, EPHEMERAL]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter_the_numbers_do(
    found: list[tuple[str, Ports, bool]], chance: Random
) -> None:
    numbered = [out(number, cidr, ports, deny=deny) for number, (cidr, ports, deny) in enumerate(found, 1)]
    shuffled = numbered.copy()
    chance.shuffle(shuffled)
    one, other = public().acl(*numbered, into(1)), public().acl(*shuffled, into(1))
    assert (faults(one), open_causes(one)) == (faults(other), open_causes(other))


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, max_size=4), entries)
def test_another_allow_entry_at_the_end_never_breaks_a_path(
    found: list[tuple[str, Ports, bool]], more: tuple[str, Ports, bool]
) -> None:
    some = [out(number, cidr, ports, deny=deny) for number, (cidr, ports, deny) in enumerate(found, 1)]
    last = out(99, more[0], more[1])
    before, after = public().acl(*some, into(1)), public().acl(*some, last, into(1))
    assert faults(after) <= faults(before)
    assert open_causes(after) <= open_causes(before) | {CAUSE.value for _ in faults(before)}


def allowed(found: list[tuple[str, Ports, bool]], address: str, port: int) -> bool:
    """Decide as EC2 does: the first entry that matches decides. Without a match the traffic is denied."""
    for cidr, ports, deny in found:
        if ip_address(address) in ip_network(cidr) and (ports is None or ports[0] <= port <= ports[1]):
            return not deny
    return False


@settings(max_examples=150, deadline=None)
@given(st.lists(entries, max_size=5))
def test_the_first_entry_that_matches_decides(found: list[tuple[str, Ports, bool]]) -> None:
    """Compare with `allowed` for every address and port that the entries distinguish."""
    halves = ("52.1.1.1", "185.1.1.1")
    numbered = [out(number, cidr, ports, deny=deny) for number, (cidr, ports, deny) in enumerate(found, 1)]
    request = public().acl(*numbered, into(1))
    passes = [allowed(found, address, 443) for address in halves]
    # S3's addresses are known, and all in the first half.
    assert (not faults(request)) is passes[0]
    assert works(request) is all(passes)
    answers = public().acl(out(1), *(replace(entry, egress=False) for entry in numbered))
    passes = [allowed(found, address, port) for address in halves for port in (40000, 60000)]
    assert works(answers) is all(passes)


def test_a_small_gap_is_told_to_the_port() -> None:
    """Another attempt gets through from another port, so it is no fault."""
    most = replace(into(1), protocol="6", ports=(1024, 65530))
    (line,) = [
        line
        for hop in public().acl(out(1), most).trace().legs[0].hops
        for line in hop.evidence
        if "another attempt" in line
    ]
    assert "allows TCP 32768-65535 in from the public internet, except 65531-65535, less than 1 %" in line


def test_swapping_two_entries_changes_the_answer() -> None:
    allow, deny = out(1), out(2, deny=True)
    assert works(public().acl(allow, deny, into(1)))
    swapped = public().acl(replace(allow, number=2), replace(deny, number=1), into(1))
    assert faults(swapped) == {(CAUSE.value, "acl-node")}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        # The last entry, which EC2 adds and its console shows as an asterisk.
        (
            NetworkAclEntry(32767, allow=False, egress=True, cidr="0.0.0.0/0"),
            "egress entry * denies protocol -1 0.0.0.0/0",
        ),
        (
            NetworkAclEntry(32766, allow=True, egress=False, cidr="10.0.0.0/8", protocol="6", ports=(1024, 65535)),
            "ingress entry 32766 allows protocol 6 ports 1024-65535 10.0.0.0/8",
        ),
        (
            NetworkAclEntry(100, allow=True, egress=True, cidr="::/0", protocol="6", ports=(443, 443)),
            "egress entry 100 allows protocol 6 ports 443 ::/0",
        ),
    ],
)
def test_an_entry_is_shown_as_in_the_console(entry: NetworkAclEntry, text: str) -> None:
    assert str(entry) == text
