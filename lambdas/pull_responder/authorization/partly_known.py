"""Values of condition keys of which only a part is known, and what that decides.

Organizations shows the path of an account only to some accounts, but every account can read its organization's id,
with which the path begins. And a registry of AWS's own is in none of its customers' organizations. A NAT gateway with
several public addresses sends each connection from one of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_WILDCARD: Final = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Beginning:
    """A value that begins with `text`, and goes on in an unknown way, but with none of the characters in `never`."""

    text: str
    never: str = ""

    def matches(self, pattern: str, *, wildcards: bool) -> bool | None:
        """Return whether the value matches `pattern`; None if that depends on the unknown part."""
        wildcard = _WILDCARD.search(pattern) if wildcards else None
        if wildcard is None:
            can_be = pattern.startswith(self.text) and not set(pattern[len(self.text) :]) & set(self.never)
            return None if can_be else False
        literal = pattern[: wildcard.start()]
        if not (literal.startswith(self.text) or self.text.startswith(literal)):
            return False
        return True if pattern == f"{literal}*" and self.text.startswith(literal) else None


@dataclass(frozen=True, slots=True)
class OtherThan:
    """A value that is not `text`."""

    text: str

    def matches(self, pattern: str, *, wildcards: bool) -> bool | None:
        """Return whether the value matches `pattern`; None if that depends on the unknown value."""
        if wildcards and _WILDCARD.search(pattern):
            return True if pattern == "*" else None
        return False if pattern == self.text else None


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value that is one of `texts`, of which there is at least one."""

    texts: tuple[str, ...]


PartlyKnown = Beginning | OtherThan | OneOf
