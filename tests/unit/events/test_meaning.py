"""How much a phrase weighs against the others of its chain."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.events.meaning import Weight
from pull_responder.model.pull import Answer, Symptom
from tests.unit.events.messages import PULLING


def test_the_more_a_phrase_says_the_more_it_weighs() -> None:
    assert Weight.WRAPPER < Weight.STATED < Weight.EXACT < Weight.SOMEBODY_ELSE


@pytest.mark.parametrize(
    ("links", "symptom", "answer"),
    [
        # The innermost of equal ones, and the heaviest wherever it stands.
        ("no space left on device: manifest unknown", Symptom.NOT_FOUND, None),
        ("manifest unknown: no space left on device", Symptom.DISK_FULL, None),
        ("manifest unknown: connection refused", Symptom.NOT_FOUND, None),
        ("repository x not found: EOF", Symptom.NOT_FOUND, None),
        ("error reading from server: no space left on device", Symptom.UNKNOWN, Answer.RUNTIME),
    ],
)
def test_the_heaviest_phrase_decides_and_of_equal_ones_the_innermost(
    links: str, symptom: Symptom, answer: Answer | None
) -> None:
    read = read_message(f"{PULLING}{links}")
    assert (read.symptom, read.answer) == (symptom, answer)
