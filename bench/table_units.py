"""What the calls to the findings table cost in DynamoDB's request units, and which of its partitions are hot.

Computed from the size of the items, as the emulated DynamoDB counts no units. DynamoDB Developer Guide, "DynamoDB item
sizes and formats", "DynamoDB read and write operations" and "Using Global Secondary Indexes":

- a write takes a unit for each KB of the item, also one whose condition fails; a read with consistency one for each
  4 KB of each item, and one for an item that is not there; a query of the index half of that for all it returns.
- the index `due` holds the keys only. A write that changes them takes two units of the index, one that adds or removes
  the item one, any other none.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.codec import LOOK_AT, QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRITE: Final = 1024
_READ: Final = 4096
_NUMBER: Final = 21
# Bytes of a list or a map, and of each member of it.
_CONTAINER: Final = 3
_MEMBER: Final = 1


def size_of(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the bytes of an item, as DynamoDB counts them. A number counts as its longest form."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B":
            size = _bytes(content)
        case "N":
            size = min(_NUMBER, len(content) // 2 + 2)
        case "SS" | "NS" | "BS":
            size = sum(map(_bytes, content))
        case "L":
            size = _CONTAINER + sum(_MEMBER + _size(each) for each in content)
        case "M":
            size = _CONTAINER + sum(_MEMBER + _bytes(name) + _size(each) for name, each in content.items())
        case _:
            size = 1
    return size


def _bytes(text: str | bytes) -> int:
    return len(text if isinstance(text, bytes) else text.encode())


@dataclass
class TableUnits:
    """The units of all calls so far.

    - `writes`, `reads`: units by second.
    - `partitions`: units of writes by partition key and second, of the table ("id …") and of its index ("due …").
    - `bytes`: of all items that are in the table.
    - `refused`: writes whose condition failed: another run had written the item.
    """

    writes: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    reads: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    partitions: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    refused: int = 0
    _items: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The bytes of all items."""
        return sum(size for _, _, size in self._items.values())

    def forget(self) -> None:
        """Forget what was counted so far. The items stay."""
        self.refused = 0
        for counted in (self.writes, self.reads, self.partitions):
            counted.clear()

    def hottest(self, kind: str) -> tuple[str, float]:
        """Return the partition key that had the most writes within a second, and how many units they took.

        `kind` is "id" for the table, "due" for its index.
        """
        busiest = ((max(each.values()), key) for key, each in self.partitions.items() if key.startswith(f"{kind} "))
        units, key = max(busiest, default=(0.0, f"{kind} -"))
        return key.partition(" ")[2], units

    def note(self, operation: str, arguments: Mapping[str, Any], answer: Mapping[str, Any] | None, at: float) -> None:
        """Count a call at `at` seconds. `answer` is None if the condition of a write was not met."""
        second = int(at)
        match operation:
            case "PutItem":
                self._put(arguments["Item"], second, refused=answer is None)
            case "UpdateItem":
                self._add(second, arguments["Key"]["id"]["S"], 1.0)
            case "BatchWriteItem":
                for request in (each for every in arguments["RequestItems"].values() for each in every):
                    if "PutRequest" in request:
                        self._put(request["PutRequest"]["Item"], second, refused=False)
                    else:
                        self._delete(request["DeleteRequest"]["Key"]["id"]["S"], second)
            case "BatchGetItem" if answer is not None:
                asked = sum(len(each["Keys"]) for each in arguments["RequestItems"].values())
                found = [each["id"]["S"] for every in answer["Responses"].values() for each in every]
                sizes = [self._items[each][2] if each in self._items else 1 for each in found]
                self.reads[second] += asked - len(found) + sum(max(1, ceil(each / _READ)) for each in sizes)
            case "Query" if answer is not None:
                self.reads[second] += max(1, ceil(sum(map(size_of, answer["Items"])) / _READ)) / 2

    def _put(self, item: Mapping[str, Mapping[str, Any]], second: int, *, refused: bool) -> None:
        name, size = item["id"]["S"], size_of(item)
        before = self._items.get(name, ("", "", 0))
        self._add(second, name, ceil(max(size, before[2]) / _WRITE))
        if refused:
            self.refused += 1
            return
        after = (item[QUEUE]["S"], item[LOOK_AT]["N"], size) if QUEUE in item else ("", "", size)
        self._move(second, before, after)
        self._items[name] = after

    def _delete(self, name: str, second: int) -> None:
        before = self._items.pop(name, ("", "", 0))
        self._add(second, name, max(1, ceil(before[2] / _WRITE)))
        self._move(second, before, ("", "", 0))

    def _move(self, second: int, before: tuple[str, str, int], after: tuple[str, str, int]) -> None:
        if before[:2] == after[:2]:
            return
        for queue in (before[0], after[0]):
            if queue:
                self.writes[second] += 1
                self.partitions[f"due {queue}"][second] += 1

    def _add(self, second: int, name: str, units: float) -> None:
        self.writes[second] += units
        self.partitions[f"id {name}"][second] += units
