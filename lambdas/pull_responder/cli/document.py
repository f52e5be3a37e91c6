"""Values from outside, put together within bounds, and the line on which each stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

MOST_VALUES: Final = 4_000_000
"""The most values of an input: ten thousand pods, as kubectl prints them."""
MOST_REPEATED: Final = 100_000
"""The most values that the aliases of one document may repeat."""
DEEPEST: Final = 100

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"

_MERGE: Final = "<<"


class UnusableTextError(ValueError):
    """A text that is not YAML or JSON, or holds too much: `problem` says why in one line, at `line` of the input."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Document:
    """One document that holds a value. `line` is the one on which it begins; lines count from 1."""

    value: Value
    line: int
    _lines: dict[int, dict[str | int, int]] = field(default_factory=dict, repr=False, compare=False)

    def line_of(self, owner: Value, key: str | int) -> int:
        """Return the line of what a mapping or list of this document has at `key`, else that of the document."""
        return self._lines.get(id(owner), {}).get(key, self.line)


@dataclass(slots=True)
class Count:
    """The values of all documents of an input."""

    values: int = 0

    @property
    def is_full(self) -> bool:
        """Whether no more are read."""
        return self.values > MOST_VALUES


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended, with the key whose value comes next."""

    value: dict[str, Value] | list[Value]
    line: int
    lines: dict[str | int, int]
    anchor: str | None
    before: int
    key: str | None = None
    merged: list[Value] = field(default_factory=list)


class Builder:
    """Puts a document together from what a parser finds one after the other."""

    def __init__(self, counted: Count) -> None:
        self._counted = counted
        self._open: list[_Open] = []
        self._lines: dict[int, dict[str | int, int]] = {}
        self._anchored: dict[str, tuple[Value, int]] = {}
        self._size = 0
        self._repeated = 0
        self._line = 1
        self._root: Value = None

    def document(self) -> Document | None:
        """Return the document; None if it holds nothing."""
        return None if self._root is None else Document(self._root, self._line, self._lines)

    def scalar(self, value: Value, text: str, line: int, anchor: str | None = None) -> None:
        """Add a value; `text` is how it is written, which is what counts for a key."""
        self._count(line)
        if anchor:
            self._anchored[anchor] = (value, 1)
        self._add(value, text, line)

    def begin(self, value: dict[str, Value] | list[Value], line: int, anchor: str | None = None) -> None:
        """Begin a list or mapping."""
        self._count(line)
        if len(self._open) >= DEEPEST:
            raise UnusableTextError(line, f"it is nested deeper than {DEEPEST} levels")
        lines: dict[str | int, int] = {}
        self._lines[id(value)] = lines
        if anchor:
            self._anchored.pop(anchor, None)
        self._open.append(_Open(value, line, lines, anchor, self._size))

    def end(self) -> None:
        """End the innermost list or mapping."""
        ended = self._open.pop()
        if isinstance(ended.value, dict):
            for other in ended.merged:
                _merge(ended.value, other, ended.line)
        if ended.anchor:
            self._anchored[ended.anchor] = (ended.value, self._size - ended.before + 1)
        self._add(ended.value, None, ended.line)

    def alias(self, name: str, line: int) -> None:
        """Repeat what has the anchor `name`."""
        self._count(line)
        if name not in self._anchored:
            raise UnusableTextError(line, "an alias stands where its anchor has not ended, or without one")
        value, size = self._anchored[name]
        self._repeated += size
        self._size += size
        if self._repeated > MOST_REPEATED:
            raise UnusableTextError(line, f"its aliases repeat more than {MOST_REPEATED} values")
        self._add(value, value if isinstance(value, str) else None, line)

    def _count(self, line: int) -> None:
        self._size += 1
        self._counted.values += 1
        if self._counted.is_full:
            raise UnusableTextError(line, f"it has more than {MOST_VALUES} values")

    def _add(self, value: Value, text: str | None, line: int) -> None:
        if not self._open:
            self._root, self._line = value, line
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.lines[len(top.value)] = line
            top.value.append(value)
        elif top.key is None:
            if text is None:
                raise UnusableTextError(line, "the key of a mapping is no text")
            top.key = text
        else:
            if top.key == _MERGE:
                top.merged.append(value)
            else:
                top.lines[top.key] = line
                top.value[top.key] = value
            top.key = None


def _merge(into: dict[str, Value], other: Value, line: int) -> None:
    """Add what the merge key `<<` names; what the mapping has itself stays (YAML, "Merge Key Language-Independent")."""
    for each in other if isinstance(other, list) else [other]:
        if not isinstance(each, dict):
            raise UnusableTextError(line, "the merge key << names no mapping")
        for key, value in each.items():
            into.setdefault(key, value)
