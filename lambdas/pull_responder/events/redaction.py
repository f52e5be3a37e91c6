"""Remove credentials and terminal control characters from text, before anything else reads it.

Every pattern runs in linear time. Repetitions are possessive or bounded, and the text that a failed match consumed
contains no other place where the pattern could begin.
"""

from __future__ import annotations

import re
from typing import Final

REDACTED: Final = "[redacted]"

# Terminal escapes (ECMA-48): control sequences, command strings up to their terminator, and short escapes.
_ESCAPES: Final = re.compile(r"\x1b\[[0-?]*+[ -/]*+[@-~]?+|\x1b[\]PX^_][^\x07\x1b]*+(?:\x07|\x1b\\)|\x1b[ -/]*+[0-~]?+")
_LINE_BREAKS: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]")
# Control, format (bidirectional overrides, zero width) and surrogate characters.
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)

# Query parameters that sign a URL: AWS Signature Version 4 (X-Amz-*), Version 2, and CloudFront's.
_SIGNED_PARAMETER: Final = re.compile(
    r"(?i)(X-Amz-[a-z-]{1,40}|Signature|AWSAccessKeyId|Key-Pair-Id|SignedHeaders|Credential)(=|%3D)[^&,\s\"'<>]++"
)
_KEYS: Final = (
    r"authorizationtoken|token|password|passwd|secretaccesskey|secret_access_key|secret|"
    r"api[_-]?key|identitytoken|registrytoken|auth|sig"
)
_ASSIGNED: Final = re.compile(rf"(?i)({_KEYS})( ?= ?|%3D)(?:\\?[\"'])?[^&\s\"'\\<>,;]++")
_QUOTED: Final = re.compile(rf"(?i)({_KEYS})([\"']\s*+:\s*+[\"'])(?:[^\"'\\]|\\.){{0,8192}}")
_QUOTED_TWICE: Final = re.compile(rf"(?i)({_KEYS})(\\[\"']\s*+:\s*+\\[\"'])[^\"'\\]*+")
_PASSWORD: Final = re.compile(r"(?i)(password|passwd|secretaccesskey|secret_access_key)(:\s++)[^\s\"']++")
# Prose may follow a colon, too ("may require authorization: server message"). A secret is long and has a digit.
_OPAQUE: Final = r"(?=[a-z+/=_.~-]{0,200}[0-9])[a-z0-9+/=_.~-]{16,}+"
_STATED: Final = re.compile(rf"(?i)({_KEYS})(:\s++){_OPAQUE}")
_HEADER: Final = re.compile(
    r"(?i)((?:authorization|x-registry-auth|x-amz-security-token)(?:\\?[\"'])?\s*+:\s*+\[?+(?:\\?[\"'])?)"
    rf"(?:(?:basic|bearer|digest|negotiate|aws4-hmac-sha256)\s++[^\s\"'\\,]++|{_OPAQUE})"
)
_SCHEME: Final = re.compile(r"\b([Bb]asic|[Bb]earer)( ++)(?=[A-Za-z][a-z-]{0,200}[0-9A-Z+/=_])[A-Za-z0-9+/=_.~-]{8,}+")
_USER_INFO: Final = re.compile(r"(://)[^\s/@:\"']*+:[^\s/@\"']*+@(?!sha256:)")
_BARE: Final = re.compile(
    r"(?:A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{12,124}+"  # access key ids
    r"|eyJ[A-Za-z0-9+/=_.-]{20,}+"  # JSON in base64: ECR passwords, JSON Web Tokens
    r"|(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9+/=%_-]{20,}+)"  # session tokens of AWS STS
)


_KEPT: Final = rf"\1\2{REDACTED}"
# In the order of use: a pattern, its replacement, and texts in lower case. The pattern can only match if one of these
# texts occurs. Nearly every message has none of them, and a search for them is far quicker.
_SECRETS: Final[tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...]] = (
    (_HEADER, rf"\1{REDACTED}", ("authorization", "x-registry-auth", "x-amz-security-token")),
    (_SIGNED_PARAMETER, _KEPT, ("=", "%3d")),
    (_ASSIGNED, _KEPT, ("=", "%3d")),
    (_QUOTED, _KEPT, ('"', "'")),
    (_QUOTED_TWICE, _KEPT, ("\\",)),
    (_PASSWORD, _KEPT, ("password:", "passwd:", "key:")),
    (_STATED, _KEPT, tuple(f"{each}:" for each in ("token", "password", "passwd", "secret", "key", "auth", "sig"))),
    (_SCHEME, _KEPT, ("basic ", "bearer ")),
    (_USER_INFO, rf"\1{REDACTED}@", ("://",)),
    (_BARE, REDACTED, ("akia", "asia", "abia", "acca", "eyj", "iqoj", "fwog", "fqog", "aqod")),
)


def redact(text: str, *, limit: int = 4096) -> str:
    """Return `text` as one line of at most `limit` characters, without credentials and control characters.

    Parameters of presigned URLs, authorization headers, passwords, tokens, AWS access keys and logins of Docker
    registries become "[redacted]". Characters beyond twice the limit are ignored.
    """
    text = text[: 2 * limit]
    if not (text.isascii() and text.isprintable()):
        text = _INVISIBLE.sub("", _LINE_BREAKS.sub(" ", _ESCAPES.sub("", text)))
    # For text beyond ASCII, case-insensitive patterns match letters that lower() does not show. So try all patterns.
    lower = text.lower() if text.isascii() else None
    for pattern, replacement, needles in _SECRETS:
        if lower is None or any(needle in lower for needle in needles):
            text = pattern.sub(replacement, text)
    return text[:limit]
