"""What is pasted into `explain`: one message, or what kubectl prints of several pods.

`kubectl describe pod` and `kubectl get events` print an event a line. A terminal may have broken long ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.events.kubelet_message import TEXT_LIMIT, KubeletMessage, read_message
from pull_responder.model.pull import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST: Final = 20
"""The most messages of one paste that are told."""

# The most lines that are read.
_LINES: Final = 20_000
_EVENT: Final = re.compile(r"^\s*(?:\S+\s+){0,4}?(?:Normal|Warning)\s+[A-Z]\w+\s")
_FAILED: Final = re.compile(
    r"(?:Failed to pull image|Back-off pulling image|Failed to apply default image tag|Failed to create pod sandbox"
    r"|Error: ErrImageNeverPull|failed to pull and unpack image)\b"
)
# kubelet waits longer after each failure, and says so without the reason.
_BACK_OFF: Final = re.compile(r"Back-off pulling image \"?[^\s\"]{1,600}\"?\W*$")
# "Name:" of a pod begins a line of `kubectl describe pod`, and pods stand as "pod/NAME" in events.
_NAME: Final = re.compile(r"^(Name|Namespace):\s+(\S{1,253})\s*$")
_NAMESPACE: Final = re.compile(r"([a-z][a-z0-9-]{0,62})\s+(?:\d|<)")
# The scheduler's words (kubernetes pkg/scheduler/schedule_one.go). A terminal may have broken them.
_ASSIGNED: Final = re.compile(
    r"\bSuccessfully\s{1,80}assigned\s{1,80}([a-z0-9][a-z0-9-]{0,62})/([a-z0-9][a-z0-9.-]{0,252})\s{1,80}to\s"
)
_POD: Final = re.compile(r"(?:^|\s)pod/([a-z0-9][a-z0-9.-]{0,252})(?=\s)")


@dataclass(frozen=True, slots=True)
class Pasted:
    """One message of a paste.

    - `pods`: the pods that it is about, each with its namespace, as far as the paste names them.
    """

    text: str
    read: KubeletMessage
    pods: tuple[tuple[str | None, str], ...] = ()

    @property
    def is_back_off(self) -> bool:
        """Whether it says only that kubelet waits before it tries again."""
        return not _has_reason(self.read) and _BACK_OFF.search(self.text[:TEXT_LIMIT].strip()) is not None


def messages_of(text: str) -> list[Pasted]:
    """Return the different messages of a paste in their order; the whole text as one if it is no list of events.

    What fails in the same way for several pods is one message. One without the reason is left out where another tells
    the reason for its image.
    """
    found = _merged(_events(text))
    told = {str(each.read.image) for each in found if _has_reason(each.read)}
    kept = [each for each in found if _has_reason(each.read) or str(each.read.image) not in told]
    pods = _assigned(text)
    return kept or [Pasted(text, read_message(text), pods if len(pods) == 1 else ())]


def _assigned(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pods that the scheduler put on nodes, each with its namespace."""
    return tuple(dict.fromkeys((found[1], found[2]) for found in _ASSIGNED.finditer(text)))


def _only_one(pods: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the names of a paste that tells of one pod alone, else none."""
    return {"Namespace": pods[0][0], "Name": pods[0][1]} if len(pods) == 1 else {}


def _has_reason(read: KubeletMessage) -> bool:
    return read.symptom is not Symptom.UNKNOWN or read.stage is not None


def _merged(events: Iterable[Pasted]) -> list[Pasted]:
    merged: dict[tuple[object, ...], Pasted] = {}
    for each in events:
        read = each.read
        key = (str(read.image), read.symptom, read.stage, read.answer, read.denial, read.sighting)
        known = merged.setdefault(key, each)
        merged[key] = replace(known, pods=tuple(dict.fromkeys((*known.pods, *each.pods))))
    return list(merged.values())


def _events(text: str) -> Iterator[Pasted]:
    """Yield the events of failed pulls in what kubectl prints; none if the text has no events."""
    assigned = _assigned(text)
    names = _only_one(assigned)
    lines: list[str] = []
    for line in [*text.splitlines()[:_LINES], ""]:
        named, is_event = _NAME.match(line), _EVENT.match(line) is not None
        if lines and (is_event or named or not line.strip()):
            yield _pasted("\n".join(lines), names, assigned)
            lines = []
        if of_scheduler := _assigned(line):
            names = _only_one(of_scheduler)
        if named:
            names = {**(names if named[1] == "Namespace" else {}), named[1]: named[2]}
        if (is_event and _FAILED.search(line)) or lines:
            lines.append(line)


def _pasted(text: str, names: dict[str, str], assigned: Sequence[tuple[str, str]]) -> Pasted:
    start = _FAILED.search(text)
    before, message = (text[: start.start()], text[start.start() :]) if start else ("", text)
    namespace, pod = names.get("Namespace"), names.get("Name")
    if of_event := _POD.search(before):
        listed = _NAMESPACE.match(before)
        namespace, pod = listed[1] if listed else None, of_event[1]
    if namespace is None:
        of_pod = {each for each, name in assigned if name == pod}
        namespace = of_pod.pop() if len(of_pod) == 1 else None
    return Pasted(message, read_message(message), ((namespace, pod),) if pod else ())
