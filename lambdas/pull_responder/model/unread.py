"""What is known when a read fails: that it failed, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read. `reason` names the call and the error, for people."""

    reason: str
