"""The reach of a problem: how often it was seen, since when, and on which pods and nodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """What was seen of a problem or a finding so far.

    - `events`: the number of distinct events.
    - `first_seen_at`, `last_seen_at`: ISO 8601 in UTC; None if no pull has failed yet.
    - `pods`, `nodes`: the first few names. A pod is "namespace/name".
    - `pod_count`, `node_count`: how many pods and nodes there are.
    """

    events: int = 0
    first_seen_at: str | None = None
    last_seen_at: str | None = None
    pods: tuple[str, ...] = ()
    pod_count: int = 0
    nodes: tuple[str, ...] = ()
    node_count: int = 0
