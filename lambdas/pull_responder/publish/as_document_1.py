"""Notices as JSON documents of schema 1.0, one a finding: docs/notification-1.schema.json.

The setting `notificationSchema` keeps it for subscribers that do not read 2.0 yet. Nothing is added to it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.publish.as_document import SCHEMA, bounded_finding, pull_of, reach_object, summary_object
from pull_responder.publish.attributes import DIGEST, alert_values, digest_values, sort_by_severity
from pull_responder.publish.text import one_line, take_fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.notice import Notice

VERSION: Final = "1.0"

_PARAGRAPH: Final = 4_000


def notice_document(alert: Alert, *, room: int) -> dict[str, Any]:
    """Return the document of the first notice of `alert`. Evidence and commands take at most `room` bytes each."""
    notice = alert.worst
    finding = notice.finding
    shape = bounded_finding(finding, room=room)
    del shape["remediation"]["undo"]
    reach, reach_shape = notice.reach, reach_object(notice.reach)
    del reach_shape["account_count"]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": notice.edge,
        "at": notice.at,
        "opened_at": notice.opened_at,
        "because": one_line(notice.because, min(_PARAGRAPH, room)),
        "attributes": alert_values(alert, in_part=False),
        "finding": shape,
        "pull": pull_of(finding),
        "reach": reach_shape | {"pod_count": reach.pod_count, "node_count": reach.node_count},
        "omitted": {
            "evidence": len(finding.evidence) - len(shape["evidence"]),
            "commands": len(finding.remediation.commands) - len(shape["remediation"]["commands"]),
        },
    }


def digest_document(notices: Sequence[Notice], *, room: int) -> dict[str, Any]:
    """Return the document of a digest: the most severe of `notices` that fit in `room` bytes, and how many do not."""
    worst = sort_by_severity(notices)
    lines = [json.dumps(summary_object(notice), ensure_ascii=False) for notice in worst]
    shown = [summary_object(notice) for notice in worst[: len(take_fitting(lines, size=room))]]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "edge": DIGEST,
        "at": max((notice.at for notice in notices), default=""),
        "count": len(notices),
        "attributes": digest_values(notices),
        "findings": shown,
        "omitted": {"findings": len(notices) - len(shown)},
    }
