"""Recognize the texts that kubectl and the node print for people, and read what they show of the cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.cli.kubectl.describe import is_description, read_description
from pull_responder.cli.kubectl.log import read_log
from pull_responder.cli.kubectl.objects import Reading
from pull_responder.cli.kubectl.seen import Seen
from pull_responder.cli.kubectl.tables import has_header, is_events, is_pods, read_events, read_pods
from pull_responder.events.kubelet_message import read_message
from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OF_KUBECTL: Final = re.compile(r"\s*+(?:Error from server|error: |Unable to connect to the server|No resources found)")
_DESCRIBED: Final = re.compile(r"^(Name|Namespace|Labels|Replicas|Selector|Events):\s", re.MULTILINE)
_NAMESPACE: Final = re.compile(r"^Namespace:\s{1,20}(\S{1,63})", re.MULTILINE)
_FEW: Final = 3


def read_printed(text: str, namespace: str | None = None) -> Seen | None:
    """Return what a text shows of a cluster; None if it is none that is known here. Raises UnusableEvent.

    The error says what to run where the text tells of a failed pull without saying why, or of none.
    """
    if _OF_KUBECTL.match(text):
        raise UnusableEvent("the input", f"is an error of kubectl's: {redact(text.strip(), limit=300)}")
    if is_description(text):
        described = set(_NAMESPACE.findall(text))
        of_events = namespace or (described.pop() if len(described) == 1 else None)
        events = read_events(text, namespace=of_events) if has_header(text) else ()
        return _of((*read_description(text), *events))
    if is_events(text):
        return _of(read_events(text, namespace=namespace))
    if is_pods(text):
        return Seen(skipped=(read_pods(text),))
    if found := list(read_log(text)):
        return _of(found)
    return None


def refusal(text: str) -> str:
    """Return why a text that is nothing known cannot be used, and what to give instead."""
    what = "give what `kubectl get pod NAME -o json` or `kubectl describe pod NAME` prints, or an event"
    if len(_DESCRIBED.findall(text)) >= _FEW:
        return f"describes something other than pods: {what}"
    read = read_message(text)
    if read.tells_of_pull and read.image is not None:
        explained = "`pull-responder explain` says what it can mean"
        return f"is kubelet's message without its pod: {explained}. For a diagnosis, {what}"
    return f"is no pod and no event: {what}"


def _of(objects: Iterable[Mapping[str, object]]) -> Seen:
    reading = Reading()
    for each in objects:
        reading.add(each)
    return reading.seen()
