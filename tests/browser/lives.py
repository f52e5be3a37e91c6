"""Findings of a period: open and resolved, with and without known deeds, and hostile names in every field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.life import Life, State
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Remediation, Resource, Severity
from pull_responder.page.findings_page import findings_page
from tests.browser.pages import BY, MADE
from tests.unit.publish.examples import FINDING

HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
# 2026-03-01T12:00:00Z.
NOW: Final = 1_772_366_400.0
BROKE: Final = Deed(
    "DetachRolePolicy", "arn:aws:sts::111111111111:assumed-role/admin/jo", iso(NOW - 3 * HOUR), "e-1", "PullOnly"
)
FIXED: Final = Deed(
    "AttachRolePolicy", "arn:aws:sts::111111111111:assumed-role/admin/sam", iso(NOW - HOUR), "e-2", "PullOnly"
)


def open_life(finding: Finding = FINDING, **changes: Any) -> Life:  # noqa: ANN401 -- the fields that a test names
    """A finding that has been open for two hours."""
    reach = Reach(
        events=312, first_seen_at=iso(NOW - 2 * HOUR), last_seen_at=iso(NOW - 60), pod_count=12, node_count=1,
        clusters=("prod",), cluster_count=1,
    )  # fmt: skip
    life = Life(finding, State.OPEN, NOW - 2 * HOUR, NOW - 2 * HOUR, reach=reach, broken_by=BROKE)
    return replace(life, **changes)


def resolved_life(finding: Finding = FINDING, *, number: int = 1, **changes: Any) -> Life:  # noqa: ANN401 -- the fields that a test names
    """A finding that was resolved an hour ago, after one."""
    life = open_life(replace(finding, id=f"{finding.id}{number}"))
    ended: dict[str, Any] = {
        "state": State.RESOLVED,
        "resolved_at": NOW - HOUR,
        "deeds": (FIXED,),
        "because": f"It pulls; {FIXED.words}.",
    }
    return replace(life, **{**ended, **changes})


def hostile_life(text: str) -> Life:
    """A finding of which every text that others write is `text`."""
    deed = Deed(text, text, text, text, text)
    finding = replace(
        FINDING,
        id=f"pull-responder/{text}",
        cause=text,
        title=text,
        account=text,
        region=text,
        resource=Resource(text, f"arn:aws:iam::111111111111:role/{text}", text),
        explanation=text,
        evidence=(text,),
        remediation=Remediation(text, text, text, text, (("aws", text),), undo=(("aws", text),)),
        cluster=text,
        severity=Severity.CRITICAL,
    )
    reach = Reach(events=1, first_seen_at=text, last_seen_at=text, clusters=(text,), pods=(text,), pod_count=1)
    return open_life(
        finding, state=State.RESOLVED, resolved_at=NOW, reach=reach, broken_by=deed, deeds=(deed,), because=text
    )


def page_of(*lives: Life, unread: tuple[str, ...] = (), days: float = 30, keep_days: int = 90) -> str:
    """The page of these findings."""
    since = NOW - days * DAY
    return findings_page(lives, unread, since=since, until=NOW, keep_days=keep_days, now=NOW, made=MADE, by=BY)
