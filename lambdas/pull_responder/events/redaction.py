"""Remove credentials and terminal control characters from text, before anything else reads it.

secret_rules.py has the table of what credentials look like.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from pull_responder.events.secret_rules import NAMES, REDACTED, RULES
from pull_responder.model.printable import strip_escapes

__all__ = ["REDACTED", "join_wrapped", "redact"]

_LINE_BREAKS: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]")
# Control, format (bidirectional overrides, zero width) and surrogate characters.
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)

# Base64 wraps at 76 characters (RFC 2045). The parts are one word.
_WRAPPED: Final = re.compile(r"(?<=[A-Za-z0-9+/_-]{76})(?:\r?\n|\\++(?:r\\++)?n) {0,8}(?=[A-Za-z0-9+/=_-])")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_compiled: Final = cache(re.compile)
# In the order of use: see Rule.
_SECRETS: Final = tuple((each.pattern, each.replacement, each.needles, each.is_named) for each in RULES)


def join_wrapped(text: str) -> str:
    """Return `text` with each base64 text of several lines on one line."""
    return _WRAPPED.sub("", text) if "\n" in text or "\\" in text else text


def _plain_letter(match: re.Match[str]) -> str:
    """Return the ASCII characters that a wide, round or bold one stands for, other characters as they are."""
    plain = unicodedata.normalize("NFKC", match[0])
    return plain if plain.isascii() and len(plain) == 1 else match[0]


def redact(text: str, *, limit: int = 4096) -> str:
    """Return `text` as one line of at most `limit` characters, without credentials and control characters.

    Parameters of presigned URLs, authorization headers, passwords, tokens, AWS access keys and logins of Docker
    registries become "[redacted]". Characters beyond twice the limit are ignored.
    """
    text = join_wrapped(text[: 2 * limit])
    if not (text.isascii() and text.isprintable()):
        text = _INVISIBLE.sub("", _LINE_BREAKS.sub(" ", strip_escapes(text)))
        text = _FOREIGN.sub(_plain_letter, text)
    # For text beyond ASCII, case-insensitive patterns match letters that lower() does not show. So try all patterns.
    lower = text.lower() if text.isascii() else None
    has_name = lower is None or any(name in lower for name in NAMES)
    for pattern, replacement, needles, is_named in _SECRETS:
        if lower is None or ((has_name or not is_named) and any(needle in lower for needle in needles)):
            text = _compiled(pattern).sub(replacement, text)
    return text[:limit]
