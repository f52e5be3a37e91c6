"""Each symptom has its places: a phrase, a message, whether the registry answered, and a cause."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from pull_responder.checks import CHECKS
from pull_responder.events import http_statuses, kubelet_phrases
from pull_responder.model import pull
from pull_responder.model.pull import Symptom
from tests.unit.events import messages

SEEN = Path(__file__).parents[2] / "events" / "kubelet_messages.jsonl"
# What no cause here explains: a limit of kubelet's own, what passes by itself, and what the node refuses by itself.
WITHOUT_A_CAUSE = {
    *(Symptom.KUBELET_THROTTLED, Symptom.DOWNLOAD_CORRUPT, Symptom.CANCELED),
    Symptom.SIGNATURE_REJECTED,
}
SAID = sorted({*Symptom} - {Symptom.UNKNOWN})


@pytest.mark.parametrize("symptom", SAID)
def test_a_phrase_says_it(symptom: Symptom) -> None:
    said = [*kubelet_phrases.PHRASES.values(), *kubelet_phrases.AWS_ERROR_CODES.values()]
    if symptom is Symptom.SIGNATURE_REJECTED:
        assert kubelet_phrases.SIGNATURE_REJECTED  # these count anywhere in a link, and stand apart
        return
    assert symptom in {each.symptom for each in (*said, *http_statuses.STATUSES.values())}, (
        f"events/kubelet_phrases.py: no phrase says Symptom.{symptom.name}: add the words by which it is known to the "
        "family of who says them"
    )


@pytest.mark.parametrize("symptom", SAID)
def test_a_message_shows_it(symptom: Symptom) -> None:
    families = [*messages.CONTAINERD, *messages.CRI_O, *messages.DOCKER, *messages.KUBELET, *messages.ARTICLE]
    shown = {each for _, each, _ in families}
    shown |= {json.loads(line)["symptom"] for line in SEEN.read_text(encoding="utf-8").splitlines()}
    assert symptom in shown, (
        f"tests/unit/events/messages.py: no message there is of {symptom}: add one to the family of who says it"
    )


@pytest.mark.parametrize("symptom", list(Symptom))
def test_whether_the_registry_answered_is_said(symptom: Symptom) -> None:
    assert f"Symptom.{symptom.name}" in inspect.getsource(pull.registry_answered), (
        f"model/pull.py: registry_answered has no row for Symptom.{symptom.name}: add it to the case of True, False or "
        "None"
    )


@pytest.mark.parametrize("symptom", sorted({*SAID} - WITHOUT_A_CAUSE))
def test_a_cause_explains_it(symptom: Symptom) -> None:
    assert any(symptom in {each.symptom for each in check.explains} for check in CHECKS), (
        f"no check explains {symptom}: add Explains(Symptom.{symptom.name}, rank) to those that can, in checks/"
    )
