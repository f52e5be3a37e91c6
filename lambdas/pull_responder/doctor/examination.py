"""What a check of the doctor is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.doctor.result import Result
    from pull_responder.facts.reader import Reader


@dataclass(frozen=True, slots=True)
class Examination:
    """One check.

    - `id`: the name of its file
    - `about`: what it reads, for people
    - `permissions`: the IAM actions of its reads
    - `examine`: reads, and returns what it found; it raises nothing that AWS causes
    - `can_blind`: whether a result of it may say that failed pulls do not arrive
    """

    id: str
    about: str
    permissions: tuple[str, ...]
    examine: Callable[[Deployment, Reader], Iterable[Result]]
    can_blind: bool = False
