"""JSON for people: a value that fits on one line stays on it."""

from __future__ import annotations

import json
from typing import Any


def lay_out(value: Any, *, width: int, indent: int = 0, used: int = 0) -> str:  # noqa: ANN401 -- JSON
    """Return `value` as JSON in lines of at most `width` characters, unless a string is longer.

    - `indent` is the indentation of the line on which the value begins.
    - `used` is the number of characters on that line before the value.
    """
    line = json.dumps(value, ensure_ascii=False, default=str)
    if not isinstance(value, dict | list) or not value or used + len(line) < width:
        return line
    margin = " " * (indent + 2)
    if isinstance(value, dict):
        opening, closing = "{}"
        keys = [f"{json.dumps(key)}: " for key in value]
        members = [*zip(keys, value.values(), strict=True)]
    else:
        opening, closing = "[]"
        members = [("", each) for each in value]
    parts = [
        f"{margin}{key}{lay_out(each, width=width, indent=indent + 2, used=indent + 2 + len(key))}"
        for key, each in members
    ]
    return "\n".join((opening, ",\n".join(parts), " " * indent + closing))
