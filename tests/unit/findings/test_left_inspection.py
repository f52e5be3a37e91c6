"""An inspection that waits for a run, as an item of the table."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from pull_responder.events.eks_change import Inspection
from pull_responder.findings.codec import UnusableItem
from pull_responder.findings.left_inspection import LeftInspection, left_item, read_left
from tests.unit.findings.lives import NOON

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

CHANGED: Final = Inspection(
    "111111111111", "eu-west-1", "prod", node_group="blue", addons=("coredns",), event_id="b1f2c3d4-0000-4000-8000-1"
)
LEFT: Final = LeftInspection(CHANGED, since=NOON, asked=3, tries=2, look_at=NOON + 60.25, version=4)


def test_an_inspection_is_read_as_it_was_written() -> None:
    assert read_left(left_item(LEFT)) == replace(LEFT, version=5)
    whole = replace(LEFT, look_at=NOON)
    assert read_left(left_item(whole)) == replace(whole, version=5)


def test_it_waits_in_its_own_queue_for_two_days_at_most() -> None:
    item = left_item(LEFT)
    assert (item["queue"], item["look_at"]) == ({"S": "inspection"}, {"N": f"{int(NOON) + 60}.250"})
    # From when it was left, however often it was tried since.
    assert item["expires_at"] == {"N": str(int(NOON) + 2 * 86_400)}
    assert (item["id"], item["version"]) == ({"S": LEFT.id}, {"N": "5"})
    # What changes while it waits stands in its own attributes alone.
    assert set(json.loads(item["inspection"]["S"])) == {"inspection", "since", "asked", "tries"}


def test_an_event_that_comes_twice_is_left_once() -> None:
    again = LeftInspection(replace(CHANGED, addons=()), since=NOON + 90)
    assert again.id == LEFT.id
    assert LEFT.id.startswith("inspection/")
    assert LeftInspection(replace(CHANGED, event_id="b1f2c3d4-0000-4000-8000-2"), since=NOON).id != LEFT.id
    # Without an id of the event, what is asked for tells them apart.
    bare = replace(CHANGED, event_id=None)
    assert LeftInspection(bare, since=NOON).id == LeftInspection(bare, since=NOON + 1).id
    assert LeftInspection(bare, since=NOON).id != LeftInspection(replace(bare, cluster="other"), since=NOON).id


def test_the_id_is_short_and_stays_the_same_in_every_version() -> None:
    """Else an event that came twice during an update is left twice."""
    assert LEFT.id == "inspection/0b78b60550960914df83d50984e9aa7b"


def edited(text: str | None = None, **changes: object) -> dict[str, Value]:
    item = left_item(LEFT)
    if text is None:
        text = json.dumps({**json.loads(item["inspection"]["S"]), **changes})
    return {**item, "inspection": {"S": text}}


def test_what_an_older_version_did_not_write_has_its_default_and_what_a_newer_one_did_is_ignored() -> None:
    older = json.dumps({"inspection": {"account": "111111111111", "region": "eu-west-1"}, "since": 5})
    read = read_left(edited(older))
    assert read == LeftInspection(Inspection("111111111111", "eu-west-1"), since=5, look_at=NOON + 60.25, version=5)
    assert read_left(edited(mood="calm")) == replace(LEFT, version=5)
    bare = edited()
    del bare["version"]
    assert read_left(bare).version == 0


@pytest.mark.parametrize(
    "item",
    [
        edited("{"),
        edited("null"),
        edited("[]"),
        edited("[" * 100_000),
        edited(since="yesterday"),
        edited(asked="three"),
        edited(inspection=None),
        edited(inspection={"account": "111111111111", "region": ["\n" * 2_000]}),
        {**edited(), "inspection": {"M": {}}},
        {**edited(), "look_at": {"N": "now"}},
        {**edited(), "look_at": {"S": "1"}},
    ],
    ids=lambda item: str(item)[-60:],
)
def test_an_item_that_cannot_be_read_is_reported_in_one_short_line(item: dict[str, Value]) -> None:
    with pytest.raises(UnusableItem) as refused:
        read_left(item)
    assert (refused.value.item_id, refused.value.version) == (LEFT.id, 5)
    message = str(refused.value)
    assert message.startswith(f"item {LEFT.id} of the findings table: its inspection cannot be read: ")
    assert "\n" not in message
    assert len(message) <= 300
