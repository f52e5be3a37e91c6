"""Sets of addresses, and how much of the public internet they cover."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.network.addresses import PUBLIC_IPV4, PUBLIC_IPV6, AddressSet, Coverage, coverage

COVERAGE = {
    "everything": (("0.0.0.0/0",), Coverage.ALL),
    "two halves": (("0.0.0.0/1", "128.0.0.0/1"), Coverage.ALL),
    "all but a private range": (
        ("0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/1"),
        Coverage.ALL,
    ),
    "half": (("0.0.0.0/1",), Coverage.SOME),
    "one public address": (("52.0.0.1/32",), Coverage.SOME),
    "private ranges": (("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"), Coverage.NONE),
    "just above 172.16.0.0/12": (("172.32.0.0/12",), Coverage.SOME),
    "link local and multicast": (("169.254.0.0/16", "224.0.0.0/4"), Coverage.NONE),
    "documentation": (("203.0.113.0/24",), Coverage.NONE),
    "the other family": (("::/0",), Coverage.NONE),
    "nothing": ((), Coverage.NONE),
}


@pytest.mark.parametrize(("cidrs", "expected"), COVERAGE.values(), ids=COVERAGE)
def test_coverage_of_the_public_ipv4_internet(cidrs: tuple[str, ...], expected: Coverage) -> None:
    assert coverage(AddressSet.of(*cidrs), PUBLIC_IPV4) is expected


def test_the_public_ipv6_internet_is_global_unicast() -> None:
    assert coverage(AddressSet.of("::/0"), PUBLIC_IPV6) is Coverage.ALL
    assert coverage(AddressSet.of("2000::/3"), PUBLIC_IPV6) is Coverage.ALL
    assert coverage(AddressSet.of("2600::/12"), PUBLIC_IPV6) is Coverage.SOME
    assert coverage(AddressSet.of("fc00::/7", "fe80::/10", "2001:db8::/32"), PUBLIC_IPV6) is Coverage.NONE


def test_host_bits_are_ignored_and_addresses_are_blocks_of_one() -> None:
    assert AddressSet.of("10.0.0.7/24") == AddressSet.of("10.0.0.0/24")
    assert AddressSet.of("10.0.0.7") == AddressSet.of("10.0.0.7/32")


def test_text_that_is_not_an_address_is_rejected() -> None:
    with pytest.raises(ValueError, match="not-an-address"):
        AddressSet.of("not-an-address")


CORNER = ipaddress.ip_network("0.0.0.0/28")
blocks = st.builds(
    lambda first, length: ipaddress.ip_network((first, length), strict=False), st.integers(0, 15), st.integers(28, 32)
).map(str)
sets = st.lists(blocks, max_size=5).map(lambda cidrs: AddressSet.of(*cidrs))


def members(found: AddressSet) -> set[int]:
    return {number for number in range(16) if found & AddressSet.of(str(CORNER[number]))}


@given(sets, sets)
def test_address_sets_behave_like_python_sets(one: AddressSet, other: AddressSet) -> None:
    assert members(one | other) == members(one) | members(other)
    assert members(one & other) == members(one) & members(other)
    assert members(one - other) == members(one) - members(other)
    assert one.complement().complement() == one


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("0.0.0.0", "0.255.255.255"),  # noqa: S104 -- an address
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "255.255.255.255"),
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ],
)
def test_no_special_address_is_public_and_its_neighbours_are(first: str, last: str) -> None:
    """IANA IPv4 and IPv6 Special-Purpose Address Registries."""
    public = PUBLIC_IPV4 | PUBLIC_IPV6
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    assert not public & AddressSet.of(first)
    assert not public & AddressSet.of(last)
    assert first == "0.0.0.0" or public & AddressSet.of(str(low - 1))  # noqa: S104 -- an address
    assert last == "255.255.255.255" or public & AddressSet.of(str(high + 1))
