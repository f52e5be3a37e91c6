"""What a terminal would obey instead of show: whole sequences of it, and characters in JSON."""

from __future__ import annotations

import re
from typing import Final

# ECMA-48: control sequences, command strings (DCS, SOS, OSC, PM, APC) up to their terminator, and short escapes; each
# begins with ESC or is one character of C1. A command string without its terminator is none: only its beginning goes.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?+"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+(?![\]PX^_])[0-~]?+"
)


def strip_escapes(text: str) -> str:
    """Return `text` without terminal sequences. Control characters outside sequences stay. Runs in linear time."""
    return _ESCAPES.sub("", text)


def clean_line(text: str) -> str:
    """Return `text` as one line of printable characters, with runs of white space as one space.

    Lone surrogates, which UTF-8 cannot encode, are removed, too. The result is empty if nothing is printable.
    """
    if not text.isprintable():
        text = "".join(each if each.isprintable() else " " for each in strip_escapes(text))
    return " ".join(text.split())


def escape_json(text: str) -> str:
    r"""Return a line of JSON with each character that is not printable as an escape of JSON, such as \u202e.

    Letters of all scripts stay as they are. The values are the same for who parses them. A program that writes JSON
    escapes only what JSON requires, which DEL, C1, overrides of the direction and lone surrogates are not among.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _as_json(each) for each in text)


def _as_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
