"""What still makes the responder blind after an examination."""

from __future__ import annotations

import pytest

from pull_responder.doctor.result import Result, broken, unread, works
from pull_responder.model.unread import Unread
from pull_responder.responder.examination import still_blind

POLICY = "queues: policy of queue a"
REFUSED = Unread("refused")


def _unread(check: str, subject: str) -> Result:
    return unread(check, subject, REFUSED, "not known")


@pytest.mark.parametrize(
    ("results", "lasts"),
    [
        pytest.param([works("queues", "policy of queue a", "it lets")], False, id="works"),
        pytest.param([works("queues", "queue b", "empty")], False, id="no part of the deployment any more"),
        pytest.param([broken("queues", "policy of queue a", "lacks", "lost")], False, id="broken, and blinds nobody"),
        pytest.param([_unread("queues", "policy of queue a")], True, id="unread"),
        pytest.param([_unread("queues", "the queues of the stack")], True, id="its check is unread"),
        pytest.param([_unread("rules", "rule b"), works("queues", "queue b", "empty")], False, id="another is unread"),
        pytest.param([_unread("stack", "stack x")], True, id="the stack is unread"),
        pytest.param(
            [_unread("stack", "template of stack x"), broken("queues", "policy of queue a", "lacks", "lost")],
            True,
            id="broken, and the template would say whether that blinds",
        ),
        pytest.param(
            [_unread("stack", "template of stack x"), works("queues", "policy of queue a", "it lets")],
            False,
            id="works without the template",
        ),
        pytest.param([broken("queues", "policy of queue a", "lacks", "lost", blinds=True)], True, id="blinds"),
    ],
)
def test_what_made_it_blind_lasts_until_it_was_read(results: list[Result], *, lasts: bool) -> None:
    assert still_blind([POLICY], results) == ((POLICY,) if lasts else ())
