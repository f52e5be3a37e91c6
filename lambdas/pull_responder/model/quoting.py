"""How text of somebody else's policies is shown: in quotes, cut, and with nothing that a reader does not see.

Whoever writes a policy chooses its Sids, values and names. A sentence there could pass for ours, a line break for a new
section, a bidirectional override for another name.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = 64
"""The most characters shown of a name or a free value."""
ELEMENT: Final = 200
"""The most characters shown of a value with a form of its own, such as an ARN."""

_LISTED: Final = 5
_QUOTE: Final = 1_500
_CONDITION_KEY: Final = re.compile(r"[\w:/.-]{1,64}", re.ASCII)


def escape(text: str) -> str:
    r"""Return `text` with every character that is not printable as Python's escape, such as \x1b."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def quote(text: str, most: int = NAME) -> str:
    """Return `text` in double quotes. Of a longer one only the first `most` characters are shown, and an ellipsis."""
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return '"' + escape(shown.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def quote_each(values: Iterable[str], most: int = NAME) -> str:
    """Return the first five values in quotes, and how many more there are."""
    every = list(values)
    shown = ", ".join(quote(each, most) for each in every[:_LISTED])
    return f"{shown} and {len(every) - _LISTED} more" if len(every) > _LISTED else shown


def show_key(name: str) -> str:
    """Return the name of a condition key as it is if it has the form of one, else in quotes."""
    return name if _CONDITION_KEY.fullmatch(name) else quote(name)


def quote_json(value: object) -> str:
    """Return a policy or a part of it as JSON of at most 1,500 characters, with its long texts cut."""
    text = escape(json.dumps(_cut(value), ensure_ascii=False))
    return text if len(text) <= _QUOTE else text[: _QUOTE - 1] + "…"


def _cut(value: object, most: int = ELEMENT) -> object:
    if isinstance(value, str):
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, dict):
        return {_cut(str(key)): _cut(each, NAME if key in ("Sid", "Id") else most) for key, each in value.items()}
    return [_cut(each, most) for each in value] if isinstance(value, list | tuple) else value
