"""The order in which an answer tells causes: the worst first, and of equals the most likely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis, Undecided
    from pull_responder.findings.finding import Finding
    from pull_responder.model.pull import PullFailure

_UNLIKELY: Final = 1_000_000


def worst_first(diagnosis: Diagnosis) -> list[Finding]:
    """Return the causes by severity. Of equal ones those come first that explain the symptom best."""
    return sorted(diagnosis.findings, key=lambda each: (-each.severity.rank, _unlikelihood(each.cause, diagnosis.pull)))


def most_likely_first(diagnosis: Diagnosis) -> list[Undecided]:
    """Return the undecided causes that may explain the failure, those first that explain the symptom best."""
    return sorted(diagnosis.inconclusive, key=lambda each: _unlikelihood(each.cause, diagnosis.pull))


def _unlikelihood(cause: str, pull: PullFailure) -> int:
    """Return the rank that the check gives itself for the symptom, as `explain` orders causes."""
    check = BY_ID.get(cause)
    ranks = [
        each.rank
        for each in (check.explains if check else ())
        if each.symptom is pull.symptom and pull.stage in each.stages
    ]
    return min(ranks, default=_UNLIKELY)
