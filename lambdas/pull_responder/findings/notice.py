"""A notice: one change in a finding's life that people are notified of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.reach import Reach

IT_GREW: Final = "Since the last notification:"
"""How the words begin that say what has got worse."""
IT_WAS_RESOLVED: Final = "It had been resolved at"
"""How the words begin that say when and how what came back had ended."""
AS_FOUND_THEN: Final = ", as found then"
"""The words behind that time: what follows was true at that time, and is not any more."""


class Edge(StrEnum):
    """The changes in a finding's life that are notified. Nothing else is."""

    NEW = "new"
    WORSE = "worse"
    BACK = "back"
    REMINDER = "reminder"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of one finding.

    - `reach`: how far the failures reach so far.
    - `at`: when the change happened. ISO 8601 in UTC.
    - `opened_at`: when the finding opened, or reopened last. ISO 8601 in UTC.
    - `because`: the reason for the notice, as sentences: what grew, or how the finding ended. May be empty.
    - `since`: since when its pulls fail, as far as that is known; empty: since `opened_at`. ISO 8601 in UTC.
    - `fixed_by`: the changes of its resources right before it was resolved; of what came back, resolved last.
    - `broken_by`: the change of its resource that came before the first failure, where it is known.
    - `changes_unread`: why it could not be read whether there was such a change.
    - `problem`: in a digest, the id by which all messages about its problem belong together.
    - `is_over`: in a digest, whether it is resolved, and nothing else that is known stops the pulls of its problem.
    - `others`, `others_known`: in a digest, the findings of other causes that are open and stop the same pulls, the
      worst first, and whether these could be read.
    - `unnamed`: in a digest, how many more such findings there are, beyond those of `others`.
    - `page`: the key of the page of its latest diagnosis in the bucket of reports; empty if there is none.
    - `over`: in a digest, the ids of the problems that are over with it: nothing that was told as one of them is open.
    """

    edge: Edge
    finding: Finding
    reach: Reach
    at: str
    opened_at: str
    because: str = ""
    since: str = ""
    fixed_by: tuple[Deed, ...] = ()
    broken_by: Deed | None = None
    changes_unread: str = ""
    problem: str = ""
    is_over: bool = False
    others: tuple[Finding, ...] = ()
    others_known: bool = True
    over: tuple[str, ...] = ()
    unnamed: int = 0
    page: str = ""

    @property
    def is_in_part(self) -> bool:
        """Whether it is resolved, and another cause still stops the pulls."""
        return self.edge is Edge.RESOLVED and bool(self.others)
