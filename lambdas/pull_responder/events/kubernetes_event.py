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
from pull_responder.events.kubelet_message import read_message
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.pod_failure import PodFailure, clean
from pull_responder.events.redaction import redact
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS: Final = frozenset({"Failed", "FailedCreatePodSandBox", "BackOff"})
"""The reasons of kubelet's events that can be about an image (kubernetes pkg/kubelet/events/event.go)."""

_KUBELET: Final = "kubelet"


def read_kubernetes_event(envelope: Mapping[str, object], *, where: str = "") -> PullFailure | Skipped:
    """Read a forwarded event. Raises UnusableEvent if its detail is not an object."""
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    reason = fields.text(detail, "reason")
    if of_node := node_health.skip_reason(detail):
        return Skipped(of_node)
    if reason not in REASONS:
        shown = redact(reason, limit=80) or "(none)"
        return Skipped(f"a Kubernetes event with reason {shown}, which is not about a pull")
    about = fields.mapping(detail, "involvedObject")
    kind, component = fields.text(about, "kind"), _component(detail)
    if kind not in {"", "Pod"}:
        return Skipped(f"a Kubernetes event about a {redact(kind, limit=80)}, not about a pod")
    if component not in {"", _KUBELET}:
        return Skipped(f"a Kubernetes event of {redact(component, limit=80)}, not of kubelet")
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
    if isinstance(pull, PullFailure) and not read_message(message).tells_of_pull:
        return Skipped(f"a Kubernetes event with reason {reason}, whose text is not about a failed image pull")
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
