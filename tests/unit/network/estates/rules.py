"""What single rules, entries, routes and lists do to one packet or one name. Without the code under test."""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Final

from tests.unit.network.estates.land import Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.unit.network.estates.land import Entry, Opening, Question, Wall

address_of: Final = cache(IPv4Address)
_block: Final = cache(IPv4Network)


def is_within(address: str, *blocks: str) -> bool:
    """Return whether an address is in one of the blocks."""
    return any(address_of(address) in _block(block) for block in blocks)


def _has(port: int, ports: tuple[int, int] | None) -> bool:
    return ports is None or ports[0] <= port <= ports[1]


def lets(
    rules: Iterable[Opening], address: str, lists: Mapping[str, Sequence[str]], groups: Iterable[str] = ()
) -> bool:
    """Return whether a rule of security groups allows port 443 of an address, which is in `groups`."""
    return any(
        (rule.protocol == "-1" or (rule.protocol == "tcp" and _has(443, rule.ports)))
        and (rule.peer in groups if rule.peer.startswith("sg-") else is_within(address, *_blocks(rule.peer, lists)))
        for rule in rules
    )


def _blocks(peer: str, lists: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return lists.get(peer, [peer])


def passes(acl: Iterable[Entry], packet: tuple[bool, str, int]) -> bool:
    """Return whether a network ACL allows a packet: whether it goes out, the other side's address, and its port."""
    out, peer, port = packet
    for entry in sorted(acl, key=lambda each: each.number):
        is_about = entry.out is out and entry.protocol in ("-1", "6") and _has(port, entry.ports)
        if is_about and is_within(peer, entry.peer):
            return entry.allow
    return False


def taken(
    routes: Iterable[Way], address: str, blocks: Iterable[str] = (), lists: Mapping[str, Sequence[str]] | None = None
) -> Way | None:
    """Return the most specific route to an address. Those of a VPC's own `blocks` lead to "local"."""
    best: tuple[int, Way] | None = None
    candidates = [(block, Way(block, "local")) for block in blocks]
    candidates += [(block, way) for way in routes for block in _blocks(way.to, lists or {})]
    for block, way in candidates:
        length = _block(block).prefixlen
        if is_within(address, block) and (best is None or length > best[0]):
            best = length, way
    return best[1] if best else None


def refused(host: str, questions: Iterable[Question]) -> str:
    """Return the rule group of DNS Firewall that blocks a name; empty if none does."""
    for rule in sorted(questions, key=lambda each: each.priority):
        if rule.type in ("", "A") and any(_is_named(host, name) for name in rule.names):
            return rule.group if rule.action == "BLOCK" else ""
    return ""


def _is_named(host: str, name: str) -> bool:
    return name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))


def dropped(host: str, source: str, wall: Wall) -> str:
    """Return the group or policy by which a firewall drops TLS to a host; empty if it does not.

    In default order, what passes outranks what is dropped, and an allow list denies what it does not name. In strict
    order the first that matches decides, and what none matches is dropped.
    """
    seen = [each for each in wall.lists if is_within(source, *(wall.home or each.home))]
    passing = [each for each in seen if each.kind == "ALLOWLIST" and _is_listed(host, each.entries)]
    denying = [each for each in seen if each.kind in ("DENYLIST", "REJECTLIST") and _is_listed(host, each.entries)]
    if wall.strict:
        first = next((each for each in seen if each in passing or each in denying), None)
        return wall.policy if first is None else first.arn if first in denying else ""
    blocking = [each for each in seen if each in denying or each.kind == "ALLOWLIST"]
    return blocking[0].arn if blocking and not passing else ""


def _is_listed(host: str, entries: Iterable[str]) -> bool:
    return any(host == each or (each.startswith(".") and f".{host}".endswith(each)) for each in entries)
