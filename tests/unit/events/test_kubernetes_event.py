"""Kubernetes events that a forwarder put on a bus: both layouts, events that are not about a pull, and forged ones."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pull_responder.events.intake import Inspection, Origins, Skipped, UnusableEvent, read_body, read_text
from pull_responder.events.kubernetes_event import read_kubernetes_event
from pull_responder.events.no_reason import NoReason
from pull_responder.model.pull import PullFailure, Stage, Symptom

FOLDER = Path(__file__).parents[2] / "events" / "kubernetes_events"
FAILED: dict[str, Any] = json.loads((FOLDER / "failed.json").read_text())
README: dict[str, Any] = json.loads((FOLDER / "readme_layout.json").read_text())
IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/shop/web:v1.4.2"
OF_TEXT = "a Kubernetes event with reason Failed, whose text"
SET_UP = Origins("111111111111", "cd")


def read(event: dict[str, Any], origins: Origins = SET_UP) -> PullFailure | Inspection | Skipped:
    return read_body(json.dumps(event), origins=origins)


def changed(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    event = copy.deepcopy(FAILED)
    event["detail"].update(fields)
    return event


def test_the_exporters_own_layout() -> None:
    pull = read(FAILED)
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.stage, pull.image) == (Symptom.ACCESS_DENIED, Stage.MANIFEST, IMAGE)
    assert (pull.cluster, pull.namespace, pull.pod) == ("prod", "shop", "web-7c9d8b5f6-x2x9k")
    assert (pull.node, pull.account, pull.principal) == ("ip-10-0-1-23.ec2.internal", "111111111111", None)
    assert pull.observed_at == "2026-03-01T12:00:00Z"
    assert pull.message
    assert pull.message.startswith("Failed to pull image")


def test_labels_tell_a_fargate_profile_from_another() -> None:
    about = {**FAILED["detail"]["involvedObject"], "labels": {"app": "web", "a.b/c": "", "bad key": "x", "n": 1}}
    pull = read(changed(involvedObject=about))
    assert isinstance(pull, PullFailure)
    assert pull.pod_labels == ("a.b/c=", "app=web")
    unknown = read(changed(involvedObject={"kind": "Pod", "name": "web"}))
    assert isinstance(unknown, PullFailure)
    assert unknown.pod_labels is None


def test_the_layout_of_its_readme() -> None:
    pull = read(README)
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.image, pull.namespace) == (Symptom.ACCESS_DENIED, IMAGE, "shop")
    assert (pull.cluster, pull.pod, pull.node) == (None, None, None)
    assert pull.observed_at == "2026-03-01T12:00:01Z"


def test_a_node_named_by_the_new_events_api() -> None:
    pull = read(
        changed(source={}, reportingInstance="ip-10-0-9-9.ec2.internal", lastTimestamp=None, firstTimestamp=None)
    )
    assert isinstance(pull, PullFailure)
    assert (pull.node, pull.observed_at) == ("ip-10-0-9-9.ec2.internal", "2026-03-01T12:00:01Z")


PAUSE = "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/pause:3.10"
SANDBOX = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox: failed to get sandbox "
    f'image "{PAUSE}": failed to pull image "{PAUSE}": failed to pull and unpack image "{PAUSE}": failed to resolve '
    f'reference "{PAUSE}": failed to do request: Head "https://602401143452.dkr.ecr.us-east-1.amazonaws.com/v2/eks/pause'
    '/manifests/3.10": dial tcp 10.0.0.9:443: i/o timeout'
)


@pytest.mark.parametrize(
    ("reason", "message", "image", "symptom"),
    [
        ("BackOff", f'Back-off pulling image "{IMAGE}"', IMAGE, Symptom.UNKNOWN),
        ("FailedCreatePodSandBox", SANDBOX, PAUSE, Symptom.TIMEOUT),
    ],
)
def test_every_reason_that_can_be_about_an_image(reason: str, message: str, image: str, symptom: Symptom) -> None:
    pull = read(changed(reason=reason, message=message))
    assert isinstance(pull, PullFailure)
    assert (pull.image, pull.symptom) == (image, symptom)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (changed(reason="Killing"), "a Kubernetes event with reason Killing, which is not about a pull"),
        (changed(reason=None), "a Kubernetes event with reason (none), which is not about a pull"),
        (changed(reason="\x1b[31mFailed"), "a Kubernetes event with reason Failed, which is not about a pull"),
        (changed(message="Error: ImagePullBackOff"), f"{OF_TEXT} {NoReason.NOT_SAID}"),
        (changed(message="Error: ErrImageNeverPull"), f"{OF_TEXT} {NoReason.NEVER_PULLED}"),
        (changed(message="Error: InvalidImageName"), f"{OF_TEXT} {NoReason.MISSPELT}"),
        (changed(message="Back-off restarting failed container web"), f"{OF_TEXT} {NoReason.OTHER_MATTER}"),
        (changed(message="i/o timeout"), "a failing pod whose message names no image"),
        (changed(message='Failed to pull image "nginx:1": not found'), "nginx:1 is not in Amazon ECR but in docker.io"),
        (changed(involvedObject={"kind": "Node"}), "a Kubernetes event about a Node, not about a pod"),
        (changed(source={"component": "scheduler"}), "a Kubernetes event of scheduler, not of kubelet"),
        ({**FAILED, "account": "222222222222"}, "an event of account 222222222222, not of our own"),
        ({**FAILED, "account": None}, "an event of account (not named), not of our own"),
        ({**FAILED, "source": "other"}, "an event of other, not of Amazon ECR"),
    ],
)  # fmt: skip
def test_what_tells_of_no_pull_of_ours_is_skipped_with_a_word(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)


ABSENT = f'Container image "{IMAGE}" is not present with pull policy of Never'
CAPITALS = IMAGE.replace("web", "Web")


@pytest.mark.parametrize(
    ("reason", "message", "word"),
    [
        ("ErrImageNeverPull", ABSENT, f"whose text {NoReason.NEVER_PULLED}"),
        ("Failed", ABSENT, f"whose text {NoReason.NEVER_PULLED}"),
        ("InspectFailed", f'Failed to inspect image "{IMAGE}": rpc error', f"whose text {NoReason.NOT_INSPECTED}"),
        ("InspectFailed", f'Failed to apply default image tag "{CAPITALS}": invalid reference format',
         f"the image reference {CAPITALS} is wrong: the repository 'shop/Web' has upper case letters"),
        # Its reason says that no registry was asked, whatever its text says.
        ("InspectFailed", f'Failed to pull image "{IMAGE}": 403 Forbidden', "which is not about a pull"),
    ],
)  # fmt: skip
def test_an_image_that_no_registry_was_asked_for_is_skipped_with_a_word(reason: str, message: str, word: str) -> None:
    event = changed(reason=reason, message=message)
    skipped = read(event)
    assert isinstance(skipped, Skipped)
    assert skipped.reason.endswith(word)
    assert read_text(json.dumps(event)) == [skipped]


def of_node(reason: str, message: str, component: str = "eks-node-monitoring-agent") -> dict[str, Any]:
    """An event about a node, as the EKS node monitoring agent records it."""
    node = {"kind": "Node", "name": "ip-10-0-1-23.ec2.internal"}
    return changed(reason=reason, message=message, involvedObject=node, source={"component": component})


NODE = "node ip-10-0-1-23.ec2.internal: a matter of the node's health, not of the registry"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (of_node("ContainerRuntimeReady", "KubeletFailed: The kubelet entered a failed state"),
         f"the EKS node monitoring agent reports KubeletFailed of {NODE}"),
        (of_node("NetworkingReady", "IPAMDNoIPs: IPAMD is out of IP addresses."),
         f"the EKS node monitoring agent reports IPAMDNoIPs of {NODE}"),
        (of_node("StorageReady", "no issue is named"), f"the EKS node monitoring agent reports StorageReady of {NODE}"),
        (of_node("ContainerRuntimeNotReady", "the runtime is down"),
         f"the EKS node monitoring agent reports ContainerRuntimeNotReady of {NODE}"),
        # The layout of the README names neither component nor object.
        ({**README, "detail": {**README["detail"], "reason": "ContainerRuntimeNotReady", "message": "down"}},
         "Kubernetes reports ContainerRuntimeNotReady of a node: a matter of the node's health, not of the registry"),
        (of_node("KubeletNotReady", "PLEG is not healthy", "kubelet"), f"Kubernetes reports KubeletNotReady of {NODE}"),
        (of_node("NodeNotReady", "Node is not ready", "node-controller"), f"Kubernetes reports NodeNotReady of {NODE}"),
        # Even in the words of a pull it is the node's.
        (of_node("Failed", f'Failed to pull image "{IMAGE}": 403 Forbidden'),
         f"the EKS node monitoring agent reports Failed of {NODE}"),
    ],
)  # fmt: skip
def test_the_health_of_a_node_is_the_nodes_and_not_the_registrys(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)
    assert read_text(json.dumps(event)) == [Skipped(reason)]


def test_a_failed_pull_on_a_node_is_still_one() -> None:
    message = f'Failed to pull image "{IMAGE}": KubeletFailed: 403 Forbidden'
    assert isinstance(read(changed(message=message)), PullFailure)


def test_an_image_whose_host_is_nearly_amazons_is_skipped_with_how_it_is_written() -> None:
    skipped = read(changed(message='Failed to pull image "111111111111.dkr.ecr.amazonaws.com/app:v1": not found'))
    assert isinstance(skipped, Skipped)
    assert "is written 123456789012.dkr.ecr.us-east-1.amazonaws.com/name:tag" in skipped.reason


def test_without_a_forwarder_in_the_settings_none_is_believed() -> None:
    assert read(FAILED, Origins("111111111111")) == Skipped("an event of cd, not of Amazon ECR")


def test_one_who_poses_as_ecr_is_read_as_ecr() -> None:
    assert read({**FAILED, "source": "aws.ecr"}) == Skipped("an event of type deployment, not an API call")


def test_a_detail_that_is_no_object_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^body\.detail is not an object but a string$"):
        read({**FAILED, "detail": "x"})


def test_names_that_kubernetes_does_not_allow_are_left_out() -> None:
    about = {"kind": "Pod", "name": "<b>", "namespace": "A"}
    pull = read(changed(clusterName="../x", involvedObject=about, source={"host": "a b"}, reportingInstance=""))
    assert isinstance(pull, PullFailure)
    assert (pull.cluster, pull.pod, pull.namespace, pull.node) == (None, None, None, None)


def test_a_file_is_read_whatever_source_its_forwarder_has() -> None:
    (pull,) = read_text(json.dumps({**FAILED, "source": "anything"}))
    assert isinstance(pull, PullFailure)
    assert pull.cluster == "prod"


def test_what_an_event_names_is_cut() -> None:
    long = "K" * 500
    kind = read(changed(involvedObject={"kind": long, "name": "web"}))
    assert kind == Skipped(f"a Kubernetes event about a {long[:80]}, not about a pod")
    reason = read(changed(reason=long))
    assert reason == Skipped(f"a Kubernetes event with reason {long[:80]}, which is not about a pull")


def test_the_issue_of_a_node_is_that_of_its_condition_or_else_the_reason() -> None:
    told = read(of_node("ContainerRuntimeReady", "ContainerdNotReady: no answer"))
    assert isinstance(told, Skipped)
    assert "reports ContainerdNotReady of" in told.reason
    issue = read(of_node("KubeletFailed", "Something: no answer"))
    assert isinstance(issue, Skipped)
    assert "reports KubeletFailed of" in issue.reason


@pytest.mark.parametrize(
    "reason",
    [
        *("ContainerRuntimeFailed", "ContainerRuntimeNotReady", "ContainerdNotReady"),
        *("DeprecatedContainerdConfiguration", "IPAMDNotReady", "IPAMDNotRunning", "InterfaceNotRunning"),
        *("InterfaceNotUp", "KubeletFailed", "KubeletNotReady", "NetworkNotReady", "NodeNotReady"),
        *("PodStuckTerminating", "ServiceFailedToStart", "AcceleratedHardwareReady", "KernelReady"),
        *("ContainerRuntimeReady", "NetworkingReady", "StorageReady"),
    ],
)
def test_an_issue_of_a_node_is_one_whoever_tells_it(reason: str) -> None:
    assert read(of_node(reason, "x", "some-exporter")) == Skipped(f"Kubernetes reports {reason} of {NODE}")
    told = read(of_node(reason, "OtherIssue: x", "some-exporter"))
    assert isinstance(told, Skipped)
    # A condition names its issue in the message.
    assert ("OtherIssue" in told.reason) is (reason.endswith("Ready") and not reason.endswith("NotReady"))


def test_an_issue_without_a_name_is_said_to_have_none() -> None:
    assert read(of_node("", "x")) == Skipped(f"the EKS node monitoring agent reports an issue without a name of {NODE}")


@pytest.mark.parametrize(("where", "named"), [("", "detail"), ("Records[0].body", "Records[0].body.detail")])
def test_where_a_detail_is_malformed_is_said(where: str, named: str) -> None:
    with pytest.raises(UnusableEvent) as refused:
        read_kubernetes_event({"detail": 7}, where=where)
    assert str(refused.value) == f"{named} is not an object but a number"
    with pytest.raises(UnusableEvent, match=r"^detail is not an object but a number$"):
        read_kubernetes_event({"detail": 7})


def test_an_event_keeps_its_id_and_the_region_of_its_bus() -> None:
    public = 'Failed to pull image "public.ecr.aws/nginx/nginx:1": 403 Forbidden'
    pull = read({**changed(message=public), "region": "eu-west-1"})
    assert isinstance(pull, PullFailure)
    assert (pull.event_id, pull.region) == (FAILED["id"], "eu-west-1")


@pytest.mark.parametrize(
    ("source", "instance", "node"),
    [
        ({"host": "old.internal"}, "new.internal", "old.internal"),
        ({"host": ""}, "new.internal", "new.internal"),
        (None, "new.internal", "new.internal"),
        (None, None, None),
    ],
)
def test_the_node_is_the_sources_host_or_the_one_that_reports(source: object, instance: object, node: object) -> None:
    pull = read(changed(source=source, reportingInstance=instance))
    assert isinstance(pull, PullFailure)
    assert pull.node == node


@pytest.mark.parametrize(
    ("times", "observed_at"),
    [
        (("2026-03-01T12:00:03Z", "2026-03-01T12:00:02Z", "2026-03-01T12:00:04Z"), "2026-03-01T12:00:03Z"),
        ((None, "2026-03-01T12:00:02Z", "2026-03-01T12:00:04Z"), "2026-03-01T12:00:02Z"),
        (("soon", None, "2026-03-01T12:00:04Z"), "2026-03-01T12:00:04Z"),
        ((None, None, None), FAILED["time"]),
    ],
)
def test_an_event_is_as_old_as_it_says(times: tuple[str | None, ...], observed_at: str) -> None:
    last, event_time, first = times
    pull = read(changed(lastTimestamp=last, eventTime=event_time, firstTimestamp=first))
    assert isinstance(pull, PullFailure)
    assert pull.observed_at == observed_at


@pytest.mark.parametrize("source", [None, {"component": ""}])
def test_who_tells_it_in_the_new_events_api(source: object) -> None:
    other = changed(source=source, reportingComponent="s" * 100)
    assert read(other) == Skipped(f"a Kubernetes event of {'s' * 80}, not of kubelet")
    agent = changed(source=source, reportingComponent="eks-node-monitoring-agent", reason="R" * 100)
    of_no_node = NODE.replace("node ip-10-0-1-23.ec2.internal", "a node")
    assert read(agent) == Skipped(f"the EKS node monitoring agent reports {'R' * 80} of {of_no_node}")


def test_a_node_is_named_by_the_host_where_the_event_is_about_something_else() -> None:
    told = of_node("KubeletNotReady", "x")
    detail = {**told["detail"], "involvedObject": {"kind": "Pod", "name": "web-1"}}
    detail["source"] = {**detail["source"], "host": "ip-10-0-1-23.ec2.internal"}
    assert read({**told, "detail": detail}) == Skipped(
        f"the EKS node monitoring agent reports KubeletNotReady of {NODE}"
    )


def test_any_source_may_be_a_forwarders() -> None:
    assert isinstance(read({**FAILED, "source": "anything"}, Origins("111111111111", "*")), PullFailure)


def test_a_hundred_labels_are_the_most() -> None:
    labels = {f"l{number:03}": "x" for number in reversed(range(101))}
    pull = read(changed(involvedObject={"kind": "Pod", "name": "web", "labels": labels}))
    assert isinstance(pull, PullFailure)
    assert pull.pod_labels == tuple(f"l{number:03}=x" for number in range(100))
