"""The JSON that `diagnose` prints: a contract that others rely on. Keys may be added, none is renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from pull_responder.checks.pull_path import PullPath
    from pull_responder.diagnosis import Diagnosis, Open
    from pull_responder.events.outcome import Skipped
    from pull_responder.findings.finding import Finding
    from pull_responder.model.pull import PullFailure
    from pull_responder.network import Hop, NodePlace, Path

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


def diagnosis_object(diagnosis: Diagnosis, path: PullPath | None = None, asked: str | None = None) -> dict[str, Any]:
    """Return the object printed for one distinct pull.

    `path` is its way to the registry, where that was looked at; `asked` the image as a question names it.
    """
    return {
        "pull": _pull(diagnosis.pull, diagnosis.role_arn, diagnosis.cluster) | ({"image": asked} if asked else {}),
        "skipped": None,
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "inconclusive": [_open(each) for each in diagnosis.inconclusive],
        "unchecked": [_open(each) for each in diagnosis.unchecked],
        "passed": list(diagnosis.passed),
        "note": diagnosis.note,
        "path": _path(path) if path else None,
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
        "path": None,
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


def _path(path: PullPath) -> dict[str, Any]:
    return {
        "nodes": path.nodes.name,
        "from": [_way(place, way) for place, way in path.paths],
        "other_subnets": [_way(place, way) for place, way in path.others],
    }


def _way(place: NodePlace, way: Path) -> dict[str, Any]:
    return {
        "node": place.name,
        "subnet": place.subnet_id,
        "verdict": way.verdict,
        "causes": list(dict.fromkeys(fault.cause for fault in way.faults)),
        "legs": [
            {
                "stage": leg.stage,
                "host": leg.host,
                "verdict": leg.verdict,
                "hops": [_hop(hop) for hop in leg.hops],
            }
            for leg in way.legs
        ],
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "kind": hop.kind,
        "resource": hop.resource_id,
        "verdict": hop.verdict,
        "causes": list(dict.fromkeys(fault.cause for fault in hop.faults)),
        "proof": [*hop.evidence, *(f"{doubt.cause}: {doubt.reason}" for doubt in hop.undecided)],
    }


def _open(each: Open) -> dict[str, str]:
    return {"cause": each.cause, "reason": each.reason}
