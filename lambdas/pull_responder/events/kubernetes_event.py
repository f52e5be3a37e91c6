"""Read Kubernetes events that a forwarder puts on an EventBridge bus.

Two layouts are known, both from the EventBridge sink of kubernetes-event-exporter
(https://github.com/resmoio/kubernetes-event-exporter):

- The default: the detail is the corev1.Event, with `clusterName` and an `involvedObject` that has labels.
- The example of its README: the detail has `message`, `namespace`, `reason` and `object`, but neither pod nor cluster.

Anybody who can put events on the bus can forge them. This module checks only their form. Later, whatever AWS can answer
is read from AWS and not taken from the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, kubernetes_names, names, node_health
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.pod_failure import PodFailure, clean, not_pullable
from pull_responder.events.redaction import redact
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS: Final = frozenset({"Failed", "FailedCreatePodSandBox", "BackOff"})
"""The reasons of kubelet's events that can be about an image (kubernetes pkg/kubelet/events/event.go)."""

UNASKED_REASONS: Final = frozenset({"ErrImageNeverPull", "InspectFailed"})
"""The reasons of kubelet's events about an image that it asked no registry for."""

_KUBELET: Final = "kubelet"


def read_kubernetes_event(envelope: Mapping[str, object], *, where: str = "") -> PullFailure | Skipped:
    """Read a forwarded event. Raises UnusableEvent if its detail is not an object."""
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    if other := _other_matter(detail):
        return Skipped(other)
    about = fields.mapping(detail, "involvedObject")
    message = clean(fields.text(detail, "message"))
    pull = PodFailure(
        account=names.account(envelope.get("account")),
        message=message,
        cluster=kubernetes_names.cluster(detail.get("clusterName")),
        namespace=kubernetes_names.object_name(about.get("namespace") or detail.get("namespace")),
        pod=kubernetes_names.object_name(about.get("name")),
        labels=kubernetes_names.labels(about.get("labels")),
        node=_node(detail),
        time=_time(detail) or names.time(envelope.get("time")),
        event_id=names.event_id(envelope.get("id")),
        region=names.region(envelope.get("region")),
    ).pull()
    return _unless_unasked(pull, reason=fields.text(detail, "reason"), read=read_message(message))


def _other_matter(detail: Mapping[str, object]) -> str | None:
    """Return why an event is not about a pod and its image, None if its form is that of one."""
    if of_node := node_health.skip_reason(detail):
        return of_node
    reason = fields.text(detail, "reason")
    if reason not in REASONS | UNASKED_REASONS:
        return f"a Kubernetes event with reason {redact(reason, limit=80) or '(none)'}, which is not about a pull"
    kind, component = fields.text(detail, "involvedObject", "kind"), _component(detail)
    if kind not in {"", "Pod"}:
        return f"a Kubernetes event about a {redact(kind, limit=80)}, not about a pod"
    if component not in {"", _KUBELET}:
        return f"a Kubernetes event of {redact(component, limit=80)}, not of kubelet"
    return None


def _unless_unasked(pull: PullFailure | Skipped, *, reason: str, read: KubeletMessage) -> PullFailure | Skipped:
    """Return the pull, unless the event's text or its reason says that it is about none that failed."""
    if read.no_reason and not (read.image and not_pullable(read.image)):
        return Skipped(f"a Kubernetes event with reason {reason}, whose text {read.no_reason}")
    if reason in UNASKED_REASONS and isinstance(pull, PullFailure):
        return Skipped(f"a Kubernetes event with reason {reason}, which is not about a pull")
    return pull


def _component(detail: Mapping[str, object]) -> str:
    return fields.text(detail, "source", "component") or fields.text(detail, "reportingComponent")


def _node(detail: Mapping[str, object]) -> str | None:
    """The node of the kubelet: the source's host in the old events API, the reporting instance in the new one."""
    written = fields.text(detail, "source", "host") or fields.text(detail, "reportingInstance")
    return kubernetes_names.object_name(written)


def _time(detail: Mapping[str, object]) -> str | None:
    times = (names.time(detail.get(key)) for key in ("lastTimestamp", "eventTime", "firstTimestamp"))
    return next((moment for moment in times if moment), None)
