"""The placeholder for a fact that could not be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read. `reason` names the API call and the error, for people."""

    reason: str
