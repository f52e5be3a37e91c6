"""How far a problem reaches: how often it was seen, since when, and on which pods and nodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """What has been seen of a problem or a finding so far.

    `events` counts distinct events. `pods` ("namespace/name") and `nodes` are the first few names, `pod_count` and
    `node_count` how many there are. The two times are ISO 8601 in UTC, None where nothing has failed yet.
    """

    events: int = 0
    first_seen_at: str | None = None
    last_seen_at: str | None = None
    pods: tuple[str, ...] = ()
    pod_count: int = 0
    nodes: tuple[str, ...] = ()
    node_count: int = 0
