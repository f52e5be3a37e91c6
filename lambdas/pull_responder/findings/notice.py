"""What people are told of a finding: only when something about it has changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pull_responder.findings.finding import Finding
from pull_responder.findings.reach import Reach


class Edge(StrEnum):
    """The changes in a finding's life that are told. Nothing else is."""

    NEW = "new"
    WORSE = "worse"
    BACK = "back"
    REMINDER = "reminder"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of one finding.

    `because` says in a sentence what made it one: what grew, or how it is known that the cause is gone. `at` is when,
    and `opened_at` since when the finding is open this time, both ISO 8601 in UTC.
    """

    edge: Edge
    finding: Finding
    reach: Reach
    at: str
    opened_at: str
    because: str = ""
