"""The picture of a way: rows that a page has room for, and whose each stop is."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pull_responder.page.picture import picture
from pull_responder.page.stops import State, Stop

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HERE = Stop("route", "rtb-1", State.OK)
THERE = Stop("NAT gateway", "nat-1", State.FAILED, place="in vpc-2 of account 333333333333", account="333333333333")


def boxes(drawing: Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each box, in order."""
    found = []
    for each in drawing.iter("rect"):
        left, top, width, height = (float(each.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((left, top, left + width, top + height))
    return found


@pytest.mark.parametrize("number", [1, 2, 6, 7, 8, 14, 15, 17, 30])
@pytest.mark.parametrize("last", [HERE, THERE], ids=["own", "another's"])
def test_boxes_stand_in_rows_within_the_drawing(number: int, last: Stop) -> None:
    stops = (*(HERE for _ in range(number - 1)), last)
    for drawing in picture(stops, "way", key="k"):
        _, _, width, height = map(float, drawing.attrib["viewBox"].split())
        found = boxes(drawing)
        assert len(found) == number
        assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in found)
        assert all(after[0] >= before[2] or after[1] >= before[3] for before, after in pairwise(found))
        assert len([each for each in drawing.iter("path") if "wire" in each.attrib.get("class", "")]) == number - 1
        # The page is 68 rem wide at most, with a margin.
        assert width <= 1088


def test_a_stop_of_another_account_says_whose_it_is() -> None:
    across, down = picture((HERE, THERE), "way", key="k")
    assert [each.text for each in across.iter("text")][-1] == "of 333333333333"
    assert [each.text for each in down.iter("text")][-1] == "account 333333333333"
    for drawing in (across, down):
        (said,) = (each.text for each in drawing.iter("desc"))
        assert said == "route rtb-1: works; NAT gateway nat-1 in vpc-2 of account 333333333333: broken."
        texts = [each for each in drawing.iter("svg") if each.find("text") is not None]
        tops = {float(each.attrib["y"]) + float(each.attrib["height"]) for each in texts}
        assert max(tops) <= max(bottom for _, _, _, bottom in boxes(drawing)) + 5


def test_what_lies_behind_a_broken_stop_is_cut_off_in_the_next_row_too() -> None:
    across, _ = picture((HERE, THERE, *(HERE for _ in range(9))), "way", key="k")
    wires = [each.attrib["class"] for each in across.iter("path") if "wire" in each.attrib.get("class", "")]
    assert wires == ["wire", *(9 * ["wire cut"])]
