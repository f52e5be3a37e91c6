"""Read the text of `kubectl describe pod`, of one pod or several, as the objects that it shows.

Source: kubernetes staging/src/k8s.io/kubectl/pkg/describe/describe.go (describePod, describeContainers,
DescribeEvents), v1.29 to v1.35. Before 1.19 an event's source is "kubelet, NODE". A level is two spaces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE: Final = re.compile(r" *+(?P<key>[A-Za-z][^:\s]{0,60}(?: [A-Za-z()]{1,40}){0,4}):(?:\s++(?P<value>.*+))?")
_CONTAINER: Final = re.compile(r"  (?P<name>[a-z0-9][a-z0-9.-]{0,252}):\s*+")
_EVENT: Final = re.compile(r"\s+(?:Normal|Warning)\s")
_CELLS: Final = re.compile(r"\s{2,}")
# Of a Job, Namespace and Start Time stand at the margin, too.
_IS_POD: Final = re.compile(r"^(?:Namespace|Node|Service Account|Containers|Priority):", re.MULTILINE)
_START: Final = re.compile(r"^Name:(?=\s)", re.MULTILINE)
_SECTIONS: Final = {
    "Containers": ("containers", "containerStatuses"),
    "Init Containers": ("initContainers", "initContainerStatuses"),
    "Ephemeral Containers": ("ephemeralContainers", "ephemeralContainerStatuses"),
}
_NONE: Final = frozenset({"", "<none>", "<unset>"})
_MOST_PODS: Final = 20_000


def is_description(text: str) -> bool:
    """Return whether a text is what `kubectl describe pod` prints, whatever stands before it."""
    return _START.search(text) is not None and len(_IS_POD.findall(text)) > 1


def read_description(text: str) -> Iterator[dict[str, Any]]:
    """Yield each pod that a text describes, and the events of it, as objects of the API."""
    starts = [found.start() for found in _START.finditer(text)][:_MOST_PODS]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield from _read_pod(text[start:end].split("\n"))


def _read_pod(lines: list[str]) -> Iterator[dict[str, Any]]:
    metadata: dict[str, Any] = {"labels": {}}
    # A description has no pull secrets, whether the pod has some or not.
    spec: dict[str, Any] = {"imagePullSecrets": None}
    status: dict[str, Any] = {}
    section, sections = "", _split(lines)
    for section, rows in sections:
        value = rows[0]
        if section in _SECTIONS:
            specs, statuses = _SECTIONS[section]
            spec[specs], status[statuses] = _read_containers(rows[1:])
        elif section == "Labels":
            metadata["labels"] = dict(_label(row) for row in rows if "=" in row)
        elif section == "Controlled By" and "/" in value:
            kind, _, name = value.partition("/")
            metadata["ownerReferences"] = [{"kind": kind, "name": name, "controller": True}]
        elif value not in _NONE:
            _read_value(section, value, metadata, spec, status)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    yield pod
    events = next((rows for section, rows in sections if section == "Events"), [])
    yield from _read_events(events, pod)


def _read_value(key: str, value: str, metadata: dict[str, Any], spec: dict[str, Any], status: dict[str, Any]) -> None:
    if key in {"Name", "Namespace"}:
        metadata[key.lower()] = value
    elif key == "Service Account":
        spec["serviceAccountName"] = value
    elif key == "Node":
        spec["nodeName"] = value.partition("/")[0]
    elif key == "Status":
        status["phase"] = value.partition(" ")[0]


def _label(row: str) -> tuple[str, str]:
    key, _, value = row.strip().partition("=")
    return key, value


def _split(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Return the parts of a description that begin at the margin, each with its value and the lines below it."""
    parts: list[tuple[str, list[str]]] = []
    for line in lines:
        found = _LINE.match(line) if line[:1].isalpha() else None
        if found and not (parts and parts[-1][0] == "Events"):
            parts.append((found["key"], [(found["value"] or "").strip()]))
        elif parts:
            parts[-1][1].append(line)
    return parts


def _read_containers(rows: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the containers, and their statuses, of one section. Only what waits matters, with its reason."""
    specs: list[dict[str, Any]] = []
    statuses: list[dict[str, Any]] = []
    state = ""
    for row in rows:
        if container := _CONTAINER.fullmatch(row):
            specs.append({"name": container["name"]})
            statuses.append({"name": container["name"], "state": {}})
            state = ""
            continue
        found = _LINE.match(row)
        if found is None or not specs:
            continue
        key, value = found["key"], (found["value"] or "").strip()
        if key == "Image":
            specs[-1]["image"] = value
        elif key in {"State", "Last State"}:
            state = value.lower() if key == "State" else ""
            if state:
                statuses[-1]["state"] = {state: {}}
        elif key in {"Reason", "Message"} and state:
            statuses[-1]["state"][state][key.lower()] = value
        elif key in {"Ready", "Restart Count"}:
            state = ""
    # Of a container that no kubelet has taken, there is no status.
    return specs, [each for each in statuses if each["state"]]


def _read_events(rows: list[str], pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table of events. What stands below a row, of a message with line breaks, belongs to it."""
    found: list[list[str]] = []
    is_over = False
    for row in rows:
        if _EVENT.match(row):
            found.append(_CELLS.split(row.strip(), 4))
        elif found and row.strip() and not is_over:
            found[-1][-1] += f"\n{row.strip()}"
        is_over = not row.strip()
    about = {"kind": "Pod", **{key: pod["metadata"].get(key, "") for key in ("namespace", "name", "labels")}}
    for cells in found:
        component, _, host = cells[3].partition(", ") if len(cells) > 4 else ("", "", "")  # noqa: PLR2004 -- type, reason, age, source, message
        yield {
            "kind": "Event",
            "reason": cells[1] if len(cells) > 1 else "",
            "message": cells[-1],
            "involvedObject": about,
            "source": {"component": component, "host": host or pod["spec"].get("nodeName", "")},
        }
