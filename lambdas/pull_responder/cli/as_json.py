"""The JSON that `diagnose` prints: a contract that others rely on. Keys may be added, none is renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis, Open
    from pull_responder.events.outcome import Skipped
    from pull_responder.findings.finding import Finding
    from pull_responder.model.pull import PullFailure

_PULL_KEYS: Final = (
    "image",
    "registry_account",
    "region",
    "repository",
    "tag",
    "digest",
    "role_arn",
    "cluster",
    "node",
    "namespace",
    "pod",
    "symptom",
    "stage",
    "observed_at",
)


def diagnosis_object(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the object printed for one distinct pull."""
    return {
        "pull": _pull(diagnosis.pull, diagnosis.role_arn, diagnosis.cluster),
        "skipped": None,
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "inconclusive": [_open(each) for each in diagnosis.inconclusive],
        "unchecked": [_open(each) for each in diagnosis.unchecked],
        "passed": list(diagnosis.passed),
        "note": diagnosis.note,
    }


def skipped_object(skipped: Skipped) -> dict[str, Any]:
    """Return the object printed for an event that is not ours."""
    return {
        "pull": _pull(None, None, None),
        "skipped": skipped.reason,
        "findings": [],
        "inconclusive": [],
        "unchecked": [],
        "passed": [],
        "note": "",
    }


def _pull(pull: PullFailure | None, role_arn: str | None, cluster: str | None) -> dict[str, str | None]:
    known = {key: getattr(pull, key, None) for key in _PULL_KEYS}
    return known | {"role_arn": role_arn, "cluster": cluster}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "cause": finding.cause,
        "title": finding.title,
        "severity": finding.severity,
        "resource": {"type": finding.resource.type, "id": finding.resource.id},
        "explanation": finding.explanation,
        "evidence": list(finding.evidence),
        "remediation": {
            "summary": finding.remediation.summary,
            "account": finding.remediation.account,
            "region": finding.remediation.region,
            "commands": [render(command) for command in finding.remediation.commands],
            "docs_url": finding.remediation.docs_url,
        },
    }


def _open(each: Open) -> dict[str, str]:
    return {"cause": each.cause, "reason": each.reason}
