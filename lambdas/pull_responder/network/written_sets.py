"""Addresses and ports as Suricata's rules write them: alone, in lists, negated, and by variables.

Source: Suricata User Guide, "Rules Format" ("Source and destination", "Ports"); AWS Network Firewall Developer Guide,
"IP set references" (`@NAME`, a prefix list, which is not read).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pull_responder.network.addresses import ALL_IPV4, ALL_IPV6, AddressSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_DEEPEST: Final = 8
_PORTS: Final = 65_536
EVERYWHERE: Final = ALL_IPV4 | ALL_IPV6


@dataclass(frozen=True, slots=True)
class PortSet:
    """A set of ports, as the bits of a number."""

    bits: int = 0

    @classmethod
    def of(cls, first: int, last: int) -> PortSet:
        """Return the ports from `first` to `last`. Raises ValueError if there are none such."""
        if not 0 <= first <= last < _PORTS:
            raise ValueError(f"{first}:{last} are no ports")
        return cls(((1 << (last - first + 1)) - 1) << first)

    @classmethod
    def read(cls, text: str) -> PortSet:
        """Return the ports of `443`, `1024:2048`, `1024:` or `:1024`. Raises ValueError for anything else."""
        first, colon, last = (each.strip() for each in text.replace("-", ":").partition(":"))
        start = int(first) if first or not colon else 0
        return cls.of(start, int(last) if last else _PORTS - 1 if colon else start)

    def __or__(self, other: PortSet) -> PortSet:
        return PortSet(self.bits | other.bits)

    def __and__(self, other: PortSet) -> PortSet:
        return PortSet(self.bits & other.bits)

    def __sub__(self, other: PortSet) -> PortSet:
        return PortSet(self.bits & ~other.bits)

    def __bool__(self) -> bool:
        return bool(self.bits)


ALL_PORTS: Final = PortSet.of(0, _PORTS - 1)
T = TypeVar("T", AddressSet, PortSet)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[T]):
    """What is read of one kind of sets: `atom` reads one block, address, port or range of ports."""

    atom: Callable[[str], T]
    nothing: T
    everything: T

    def read(self, text: str, sets: Mapping[str, tuple[str, ...]], depth: int = 0) -> T | None:
        """Return what a text stands for, None if that is not known."""
        text = text.strip()
        if depth > _DEEPEST:
            return None
        if text.startswith("!"):
            found = self.read(text[1:], sets, depth + 1)
            return None if found is None else self.everything - found
        if text.startswith("[") and text.endswith("]"):
            return self._list(_members(text[1:-1]), sets, depth)
        if text.startswith("$"):
            return self._list(sets.get(text[1:], ("?",)), sets, depth)
        try:
            return self.everything if text.lower() == "any" else self.atom(text)
        except ValueError:
            return None

    def _list(self, members: Iterable[str], sets: Mapping[str, tuple[str, ...]], depth: int) -> T | None:
        """Return all members that are not negated, or everything if all are, without those that are."""
        wanted, left_out, is_positive = self.nothing, self.nothing, False
        for each in (member.strip() for member in members):
            found = self.read(each.removeprefix("!"), sets, depth + 1)
            if found is None:
                return None
            if each.startswith("!"):
                left_out = left_out | found
            else:
                wanted, is_positive = wanted | found, True
        return (wanted if is_positive else self.everything) - left_out


def _members(text: str) -> list[str]:
    """Return the members of a list. Lists within it stay whole."""
    members, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "," and not depth:
            members.append("")
        else:
            members[-1] += character
    return members


_ADDRESSES: Final = _Kind(AddressSet.of, AddressSet(), EVERYWHERE)
_PORT_SETS: Final = _Kind(PortSet.read, PortSet(), ALL_PORTS)


@dataclass(slots=True)
class Variables:
    """The variables of a rule group, and what was made of texts that name addresses or ports, each once.

    `sets` has the texts of each variable by its name. A variable that is missing there is not known.
    """

    sets: Mapping[str, tuple[str, ...]]
    _addresses: dict[str, AddressSet | None] = field(default_factory=dict)
    _ports: dict[str, PortSet | None] = field(default_factory=dict)

    def addresses(self, text: str) -> AddressSet | None:
        """Return the addresses that a text stands for, None if that is not known."""
        if text not in self._addresses:
            self._addresses[text] = _ADDRESSES.read(text, self.sets)
        return self._addresses[text]

    def ports(self, text: str) -> PortSet | None:
        """Return the ports that a text stands for, None if that is not known."""
        if text not in self._ports:
            self._ports[text] = _PORT_SETS.read(text, self.sets)
        return self._ports[text]
