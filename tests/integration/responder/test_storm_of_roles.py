"""Many roles fail in one minute: all are diagnosed soon, in few messages, and another fault among them is not buried.

The deployed handlers run with the deployed concurrency, by the emulated clock of bench/lambda_time.py. All roles in one
batch are the hardest. `make bench` lets a thousand fail, in one batch and in ten at once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.roles import CAUSE, OTHER_CAUSE, Estate, cause_of, number_in, play
from pull_responder.handlers import connection

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene

_SECONDS_TO_DIAGNOSE = 300
_MOST_MESSAGES = 6


@pytest.mark.parametrize(("roles", "batches"), [(200, 1), (60, 10)])
def test_a_storm_of_roles(scene: Scene, monkeypatch: pytest.MonkeyPatch, roles: int, batches: int) -> None:
    monkeypatch.setenv("TABLE_NAME", scene.table)
    monkeypatch.setenv("TOPIC_ARN", scene.topic)
    connection.disconnect()
    result = play(Estate(scene.aws, roles), batches=batches)

    assert (result.problems, result.late) == (roles + 1, 0)
    assert result.diagnosed <= _SECONDS_TO_DIAGNOSE
    assert result.other <= 120
    for messages, edge in ((result.broken, "new"), (result.over, "resolved")):
        assert len(messages) <= _MOST_MESSAGES
        assert sum(number_in(each) for _, each in messages) == roles + 1
        single = Counter(map(cause_of, (document for _, document in messages)))
        assert single[OTHER_CAUSE] == 1
        assert single[CAUSE] <= 1
        causes = [each for _, document in messages if document["edge"] == "digest" for each in document["causes"]]
        assert {(each["cause"], *each["edges"]) for each in causes} == {(CAUSE, edge)}
    assert scene.store.open_findings(limit=9) == []
