"""The results of reading an event that is not a failed pull: skipped, or not an event at all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skipped:
    """A well-formed event that is not about a failed pull. `reason` is one line for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused(Skipped):
    """An event that names another account than the one that sent it. `sender` is that account; "": not known."""

    sender: str = ""


class UnusableEvent(ValueError):  # noqa: N818 -- read where it is caught, "except UnusableEvent" needs no suffix
    """The input is not a usable event. The message is one line that says where and what is wrong."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where} {problem}" if where else problem)
