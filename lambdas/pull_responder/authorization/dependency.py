"""What an undecided answer depends on: an unknown condition key, or another doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.model.quoting import show_key

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A condition key whose value in the request is not known. `name` is spelled as in the policy."""

    name: str

    def __str__(self) -> str:
        return show_key(self.name)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Any other doubt: a policy that cannot be read, or a rule that AWS does not document. `reason` is for people."""

    reason: str

    def __str__(self) -> str:
        return self.reason


Dependency = UnknownKey | Doubt


def keys_of(unknown: Iterable[Dependency]) -> tuple[str, ...]:
    """Return the names of the condition keys in `unknown`, as the policies spell them."""
    return tuple([each.name for each in unknown if isinstance(each, UnknownKey)])
