"""YAML as people write it: the few forms that the generated templates need."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

# What YAML 1.1 takes for a text without quotes, in lists in brackets too, and for no number, truth, date or null.
_PLAIN: Final = re.compile(
    r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[a-z](?:[a-z0-9 ._/()*-]|:(?! |$))*", re.IGNORECASE
)
_WIDTH: Final = 100


class Raw(str):
    """Text that stands as it is, such as `!Ref Name`."""

    __slots__ = ()


def yaml_lines(value: Any, indent: int) -> list[str]:  # noqa: ANN401 -- JSON with Raw texts
    """Return an object or a list as lines of YAML, `indent` spaces deep.

    Lists of short texts stand in brackets. Raises TypeError for an empty object or list, and for what is no object,
    list, text, number or truth.
    """
    space = " " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, each in value.items():
            one_line = _one_line(each)
            if one_line is None:
                lines += [f"{space}{_scalar(key)}:", *yaml_lines(each, indent + 2)]
            else:
                lines.append(f"{space}{_scalar(key)}: {one_line}")
        return lines
    for each in value:
        one_line = _one_line(each)
        if one_line is None:
            first, *rest = yaml_lines(each, indent + 2)
            lines += [f"{space}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{space}- {one_line}")
    return lines


def _one_line(value: object) -> str | None:
    """Return a value that stands in one line, or None."""
    if isinstance(value, str | bool | int):
        return _scalar(value)
    if not (isinstance(value, Mapping | Sequence) and value):
        raise TypeError(f"not written as YAML: {value!r}")
    if isinstance(value, Mapping) or any(isinstance(each, Raw) or not isinstance(each, str) for each in value):
        return None
    brackets = f"[{', '.join(map(_scalar, value))}]"
    return brackets if len(brackets) <= _WIDTH else None


def _scalar(value: str | bool | int) -> str:  # noqa: FBT001 -- any scalar
    if isinstance(value, Raw):
        return value
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value)
