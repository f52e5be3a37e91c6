"""The units of bench/table_units.py, against the examples and rules of the DynamoDB Developer Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.table_units import TableUnits, size_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def _item(name: str, size: int, queue: str | None = None, at: str = "1") -> dict[str, Any]:
    item: dict[str, Any] = {"id": {"S": name}, "data": {"B": b"x" * size}}
    return item | ({"queue": {"S": queue}, "look_at": {"N": at}} if queue else {})


def _put(units: TableUnits, item: Mapping[str, Any], answer: dict[str, Any] | None = None, *, at: float = 0) -> float:
    """Put an item, and return the units that it took."""
    before = sum(units.writes.values())
    units.note("PutItem", {"Item": item}, {} if answer is None else answer, at)
    return sum(units.writes.values()) - before


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"id": {"S": "abc"}}, 5),
        ({"id": {"S": "é"}}, 4),
        ({"n": {"N": "27"}}, 1 + 3),
        ({"b": {"B": b"12345"}}, 6),
        ({"t": {"BOOL": True}, "u": {"NULL": True}}, 4),
        ({"s": {"SS": ["ab", "c"]}}, 4),
        ({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}, 1 + 3 + 2 * 1 + 3),
        ({"m": {"M": {"k": {"S": "v"}}}}, 1 + 3 + 1 + 2),
    ],
)
def test_the_size_of_an_item(item: Mapping[str, Any], size: int) -> None:
    assert size_of(item) == size


def test_a_write_takes_a_unit_for_each_kilobyte_of_the_larger_item() -> None:
    units = TableUnits()
    assert _put(units, _item("a", 100)) == 1
    assert _put(units, _item("a", 3_000)) == 3
    assert _put(units, _item("a", 100)) == 3, "the item was larger before"
    assert _put(units, _item("a", 100)) == 1
    assert units.bytes == size_of(_item("a", 100))


def test_the_index_costs_what_its_keys_change() -> None:
    units = TableUnits()
    assert _put(units, _item("a", 9, "finding")) == 1 + 1, "it is added"
    assert _put(units, _item("a", 10, "finding")) == 1, "the keys are the same"
    assert _put(units, _item("a", 10, "finding", at="2")) == 1 + 2, "it moves"
    assert _put(units, _item("a", 10, "notice", at="2")) == 1 + 2
    assert _put(units, _item("a", 10)) == 1 + 1, "it is removed"
    assert units.hottest("due") == ("finding", 4)
    assert units.hottest("id") == ("a", 5)


def test_a_write_whose_condition_fails_is_paid_and_changes_nothing() -> None:
    units = TableUnits()
    _put(units, _item("a", 2_000, "finding"))
    units.note("PutItem", {"Item": _item("a", 100, "notice")}, None, 0)
    assert sum(units.writes.values()) == 2 + 1 + 2
    assert units.refused == 1
    assert _put(units, _item("a", 2_000, "finding")) == 2


def test_batches_count_each_item() -> None:
    units = TableUnits()
    puts = [{"PutRequest": {"Item": _item(name, 100, f"at/{name}")}} for name in "ab"]
    units.note("BatchWriteItem", {"RequestItems": {"t": puts}}, {}, 0)
    assert sum(units.writes.values()) == 4
    units.note("BatchWriteItem", {"RequestItems": {"t": [{"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]}}, {}, 0)
    assert sum(units.writes.values()) == 6
    assert units.bytes == size_of(_item("b", 100, "at/b"))


def test_reads_count_each_item_and_those_that_are_not_there() -> None:
    units = TableUnits()
    _put(units, _item("large", 5_000))
    keys = [{"id": {"S": each}} for each in ("large", "absent", "gone")]
    answer = {"Responses": {"t": [_item("large", 5_000)]}}
    units.note("BatchGetItem", {"RequestItems": {"t": {"Keys": keys}}}, answer, 7)
    assert dict(units.reads) == {7: 2 + 1 + 1}
    units.note("Query", {}, {"Items": []}, 8)
    units.note("Query", {}, {"Items": [_item("a", 3_000), _item("b", 3_000)]}, 9)
    assert (units.reads[8], units.reads[9]) == (0.5, 1)


def test_what_is_forgotten_leaves_the_items() -> None:
    units = TableUnits()
    _put(units, _item("a", 3_000, "finding"))
    units.forget()
    assert (dict(units.writes), dict(units.partitions), units.refused) == ({}, {}, 0)
    assert _put(units, _item("a", 10)) == 3 + 1
