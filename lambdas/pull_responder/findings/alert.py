"""An alert: one message about one problem, with all its causes that changed in the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from pull_responder.findings.notice import Edge
from pull_responder.findings.reach import Reach

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice
    from pull_responder.model.verdict import Severity

MOST_CAUSES: Final = 5
"""How many causes one message tells whole, and how many others it names."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message about one problem.

    - `problem`: the id by which all messages about the problem belong together.
    - `notices`: what has changed, at least one, all of the same edge, the worst first.
    - `others`: the findings of other causes of the same problem that are open, the worst first.
    - `unnamed`: how many more such findings there are, beyond those of `others`.
    - `others_known`: whether these could be read, and what decides whether the problem is over.
    - `over`: the ids of the problems that are over, this one among them: nothing that was told as one is open.
    - `still_open`: open findings that were told as this problem before, and stop none of these pulls, the worst first.
    - `reach`: how far the failures of all notices reach together.
    """

    problem: str
    notices: tuple[Notice, ...]
    others: tuple[Finding, ...] = ()
    reach: Reach = field(default_factory=Reach)
    others_known: bool = True
    over: tuple[str, ...] = ()
    still_open: tuple[Finding, ...] = ()
    unnamed: int = 0

    @classmethod
    def alone(cls, notice: Notice) -> Self:
        """Return the alert about one finding. What else stops its pulls is known only to a notice of a digest."""
        return cls(
            notice.finding.id,
            (notice,),
            notice.others,
            notice.reach,
            others_known=notice.others_known,
            unnamed=notice.unnamed,
        )

    @property
    def worst(self) -> Notice:
        """The notice of the most severe finding."""
        return self.notices[0]

    @property
    def edge(self) -> Edge:
        """What has changed."""
        return self.worst.edge

    @property
    def is_in_part(self) -> bool:
        """Whether its findings are resolved, and another cause still stops the pulls."""
        return self.edge is Edge.RESOLVED and bool(self.others)

    @property
    def to_mend(self) -> tuple[Finding, ...]:
        """The findings that people have to do something about, the worst first: of what is resolved, what is left."""
        return self.others if self.edge is Edge.RESOLVED else tuple(each.finding for each in self.notices)

    @property
    def severity(self) -> Severity:
        """The highest severity of its findings."""
        return self.worst.finding.severity

    @property
    def since(self) -> str:
        """Since when pulls fail, as far as that is known. ISO 8601 in UTC."""
        return min(each.since or each.opened_at for each in self.notices)

    @property
    def at(self) -> str:
        """When the last of its changes happened. ISO 8601 in UTC."""
        return max(each.at for each in self.notices)
