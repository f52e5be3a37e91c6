"""Read a Pod, as the API server gives it: the containers that wait for an image, else why there are none.

Sources: Kubernetes API reference, Pod v1 core (status.phase, ContainerStatus, ContainerState); the words of kubelet,
kubernetes pkg/kubelet/images/types.go. `message` is kubelet's since 1.32 with the reason of the failed attempt; before,
a back-off has none, and the reason stands in the pod's events (ADR 176).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.kubectl.seen import PodPull, full_name
from pull_responder.events import fields, kubernetes_names
from pull_responder.events.audit_log import REASONS, SIGNATURE, UNASKED_REASONS
from pull_responder.events.outcome import Skipped
from pull_responder.events.pod_failure import PodFailure, clean, image_text
from pull_responder.events.redaction import redact
from pull_responder.model.pull import PullFailure, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATUS_LISTS: Final = {
    "initContainerStatuses": "initContainers",
    "containerStatuses": "containers",
    "ephemeralContainerStatuses": "ephemeralContainers",
}
_MOST_SECRETS: Final = 20
_MOST_IMAGES: Final = 100
MOST_CHARACTERS: Final = 1_000_000
"""The most characters of different messages that are read: some thousands of messages."""
# What differs between pods in messages of the same meaning: the ends of one connection.
_CONNECTION: Final = re.compile(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}:[0-9]{1,5}\b")
_ENDED: Final = {"Succeeded": "has ended", "Failed": "has failed"}


@dataclass(frozen=True, slots=True)
class Word:
    """Why pods have no failed pull: a sentence's end about one pod, and about several."""

    one: str
    many: str


RUNS: Final = Word("runs: all its images are pulled", "run: all their images are pulled")
UNREAD: Final = Word("waits, and its message was not read", "wait, and their messages were not read")
SILENT: Final = Word("does not say whether its containers run", "do not say whether their containers run")
STARTS: Final = Word(
    "is being started, and no pull of its images has failed: `kubectl describe pod` shows its events",
    "are being started, and no pull of their images has failed",
)


