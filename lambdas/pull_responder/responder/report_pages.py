"""Writes the page of a diagnosis into the bucket of reports, where the settings name one.

The page is that of `diagnose --report`, as it was read when the problem was diagnosed. A notification links to it only
if it was written (docs/adr/0186-a-link-that-asks-who-opens-it.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pull_responder.checks import no_route_to_ecr
from pull_responder.findings.clock import minute
from pull_responder.model.unread import Unread
from pull_responder.publish.as_document import finding_object, pull_object
from pull_responder.publish.report_pages import page_key, put_page
from pull_responder.pulls.path import PullPath, pull_path

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.pulls.pull_facts import PullFacts
    from pull_responder.responder.run import Run


def write_page(run: Run, problem_id: str, diagnosis: Diagnosis, facts: PullFacts) -> str:
    """Write the page of a diagnosis that has a finding. Return its key; empty if there is no page.

    What fails is logged, and nothing else depends on it: people are notified all the same.
    """
    bucket = run.settings.report_bucket
    if bucket is None or not diagnosis.findings:
        return ""
    region = run.aws.region or ""
    client, own = run.aws.client("s3", account=None, region=region), run.aws.identity(region)
    key = page_key(problem_id)
    if isinstance(client, Unread) or isinstance(own, Unread):
        reason = "; ".join(each.reason for each in (client, own) if isinstance(each, Unread))
    else:
        try:
            page = _page(run, diagnosis, facts)
        except Exception as error:  # noqa: BLE001 -- a fault of ours in a page must not cost the finding
            reason = f"{type(error).__name__}: {error}"
        else:
            reason = put_page(client, bucket=bucket, owner=own.account, key=key, page=page)
    if reason:
        run.logger.error("the page of a diagnosis could not be written", about=problem_id, reason=reason)
        return ""
    return key


def _page(run: Run, diagnosis: Diagnosis, facts: PullFacts) -> str:
    # Where no pages are written, no function loads what makes them.
    from pull_responder.page.diagnosis_page import ReportedPull, diagnosis_page  # noqa: PLC0415

    path = pull_path(diagnosis.pull, facts) if diagnosis.pull.symptom in no_route_to_ecr.CHECK.symptoms else None
    pull = ReportedPull(
        diagnosis, path if isinstance(path, PullPath) else None, asked=None, nodes=None, raw=_raw(diagnosis)
    )
    made = f"Read from AWS until {minute(run.now())}"
    return diagnosis_page([pull], (), made=made, by="Made by Pull Responder when it found this")


def _raw(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the facts in the form of `diagnose --format json`, without the path."""
    return {
        "pull": pull_object(diagnosis.pull, diagnosis.role_arn, diagnosis.cluster),
        "findings": [finding_object(each) for each in diagnosis.findings],
        "inconclusive": [{"cause": each.cause, "reason": each.reason} for each in diagnosis.inconclusive],
        "unchecked": [{"cause": each.cause, "reason": each.reason} for each in diagnosis.unchecked],
        "passed": list(diagnosis.passed),
        "note": diagnosis.note or diagnosis.look_next,
    }
