"""What reading an event can end in besides a pull: it is not ours, or it is no event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skipped:
    """A well-formed event that holds no failed pull. `reason` is one line for people."""

    reason: str


class UnusableEvent(ValueError):  # noqa: N818 -- read where it is caught, "except UnusableEvent" needs no suffix
    """What came in is no event. Its message is one line that says where and what is wrong."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where} {problem}" if where else problem)
