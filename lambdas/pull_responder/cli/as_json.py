"""The JSON that `diagnose` prints. Other programs rely on it: keys may be added, none is renamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.printable import escape_json
from pull_responder.publish.as_document import finding_object, pull_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.cli.answered import Answered, Reach, UsedBy
    from pull_responder.cli.scope import Scope
    from pull_responder.diagnosis import Diagnosis, Undecided
    from pull_responder.events.outcome import Skipped
    from pull_responder.network import Hop, NodePlace, Path
    from pull_responder.pulls.path import PullPath


def line_of(value: dict[str, Any]) -> str:
    """Return an object as one printable line of JSON, in which letters of all scripts stay readable."""
    return escape_json(json.dumps(value, ensure_ascii=False))


_NAMED: Final = 10


def diagnosis_object(
    diagnosis: Diagnosis,
    path: PullPath | None = None,
    asked: str | None = None,
    nodes: str | None = None,
    reach: Reach | None = None,
) -> dict[str, Any]:
    """Return the object to print for one distinct pull.

    - `path` is its path to the registry, where that was read.
    - `asked` is the image as a question names it.
    - `nodes` are the nodes that a question is about.
    - `reach` are the pods that wait for it, where a cluster was read.
    """
    return {
        "pull": pull_object(diagnosis.pull, diagnosis.role_arn, diagnosis.cluster)
        | ({"image": asked} if asked else {}),
        "nodes": nodes or (path.nodes.name if path else None),
        "skipped": None,
        "findings": [finding_object(finding) for finding in diagnosis.findings],
        "inconclusive": [_open(each) for each in diagnosis.inconclusive],
        "unchecked": [_open(each) for each in diagnosis.unchecked],
        "passed": list(diagnosis.passed),
        "note": diagnosis.note or diagnosis.look_next,
        "path": _path(path) if path else None,
        "pods": _pods(reach) if reach else None,
    }


def skipped_object(skipped: Skipped) -> dict[str, Any]:
    """Return the object to print for an event that is not about a pull from ECR."""
    return {
        "pull": pull_object(None, None, None),
        "skipped": skipped.reason,
        "findings": [],
        "inconclusive": [],
        "unchecked": [],
        "passed": [],
        "note": "",
        "path": None,
        "pods": None,
    }


def answer_object(answer: Answered) -> dict[str, Any]:
    """Return the object to print for one answer: of its diagnosis, with whom it hits and, of manifests, who asks."""
    shown = diagnosis_object(answer.diagnosis, answer.path, answer.asked, answer.nodes, answer.reach)
    used = workloads_object(answer.used_by) if answer.used_by else {}
    return with_scopes(shown, answer.scopes) | used


def with_scopes(shown: dict[str, Any], scopes: Mapping[str, Scope]) -> dict[str, Any]:
    """Return the object of one pull with a further key of its findings: which other workloads use what is broken."""
    found = [each | {"scope": _scope(scopes.get(each["id"]))} for each in shown["findings"]]
    return shown | {"findings": found}


def _scope(scope: Scope | None) -> dict[str, Any] | None:
    """Return who else uses what is broken: what they share, how many they are, the first of them, and their pods."""
    if scope is None:
        return None
    return {
        "shared": scope.shared,
        "count": len(scope.workloads),
        "workloads": list(scope.workloads[:_NAMED]),
        "pods": scope.pods,
        "waiting": scope.waiting,
        "at_risk": scope.pods - scope.waiting,
        "doubt": scope.doubt or None,
    }


def _pods(reach: Reach) -> dict[str, Any]:
    """Return the pods that wait for a pull: how many, the first of them, on how many nodes, and their owners."""
    return {
        "count": reach.count,
        "names": list(reach.pods),
        "nodes": reach.nodes,
        "workloads": list(reach.workloads),
    }


def workloads_object(used_by: Iterable[UsedBy]) -> dict[str, Any]:
    """Return the further key of an image of manifests: where they use it. `doubt` is null where it certainly runs."""
    return {
        "workloads": [
            {
                "kind": each.use.kind,
                "namespace": each.use.namespace,
                "name": each.use.name,
                "container": each.use.container,
                "file": each.use.file,
                "line": each.use.line,
                "doubt": each.doubt or None,
            }
            for each in used_by
        ]
    }


def _path(path: PullPath) -> dict[str, Any]:
    return {
        "nodes": path.nodes.name,
        "account": path.owner,
        "vpc": path.nodes.vpc_id if isinstance(path.nodes.vpc_id, str) else None,
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
        "resource": hop.resource_id or "unknown",
        **_place(hop),
        "verdict": hop.verdict,
        "causes": list(dict.fromkeys(fault.cause for fault in hop.faults)),
        "proof": [*hop.evidence, *(f"{doubt.cause}: {doubt.reason}" for doubt in hop.undecided)],
    }


def _place(hop: Hop) -> dict[str, str | None]:
    """Return where a hop is. All is null if it is part of the nodes' VPC, and `vpc` if it is part of none."""
    owned = hop.owned
    if owned is None:
        return {"account": None, "region": None, "vpc": None}
    return {"account": owned.account, "region": owned.region, "vpc": owned.vpc_id or None}


def _open(each: Undecided) -> dict[str, str]:
    return {"cause": each.cause, "reason": each.reason, "next": each.next}
