"""Sets of IP addresses, such as the public internet.

Each rule, route and ACL entry covers a set of addresses. The analysis adds these sets up and compares the sum with the
addresses that the traffic may go to. The public addresses of ECR are not known, because they change. So a rule that
covers the whole public internet is distinguished from one that covers only part of it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Interval = tuple[int, int]

# Both families lie on one line of numbers: IPv4 first, then IPv6.
_V6_START: Final = 2**32
_END: Final = _V6_START + 2**128


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of IPv4 and IPv6 addresses, as sorted intervals (first, last) with gaps between them."""

    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, *cidrs: str) -> AddressSet:
        """Return the addresses in these CIDR blocks or single addresses. Raises ValueError for anything else."""
        return cls(_merge_intervals(_interval(cidr) for cidr in cidrs))

    @classmethod
    def covering(cls, intervals: Iterable[Interval]) -> AddressSet:
        """Return the addresses in any of these intervals."""
        return cls(_merge_intervals(intervals))

    def within(self, interval: Interval) -> int:
        """Return how many of the addresses are in an interval."""
        start, end = interval
        return sum(max(0, min(last, end) - max(first, start) + 1) for first, last in self.intervals)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_merge_intervals((*self.intervals, *other.intervals)))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(
            _merge_intervals(
                (max(first, start), min(last, end))
                for first, last in self.intervals
                for start, end in other.intervals
                if max(first, start) <= min(last, end)
            )
        )

    def __sub__(self, other: AddressSet) -> AddressSet:
        return self & other.complement()

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def complement(self) -> AddressSet:
        """Return every address of both families that is not in this set."""
        edges = (-1, *(edge for interval in self.intervals for edge in interval), _END)
        gaps = list(pairwise(edges))[::2]
        return AddressSet(tuple((last + 1, first - 1) for last, first in gaps if last + 1 <= first - 1))


class Coverage(Enum):
    """How many of the wanted addresses a set of rules allows."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


def coverage(allowed: AddressSet, wanted: AddressSet) -> Coverage:
    """Return how much of `wanted` is in `allowed`. ALL if `wanted` is empty."""
    if not wanted - allowed:
        return Coverage.ALL
    return Coverage.SOME if wanted & allowed else Coverage.NONE


def _interval(cidr: str) -> Interval:
    network = ipaddress.ip_network(cidr, strict=False)
    offset = 0 if network.version == 4 else _V6_START  # noqa: PLR2004 -- IP version 4
    return int(network.network_address) + offset, int(network.broadcast_address) + offset


def _merge_intervals(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


ALL_IPV4: Final = AddressSet.of("0.0.0.0/0")
ALL_IPV6: Final = AddressSet.of("::/0")

# IANA's special-purpose registries (RFC 6890 and successors): never the public address of an AWS service.
# 224.0.0.0/3 is multicast and the reserved class E together.
PUBLIC_IPV4: Final = ALL_IPV4 - AddressSet.of(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
# Global unicast without the special blocks in it: 2001::/23 (IETF protocols), documentation, 6to4.
PUBLIC_IPV6: Final = AddressSet.of("2000::/3") - AddressSet.of("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of the traffic, as rules and entries name it.

    - `name`: for people.
    - `addresses`: all the addresses that it has or may have.
    - `cidr`: one block to write into a new rule or entry that allows it.
    - `group_ids`: the security groups on its network interfaces.
    - `prefix_list_ids`: prefix lists that contain all of its addresses.
    - `groups_known`: false if it may have other security groups too. Then a rule for any group may cover it, or for one
      of `possible_groups`, if that is not None.
    """

    name: str
    addresses: AddressSet
    cidr: str | None = None
    group_ids: frozenset[str] = frozenset()
    prefix_list_ids: frozenset[str] = frozenset()
    groups_known: bool = True
    possible_groups: frozenset[str] | None = None
