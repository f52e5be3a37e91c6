"""What EKS says of a role: the node group, Fargate profile or access entry that names it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.facts.paging import pages
from pull_responder.model.arn import Arn
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_eks import EKSClient

    from pull_responder.facts.reading import Reading

PERMISSIONS: Final = (
    "eks:DescribeAccessEntry",
    "eks:DescribeFargateProfile",
    "eks:DescribeNodegroup",
    "eks:ListAccessEntries",
    "eks:ListClusters",
    "eks:ListFargateProfiles",
    "eks:ListNodegroups",
)

_GONE: Final = frozenset({"ResourceNotFoundException"})
# Access entry types whose principals are nodes (EKS User Guide, "Create access entries"); STANDARD is for people.
_NODE_TYPES: Final = frozenset({"EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX"})


class Membership(StrEnum):
    """How a cluster uses a role."""

    NODE_GROUP = "node group"
    FARGATE_PROFILE = "Fargate profile"
    ACCESS_ENTRY = "access entry"


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """That a cluster uses a role: as `name` of kind `membership` (for an access entry, its type)."""

    cluster: str
    membership: Membership
    name: str


@dataclass(frozen=True, slots=True)
class ClusterUses:
    """The uses found, and the reads that failed while looking: with `unread` empty, there are no others."""

    found: tuple[ClusterUse, ...]
    unread: tuple[Unread, ...]


def read_clusters(reading: Reading, account: str | None, region: str) -> list[str] | Unread:
    """Return the names of the clusters in this account and region."""

    def request(client: EKSClient) -> list[str]:
        return pages(client, "list_clusters", "clusters")

    clusters = reading.call("eks:ListClusters", account=account, region=region, request=request)
    return [] if clusters is None else clusters


@dataclass(frozen=True, slots=True)
class _Compute:
    """How EKS lists one kind of compute, and tells the role of each."""

    membership: Membership
    list_permission: str
    list_operation: str
    list_key: str
    describe_permission: str
    role_arn: Callable[[EKSClient, str, str], str]


def _node_role(client: EKSClient, cluster: str, name: str) -> str:
    return client.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"].get("nodeRole", "")


def _pod_execution_role(client: EKSClient, cluster: str, name: str) -> str:
    profile = client.describe_fargate_profile(clusterName=cluster, fargateProfileName=name)["fargateProfile"]
    return profile.get("podExecutionRoleArn", "")


_COMPUTE: Final = (
    _Compute(
        Membership.NODE_GROUP,
        "eks:ListNodegroups",
        "list_nodegroups",
        "nodegroups",
        "eks:DescribeNodegroup",
        _node_role,
    ),
    _Compute(
        Membership.FARGATE_PROFILE,
        "eks:ListFargateProfiles",
        "list_fargate_profiles",
        "fargateProfileNames",
        "eks:DescribeFargateProfile",
        _pod_execution_role,
    ),
)


def read_compute_uses(reading: Reading, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    """Return the node groups and Fargate profiles whose role is `role_name`; Unread if none could be listed."""
    clusters = _clusters(reading, account, region)
    if isinstance(clusters, Unread):
        return clusters

    def names(listing: tuple[str, _Compute]) -> list[str] | Unread | None:
        cluster, kind = listing

        def request(client: EKSClient) -> list[str]:
            return pages(client, kind.list_operation, kind.list_key, clusterName=cluster)

        return reading.call(kind.list_permission, account=account, region=region, request=request, absent=_GONE)

    def role_of(member: tuple[str, _Compute, str]) -> str | Unread | None:
        cluster, kind, name = member

        def request(client: EKSClient) -> str:
            return kind.role_arn(client, cluster, name)

        return reading.call(kind.describe_permission, account=account, region=region, request=request, absent=_GONE)

    listings = [(cluster, kind) for cluster in clusters for kind in _COMPUTE]
    listed = reading.each(names, listings)
    members = [
        (cluster, kind, name)
        for (cluster, kind), found in zip(listings, listed, strict=True)
        if isinstance(found, list)
        for name in found
    ]
    roles = reading.each(role_of, members)
    uses = [
        ClusterUse(cluster, kind.membership, name)
        for (cluster, kind, name), arn in zip(members, roles, strict=True)
        if isinstance(arn, str) and _is_role(arn, account, role_name)
    ]
    return ClusterUses(tuple(uses), _unread(listed) + _unread(roles))


def read_access_entry_uses(reading: Reading, account: str, region: str, role_name: str) -> ClusterUses | Unread:
    """Return the access entries of a node type that name the role; Unread if none could be listed."""
    clusters = _clusters(reading, account, region)
    if isinstance(clusters, Unread):
        return clusters

    def principals(cluster: str) -> list[str] | Unread | None:
        def request(client: EKSClient) -> list[str]:
            return pages(client, "list_access_entries", "accessEntries", clusterName=cluster)

        return reading.call("eks:ListAccessEntries", account=account, region=region, request=request, absent=_GONE)

    listed = reading.each(principals, clusters)
    entries = [
        (cluster, arn)
        for cluster, found in zip(clusters, listed, strict=True)
        if isinstance(found, list)
        for arn in found
        if _is_role(arn, account, role_name)
    ]

    def type_of(entry: tuple[str, str]) -> str | Unread | None:
        cluster, arn = entry

        def request(client: EKSClient) -> str:
            return client.describe_access_entry(clusterName=cluster, principalArn=arn)["accessEntry"].get("type", "")

        return reading.call("eks:DescribeAccessEntry", account=account, region=region, request=request, absent=_GONE)

    types = reading.each(type_of, entries)
    uses = [
        ClusterUse(cluster, Membership.ACCESS_ENTRY, kind)
        for (cluster, _), kind in zip(entries, types, strict=True)
        if isinstance(kind, str) and kind in _NODE_TYPES
    ]
    return ClusterUses(tuple(uses), _unread(listed) + _unread(types))


def _clusters(reading: Reading, account: str, region: str) -> list[str] | Unread:
    return reading.once(("clusters", account, region), lambda: read_clusters(reading, account, region))


def _is_role(text: str, account: str, name: str) -> bool:
    # A role's name is unique in its account, whatever its path.
    arn = Arn.parse(text)
    return (
        arn is not None
        and arn.account == account
        and arn.resource.startswith("role/")
        and arn.resource.rpartition("/")[2] == name
    )


def _unread(answers: list[list[str] | Unread | None] | list[str | Unread | None]) -> tuple[Unread, ...]:
    return tuple(answer for answer in answers if isinstance(answer, Unread))
