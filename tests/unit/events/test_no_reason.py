"""Texts that do not say why a pull failed: what they say in place of it."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.events.no_reason import UNASKED, NoReason
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Symptom

IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
NEVER = f'Container image "{IMAGE}" is not present with pull policy of Never'
KLOG = (
    'E0507 11:59:29.725681 4734 pod_workers.go:1300] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" '
    f'for \\"pdc\\" with ErrImageNeverPull: \\"Container image \\\\\\"{IMAGE}\\\\\\" is not present with pull policy '
    'of Never\\"" pod="hosted/pdc-1" podUID="1"'
)


def pods(*states: str, name: str = "web-0") -> str:
    """What `kubectl get pods` prints."""
    rows = (f"{name}   0/1     {state}   0          5m" for state in states)
    return "\n".join(("NAME    READY   STATUS             RESTARTS   AGE", *rows, ""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ImagePullBackOff", NoReason.NOT_SAID),
        ("ErrImagePull", NoReason.NOT_SAID),
        ("imagepullbackoff", NoReason.NOT_SAID),
        ("Error: ImagePullBackOff", NoReason.NOT_SAID),
        ("Init:ErrImagePull", NoReason.NOT_SAID),
        ("RegistryUnavailable", NoReason.NOT_SAID),
        (pods("ImagePullBackOff"), NoReason.NOT_SAID),
        (pods("Running", "Init:ImagePullBackOff", "ErrImageNeverPull"), NoReason.NOT_SAID),
        ("403", NoReason.NOT_SAID),
        ("401 Unauthorized", NoReason.NOT_SAID),
        ("403 Forbidden.", NoReason.NOT_SAID),
        ("Forbidden", NoReason.NOT_SAID),
        ("404: not found", NoReason.NOT_SAID),
        ("HTTP/1.1 503 Service Unavailable", NoReason.NOT_SAID),
        ("Error: status code: 429", NoReason.NOT_SAID),
        ("ErrImageNeverPull", NoReason.NEVER_PULLED),
        ("Error: ErrImageNeverPull", NoReason.NEVER_PULLED),
        (pods("ErrImageNeverPull"), NoReason.NEVER_PULLED),
        (NEVER, NoReason.NEVER_PULLED),
        (f"ErrImageNeverPull: {NEVER}", NoReason.NEVER_PULLED),
        (KLOG, NoReason.NEVER_PULLED),
        ("ImageInspectError", NoReason.NOT_INSPECTED),
        (f'Failed to inspect image "{IMAGE}": rpc error: code = Unknown desc = x', NoReason.NOT_INSPECTED),
        (f'Failed to inspect image "{IMAGE}": dial unix /run/x.sock: connection refused', NoReason.NOT_INSPECTED),
        ("InvalidImageName", NoReason.MISSPELT),
        ("Error: InvalidImageName", NoReason.MISSPELT),
        (f'Failed to apply default image tag "{IMAGE}:x": couldn\'t parse image reference "x"', NoReason.MISSPELT),
        ("hello world", NoReason.OTHER_MATTER),
        ("", NoReason.OTHER_MATTER),
        (pods("CrashLoopBackOff"), NoReason.OTHER_MATTER),
        # Near misses: a pod's name, other numbers, an answer that is no error.
        (pods("Running", name="imagepullbackoff-0"), NoReason.OTHER_MATTER),
        (pods("Running", name="err.errimageneverpull"), NoReason.OTHER_MATTER),
        ("500 apples", NoReason.OTHER_MATTER),
        ("200 OK", NoReason.OTHER_MATTER),
        ("4031", NoReason.OTHER_MATTER),
        ("the node has 403 pods", NoReason.OTHER_MATTER),
    ],
)  # fmt: skip
def test_what_a_text_says_in_place_of_the_reason(text: str, said: NoReason) -> None:
    read = read_message(text)
    assert (read.symptom, read.no_reason, read.tells_of_pull) == (Symptom.UNKNOWN, said, False)
    assert can_mean(read) == ()


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        (f'ImagePullBackOff: Back-off pulling image "{IMAGE}"', Symptom.UNKNOWN),
        (f'with ErrImagePull: failed to pull and unpack image "{IMAGE}": i/o timeout', Symptom.TIMEOUT),
        (f'Failed to pull image "{IMAGE}": unexpected status code 403 Forbidden', Symptom.ACCESS_DENIED),
        ("i/o timeout", Symptom.TIMEOUT),
        ("SignatureValidationFailed", Symptom.SIGNATURE_REJECTED),
    ],
)
def test_a_text_with_an_image_or_an_error_says_more_than_its_state(text: str, symptom: Symptom) -> None:
    read = read_message(text)
    assert (read.symptom, read.no_reason) == (symptom, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello world", "is not about a failed image pull"),
        (
            "ImagePullBackOff",
            "does not say why a pull failed: take the message from the Events of `kubectl describe pod`",
        ),
        (
            "ErrImageNeverPull",
            "says that the image is not on the node, and that no registry was asked: the imagePullPolicy is Never",
        ),
        (
            "ImageInspectError",
            "says that the node could not tell whether it has the image, before any registry was asked",
        ),
        ("InvalidImageName", "says that the image is spelt wrong, so that no registry was asked"),
    ],
)
def test_it_is_told_as_a_sentence(text: str, said: str) -> None:
    reason = read_message(text).no_reason
    assert reason == said
    assert (reason in UNASKED) is ("no registry was asked" in said or "before any registry" in said)
