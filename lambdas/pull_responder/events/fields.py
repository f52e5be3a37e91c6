"""Read fields of untrusted JSON objects. A field that is absent or has another type is read as empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Final = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


def mapping(value: object, *path: str) -> Mapping[str, object]:
    """The object at `path` inside `value`; empty if there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: object, *path: str) -> str:
    """The string at `path` inside `value`; empty if there is none."""
    found = mapping(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def items(value: object, key: str) -> list[object]:
    """The list under `key` in `value`; empty if there is none."""
    found = mapping(value).get(key)
    return found if isinstance(found, list) else []


def kind(value: object) -> str:
    """JSON's name for the type of `value`, with its article."""
    return _KINDS.get(type(value), "a number")
