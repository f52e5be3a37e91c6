"""Whole terminal sequences, of which nothing is to be shown."""

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
