"""The workflow status that people set in Security Hub, and what they are still notified of."""

from __future__ import annotations

from typing import Final

import pytest

from pull_responder.findings.notice import Edge
from pull_responder.model.unread import Unread
from pull_responder.publish.hub_workflow import Workflow, WorkflowStatus, may_notify

UNTOUCHED: Final = Workflow(WorkflowStatus.NEW)
NOTIFIED: Final = Workflow(WorkflowStatus.NOTIFIED)
RESOLVED_BY_A_PERSON: Final = Workflow(WorkflowStatus.RESOLVED)
RESOLVED_AND_OVER: Final = Workflow(WorkflowStatus.RESOLVED, archived=True)
SUPPRESSED: Final = Workflow(WorkflowStatus.SUPPRESSED)
SUPPRESSED_AND_OVER: Final = Workflow(WorkflowStatus.SUPPRESSED, archived=True)
UNREAD: Final = Unread("securityhub:GetFindings failed: AccessDeniedException")

EVERYTHING: Final = "new worse back reminder resolved"


@pytest.mark.parametrize(
    ("workflow", "told"),
    [
        (None, EVERYTHING),
        (UNREAD, EVERYTHING),
        (UNTOUCHED, EVERYTHING),
        (NOTIFIED, "new worse back resolved"),
        (RESOLVED_BY_A_PERSON, "new back resolved"),
        (RESOLVED_AND_OVER, EVERYTHING),
        (SUPPRESSED, "worse"),
        (SUPPRESSED_AND_OVER, "worse"),
    ],
)
def test_what_is_notified(workflow: Workflow | Unread | None, told: str) -> None:
    assert {edge.value for edge in Edge if may_notify(edge, workflow)} == set(told.split())


@pytest.mark.parametrize(
    ("workflow", "is_set_by_people"),
    [
        (UNTOUCHED, False),
        (Workflow(WorkflowStatus.NEW, archived=True), False),
        (NOTIFIED, True),
        (Workflow(WorkflowStatus.NOTIFIED, archived=True), True),
        (SUPPRESSED, True),
        (SUPPRESSED_AND_OVER, True),
        (RESOLVED_BY_A_PERSON, True),
        # Ours or theirs: a finding that is over is left alone either way.
        (RESOLVED_AND_OVER, False),
    ],
)
def test_whose_a_status_is(workflow: Workflow, *, is_set_by_people: bool) -> None:
    assert workflow.is_set_by_people is is_set_by_people
