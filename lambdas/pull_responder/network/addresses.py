"""Sets of IP addresses, and the public internet as one of them.

Rules, routes and ACL entries each cover a set of addresses; several are added up, and the sum is held against the
set that the traffic may go to. Nothing here knows which public addresses ECR uses: they change, and a rule that
covers only a part of the public internet is told apart from one that covers all of it.
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
    """A set of IPv4 and IPv6 addresses, as sorted intervals (first, last) that do not touch."""

    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, *cidrs: str) -> AddressSet:
        """Return the addresses of CIDR blocks or single addresses. Raises ValueError for anything else."""
        return cls(_merged(_interval(cidr) for cidr in cidrs))

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_merged((*self.intervals, *other.intervals)))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(
            _merged(
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
    """How much of the addresses that matter a set of rules lets through."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


def coverage(allowed: AddressSet, wanted: AddressSet) -> Coverage:
    """Return how much of `wanted` lies in `allowed`; of nothing wanted, all."""
    if not wanted - allowed:
        return Coverage.ALL
    return Coverage.SOME if wanted & allowed else Coverage.NONE


def _interval(cidr: str) -> Interval:
    network = ipaddress.ip_network(cidr, strict=False)
    offset = 0 if network.version == 4 else _V6_START  # noqa: PLR2004 -- IP version 4
    return int(network.network_address) + offset, int(network.broadcast_address) + offset


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
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
PUBLIC: Final = PUBLIC_IPV4 | PUBLIC_IPV6


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of the traffic, as rules can name it.

    `name` is for people. `group_ids` are the security groups on its interfaces; `prefix_list_ids` those prefix
    lists that are known to hold all of its addresses. `cidr` is one block to write into a rule that lets it through.
    With `groups_known` false it may have other groups as well, so that a rule for any group may be for it.
    """

    name: str
    addresses: AddressSet
    cidr: str | None = None
    group_ids: frozenset[str] = frozenset()
    prefix_list_ids: frozenset[str] = frozenset()
    groups_known: bool = True