class Messages:
    """Reads what containers wait for. Messages of the same meaning are read once, so that thousands take no time.

    `unread` is how many were not read, as others had taken all the time there is.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, str | None], PullFailure | Skipped] = {}
        self._seen: set[int] = set()
        self._left = MOST_CHARACTERS
        self.unread = 0

    def affords(self, message: str) -> bool:
        """Return whether a message is read: all are, until different ones have been too long together."""
        key = hash(_CONNECTION.sub("", message))
        if key not in self._seen:
            if self._left <= 0:
                self.unread += 1
                return False
            self._seen.add(key)
            self._left -= len(message)
        return True

    def read(self, message: str, image: str | None, *, of_pod: PodFailure) -> PullFailure | Skipped:
        """Return the failed pull of a container of this pod, or why it is none of ours."""
        key = (_CONNECTION.sub("", message), image)
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = replace(of_pod, message=clean(message), image=image).pull()
        if isinstance(found, Skipped):
            return found
        return replace(found, namespace=of_pod.namespace, pod=of_pod.pod, node=of_pod.node, pod_labels=of_pod.labels)


def read_pod(pod: Mapping[str, object], messages: Messages) -> list[PodPull | Skipped] | Word:
    """Return what the containers of a pod wait for, if for an image. Else a word about why none does."""
    metadata, spec, status = (fields.mapping(pod, key) for key in ("metadata", "spec", "status"))
    about = PodFailure(
        account=None,
        message="",
        namespace=kubernetes_names.object_name(metadata.get("namespace")),
        pod=kubernetes_names.object_name(metadata.get("name")),
        node=kubernetes_names.object_name(spec.get("nodeName")),
        labels=kubernetes_names.labels(metadata.get("labels")),
    )
    unread = messages.unread
    found: dict[object, PodPull | Skipped] = {}
    for container in _waiting(spec, status):
        read = _read_container(container, about, messages)
        if isinstance(read, Skipped):
            found.setdefault(read.reason, read)
        elif read is not None:
            # Several containers of one image wait for one pull.
            found.setdefault((read.image, read.symptom, read.stage), _with_pod(read, metadata, spec))
    return list(found.values()) or (UNREAD if messages.unread > unread else _word(status, spec))


@dataclass(frozen=True, slots=True)
class _Waiting:
    image: object
    reason: str
    message: str


def _waiting(spec: Mapping[str, object], status: Mapping[str, object]) -> Iterator[_Waiting]:
    for statuses, containers in _STATUS_LISTS.items():
        images = {fields.text(each, "name"): fields.text(each, "image") for each in fields.items(spec, containers)}
        for each in fields.items(status, statuses):
            waiting = fields.mapping(each, "state", "waiting")
            if reason := fields.text(waiting, "reason"):
                # The spec's image is as it is written; a status may have it as the runtime resolved it.
                image = images.get(fields.text(each, "name")) or fields.text(each, "image")
                yield _Waiting(image, reason, fields.text(waiting, "message"))


def _read_container(container: _Waiting, about: PodFailure, messages: Messages) -> PullFailure | Skipped | None:
    """Return the failed pull of a waiting container, None if it waits for something other than its image."""
    pod = full_name(about.namespace, about.pod) or "(without a name)"
    if container.reason in UNASKED_REASONS:
        said = redact(container.message, limit=300) or container.reason
        return Skipped(f"pod {pod} waits for an image that no registry was asked for: {said}")
    if container.reason not in REASONS:
        return None
    message = container.message or (container.reason if container.reason == SIGNATURE else "")
    if not messages.affords(message):
        return None
    image = image_text(container.image)
    if image is None and container.reason == "InvalidImageName":
        return Skipped(f"pod {pod}: {redact(message or 'its image is spelt wrong', limit=300)}")
    read = messages.read(message, image, of_pod=about)
    return Skipped(f"pod {pod}: {read.reason}") if isinstance(read, Skipped) else read


def _with_pod(pull: PullFailure, metadata: Mapping[str, object], spec: Mapping[str, object]) -> PodPull:
    written = [fields.text(each, "name") for each in fields.items(spec, "imagePullSecrets")]
    secrets = tuple(filter(None, map(kubernetes_names.object_name, written)))[:_MOST_SECRETS]
    # A pod has those of its service account, too: admission copies them (Kubernetes documentation, "Configure Service
    # Accounts for Pods"). The API server leaves out an empty list.
    has_none = bool(spec) and not written and isinstance(spec.get("imagePullSecrets", []), list)
    return PodPull(
        pull,
        workload=workload_of(metadata),
        # A pod without a name of one has its namespace's (Kubernetes documentation, "Configure Service Accounts").
        service_account=kubernetes_names.object_name(spec.get("serviceAccountName")) or "default",
        pull_secrets=secrets if secrets or has_none else None,
    )


def workload_of(metadata: Mapping[str, object]) -> str | None:
    """Return what made a pod, as kind and name.

    A Deployment names its ReplicaSets by itself and the label pod-template-hash (Kubernetes documentation,
    "Deployments", "Pod-template-hash label").
    """
    owners = fields.items(metadata, "ownerReferences")
    for each in sorted(owners, key=lambda owner: fields.mapping(owner).get("controller") is not True):
        kind, name = fields.text(each, "kind"), kubernetes_names.object_name(fields.text(each, "name"))
        if name and kind.isascii() and kind.isalnum():
            suffix = f"-{fields.text(metadata, 'labels', 'pod-template-hash')}"
            if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix) and name != suffix:
                return f"Deployment {name.removesuffix(suffix)}"
            return f"{kind[:63]} {name}"
    return None


def is_bare_back_off(pull: PullFailure) -> bool:
    """Return whether kubelet says only that it waits before it pulls again, which leaves open why the pull failed."""
    return pull.symptom is Symptom.UNKNOWN and ": " not in (pull.message or "")


def _word(status: Mapping[str, object], spec: Mapping[str, object]) -> Word:
    """Return why a pod has no failed pull. Where several containers wait, the first one's word."""
    phase = fields.text(status, "phase")
    if phase in _ENDED:
        return Word(f"{_ENDED[phase]}, so it waits for no image", "have ended, so they wait for no image")
    waits = next((each.reason for each in _waiting(spec, status)), "")
    if waits in {"ContainerCreating", "PodInitializing"} or not (waits or _statuses(status)):
        if fields.text(spec, "nodeName"):
            return STARTS
        why = redact(_unscheduled(status), limit=200)
        return Word(f"is on no node yet, so nothing was pulled{f': {why}' if why else ''}", "are on no node yet")
    if waits:
        reason = redact(waits, limit=60)
        return Word(f"waits for {reason}, not for an image", f"wait for {reason}, not for an image")
    return RUNS if all(_has_state(each) for key in _STATUS_LISTS for each in fields.items(status, key)) else SILENT


def _has_state(container: object) -> bool:
    """Return whether a status says that its container runs or has ended; one without a state waits (ContainerState)."""
    state = fields.mapping(container, "state")
    return "running" in state or "terminated" in state


def image_texts(spec: Mapping[str, object]) -> tuple[str, ...]:
    """Return the images of a pod's containers and volumes, each once."""
    images = [fields.text(each, "image") for key in _STATUS_LISTS.values() for each in fields.items(spec, key)]
    images += [fields.text(each, "image", "reference") for each in fields.items(spec, "volumes")]
    return tuple(dict.fromkeys(text for each in images if (text := image_text(each))))[:_MOST_IMAGES]


def waits_for_image(spec: Mapping[str, object], status: Mapping[str, object]) -> bool:
    """Return whether a container of a pod waits for an image whose pull has failed."""
    return any(each.reason in REASONS for each in _waiting(spec, status))


def _statuses(status: Mapping[str, object]) -> bool:
    return any(fields.items(status, each) for each in _STATUS_LISTS)


def _unscheduled(status: Mapping[str, object]) -> str:
    conditions = fields.items(status, "conditions")
    unmet = (each for each in conditions if fields.text(each, "type") == "PodScheduled")
    return next((fields.text(each, "message") for each in unmet), "")
