"""Each message once: explained, diagnosed from kubelet's event, and answered by the deployed function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.three_ways.messages import MESSAGES
from tests.integration.three_ways.room import image_of
from tests.integration.three_ways.ways import UNEXPLAINED

if TYPE_CHECKING:
    from tests.integration.three_ways.room import Room
    from tests.integration.three_ways.row import Row
    from tests.integration.three_ways.ways import Ways


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row.name)
def test_a_message_says_the_same_three_ways(row: Row, ways: Ways, room: Room) -> None:
    name = room.repository(pushed=row.pushed)
    image, message = image_of(name), row.text(name)
    explained = ways.explain(message)
    assert (explained["symptom"], explained["stage"]) == (row.symptom, row.stage)
    assert explained["image"] == image

    node = room.spoke.node if row.in_spoke else room.shut_in.node if row.shut_in else ""
    event = room.event(message, image, reason=row.reason, node=node)
    answer, pull = ways.terminal(event)
    assert (pull["symptom"], pull["stage"], pull["image"]) == (row.symptom, row.stage, image)
    assert answer.causes == set(row.causes)
    assert answer.causes <= {*explained["can_mean"], "credential_provider_failing"}
    assert not row.ruled_out & {*explained["can_mean"], *answer.causes, *answer.undecided}
    if row.undecided:
        assert row.why.lower() in answer.undecided[row.undecided].lower()

    deployed, notified = ways.deployed(event)
    assert deployed == answer
    if not answer.found:
        assert [each["cause"] for each in notified] == [UNEXPLAINED]
