"""Read the tables that kubectl prints: of events, as the objects that they show, and of pods, which tell no reason.

Source: kubernetes pkg/printers/internalversion/printers.go (AddHandlers: the columns of events and of pods; -o wide
puts SUBOBJECT and SOURCE before MESSAGE, and others behind it), and kubectl's events command. Columns are three spaces
apart, and no cell has a line break (k8s.io/cli-runtime/pkg/printers/tableprinter.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.cli.kubectl.seen import some
from pull_responder.events.no_reason import NoReason, no_reason_of_text
from pull_responder.events.outcome import Skipped, UnusableEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER: Final = re.compile(r"^(?:NAMESPACE\s+)?LAST SEEN\s+TYPE\s+REASON\s+.*MESSAGE.*$", re.MULTILINE)
_PODS: Final = re.compile(r"^(?:NAMESPACE\s+)?NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE.*$", re.MULTILINE)
_COLUMN: Final = re.compile(r"\S+(?: \S+)*")
_CELLS: Final = re.compile(r"\s{2,}")
# A row without its header: its age, type, reason and object begin it.
_ROW: Final = re.compile(
    r"(?:(?P<namespace>[a-z0-9-]{1,63})\s+)?"
    r"(?:[0-9]{1,6}[smhdy][0-9smhd]*+(?: \(x[0-9]+ over [0-9smhdy]+\))?|<unknown>)\s+"
    r"(?:Normal|Warning)\s+(?P<reason>[A-Za-z]{1,80})\s+(?P<object>[A-Za-z.]{1,80}/\S{1,253})\s+(?P<message>\S.*)"
)
_OBJECT: Final = re.compile(r"(?P<kind>[A-Za-z.]{1,80})/(?P<name>\S{1,253})")
_FEW_CELLS: Final = 3


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    start: int


def is_events(text: str) -> bool:
    """Return whether a text is a table of events, with its header or without."""
    return has_header(text) or any(_ROW.fullmatch(line) for line in text.split("\n", 50)[:50])


def has_header(text: str) -> bool:
    """Return whether a text has the header of a table of events."""
    return _HEADER.search(text) is not None


def read_events(text: str, *, namespace: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of events as Events. `namespace` is that of a table that does not name it."""
    columns: list[_Column] = []
    for line in text.split("\n"):
        if _HEADER.fullmatch(line):
            found = [_Column(each[0], each.start()) for each in _COLUMN.finditer(line)]
            # A table whose spaces somebody has squeezed has no columns any more.
            columns = found if {"OBJECT", "MESSAGE"} <= {each.name for each in found} else []
        elif line.strip():
            cells = _cells(line, columns)
            if row := _event(cells, namespace):
                yield row


def _cells(line: str, columns: list[_Column]) -> dict[str, str]:
    """Return the cells of a row by the names of their columns: by where the columns begin, else by its own form."""
    starts = [each.start for each in columns]
    if columns and all(at == 0 or line[at - 1 : at] in {" ", ""} for at in starts):
        ends = [*starts[1:], len(line)]
        return {each.name: line[each.start : end].strip() for each, end in zip(columns, ends, strict=True)}
    parts = _CELLS.split(line.strip())
    if len(parts) == len(columns):  # of a table that somebody has changed since
        return dict(zip((each.name for each in columns), parts, strict=True))
    found = _ROW.fullmatch(line.rstrip())
    if found is None:
        return {}
    return {
        "NAMESPACE": found["namespace"] or "",
        "REASON": found["reason"],
        "OBJECT": found["object"],
        "MESSAGE": found["message"],
    }


def _event(cells: dict[str, str], namespace: str | None) -> dict[str, Any] | None:
    about = _OBJECT.fullmatch(cells.get("OBJECT", ""))
    if about is None or not cells.get("REASON"):
        return None
    component, _, host = cells.get("SOURCE", "").partition(", ")
    kind = about["kind"].lower()
    return {
        "kind": "Event",
        "reason": cells["REASON"],
        "message": cells.get("MESSAGE", ""),
        "involvedObject": {
            "kind": "Pod" if kind in {"pod", "po", "pods"} else about["kind"],
            "name": about["name"],
            "namespace": cells.get("NAMESPACE") or namespace or "",
        },
        "source": {"component": component, "host": host},
    }


def is_pods(text: str) -> bool:
    """Return whether a text is a table of pods."""
    return _PODS.search(text) is not None


def read_pods(text: str) -> Skipped:
    """Return that no pod of a table waits for its image. Raises UnusableEvent where one does: it has no reason."""
    waiting: list[str] = []
    namespaces: set[str] = set()
    has_namespace = False
    for line in text.split("\n"):
        if _PODS.fullmatch(line):
            has_namespace = line.startswith("NAMESPACE")
            continue
        cells = _CELLS.split(line.strip())
        if len(cells) > _FEW_CELLS and no_reason_of_text(cells[2 + has_namespace]) is NoReason.NOT_SAID:
            waiting.append("/".join(cells[: 1 + has_namespace])[:320])
            namespaces |= {cells[0][:63]} if has_namespace else set()
    if not waiting:
        return Skipped("a table of pods, none of which waits for its image")
    where = " -A" if len(namespaces) > 1 else "".join(f" -n {each}" for each in namespaces)
    raise UnusableEvent(
        "the input",
        f"is a table of pods, which does not say why {some(waiting)} cannot pull: "
        f"kubectl get pods{where} -o json | pull-responder diagnose -",
    )
