"""What people and queues get of a test event. Each text says that it is a test, and names no fault.

The document has a schema of its own: a reader of alerts that knows no tests leaves it alone, and opens no incident
(docs/adr/0149-what-a-test-tells-whom.md).
"""

from __future__ import annotations

import json
from typing import Any, Final

from pull_responder.findings.clock import minute
from pull_responder.findings.problem import iso
from pull_responder.model.verdict import Severity
from pull_responder.publish.attributes import UNKNOWN, message_attributes
from pull_responder.publish.chat import custom_notification
from pull_responder.publish.chat_text import say
from pull_responder.publish.notification import Notification

SCHEMA: Final = "pull-responder/test"
VERSION: Final = "1.0"
TEST: Final = "test"
"""The status, the cause and the edge of a test."""

_MARK: Final = "[TEST]"
# Not that nothing is broken: a test sees no failures.
NO_ALERT: Final = "This is a test, and tells of no failure. There is nothing to do."
"""What every text says."""
_SEVERITY: Final = Severity.INFORMATIONAL
# Whoever filters by severity wants to know whether alerts arrive, too. An array is accepted for any of its values.
_SEVERITIES: Final = [each.value for each in Severity]


def trial_notification(trial_id: str, *, account: str, region: str, at: float) -> Notification:
    """Return the notification of a test event.

    - `trial_id`: the event's, 32 hexadecimal digits.
    - `account`, `region`: the deployment's.
    - `at`: seconds since 1970.
    """
    values = {
        "severity": _SEVERITIES,
        "cause": [TEST],
        "cluster": [UNKNOWN],
        "account": [account],
        "region": [region],
        "status": [TEST],
    }
    where = f"account {account}, region {region}"
    headline = f"{_MARK} Pull Responder in {where}. {NO_ALERT}"
    why = f"A test event asked at {minute(at)} whether notifications arrive. This one did."
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": TEST,
        "severity": _SEVERITY,
        "test": True,
        "id": trial_id,
        "at": iso(at),
        "account": account,
        "region": region,
        "headline": headline,
        "action": None,
        "attributes": values,
    }
    chat = custom_notification(
        title=f"{_MARK} Pull Responder: a test, no failure",
        lines=[NO_ALERT, why, f"Where: account {say(account)}, region {say(region)}"],
        thread=None,
        summary="A test, no failure",
        resources=[],
        values=values | {"severity": [_SEVERITY.value]},
    )
    texts = {
        "default": _json(document),
        "email": f"{headline}\n\n{why}\n\nTest: {trial_id}\n",
        "sms": f"{_MARK} Pull Responder in {account} {region}. {NO_ALERT}",
        "https": _json(chat),
    }
    subject = f"{_MARK} Pull Responder: a test, no failure ({account} {region})"
    return Notification(subject, message_attributes(values), texts, values)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
