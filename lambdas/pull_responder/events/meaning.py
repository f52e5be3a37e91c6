"""What one phrase of a message means, and how much it weighs against the others."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from pull_responder.model.pull import Answer, Symptom


class Weight(IntEnum):
    """How specific a phrase is. The greatest weight of a chain decides; of equal ones, the innermost."""

    WRAPPER = 1
    STATED = 2
    EXACT = 3
    SOMEBODY_ELSE = 4  # it was not the registry that failed or refused: the proxy before it, or who answered for it


class Meaning(NamedTuple):
    """The meaning of a phrase.

    - `code`: the registry's error code, if the phrase is one.
    - `answer`: what the phrase shows of an answer, where the symptom does not say it.
    """

    symptom: Symptom
    weight: Weight = Weight.STATED
    code: str | None = None
    answer: Answer | None = None
