"""One message about one problem: what has changed, since when, and how bad it is."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.findings.alert import Alert
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Severity
from tests.unit.publish.examples import FINDING

WORST = Notice(
    Edge.WORSE,
    replace(FINDING, severity=Severity.CRITICAL),
    Reach(events=9, pod_count=4),
    at="2026-03-01T12:10:00Z",
    opened_at="2026-03-01T12:00:00Z",
)
OTHER = Notice(Edge.WORSE, FINDING, Reach(events=1), at="2026-03-01T12:20:00Z", opened_at="2026-03-01T12:05:00Z")


def test_a_finding_that_shares_its_problems_with_no_other_is_told_alone() -> None:
    alert = Alert.alone(WORST)
    assert alert == Alert(FINDING.id, (WORST,), (), Reach(events=9, pod_count=4), others_known=True)


def test_a_message_is_as_severe_as_its_worst_finding() -> None:
    alert = Alert("problem/a", (WORST, OTHER))
    assert (alert.worst, alert.edge, alert.severity) == (WORST, Edge.WORSE, Severity.CRITICAL)
    # Nobody has read how far it reaches, nor that other causes could not be read.
    assert (alert.reach, alert.others_known) == (Reach(), True)


def test_a_message_says_the_earliest_beginning_and_the_latest_change() -> None:
    alert = Alert("problem/a", (WORST, OTHER))
    assert (alert.since, alert.at) == ("2026-03-01T12:00:00Z", "2026-03-01T12:20:00Z")
    earlier = Alert("problem/a", (WORST, replace(OTHER, since="2026-03-01T11:59:00Z")))
    assert earlier.since == "2026-03-01T11:59:00Z"
    later = Alert("problem/a", (replace(WORST, since="2026-03-01T12:30:00Z"), OTHER))
    assert later.since == "2026-03-01T12:05:00Z"
