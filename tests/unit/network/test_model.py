"""What a fact says that EC2 did not tell."""

from __future__ import annotations

import pytest

from pull_responder.network import SecurityGroup, Subnet, Vpc, VpcEndpoint


@pytest.mark.parametrize(
    "found",
    [
        Vpc("vpc-1", ()),
        Subnet("subnet-1", ()),
        SecurityGroup("sg-1"),
        VpcEndpoint("vpce-1", "Interface", "com.amazonaws.eu-west-1.s3"),
    ],
    ids=lambda found: type(found).__name__,
)
def test_an_owner_that_was_not_told_is_empty(found: Vpc | Subnet | SecurityGroup | VpcEndpoint) -> None:
    assert found.owner == ""


def test_an_endpoint_serves_the_vpcs_region_in_no_subnet_and_by_no_name_unless_told() -> None:
    bare = VpcEndpoint("vpce-1", "Interface", "com.amazonaws.eu-west-1.s3")
    assert (bare.service_region, bare.policy, bare.private_dns, bare.private_dns_inbound_only) == (
        None,
        None,
        False,
        False,
    )
    assert (bare.subnet_ids, bare.interfaces, bare.group_ids, bare.route_table_ids, bare.dns_names) == ((),) * 5


def test_a_subnet_gives_no_public_addresses_and_is_in_no_zone_unless_told() -> None:
    assert not Subnet("subnet-1", ()).maps_public_addresses
    assert Subnet("subnet-1", ()).availability_zone == ""
