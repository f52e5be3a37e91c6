"""What the estates have diagnosed in the test that runs, so that a test shows what it is marked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.first_lines import faults_of_answer
from tests.integration.reported import reported
from tests.next_step import faults_of

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis

DIAGNOSES: Final[list[Diagnosis]] = []


def seen(diagnosis: Diagnosis) -> Diagnosis:
    """Keep a diagnosis, and return it.

    Whatever a test makes undecided says in one sentence what to look at next. Each answer begins with its three lines.
    """
    wrong = {
        each: faults for each in (*diagnosis.inconclusive, *diagnosis.unchecked) if (faults := faults_of(each.next))
    }
    assert not wrong, [(each.cause, each.reason, each.next, faults) for each, faults in wrong.items()]
    assert faults_of_answer(diagnosis) == []
    reported(diagnosis)
    DIAGNOSES.append(diagnosis)
    return diagnosis


def shows(diagnosis: Diagnosis, cause: str, what: str) -> bool:
    """Whether a diagnosis shows of a cause what the marker `cause` names: fails, passes, near_miss or unread."""
    found = cause in {each.cause for each in diagnosis.findings}
    left_open = cause in {each.cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
    # What only words tell needs nothing readable: then it is found all the same. It never passes by what was not read.
    return {
        "fails": found,
        "passes": not found and not left_open,
        "near_miss": not found,
        "unread": found or left_open,
    }[what]
