"""Read Events, as the API server gives them: of core/v1 and of events.k8s.io/v1.

Sources: Kubernetes API reference, Event v1 core and Event v1 events.k8s.io. The newer one names the same things
anew, and keeps the older fields under names that begin with "deprecated".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.cli.kubectl.seen import PodPull
from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.kubelet_image import find_image
from pull_responder.events.kubernetes_event import read_kubernetes_event
from pull_responder.events.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.model.pull import PullFailure

PulledBy = tuple[str | None, str | None, str, str | None, str | None]
"""Namespace, pod, repository, tag and digest of a pull."""

_NEW_NAMES: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "reportingComponent": "reportingController",
}


def is_event(document: Mapping[str, object]) -> bool:
    """Return whether an object without a kind, as forwarders write them, is an Event."""
    about = fields.mapping(document, "involvedObject") or fields.mapping(document, "regarding")
    return bool(about) and bool(fields.text(document, "reason"))


def read_event_object(document: Mapping[str, object]) -> PodPull | Skipped:
    """Return the failed pull that an Event tells of, or why it tells of none."""
    event = {key: document.get(key) or document.get(new) for key, new in _NEW_NAMES.items()}
    # Of an Event that was seen several times, the newer API has the time in `series` alone.
    last = fields.text(document, "series", "lastObservedTime")
    read = read_kubernetes_event({"detail": {**document, **event, **({"lastTimestamp": last} if last else {})}})
    return read if isinstance(read, Skipped) else PodPull(read)


def pulled(document: Mapping[str, object]) -> tuple[PulledBy, str] | None:
    """Return whose pull of which image succeeded, and when; None for Events of anything else.

    kubelet's words are 'Successfully pulled image "…"' and 'Container image "…" already present on machine'
    (kubernetes pkg/kubelet/images/image_manager.go).
    """
    if fields.text(document, "reason") != "Pulled":
        return None
    about = fields.mapping(document, "involvedObject") or fields.mapping(document, "regarding")
    image = find_image(fields.text(document, "message") or fields.text(document, "note"), None)
    times = (document.get(key) for key in ("lastTimestamp", "deprecatedLastTimestamp", "eventTime"))
    moment = next((at for at in map(names.time, (*times, document.get("firstTimestamp"))) if at), None)
    if image is None or moment is None:
        return None
    namespace, pod = (kubernetes_names.object_name(about.get(key)) for key in ("namespace", "name"))
    tag = image.tag or (None if image.digest else "latest")
    return (namespace, pod, image.repository, tag, image.digest), moment


def pulled_by(pull: PullFailure) -> PulledBy:
    """Return whose pull of which image failed, as `pulled` returns it."""
    return pull.namespace, pull.pod, pull.repository or "", pull.tag, pull.digest
