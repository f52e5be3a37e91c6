"""Both sides of the traffic: which addresses, block and groups a peer has, also where not everything could be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.network import EndpointInterface, PrefixList
from pull_responder.network.addresses import ALL_IPV4, PUBLIC_IPV4, PUBLIC_IPV6, AddressSet, Peer
from pull_responder.network.places import (
    address_peer,
    anywhere_peer,
    elsewhere_peer,
    endpoint_peer,
    inside_peer,
    interfaces_of,
    node_peer,
    node_versions,
    private_peer,
    public_peer,
)
from pull_responder.network.resolution import destinations
from tests.unit.network.estate import (
    DENIED,
    NODE,
    REGISTRY,
    S3_GATEWAY,
    endpoints_only,
    interface_endpoint,
    isolated,
)

NETWORK = isolated().network
NO_VPC = replace(NETWORK, vpc=DENIED)
API, _, S3 = destinations(REGISTRY)
DKR = interface_endpoint("ecr.dkr")
PRIVATE = AddressSet.of("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
VPC = AddressSet.of("10.0.0.0/16")
OF_S3 = AddressSet.of("52.218.0.0/17", "3.5.64.0/21")


def test_a_node_has_its_addresses_and_its_subnets_block() -> None:
    own = Peer("i-1", AddressSet.of("10.0.0.5"), "10.0.0.0/24", frozenset({"sg-node"}), groups_known=True)
    assert node_peer(NODE, NETWORK, 4) == own
    # Its own address stands in for a block that was not read, and the block for addresses that are not known.
    unread = replace(NETWORK, subnets=DENIED)
    assert node_peer(NODE, unread, 4) == replace(own, cidr="10.0.0.5")
    anywhere = replace(NODE, addresses=())
    assert node_peer(anywhere, NETWORK, 4) == replace(own, addresses=AddressSet.of("10.0.0.0/24"))
    assert node_peer(anywhere, unread, 4) == replace(own, addresses=ALL_IPV4, cidr=None)
    assert (node_versions(NODE, unread), node_versions(anywhere, unread)) == ((4,), (4,))


def test_the_groups_of_a_node_may_not_be_known() -> None:
    unread = node_peer(replace(NODE, group_ids=DENIED), NETWORK, 4)
    assert (unread.group_ids, unread.groups_known) == (frozenset(), False)
    assumed = node_peer(replace(NODE, assumption="If no SecurityGroupPolicy does otherwise."), NETWORK, 4)
    assert (assumed.group_ids, assumed.groups_known) == (frozenset({"sg-node"}), False)


def test_an_endpoint_has_the_addresses_of_its_interfaces_in_the_vpc() -> None:
    groups = frozenset({"sg-endpoint"})
    known = Peer("endpoint vpce-dkr", AddressSet.of("10.0.2.12"), "10.0.0.0/16", groups, groups_known=True)
    assert endpoint_peer(DKR, NETWORK, 4) == known
    assert endpoint_peer(DKR, NO_VPC, 4) == replace(known, cidr=None)
    # Without interfaces it may have any address of the VPC.
    assert endpoint_peer(replace(DKR, interfaces=()), NETWORK, 4) == replace(known, addresses=VPC)
    assert endpoint_peer(replace(DKR, interfaces=()), NO_VPC, 4) == replace(known, addresses=PRIVATE, cidr=None)
    assert endpoint_peer(replace(DKR, interfaces=DENIED), NETWORK, 4) == replace(
        known, addresses=AddressSet.of("10.0.2.0/24")
    )
    of_nobody = endpoint_peer(replace(DKR, group_ids=()), NETWORK, 4)
    assert (of_nobody.group_ids, of_nobody.groups_known) == (frozenset(), False)


def test_interfaces_that_were_not_read_are_somewhere_in_their_subnets() -> None:
    unread = replace(DKR, interfaces=DENIED)
    assert interfaces_of(unread, NETWORK) == (EndpointInterface("subnet-endpoints", ("10.0.2.0/24",)),)
    nowhere = replace(NETWORK, subnets=DENIED)
    assert interfaces_of(unread, nowhere) == (EndpointInterface("subnet-endpoints", ("10.0.0.0/16",)),)
    assert interfaces_of(unread, replace(nowhere, vpc=DENIED)) == (EndpointInterface("subnet-endpoints", ()),)


def test_an_endpoint_that_is_not_known_may_be_anywhere_in_its_vpc_or_in_any() -> None:
    name = "an endpoint in the VPC"
    inside = Peer(name, VPC, "10.0.0.0/16", groups_known=False)
    assert inside_peer(NETWORK, 4) == inside
    assert inside_peer(NO_VPC, 4) == replace(inside, addresses=PRIVATE, cidr=None)
    assert private_peer(NETWORK, 4) == replace(inside, name="an endpoint in this or another VPC", addresses=PRIVATE)
    assert inside_peer(NETWORK, 6) == Peer(name, AddressSet.of("fc00::/7"), None, groups_known=False)


def test_the_public_addresses_are_all_but_those_of_s3_and_of_the_vpc() -> None:
    own = isolated().vpc(cidrs=("44.0.0.0/16", "10.0.0.0/16")).network
    public = Peer("the public internet", PUBLIC_IPV4 - OF_S3, "0.0.0.0/0")
    assert public_peer(API, NETWORK, 4) == public
    assert public_peer(API, NO_VPC, 4) == public
    assert public_peer(API, own, 4) == replace(public, addresses=PUBLIC_IPV4 - OF_S3 - AddressSet.of("44.0.0.0/16"))
    assert public_peer(API, replace(NETWORK, prefix_lists=DENIED), 4) == replace(public, addresses=PUBLIC_IPV4)
    assert public_peer(API, NETWORK, 6) == Peer("the public internet", PUBLIC_IPV6, "::/0")
    dynamodb = PrefixList("pl-d", "com.amazonaws.eu-west-1.dynamodb", ("52.94.0.0/22",))
    others = PrefixList("pl-o", "example.eu-west-1.s3", ("44.0.0.0/16",))
    more = replace(NETWORK, prefix_lists={"pl-d": dynamodb, "pl-o": others, "pl-s3": DENIED})
    assert public_peer(API, more, 4) == replace(public, addresses=PUBLIC_IPV4 - AddressSet.of("52.94.0.0/22"))


def test_s3_has_the_addresses_of_its_prefix_list() -> None:
    known = Peer("S3's public addresses", OF_S3, "0.0.0.0/0", prefix_list_ids=frozenset({"pl-s3"}))
    assert public_peer(S3, NETWORK, 4) == known
    far = replace(NETWORK, prefix_lists={"pl-far": PrefixList("pl-far", "com.amazonaws.us-east-1.s3", ("3.5.0.0/19",))})
    assert public_peer(S3, far, 4) == replace(known, addresses=PUBLIC_IPV4, prefix_list_ids=frozenset())
    # Without its name, the route to the gateway endpoint tells which list it is.
    routed = replace(endpoints_only().network, prefix_lists={"pl-s3": DENIED})
    assert S3_GATEWAY in routed.endpoints  # type: ignore[operator]
    assert public_peer(S3, routed, 4) == replace(known, addresses=PUBLIC_IPV4)
    assert public_peer(S3, replace(routed, route_tables=DENIED), 4).prefix_list_ids == frozenset()


def test_a_name_that_may_lead_to_several_places_has_the_addresses_of_all() -> None:
    public = public_peer(S3, NETWORK, 4)
    assert anywhere_peer(S3, NETWORK, 4) == replace(
        public,
        name="S3's public addresses or an endpoint in the VPC",
        addresses=OF_S3 | VPC,
        groups_known=False,
    )
    assert elsewhere_peer(S3, NETWORK, 4) == replace(
        public,
        name="S3's public addresses or an endpoint in another VPC",
        addresses=OF_S3 | PRIVATE,
        groups_known=False,
    )


@pytest.mark.parametrize("address", ["10.100.1.10", "2600:1f18::9"])
def test_a_dialled_address_may_be_covered_by_groups_of_another_vpc(address: str) -> None:
    assert address_peer(address, "host") == Peer(f"{address} (host)", AddressSet.of(address), groups_known=False)
