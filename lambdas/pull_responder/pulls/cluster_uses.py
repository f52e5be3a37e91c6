"""How the clusters of a region use a role: as the role of a node group, a Fargate profile or an access entry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pull_responder.facts.compute import AccessEntry, EntryType, FargateProfile, NodeGroup
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pull_responder.facts.facts import Facts


class Membership(StrEnum):
    """How a cluster uses a role."""

    NODE_GROUP = "node group"
    FARGATE_PROFILE = "Fargate profile"
    ACCESS_ENTRY = "access entry"


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """One use of a role by a cluster: `name` is the node group, the Fargate profile or the access entry's type."""

    cluster: str
    membership: Membership
    name: str

    @property
    def entry_type(self) -> EntryType | None:
        """The type of the access entry, None for other uses."""
        return EntryType(self.name) if self.membership is Membership.ACCESS_ENTRY else None


@dataclass(frozen=True, slots=True)
class _Compute:
    """How one kind of compute is listed and read."""

    membership: Membership
    names: Callable[[str, str, str], tuple[str, ...] | Unread | None]
    member: Callable[[str, str, str, str], NodeGroup | FargateProfile | Unread | None]


@dataclass(frozen=True, slots=True)
class ClusterUses:
    """The uses found, and the reads that failed. Where `unread` is empty, there are no other uses."""

    found: tuple[ClusterUse, ...]
    unread: tuple[Unread, ...]


def cluster_uses(facts: Facts, account: str, region: str, role_name: str) -> tuple[ClusterUses | Unread, ...]:
    """Return how the clusters use the role: as node group or Fargate profile, and by access entry."""
    return tuple(facts.side_by_side(lambda find: find(facts, account, region, role_name), (compute_uses, _entry_uses)))


def compute_uses(facts: Facts, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    """Return the node groups and Fargate profiles with the role `role_name`. Unread if no cluster could be listed."""
    key = ("compute uses", account, region, role_name)
    return facts.once(key, lambda: _find_compute_uses(facts, account, region, role_name))


def _find_compute_uses(facts: Facts, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    clusters = facts.cluster_names(account, region)
    if isinstance(clusters, Unread):
        return clusters
    kinds = (
        _Compute(Membership.NODE_GROUP, facts.node_group_names, facts.node_group),
        _Compute(Membership.FARGATE_PROFILE, facts.fargate_profile_names, facts.fargate_profile),
    )
    listings = [(cluster, kind) for cluster in clusters for kind in kinds]
    listed = facts.side_by_side(lambda each: each[1].names(account, region, each[0]), listings)
    members = [
        (cluster, kind, name)
        for (cluster, kind), names in zip(listings, listed, strict=True)
        if isinstance(names, tuple)
        for name in names
    ]
    found = facts.side_by_side(lambda each: each[1].member(account, region, each[0], each[2]), members)
    uses = [
        ClusterUse(cluster, kind.membership, name)
        for (cluster, kind, name), member in zip(members, found, strict=True)
        if isinstance(member, NodeGroup | FargateProfile) and _is_role(member.role_arn or "", account, role_name)
    ]
    return ClusterUses(tuple(uses), _unread((*listed, *found)))


def _entry_uses(facts: Facts, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    """Return the access entries of a node type that name the role. Unread if no cluster could be listed."""
    clusters = facts.cluster_names(account, region)
    if isinstance(clusters, Unread):
        return clusters
    listed = facts.side_by_side(lambda cluster: facts.access_entry_arns(account, region, cluster), clusters)
    named = [
        (cluster, arn)
        for cluster, arns in zip(clusters, listed, strict=True)
        if isinstance(arns, tuple)
        for arn in arns
        if _is_role(arn, account, role_name)
    ]
    found = facts.side_by_side(lambda each: facts.access_entry(account, region, *each), named)
    uses = [
        ClusterUse(entry.cluster, Membership.ACCESS_ENTRY, entry.type)
        for entry in found
        if isinstance(entry, AccessEntry) and entry.type
    ]
    return ClusterUses(tuple(uses), _unread((*listed, *found)))


def _is_role(text: str, account: str, name: str) -> bool:
    # A role's name is unique in its account, so the path does not matter.
    arn = Arn.parse(text)
    return (
        arn is not None
        and arn.account == account
        and arn.resource.startswith("role/")
        and arn.resource.rpartition("/")[2] == name
    )


def _unread(answers: Iterable[object]) -> tuple[Unread, ...]:
    return tuple(answer for answer in answers if isinstance(answer, Unread))
