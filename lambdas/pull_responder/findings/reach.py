"""The reach of a problem: how often it was seen, since when, on which pods, nodes and clusters, and what fails."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final

# The counts at which something has grown by a step: 1, 2 to 5, 6 to 20, and so on.
_STEPS: Final = (2, 6, 21, 101, 501, 1001)
# The field of each count, by its name in `Reach.more`.
_COUNTS: Final = {
    "events": "events",
    "pods": "pod_count",
    "nodes": "node_count",
    "repositories": "repository_count",
    "principals": "principal_count",
    "clusters": "cluster_count",
}
_TIMES: Final = re.compile(r"It has failed (?:at least )?[\d,]+ times since \S+, last on \S+\.")


@dataclass(frozen=True, slots=True)
class Reach:
    """What was seen of a problem or a finding so far.

    - `events`: the number of distinct events.
    - `first_seen_at`, `last_seen_at`: ISO 8601 in UTC; None if no pull has failed yet.
    - `pods`, `nodes`: the first few names. A pod is "namespace/name".
    - `pod_count`, `node_count`: how many pods and nodes there are.
    - `repository_count`, `principal_count`: how many repositories, and how many roles and other principals, have failed
      pulls.
    - `principals`, `clusters`: the first few of them: principals by name, clusters by their failures, the most first. A
      cluster is counted only where it is known.
    - `cluster_events`: how many events each of `clusters` has; empty if that is not known.
    - `account_count`: in how many accounts these principals are; 0 if that is not known.
    - `more`: which counts are too low: of "events", "pods", "nodes", "repositories", "principals", "clusters". All are
      exact up to 10,000 problems, pods and nodes.
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
    more: tuple[str, ...] = ()
    cluster_events: tuple[int, ...] = ()
    account_count: int = 0

    def words(self, counted: str) -> str:
        """Return the count of "events", "pods", and so on, for people: "312", "more than 10,000".

        Of events, it is "at least 12,288": one that came again may be among those that were not counted.
        """
        return count_words(self.count(counted), more=counted in self.more, events=counted == "events")

    def count(self, counted: str) -> int:
        """Return the count of "events", "pods", and so on."""
        number: int = getattr(self, _COUNTS[counted])
        return number

    def at_least(self, before: Reach) -> Reach:
        """Return the reach with no count lower than in `before`: what expired in the table was seen all the same."""
        known = replace(self)
        more = set(self.more)
        for name, field in _COUNTS.items():
            now, then = getattr(self, field), getattr(before, field)
            if then > now:
                known = replace(known, **{field: then})
            if then >= now and name in before.more:
                more |= {name}
        wider = max(self, before, key=lambda each: len(each.clusters))
        first = [each.first_seen_at for each in (self, before) if each.first_seen_at]
        last = [each.last_seen_at for each in (self, before) if each.last_seen_at]
        return replace(
            known,
            first_seen_at=min(first, default=None),
            last_seen_at=max(last, default=None),
            pods=max(self.pods, before.pods, key=len),
            nodes=max(self.nodes, before.nodes, key=len),
            principals=max(self.principals, before.principals, key=len),
            clusters=wider.clusters,
            cluster_events=wider.cluster_events,
            account_count=max(self.account_count, before.account_count),
            more=tuple(each for each in _COUNTS if each in more),
        )

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


def count_words(count: int, *, more: bool, events: bool = False) -> str:
    """Return a count for people: "312"; with `more`, "more than 10,000" or, of events, "at least 12,288"."""
    if not more:
        return str(count)
    return f"{'at least' if events else 'more than'} {count:,}"


def times_failed(count: int, since: str, last: str, *, more: bool = False) -> str:
    """Return a sentence that says how often a pull has failed, or with `more`, how often at least."""
    return f"It has failed {count_words(count, more=more, events=True)} times since {since}, last on {last}."


def without_times(text: str) -> str:
    """Return `text` without the sentences of `times_failed`, which change with each failure."""
    return _TIMES.sub("", text)
