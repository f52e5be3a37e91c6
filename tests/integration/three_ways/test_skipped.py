"""What is no failed pull of ours: `explain` finds no cause in it, and terminal and functions skip it with one word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.handlers.test_diagnose import ACCOUNT
from tests.integration.handlers.test_signals import addon_event, of_the_agent
from tests.integration.three_ways.room import image_of

if TYPE_CHECKING:
    from tests.integration.three_ways.room import Room
    from tests.integration.three_ways.ways import Ways

NO_PULL = "is not about a failed image pull"
NOT_SAID = "does not say why a pull failed: take the message from the Events of `kubectl describe pod`"
NEVER = "says that the image is not on the node, and that no registry was asked: the imagePullPolicy is Never"
NOT_INSPECTED = "says that the node could not tell whether it has the image, before any registry was asked"
IN_CHINA = f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com"


def pods(state: str) -> str:
    """What `kubectl get pods` prints."""
    return f"NAME    READY   STATUS   RESTARTS   AGE\nweb-0   0/1     {state}   0   5m\n"


@pytest.mark.parametrize(
    ("reason", "text", "word"),
    [
        ("Failed", "Error: failed to generate manifest for {image}: helm template failed", NO_PULL),
        ("Failed", "Error: failed to start container from image {image}: exec format error", NO_PULL),
        ("Failed", 'Successfully pulled image "{image}" in 2s', NO_PULL),
        ("Failed", "hello world", NO_PULL),
        ("Failed", "", NO_PULL),
        ("BackOff", pods("CrashLoopBackOff"), NO_PULL),
        ("BackOff", pods("ImagePullBackOff"), NOT_SAID),
        ("Failed", "Error: ImagePullBackOff", NOT_SAID),
        ("Failed", "403", NOT_SAID),
        ("Failed", "Error: ErrImageNeverPull", NEVER),
        ("ErrImageNeverPull", 'Container image "{image}" is not present with pull policy of Never', NEVER),
        ("InspectFailed", 'Failed to inspect image "{image}": rpc error: code = Unknown desc = x', NOT_INSPECTED),
    ],
)
def test_a_text_without_a_reason_is_skipped_in_the_words_of_explain(
    reason: str, text: str, word: str, ways: Ways, room: Room
) -> None:
    image = image_of(room.repository())
    message = text.replace("{image}", image)
    explained = ways.explain(message)
    assert (explained["symptom"], explained["can_mean"], explained["tells_of_pull"]) == ("unknown", [], False)
    assert explained["skipped"] == f"this text {word}"
    skipped = ways.skipped(room.event(message, image, reason=reason))
    assert skipped == f"a Kubernetes event with reason {reason}, whose text {word}"


LOOKED_UP = f'"https://{IN_CHINA}/v2/app/manifests/v1": dial tcp: lookup {IN_CHINA} on 10.8.0.2:53: no such host'


@pytest.mark.parametrize(
    ("reason", "text", "image", "problem"),
    [
        (
            "Failed",
            f'Failed to pull image "{{image}}": failed to resolve reference "{{image}}": Head {LOOKED_UP}',
            f"{IN_CHINA}/app:v1",
            "the registry hosts of cn-north-1 end in amazonaws.com.cn, not in amazonaws.com",
        ),
        (
            "InspectFailed",
            'Failed to apply default image tag "{image}": couldn\'t parse image name: invalid reference format',
            image_of("App"),
            "the repository 'App' has upper case letters",
        ),
    ],
    ids=["China on amazonaws.com", "capitals"],
)
def test_an_image_that_is_spelt_wrong_is_skipped_in_the_words_of_explain(  # noqa: PLR0913, PLR0917 -- one argument a column
    reason: str, text: str, image: str, problem: str, ways: Ways, room: Room
) -> None:
    word, message = f"the image reference {image} is wrong: {problem}", text.replace("{image}", image)
    explained = ways.explain(message)
    assert (explained["image"], explained["image_problem"], explained["skipped"]) == (image, problem, word)
    assert ways.skipped(room.event(message, image, reason=reason)) == word


OF_NODE = "of node ip-10-0-1-23.ec2.internal: a matter of the node's health, not of the registry"
STOPS = "EKS Fargate Pod Scheduled Termination"
RESTORED = "EKS Addon Health Restored"


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (
            addon_event("prod", "coredns", STOPS),
            f"{STOPS}: EKS is going to stop a Fargate pod to patch it, which is no failed pull",
        ),
        (
            addon_event("prod", "coredns", RESTORED),
            f"{RESTORED}: nothing to diagnose; a deployment checks its open findings again",
        ),
        (of_the_agent(), f"the EKS node monitoring agent reports KubeletFailed {OF_NODE}"),
        (
            of_the_agent(reason="ContainerRuntimeNotReady", message="the runtime is down"),
            f"the EKS node monitoring agent reports ContainerRuntimeNotReady {OF_NODE}",
        ),
    ],
    ids=["Fargate pod to be stopped", "add-on restored", "kubelet failed", "runtime not ready"],
)
def test_what_eks_and_its_agent_say_of_no_pull_is_skipped(event: dict[str, Any], word: str, ways: Ways) -> None:
    assert ways.skipped(event) == word
    said = event["detail"].get("message", "")
    assert (ways.explain(said)["can_mean"], ways.explain(said)["skipped"]) == ([], f"this text {NO_PULL}")
