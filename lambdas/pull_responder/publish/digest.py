"""A digest's findings by cause: how many there are of each, how severe, and which for example.

All formats of a digest begin with a line for each cause, so that one finding of another kind is not lost among many.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.model.verdict import Severity
from pull_responder.publish.attributes import sort_by_severity
from pull_responder.publish.digest_hit import in_clusters
from pull_responder.publish.telling import WORDS
from pull_responder.publish.text import resource_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice
    from pull_responder.publish.telling import Say

EXAMPLES: Final = 3
TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class OfCause:
    """The notices of one cause, at least one, the most severe first."""

    cause: str
    notices: tuple[Notice, ...]

    @property
    def worst(self) -> Finding:
        """Its most severe finding."""
        return self.notices[0].finding

    @property
    def severity(self) -> Severity:
        """The highest severity of its findings."""
        return self.worst.severity

    @property
    def count(self) -> int:
        """How many findings it has."""
        return len(self.notices)

    @property
    def examples(self) -> tuple[str, ...]:
        """The short names of the resources of its first few findings."""
        names = dict.fromkeys(resource_name(each.finding.resource.id) for each in self.notices)
        return tuple(names)[:EXAMPLES]

    @property
    def times(self) -> str:
        """The number of its findings, if there are several, after the cause's name."""
        return f" {TIMES} {self.count}" if self.count > 1 else ""

    @property
    def is_over(self) -> bool:
        """Whether its worst finding is resolved, so that there is nothing to do."""
        return self.notices[0].edge is Edge.RESOLVED

    @property
    def edges(self) -> str:
        """How many of its notices say what; empty if all of them say that a finding is new."""
        numbers = Counter(each.edge for each in self.notices)
        if set(numbers) == {Edge.NEW}:
            return ""
        return ", ".join(f"{numbers[edge]} {WORDS[edge]}" for edge in Edge if numbers[edge])


def by_cause(notices: Sequence[Notice]) -> list[OfCause]:
    """Return `notices` by cause: the cause with the most severe finding first, then that with the most findings."""
    found: dict[str, list[Notice]] = {}
    for each in sort_by_severity(notices):
        found.setdefault(each.finding.cause, []).append(each)
    causes = [OfCause(cause, tuple(each)) for cause, each in found.items()]
    return sorted(causes, key=lambda each: (-each.severity.rank, -each.count, each.cause))


def headline(notices: Sequence[Notice], say: Say) -> str:
    """Return how many findings of how many causes a digest tells, and in which clusters."""
    causes = len({each.finding.cause for each in notices})
    number = "1 cause" if causes == 1 else f"{causes} causes"
    return f"{len(notices)} {kind(notices)} of {number}{in_clusters(notices, say)}"


def kind(notices: Sequence[Notice]) -> str:
    """Return what a digest is about, in the number of `notices`."""
    edges = {each.edge for each in notices}
    one = len(notices) == 1
    if edges == {Edge.RESOLVED}:
        return "resolved finding" if one else "resolved findings"
    if edges == {Edge.NEW}:
        return "new pull failure" if one else "new pull failures"
    return "finding" if one else "findings"
