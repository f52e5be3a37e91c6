"""What `diagnose` has to show: an answer for each distinct pull, and what could not be asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from pull_responder.events.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.cli.scope import Scope
    from pull_responder.cli.workload import Use
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.pulls.path import PullPath

FOUND: Final = 1
OPEN: Final = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """The pods that wait for one pull, as far as what was read of their cluster tells.

    - `count` is how many they are, and `pods` are the first of them, as NAMESPACE/NAME.
    - `nodes` is on how many nodes they are, as far as that is known.
    - `workloads` are the first of their owners, as kind and name.
    """

    NAMED: ClassVar[int] = 10

    count: int
    pods: tuple[str, ...]
    nodes: int
    workloads: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return the pods in one line for people: how many, where, and the first three."""
        many = f"{self.count:,} pods on {self.nodes:,} node{'s' if self.nodes != 1 else ''}"
        more = f" and {self.count - 3:,} more" if self.count > 3 else ""  # noqa: PLR2004 -- enough to know them by
        return f"{many}: {', '.join(self.pods[:3])}{more}"


@dataclass(frozen=True, slots=True)
class UsedBy:
    """Where a manifest uses an image on these nodes. `doubt` says why it may not run there; empty if it does."""

    use: Use
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The diagnosis of one pull.

    - `path`: its path to the registry, None if that was not read or cannot explain the symptom.
    - `asked`: the image of a question about a pull that has not failed, as it was asked.
    - `nodes`: the nodes that the question is about.
    - `reach`: the pods that wait for the pull. None where no cluster was read.
    - `scopes`: which other workloads use what is broken, by the ids of the findings, where pods tell it.
    - `used_by`: where manifests use the image on these nodes.
    """

    diagnosis: Diagnosis
    path: PullPath | None
    asked: str | None = None
    nodes: str | None = None
    reach: Reach | None = None
    used_by: tuple[UsedBy, ...] = ()
    scopes: Mapping[str, Scope] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Something that should have been asked about and could not be, with the reason."""

    reason: str


Answer: TypeAlias = Answered | NotAsked | Skipped


def exit_status(answers: Iterable[Answer]) -> int:
    """Return the exit status for all answers: 1 if there is a cause, else 3 if something is open, else 0."""
    status = 0
    for each in answers:
        if isinstance(each, Answered) and each.diagnosis.findings:
            return FOUND
        if isinstance(each, NotAsked) or (isinstance(each, Answered) and each.diagnosis.inconclusive):
            status = OPEN
    return status
