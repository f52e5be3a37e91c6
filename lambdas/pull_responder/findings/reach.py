"""The reach of a problem: how often it was seen, since when, on which pods, nodes and clusters, and what fails."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

# The counts at which something has grown by a step: 1, 2 to 5, 6 to 20, and so on.
_STEPS: Final = (2, 6, 21, 101, 501, 1001)
_TIMES: Final = re.compile(r"It has failed \d+ times since \S+, last on \S+\.")


@dataclass(frozen=True, slots=True)
class Reach:
    """What was seen of a problem or a finding so far.

    - `events`: the number of distinct events.
    - `first_seen_at`, `last_seen_at`: ISO 8601 in UTC; None if no pull has failed yet.
    - `pods`, `nodes`: the first few names. A pod is "namespace/name".
    - `pod_count`, `node_count`: how many pods and nodes there are.
    - `repository_count`, `principal_count`: how many repositories, and how many roles and other principals, have failed
      pulls.
    - `principals`, `clusters`: the first few of them, by name. A cluster is counted only where it is known.
    """

    events: int = 0
    first_seen_at: str | None = None
    last_seen_at: str | None = None
    pods: tuple[str, ...] = ()
    pod_count: int = 0
    nodes: tuple[str, ...] = ()
    node_count: int = 0
    repository_count: int = 0
    principal_count: int = 0
    principals: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    cluster_count: int = 0

    @property
    def breadth(self) -> int:
        """The step of what fails: of the repositories or of the principals, whichever are more."""
        return step(max(self.repository_count, self.principal_count))

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of all counts that people are shown, but for the number of events."""
        return (step(self.pod_count), step(self.node_count), step(self.repository_count), step(self.principal_count))


def step(count: int) -> int:
    """Return the step of a count: 0 for up to 1, 1 for 2 to 5, 2 for 6 to 20."""
    return bisect_right(_STEPS, count)


def times_failed(count: int, since: str, last: str) -> str:
    """Return a sentence that says how often a pull has failed."""
    return f"It has failed {count} times since {since}, last on {last}."


def without_times(text: str) -> str:
    """Return `text` without the sentences of `times_failed`, which change with each failure."""
    return _TIMES.sub("", text)
