"""The test event, by which `pull-responder test-event` proves a deployment from the event bus to whoever is told.

    {"source": "pull-responder.test", "detail-type": "Pull Responder test", "account": the function's,
     "time": when it was sent, "detail": {"id": 32 hexadecimal digits}}

Whoever may call events:PutEvents can send one. So nothing of it is told but the id, which the sender looks for in the
findings table. Nobody waits for one of another time: docs/adr/0148-a-test-event-is-no-failure.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pull_responder.events import fields, names
from pull_responder.events.json_text import read_json
from pull_responder.events.outcome import Skipped, UnusableEvent

SOURCE: Final = "pull-responder.test"
DETAIL_TYPE: Final = "Pull Responder test"

MOST_SECONDS: Final = 900
"""How old a test may be, and how far ahead its time. The queue keeps events for days."""

_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Trial:
    """A test of the deployment. `id` is the sender's, 32 hexadecimal digits."""

    id: str


def read_trial(body: str, *, account: str | None, now: float) -> Trial | Skipped | None:
    """Return the test event in a message of the queue; None if the message is something else.

    - `account` is our own. Events of other accounts are skipped; with None, every one is.
    - `now` is in seconds since 1970. Events of another time are skipped.
    """
    if SOURCE not in body:  # most messages: their JSON is not read twice
        return None
    try:
        envelope = read_json(body, where="body")
    except UnusableEvent:
        return None
    if not isinstance(envelope, dict) or envelope.get("source") != SOURCE:
        return None
    sender = names.account(envelope.get("account"))
    if account is None or sender != account:
        return Skipped(f"a test event of account {sender or '(not named)'}, not of our own")
    own_id = fields.mapping(envelope, "detail").get("id")
    if envelope.get("detail-type") != DETAIL_TYPE or not (isinstance(own_id, str) and _ID.fullmatch(own_id)):
        return Skipped("a test event that `pull-responder test-event` has not made")
    why = _of_another_time(envelope.get("time"), now)
    return Skipped(why) if why else Trial(own_id)


def _of_another_time(value: object, now: float) -> str:
    """Return why an event of this time is not answered; empty if it is."""
    text = names.time(value)
    if text is None:
        return "a test event without a time"
    # EventBridge sets it where the sender gives none, as ours does (API Reference, PutEventsRequestEntry).
    age = now - datetime.fromisoformat(text).timestamp()
    if age > MOST_SECONDS:
        return "a test event that is older than 15 minutes"
    if age < -MOST_SECONDS:
        return "a test event that is dated more than 15 minutes ahead"
    return ""
