"""How the clusters of a region use a role: as the role of a node group, a Fargate profile or an access entry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import AccessEntry, EntryType, FargateProfile, NodeGroup
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pull_responder.facts.facts import Facts


# A role that no cluster uses is looked for in all of them, and any role that was refused once can be one. To list the
# access entries of a cluster is one call; its node groups and Fargate profiles take two, and one for each of them.
_MOST_ENTRY_LISTS: Final = 100
_MOST_COMPUTE_LISTS: Final = 25
_MOST_MEMBERS: Final = 100


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
    """The uses found, and what was not read of others. Where `unread` is empty, there are no other uses."""

    found: tuple[ClusterUse, ...]
    unread: tuple[Unread, ...]


def cluster_uses(facts: Facts, account: str, region: str, role_name: str) -> tuple[ClusterUses | Unread, ...]:
    """Return how the clusters use the role: as node group or Fargate profile, and by access entry."""
    return tuple(facts.side_by_side(lambda find: find(facts, account, region, role_name), (compute_uses, _entry_uses)))


def compute_uses(facts: Facts, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    """Return the node groups and Fargate profiles with the role `role_name`. Unread if no cluster could be listed."""
    key = ("compute uses", account, region, role_name)
    return facts.once(key, lambda: _find_compute_uses(facts, account, region, role_name))


def compute_uses_in(facts: Facts, account: str, region: str, role_name: str, cluster: str) -> ClusterUses:
    """Return the node groups and Fargate profiles of one cluster with the role `role_name`."""
    return _look_through(facts, account, region, role_name, (cluster,))


def _find_compute_uses(facts: Facts, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    clusters = facts.cluster_names(account, region)
    if isinstance(clusters, Unread):
        return clusters
    chosen, left = _likeliest(facts, account, region, role_name, clusters)
    uses = _look_through(facts, account, region, role_name, chosen)
    return ClusterUses(uses.found, (*left, *uses.unread))


def _look_through(facts: Facts, account: str, region: str, role_name: str, clusters: tuple[str, ...]) -> ClusterUses:
    left = []
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
    if len(members) > _MOST_MEMBERS:
        what = f"{len(members)} node groups and Fargate profiles"
        left.append(Unread(f"account {account} has {what} in {region}: only {_MOST_MEMBERS} were read"))
        members = members[:_MOST_MEMBERS]
    found = facts.side_by_side(lambda each: each[1].member(account, region, each[0], each[2]), members)
    uses = [
        ClusterUse(cluster, kind.membership, name)
        for (cluster, kind, name), member in zip(members, found, strict=True)
        if isinstance(member, NodeGroup | FargateProfile) and _is_role(member.role_arn or "", account, role_name)
    ]
    return ClusterUses(tuple(uses), _unread((*left, *listed, *found)))


def _likeliest(
    facts: Facts, account: str, region: str, role_name: str, clusters: tuple[str, ...]
) -> tuple[tuple[str, ...], list[Unread]]:
    """Return the clusters to look through for the role, and what is said of those that are left out.

    Of many, those with an access entry of the role come first: EKS makes one for each role of a managed node group and
    Fargate profile, unless the cluster knows its nodes by the aws-auth ConfigMap alone (Amazon EKS User Guide, "Create
    access entries"). Then come those whose name is part of the role's, as tools that create clusters name roles.
    """
    if len(clusters) <= _MOST_COMPUTE_LISTS:
        return clusters, []
    asked = clusters[:_MOST_ENTRY_LISTS]
    listed = facts.side_by_side(lambda cluster: facts.access_entry_arns(account, region, cluster), asked)
    named = [
        cluster
        for cluster, arns in zip(asked, listed, strict=True)
        if isinstance(arns, tuple) and any(_is_role(arn, account, role_name) for arn in arns)
    ]
    namesakes = sorted((cluster for cluster in clusters if cluster in role_name), key=len, reverse=True)
    ordered = tuple(dict.fromkeys((*named, *namesakes, *clusters)))
    left = _only(account, region, clusters, "node groups", _MOST_COMPUTE_LISTS)
    return ordered[:_MOST_COMPUTE_LISTS], [left]


def _only(account: str, region: str, clusters: tuple[str, ...], what: str, most: int) -> Unread:
    return Unread(f"account {account} has {len(clusters)} clusters in {region}: the {what} of only {most} were read")


def _entry_uses(facts: Facts, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    """Return the access entries of a node type that name the role. Unread if no cluster could be listed."""
    clusters = facts.cluster_names(account, region)
    if isinstance(clusters, Unread):
        return clusters
    left = []
    if len(clusters) > _MOST_ENTRY_LISTS:
        left.append(_only(account, region, clusters, "access entries", _MOST_ENTRY_LISTS))
        clusters = clusters[:_MOST_ENTRY_LISTS]
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
    return ClusterUses(tuple(uses), _unread((*left, *listed, *found)))


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
