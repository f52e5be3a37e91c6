"""What the objects of a cluster tell: failed pulls with their pods, and what is no failed pull."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.events.outcome import Skipped
    from pull_responder.model.pull import PullFailure

NAMED = 3
"""How many names are told of many."""


@dataclass(frozen=True, slots=True)
class PodPull:
    """A failed pull of one container.

    - `workload` is what made the pod, as kind and name, such as "ReplicaSet web-7c9d8b5f6". None where it is not known.
    - `service_account` is the name of the pod's service account. None where it is not known.
    - `pull_secrets` are the names of the pod's pull secrets. None where they are not known.
    """

    pull: PullFailure
    workload: str | None = None
    service_account: str | None = None
    pull_secrets: tuple[str, ...] | None = None

    @property
    def pod(self) -> str | None:
        """The pod with its namespace, None where it is not known."""
        return full_name(self.pull.namespace, self.pull.pod)


@dataclass(frozen=True, slots=True)
class NodeAt:
    """Where a node is, by its Node object: its instance's id and its region, None where it does not tell."""

    instance_id: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was read of a cluster.

    - `nodes` are the nodes whose Node objects were read, by name.
    - `own_roles` are the roles that service accounts name for pulls, by namespace and name; None if one names none.
    - `unread` are the things that could not be asked for, each with the reason.
    """

    pulls: tuple[PodPull, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    nodes: Mapping[str, NodeAt] = field(default_factory=dict)
    own_roles: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def full_name(namespace: str | None, name: str | None) -> str | None:
    """Return an object's name with its namespace, as kubectl takes it in one word. None without a name."""
    return f"{namespace}/{name}" if namespace and name else name


def some(names: list[str] | tuple[str, ...]) -> str:
    """Return the first few of many names, and how many more there are."""
    first, more = ", ".join(names[:NAMED]), len(names) - NAMED
    return f"{first} and {more:,} more" if more > 0 else first
